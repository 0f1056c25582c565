"""A hosted job on disk: kept from before its data is sent, so that a restart goes on with it.

One JSON file for each job in ``.tailor/training/hosted/``, replaced as a whole at every change.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tailor.moment import moment
from tailor.newer import of_json
from tailor.training.hosted.service import ENDED, SUCCEEDED, Event, Job
from tailor.training.progress import Point

PREPARING = "preparing"
"""The status before the service has the job."""

VERSION = 1
"""Of a record's file; raised when an older Tailor would misread it."""


@dataclass(frozen=True)
class HostedJob:
    """A job at a service, as far as it is known here."""

    id: str
    """By which the workspace knows it: when it was begun, and a piece of its key."""
    key: str
    """Digest of base, data and settings."""
    started: str
    """ISO 8601, UTC."""
    host: str
    """Who has the data."""
    base: str
    """The model's name at the service."""
    method: str
    epochs: int
    lessons: int
    held_out: int
    tokens: int
    """To be trained on, about: those of the lessons times the epochs."""
    cost_usd: float | None
    """Foreseen; from the service's own count where it has told one. None: no known price."""
    training_file: str = ""
    """Its id at the service, as the next two; empty before it is there and when it is deleted."""
    validation_file: str = ""
    job: str = ""
    status: str = PREPARING
    """The service's own word."""
    model: str = ""
    """The name of what was made; empty until it succeeded."""
    error: str = ""
    trained_tokens: int | None = None
    looked: str = ""
    """When the service was last asked: ISO 8601, UTC."""
    events: tuple[Event, ...] = ()

    @property
    def ended(self) -> bool:
        """Whether nothing will change any more."""
        return self.status in ENDED

    @property
    def steps(self) -> int:
        """How many there will be; 0 as long as the service has not told."""
        return max((event.steps or 0 for event in self.events), default=0)

    @property
    def points(self) -> tuple[Point, ...]:
        """The curve, as a training on this machine has one."""
        told = [event for event in self.events if event.step is not None]
        told = [e for e in told if e.loss is not None or e.validation_loss is not None]
        first = told[0].at if told else 0
        return tuple(
            Point(e.step or 0, float(e.at - first), e.loss, e.validation_loss) for e in told
        )

    def last(self, name: str) -> Any:
        """The newest value of a figure of `Point`; None where the service has told none."""
        return next((v for p in reversed(self.points) if (v := getattr(p, name)) is not None), None)

    def with_job(self, job: Job, price: float | None = None) -> HostedJob:
        """The record after the service has told of its job; ``price`` per million tokens."""
        trained, cost = job.trained_tokens, self.cost_usd
        if job.status in ENDED and trained is not None and price is not None:
            cost = trained * price / 1e6
        return replace(
            self, job=job.id, status=job.status, model=job.model, error=job.error,
            trained_tokens=trained, cost_usd=cost, looked=_now(),
        )  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        """All of it, as JSON values."""
        return {
            **asdict(self),
            "events": [asdict(event) for event in self.events],
            "ended": self.ended,
            "steps": self.steps,
            "points": [asdict(point) for point in self.points],
        }


def begun(state: Path, key: str, **told: Any) -> HostedJob:
    """A new record, not yet on disk; ``state`` is the workspace's ``.tailor``."""
    id = f"{moment(file.stem for file in _home(state).glob('*.json'))}-{key[:8]}"
    return HostedJob(id=id, key=key, started=_now(), **told)


def keep(state: Path, job: HostedJob) -> HostedJob:
    """Write the record; ``state`` is the workspace's ``.tailor``."""
    from filelock import FileLock

    from tailor.run import write_json

    values = {**asdict(job), "events": [asdict(event) for event in job.events]}
    home = _home(state)
    home.mkdir(parents=True, exist_ok=True)
    with FileLock(home / "records.lock"):  # who waits for a job and who cancels it both write
        write_json(home / f"{job.id}.json", {"schema_version": VERSION, **values})
    return job


def hosted_jobs(state: Path) -> tuple[HostedJob, ...]:
    """Every hosted job of a workspace, the newest first; what cannot be read is left out.

    Raises:
        NewerVersion: a newer version of Tailor wrote one of them.
    """
    found = []
    for file in sorted(_home(state).glob("*.json"), reverse=True):
        try:
            found.append(_read(of_json(json.loads(file.read_text("utf-8")), VERSION, file)))
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            continue
    return tuple(found)


def known_job(state: Path, key: str) -> HostedJob | None:
    """The newest job of this key that goes on or has succeeded; None where there is none."""
    return next(
        (
            job
            for job in hosted_jobs(state)
            if job.key == key and (not job.ended or job.status == SUCCEEDED)
        ),
        None,
    )


def _read(told: Mapping[str, Any]) -> HostedJob:
    names = {f.name for f in fields(HostedJob)} - {"events"}
    values = {name: value for name, value in told.items() if name in names}
    return HostedJob(**values, events=tuple(Event(**event) for event in told["events"]))


def _home(state: Path) -> Path:
    return state / "training" / "hosted"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
