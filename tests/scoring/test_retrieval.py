import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tailor.documents.passages import Passage
from tailor.scoring.retrieval import measures


def recall_at(passages, spans, k):
    return measures(passages, spans, k)[f"recall@{k}"]


def precision_at(passages, spans, k):
    return measures(passages, spans, k)[f"precision@{k}"]


def reciprocal_rank(passages, spans):
    return measures(passages, spans)["mrr"]


def ndcg_at(passages, spans, k):
    return measures(passages, spans, k)[f"ndcg@{k}"]


def average_precision(passages, spans):
    return measures(passages, spans)["map"]


def passage(document, start, end):
    return Passage(document, start, end, "x" * (end - start))


def test_known_values():
    found = [passage("b", 0, 100), passage("a", 0, 100), passage("a", 400, 500)]
    spans = [("a", 10, 20), ("a", 450, 460)]
    assert recall_at(found, spans, 1) == 0
    assert recall_at(found, spans, 2) == 0.5
    assert recall_at(found, spans, 3) == 1
    assert reciprocal_rank(found, spans) == 0.5
    ideal = 1 / math.log2(2) + 1 / math.log2(3)
    assert ndcg_at(found, spans, 3) == pytest.approx((1 / math.log2(3) + 1 / math.log2(4)) / ideal)


def test_precision_and_average_precision():
    found = [passage("b", 0, 100), passage("a", 0, 100), passage("a", 400, 500)]
    spans = [("a", 10, 20), ("a", 450, 460), ("c", 0, 9)]
    assert precision_at(found, spans, 2) == 0.5
    assert precision_at(found, spans, 5) == pytest.approx(2 / 5), "as in TREC"
    # found at places 2 and 3, the third never
    assert average_precision(found, spans) == pytest.approx((1 / 2 + 2 / 3 + 0) / 3)
    assert average_precision(found[:1], spans) == precision_at(found[:1], spans, 5) == 0
    # two pieces that hold a span only together both count
    halves = [passage("a", 0, 15), passage("a", 15, 30)]
    assert precision_at(halves, [("a", 10, 24)], 2) == 1


def test_all_at_once():
    found, spans = [passage("a", 0, 100)], [("a", 10, 20), ("b", 0, 9)]
    assert measures(found, spans) == {
        "recall@5": 0.5,
        "mrr": 1,
        "precision@5": 0.2,
        "ndcg@5": pytest.approx(1 / (1 + 1 / math.log2(3))),
        "map": 0.5,
    }
    assert set(measures([], spans).values()) == set(measures(found, []).values()) == {None}


def test_half_of_a_span_is_enough_and_passages_add_up():
    span = [("a", 100, 200)]
    assert recall_at([passage("a", 0, 149)], span, 5) == 0
    assert recall_at([passage("a", 0, 150)], span, 5) == 1
    pieces = [passage("a", 0, 140), passage("a", 120, 145), passage("a", 180, 300)]
    assert recall_at(pieces, span, 2) == 0  # 45 of 100, the overlap counted once
    assert recall_at(pieces, span, 3) == 1
    assert reciprocal_rank(pieces, span) == pytest.approx(1 / 3)
    assert recall_at([passage("b", 100, 200)], span, 5) == 0


def test_document_names_are_compared_in_one_unicode_form():
    assert recall_at([passage("nghi\u0309.md", 0, 9)], [("nghỉ.md", 0, 9)], 5) == 1


def test_none_where_there_is_nothing_to_measure():
    for metric in (
        lambda p, s: recall_at(p, s, 5),
        reciprocal_rank,
        lambda p, s: ndcg_at(p, s, 5),
    ):
        assert metric([passage("a", 0, 9)], []) is None
        assert metric([passage("a", 0, 9)], [("a", 5, 5)]) is None
        assert metric([], [("a", 0, 9)]) is None


def test_one_passage_with_two_spans_is_ideal_and_not_more():
    assert ndcg_at([passage("a", 0, 100)], [("a", 0, 9), ("a", 20, 30)], 5) == 1


spans = st.tuples(st.sampled_from("ab"), st.integers(0, 90), st.integers(1, 40)).map(
    lambda s: (s[0], s[1], s[1] + s[2])
)


@settings(deadline=None)
@given(st.lists(spans.map(lambda s: passage(*s)), max_size=6), st.lists(spans, max_size=4))
def test_between_0_and_1_and_recall_grows_with_k(found, wanted):
    values = [recall_at(found, wanted, k) for k in (1, 3, 6)]
    for value in (*values, reciprocal_rank(found, wanted), ndcg_at(found, wanted, 5)):
        assert value is None or 0 <= value <= 1 + 1e-12
    if found and wanted:
        assert values == sorted(values)
        assert bool(values[-1]) == bool(reciprocal_rank(found, wanted))


# unchanged when only the chunking changes


@settings(deadline=None)
@given(
    st.lists(spans.map(lambda s: passage(*s)), min_size=1, max_size=6),
    st.lists(spans, min_size=1, max_size=4),
    st.integers(1, 5),
    st.integers(1, 4),
    st.integers(0, 3),
)
def test_recall_depends_on_the_text_and_not_on_how_it_is_cut(found, wanted, k, pieces, overlap):
    """The same text in ``pieces`` times as many passages, which may overlap."""
    cut = []
    for p in found:
        at = [p.start + (p.end - p.start) * i // pieces for i in range(pieces + 1)]
        cut += [passage(p.document, max(p.start, a - overlap), b) for a, b in pairwise(at)]
    assert recall_at(cut, wanted, k * pieces) == recall_at(found, wanted, k)


regions = st.permutations(range(6))
edges = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=6, max_size=6)


@settings(deadline=None)
@given(regions, st.lists(st.integers(0, 5), min_size=1, max_size=4), edges, edges)
def test_other_borders_change_no_metric(order, held, one, other):
    """Six regions of a document, some with evidence in their middle, cut at other borders."""

    def ranking(borders):
        return [
            passage("a", 200 * r + 40 - borders[r][0], 200 * r + 160 + borders[r][1]) for r in order
        ]

    wanted = [("a", 200 * r + 90, 200 * r + 110) for r in held]
    assert measures(ranking(one), wanted) == measures(ranking(other), wanted)


@settings(deadline=None)
@given(st.lists(spans.map(lambda s: passage(*s)), max_size=6), st.lists(spans, max_size=4))
def test_every_measure_lies_between_0_and_1(found, wanted):
    for value in measures(found, wanted).values():
        assert value is None or 0 <= value <= 1 + 1e-12
