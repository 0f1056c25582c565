"""How long each page of `tailor ui` takes with 100 stored runs of 1,000 questions each.

    python tests/benchmarks/interface_speed.py [STATE] [--times 3] [--runs 100] [--questions 1000]

The workspace is made as in compare_speed.py, its runs shared among four models: 32 rows to compare,
the others older runs of the same rows. It is kept in the folder STATE where one is given. The
scores are made by one `tailor compare` before, as `tailor run` makes them while it asks. Then the
real server and a real Chromium: the first paint of each page in a new tab, from the address to the
finished page, and interactions, from the click to what they change. The very first page after the
server has started is told for itself: it also waits for libraries that are loaded once.
"""

import argparse
import math
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
from compare_speed import NAMES, prepare
from playwright.sync_api import Browser, Error, Page, expect, sync_playwright
from rich.console import Console
from rich.table import Table

from tailor.run import all_runs
from tailor.ui.language import language

PAINT, ACT = 3.0, 1.0
"""Seconds that a first paint and an interaction may take."""
PAGES = (
    "overview", "knowledge", "benchmark", "models", "stages", "compare", "playground", "serve",
    "monitor", "settings",
)  # fmt: skip
MODELS = ("shipped", "huggingface:small", "huggingface:middle", "huggingface:large")
CHROMIUM = os.environ.get("TAILOR_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
READY = "[data-testid=stApp][data-test-script-state=notRunning]"
LINE = 35
"""Pixels per line of a table."""
TAILOR = (sys.executable, "-c", "from tailor.cli.main import main; main()")


def make(root: Path, runs: int, questions: int) -> None:
    """The workspace, and the scores of all its answers."""
    test = round(0.7 * questions)
    workspace = prepare(root, runs, test, questions - test)
    for run in all_runs(workspace):
        model = MODELS[run.position // len(NAMES) % len(MODELS)]
        replace(run, model=model).save(run.state())
    subprocess.run([*TAILOR, "compare", "-w", str(root)], check=True, capture_output=True)


@contextmanager
def served(root: Path) -> Iterator[str]:
    """The address of a new `tailor ui`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [*TAILOR, "ui", "--no-browser", "--port", str(port), "-w", str(root)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        clock.server = psutil.Process(process.pid)
        try:
            while True:
                try:
                    urllib.request.urlopen(f"{url}/_stcore/health", timeout=1)
                    break
                except OSError:
                    time.sleep(0.1)
            yield url
        finally:
            process.terminate()


def paint(browser: Browser, url: str, name: str) -> None:
    """Seconds from the address to the finished page, in a new tab without a cache."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    with clock:
        page.goto(address(url, name))
        finished(page, language("en")(f"{name}.title"))
    context.close()


def address(url: str, name: str) -> str:
    """The first page has no name of its own."""
    return f"{url}/{'' if name == PAGES[0] else name}"


def finished(page: Page, title: str) -> None:
    """Wait for the title and for the end of the script, spinners included."""
    expect(page.get_by_role("heading", level=1)).to_have_text(title, timeout=60_000)
    page.wait_for_selector(READY, timeout=60_000)
    expect(page.get_by_test_id("stSpinner")).to_have_count(0, timeout=60_000)


def interactions(page: Page, url: str) -> Iterator[tuple[str, Callable[[], None]]]:
    """What to click, each with a wait for what it changes."""
    for name in PAGES:
        for code in ("vi", "en"):
            yield f"{name}: language", lambda n=name, c=code: speak(page, url, n, c)
    for name in PAGES[1:]:
        yield f"open {name}", lambda n=name: follow(page, n)
    for name, parameter in (("stages", "stage"), ("compare", "question"), ("knowledge", "file")):
        for line in (1, 2):
            label = f"{name}: select a line"
            yield label, lambda n=name, p=parameter, at=line: select(page, url, n, p, at)


def speak(page: Page, url: str, name: str, code: str) -> None:
    """Switch the language of a page; where it is not open yet, opening it is not timed."""
    if page.url.partition("?")[0] != address(url, name):
        page.goto(address(url, name))
        finished(page, language("en")(f"{name}.title"))
    with clock:
        page.get_by_test_id("stSidebar").get_by_text(code.upper(), exact=True).click()
        finished(page, language(code)(f"{name}.title"))


def follow(page: Page, name: str) -> None:
    """Open a page from the navigation."""
    with clock:
        page.get_by_role("link", name=language("en")(f"{name}.title"), exact=True).click()
        finished(page, language("en")(f"{name}.title"))


def select(page: Page, url: str, name: str, parameter: str, line: int) -> None:
    """Click a line of the page's table with selectable lines, until the address names it."""
    if page.url.partition("?")[0] != address(url, name):
        page.goto(address(url, name))
        finished(page, language("en")(f"{name}.title"))
    page.wait_for_timeout(500)
    before = re.findall(rf"{parameter}=([^&]+)", page.url)
    table = page.get_by_test_id("stDataFrame").nth(1 if name == "compare" else 0)
    table.scroll_into_view_if_needed()
    box = table.bounding_box()
    assert box
    with clock:
        page.mouse.click(box["x"] + 90, box["y"] + LINE * (line + 1) + LINE / 2)
        told = f"location.search.match(/{parameter}=([^&]+)/)?.[1]"
        page.wait_for_function(f"{told} && {told} !== {(before or [''])[0]!r}", timeout=60_000)
        page.wait_for_selector(READY, timeout=60_000)


class Clock:
    """Seconds on the clock and of the server's processor that the last block took."""

    def __init__(self) -> None:
        self.taken = self.worked = 0.0
        self.server = psutil.Process()

    def __enter__(self) -> None:
        self.before, self.began = self._worked(), time.monotonic()

    def __exit__(self, *_: object) -> None:
        self.taken = time.monotonic() - self.began
        self.worked = self._worked() - self.before

    def _worked(self) -> float:
        times = self.server.cpu_times()
        return times.user + times.system


clock = Clock()


def measure(root: Path, times: int) -> bool:
    """Print what each page takes; whether all keep to the limits."""
    found: dict[str, list[tuple[float, float]]] = {}

    def note(label: str, act: Callable[[], None]) -> None:
        try:
            act()
            found.setdefault(label, []).append((clock.taken, clock.worked))
        except Error as error:
            Console().print(f"{label}: {str(error).splitlines()[0]}", markup=False)
            found.setdefault(label, []).append((math.inf, math.inf))

    with sync_playwright() as driver, served(root) as url:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=arguments)
        note("first page of a new server: compare", lambda: paint(browser, url, "compare"))
        for _ in range(times):
            for name in PAGES:
                note(f"paint {name}", lambda n=name: paint(browser, url, n))
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        for _ in range(times):
            for label, act in interactions(page, url):
                note(label, act)
        browser.close()
    return told(found)


def told(found: Mapping[str, Sequence[tuple[float, float]]]) -> bool:
    """Print the table; whether the medians keep to the limits."""
    table = Table("what", "median s", "longest s", "server CPU s", "limit s", "of the limit")
    kept = True
    for label, seen in found.items():
        walls, worked = zip(*seen, strict=True)
        middle, busy = statistics.median(walls), statistics.median(worked)
        shown = (f"{middle:.2f}", f"{max(walls):.2f}", f"{busy:.2f}")
        if label.startswith("first"):
            table.add_row(label, *shown, "", "")
            continue
        limit = PAINT if label.startswith("paint") else ACT
        table.add_row(label, *shown, f"{limit:.0f}", f"{middle / limit:.0%}")
        kept = kept and middle <= limit
    Console(width=110).print(table)
    load, cores = os.getloadavg()[0], os.cpu_count()
    Console().print(f"The machine's load was {load:.1f} on {cores} cores.")
    return kept


def main() -> int:
    """1 where a limit is not kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("state", type=Path, nargs="?")
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--questions", type=int, default=1000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        root = given.state or Path(temporary) / "acme"
        if not root.exists():
            began = time.monotonic()
            make(root, given.runs, given.questions)
            Console().print(f"Made {root} in {time.monotonic() - began:.0f} s.")
        return 0 if measure(root, given.times) else 1


if __name__ == "__main__":
    sys.exit(main())
