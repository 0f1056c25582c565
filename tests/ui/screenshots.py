"""Pictures of every page in both languages and both themes, and on a narrow screen.

    python tests/ui/screenshots.py OUT [WORKSPACE] [--only stages,compare]

WORKSPACE has documents and runs already; without it, `tailor demo` makes the sample company in a
temporary folder first. An empty workspace is shown too. Every page is as long as its content.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

PAGES = (
    "overview", "knowledge", "benchmark", "models", "stages", "compare", "playground", "serve",
    "monitor", "settings",
)  # fmt: skip
CHROMIUM = os.environ.get("TAILOR_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
READY = "[data-testid=stApp][data-test-script-state=notRunning]"
TAILOR = (sys.executable, "-c", "from tailor.cli.main import main; main()")
WIDE, NARROW, TALLEST = 1400, 400, 4000


@contextmanager
def served(root: Path) -> Iterator[str]:
    """The address of a `tailor ui` for a workspace."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [*TAILOR, "ui", "--no-browser", "--port", str(port), "-w", str(root)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
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


def take(browser: Browser, address: str, file: Path, theme: str, width: int) -> None:
    """One picture, of the whole page."""
    scheme = "dark" if theme == "dark" else "light"
    view = {"width": width, "height": 900}
    context = browser.new_context(viewport=view, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(address)
    page.get_by_role("heading", level=1).wait_for(timeout=60_000)
    page.wait_for_selector(READY, timeout=60_000)
    main = "document.querySelector('[data-testid=stMainBlockContainer]').scrollHeight"
    page.set_viewport_size(
        {"width": width, "height": min(TALLEST, max(900, 60 + page.evaluate(main)))}
    )
    page.wait_for_timeout(1500)  # charts are drawn, and tables take their size
    page.wait_for_selector(READY, timeout=60_000)
    page.screenshot(path=file)
    context.close()


def album(root: Path, out: Path, pages: tuple[str, ...], name: str = "") -> None:
    """All pictures of a workspace."""
    with sync_playwright() as driver, served(root) as url:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for page in pages:
            for lang in ("EN", "VI"):
                for theme, width in (("light", WIDE), ("dark", WIDE), ("light", NARROW)):
                    path = "" if page == "overview" else page
                    kind = "narrow" if width == NARROW else theme
                    file = out / f"{name}{page}-{lang.lower()}-{kind}.png"
                    take(browser, f"{url}/{path}?lang={lang}", file, theme, width)
                    print(file)  # noqa: T201
        browser.close()


def main() -> None:
    """Make the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("workspace", type=Path, nargs="?")
    parser.add_argument("--only", default=",".join(PAGES))
    given = parser.parse_args()
    pages = tuple(page for page in PAGES if page in given.only.split(","))
    given.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        root = given.workspace or Path(temporary) / "company"
        if given.workspace is None:
            subprocess.run([*TAILOR, "demo", "-w", str(root)], check=True)
        album(root, given.out, pages)
        empty = Path(temporary) / "empty"
        empty.mkdir()
        if "overview" in pages:
            album(empty, given.out, ("overview",), "empty-")


if __name__ == "__main__":
    main()
