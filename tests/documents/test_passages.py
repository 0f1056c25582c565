"""Passages are exact, whole where they can be, and cover all words."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.embeddings import DeterministicFakeEmbedding

from tailor.documents.document import Document, Place
from tailor.documents.passages import Passage, Splitter, Strategy, split
from tailor.documents.tokens import TokenCounter
from tailor.models.embedder import embeddings
from tailor.models.token_counts import token_count

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
        "đường",
        "政策。人工智能",
        "1. item\n",
    ]
)
TEXTS = st.lists(PIECES, max_size=60).map("".join)


WORDS = TokenCounter(lambda words: [1] * len(words))
"""Every word is a token, or several where it is long."""


def cut(
    document: Document, size: int, overlap: int = 0, how: Strategy = "structure"
) -> list[Passage]:
    return split(document, Splitter(size, overlap, how), WORDS)


def tokens(text: str) -> int:
    return int(WORDS.lengths(text).at(len(text)))


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
    st.integers(4, 60),
    st.integers(0, 12),
    st.sampled_from(get_args(Strategy)),
)
def test_offsets_are_exact(
    parts: list[tuple[str, bool]], size: int, overlap: int, how: Strategy
) -> None:
    document = made(*parts)
    covered = [False] * len(document.text)
    for passage in cut(document, size, overlap, how):
        assert document.text[passage.start : passage.end] == passage.text
        assert passage.text == passage.text.strip()
        place = document.places[int(passage.place.split(" > ")[0])]
        assert place.start <= passage.start < passage.end <= place.end
        row = max((tokens(line) for line in passage.text.split("\n")), default=0)
        # A piece of a word counts in full wherever it is cut.
        limit = size + overlap + 8
        assert tokens(passage.text) <= max(limit, row + size / 2 + overlap)
        covered[passage.start : passage.end] = [True] * len(passage.text)
    assert all(c or not s.isalnum() for c, s in zip(covered, document.text, strict=True))


@pytest.mark.parametrize("how", get_args(Strategy))
def test_rows_are_never_torn(how: Strategy) -> None:
    rows = "\n".join(f"Name: {'x ' * n}; Price: {n}" for n in range(2, 40, 2))
    for passage in cut(made((rows, True)), 24, 6, how):
        assert all(line in rows.split("\n") for line in passage.text.split("\n"))
    table = "Intro:\n\n" + "\n".join(f"| {'cell ' * 12}| {n} |" for n in range(20))
    for passage in cut(made((table, False)), 30, 6, how):
        assert passage.text.endswith("|") or passage.text == "Intro:"
        assert passage.text.startswith(("|", "Intro"))


@pytest.mark.parametrize("how", get_args(Strategy))
def test_a_passage_within_a_table_knows_its_columns(how: Strategy) -> None:
    table = "| City | Night |\n|---|---|\n" + "".join(f"| Place {n} | {n} |\n" for n in range(40))
    found = cut(made((f"Limits:\n\n{table}\nAfter it.", False)), 50, 0, how)
    inside = [p for p in found if p.text.startswith("| Place")]
    assert found[0].place == "0"
    assert len(inside) > 2
    assert {p.place for p in inside} == {"0 > City | Night"}


def test_headings_and_table_heads_stay_with_what_follows() -> None:
    text = (
        "A. " * 96
        + "\n\n## Limits\n\n| City | Night |\n|---|---|\n| Hue | 5 |\n"
        + "| Hanoi | 6 |\n" * 30
    )
    found = [p.text for p in cut(made((text, False)), 50)]
    assert any(p.startswith("## Limits\n\n| City | Night |\n|---|---|\n| Hue") for p in found)


def test_a_list_that_fits_is_whole() -> None:
    listed = "You need:\n\n- a passport of yours\n- a visa for it\n- a ticket back"
    text = f"{'A first sentence. ' * 12}\n\n{listed}\n\n{'Another sentence. ' * 12}"
    assert any(listed in p.text for p in cut(made((text, False)), 40, 4))


@pytest.mark.parametrize("how", ["structure", "sentences"])
def test_sentences_are_whole_and_overlap(how: Strategy) -> None:
    text = " ".join(f"Sentence number {n} says something about leave." for n in range(60))
    found = cut(made((text, False)), 45, 15, how)
    assert len(found) > 5
    for before, after in pairwise(found):
        assert before.text.endswith(".")
        assert after.text.startswith("Sentence number")
        assert 0 < tokens(text[after.start : before.end]) <= 15


def test_fixed_passages_are_full_and_share_their_overlap() -> None:
    text = "\n\n".join(f"Paragraph {n} is short." for n in range(60))
    *found, last = cut(made((text, False)), 30, 5, "fixed")
    assert {len(p.text.split()) for p in found} == {30}
    for before, after in pairwise([*found, last]):
        assert len(text[after.start : before.end].split()) == 5


def test_numbers_and_times_are_whole() -> None:
    text = "We paid 1,000,000 USD at 12:30 to them, " * 20
    for how in get_args(Strategy):
        words = [word for p in cut(made((text, False)), 7, 0, how) for word in p.text.split()]
        assert words == text.split()


def test_one_endless_word_is_cut() -> None:
    text = "AAAA" * 5000
    for how in get_args(Strategy):
        found = cut(made((text, False)), 50, 0, how)
        assert "".join(p.text for p in found) == text
        assert max(tokens(p.text) for p in found) <= 58


def test_a_short_document_is_one_passage() -> None:
    for how in get_args(Strategy):
        (only,) = cut(made(("Para one.\n\nPara two.", False)), 140, 16, how)
        assert only.text == "Para one.\n\nPara two."


@pytest.mark.parametrize(
    "other", [Splitter(120, 16), Splitter(150, 20), Splitter(150, 16, "sentences")]
)
def test_fingerprint_follows_the_settings(other: Splitter) -> None:
    assert Splitter().fingerprint == Splitter(150, 16).fingerprint != other.fingerprint


def test_lengths_are_those_of_the_embedder() -> None:
    text = "New employees get 12 days of paid leave.\n\nNhân viên mới được nghỉ phép 12 ngày."
    shipped = TokenCounter(token_count(embeddings("shipped")))
    lengths = shipped.lengths(text)
    assert lengths.at(len(text)) == len(re.findall(r"\w+", text)) == 16
    assert lengths.between(0, text.index("12")) == 3
    assert lengths.between(text.index("days"), text.index("paid")) == 2
    assert lengths.at(text.index("employees")) == lengths.at(text.index(" employees")) == 1
    assert lengths.word_before(text.index("of"), 2) == text.index("12")
    assert lengths.word_before(0, 5) == 0


def test_an_embedder_without_a_tokenizer_counts_like_the_shipped_one() -> None:
    words = ["employees", "nghỉ", "Keilehaven"]
    hosted = token_count(DeterministicFakeEmbedding(size=4))
    assert hosted(words) == token_count(embeddings("shipped"))(words)


def test_words_are_counted_once() -> None:
    asked: list[str] = []

    def count(words: list[str]) -> list[int]:
        asked.extend(words)
        return [1] * len(words)

    counter = TokenCounter(count)
    counter.lengths("one two one")
    counter.lengths("two three | 政策政策政策")
    assert sorted(asked) == sorted({"one", "two", "three", "|", "政策政策政策"})
    assert counter.lengths("政策政策政策").at(6) == 2
