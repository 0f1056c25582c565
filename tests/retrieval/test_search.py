"""Retrieval search over the sample company: what matrices say is what the search does."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from tailor.benchmark import Question
from tailor.documents.embedding import unit
from tailor.documents.passages import Passage, Splitter
from tailor.errors import NotApplicable
from tailor.initialize import initialize
from tailor.retrieval.configuration import Configuration
from tailor.retrieval.corpus import Corpus
from tailor.retrieval.features import FEATURES, Words, features
from tailor.retrieval.matrix import Matrix, matrix
from tailor.retrieval.reranker import LEAST, Reranker, learn
from tailor.retrieval.retriever import Retriever
from tailor.retrieval.search import Search, Space, Tried, choose, search
from tailor.retrieval.tuning import Tuned, record, tune
from tailor.workspace import Workspace

SPACE = Space(weights=(0.0, 0.3, 0.5, 1.0), rerank=False)
CONFIGURATIONS = [
    Configuration(weight=0.0, k=8),
    Configuration(weight=1.0, forms="written", k=8),
    Configuration(weight=1.0, forms="folded", headings=0.5, k=8),
    Configuration(weight=0.5, k=8),
    Configuration(weight=0.3, fusion="ranks", k=8),
    Configuration(weight=0.7, fusion="ranks", forms="folded", headings=0.5, k=8),
]


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = initialize(tmp_path_factory.mktemp("tuning") / "company", "company")
    workspace.ingest()
    return workspace


@pytest.fixture(scope="module")
def judged(company: Workspace) -> list[Question]:
    return [q for q in company.benchmark.split("dev") if company.spans.get(q.id)][:40]


def of(workspace: Workspace, questions: Sequence[Question], splitter: Splitter) -> Matrix:
    corpus = Corpus(*workspace.cut(splitter))
    vectors = [workspace.embeddings.embed_query(q.question) for q in questions]
    return matrix(
        corpus,
        [q.question for q in questions],
        unit(np.array(vectors, dtype=np.float32)),
        [workspace.spans[q.id] for q in questions],
        SPACE.searches,
    )


@pytest.fixture(scope="module")
def whole(company: Workspace, judged: list[Question]) -> Matrix:
    return of(company, judged, company.splitter)


@pytest.mark.parametrize("how", CONFIGURATIONS, ids=str)
def test_the_matrix_ranks_as_the_search_does(
    company: Workspace, judged: list[Question], whole: Matrix, how: Configuration
) -> None:
    retriever = Retriever(index=company.index(), configuration=how)
    scores = whole.scores(how)
    for row, question in enumerate(judged):
        order = [at for at in np.argsort(-scores[row], kind="stable") if scores[row, at] >= 0]
        expected = [whole.corpus.passages[whole.numbers[row, at]] for at in order[: how.k]]
        found = retriever.passages(question.question)
        assert [(p.document, p.start) for p in found] == [(p.document, p.start) for p in expected]


def test_a_learned_reranker_ranks_alike_in_matrix_and_search(
    company: Workspace, judged: list[Question], whole: Matrix
) -> None:
    reranker = learn(whole.examples())
    assert reranker is not None
    how = Configuration(reranker="learned", k=5)
    retriever = Retriever(index=company.index(), configuration=how, reranker=reranker)
    scores = whole.scores(how, reranker)
    for row, question in enumerate(judged[:15]):
        best = np.argsort(-scores[row], kind="stable")[: how.k]
        expected = [whole.corpus.passages[whole.numbers[row, at]] for at in best]
        found = retriever.passages(question.question)
        assert [(p.document, p.start) for p in found] == [(p.document, p.start) for p in expected]
    again = Reranker.from_json(json.loads(json.dumps(reranker.to_json())))
    assert again == reranker
    plain = Retriever(index=company.index(), configuration=how)
    assert retriever.fingerprint != plain.fingerprint


def test_a_reranker_learns_what_tells_right_from_wrong(whole: Matrix) -> None:
    rows = np.random.default_rng(0).random((LEAST + 8, 30, len(FEATURES)))
    told = FEATURES.index("numbers and codes")
    examples = [(own, own[:, told] == own[:, told].max()) for own in rows]
    reranker = learn(examples)
    assert reranker is not None
    assert int(np.argmax(np.abs(reranker.weights))) == told
    assert learn(examples[: LEAST - 1]) is None
    assert learn([(own, np.zeros(30, dtype=bool)) for own in rows]) is None


def test_features_know_accents_headings_and_closeness() -> None:
    from tailor.retrieval.ranking import Candidates

    passages = [
        Words.of("Kho lạnh Hải Phòng giữ ở âm 18 độ.", "kho lanh"),
        Words.of("Kho lanh Hai Phong giu o am 18 do.", "it"),
        Words.of("Không có gì ở đây.", ""),
    ]
    found = Candidates(np.arange(3), np.array([3.0, 2.0, 0.0]), np.array([0.5, 0.4, 0.1]))
    rows = features("Kho lạnh giữ bao nhiêu độ?", found, passages, lambda words: [1.0] * len(words))
    by_name = dict(zip(FEATURES, rows.T, strict=True))
    bare = by_name["question's words in the passage"]
    accented = by_name["question's words in the passage, with accents"]
    assert bare[0] == bare[1] > bare[2] == 0
    assert accented[0] > accented[1] > accented[2]
    assert by_name["question's words in the headings"][0] > 0
    assert np.isfinite(rows).all()


def test_weights_are_those_of_a_logistic_regression() -> None:
    from sklearn.linear_model import LogisticRegression

    from tailor.retrieval.reranker import _fitted

    draw = np.random.default_rng(0)
    pairs = draw.normal(size=(400, len(FEATURES))) + draw.normal(size=len(FEATURES)) / 4
    both, above = np.concatenate([pairs, -pairs]), np.repeat([1, 0], len(pairs))
    for penalty in (0.001, 0.1, 1.0):
        model = LogisticRegression(C=penalty, fit_intercept=False, max_iter=300).fit(both, above)
        assert _fitted(pairs, penalty) == pytest.approx(model.coef_[0], abs=1e-6)


def test_a_question_that_nothing_is_found_for_is_left_unranked() -> None:
    passages = [Passage("a.md", 0, 10, "wolf paper"), Passage("b.md", 0, 10, "wolf stone")]
    corpus = Corpus(passages, np.array([[1.0, 0.0], [0.0, 1.0]], dtype=np.float32))
    spans = [[("a.md", 0, 10)], [("a.md", 0, 10)]]
    vectors = np.array([[0.0, 0.0], [1.0, 0.0]], dtype=np.float32)
    asked = matrix(corpus, ["zebra?", "wolf"], vectors, spans)
    flat = Reranker(*((1.0,) * len(FEATURES),) * 3, LEAST)
    for reranker in (None, flat):
        how = Configuration(reranker="learned" if reranker else "")
        assert asked.quality(how, 100, reranker).tolist() == [0.0, 1.0]
    assert len(asked.examples()) == 1
    nothing = matrix(corpus, ["zebra?"], vectors[:1], spans[:1])
    assert nothing.quality(Configuration(), 100).tolist() == [0.0]


@pytest.mark.parametrize("budget", [1, 700, 3000, 10**9])
def test_qualities_are_those_of_sorted_rankings(whole: Matrix, budget: int) -> None:
    found = whole.qualities(CONFIGURATIONS, budget)
    for how, own in zip(CONFIGURATIONS, found, strict=True):
        assert own.tolist() == whole.quality(how, budget).tolist()
        scores = whole.scores(how)
        for row, wanted in enumerate(whole.spans):
            gains = dict.fromkeys(range(len(set(wanted))), 0.0)
            used = 0.0
            order = np.argsort(-scores[row], kind="stable")
            for place, at in enumerate(order[scores[row, order] >= 0], 1):
                used += whole.lengths[row, at]
                if used > budget and place > 1:
                    break
                for n, held in enumerate(whole.holds[whole.asked == row, at]):
                    if held and not gains[n]:
                        gains[n] = 1 / np.log2(1 + place)
            assert own[row] == pytest.approx(sum(gains.values()) / len(gains))


def test_evidence_beyond_the_budget_is_not_found(whole: Matrix) -> None:
    how = Configuration()
    plenty, little = whole.quality(how, 10**9), whole.quality(how, 1)
    assert (little <= plenty).all()
    assert little.mean() < plenty.mean()
    # However small the budget is, the first passage is there.
    scores = whole.scores(how)
    first = np.argmax(scores, axis=1)
    right = [
        any(whole.holds[s, first[row]] for s in np.flatnonzero(whole.asked == row))
        for row in range(len(scores))
    ]
    assert ((little > 0) == np.array(right)).all()


def test_quality_is_discounted_gain() -> None:
    passages = [Passage("a.md", 0, 10, "wolf paper"), Passage("b.md", 0, 10, "wolf stone")]
    corpus = Corpus(passages, np.array([[1.0, 0.0], [0.0, 1.0]], dtype=np.float32))
    asked = matrix(
        corpus,
        ["wolf paper", "wolf stone"],
        np.array([[0.0, 0.0], [1.0, 0.0]], dtype=np.float32),
        [[("a.md", 0, 10), ("b.md", 0, 10)], [("b.md", 4, 10)]],
    )
    words = asked.quality(Configuration(weight=1.0), 100)
    assert words.tolist() == pytest.approx([(1 + 1 / np.log2(3)) / 2, 1.0])
    meaning = asked.quality(Configuration(weight=0.0), 100)
    assert meaning.tolist() == pytest.approx([0.0, 1 / np.log2(3)])


def test_the_search_takes_what_is_better_and_says_what_mattered(
    company: Workspace, judged: list[Question], whole: Matrix
) -> None:
    poor = Configuration(weight=0.0)
    found = search({(poor.splitter, ""): lambda: (whole, None)}, poor, SPACE, 3000)
    assert found.plain.configuration == poor
    assert found.chosen.mean > found.plain.mean
    assert found.chosen.mean <= found.best.mean
    assert [one.mean for one in found.tried] == sorted((o.mean for o in found.tried), reverse=True)
    assert len({one.configuration for one in found.tried}) == len(found.tried)
    assert set(found.matters()["weight"]) == {"0.0", "0.3", "0.5", "1.0"}
    told = record(found, judged)
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert told["gain"]["delta"] == pytest.approx(found.chosen.mean - found.plain.mean)


def test_a_tie_goes_to_the_simpler_and_nothing_worse_than_plain_is_taken() -> None:
    draw = np.random.default_rng(1)
    values = draw.random(50)
    plain = Tried(Configuration(), values)
    near = Tried(Configuration(weight=0.3, forms="folded"), values + 0.004)
    far = Tried(Configuration(weight=0.3, forms="folded", fusion="ranks"), values + 0.05)
    assert choose([near, plain], plain) is near  # it is better on every question
    noisy = Tried(near.configuration, values + 0.004 + draw.normal(0, 0.2, 50))
    tried = sorted([noisy, plain], key=lambda one: -one.mean)
    assert choose(tried, plain) is plain
    assert choose([far, near, plain], plain) is far
    worse = Tried(Configuration(weight=0.4), values - 0.1)
    assert choose([plain, worse], plain) is plain


def test_train_questions_teach_a_reranker_only_where_there_are_enough(
    whole: Matrix,
) -> None:
    plain, space = Configuration(), replace(SPACE, rerank=True)

    def found(taught: int) -> Search:
        train = whole.part(list(range(taught)))
        return search({(plain.splitter, ""): lambda: (whole, train)}, plain, space, 3000)

    def rerankers(one: Search) -> list[str]:
        return [t.configuration.reranker for t in one.tried if t.reranker]

    assert rerankers(found(LEAST + 10)) == ["learned"]
    assert rerankers(found(3)) == []


def test_chunkings_are_searched_and_the_record_is_read_back(
    company: Workspace, judged: list[Question], tmp_path: Path
) -> None:
    run = partial(tune, company, judged, ())
    chunkings = [(Splitter(90, 16), ""), (Splitter(220, 16), "")]
    found = run(Configuration(splitter=company.splitter), chunkings, SPACE, 3000)
    assert set(found.matters()["size"]) == {"90", "150", "220"}
    (tmp_path / "search.json").write_text(json.dumps(record(found, judged)), "utf-8")
    assert Tuned.read(tmp_path) == Tuned(found.chosen.configuration, None)
    unanswerable = [replace(q, id="no such") for q in judged]
    with pytest.raises(NotApplicable, match="mend the quotes"):
        tune(company, unanswerable, (), Configuration(), chunkings, SPACE, 3000)


def test_tuning_measures_what_will_be_served_and_embeds_each_question_once(
    company: Workspace, judged: list[Question], whole: Matrix, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded: list[str] = []
    kind = type(company.embeddings)
    embed = kind.embed_query

    def counted(self: object, text: str) -> list[float]:
        embedded.append(text)
        return embed(company.embeddings, text)

    monkeypatch.setattr(kind, "embed_query", counted)
    few = Configuration(splitter=company.splitter, candidates=2)
    space = Space(weights=(0.5,), headings=(0.0,), forms=("both",), fusions=("scores",))
    found = tune(company, judged, (), few, [(Splitter(90, 16), "")], space, 3000)
    assert embedded == [q.question for q in judged]
    served = Retriever(index=company.index(), configuration=replace(few, k=2))
    for question, value in zip(judged, found.plain.values, strict=True):
        best, _ = served._ranked(question.question, None)
        numbers = {company.index().read([int(n)])[int(n)] for n in best.numbers}
        spans = company.spans[question.id]
        held = any(
            p.document == d and 2 * (min(p.end, b) - max(p.start, a)) >= max(1, b - a)
            for p in numbers
            for d, a, b in spans
        )
        assert held == (value > 0)
