"""Diversity, expansion and compression: the same in the matrix and in the search, spans exact."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from tailor.documents.corpus import documents
from tailor.documents.embedding import unit
from tailor.documents.passages import Passage
from tailor.initialize import initialize
from tailor.retrieval.arrangement import LONGEST, compressed, cut_out, diverse, shown, widened
from tailor.retrieval.configuration import Configuration
from tailor.retrieval.corpus import Corpus
from tailor.retrieval.matrix import Matrix, matrix
from tailor.retrieval.retriever import Retriever
from tailor.retrieval.search import Space, search
from tailor.workspace import Workspace

PLAIN = Configuration(k=6)
ARRANGED = [
    replace(PLAIN, diversity=0.3),
    replace(PLAIN, expansion="neighbours"),
    replace(PLAIN, expansion="section"),
    replace(PLAIN, compression=0.5),
    replace(PLAIN, diversity=0.4, expansion="section", compression=0.3, fusion="ranks"),
    replace(PLAIN, weight=1.0, diversity=0.2, expansion="neighbours"),
]


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = initialize(tmp_path_factory.mktemp("arranged") / "company", "company")
    workspace.ingest()
    return workspace


@pytest.fixture(scope="module")
def whole(company: Workspace) -> Matrix:
    judged = [q for q in company.benchmark.split("dev") if company.spans.get(q.id)][:25]
    vectors = [company.embeddings.embed_query(q.question) for q in judged]
    return matrix(
        Corpus(*company.cut(company.splitter)),
        [q.question for q in judged],
        unit(np.array(vectors, dtype=np.float32)),
        [company.spans[q.id] for q in judged],
    )


@pytest.mark.parametrize("how", ARRANGED, ids=str)
def test_what_is_served_is_what_was_measured(
    company: Workspace, whole: Matrix, how: Configuration
) -> None:
    retriever = Retriever(index=company.index(), configuration=how)
    scores, texts = whole.scores(how), documents(company.state)
    for row, question in enumerate(whole.questions):
        measured = islice(whole.shown(row, how, scores[row]), how.k)
        served = retriever.passages(question)
        assert [(p.document, p.start, p.end) for p in served] == [one[1:] for one in measured]
        assert all(p.text == texts[p.document][p.start : p.end] for p in served)


def test_arrangements_change_something(whole: Matrix) -> None:
    plain = replace(PLAIN, weight=0.5)
    for how in ARRANGED[:4]:
        assert how.arranges
        assert (whole.quality(how, 3000) != whole.quality(plain, 3000)).any(), how


def test_without_any_the_arranged_measure_is_the_plain_one(whole: Matrix) -> None:
    scores = whole.scores(PLAIN)
    apart = whole._arranged(PLAIN, scores, 10**9) - whole.quality(PLAIN, 10**9)
    # What lies within something shown before is left out, which can only move evidence up.
    assert (apart > -1e-9).all()
    assert abs(apart.mean()) < 0.02


def test_diversity_prefers_what_is_not_shown_yet() -> None:
    vectors = np.array([[1, 0], [1, 0], [0, 1]], dtype=np.float32)
    assert diverse(np.array([1.0, 0.9, 0.5]), vectors, 0.0) == [0, 1, 2]
    assert diverse(np.array([1.0, 0.9, 0.5]), vectors, 0.6) == [0, 2, 1]
    assert diverse(np.array([]), np.zeros((0, 2), dtype=np.float32), 0.5) == []


def passages() -> list[Passage]:
    texts = ["One wolf ran. It was grey.", "Two bears slept.", "Three hens sang."]
    starts = [0, 28, 46]
    places = ["A", "A", "B"]
    return [
        Passage("a.md", start, start + len(text), text, place)
        for text, start, place in zip(texts, starts, places, strict=True)
    ]


def test_neighbours_and_sections() -> None:
    near = passages()
    assert widened(near, 1, "none") == (28, 44)
    assert widened(near, 1, "neighbours") == (0, near[2].end)
    assert widened(near, 1, "section") == (0, 44)
    assert widened(near, 2, "section") == (46, near[2].end)
    far = [*near[:1], replace(near[1], end=28 + LONGEST + 1), near[2]]
    assert widened(far, 0, "neighbours") == (0, near[0].end)
    other = [replace(near[0], document="b.md"), *near[1:]]
    assert widened(other, 1, "neighbours")[0] == 28


def test_compression_cuts_sentences_that_do_not_match() -> None:
    near = passages()
    assert compressed(near, 0, 44, {"grey": 2.0}, 0.5) == (14, 26)
    assert compressed(near, 0, 44, {"wolf": 1.0, "bear": 1.0}, 0.5) == (0, 44)
    assert compressed(near, 0, 44, {"camel": 1.0}, 0.5) == (0, 44)
    text = "One wolf ran. It was grey.\n\nTwo bears slept."
    assert cut_out(near[0], text, 14, 26).text == "It was grey."
    assert cut_out(near[0], "Another text by now.", 14, 26) == near[0]
    assert cut_out(near[0], None, 14, 26) == near[0]


def test_what_lies_within_something_shown_is_not_shown_again() -> None:
    near = passages()
    how = Configuration(expansion="section")
    found = shown("?", [0, 1, 2], how, lambda number: (near, number), lambda _: [])
    assert [number for number, *_ in found] == [0, 2]


def test_compression_reads_no_passage_of_another_document() -> None:
    own = Passage("a.md", 0, 26, "One wolf ran. It was grey.")
    next_one = Passage("b.md", 0, 26, "Six oxen sat. They rested.")
    how = Configuration(compression=0.5)
    found = shown("grey?", [0], how, lambda _: ([own, next_one], 0), lambda some: [1.0] * len(some))
    assert [one[2:] for one in found] == [(14, 26)]


def test_the_search_tries_them_for_the_best_and_counts_them_as_changes(whole: Matrix) -> None:
    space = Space(weights=(0.5, 1.0), headings=(0.0,), forms=("both",), rerank=False)
    plain = Configuration()
    found = search({(plain.splitter, ""): lambda: (whole, None)}, plain, space, 3000)
    assert {"diversity", "expansion", "compression"} <= found.matters().keys()
    assert Configuration(expansion="section").changes(plain) == {"expansion": "section"}
    off = replace(space, diversities=(0.0,), expansions=("none",), compressions=(0.0,))
    fewer = search({(plain.splitter, ""): lambda: (whole, None)}, plain, off, 3000)
    assert len(fewer.tried) < len(found.tried)
    assert not any(one.configuration.arranges for one in fewer.tried)
    assert found.best.mean >= fewer.best.mean
