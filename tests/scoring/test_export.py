"""Exports: what goes in comes out, and nothing in a cell acts."""

from __future__ import annotations

import csv
import io
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tailor.scoring.export import harmless, to_csv, to_markdown

DANGEROUS = "=+-@＝＋－＠"
PAYLOADS = [
    "=1+1", "+84 24 3825", "-2+3+cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "\r=1", " =1", "\ufeff=1",
    '＝HYPERLINK("http://x")', "＋1+1", "－1-1", "＠x", "fine;=1+1", "fine\n=1",
    "a\n\n \t=1", "'=1", "\tx", "\u200b\n=1", "a;  @x",
]  # fmt: skip
CELL = st.text(alphabet=st.sampled_from("a=+-@＝;'\" ,\t\r\n|1ế\u200b"), max_size=12)
WORDS = st.text(
    alphabet=st.sampled_from(list("ab \\`*_{}[]()<>#|~&$!:/.w@-+=\"'1ế\n;")), max_size=20
)


def _read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def _back(cell: str) -> str:
    """Without the apostrophes that `harmless` put in."""
    cell = re.sub("^'('*[\t\r])", r"\1", cell)
    space = "[\\s\u200b-\u200f\u2060\ufeff\x00-\x1f]"
    return re.sub(f"((?:^|;|[\t\r\n]){space}*)'('*[{re.escape(DANGEROUS)}])", r"\1\2", cell)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_cell_starts_a_formula(payload: str) -> None:
    cell = harmless(payload)
    assert isinstance(cell, str)
    for part in re.split("[;\t\r\n]", cell):
        bare = re.sub("^[\\s\u200b\ufeff\x00-\x1f]+", "", part)
        assert not bare or bare[0] not in DANGEROUS, cell
    assert cell[0] not in "\t\r"
    assert _back(cell) == payload


@given(st.lists(CELL, min_size=1, max_size=4))
@example(PAYLOADS)
def test_csv_gives_back_what_went_in(cells: list[str]) -> None:
    table = [{f"c{at}": cell for at, cell in enumerate(cells)}]
    _, line = _read(to_csv(table))
    assert line == [str(harmless(cell)) for cell in cells]
    numbers = re.compile(r"-?\d+([.,]\d+)?", re.ASCII)
    assert [c if numbers.fullmatch(c) else _back(c) for c in line] == cells
    for cell in line:
        assert numbers.fullmatch(cell) or cell[:1] not in (*DANGEROUS, "\t", "\r") or not cell


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers())
def test_numbers_stay_numbers(real: float, whole: int) -> None:
    line = _read(to_csv([{"real": real, "whole": whole, "none": None}]))[1]
    assert (float(line[0]), int(line[1]), line[2]) == (real, whole, "")


def test_an_answer_that_is_a_number_stays_one() -> None:
    assert harmless("-18") == "-18"
    assert harmless("-1,5") == "-1,5"
    assert harmless("+84") == "'+84"


def test_long_white_space_is_no_trap() -> None:
    assert harmless("\n " * 100_000 + "x") == "\n " * 100_000 + "x"


@given(st.lists(WORDS, min_size=1, max_size=3))
@example(["[a](javascript:x)", "![a](http://x/y.png)", "<script>x</script>"])
@example(["http://evil.example/", "www.evil.example", "<http://a.b>"])
def test_markdown_shows_the_texts_and_nothing_acts(cells: list[str]) -> None:
    text = to_markdown([{f"c{at}": cell for at, cell in enumerate(cells)}])
    tokens = MarkdownIt("gfm-like", {"html": True, "linkify": False}).parse(text)
    assert [t.type for t in tokens if t.type.endswith("_open")].count("td_open") == len(cells)
    inlines = [t for t in tokens if t.type == "inline"][len(cells) :]
    assert len(inlines) == len(cells)
    for inline, cell in zip(inlines, cells, strict=True):
        shown = ""
        for token in inline.children or ():
            assert token.type in ("text", "text_special", "html_inline", "softbreak")
            own = token.type == "html_inline"
            shown += {"<br>": "\n", "<!-- -->": ""}[token.content] if own else token.content
        expected = "\n".join(line.strip() for line in cell.splitlines())
        assert shown.strip() == expected.strip()


@pytest.mark.parametrize("text", ["http://a.example", "https://a.example/b", "www.a.example"])
def test_addresses_are_broken_up(text: str) -> None:
    line = to_markdown([{"a": text}]).splitlines()[2]
    assert "://" not in line.replace(":\\/", "")
    assert "www." not in line


def test_a_comparison_as_csv_and_markdown(tailor, hosted) -> None:
    from tailor import compare

    assert tailor("run", "prompting", "few_shot", "-w", hosted.root).code == 0
    result = compare(hosted.runs())
    frame, lines = result.to_pandas(), _read(result.to_csv())
    assert [line[0] for line in lines] == ["row", "prompting", "few_shot"]
    assert lines[0][1:] == list(frame.columns)
    at = lines[0].index("f1")
    assert [float(line[at]) for line in lines[1:]] == list(frame["f1"])
    first = result.to_markdown().splitlines()[2]
    assert first.startswith(("| prompting | 100.0% (", "| ★ prompting | 100.0% ("))
    assert "Điểm" in result.to_markdown("vi")
