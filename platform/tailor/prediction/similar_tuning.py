"""Which train items to show: tried on dev without the model first, then with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tailor.assistant import Assistant
from tailor.prediction.items import truth
from tailor.prediction.scale import Scale
from tailor.prediction.similar_tried import SEARCHED, TRIED, Choice, SimilarTuning

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tailor.benchmark import Question
    from tailor.prediction.similar import Similar
    from tailor.workspace import Workspace

    Floats = NDArray[np.float64]


def searched(
    workspace: Workspace,
    dev: Sequence[Question],
    embedders: Sequence[str],
    ks: Sequence[int],
    weights: Sequence[float],
) -> list[Choice]:
    """Every choice with its error on dev, the best first; no model is called.

    Args:
        workspace: gives the train items.
        dev: items to choose on.
        embedders: names; ``""`` is the workspace's own.
        ks: numbers of items.
        weights: shares of the words.
    """
    from tailor.documents.embedding import vectors
    from tailor.prediction.learning import train_items
    from tailor.prediction.neighbours import neighbours, tried

    items = train_items(workspace, "retrieval_tuning")
    found: list[Choice] = []
    texts = [item.question for item in dev]
    for embedder in embedders:
        known = neighbours(workspace, items, embedder)
        asked = vectors(known.embeddings, texts)
        sides = [known.sides(text, own) for text, own in zip(texts, asked, strict=True)]
        each = tried(sides, _error(workspace, items, dev), ks, weights)
        found += [Choice(one.k, one.weight, embedder, one.error) for one in each]
    return sorted(found, key=lambda one: (one.error or 0.0, one.k))


def _error(
    workspace: Workspace, items: Sequence[Question], dev: Sequence[Question]
) -> Callable[[int, Floats, int], float]:
    """The error of what the neighbours of a dev item say."""
    from tailor.prediction.neighbours import off, vote

    if workspace.config.task == "label":
        labels = [item.answers[0] for item in items]
        return lambda at, scores, k: float(vote(scores, labels, k) not in dev[at].answers)
    numbers = [truth(item) for item in items]
    scale = Scale.of(numbers)
    return off(scale.fitted(numbers), scale, [truth(item) for item in dev])


def tune(
    workspace: Workspace,
    assistant: Assistant,
    embedders: Sequence[str],
    ks: Sequence[int],
    weights: Sequence[float],
    trials: int,
    max_calls: int,
) -> Assistant:
    """The assistant with the items shown that did best on dev; what came of it is told in a note.

    Without the model every choice is measured by the neighbours' own estimate. With it the best
    choice for each k is tried, beside what is shown already; that is kept unless another is better.

    Args:
        workspace: gives items and target.
        assistant: answers with each of the choices.
        embedders: further ones to try.
        ks: numbers of items to try.
        weights: shares of the words to try.
        trials: choices tried with the model, at most.
        max_calls: model calls, at most; what is shown already is asked whatever the limit is.

    Raises:
        NotApplicable: there are too few train items, or no dev items.
        TailorError: most items failed, or the provider refuses the calls.
    """
    from tailor.benchmarking.leakage import sift
    from tailor.errors import NotApplicable
    from tailor.scoring.score import METRIC_VERSION

    user = "retrieval_tuning"
    dev = sift(workspace, user, workspace.benchmark.split("dev"), "test")
    if not dev:
        raise NotApplicable(f'{user} chooses on dev items: give some items "split": "dev".')
    own, here = _shown_already(workspace, assistant)
    embedders, ks, weights = (
        list(dict.fromkeys(("", *embedders))),
        sorted({*ks}),
        sorted({*weights}),
    )
    asked = [workspace.benchmark.digest, [item.id for item in dev], here.known.fingerprint]

    def search(folder: Path) -> None:
        found = searched(workspace, dev, embedders, ks, weights)
        (folder / "search.json").write_text(json.dumps([asdict(one) for one in found]), "utf-8")

    folder = workspace.artifact(SEARCHED, [embedders, ks, weights, asked], search)
    found = [Choice(**one) for one in json.loads((folder / "search.json").read_text("utf-8"))]
    each = [next(one for one in found if one.k == k) for k in ks]
    each.sort(key=lambda one: (one.error or 0.0, one.k))
    choices = [own, *(one for one in each[:trials] if _where(one) != _where(own))]
    assistants = [_showing(workspace, assistant, here, one) for one in choices]
    key = [METRIC_VERSION, asked, [one.fingerprint for one in assistants], max_calls]
    tried = workspace.artifact(
        TRIED, key,
        lambda at: _ask(workspace, list(zip(choices, assistants, strict=True)), dev, max_calls, at),
    )  # fmt: skip
    record = json.loads((tried / "trials.json").read_text("utf-8"))
    if workspace.note:
        workspace.note(SimilarTuning.of(found, record).sentence(workspace.target, "en"))
    return assistants[int(record["kept"])]


def _where(choice: Choice) -> tuple[int, float, str]:
    return choice.k, choice.weight, choice.embedder


def _shown_already(workspace: Workspace, assistant: Assistant) -> tuple[Choice, Similar]:
    """What the assistant shows; where it shows nothing, what retrieval shows by default."""
    from tailor.prediction.similar import Similar, similar

    here = assistant.retriever
    if not isinstance(here, Similar):
        here = similar(workspace, "retrieval_tuning", k=4, weight=0.5)
    return Choice(here.k, here.weight, here.known.embedder, None), here


def _showing(workspace: Workspace, assistant: Assistant, here: Similar, one: Choice) -> Assistant:
    from tailor.prediction.neighbours import neighbours
    from tailor.prediction.similar import told

    known = neighbours(workspace, here.known.items, one.embedder)
    shown = here.model_copy(update={"known": known, "k": one.k, "weight": one.weight})
    form = assistant.format
    form = replace(form, instruction=told(form.instruction, shown.kind))
    return replace(assistant, retriever=shown, format=form)


def _ask(
    workspace: Workspace,
    assistants: Sequence[tuple[Choice, Assistant]],
    dev: Sequence[Question],
    max_calls: int,
    folder: Path,
) -> None:
    """Try on dev, and write down which is kept: of those in a tie the one of fewest tokens."""
    from tailor.trial import simplest, try_on

    trials = []
    most = max(1, min(len(assistants), max_calls // len(dev)))
    for at, (choice, assistant) in enumerate(assistants[:most], 1):
        what = f"Showing {choice.k} similar items"
        trials.append(try_on(assistant, dev, what, workspace.target))
        if workspace.progress:
            workspace.progress("try with the model", at, most)
    tried = [
        asdict(replace(choice, score=trial.mean))
        for (choice, _), trial in zip(assistants, trials, strict=False)
    ]
    record = {"kept": simplest(trials), "n": len(dev), "tried": tried}
    (folder / "trials.json").write_text(json.dumps(record), "utf-8")
