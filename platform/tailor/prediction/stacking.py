"""Stacking (Wolpert 1992): one number out of the numbers that several rows give."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langchain_core.runnables import Runnable, RunnableConfig

from tailor.assistant import Answer, Ask, Assistant, Prompt, Reply, digest
from tailor.prediction.estimation import shown
from tailor.prediction.scale import Scale
from tailor.spending import Use

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tailor.run import Run

    Floats = NDArray[np.float64]

ARTIFACT = "stack"
"""The kind of the artifacts that hold one."""
FOLDS = 5
TOWARDS_MEAN = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
"""How strongly weights are drawn towards the plain mean of all members, as so many items."""
MATTERS = 0.05
"""Share of all weights below which a member is left out: asking it would cost more than it adds."""


@dataclass(frozen=True)
class Weights:
    """What each member counts, on the scale; none is below 0 (Breiman 1996)."""

    members: tuple[float, ...]
    constant: float

    def value(self, given: Floats) -> Floats:
        """(n, members) on the scale to (n,)."""
        import numpy as np

        found: Floats = given @ np.array(self.members) + self.constant
        return found


def fitted(given: Floats, truth: Floats, scale: Scale) -> Weights:
    """Least squares with weights of 0 or more, drawn towards the mean of all members.

    How strongly is chosen by cross-validation, by the absolute error. Members that say the same of
    every item, or that hardly count, get no weight.

    Args:
        given: what the members say, on the scale, (n, members).
        truth: on the scale, (n,).
        scale: that both are on.
    """
    import numpy as np

    from tailor.prediction.heads import folds

    numbers = scale.numbers(truth)

    def error(strength: float) -> float:
        return sum(
            float(np.abs(
                scale.numbers(_solved(given[known], truth[known], strength).value(given[left_out]))
                - numbers[left_out]
            ).sum())
            for known, left_out in folds(len(truth), 0)
        )  # fmt: skip

    strength = min(TOWARDS_MEAN, key=error)
    first = np.array(_solved(given, truth, strength).members)
    return _solved(np.where(first < MATTERS * first.sum(), 0.0, given), truth, strength)


def _solved(given: Floats, truth: Floats, strength: float) -> Weights:
    import numpy as np
    from scipy.optimize import nnls

    varying = np.ptp(given, axis=0) > 0
    weights = np.zeros(given.shape[1])
    middle, goal = given.mean(axis=0), float(truth.mean())
    if count := int(varying.sum()):
        pull = np.sqrt(strength * given[:, varying].var(axis=0).mean())
        rows = np.vstack([(given - middle)[:, varying], pull * np.eye(count)])
        wanted = np.concatenate([truth - goal, np.full(count, pull / count)])
        weights[varying], _ = nnls(rows, wanted)
    return Weights(tuple(weights.tolist()), goal - float(middle @ weights))


def fold_of(text: str) -> int:
    """The part of dev that a text is in, by its content."""
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) % FOLDS


@dataclass(frozen=True)
class Stack:
    """Weights fitted on all of dev, and for each part of dev those fitted on the rest of it."""

    scale: Scale
    usual: float
    """Counts for a member that gives no number: the best constant."""
    all: Weights
    without: tuple[Weights, ...]

    def weights(self, text: str, dev: bool) -> Weights:
        """For a text; one of dev has had no part in its weights, so that its score is honest."""
        return self.without[fold_of(text)] if dev else self.all

    def save(self, folder: Path, runs: Sequence[Run]) -> None:
        """Write it with the rows that are its members, and the ids of their runs."""
        named = {"rows": [run.row for run in runs], "runs": [run.id for run in runs]}
        text = json.dumps({**named, **asdict(self)}, ensure_ascii=False)
        (folder / "stack.json").write_text(text, "utf-8")

    @classmethod
    def load(cls, folder: Path) -> Stack:
        """Read what :meth:`save` wrote."""
        value = json.loads((folder / "stack.json").read_text("utf-8"))
        every = [Weights(tuple(own["members"]), own["constant"])
                 for own in (value["all"], *value["without"])]  # fmt: skip
        return cls(Scale(**value["scale"]), value["usual"], every[0], tuple(every[1:]))


def members(folder: Path) -> tuple[str, ...]:
    """The ids of the runs that a stack in this folder adds up."""
    return tuple(json.loads((folder / "stack.json").read_text("utf-8"))["runs"])


def stacked(texts: Sequence[str], given: Floats, numbers: Sequence[float], scale: Scale,
            usual: float) -> Stack:  # fmt: skip
    """Fit on dev: once on all, and once without each of its parts.

    Args:
        texts: of the dev items.
        given: what the members say, as numbers, (n, members); NaN where one says none.
        numbers: the truth.
        scale: on which the members are added up.
        usual: counts where a member says none.
    """
    import numpy as np

    rows = ready(given, scale, usual)
    truth = scale.fitted(np.clip(numbers, scale.low, scale.high).tolist())
    parts = np.array([fold_of(text) for text in texts])
    without = tuple(
        fitted(rows[parts != part], truth[parts != part], scale) for part in range(FOLDS)
    )
    return Stack(scale, usual, fitted(rows, truth, scale), without)


def ready(given: Floats, scale: Scale, usual: float) -> Floats:
    """Numbers of members on the scale, within its range; the usual one where there is none."""
    import numpy as np

    known = np.clip(np.where(np.isnan(given), usual, given), scale.low, scale.high)
    return scale.fitted(known.ravel().tolist()).reshape(given.shape)


class Stacking(Runnable[Prompt, Reply]):
    """Adds up what its members answer: their stored answers, or new ones where there is none."""

    def __init__(self, stack: Stack, members: Sequence[Run], dev: Mapping[str, str]) -> None:
        self.stack = stack
        self.members = tuple(members)
        self.dev = dev
        """The texts of dev, whose weights are those fitted without them."""

    @property
    def fingerprint(self) -> str:
        """Content hash of the weights and of the members that have one."""
        counted = [run.fingerprint for run in self.members]
        return digest([asdict(self.stack), counted, sorted(self.dev)])

    @cached_property
    def _assistants(self) -> dict[int, Assistant]:
        return {}

    def invoke(self, input: Prompt, config: RunnableConfig | None = None, **_: Any) -> Reply:
        """The number, with the tokens, time and cost of the members that count for it."""
        import numpy as np

        started = time.monotonic()
        weights = self.stack.weights(input.question, input.question in self.dev)
        ask = Ask(input.question, input.history, input.repeat)
        given = np.full((1, len(self.members)), np.nan)
        answers: list[Answer] = []
        waited = 0.0
        for at, weight in enumerate(weights.members):
            if weight > 0:
                before = time.monotonic()
                answers.append(self._answer(at, ask, config))
                waited += time.monotonic() - before
                if answers[-1].outcome == "ok":
                    given[0, at] = float(answers[-1].text)
        scale = self.stack.scale
        value = scale.numbers(weights.value(ready(given, scale, self.stack.usual)))[0]
        used = sum((Use(1, a.input_tokens, a.output_tokens, a.cost_usd) for a in answers), Use())
        return Reply(
            shown(float(value)),
            input_tokens=used.input_tokens,
            output_tokens=used.output_tokens,
            seconds=sum(a.seconds for a in answers) + time.monotonic() - started - waited,
            cost_usd=used.usd,
            calls=tuple(key for a in answers for key in a.calls or ((a.call,) if a.call else ())),
        )

    def _answer(self, at: int, ask: Ask, config: RunnableConfig | None) -> Answer:
        run = self.members[at]
        stored = run.workspace.answers.answer(run.fingerprint, ask.key, ask.repeat)
        if stored is not None and stored.outcome != "error":
            return stored
        if at not in self._assistants:
            self._assistants[at] = run.assistant()
        found: Answer = self._assistants[at].chain().invoke(ask, config)
        return found
