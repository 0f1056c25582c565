"""How a training goes, on disk: written by the process that trains, read by everybody else.

One file of JSON lines for each training in ``.tailor/training/``: what is trained, then a line
for each step, then how it ended. It stays there, so that past curves can be looked at.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Literal

from tailor.errors import TailorError

Status = Literal["running", "complete", "cancelled", "failed", "interrupted"]


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

    @property
    def seconds_left(self) -> float | None:
        """By the pace so far; None before the first step and after the end."""
        if self.status != "running" or not self.points or not self.points[-1].step:
            return None
        last = self.points[-1]
        return last.seconds / last.step * max(0, self.steps - last.step)

    def last(self, name: str) -> Any:
        """The newest value of a figure of `Point`; None where it was never measured."""
        return next((v for p in reversed(self.points) if (v := getattr(p, name)) is not None), None)

    def to_json(self) -> dict[str, Any]:
        """All of it, as JSON values."""
        return {**asdict(self), "seconds_left": self.seconds_left}


class Recorder:
    """Writes one training down as it goes."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._began = time.monotonic()
        self.message = ""
        """Said of the end: why it came early."""

    def steps(self, total: int) -> None:
        """Say how many steps there will be."""
        self._began = time.monotonic()
        self.write({"steps": total})

    def point(self, step: int, **figures: float | None) -> None:
        """Keep the figures of a step, named as in `Point`; those that are no number are dropped."""
        known = {k: v for k, v in figures.items() if v is not None and math.isfinite(v)}
        self.write({"step": step, "seconds": time.monotonic() - self._began, **known})

    def write(self, line: Mapping[str, Any]) -> None:
        """Append a line, at once visible to other processes."""
        self._file.write(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n")
        self._file.flush()


@contextmanager
def recorded(
    folder: Path,
    base: str,
    settings: Mapping[str, Any],
    lessons: int,
    held_out: int,
    device: str,
) -> Iterator[Recorder]:
    """Keep a training in ``folder`` as long as the block lasts, and how it ended.

    Raises:
        TailorError: the folder cannot be written.
    """
    began = datetime.now(UTC)
    about = {
        "started": began.isoformat(timespec="seconds"),
        "pid": os.getpid(),
        "base": base,
        "settings": settings,
        "lessons": lessons,
        "held_out": held_out,
        "device": device,
    }
    file = folder / f"{began:%Y%m%dT%H%M%S%f}-{os.getpid()}.jsonl"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        opened = file.open("w", encoding="utf-8")
    except OSError as error:
        raise TailorError(
            f"{file} cannot be written ({error.strerror}); free disk space or permissions, then "
            "run the same command again."
        ) from None
    with opened:
        recorder = Recorder(opened)
        recorder.write(about)
        with _ending(recorder):
            yield recorder


@contextmanager
def _ending(recorder: Recorder) -> Iterator[None]:
    status, message = "complete", ""
    try:
        yield
    except KeyboardInterrupt:
        status = "cancelled"
        raise
    except BaseException as error:
        status = "failed"
        message = (str(error).strip() or type(error).__name__).splitlines()[0][:300]
        raise
    finally:
        recorder.write({"status": status, "message": message or recorder.message})


def trainings(state: Path) -> tuple[Training, ...]:
    """Every training of a workspace (``state`` is its ``.tailor``), the newest first."""
    files = sorted((state / "training").glob("*.jsonl"), reverse=True)
    return tuple(found for file in files if (found := read(file)) is not None)


def read(file: Path) -> Training | None:
    """A training as far as it is written; None where not even its first line is whole."""
    from tailor.run import alive

    lines: list[dict[str, Any]] = []
    try:
        for line in file.read_text("utf-8", errors="replace").splitlines():
            lines.append(json.loads(line))
    except OSError:
        return None
    except ValueError:
        pass  # the last line, half written when the process was killed
    try:
        training = Training(id=file.stem, steps=0, **lines[0])
        for each in lines[1:]:
            training = _with(training, each)
    except (IndexError, TypeError):
        return None
    points = tuple(Point(**each) for each in lines[1:] if "step" in each)
    training = replace(training, points=points)
    if training.status == "running" and not alive(training.pid):
        return replace(training, status="interrupted")
    return training


def _with(training: Training, line: Mapping[str, Any]) -> Training:
    return training if "step" in line else replace(training, **line)
