"""What a row cost: its answers, its judge, and what was made for it before it could answer."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailor.spending import Spending, Use

if TYPE_CHECKING:
    from tailor.answers import Fact
    from tailor.config import Price
    from tailor.run import Run

FILE = "cost.jsonl"
"""In an artifact's folder: what making it took. Its ending keeps it out of an adapter's digest."""


@dataclass(frozen=True)
class Made:
    """What making an artifact took."""

    seconds: float
    """Wall time."""
    device: str
    """``cpu``, or the name of the GPU."""
    use: Use
    """Of the model's replies that it used; those in the store before are counted, too."""


@dataclass(frozen=True)
class Spent:
    """What a row cost so far, in US dollars; None where it is not known."""

    answers: int
    """Answers to dev and test questions, repeats included, errors left out."""
    input_tokens: int
    output_tokens: int
    answers_usd: float | None
    """By tokens; with ``gpu_hour_usd`` also the hours in which a local model answered."""
    answer_hours: float | None
    """In which a local model of this row answered; 0 for hosted ones, None where not recorded."""
    judge_usd: float | None
    """Of the stored verdicts on its answers; 0 where there are none."""
    training_hours: float | None
    """In which this machine trained and tuned for it, the rows it builds on included."""
    training_usd: float | None
    """Of these hours, and of the model calls that tuning made."""

    @property
    def per_answer_usd(self) -> float | None:
        """Of one answer, without training and judge."""
        if self.answers_usd is None or not self.answers:
            return None
        return self.answers_usd / self.answers

    @property
    def per_1000_usd(self) -> float | None:
        """Of 1,000 questions, without training and judge."""
        one = self.per_answer_usd
        return None if one is None else 1000 * one

    @property
    def total_usd(self) -> float | None:
        """Everything; what rows share is in the total of each."""
        return total((self.answers_usd, self.judge_usd, self.training_usd))

    def to_json(self) -> dict[str, Any]:
        """The fields, and what is computed from them."""
        computed = {
            "per_answer_usd": self.per_answer_usd,
            "per_1000_usd": self.per_1000_usd,
            "total_usd": self.total_usd,
        }
        return {**asdict(self), **computed}


def spent(run: Run) -> Spent:
    """What a row's run cost; reads no answer's text.

    An answer costs what it cost when it was given; where its price was not known then, today's
    price counts.
    """
    from tailor.models.provider import is_local
    from tailor.prices import price

    config = run.workspace.config
    facts = [
        fact
        for repeat in range(run.repeats)
        for fact in run.facts(repeat=repeat).values()
        if fact.outcome != "error"
    ]
    now = None if run.imported else price(run.model, config)
    local = is_local(run.model) and (not run.imported or bool(run.origin))
    hours = (run.state().seconds / 3600 or None) if local else 0.0
    by_tokens = total(_usd(fact, now) for fact in facts)
    made = _made(run)
    return Spent(
        answers=len(facts),
        input_tokens=sum(fact.input_tokens for fact in facts),
        output_tokens=sum(fact.output_tokens for fact in facts),
        answers_usd=total((by_tokens, _of_hours(hours, config.gpu_hour_usd)))
        if config.gpu_hour_usd is not None
        else by_tokens,
        answer_hours=hours,
        judge_usd=_judge(run),
        training_hours=_training_hours(made, local),
        training_usd=_training_usd(made, local, config.gpu_hour_usd),
    )


@contextmanager
def timed(folder: Path, spending: Spending) -> Iterator[None]:
    """Write into the folder what the block took: its time, its device, its model calls."""
    started, uses = time.monotonic(), spending.uses
    yield
    use = spending.since(uses)
    line = {"seconds": round(time.monotonic() - started, 3), "device": _device(), **asdict(use)}
    (folder / FILE).write_text(json.dumps(line) + "\n", "utf-8")


def made(folder: Path) -> Made | None:
    """What making the artifact in a folder took; None where that was not recorded."""
    try:
        line = json.loads((folder / FILE).read_text("utf-8"))
        seconds, device = float(line.pop("seconds")), str(line.pop("device"))
        return Made(seconds, device, Use(**line))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _made(run: Run) -> list[Made] | None:
    """Of all artifacts of the row and the rows it builds on; None where one is not known."""
    if run.artifacts is None:
        return None
    found = [made(run.workspace.state / "artifacts" / name) for name in run.artifacts]
    known = [one for one in found if one is not None]
    return known if len(known) == len(found) else None


def _training_hours(made: list[Made] | None, local: bool) -> float | None:
    if made is None:
        return None
    # Tuning with a hosted model waits for its provider; this machine does next to nothing.
    return sum(one.seconds for one in made) / 3600 if local else 0.0


def _training_usd(made: list[Made] | None, local: bool, gpu_hour_usd: float | None) -> float | None:
    if made is None:
        return None
    hours = _of_hours(_training_hours(made, local), gpu_hour_usd)
    return total((hours, *(one.use.usd for one in made)))


def _of_hours(hours: float | None, gpu_hour_usd: float | None) -> float | None:
    if hours == 0:
        return 0.0
    return None if hours is None or gpu_hour_usd is None else hours * gpu_hour_usd


def _usd(fact: Fact, now: Price | None) -> float | None:
    if fact.cost_usd is not None or now is None:
        return fact.cost_usd
    return (fact.input_tokens * now.input + fact.output_tokens * now.output) / 1e6


def _judge(run: Run) -> float | None:
    from tailor.run import SPLITS
    from tailor.scoring.judging import votes

    said = votes(run, run.workspace.benchmark.split(*SPLITS))
    return total(vote.get("cost_usd") for own in said.values() for vote in own)


def total(amounts: Iterable[float | None]) -> float | None:
    """The sum; None where one is not known."""
    known = list(amounts)
    return None if None in known else sum((a for a in known if a is not None), 0.0)


def _device() -> str:
    torch = sys.modules.get("torch")  # where nothing loaded it, nothing ran on a GPU
    if torch is not None and torch.cuda.is_available():
        return str(torch.cuda.get_device_name())
    return "cpu"
