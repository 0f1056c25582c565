"""What is known of the questions that were served: `tailor monitor` and the page Monitor."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tailor.errors import TailorError
from tailor.monitoring.drift import Drift, drift
from tailor.monitoring.online import Measure, measures
from tailor.monitoring.relevance import Retrieved, retrieved
from tailor.monitoring.topics import Topic, topics
from tailor.monitoring.traffic import Traffic, by_day, traffic
from tailor.serving import kept
from tailor.text import language

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tailor.run import Run
    from tailor.serving.kept import Feedback, Served
    from tailor.workspace import Workspace

DAYS = 30.0
"""That are looked at."""
LAST = 5000
"""Questions that are read and compared, the last ones; counted are all."""


@dataclass(frozen=True)
class Monitored:
    """The served questions of a time."""

    days: float
    served: tuple[Served, ...]
    """The last ``LAST`` at most, the oldest first; all but ``all`` and ``by_day`` is of them."""
    feedback: dict[str, Feedback]
    """The last thing somebody said of an answer, by its id."""
    all: Traffic
    by_day: tuple[Traffic, ...]
    run: Run | None
    """Of the row that answered last; None where it was not run."""
    retrieved: Retrieved | None
    """None where that row was not run, or finds no passages."""
    drift: Drift | None
    """None where there is no benchmark."""
    unanswered: tuple[Topic, ...]
    """What was refused, disliked, or found nothing fitting; places are those in ``served``."""
    measures: tuple[Measure, ...]

    def to_json(self) -> dict[str, Any]:
        """What ``tailor monitor --json`` prints; questions only where they are unanswered."""
        weak = self.retrieved
        return {
            "schema_version": 1,
            "days": self.days,
            "read": len(self.served),
            "traffic": asdict(self.all),
            "by_day": [asdict(day) for day in self.by_day],
            "served": None
            if self.run is None
            else {"row": self.run.row, "model": self.run.model, "run": self.run.id},
            "feedback": {
                rating: sum(one.rating == rating for one in self.feedback.values())
                for rating in ("up", "down")
            },
            "retrieval": None
            if weak is None
            else {"limit": weak.limit, "weak": weak.weak and asdict(weak.weak)},
            "drift": None
            if self.drift is None
            else {
                "limit": self.drift.limit,
                "far": self.drift.far and asdict(self.drift.far),
                "drifted": self.drift.drifted,
                "languages": {
                    name: {"benchmark": own, "served": now}
                    for name, (own, now) in self.drift.languages.items()
                },
            },
            "unanswered": [
                {
                    "words": list(topic.words),
                    "questions": [
                        {"id": self.served[at].id, "question": self.served[at].question}
                        for at in topic.questions
                    ],
                }
                for topic in self.unanswered
            ],
            "measures": [
                {
                    "name": one.name,
                    "benchmark": one.benchmark and asdict(one.benchmark),
                    "online": one.online and asdict(one.online),
                    "differs": one.differs,
                }
                for one in self.measures
            ],
        }


def monitor(workspace: Workspace, days: float = DAYS) -> Monitored:
    """Look at what was served in these last days; asks no model.

    Questions are compared by the shipped encoder, whatever the embedder is: it costs nothing.
    """
    since = time.time() - 86400 * days
    served = kept.served(workspace, since, LAST)
    counted = kept.ended(workspace, since)
    said = {one.id: one for one in kept.feedbacks(workspace)}
    said = {one.id: said[one.id] for one in served if one.id in said}
    run = _run(workspace, served)
    vectors = _vectors(workspace, [one.question for one in served])
    found = _retrieved(workspace, served, run)
    open_ = [at for at, one in enumerate(served) if _unanswered(one, said.get(one.id), found)]
    return Monitored(
        days=days,
        served=served,
        feedback=said,
        all=traffic(counted),
        by_day=by_day(counted),
        run=run,
        retrieved=found,
        drift=_drift(workspace, served, vectors),
        unanswered=topics([one.question for one in served], vectors, open_),
        measures=measures(served, said, run) if run and served else (),
    )


def _run(workspace: Workspace, served: Sequence[Served]) -> Run | None:
    """The run of the row that answered last."""
    from tailor.run import all_runs

    last = next((one.run for one in reversed(served) if one.run), "")
    return next((run for run in all_runs(workspace) if run.id == last), None)


def _retrieved(workspace: Workspace, served: Sequence[Served], run: Run | None) -> Retrieved | None:
    own = [one for one in served if run and one.run == run.id and one.outcome != "error"]
    if run is None or not any(one.passages for one in own) or workspace.generation is None:
        return None
    return retrieved(own, run, workspace.index().rarity)


def _unanswered(one: Served, said: Feedback | None, found: Retrieved | None) -> bool:
    if said is not None:
        return said.rating == "down"
    return one.outcome == "refused" or (found is not None and found.is_weak(one.id))


def _drift(
    workspace: Workspace, served: Sequence[Served], vectors: NDArray[np.float32]
) -> Drift | None:
    try:
        questions = workspace.benchmark.questions
    except TailorError:
        return None
    known = _vectors(workspace, [q.question for q in questions])
    return drift(questions, known, [language(one.question) for one in served], vectors)


def _vectors(workspace: Workspace, texts: Sequence[str]) -> NDArray[np.float32]:
    """Unit vectors, (texts, dimension)."""
    import numpy as np

    found = workspace.embedder("shipped").embed_documents(list(texts))
    return np.array(found, dtype=np.float32)
