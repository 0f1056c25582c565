"""The rows without a language model for numbers and labels, fitted on the train items alone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from tailor.assistant import digest
from tailor.errors import NotApplicable
from tailor.prediction import estimators, labels
from tailor.prediction.estimation import Estimation
from tailor.prediction.items import truth
from tailor.prediction.learning import train_items
from tailor.prediction.learnt import ARTIFACT, Learnt
from tailor.prediction.scale import Scale, Wanted
from tailor.prediction.word_vectors import WordVectors, word_vectors

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

    from tailor.benchmark import Question
    from tailor.workspace import Workspace

VERSION = 1
"""Raised when the same settings on the same items give another estimator."""
USUAL = "bag_of_words"
"""The kind where none is named."""


def number_estimation(
    workspace: Workspace, kind: str, wanted: Wanted, vocabulary: int, seed: int
) -> Estimation:
    """The model that estimates numbers in this way.

    Raises:
        NotApplicable: the kind is none for numbers, or there are too few train items.
    """
    own = next((one for one in get_args(estimators.Kind) if one == kind), None)
    if own is None:
        raise _unfit(kind, "number", get_args(estimators.Kind))
    train = [truth(item) for item in workspace.benchmark.split("train")]
    if train and (plain := estimators.constant(own, train, seed)) is not None:
        return Estimation(lambda: plain, digest([VERSION, kind, plain.__dict__]))
    items = train_items(workspace, "baseline")
    texts, numbers = [item.question for item in items], [truth(item) for item in items]
    scale = Scale.of(numbers, wanted)
    if own == "neighbours":
        return _nearest(workspace, items, numbers, scale)

    def build(folder: Path) -> None:
        def vectors() -> WordVectors:
            made = workspace.artifact(
                "word-vectors",
                [VERSION, texts, seed],
                lambda at: word_vectors(texts, seed).save(at),
            )
            return WordVectors.load(made)

        estimator, weights = estimators.fit(own, texts, numbers, scale, vectors, vocabulary, seed)
        estimator.save(folder)
        Learnt(kind, len(items), scale.log, tuple(weights)).save(folder)

    key = [VERSION, kind, texts, numbers, scale.log, vocabulary, seed]
    folder = workspace.artifact(ARTIFACT, key, build)
    return Estimation(partial(estimators.Estimator.load, folder), folder.name)


def _nearest(
    workspace: Workspace, items: Sequence[Question], numbers: Sequence[float], scale: Scale
) -> Estimation:
    from tailor.prediction.neighbours import left_out, neighbours

    known = neighbours(workspace, items)

    def build(folder: Path) -> None:
        best = left_out(known, numbers, scale)
        Learnt("neighbours", len(items), scale.log, k=best.k, weight=best.weight).save(folder)

    key = [VERSION, "neighbours", known.fingerprint, numbers, scale.log]
    folder = workspace.artifact(ARTIFACT, key, build)
    found = Learnt.load(folder)
    values = scale.fitted(numbers)
    made = partial(estimators.Nearest, known, values, scale, found.k, found.weight)
    return Estimation(made, folder.name)


def label_estimation(
    workspace: Workspace, kind: str, encoder: str, vocabulary: int, abstain: float, seed: int
) -> Estimation:
    """The model that chooses labels in this way.

    Raises:
        NotApplicable: the kind is none for labels, or there are too few train items.
        TailorError: the encoder cannot be loaded.
    """
    from tailor.documents.embedding import probe

    own = next((one for one in get_args(labels.Kind) if one == kind), None)
    if own is None:
        raise _unfit(kind, "label", get_args(labels.Kind))
    train = [item.answers[0] for item in workspace.benchmark.split("train")]
    if own == "majority" and train:
        most = labels.majority(train)
        return Estimation(lambda: most, digest([VERSION, kind, most.__dict__, abstain]), abstain)
    items = train_items(workspace, "baseline")
    texts, given = [item.question for item in items], [item.answers[0] for item in items]
    if len(set(given)) < 2:
        raise NotApplicable(
            f"baseline:{kind} tells labels apart, and all train items have the label {given[0]!r}: "
            "add train items with other labels."
        )
    embeddings: Embeddings = workspace.embedder(encoder)

    def build(folder: Path) -> None:
        made, words = labels.fit(own, texts, given, embeddings, vocabulary, seed)
        made.save(folder)
        Learnt(kind, len(items), words=words).save(folder)

    # The probe tells whether the weights in a folder of the same name are still the same.
    read = [round(float(value), 3) for value in probe(embeddings)] if own == "encoder" else []
    key = [VERSION, kind, texts, given, read, vocabulary, seed]
    folder = workspace.artifact(ARTIFACT, key, build)
    made = partial(labels.Classifier.load, folder, embeddings)
    return Estimation(made, digest([folder.name, abstain]), abstain)


def _unfit(kind: str, task: str, kinds: Sequence[str]) -> NotApplicable:
    return NotApplicable(
        f"baseline.kind: {kind!r} is not for task {task}; choose one of {', '.join(kinds)}."
    )
