"""The interface as a person meets it: `tailor ui` in a real browser."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tailor.run import all_runs, current_run
from tailor.testing import OpenAIServer
from tailor.workspace import Workspace

CHROMIUM = os.environ.get("TAILOR_CHROMIUM") or "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect  # noqa: E402

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not Path(CHROMIUM).exists(), reason=f"no Chromium at {CHROMIUM}; set TAILOR_CHROMIUM"
    ),
]
WAIT = 20_000
expect.set_options(timeout=WAIT)
LINE = 35
"""Pixels per line of a table."""


class Ui:
    """A `tailor ui` with its workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tailor.cli.main", "ui", "--no-browser",
             "-w", str(self.workspace.root), "--port", str(self.port)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        end = time.monotonic() + 30
        while True:
            try:
                urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=1)
                return
            except OSError:
                assert time.monotonic() < end, "tailor ui did not start"
                time.sleep(0.1)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)

    def close(self) -> None:
        self.stop()
        if run := current_run(self.workspace):
            os.kill(run["pid"], signal.SIGKILL)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture
def tabs(browser: Browser) -> Iterator[BrowserContext]:
    """Tabs in which nothing may leave this machine or end in an error."""
    wrong: list[str] = []
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    context.set_default_timeout(WAIT)

    def watch(page: Page) -> None:
        page.on("pageerror", lambda error: wrong.append(f"page error: {error}"))
        page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
        page.on("request", lambda r: wrong.append(r.url) if _leaves(r.url) else None)
        page.on("response", lambda r: wrong.append(r.url) if _missing(r.url, r.status) else None)

    context.on("page", watch)
    yield context
    for page in context.pages:
        assert page.get_by_test_id("stException").count() == 0
    context.close()
    # Streamlit probes two addresses below deep links, which do not exist; the browser says so.
    assert [text for text in wrong if "status of 404" not in text] == []


def _leaves(url: str) -> bool:
    return not url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:"))


def _missing(url: str, status: int) -> bool:
    return status >= 400 and not re.search(r"/_stcore/(health|host-config)$", url)


def visit(tabs: BrowserContext, url: str) -> Page:
    page = tabs.new_page()
    page.goto(url)
    settle(page)
    return page


def settle(page: Page) -> None:
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
    page.get_by_role("heading", level=1).wait_for()


def pick(page: Page, line: int, table: int = 0) -> None:
    """Click a line of a table; tables are drawn on a canvas."""
    grid = page.get_by_test_id("stDataFrame").nth(table)
    grid.scroll_into_view_if_needed()
    box = grid.bounding_box()
    assert box
    page.mouse.click(box["x"] + 90, box["y"] + LINE * (line + 1) + LINE / 2)


def badge(page: Page) -> Locator:
    """The status of the selected row."""
    return page.locator(".stMarkdownBadge")


def progress(page: Page) -> Locator:
    return page.get_by_test_id("stProgress")


def asked(page: Page) -> int:
    found = re.match(r"\D*(\d+)", progress(page).inner_text())
    return int(found[1]) if found else 0


@pytest.fixture
def ui(company: Workspace) -> Iterator[Ui]:
    opened = Ui(company)
    yield opened
    opened.close()


def test_run_reload_second_tab_cancel_and_resume(
    ui: Ui, tabs: BrowserContext, double: OpenAIServer, slowly: Callable[[float], None]
) -> None:
    slowly(0.4)
    before = double.count
    first = visit(tabs, ui.url)
    pick(first, 1)
    expect(first.get_by_role("heading", name="retrieval")).to_be_visible()
    expect(first).to_have_url(re.compile(r"stage=retrieval"))
    pick(first, 0)
    expect(first.get_by_role("heading", name="prompting")).to_be_visible()
    first.get_by_role("button", name="Run", exact=True).click()
    expect(progress(first)).to_contain_text(re.compile(r"[2-9] of 30 asked"))
    count = asked(first)
    expect(progress(first)).not_to_contain_text(f"{count} of 30 asked")
    assert asked(first) > count
    slowly(2.0)

    first.reload()
    settle(first)
    expect(first.get_by_role("button", name="Cancel")).to_be_visible()
    second = visit(tabs, f"{ui.url}/?lang=VI&stage=prompting")
    expect(progress(second)).to_contain_text(re.compile(r"Đã hỏi \d+ trên 30 câu"))
    assert asked(second) >= count

    second.get_by_role("button", name="Dừng").click()
    resume = first.get_by_role("button", name=re.compile(r"Resume \(\d+ left\)"))
    expect(resume).to_be_visible()
    expect(badge(first)).to_have_text("‖ cancelled")
    left = int(re.findall(r"\d+", resume.inner_text())[0])
    assert 0 < left < 30 - count
    assert left == 30 - asked(first)

    slowly(0.0)
    resume.click()
    expect(progress(first)).to_contain_text("30 of 30 asked · 0 errors · score 33.3%")
    expect(first.get_by_role("button", name="Run again")).to_be_visible()
    expect(badge(second)).to_have_text("✓ hoàn tất")
    assert double.count - before == 30, "a question was paid for twice"


def test_a_dead_worker_a_dead_server_and_a_refused_stage(
    ui: Ui, tabs: BrowserContext, slowly: Callable[[float], None]
) -> None:
    settings = ui.workspace.root / "tailor.toml"
    text = settings.read_text("utf-8").replace('"retrieval"]', '"retrieval", "fine_tuning"]')
    settings.write_text(text, "utf-8")
    slowly(0.5)
    page = visit(tabs, f"{ui.url}/?stage=prompting")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(progress(page)).to_contain_text(re.compile(r"[1-9]\d* of 30 asked"))
    run = current_run(ui.workspace)
    assert run
    os.kill(run["pid"], signal.SIGKILL)
    resume = page.get_by_role("button", name=re.compile(r"Resume \(\d+ left\)"))
    expect(resume).to_be_visible()
    expect(badge(page)).to_have_text("! interrupted")

    resume.click()
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    count = asked(page)
    expect(progress(page)).not_to_contain_text(re.compile(f"Preparing|{count} of 30"))
    page.goto("about:blank")
    ui.stop()
    slowly(0.05)
    ui.start()
    page.goto(f"{ui.url}/?stage=prompting")
    expect(progress(page)).to_contain_text("30 of 30 asked · 0 errors · score 33.3%")
    assert [run.state().status for run in all_runs(ui.workspace)] == ["complete"]

    pick(page, 2)
    expect(page.get_by_role("heading", name="fine_tuning")).to_be_visible()
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("needs a model whose weights")


@pytest.fixture(scope="module")
def finished(with_runs: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ui]:
    root = tmp_path_factory.mktemp("finished") / "acme"
    shutil.copytree(with_runs.root, root)
    opened = Ui(Workspace(root))
    yield opened
    opened.close()


def test_compare_shows_what_the_command_says(finished: Ui, tabs: BrowserContext, trap: str) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "tailor.cli.main", "compare", "--json",
         "-w", str(finished.workspace.root)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    rows = json.loads(told.stdout)["stages"]
    page = visit(tabs, f"{finished.url}/compare")
    chart = page.get_by_test_id("stVegaLiteChart")
    expect(chart.locator("canvas, svg").first).to_be_visible()
    table = page.get_by_test_id("stDataFrame").first.locator("[role=grid]")
    for row in rows:
        score = row["metrics"]["f1"]
        cell = "{:.1%} ({:.1%} to {:.1%})".format(score["mean"], *score["ci95"])
        expect(table).to_contain_text(cell)
        assert f"{row['row']}: {cell}" in page.content()
    expect(page.get_by_test_id("stAlert").first).to_contain_text("retrieval")

    pick(page, 1, table=1)
    expect(page).to_have_url(re.compile("question="))
    id = re.findall(r"question=([\w-]+)", page.url)[0]
    wanted = next(q for q in finished.workspace.benchmark.questions if q.id == id)
    expect(page.locator("p.question")).to_have_text(wanted.question)
    answers = page.locator(".answer")
    expect(answers).to_have_count(2)
    expect(answers.first).to_have_text(trap)
    expect(answers.last).to_have_text(wanted.answers[0])
    expect(page.locator("p.expected")).to_contain_text(wanted.answers[0])
    expect(page.locator(".passage", has_text="evidence").locator("mark")).to_have_text(
        wanted.answers[0]
    )
    expect(page.get_by_text("This row gives the model no passages.")).to_be_visible()
    page.get_by_role("radio", name="All 24").click(force=True)
    expect(page.locator("p.question")).to_have_text(wanted.question)
    page.go_back()
    expect(page).not_to_have_url(re.compile("question="))


def test_language_by_link_back_and_reload(finished: Ui, tabs: BrowserContext) -> None:
    page = visit(tabs, f"{finished.url}/?lang=VI")
    title, html = page.get_by_role("heading", level=1), page.locator("html")
    expect(title).to_have_text("Các bước")
    expect(html).to_have_attribute("lang", "vi")
    expect(page.locator("[role=grid]")).to_contain_text("100,0%")
    page.get_by_role("link", name="So sánh").click()
    expect(title).to_have_text("So sánh")
    page.go_back()
    expect(title).to_have_text("Các bước")
    page.go_forward()
    expect(title).to_have_text("So sánh")
    page.get_by_text("EN", exact=True).click()
    expect(title).to_have_text("Compare")
    expect(html).to_have_attribute("lang", "en")
    page.reload()
    expect(title).to_have_text("Compare")
    page.get_by_text("VI", exact=True).click()
    expect(page).to_have_url(re.compile("lang=VI"))
    page.reload()
    expect(title).to_have_text("So sánh")


def test_a_narrow_screen_has_no_sideways_scrolling(finished: Ui, tabs: BrowserContext) -> None:
    page = visit(tabs, finished.url)
    page.set_viewport_size({"width": 400, "height": 900})
    for path in ("", "/compare"):
        page.goto(finished.url + path)
        settle(page)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 400


def test_files_are_dropped_read_refused_and_searched(ui: Ui, tabs: BrowserContext) -> None:
    page = visit(tabs, f"{ui.url}/knowledge")
    knowledge = ui.workspace.knowledge
    leave = b"# Leave\n\nParental leave is 20 weeks.\n"
    files = {
        "parental leave.md": leave,
        "nghỉ phép năm.md": "# Nghỉ phép\n\nNghỉ cưới được 3 ngày.\n".encode(),
        "broken.pdf": b"%PDF-1.7 and nothing",
        "empty.txt": b"",
        "letter.docx": b"this is no Word file",
    }
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(
        [
            {"name": name, "mimeType": "application/octet-stream", "buffer": content}
            for name, content in files.items()
        ]
    )
    expect(page.get_by_text("nghỉ phép năm.md is in the folder now.")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("letter.docx was not taken")
    assert (knowledge / "parental leave.md").read_bytes() == leave
    assert not (knowledge / "letter.docx").exists()
    table = page.get_by_test_id("stDataFrame").last.locator("[role=grid]")
    expect(table).to_contain_text("+ new")

    page.get_by_role("button", name="Read and index (4)").click()
    expect(page.get_by_role("button", name="Read again")).to_be_visible()
    page.get_by_role("radio", name="Need attention 2").click(force=True)
    table = page.get_by_test_id("stDataFrame").filter(has_text="what to do").locator("[role=grid]")
    expect(table).to_contain_text("✗ refused")
    expect(table).to_contain_text("! empty")
    expect(table).to_contain_text("Open it in its own program and save it again.")
    expect(badge(page)).to_have_text("✗ refused")

    (knowledge / "broken.pdf").write_bytes(b"%PDF-1.7 and still nothing")
    page.get_by_role("button", name="Read and index (1)").click()
    expect(page.get_by_role("button", name="Read again")).to_be_visible()
    page.get_by_role("button", name=re.compile("Read refused and empty files again")).click()
    expect(page.get_by_test_id("stProgress")).to_be_visible()
    expect(page.get_by_role("button", name="Read again")).to_be_visible()

    page.goto(f"{ui.url}/knowledge?lang=VI&file=parental+leave.md")
    settle(page)
    expect(page.locator("pre.document")).to_contain_text("Parental leave is 20 weeks.")
    box = page.get_by_role("textbox", name="Tìm trong các đoạn")
    box.fill("cuoi")
    box.press("Enter")
    expect(page.locator(".passage mark").first).to_have_text("cưới")
    page.set_viewport_size({"width": 400, "height": 900})
    settle(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
