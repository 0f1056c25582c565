"""The interface as a person meets it: `tailor ui` in a real browser."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tailor.workspace import Workspace

from .browsing import badge, settle, visit

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = playwright.expect
pytestmark = pytest.mark.browser


@pytest.fixture
def ui(company: Workspace, serve: Any) -> Any:
    return serve(company)


@pytest.fixture(scope="module")
def finished(with_runs: Workspace, tmp_path_factory: pytest.TempPathFactory, serve: Any) -> Any:
    root = tmp_path_factory.mktemp("finished") / "acme"
    shutil.copytree(with_runs.root, root)
    return serve(Workspace(root))


def test_language_by_link_back_and_reload(finished: Any, tabs: BrowserContext) -> None:
    page = visit(tabs, f"{finished.url}/stages?lang=VI")
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


def test_a_narrow_screen_has_no_sideways_scrolling(finished: Any, tabs: BrowserContext) -> None:
    page = visit(tabs, finished.url)
    page.set_viewport_size({"width": 400, "height": 900})
    for path in ("", "/stages", "/compare", "/settings"):
        page.goto(finished.url + path)
        settle(page)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 400


def test_files_are_dropped_read_refused_and_searched(ui: Any, tabs: BrowserContext) -> None:
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
