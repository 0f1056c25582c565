"""Retrieval tuning in a workspace: matrices of its documents, what was found, and its record."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailor.benchmark import Question
from tailor.errors import NotApplicable
from tailor.retrieval.configuration import Configuration
from tailor.retrieval.matrix import Corpus, Span, WordSearch, matrix
from tailor.retrieval.reranker import Reranker
from tailor.retrieval.search import Chunking, Measured, Search, Space, measured, search
from tailor.scale.place import Job

if TYPE_CHECKING:
    from tailor.documents.embedding import Vector
    from tailor.retrieval.trials import Outcome, Trial
    from tailor.workspace import Workspace

_SHOWN = 40
"""Configurations that the record lists, the best ones."""


@dataclass(frozen=True)
class Tuned:
    """The configuration that was chosen, with its reranker where it has one."""

    configuration: Configuration
    reranker: Reranker | None

    @classmethod
    def read(cls, folder: Path) -> Tuned:
        """What :func:`record` wrote."""
        value = json.loads((folder / "search.json").read_text("utf-8"))
        learned = value["reranker"]
        return cls(
            Configuration.from_json(value["chosen"]["configuration"]),
            Reranker.from_json(learned) if learned else None,
        )


def tune(
    workspace: Workspace,
    dev: Sequence[Question],
    train: Sequence[Question],
    plain: Configuration,
    chunkings: Sequence[Chunking],
    space: Space,
    budget: int,
) -> Search:
    """Search over the workspace's documents by the dev questions whose evidence is found.

    Raises:
        NotApplicable: there is no such question.
    """
    judged = [q for q in dev if workspace.spans.get(q.id)]
    if not judged:
        raise NotApplicable(
            "retrieval_tuning chooses on dev questions whose evidence is found in the documents, "
            'and there are none: mend the quotes in "evidence" of questions with "split": "dev".'
        )
    taught = [q for q in train if workspace.spans.get(q.id)] if space.rerank else []
    # The plain search is always among what is tried.
    wanted = dict.fromkeys([(plain.splitter, plain.embedder), *chunkings])
    made = {
        chunking: partial(_corpus, workspace, chunking, judged, taught, space.searches)
        for chunking in wanted
    }
    place, job = workspace.place, Job(lambda: _measured)

    def measure(corpus: _Given, configurations: Sequence[Configuration], limit: int) -> Measured:
        given = corpus, configurations, limit
        found: Measured = place.away(job, given) if place.cluster else _measured(given)
        return found

    width = place.width(job)
    return search(made, plain, space, budget, told=workspace.progress, measure=measure, width=width)


@dataclass(frozen=True)
class _Given:
    """What the matrices of a chunking are made of; only values, so that it can travel."""

    corpus: Corpus
    dev: Asked
    train: Asked
    searches: Sequence[WordSearch]


Asked = tuple[Sequence[str], "Vector", Sequence[Sequence[Span]]]
"""Questions with their vectors, (questions, dimension), and where their evidence stands."""


def _corpus(
    workspace: Workspace,
    chunking: Chunking,
    dev: Sequence[Question],
    train: Sequence[Question],
    searches: Sequence[WordSearch],
) -> _Given:
    import numpy as np

    from tailor.documents.embedding import unit

    splitter, embedder = chunking
    corpus = Corpus(*workspace.cut(splitter, embedder))
    embeddings = workspace.embedder(embedder)

    def asked(questions: Sequence[Question]) -> Asked:
        vectors = [embeddings.embed_query(q.question) for q in questions]
        spans = [workspace.spans[q.id] for q in questions]
        return [q.question for q in questions], unit(np.array(vectors, dtype=np.float32)), spans

    return _Given(corpus, asked(dev), asked(train), searches)


def _measured(given: tuple[_Given, Sequence[Configuration], int]) -> Measured:
    """The matrices of a chunking, and the configurations measured on them."""
    made, configurations, budget = given
    dev = matrix(made.corpus, *made.dev, made.searches)
    train = matrix(made.corpus, *made.train, ()) if made.train[0] else None
    return measured((dev, train), configurations, budget)


def record(found: Search, questions: Sequence[Question]) -> dict[str, Any]:
    """What was tried and what mattered, as JSON."""
    from tailor.scoring.statistics import paired

    gain = paired(found.plain.values.tolist(), found.chosen.values.tolist())
    learned = found.chosen.reranker
    return {
        "n": len(found.plain.values),
        "dev": [q.id for q in questions],
        "count": len(found.tried),
        "plain": _line(found, found.plain.configuration, found.plain.mean),
        "chosen": _line(found, found.chosen.configuration, found.chosen.mean),
        "best": _line(found, found.best.configuration, found.best.mean),
        "gain": gain and {"delta": gain.delta, "ci95": [gain.low, gain.high], "p": gain.p},
        "matters": found.matters(),
        "tried": [_line(found, one.configuration, one.mean) for one in found.tried[:_SHOWN]],
        "reranker": learned.to_json() if learned else None,
    }


def asked_record(outcome: Outcome) -> dict[str, Any]:
    """What was tried with the model, as JSON; scores are of the answers to dev questions."""
    from tailor.scoring.statistics import paired

    plain, chosen = outcome.plain, outcome.chosen
    common = [id for id in plain.scores if id in chosen.scores]
    gain = paired([plain.scores[id] for id in common], [chosen.scores[id] for id in common])
    return {
        "plain": _trial(plain, plain.configuration),
        "chosen": _trial(chosen, plain.configuration),
        "gain": gain and {"delta": gain.delta, "ci95": [gain.low, gain.high], "p": gain.p},
        "tried": [_trial(one, plain.configuration) for one in outcome.tried],
        "calls": outcome.calls,
        "stopped": outcome.stopped,
        "fell_back": outcome.fell_back,
    }


def _trial(one: Trial, plain: Configuration) -> dict[str, Any]:
    return {
        "configuration": one.configuration.to_json(),
        "changes": sorted(one.configuration.changes(plain)),
        "score": one.mean,
        "n": len(one.scores),
        "complete": one.complete,
    }


@dataclass(frozen=True)
class Tuning:
    """What retrieval tuning tried, what mattered and what it gained, as its records say."""

    search: Mapping[str, Any]
    """Without a model: see :func:`record`."""
    asked: Mapping[str, Any]
    """With the model: see :func:`asked_record`."""

    @staticmethod
    def changes(line: Mapping[str, Any]) -> str:
        """What differs from plain retrieval in a configuration that was tried."""
        values = line["configuration"]
        return ", ".join(f"{name} {_value(values[name])}" for name in line["changes"])

    def sentence(self, code: str) -> str:
        """What came of it, in a sentence; ``code`` is ``en`` or ``vi``."""
        from tailor.scoring.format import count, percent, points

        chosen, gain = self.asked["chosen"], self.asked["gain"]
        kept = not chosen["changes"]
        if gain:
            low, high = (points(end, code) for end in gain["ci95"])
            told = f"{points(gain['delta'], code)} ({low} {_TO[code]} {high})"
        else:
            told = "–"
        words = _SENTENCES[code, kept]
        return words.format(
            count=count(self.search["count"], code),
            trials=count(len(self.asked["tried"]), code),
            plain=percent(self.search["plain"]["quality"], code),
            best=percent(self.search["chosen"]["quality"], code),
            changes=self.changes(chosen),
            gain=told,
            n=count(self.asked["plain"]["n"], code),
        )


_TO = {"en": "to", "vi": "đến"}
_SENTENCES: Mapping[tuple[str, bool], str] = {
    ("en", False): "{count} ways of finding passages were measured without the model (evidence "
    "ranked {plain} plainly, {best} by the best choice) and {trials} with it; chosen: {changes}; "
    "answers on {n} dev questions {gain} against plain retrieval.",
    ("en", True): "{count} ways of finding passages were measured without the model (evidence "
    "ranked {plain} plainly, {best} by the best choice) and {trials} with it; none answered {n} "
    "dev questions clearly better, and plain retrieval was kept.",
    ("vi", False): "Đã đo {count} cách tìm đoạn mà không hỏi mô hình (xếp hạng bằng chứng: {plain} "
    "với cách thường, {best} với cách tốt nhất) và {trials} cách có hỏi; cách được chọn: "
    "{changes}; câu trả lời trên {n} câu dev: {gain} so với cách tìm thường.",
    ("vi", True): "Đã đo {count} cách tìm đoạn mà không hỏi mô hình (xếp hạng bằng chứng: {plain} "
    "với cách thường, {best} với cách tốt nhất) và {trials} cách có hỏi; không cách nào trả lời "
    "{n} câu dev tốt hơn rõ rệt, nên cách tìm thường được giữ lại.",
}


def _value(value: Any) -> str:
    if isinstance(value, Mapping):  # of a splitter
        return f"{value['size']} ({value['strategy']})"
    return str(value)


def read(workspace: Workspace, artifacts: Sequence[str]) -> Tuning | None:
    """What the newest tuning among these artifacts recorded; None where there was none."""
    found: dict[str, Any] = {}
    for name in artifacts:
        if name.startswith("similar-"):  # of items; see `tailor.prediction.similar_tried`
            continue
        for file in ("search.json", "trials.json"):
            path = workspace.state / "artifacts" / name / file
            if path.is_file():
                found[file] = json.loads(path.read_text("utf-8"))
    if len(found) < 2:
        return None
    return Tuning(found["search.json"], found["trials.json"])


def _line(found: Search, configuration: Configuration, quality: float) -> dict[str, Any]:
    changes: Mapping[str, Any] = configuration.changes(found.plain.configuration)
    return {
        "configuration": configuration.to_json(),
        "changes": sorted(changes),
        "quality": quality,
    }
