"""Retrieval tuning in a workspace: matrices of its documents, what was found, and its record."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailor.benchmark import Question
from tailor.documents.passages import Splitter
from tailor.errors import NotApplicable
from tailor.retrieval.configuration import Configuration
from tailor.retrieval.corpus import Corpus
from tailor.retrieval.matrix import Span, WordSearch, matrix
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
    known = judged(workspace, dev)
    if not known:
        raise NotApplicable(
            "retrieval_tuning chooses on dev questions whose evidence is found in the documents, "
            'and there are none: mend the quotes in "evidence" of questions with "split": "dev".'
        )
    taught = judged(workspace, train) if space.rerank else []
    # The plain search is always among what is tried.
    wanted = dict.fromkeys([(plain.splitter, plain.embedder), *chunkings])

    @cache  # of a hosted embedder each question is paid for
    def asked(embedder: str) -> tuple[Asked, Asked]:
        return _asked(workspace, known, embedder), _asked(workspace, taught, embedder)

    def given(splitter: Splitter, embedder: str) -> _Given:
        corpus = Corpus(*workspace.cut(splitter, embedder))
        return _Given(corpus, *asked(embedder), space.searches, plain.candidates)

    made = {chunking: partial(given, *chunking) for chunking in wanted}
    place, job = workspace.place, Job(lambda: _measured)

    def measure(made: _Given, configurations: Sequence[Configuration], limit: int) -> Measured:
        values = made, configurations, limit
        found: Measured = place.away(job, values) if place.cluster else _measured(values)
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
    candidates: int
    """Passages taken from each side."""


Asked = tuple[Sequence[str], "Vector", Sequence[Sequence[Span]]]
"""Questions with their vectors, (questions, dimension), and where their evidence stands."""


def judged(workspace: Workspace, questions: Sequence[Question]) -> list[Question]:
    """Those whose evidence is found in the documents."""
    return [q for q in questions if workspace.spans.get(q.id)]


def _asked(workspace: Workspace, questions: Sequence[Question], embedder: str) -> Asked:
    import numpy as np

    from tailor.documents.embedding import unit

    embeddings = workspace.embedder(embedder)
    vectors = [embeddings.embed_query(q.question) for q in questions]
    spans = [workspace.spans[q.id] for q in questions]
    return [q.question for q in questions], unit(np.array(vectors, dtype=np.float32)), spans


def _measured(given: tuple[_Given, Sequence[Configuration], int]) -> Measured:
    """The matrices of a chunking, and the configurations measured on them."""
    made, configurations, budget = given
    n = made.candidates
    dev = matrix(made.corpus, *made.dev, made.searches, n)
    train = matrix(made.corpus, *made.train, (), n) if made.train[0] else None
    return measured((dev, train), configurations, budget)


def record(found: Search, questions: Sequence[Question]) -> dict[str, Any]:
    """What was tried and what mattered, as JSON; ``questions`` are those it was measured on."""
    learned = found.chosen.reranker
    plain, chosen = (
        dict(zip((q.id for q in questions), one.values.tolist(), strict=True))
        for one in (found.plain, found.chosen)
    )
    return {
        "n": len(found.plain.values),
        "dev": [q.id for q in questions],
        "count": len(found.tried),
        "plain": _line(found, found.plain.configuration, found.plain.mean),
        "chosen": _line(found, found.chosen.configuration, found.chosen.mean),
        "best": _line(found, found.best.configuration, found.best.mean),
        "gain": _gain(questions, plain, chosen),
        "matters": found.matters(),
        "tried": [_line(found, one.configuration, one.mean) for one in found.tried[:_SHOWN]],
        "reranker": learned.to_json() if learned else None,
    }


def asked_record(outcome: Outcome, questions: Sequence[Question]) -> dict[str, Any]:
    """What was tried with the model, as JSON; scores are of the answers to dev questions."""
    plain, chosen = outcome.plain, outcome.chosen
    return {
        "plain": _trial(plain, plain.configuration),
        "chosen": _trial(chosen, plain.configuration),
        "gain": _gain(questions, plain.scores, chosen.scores),
        "tried": [_trial(one, plain.configuration) for one in outcome.tried],
        "calls": outcome.calls,
        "stopped": outcome.stopped,
        "fell_back": outcome.fell_back,
    }


def _gain(
    questions: Sequence[Question], plain: Mapping[str, float], chosen: Mapping[str, float]
) -> dict[str, Any] | None:
    """The difference of the scores by question; questions about one document belong together."""
    from tailor.scoring.groups import groups
    from tailor.scoring.statistics import paired

    both = [q for q in questions if q.id in plain and q.id in chosen]
    gain = paired([plain[q.id] for q in both], [chosen[q.id] for q in both], groups(both))
    if gain is None:
        return None
    return {"delta": gain.delta, "ci95": [gain.low, gain.high], "p": gain.p}


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
    def changes(line: Mapping[str, Any], code: str) -> str:
        """What differs from plain retrieval in a configuration that was tried."""
        values = line["configuration"]
        return ", ".join(f"{name} {_value(values[name], code)}" for name in line["changes"])

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
            changes=self.changes(chosen, code),
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


def _value(value: Any, code: str) -> str:
    from tailor.scoring.format import number

    if isinstance(value, Mapping):  # of a splitter
        return f"{value['size']} ({value['strategy']})"
    return number(value, code) if isinstance(value, float) else str(value)


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
