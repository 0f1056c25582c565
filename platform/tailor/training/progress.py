"""How a training goes, on disk: written by the process that trains, read by everybody else.

One file of JSON lines for each training in ``.tailor/training/``: what is trained, then a line
for each step, then how it ended. A training that goes on after a pause or a kill goes on in its
file. The file stays there, so that past curves can be looked at.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Literal

from tailor.errors import TailorError, first_line
from tailor.redaction import redacted

Status = Literal["running", "complete", "paused", "cancelled", "failed", "interrupted"]
RESUMABLE = ("paused", "failed", "interrupted")
"""What can go on from its newest checkpoint."""


@dataclass(frozen=True)
class Point:
    """Where a training was after a step; None for what was not measured there."""

    step: int
    seconds: float
    """Since the training began."""
    loss: float | None = None
    """Mean cross-entropy of the step's lessons, in nats per token."""
    validation_loss: float | None = None
    """The same of the lessons that are kept back."""
    learning_rate: float | None = None
    tokens_per_second: float | None = None
    memory_bytes: int | None = None
    """The most that was allocated on the device; on the processor what the process holds."""


@dataclass(frozen=True)
class Training:
    """One training, going on or ended."""

    id: str
    started: str
    """ISO 8601, UTC."""
    pid: int
    base: str
    """The model that is trained."""
    settings: Mapping[str, Any]
    lessons: int
    held_out: int
    """How many lessons are kept back for the validation loss."""
    device: str
    """``cpu``, or the name of the GPU."""
    steps: int
    """How many there will be."""
    points: tuple[Point, ...] = ()
    status: Status = "running"
    message: str = ""
    """Why it failed, or why it stopped early."""
    best: int | None = None
    """The step with the lowest validation loss, whose weights are kept; None: the last one's."""
    tokens: int = 0
    """Of all lessons in all epochs, padding left out; 0 where it was not counted."""
    resumed: int | None = None
    """The step from which it went on, where it was ever stopped."""

    @property
    def seconds_left(self) -> float | None:
        """By the pace so far; None before the first step and after the end."""
        if self.status != "running" or not self.points or not self.points[-1].step:
            return None
        last = self.points[-1]
        return last.seconds / last.step * max(0, self.steps - last.step)

    @property
    def curve(self) -> tuple[Mapping[str, float], ...]:
        """Both losses, in order, without what else was measured."""
        losses = (
            {"step": p.step, "loss": p.loss, "validation_loss": p.validation_loss}
            for p in self.points
        )
        return tuple({k: v for k, v in each.items() if v is not None} for each in losses)

    def last(self, name: str) -> Any:
        """The newest value of a figure of `Point`; None where it was never measured."""
        return next((v for p in reversed(self.points) if (v := getattr(p, name)) is not None), None)

    def to_json(self) -> dict[str, Any]:
        """All of it, as JSON values."""
        return {**asdict(self), "seconds_left": self.seconds_left}


class Recorder:
    """Writes one training down as it goes."""

    def __init__(self, file: IO[str], seconds: float = 0.0) -> None:
        self._file = file
        self._before = seconds
        self._began = time.monotonic()
        self.status: Status = "complete"
        """How it will have ended, unless something is raised."""
        self.message = ""
        """Said of the end: why it came early."""

    def steps(self, total: int, tokens: int = 0) -> None:
        """Say how many steps there will be, and how many tokens they take."""
        self._began = time.monotonic()
        self.write({"steps": total, "tokens": tokens})

    def point(self, step: int, **figures: float | None) -> None:
        """Keep the figures of a step, named as in `Point`; those that are no number are dropped."""
        known = {k: v for k, v in figures.items() if v is not None and math.isfinite(v)}
        seconds = self._before + time.monotonic() - self._began
        self.write({"step": step, "seconds": seconds, **known})

    def write(self, line: Mapping[str, Any]) -> None:
        """Append a line, at once visible to other processes."""
        self._file.write(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n")
        self._file.flush()


@contextmanager
def recorded(
    file: Path,
    base: str,
    settings: Mapping[str, Any],
    lessons: int,
    held_out: int,
    device: str,
    resumed: int | None = None,
) -> Iterator[Recorder]:
    """Keep a training in ``file`` as long as the block lasts, and how it ended.

    With ``resumed`` it goes on there after that step.

    Raises:
        TailorError: the file cannot be written.
    """
    about = {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "pid": os.getpid(),
        "base": base,
        "settings": settings,
        "lessons": lessons,
        "held_out": held_out,
        "device": device,
    }
    before = read(file) if resumed is not None else None
    if before is not None:
        about = {"resumed": resumed, "pid": os.getpid(), "status": "running", "message": ""}
    kept = [p for p in before.points if p.step <= (resumed or 0)] if before else []
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        opened = file.open("a" if before else "w", encoding="utf-8")
    except OSError as error:
        raise TailorError(
            f"{file} cannot be written ({error.strerror}); free disk space or permissions, then "
            "run the same command again."
        ) from None
    with opened:
        recorder = Recorder(opened, kept[-1].seconds if kept else 0.0)
        if before is not None:
            opened.write("\n")  # ends a line that was half written when the process was killed
        recorder.write(about)
        with _ending(recorder):
            yield recorder


@contextmanager
def _ending(recorder: Recorder) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        recorder.status = "cancelled"
        raise
    except BaseException as error:
        recorder.status = "failed"
        recorder.message = redacted(first_line(error))[:600]
        raise
    finally:
        # On a full disk the record must not hide what went wrong.
        with suppress(OSError):
            recorder.write({"status": recorder.status, "message": recorder.message})


def trainings(state: Path) -> tuple[Training, ...]:
    """Every training of a workspace (``state`` is its ``.tailor``), the newest first."""
    files = sorted((state / "training").glob("*.jsonl"), reverse=True)
    return tuple(found for file in files if (found := read(file)) is not None)


def read(file: Path) -> Training | None:
    """A training as far as it is written; None where not even its first line is whole."""
    from tailor.run import alive

    lines: list[dict[str, Any]] = []
    try:
        written = file.read_text("utf-8", errors="replace").split("\n")
    except OSError:
        return None
    for line in filter(str.strip, written):
        try:
            lines.append(json.loads(line))
        except ValueError:
            continue  # half written when the process was killed
    points: list[Point] = []
    try:
        training = Training(id=file.stem, steps=0, **lines[0])
        for each in lines[1:]:
            if "step" in each:
                points.append(Point(**each))
                continue
            if "resumed" in each:  # what came after the checkpoint is computed again
                points = [point for point in points if point.step <= each["resumed"]]
            training = replace(training, **each)
    except (IndexError, TypeError):
        return None
    training = replace(training, points=tuple(points))
    if training.status == "running" and not alive(training.pid):
        return replace(training, status="interrupted")
    return training
