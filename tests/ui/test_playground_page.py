"""The Playground as a person meets it: replies as they are written, votes, and new questions."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tailor import playground
from tailor.preferences import preferences
from tailor.testing import OpenAIServer
from tailor.workspace import Workspace

from .browsing import settle, visit

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = playwright.expect
pytestmark = pytest.mark.browser


@pytest.fixture
def ui(company: Workspace, serve: Any) -> Any:
    return serve(company)


def ask(page: Page, question: str) -> None:
    box = page.get_by_role("textbox", name="Question", exact=True).first
    box.fill(question)
    box.press("Control+Enter")


def test_replies_are_streamed_voted_on_and_added(
    ui: Any, tabs: BrowserContext, double: OpenAIServer, slowly: Callable[..., None], trap: str
) -> None:
    slowly(0.0, pace=0.5)
    page = visit(tabs, f"{ui.url}/playground")
    ask(page, "How long is the notice period? (9)")
    left, right = page.locator(".answer").first, page.locator(".answer").last
    expect(left).to_have_text(re.compile(r"^<b>bold</b>( \*star\*)?$"), timeout=40_000)
    page.reload()
    settle(page)
    expect(left).to_have_text(trap)
    expect(right).to_have_text("six weeks")
    expect(page.locator("main b", has_text="bold")).to_have_count(0)
    expect(page.get_by_text(re.compile("first words after"))).to_have_count(2)

    page.get_by_text("Passages the model saw").click()
    expect(page.locator(".passage mark", has_text="notice period").first).to_be_visible()
    page.get_by_text("Exact prompt").last.click()
    expect(page.get_by_text("Question: How long is the notice period? (9)")).to_be_visible()

    page.get_by_role("button", name="retrieval", exact=False).last.click()
    expect(page.get_by_text("Kept in preferences.jsonl: retrieval is better.")).to_be_visible()
    (kept,) = preferences(ui.workspace.knowledge)
    assert (kept.chosen.text, kept.rejected.text) == ("six weeks", trap)
    assert "The notice period is six weeks." in kept.chosen.prompt[-1][1]

    page.get_by_text("Add to benchmark").click()
    page.get_by_role("textbox", name="The right answer").fill("six weeks")
    page.get_by_role("button", name="Add as a draft").click()
    expect(page.get_by_text("It waits for approval")).to_be_visible()
    (draft,) = ui.workspace.drafts()
    assert draft.question == "How long is the notice period? (9)"
    assert draft.evidence[0].quote == "The notice period is six weeks."


def test_another_tab_stays_quick_and_a_killed_process_is_told(
    ui: Any, tabs: BrowserContext, double: OpenAIServer, slowly: Callable[..., None]
) -> None:
    page = visit(tabs, f"{ui.url}/playground?right=–")
    ask(page, "Nghỉ phép bao lâu?")
    expect(page.locator(".answer").last).to_have_text(re.compile("bold"), timeout=40_000)
    slowly(30.0)
    ask(page, "Kho ở đâu?")
    expect(page.get_by_text("Writing…")).to_be_visible()
    other = visit(tabs, f"{ui.url}/stages?stage=retrieval")
    expect(other.get_by_role("heading", name="retrieval")).to_be_visible()
    os.kill(playground.answering(ui.workspace.state), signal.SIGKILL)
    expect(page.get_by_role("alert")).to_contain_text("ended before it was done")
    slowly(0.0)
    page.get_by_role("button", name="Ask again").click()
    expect(page.locator(".answer").last).to_have_text(re.compile("bold"), timeout=40_000)
    page.get_by_text(re.compile("Asked before: 2")).click()
    page.get_by_role("button", name="Nghỉ phép bao lâu?").click()
    expect(page.get_by_role("heading", name="Nghỉ phép bao lâu?")).to_be_visible()
    page.set_viewport_size({"width": 400, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
