"""What tests do with a page in a real browser."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Locator, Page

LINE = 35
"""Pixels per line of a table."""


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
