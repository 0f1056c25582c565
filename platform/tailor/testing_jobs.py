"""A stand-in for OpenAI's fine-tuning API, behind `tailor.testing.OpenAIServer`.

It keeps files and jobs, checks the rows, trains nothing, and tells of a loss that falls::

    service = FineTuning(states=("queued", "running", "succeeded"))
    with OpenAIServer(lambda messages: "12 days", more=service) as server:
        workspace = Workspace("acme", {"base_url": server.url})
        ...
    assert len(service.files) == 1  # nothing was uploaded twice
    assert len(service.jobs) == 1

Every look at a job takes it to its next state, so that nothing has to be waited for.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tailor.testing import Fault, Request

STATES = ("validating_files", "queued", "running", "running", "running", "succeeded")
"""Of a job that goes well."""
FEWEST = 10
"""Rows that a training file needs."""
_ENDED = ("succeeded", "failed", "cancelled")


@dataclass
class File:
    """An uploaded file."""

    id: str
    name: str
    data: bytes

    def to_json(self) -> dict[str, Any]:
        """As the API tells of it."""
        return {
            "id": self.id, "object": "file", "bytes": len(self.data), "created_at": _now(),
            "filename": self.name, "purpose": "fine-tune", "status": "processed",
        }  # fmt: skip


@dataclass
class TrainingJob:
    """A job; ``states`` are still to come."""

    id: str
    asked: Mapping[str, Any]
    """The body of the request that made it."""
    states: list[str]
    status: str = "validating_files"
    error: Mapping[str, Any] | None = None
    events: list[dict[str, Any]] = field(default_factory=list)
    trained_tokens: int | None = None

    @property
    def model(self) -> str | None:
        """The name of what was made, when it has succeeded."""
        if self.status != "succeeded":
            return None
        return f"ft:{self.asked['model']}:acme:{self.asked.get('suffix') or ''}:{self.id[-4:]}"

    def to_json(self) -> dict[str, Any]:
        """As the API tells of it."""
        return {
            "id": self.id, "object": "fine_tuning.job", "created_at": _now(),
            "model": self.asked["model"], "status": self.status, "error": self.error or {},
            "fine_tuned_model": self.model, "trained_tokens": self.trained_tokens,
            "training_file": self.asked["training_file"],
            "validation_file": self.asked.get("validation_file"), "result_files": [],
            "hyperparameters": {"n_epochs": self._epochs}, "organization_id": "org-acme",
            "seed": self.asked.get("seed", 0), "metadata": self.asked.get("metadata"),
            "finished_at": _now() if self.status in _ENDED else None,
        }  # fmt: skip

    @property
    def _epochs(self) -> int:
        method = self.asked.get("method") or {"type": "supervised"}
        own = method.get(method["type"]) or {}
        return int((own.get("hyperparameters") or {}).get("n_epochs", 3))


class FineTuning:
    """Files, jobs and models of an account.

    Args:
        states: of every job, one for each look at it; the last stays. Any words do.
        failure: the message of a job that ends as ``failed``.
        refusal: why no job is taken from this account; empty: they are.
        trainable: names of models that can be fine-tuned; empty: all.
        shutdown: the day on which all models end, as the list of models tells it.
        marks: whether metadata of jobs is kept, as OpenAI does and others may not.
    """

    def __init__(
        self,
        states: Sequence[str] = STATES,
        failure: str = "The job failed due to an internal error.",
        refusal: str = "",
        trainable: Sequence[str] = (),
        shutdown: str = "",
        marks: bool = True,
    ) -> None:
        self.states = states
        self.failure = failure
        self.refusal = refusal
        self.trainable = trainable
        self.shutdown = shutdown
        self.marks = marks
        self.files: list[File] = []
        """All that were uploaded, also those deleted since."""
        self.deleted: list[str] = []
        """Ids of files."""
        self.jobs: list[TrainingJob] = []
        self._lock = threading.Lock()

    def __call__(self, request: Request) -> Fault | None:
        """The answer to a request; None: there is no such endpoint."""
        url = urlsplit(request.path)
        asked = {name: values[-1] for name, values in parse_qs(url.query).items()}
        parts = url.path.removeprefix("/v1/").split("/")
        with self._lock:
            if parts[0] == "models" and len(parts) == 2:
                return _told({"id": parts[1], "object": "model", "shutdown_date": self.shutdown})
            if parts[0] == "files":
                return self._file(request, parts[1:])
            if parts[:2] == ["fine_tuning", "jobs"]:
                if len(parts) == 2:
                    return self._create(request) if request.method == "POST" else self._list(asked)
                return self._job(parts[2], parts[3:])
        return None

    def _file(self, request: Request, path: Sequence[str]) -> Fault:
        if request.method == "POST":
            name = f"train-{len(self.files)}.jsonl"
            if found := request.body.get("filename"):
                name = str(found)
            self.files.append(File(f"file-{len(self.files)}", name, request.body["file"]))
            return _told(self.files[-1].to_json())
        kept = [file for file in self.files if file.id not in self.deleted]
        if not path:
            return _listed([file.to_json() for file in reversed(kept)])
        if path[0] not in [file.id for file in kept]:
            return _refused(404, f"No such File object: {path[0]}", param="id")
        if request.method == "DELETE":
            self.deleted.append(path[0])
            return _told({"id": path[0], "object": "file", "deleted": True})
        return _told(next(file.to_json() for file in kept if file.id == path[0]))

    def _create(self, request: Request) -> Fault:
        asked = dict(request.body)
        if self.refusal:
            return _refused(403, self.refusal, kind="permission_error")
        if self.trainable and asked["model"] not in self.trainable:
            return _refused(400, f"Model {asked['model']} is not available for fine-tuning or does "
                            "not exist.", code="model_not_available", param="model")  # fmt: skip
        for name in ("training_file", "validation_file"):
            if name in asked and asked[name] not in [file.id for file in self.files]:
                return _refused(
                    400, f"invalid {name}: {asked[name]}", code="invalid_file", param=name
                )
        if not self.marks:
            asked.pop("metadata", None)
        job = TrainingJob(f"ftjob-{len(self.jobs):04}", asked, list(self.states))
        self.jobs.append(job)
        self._happened(job, f"Created fine-tuning job: {job.id}")
        return _told(job.to_json())

    def _list(self, asked: Mapping[str, str]) -> Fault:
        wanted = {
            name.removeprefix("metadata[").removesuffix("]"): value
            for name, value in asked.items()
            if name.startswith("metadata[") and self.marks
        }
        found = [
            job.to_json()
            for job in reversed(self.jobs)
            if wanted.items() <= (job.asked.get("metadata") or {}).items()
        ]
        return _listed(found[: int(asked.get("limit", 20))])

    def _job(self, id: str, path: Sequence[str]) -> Fault:
        job = next((job for job in self.jobs if job.id == id), None)
        if job is None:
            return _refused(404, f"Could not find fine tune: {id}", code="fine_tune_not_found")
        if path == ["events"]:
            return _listed(list(reversed(job.events)))
        if path == ["cancel"]:
            if job.status in _ENDED:
                return _refused(400, f"Job {id} has already completed.")
            job.status, job.states = "cancelled", []
            self._happened(job, "The job has been cancelled")
        elif job.states and job.status not in _ENDED:
            self._next(job)
        return _told(job.to_json())

    def _next(self, job: TrainingJob) -> None:
        """Take the job to its next state, with what happens on the way."""
        data = {file.id: file.data for file in self.files}[job.asked["training_file"]]
        wrong = mistake(data)
        if wrong:
            job.status, job.states = "failed", []
            job.error = {
                "code": "invalid_training_file", "message": wrong, "param": "training_file"
            }  # fmt: skip
            self._happened(job, wrong)
            return
        job.status = job.states.pop(0)
        self._happened(job, f"The job is {job.status}")
        if job.status == "running":
            step = 1 + sum(event["type"] == "metrics" for event in job.events)
            steps = step + job.states.count("running")
            loss = round(3 / (step + 1), 3)
            figures = {"step": step, "total_steps": steps, "train_loss": loss}
            if job.asked.get("validation_file"):
                figures["valid_loss"] = loss + 0.1
            self._happened(job, f"Step {step}/{steps}: training loss={loss}", figures)
        if job.status == "failed":
            job.error = {"code": "server_error", "message": self.failure, "param": None}
        if job.status == "succeeded":
            job.trained_tokens = len(data.decode().split()) * job._epochs
            self._happened(job, f"New fine-tuned model created: {job.model}")

    def _happened(
        self, job: TrainingJob, message: str, figures: Mapping[str, Any] | None = None
    ) -> None:
        event = {
            "id": f"ftevent-{job.id}-{len(job.events)}", "object": "fine_tuning.job.event",
            "created_at": _now(), "level": "info", "message": message,
            "type": "metrics" if figures else "message", "data": figures,
        }  # fmt: skip
        job.events.append(event)


def mistake(data: bytes) -> str:
    """Why the API would refuse these rows, as it says it; empty where it takes them."""
    lines = [line for line in data.split(b"\n") if line.strip()]
    if len(lines) < FEWEST:
        return (
            f"Training file has {len(lines)} example(s), but must have at least {FEWEST} examples"
        )
    for at, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
        except ValueError:
            return f"Invalid file format. Line {at} is not valid JSON."
        said = (row.get("input") or row).get("messages")
        if not said or not all({"role", "content"} <= set(message) for message in said):
            return f"Invalid file format. Example {at} has no messages with role and content."
        preferred = row.get("preferred_output")
        if preferred is None and said[-1]["role"] != "assistant":
            return f"Invalid file format. Example {at} must end with a message of the assistant."
    return ""


def _told(value: Mapping[str, Any]) -> Fault:
    return Fault(body=json.dumps(value, ensure_ascii=False))


def _listed(values: Sequence[Mapping[str, Any]]) -> Fault:
    return _told({"object": "list", "data": list(values), "has_more": False})


def _refused(
    status: int, message: str, kind: str = "invalid_request_error", code: str = "", param: str = ""
) -> Fault:
    error = {"message": message, "type": kind, "param": param or None, "code": code or None}
    return Fault(status, body=json.dumps({"error": error}))


def _now() -> int:
    return int(time.time())
