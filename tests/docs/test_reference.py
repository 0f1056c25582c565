"""The pages that are written out of the code are what the code says today."""

import runpy
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_pages_are_what_the_code_says() -> None:
    pages = runpy.run_path(str(DOCS / "reference" / "write.py"))["pages"]()
    assert {"reference/command.md", "reference/python.md", "stages/baseline.md"} <= pages.keys()
    stale = [page for page, text in pages.items() if (DOCS / page).read_text("utf-8") != text]
    assert not stale, f"run python docs/reference/write.py: {', '.join(stale)}"
