"""Compare, Benchmark and uploads in a real browser: filters, differences, refused edits."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tailor.workspace import Workspace

from .browsing import LINE, pick, settle, visit

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import BrowserContext, Page

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = playwright.expect
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def finished(with_runs: Workspace, tmp_path_factory: pytest.TempPathFactory, serve: Any) -> Any:
    root = tmp_path_factory.mktemp("finished") / "acme"
    shutil.copytree(with_runs.root, root)
    return serve(Workspace(root))


def choose(page: Page, name: str) -> None:
    """Click a pill or a part of the page, once the charts above have their size."""
    expect(page.get_by_test_id("stVegaLiteChart").locator("canvas, svg")).to_have_count(2)
    wanted = page.get_by_text(name, exact=True)
    expect(wanted).to_have_count(1)  # while a part is drawn anew, the former one is still there
    wanted.click()


def test_compare_shows_what_the_command_says(
    finished: Any, tabs: BrowserContext, trap: str
) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "tailor.cli.main", "compare", "--json",
         "-w", str(finished.workspace.root)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    rows = json.loads(told.stdout)["stages"]
    page = visit(tabs, f"{finished.url}/compare")
    chart = page.get_by_test_id("stVegaLiteChart")
    expect(chart.locator("canvas, svg")).to_have_count(2)
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
    expect(answers.last.locator(".added")).to_have_text(wanted.answers[0])
    expect(page.locator("p.expected").first).to_contain_text(wanted.answers[0])
    evidence = page.locator("details.passage[open]", has_text="evidence")
    expect(evidence.locator("mark")).to_have_text(wanted.answers[0])
    expect(page.get_by_text("This row gives the model no passages.")).to_be_visible()
    page.get_by_text("Exact prompt and raw reply").last.click()
    expect(page.locator("pre.document", has_text=f"Question: {wanted.question}")).to_be_visible()
    page.go_back()
    expect(page).not_to_have_url(re.compile("question="))


def test_filters_are_kept_in_the_url(finished: Any, tabs: BrowserContext) -> None:
    page = visit(tabs, f"{finished.url}/compare?question=leave-3")
    choose(page, "All 24")
    expect(page).to_have_url(re.compile("show=all"))
    expect(page.locator("p.question")).to_contain_text("paid leave")
    choose(page, "▼ Worse 0")
    expect(page.get_by_text("No question is left by this filter.")).to_be_visible()
    page.reload()
    settle(page)
    expect(page.get_by_text("No question is left by this filter.")).to_be_visible()
    page.go_back()
    expect(page.locator("p.question")).to_contain_text("paid leave")
    settle(page)
    expect(page.get_by_role("button", name="Next")).to_be_enabled()
    page.keyboard.press("j")
    expect(page).to_have_url(re.compile("question=(?!leave-3)"))
    choose(page, "Why answers are wrong")
    expect(page.get_by_role("row", name=re.compile("no documents were given"))).to_be_visible()
    choose(page, "Download")
    with page.expect_download() as waited:
        page.get_by_role("button", name="Comparison (JSON)").click()
    told = json.loads(waited.value.path().read_text("utf-8"))
    assert [row["row"] for row in told["stages"]] == ["prompting", "retrieval"]


def test_the_pages_fit_a_narrow_screen(finished: Any, tabs: BrowserContext) -> None:
    page = visit(tabs, finished.url)
    page.set_viewport_size({"width": 400, "height": 900})
    for path in ("compare?view=guide", "compare?lang=VI", "benchmark", "benchmark?view=split"):
        page.goto(f"{finished.url}/{path}")
        settle(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 400


@pytest.fixture
def clean(company: Workspace) -> Workspace:
    """The company with each of its questions once."""
    path = company.knowledge / "benchmark.jsonl"
    lines = path.read_text("utf-8").splitlines()[:6]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    company.forget_benchmark()
    return company


def cell(page: Page, line: int, across: int) -> tuple[float, float]:
    """The middle of a cell of the editor, so many pixels from its left side."""
    box = page.get_by_test_id("stDataFrame").first.bounding_box()
    assert box
    return box["x"] + across, box["y"] + LINE * (line + 1) + LINE / 2


def test_a_wrong_row_is_not_saved_and_a_right_one_is(
    clean: Workspace, tabs: BrowserContext, serve: Any
) -> None:
    ui = serve(clean)
    path = clean.knowledge / "benchmark.jsonl"
    before = path.read_bytes()
    page = visit(tabs, f"{ui.url}/benchmark")
    expect(page.get_by_text("Nothing is changed.")).to_be_visible()
    answer = 30 + 50 + 380 + 60
    page.mouse.click(*cell(page, 0, answer))
    page.keyboard.press("Delete")
    expect(page.locator("table.findings")).to_contain_text("has no answer; write one")
    save = page.get_by_role("button", name=re.compile("Save 1"))
    expect(save).to_be_disabled()
    assert path.read_bytes() == before

    page.keyboard.press("Enter")
    page.locator(".gdg-input").fill("14 days | fourteen days")
    page.keyboard.press("Enter")
    expect(save).to_be_enabled()
    assert path.read_bytes() == before
    save.click()
    expect(page.get_by_text("Rows saved: 1")).to_be_visible()
    lines = path.read_bytes().splitlines()
    assert json.loads(lines[0]) == {
        **json.loads(before.splitlines()[0]),
        "answer": ["14 days", "fourteen days"],
    }
    assert lines[1:] == before.splitlines()[1:]


def test_a_folder_keeps_its_folders(
    clean: Workspace, tabs: BrowserContext, serve: Any, tmp_path: Path
) -> None:
    ui = serve(clean)
    folder = tmp_path / "hồ sơ mới"
    (folder / "luật").mkdir(parents=True)
    (folder / "luật" / "điều 1.md").write_text("Nghỉ trưa một giờ.\n", "utf-8")
    (folder / "a.md").write_text("Lunch is at noon.\n", "utf-8")
    page = visit(tabs, f"{ui.url}/knowledge?add=folder")
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(folder)
    expect(page.get_by_text("hồ sơ mới/luật/điều 1.md is in the folder now.")).to_be_visible()
    kept = clean.knowledge / "hồ sơ mới" / "luật" / "điều 1.md"
    assert kept.read_text("utf-8") == "Nghỉ trưa một giờ.\n"
