"""From lessons to the name of a tuned model, by way of a service that is paid for it.

What is paid is never lost or paid again: the record is on disk before anything is sent, the id of
the job at once after, and what the service has already is found there before it is sent or begun.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tailor.errors import TailorError, UsageError
from tailor.models.retry import NEVER, error_text, retried
from tailor.training.hosted.prepared import PROVIDER, HostedSettings, Lessons, Prepared, prepare
from tailor.training.hosted.record import HostedJob, begun, hosted_jobs, keep, known_job
from tailor.training.hosted.service import SUCCEEDED, Service

if TYPE_CHECKING:
    from tailor.config import Config
    from tailor.workspace import Workspace

FILE = "model.json"
"""In the artifact's folder: the name of the model and the record of its job."""
SOONEST, LATEST = 0.25, 30.0
"""Seconds between two looks at a job; each wait is longer than the one before."""

T = TypeVar("T")


def trained(
    workspace: Workspace,
    base: str,
    train: Lessons,
    validation: Lessons,
    settings: HostedSettings,
) -> str:
    """The name, ``openai:…``, of the model that the service made of ``base`` from these lessons.

    Waits until the job has ended, which can take hours; killed at any moment and called again, it
    goes on with the same job. A job that was made before costs nothing again.

    Raises:
        NotApplicable: the service takes no such job from this account.
        UsageError: there is a limit of cost, and a price is not known.
        BudgetReached: the job would cost more than is left of the limit.
        TailorError: the rows are not such that a service would take them, or the job failed.
    """
    guard = workspace.guard("dev", "test")
    known = (*workspace.benchmark.split("train"), *workspace.training)
    prepared = prepare(base, train, validation, settings, workspace.config, guard, known)
    key = prepared.order.key
    if not workspace.artifact_folder("hosted", key).is_dir() and workspace.foreseen is not None:
        tuned = f"{PROVIDER}ft:{prepared.order.base}"
        workspace.foreseen.append((tuned, prepared.cost_usd))

    def build(folder: Path) -> None:
        job = _ended(workspace, prepared)
        told = {"model": PROVIDER + job.model, "job": job.to_json()}
        (folder / FILE).write_text(json.dumps(told, ensure_ascii=False) + "\n", "utf-8")

    folder = workspace.artifact("hosted", key, build)
    return str(json.loads((folder / FILE).read_text("utf-8"))["model"])


def service(config: Config) -> Service:
    """The service that tailor.toml names: OpenAI, or the server at ``base_url``."""
    from tailor.training.hosted.openai import OpenAIJobs

    return OpenAIJobs(config)


def probe(workspace: Workspace, base: str) -> str:
    """Whether the service takes jobs for ``base`` (``openai:NAME``) from this account.

    Returns the day on which it shuts the model down, ISO 8601; empty where it tells of none.

    Raises:
        NotApplicable: it does not; the sentence says what to do instead.
        TailorError: it cannot be reached.
    """
    config = workspace.config
    asked = service(config)
    return _again(config, asked, lambda: asked.probe(base.removeprefix(PROVIDER)))


def refreshed(workspace: Workspace, job: HostedJob) -> HostedJob:
    """The record with what the service tells now; one that has ended is not asked about.

    Raises:
        TailorError: the service cannot be reached, or refuses.
    """
    if job.ended or not job.job:
        return job
    return _looked(workspace, service(workspace.config), job)


def cancel(workspace: Workspace, id: str = "") -> HostedJob:
    """End a job at its service: the one of this id, else the only one that goes on.

    Raises:
        UsageError: there is no such job.
        TailorError: the service cannot be reached, or refuses.
    """
    known = hosted_jobs(workspace.state)
    open_ = [job for job in known if not job.ended]
    found = [job for job in known if id in (job.id, job.job)] if id else open_
    if len(found) != 1:
        told = ", ".join(job.id for job in open_) or "none"
        raise UsageError(f"Say which hosted job to cancel; those that go on are: {told}.")
    (job,) = found
    if job.ended:
        return job
    asked = service(workspace.config)
    if not job.job:  # never begun: nothing there to end
        return keep(workspace.state, replace(job, status="cancelled"))
    _again(workspace.config, asked, lambda: asked.cancel(job.job))
    return _looked(workspace, asked, job)


def _ended(workspace: Workspace, prepared: Prepared) -> HostedJob:
    """The job of this order when it has succeeded; begun where it was not yet."""
    asked = service(workspace.config)
    job = known_job(workspace.state, prepared.order.key)
    if job is not None and job.job:
        job = _looked(workspace, asked, job)
    if job is None or not job.job or (job.ended and job.status != SUCCEEDED):
        job = _begun(workspace, asked, prepared, job)
    job = _waited(workspace, asked, job)
    if job.status != SUCCEEDED:
        why = f" ({job.error})" if job.error else ""
        raise TailorError(
            f"The training at {job.host} ended as {job.status}{why}: mend what it says, then run "
            "the same command again, which begins a new job."
        )
    from tailor.spending import Use

    tokens = job.tokens if job.trained_tokens is None else job.trained_tokens
    workspace.spending.used(Use(0, tokens, 0, job.cost_usd))
    return job


def _begun(
    workspace: Workspace, asked: Service, prepared: Prepared, known: HostedJob | None
) -> HostedJob:
    """Send the data and begin the job, within what may be spent; kept on disk at each step."""
    config, order, state = workspace.config, prepared.order, workspace.state
    _affordable(workspace, prepared)
    ends = _again(config, asked, lambda: asked.probe(order.base))
    job = known if known is not None and not known.ended else None
    job = job or begun(
        state, order.key, host=asked.host, base=order.base, method=order.method,
        epochs=order.epochs, lessons=prepared.lessons, held_out=prepared.held_out,
        tokens=prepared.tokens, cost_usd=prepared.cost_usd,
    )  # fmt: skip
    keep(state, job)
    if ends:
        _say(workspace, shut_down(order.base, ends))
    _say(workspace, _sending(job))
    with workspace.spending.charged(prepared.cost_usd, NEVER) as charge:
        charge.usd = 0.0
        name = f"tailor-{order.key[:16]}"
        file = _again(config, asked, lambda: asked.file(f"{name}-train.jsonl", prepared.train))
        job = keep(state, replace(job, training_file=file))
        if prepared.validation:
            file = _again(
                config, asked, lambda: asked.file(f"{name}-validation.jsonl", prepared.validation)
            )
            job = keep(state, replace(job, validation_file=file))
        files = job.training_file, job.validation_file
        made = _again(config, asked, lambda: asked.start(order, *files))
        charge.usd = prepared.cost_usd or 0.0
        return keep(state, job.with_job(made))


def shut_down(base: str, day: str) -> str:
    """The sentence about the end of a model."""
    return f"The service shuts {base}, and what is made of it, down on {day}."


def _affordable(workspace: Workspace, prepared: Prepared) -> None:
    from tailor.prices import price

    if workspace.spending.limit is None:
        return
    name, tuned = (f"{PROVIDER}{mark}{prepared.order.base}" for mark in ("", "ft:"))
    if prepared.price is None:
        raise UsageError(
            f"What training {name} costs is not known, so no limit can be kept: write "
            f'[prices."{name}"] with input, output and training, US dollars per million tokens, '
            "into tailor.toml, or run without --max-cost."
        )
    if price(tuned, workspace.config) is None:
        raise UsageError(
            "What the tuned model will cost is not known, so no limit can be kept: write "
            f'[prices."{tuned}"] with input and output, US dollars per million tokens, into '
            "tailor.toml, or run without --max-cost."
        )


def _sending(job: HostedJob) -> str:
    from tailor.scoring.format import count, usd

    cost = "at a price that is not known" if job.cost_usd is None else f"about {usd(job.cost_usd)}"
    return (
        f"Sent to {job.host} to train on: {count(job.lessons)} lessons and {count(job.held_out)} "
        f"kept back (train questions with their answers and passages); about {count(job.tokens)} "
        f"tokens in {job.epochs} epochs, {cost}."
    )


def _waited(workspace: Workspace, asked: Service, job: HostedJob) -> HostedJob:
    """Look at the job until it has ended; what happens is told on the way."""
    pause, status = SOONEST, ""
    try:
        while not job.ended:
            if status != job.status:
                _say(workspace, f"{job.host}: the job {job.job} is {job.status}.")
            status = job.status
            time.sleep(pause)
            pause = min(LATEST, pause * 1.3)
            job = _looked(workspace, asked, job)
            if workspace.progress is not None and job.steps:
                done = max((event.step or 0 for event in job.events), default=0)
                workspace.progress("train", done, job.steps)
    except KeyboardInterrupt:
        _say(
            workspace,
            f"The job {job.job} goes on at {job.host}: the same command waits for it again, and "
            f"`tailor training cancel {job.id}` ends it.",
        )
        raise
    return job


def _looked(workspace: Workspace, asked: Service, job: HostedJob) -> HostedJob:
    """Ask the service, and keep what it says; data of a job that has ended is deleted there."""
    from tailor.prices import training_price

    config = workspace.config
    told = _again(config, asked, lambda: asked.look(job.job))
    events = _again(config, asked, lambda: asked.events(job.job))
    price = training_price(PROVIDER + job.base, config)
    job = keep(workspace.state, replace(job.with_job(told, price), events=events))
    if job.ended and (files := [f for f in (job.training_file, job.validation_file) if f]):
        for file in files:
            _forget(config, asked, file)
        job = keep(workspace.state, replace(job, training_file="", validation_file=""))
    return job


def _forget(config: Config, asked: Service, file: str) -> None:
    try:
        _again(config, asked, lambda: asked.forget(file))
    except TailorError:
        return  # what was made counts; the data can be deleted by hand


def _again(config: Config, asked: Service, ask: Callable[[], T]) -> T:
    """What ``ask`` returns, tried again after errors that may pass.

    Raises:
        TailorError: it would not pass, or did not.
    """
    try:
        return retried(ask, config.retries)
    except TailorError:
        raise
    except Exception as error:  # each service's client raises its own
        raise TailorError(
            f"{asked.host} cannot be reached ({error_text(error)}); run the same command again "
            "later: what is there already is not sent or paid twice."
        ) from None


def _say(workspace: Workspace, sentence: str) -> None:
    if workspace.note is not None:
        workspace.note(sentence)
