"""The pages make a site that needs nobody else."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


class Loads(HTMLParser):
    """Addresses that a page loads by itself from other servers."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            loads = name in ("src", "srcset", "data") or (tag == "link" and name == "href")
            if loads and value and re.match(r"(?:https?:)?//", value):
                self.found.append(value)


def test_the_site_is_whole_and_loads_nothing_from_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("material", reason="pip install 'llm-tailor[docs]'")
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    caplog.set_level("INFO", "mkdocs")
    config = load_config(str(ROOT / ".mkdocs.yml"), site_dir=str(tmp_path))
    assert config.strict
    build(config)  # ends on a dead link or anchor
    assert "not included in the" not in caplog.text, "every page stands in the menu"
    pages = sorted(tmp_path.rglob("*.html"))
    assert len(pages) > 20
    for page in pages:
        reader = Loads()
        reader.feed(page.read_text("utf-8"))
        assert not reader.found, page
    for sheet in tmp_path.rglob("*.css"):
        assert not re.search(r"(?:url\(|@import )[\"']?(?:https?:)?//", sheet.read_text("utf-8"))


def test_the_links_of_the_readme_lead_somewhere() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    links = [link for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]
    assert len(links) > 5
    for link in links:
        path, _, anchor = link.partition("#")
        assert (ROOT / path).is_file(), link
        if anchor:
            headings = re.findall(r"^#+ (.+)$", (ROOT / path).read_text("utf-8"), re.MULTILINE)
            slugs = [re.sub(r"[^\w\s-]", "", h).strip().lower().replace(" ", "-") for h in headings]
            assert anchor in slugs, link
