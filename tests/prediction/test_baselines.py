"""The rows without a language model: what they learn, from what, and what they show of it."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tailor.assistant import Ask, Prompt, Reply
from tailor.errors import NotApplicable, UsageError
from tailor.estimate import estimate
from tailor.prediction import estimators, heads, labels, similar_tried
from tailor.prediction.estimation import Estimation, shown
from tailor.prediction.features import FEATURES
from tailor.prediction.learnt import Learnt
from tailor.prediction.scale import Scale
from tailor.prediction.similar import Similar
from tailor.prediction.word_vectors import WordVectors, word_vectors
from tailor.retrieval import tuning
from tailor.rows import Row
from tailor.stages import Baseline, Ensemble, Retrieval, RetrievalTuning
from tailor.text import fold
from tailor.workspace import Workspace

WORDS = [a + b for a in ("ta", "mo", "ri", "ke", "lu", "so", "pa", "ni") for b in
         ("ba", "dor", "fin", "gul", "hem", "jat", "kos", "lem", "mur", "nop")]  # fmt: skip
WORTH = {word: (at % 7 - 3) / 4 for at, word in enumerate(WORDS)}
LABELS = ("alpha", "beta", "gamma")


def item(rng: random.Random, at: int, split: str) -> dict[str, object]:
    """A text of twelve words; each word multiplies the price, and the first one is a label's."""
    first = rng.randrange(3)
    drawn = [LABELS[first][::-1], *rng.sample(WORDS, 11)]
    price = 40 * math.exp(sum(WORTH.get(word, 0.0) for word in drawn) + rng.gauss(0, 0.1))
    text = " ".join(drawn)
    return {"id": f"{split}-{at}", "text": text, "price": round(price, 2), "label": LABELS[first],
            "split": split}  # fmt: skip


def written(
    folder: Path, task: str, change: Callable[[list[dict[str, object]]], None]
) -> Workspace:
    """A workspace of 150 train, 40 dev and 20 test items."""
    rng = random.Random(5)
    items = [
        item(rng, at, split)
        for split, n in (("train", 150), ("dev", 40), ("test", 20))
        for at in range(n)
    ]
    change(items)
    (folder / "knowledge").mkdir(parents=True)
    lines = (json.dumps(one) for one in items)
    (folder / "knowledge" / "benchmark.jsonl").write_text("\n".join(lines), "utf-8")
    answer = "price" if task == "number" else "label"
    (folder / "tailor.toml").write_text(
        f'task = "{task}"\n[items]\nanswer = "{answer}"\ncurrency = "USD"\n', "utf-8"
    )
    return Workspace(folder)


def copied(items: list[dict[str, object]]) -> None:
    """A train item gives a test item away."""
    items[7] |= {"text": f"{items[-1]['text']} again", "price": items[-1]["price"]}


@pytest.fixture(scope="module")
def prices(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Items with prices; one train item is a copy of a test item."""

    return written(tmp_path_factory.mktemp("prices"), "number", copied)


@pytest.fixture(scope="module")
def tickets(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Items with labels."""
    return written(tmp_path_factory.mktemp("tickets"), "label", lambda items: None)


def error(workspace: Workspace, stage: Baseline) -> float:
    """The mean absolute error on dev."""
    assistant = stage.apply(workspace.root_assistant(), workspace)
    dev = workspace.benchmark.split("dev")
    answers = [assistant.answer(q.question) for q in dev]
    assert {answer.outcome for answer in answers} == {"ok"}
    gaps = [abs(float(a.text) - float(q.answers[0])) for a, q in zip(answers, dev, strict=True)]
    return sum(gaps) / len(gaps)


def test_what_reads_the_text_beats_the_best_constant(prices: Workspace) -> None:
    constant = error(prices, Baseline(kind="median"))
    assert error(prices, Baseline(kind="mean")) > constant
    assert error(prices, Baseline(kind="random")) > constant
    for kind in ("bag_of_words", "boosting"):
        assert error(prices, Baseline(kind=kind)) < 0.9 * constant, kind
    for kind in ("features", "word2vec", "word2vec_svr", "word2vec_forest", "neighbours"):
        assert math.isfinite(error(prices, Baseline(kind=kind))), kind


def test_they_are_fitted_on_train_alone(prices: Workspace, tmp_path: Path) -> None:
    def other(items: list[dict[str, object]]) -> None:
        copied(items)
        for one in items:
            if one["split"] != "train":
                one["price"] = 1.0

    changed = written(tmp_path / "changed", "number", other)
    for kind in ("mean", "bag_of_words", "neighbours"):
        stage = Baseline(kind=kind)
        one, two = (stage.apply(w.root_assistant(), w) for w in (prices, changed))
        assert one.model.fingerprint == two.model.fingerprint, kind  # type: ignore[attr-defined]


def test_again_it_is_the_same_and_no_artifact_is_pickled(prices: Workspace, tmp_path: Path) -> None:
    stage = Baseline(kind="word2vec_forest")
    texts = [q.question for q in prices.benchmark.split("test")]
    first = stage.apply(prices.root_assistant(), prices)
    fresh = written(tmp_path / "fresh", "number", copied)
    again = stage.apply(fresh.root_assistant(), fresh)
    assert [first.answer(t).text for t in texts] == [again.answer(t).text for t in texts]
    kept = [path.suffix for path in (prices.state / "artifacts").rglob("*") if path.is_file()]
    assert set(kept) <= {".npz", ".npy", ".json", ".jsonl", ".lock"}, set(kept)


def test_a_kind_of_another_task_is_refused(prices: Workspace, tickets: Workspace) -> None:
    with pytest.raises(NotApplicable, match="'majority' is not for task number"):
        Baseline(kind="majority").apply(prices.root_assistant(), prices)
    with pytest.raises(NotApplicable, match="'mean' is not for task label"):
        Baseline(kind="mean").apply(tickets.root_assistant(), tickets)


def test_a_row_is_named_by_its_kind_and_shows_what_it_learnt(prices: Workspace) -> None:
    (run,) = prices.climb([Row("baseline:bag_of_words", prices.stage("baseline:bag_of_words"))])
    found = run.learnt()
    assert found is not None
    assert (found.kind, found.log) == ("bag_of_words", True)
    known = [one for one in found.weights if one.name in WORTH]
    right = sum((one.effect or 0) * WORTH[one.name] >= 0 for one in known)
    assert right >= 0.9 * len(known) > 5
    assert "149" in found.sentence("vi")


def test_trees_say_what_scikit_learn_says() -> None:
    import numpy as np
    from sklearn.ensemble import RandomForestRegressor

    rng = np.random.default_rng(0)
    rows = rng.normal(size=(80, 6))
    numbers = np.exp(rows[:, 0]).tolist()
    scale = Scale.of(numbers)
    forest = heads.forest(rows, numbers, scale, 3)
    theirs = RandomForestRegressor(100, max_features=1 / 3, min_samples_leaf=2, random_state=3)
    theirs.fit(rows, scale.fitted(numbers))
    new = rng.normal(size=(30, 6))
    assert np.allclose(forest.values(new), theirs.predict(new))


def test_an_estimator_is_the_same_when_it_is_read_again(tmp_path: Path) -> None:
    texts = [f"{a} {b} {n} kg" for a in WORDS[:8] for b in WORDS[8:14] for n in (1, 5)]
    numbers = [10.0 + 7 * (at % 5) for at in range(len(texts))]
    made: WordVectors | None = None

    def vectors() -> WordVectors:
        nonlocal made
        made = made or word_vectors(texts)
        return made

    for kind in ("features", "bag_of_words", "word2vec_svr", "boosting"):
        own, _ = estimators.fit(kind, texts, numbers, Scale.of(numbers), vectors)
        folder = tmp_path / kind
        folder.mkdir()
        own.save(folder)
        assert (estimators.Estimator.load(folder).numbers(texts) == own.numbers(texts)).all(), kind
        assert own.numbers(texts).min() >= 10
        assert own.numbers(texts).max() <= 38


def test_features_are_read_in_both_languages() -> None:
    english, vietnamese = (
        {name: feature(fold(text)) for name, feature in FEATURES.items()}
        for text in (
            "Set of 3 used leather bags, 500 g, 20 cm",
            "Bộ 3 túi da thật đã qua sử dụng, 500 g, 20 cm",
        )
    )
    for name in ("pack count", "weight", "size", "used", "precious"):
        assert english[name] == pytest.approx(vietnamese[name]) != 0, name


@pytest.mark.parametrize(
    ("value", "text"), [(76.991234, "76.99"), (1234567.8, "1234570"), (0.0034567, "0.0034567")]
)
def test_an_estimate_is_written_so_that_it_is_read_back(value: float, text: str) -> None:
    from tailor.prediction.parsing import number

    assert shown(value) == text
    assert number(shown(value), "USD") == pytest.approx(value, rel=1e-4)


def test_scales() -> None:
    assert Scale.of([1.0, 10.0]).log
    assert not Scale.of([0.0, 10.0]).log
    assert not Scale.of([1.0, 10.0], "plain").log
    with pytest.raises(NotApplicable, match="logarithms"):
        Scale.of([-1.0, 10.0], "log")


def test_labels_and_abstention(tickets: Workspace) -> None:
    test = tickets.benchmark.split("test")

    def right(stage: Baseline) -> float:
        assistant = stage.apply(tickets.root_assistant(), tickets)
        return sum(assistant.answer(q.question).text == q.answers[0] for q in test) / len(test)

    assert right(Baseline(kind="majority")) < 0.7
    assert right(Baseline(kind="bag_of_words")) > 0.9
    encoder = Baseline(kind="encoder").apply(tickets.root_assistant(), tickets)
    assert encoder.answer(test[0].question).text in LABELS
    unsure = Baseline(kind="encoder", abstain=1.0).apply(tickets.root_assistant(), tickets)
    assert unsure.answer(test[0].question).outcome == "refused"
    assert unsure.model.fingerprint != encoder.model.fingerprint  # type: ignore[attr-defined]


def test_two_labels_have_one_row_of_weights() -> None:
    import numpy as np

    rows = np.array([[1.0], [1.0], [-1.0], [-1.0]] * 5)
    head = heads.logistic(rows, [0, 0, 2, 2] * 5, 3, 0)
    assert np.argmax(head.values(rows), axis=1).tolist() == [0, 0, 2, 2] * 5
    assert labels.majority(["b", "a", "b", "a"]).label == "a"


class FirstPrice(Estimation):
    """A model that repeats the price of the first passage."""

    def __init__(self) -> None:
        super().__init__(lambda: labels.majority(["x"]), "first price")

    def invoke(self, input: Prompt, config: object = None, **_: object) -> Reply:
        """The last word but one of the best passage, ``Price: 12.5 USD``."""
        return Reply(input.passages[0].text.split()[-2] if input.passages else "?")


def test_retrieval_shows_train_items_and_never_what_gives_one_away(prices: Workspace) -> None:
    root = replace(prices.root_assistant(), model=FirstPrice())
    assistant = Retrieval(k=3).apply(root, prices)
    held = {q.question for q in prices.benchmark.split("dev", "test")}
    for question in prices.benchmark.questions:
        found = assistant.found(Ask(question.question)).passages
        assert len(found) == 3
        assert all(p.document.startswith("train-") for p in found)
        assert question.id not in {p.document for p in found}
        assert "train-7" not in {p.document for p in found}  # a copy of a test item
        assert not any(p.text.rpartition("\n")[0] in held for p in found)
    last = assistant.found(Ask("taba mokos", filters=None)).passages[0]
    assert last.text.rpartition("\n")[2].startswith("Price: ")
    assert last.text.endswith(" USD")
    assert "with its price" in assistant.format.instruction
    assert Retrieval(k=3).apply(assistant, prices).format == assistant.format
    assert Retrieval(k=2).apply(root, prices).fingerprint != assistant.fingerprint


def test_retrieval_tuning_chooses_by_dev_error_and_asks_within_its_limit(prices: Workspace) -> None:
    notes: list[str] = []
    prices.note = notes.append
    root = replace(prices.root_assistant(), model=FirstPrice())
    before = Retrieval(k=3, mode="dense").apply(root, prices)
    tuned = RetrievalTuning(ks=(1, 5), weights=(0.0, 1.0)).apply(before, prices)
    prices.note = None
    assert isinstance(tuned.retriever, Similar)
    # What was tried is read again, and not taken for a tuning of documents.
    assert tuning.read(prices, prices.used_artifacts) is None
    found = similar_tried.read(prices, prices.used_artifacts)
    assert found is not None
    assert (len(found.searched), len(found.tried)) == (4, 3)
    assert found.kept.k == tuned.retriever.k
    assert found.tried[0].error_told(prices.target, "en") == "–"
    assert "lệch trung bình" in found.sentence(prices.target, "vi")
    assert any("4 ways" in note and "3 with it" in note for note in notes)
    limited = RetrievalTuning(ks=(1, 5), weights=(0.0, 1.0), max_calls=40).apply(before, prices)
    assert limited.retriever.fingerprint == before.retriever.fingerprint  # type: ignore[union-attr]


def test_an_ensemble_stacks_rows_on_dev_and_is_honest_about_dev(prices: Workspace) -> None:
    from tailor.prediction.stacking import Stacking

    rows = [Row(id, prices.stage(id)) for id in
            ("baseline:median", "baseline:bag_of_words", "baseline:boosting")]  # fmt: skip
    runs = prices.climb([*rows, Row("ensemble", Ensemble())])
    own = runs[-1]
    assert own.chosen_by is not None
    assert own.lineage[-1].settings["members"] == tuple(run.id for run in runs[:-1])
    model = own.assistant().model
    assert isinstance(model, Stacking)
    assert own.assistant().fingerprint == own.fingerprint
    # The constant says nothing; a dev item is answered by weights that it had no part in.
    assert model.stack.all.members[0] == 0
    assert len({model.stack.weights(text, True).members for text in model.dev}) > 1
    assert all(answer.outcome == "ok" for answer in own.answers("test").values())
    # What no member has a stored answer to is asked of them.
    assert own.assistant().answer("taba mokos rifin").outcome == "ok"


def test_an_ensemble_says_what_it_needs(prices: Workspace, tickets: Workspace) -> None:
    with pytest.raises(NotApplicable, match="task number"):
        Ensemble().apply(tickets.root_assistant(), tickets)
    with pytest.raises(UsageError, match="no run of 'nothing'"):
        Ensemble(members=("nothing",)).apply(prices.root_assistant(), prices)
    with pytest.raises(NotApplicable, match="at least two rows"):
        Ensemble().apply(prices.root_assistant("openai:gpt-x"), prices)


def test_a_plan_counts_no_calls_of_rows_without_a_model(prices: Workspace) -> None:
    own = {"seed": 7}  # never fitted
    rows = [Row(id, prices.stage(id, own)) for id in ("baseline:bag_of_words", "baseline:word2vec")]
    planned = estimate(prices, [*rows, Row("ensemble", Ensemble())], "openai:gpt-x")
    assert [one.row for one in planned.rows] == [*(row.id for row in rows), "ensemble"]
    assert planned.calls == 0
    assert planned.left_out == ()
    alone = estimate(prices, [Row("ensemble", Ensemble())], "openai:gpt-x")
    assert alone.rows == ()
    assert "at least two rows" in alone.left_out[0]


def test_stacking_recovers_the_mixture() -> None:
    import numpy as np

    from tailor.prediction.stacking import stacked

    rng = np.random.default_rng(1)
    given = rng.uniform(1, 100, size=(200, 3))
    numbers = (0.7 * given[:, 0] + 0.3 * given[:, 1]).tolist()
    given[0, 0] = math.nan
    texts = [f"text {at}" for at in range(200)]
    found = stacked(texts, given, numbers, Scale(False, 1.0, 100.0), 50.0).all
    assert found.members[0] == pytest.approx(0.7, abs=0.05)
    assert found.members[1] == pytest.approx(0.3, abs=0.05)
    assert found.members[2] == 0


def test_what_was_learnt_is_kept_as_json(tmp_path: Path) -> None:
    one = Learnt("boosting", 20, True, (estimators.Weight("oak", None, 0.25),))
    one.save(tmp_path)
    assert Learnt.load(tmp_path) == one
    assert one.effect(one.weights[0], "vi") == "25,0%"


@pytest.mark.slow
def test_a_regression_head_reads_what_a_local_model_makes_of_a_text(prices: Workspace) -> None:
    from tailor.prediction.regression_head import HeadedModel, states, with_head

    plain = prices.root_assistant()
    headed = with_head(plain, prices)
    model = headed.model.estimator  # type: ignore[attr-defined]
    assert isinstance(model, HeadedModel)
    texts = [q.question for q in prices.benchmark.split("test")][:5]
    alone = [float(headed.answer(text).text) for text in texts]
    assert alone == pytest.approx(model.numbers(texts).tolist(), rel=1e-3)  # padding counts nothing
    assert states(model.model, texts).shape[0] == 5
    assert len(set(alone)) > 1


def test_a_regression_head_needs_numbers_and_a_model_here(
    prices: Workspace, tickets: Workspace
) -> None:
    from tailor.prediction.regression_head import with_head

    for workspace, name in ((tickets, None), (prices, "openai:gpt-x")):
        with pytest.raises(NotApplicable, match=r"fine_tuning\.head"):
            with_head(workspace.root_assistant(name), workspace)
