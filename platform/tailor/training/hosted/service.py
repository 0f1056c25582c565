"""What a place that trains models for others can do, in plain values.

A provider of such jobs is one class with the methods of `Service`; `openai.py` has the first.
Whatever it raises besides `TailorError` is tried again where `tailor.models.retry` says so, so
each method must be safe to call twice: `file` and `start` find what is there before they make it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

Method = Literal["supervised", "dpo"]

SUCCEEDED, FAILED, CANCELLED = "succeeded", "failed", "cancelled"
ENDED = (SUCCEEDED, FAILED, CANCELLED)
"""The states after which nothing changes; any other, known or not, goes on."""


@dataclass(frozen=True)
class Order:
    """What is to be trained."""

    key: str
    """Digest of base, data and settings: by it the job is known again, at the service too."""
    base: str
    """The model's name at the service."""
    method: Method
    epochs: int
    seed: int
    beta: float | None = None
    """Of DPO: how closely the model stays to what it was; None: the service decides."""


@dataclass(frozen=True)
class Job:
    """A job as the service tells of it."""

    id: str
    status: str
    """The service's own word."""
    model: str = ""
    """The name of what was made; empty until it succeeded."""
    error: str = ""
    trained_tokens: int | None = None
    """That are billed; None where the service has not told."""


@dataclass(frozen=True)
class Event:
    """Something that happened to a job; figures are None where it tells none."""

    id: str
    at: int
    """Seconds since 1970."""
    message: str
    step: int | None = None
    steps: int | None = None
    """How many there will be."""
    loss: float | None = None
    """Mean cross-entropy of the step's rows, in nats per token."""
    validation_loss: float | None = None


class Service(Protocol):
    """A place that trains models."""

    @property
    def host(self) -> str:
        """Who gets the data: shown before anything is sent."""

    def probe(self, base: str) -> str:
        """Find out whether it would take a job for this model, without making one.

        Returns the day on which it shuts the model down, ISO 8601; empty where it tells of none.

        Raises:
            NotApplicable: it would not; the sentence says what to do instead.
        """

    def file(self, name: str, data: bytes) -> str:
        """The id of the uploaded file; sent only where none of its name and size is there."""

    def start(self, order: Order, training_file: str, validation_file: str) -> Job:
        """The job of this order: that which was begun before and has not failed, else a new one."""

    def look(self, job: str) -> Job:
        """The job as it is now."""

    def events(self, job: str) -> tuple[Event, ...]:
        """What happened so far, in order."""

    def cancel(self, job: str) -> Job:
        """End the job."""

    def forget(self, file: str) -> None:
        """Delete an uploaded file; one that is gone already is no error."""
