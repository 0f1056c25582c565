import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailor.retrieval.configuration import Configuration
from tailor.retrieval.ranking import Candidates, fused, ranks, top

SCORES = st.lists(st.floats(0, 30), min_size=1, max_size=20)


def test_equal_candidates_keep_their_order() -> None:
    found = Candidates(np.array([1, 3]), np.array([2.0, 2.0]), np.array([0.5, 0.5]))
    assert np.argsort(-found.ranked(Configuration()), kind="stable").tolist() == [0, 1]


def test_scores_are_relative_to_the_best_of_each_side() -> None:
    mixed = fused(np.array([4.0, 0.0]), np.array([0.2, 0.6]), 0.5)
    assert mixed.tolist() == pytest.approx([0.5 + 0.5 * 1.2 / 1.6, 0.5])


def test_reciprocal_ranks() -> None:
    mixed = fused(np.array([4.0, 0.0, 5.0]), np.array([0.2, 0.6, -1.0]), 0.25, "ranks")
    assert mixed.tolist() == pytest.approx(
        [0.25 / 62 + 0.75 / 62, 0.75 / 61, 0.25 / 61]  # what a side did not find gets nothing
    )


@given(SCORES)
def test_one_side_alone_keeps_its_order(scores: list[float]) -> None:
    lexical, nothing = np.array(scores), np.full(len(scores), -1.0)
    order = np.argsort(-np.round(lexical / max(lexical.max(), 1e-300), 9), kind="stable").tolist()
    found = Candidates(np.arange(len(scores)), lexical, nothing)
    ranked = found.ranked(Configuration(weight=1.0))
    if lexical.max() > 1e-9:
        assert np.argsort(-ranked, kind="stable").tolist() == order


@given(SCORES)
def test_ranks_and_top_agree_with_sorting(scores: list[float]) -> None:
    values = np.array(scores)
    order = sorted(range(len(scores)), key=lambda at: (-scores[at], at))
    assert [int(ranks(values)[at]) for at in order] == list(range(1, len(scores) + 1))
    assert top(values, 5).tolist() == [at for at in order if scores[at] > 0][:5]


@pytest.mark.parametrize("size", [2559, 2560, 5000])
@pytest.mark.parametrize("kinds", [2, 40, 100_000])
def test_the_best_of_many_are_those_of_all(size: int, kinds: int) -> None:
    scores = np.random.default_rng(size).integers(kinds, size=size).astype(np.float32)
    order = np.argsort(-scores, kind="stable")
    for n in (1, 10, 400):
        assert top(scores, n).tolist() == [at for at in order if scores[at] > 0][:n]


def test_padding_is_never_ranked() -> None:
    found = Candidates(np.array([[4, -1]]), np.array([[0.0, 0.0]]), np.array([[-1.0, -1.0]]))
    assert found.ranked(Configuration())[0].tolist() == [0.0, -1.0]


def test_only_what_has_an_effect_counts_as_changed() -> None:
    plain = Configuration()
    assert plain.changes(plain) == {}
    by_meaning = Configuration(weight=0.0, forms="folded", fusion="ranks")
    assert by_meaning.changes(plain) == {"weight": 0.0}
    assert Configuration(reranker="learned", weight=0.9).changes(plain) == {"reranker": "learned"}
    assert Configuration.from_json(by_meaning.to_json()) == by_meaning
