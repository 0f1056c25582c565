"""Passages are exact, whole where they can be, and cover all words."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tailor.documents.document import Document, Place
from tailor.documents.passages import Splitter, split

PIECES = st.sampled_from(
    [
        "Nghỉ phép",
        "12",
        "days",
        " ",
        "\n",
        "\n\n",
        ". ",
        "| a | b |\n",
        "# H\n",
        "- item\n",
        "; ",
        "x" * 90,
    ]
)
TEXTS = st.lists(PIECES, max_size=60).map("".join)


def made(*parts: tuple[str, bool]) -> Document:
    text, places = "", []
    for number, (part, rows) in enumerate(parts):
        text += "\n\n" if text else ""
        places.append(Place(str(number), len(text), len(text) + len(part), rows))
        text += part
    return Document("d.md", text, tuple(places), "en", "")


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(TEXTS, st.booleans()), min_size=1, max_size=3),
    st.integers(20, 300),
    st.integers(0, 60),
)
def test_offsets_are_exact(parts: list[tuple[str, bool]], size: int, overlap: int) -> None:
    document = made(*parts)
    covered = [False] * len(document.text)
    for passage in split(document, size, overlap):
        assert document.text[passage.start : passage.end] == passage.text
        assert passage.text == passage.text.strip()
        place = document.places[int(passage.place.split(" > ")[0])]
        assert place.start <= passage.start < passage.end <= place.end
        row = max((len(line) for line in passage.text.split("\n")), default=0)
        assert len(passage.text) <= size + overlap or len(passage.text) <= row + size / 2 + overlap
        covered[passage.start : passage.end] = [True] * len(passage.text)
    assert all(c or not s.isalnum() for c, s in zip(covered, document.text, strict=True))


def test_rows_are_never_torn() -> None:
    rows = "\n".join(f"Name: {'x' * n}; Price: {n}" for n in range(10, 200, 10))
    for passage in split(made((rows, True)), 120, 30):
        assert all(line in rows.split("\n") for line in passage.text.split("\n"))
    table = "Intro:\n\n" + "\n".join(f"| {'cell ' * 12}| {n} |" for n in range(20))
    for passage in split(made((table, False)), 150, 30):
        assert passage.text.endswith("|")
        assert passage.text.startswith(("|", "Intro"))


def test_a_passage_within_a_table_knows_its_columns() -> None:
    table = "| City | Night |\n|---|---|\n" + "".join(f"| Place {n} | {n} |\n" for n in range(40))
    first, *others = split(made((f"Limits:\n\n{table}\nAfter it.", False)), 200, 0)
    assert first.place == "0"
    assert {p.place for p in others} == {"0 > City | Night"}


def test_headings_and_table_heads_stay_with_what_follows() -> None:
    text = (
        "A. " * 60
        + "\n\n## Limits\n\n| City | Night |\n|---|---|\n| Hue | 5 |\n"
        + "| Hanoi | 6 |\n" * 30
    )
    found = [p.text for p in split(made((text, False)), 250, 0)]
    assert any(p.startswith("## Limits\n\n| City | Night |\n|---|---|\n| Hue") for p in found)


def test_sentences_are_whole_and_overlap() -> None:
    text = " ".join(f"Sentence number {n} says something about leave." for n in range(60))
    found = split(made((text, False)), 300, 80)
    assert len(found) > 5
    for before, after in pairwise(found):
        assert before.text.endswith(".")
        assert after.text.startswith("Sentence number")
        assert 0 < before.end - after.start <= 80


def test_a_short_document_is_one_passage() -> None:
    (only,) = split(made(("Para one.\n\nPara two.", False)))
    assert only.text == "Para one.\n\nPara two."


@pytest.mark.parametrize("other", [Splitter(600, 80), Splitter(700, 40)])
def test_fingerprint_follows_the_settings(other: Splitter) -> None:
    assert Splitter().fingerprint == Splitter(700, 80).fingerprint != other.fingerprint
