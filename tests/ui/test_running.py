"""Stages run from the page, in a real browser: nothing is lost, and nothing is paid twice."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tailor.run import all_runs, current_run
from tailor.testing import OpenAIServer
from tailor.training.progress import recorded
from tailor.workspace import Workspace

from .browsing import asked, badge, pick, progress, settle, visit

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = playwright.expect
pytestmark = pytest.mark.browser
RUN = re.compile("^Run (?!all)|^Run$|^play_arrow Run (?!all)")
PRICES = '\n[prices."openai:double"]\ninput = 100.0\noutput = 1.0\n'


@pytest.fixture
def ui(company: Workspace, serve: Any) -> Any:
    return serve(company)


def test_run_reload_second_tab_cancel_and_resume(
    ui: Any, tabs: BrowserContext, double: OpenAIServer, slowly: Callable[[float], None]
) -> None:
    slowly(0.4)
    before = double.count
    first = visit(tabs, f"{ui.url}/stages")
    pick(first, 1)
    expect(first.get_by_role("heading", name="retrieval")).to_be_visible()
    expect(first).to_have_url(re.compile(r"stage=retrieval"))
    pick(first, 0)
    expect(first.get_by_role("heading", name="prompting")).to_be_visible()
    first.get_by_role("button", name=RUN).click()
    expect(progress(first)).to_contain_text(re.compile(r"[2-9] of 30 asked"))
    count = asked(first)
    expect(progress(first)).not_to_contain_text(f"{count} of 30 asked")
    assert asked(first) > count
    slowly(2.0)

    first.reload()
    settle(first)
    expect(first.get_by_role("button", name="Cancel")).to_be_visible()
    second = visit(tabs, f"{ui.url}/stages?lang=VI&stage=prompting")
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
    ui: Any, tabs: BrowserContext, slowly: Callable[[float], None]
) -> None:
    settings = ui.workspace.root / "tailor.toml"
    text = settings.read_text("utf-8").replace('"retrieval"]', '"retrieval", "fine_tuning"]')
    settings.write_text(text, "utf-8")
    slowly(0.5)
    page = visit(tabs, f"{ui.url}/stages?stage=prompting")
    page.get_by_role("button", name=RUN).click()
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
    ui.process.kill()
    ui.process.wait()
    slowly(0.05)
    ui.start()
    page.goto(f"{ui.url}/stages?stage=prompting")
    expect(progress(page)).to_contain_text("30 of 30 asked · 0 errors · score 33.3%")
    assert [run.state().status for run in all_runs(ui.workspace)] == ["complete"]

    pick(page, 2)
    expect(page.get_by_role("heading", name="fine_tuning")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("are not on this machine")
    expect(page.get_by_role("button", name=RUN)).to_be_disabled()


def test_two_tabs_press_run_and_one_run_starts(
    ui: Any, tabs: BrowserContext, double: OpenAIServer, slowly: Callable[[float], None]
) -> None:
    slowly(0.3)
    before = double.count
    pages = [visit(tabs, f"{ui.url}/stages?stage=prompting") for _ in range(2)]
    buttons = [page.get_by_role("button", name=RUN) for page in pages]
    for button in buttons:
        expect(button).to_be_enabled()
    for button in buttons:
        button.dispatch_event("click")  # without waiting for what the other one does
    for page in pages:
        expect(page.get_by_role("button", name="Cancel")).to_be_visible()
        expect(progress(page)).to_contain_text(re.compile(r"[1-9]\d* of 30 asked"))
    assert len(list((ui.workspace.state / "logs").glob("run-prompting-*"))) == 1
    slowly(0.0)
    for page in pages:
        expect(badge(page)).to_have_text("✓ complete")
    assert double.count - before == 30
    assert len(all_runs(ui.workspace)) == 1


def test_a_limit_asks_first_pauses_and_is_resumed_by_keyboard(
    ui: Any, tabs: BrowserContext, double: OpenAIServer
) -> None:
    with (ui.workspace.root / "tailor.toml").open("a", encoding="utf-8") as file:
        file.write(PRICES)
    before = double.count
    page = visit(tabs, f"{ui.url}/stages?stage=prompting")
    expect(page.get_by_text(re.compile(r"30 calls to make · about [\d,]+ tokens"))).to_be_visible()
    limit = page.get_by_role("spinbutton", name="Most it may cost, in US dollars")
    page.get_by_role("button", name="Repeats, limit and cluster").click()
    limit.fill("0.06")
    limit.press("Enter")
    page.keyboard.press("Escape")
    expect(page.get_by_text("--max-cost 0.06")).to_be_visible()
    page.get_by_role("button", name=RUN).click()
    expect(page.get_by_role("dialog")).to_contain_text("its limit is $0.06")
    time.sleep(1.5)  # the page looks for news meanwhile, and must not take the question away
    page.get_by_role("button", name="Run up to the limit").click()
    expect(badge(page)).to_have_text("‖ paused")
    expect(page.get_by_role("alert")).to_contain_text("resume it with a higher limit")
    paid = double.count - before
    assert 0 < paid < 30
    assert asked(page) == paid

    page.get_by_role("button", name="Repeats, limit and cluster").click()
    limit.fill("9")
    limit.press("Enter")
    page.keyboard.press("Escape")
    expect(page.get_by_text("--max-cost 9")).to_be_visible()
    page.keyboard.press("Control+Enter")
    expect(badge(page)).to_have_text("✓ complete")
    assert double.count - before == 30, "a question was paid for twice"


def test_the_curves_of_a_training_grow_and_stay(ui: Any, tabs: BrowserContext) -> None:
    settings = ui.workspace.root / "tailor.toml"
    text = settings.read_text("utf-8").replace('"retrieval"]', '"retrieval", "fine_tuning"]')
    settings.write_text(text, "utf-8")
    folder = ui.workspace.state / "training"
    with recorded(folder / "1.jsonl", "base", {"rank": 8}, 90, 10, "cpu") as recorder:
        recorder.steps(40)
        recorder.point(0, validation_loss=3.2)
        recorder.point(1, loss=3.0, learning_rate=1e-4, tokens_per_second=512.0, memory_bytes=2**30)
        page = visit(tabs, f"{ui.url}/stages?stage=fine_tuning")
        expect(progress(page)).to_contain_text(re.compile("Step 1 of 40 · about .* left"))
        figures = page.locator(".figures")
        expect(figures).to_contain_text("512")
        expect(figures).to_contain_text("1.0 GiB")
        expect(figures).to_contain_text("3.20")
        expect(page.get_by_test_id("stVegaLiteChart").locator("canvas, svg").first).to_be_visible()
        recorder.point(2, loss=1.5)
        expect(progress(page)).to_contain_text("Step 2 of 40")
        expect(figures).to_contain_text("1.50")
    page.reload()
    settle(page)
    expect(page.get_by_text(re.compile("UTC · complete"))).to_be_visible()
    expect(progress(page)).to_have_text("Step 2 of 40")
    with recorded(folder / "2.jsonl", "base", {"rank": 8}, 90, 0, "cpu") as recorder:
        recorder.steps(7)
        page.goto(f"{ui.url}/stages?stage=fine_tuning&lang=VI")
        expect(page.get_by_text("Chưa xong bước nào: đang nạp mô hình.")).to_be_visible()
        page.get_by_role("combobox", name="Lần huấn luyện").click()
        page.get_by_role("option", name=re.compile("hoàn tất")).click()
        expect(progress(page)).to_have_text("Bước 2 trên 40")
