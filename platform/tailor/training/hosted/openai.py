"""Training jobs at OpenAI, and at any server with the same API (``base_url``)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tailor.config import Config
from tailor.errors import NotApplicable, TailorError
from tailor.models.retry import error_kind
from tailor.training.hosted.service import CANCELLED, FAILED, Event, Job, Order

if TYPE_CHECKING:
    import openai
    from openai.types.fine_tuning import FineTuningJob

CLOSED = date(2027, 1, 6)
"""From this day OpenAI takes no self-serve jobs at all (its notice of 7 May 2026)."""
INSTEAD = (
    "Train on a machine with a GPU instead (`tailor export job`), or a model that lies here "
    "(`--model huggingface:PATH` with fine_tuning.where = here)"
)
_MARK = "tailor"
"""Key of a job's metadata that holds the order's key."""
_LOOKED_AT = 200
"""Newest files and jobs among which earlier ones of ours are looked for."""
_NO_FILE = "file-tailor-asks-whether-jobs-are-taken"
_STEP = re.compile(r"[Ss]tep (\d+)(?:/(\d+))?")
_LOSS = re.compile(r"(?<!validation )(?<!valid )\b(?:training )?loss[=: ]+([0-9.eE+-]+)")
_VALIDATION = re.compile(r"valid(?:ation)? loss[=: ]+([0-9.eE+-]+)")


@dataclass(frozen=True)
class OpenAIJobs:
    """The fine-tuning API, https://platform.openai.com/docs/api-reference/fine-tuning."""

    config: Config

    @property
    def host(self) -> str:
        """Of ``base_url``, else OpenAI's own."""
        return urlsplit(self.config.base_url).netloc.rpartition("@")[2] or "api.openai.com"

    @cached_property
    def _client(self) -> openai.OpenAI:
        from openai import OpenAI

        from tailor.models.provider import openai_access

        access: dict[str, Any] = dict(openai_access("fine-tuning at OpenAI", self.config))
        # One retry layer, around this class: two would multiply the waiting.
        return OpenAI(**access, timeout=self.config.timeout, max_retries=0)

    def probe(self, base: str, today: date | None = None) -> str:
        """See `Service.probe`: asks for the model, the list of jobs, and a job without a file.

        The last is refused in any case: with a word about the file where jobs are taken from this
        account, with another where they are not.
        """
        day = today or datetime.now(UTC).date()
        if self.host == "api.openai.com" and day >= CLOSED:
            raise NotApplicable(
                "OpenAI takes no fine-tuning jobs since 6 January 2027, and this one would not "
                f"begin. {INSTEAD}."
            )
        ends = self._ends(base)
        with self._told("list jobs"):
            list(islice(self._client.fine_tuning.jobs.list(limit=1), 1))
        self._ask_without_a_file(base)
        return ends

    def file(self, name: str, data: bytes) -> str:
        """See `Service.file`; the purpose is ``fine-tune``."""
        with self._told("take the data"):
            for known in islice(self._listed_files(), _LOOKED_AT):
                if (known.filename, known.bytes) == (name, len(data)) and known.status != "error":
                    return str(known.id)
            return self._client.files.create(file=(name, data), purpose="fine-tune").id

    def start(self, order: Order, training_file: str, validation_file: str) -> Job:
        """See `Service.start`; the order's key goes into the job's metadata."""
        hyperparameters: dict[str, Any] = {"n_epochs": order.epochs}
        if order.beta is not None and order.method == "dpo":
            hyperparameters["beta"] = order.beta
        method = {"type": order.method, order.method: {"hyperparameters": hyperparameters}}
        more = {"validation_file": validation_file} if validation_file else {}
        with self._told("take the job"):
            for known in islice(self._listed_jobs(order.key), _LOOKED_AT):
                if _same(known, order, training_file):
                    return _job(known)
            return _job(
                self._client.fine_tuning.jobs.create(
                    model=order.base,
                    training_file=training_file,
                    method=method,  # type: ignore[arg-type]
                    seed=order.seed,
                    suffix="tailor",
                    metadata={_MARK: order.key},
                    **more,  # type: ignore[arg-type]
                )
            )

    def look(self, job: str) -> Job:
        """See `Service.look`."""
        with self._told(f"tell of the job {job}"), _unknown_passes():
            return _job(self._client.fine_tuning.jobs.retrieve(job))
        return Job(job, FAILED, error="the service does not know this job any more")

    def events(self, job: str) -> tuple[Event, ...]:
        """See `Service.events`; the figures stand in an event's data, else in its words."""
        found: list[Event] = []  # and stays so at a server that tells of none
        with self._told(f"tell of the job {job}"), _unknown_passes():
            told = self._client.fine_tuning.jobs.list_events(job, limit=100)
            found = [_event(each) for each in told]
        found.reverse()  # the newest comes first, and a second is all that tells when
        return tuple(sorted(found, key=lambda event: event.at))

    def cancel(self, job: str) -> Job:
        """See `Service.cancel`."""
        with self._told(f"cancel the job {job}"):
            return _job(self._client.fine_tuning.jobs.cancel(job))

    def forget(self, file: str) -> None:
        """See `Service.forget`."""
        with self._told("delete the data"), _unknown_passes():
            self._client.files.delete(file)

    def _ends(self, base: str) -> str:
        """When the model will be shut down, where the service tells."""
        try:
            model: Any = self._client.models.retrieve(base)
        except Exception as error:  # of the client or of its transport; see `error_kind`
            if _code(error) == "model_not_found":
                raise NotApplicable(
                    f"{self.host} has no model {base!r}: name one that it fine-tunes with "
                    "`--model openai:NAME`."
                ) from None
            if error_kind(error) in ("auth", "quota") or _transient(error):
                with self._told("tell of its models"):
                    raise
            return ""  # a server without a list of models
        return str(getattr(model, "shutdown_date", None) or "")

    def _ask_without_a_file(self, base: str) -> None:
        try:
            made = self._client.fine_tuning.jobs.create(model=base, training_file=_NO_FILE)
        except Exception as error:  # of the client or of its transport
            if getattr(error, "param", None) == "model":
                raise self._not_the_model(base, error) from None
            if _closed(error):
                raise self._not_taken(error) from None
            if error_kind(error) in ("auth", "quota") or _transient(error):
                with self._told("take a job"):
                    raise
            return
        self.cancel(made.id)  # a server that looks at the file later

    def _listed_files(self) -> Iterator[Any]:
        """Of the service; none where it keeps no list."""
        with _unknown_passes():
            yield from self._client.files.list(purpose="fine-tune", limit=100)

    def _listed_jobs(self, key: str) -> Iterator[FineTuningJob]:
        with _unknown_passes():
            yield from self._client.fine_tuning.jobs.list(limit=100, metadata={_MARK: key})

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """Errors that will not pass, as sentences; others as they are, to be tried again."""
        try:
            yield
        except TailorError:
            raise
        except Exception as error:  # of the client or of its transport
            if _transient(error):
                raise
            if _closed(error):
                raise self._not_taken(error) from None
            said = _message(error)
            kind = error_kind(error)
            if kind == "auth":
                raise NotApplicable(
                    f"{self.host} refuses the key ({said}): set the environment variable "
                    "OPENAI_API_KEY to a valid one."
                ) from None
            if kind == "quota":
                raise NotApplicable(
                    f"The account at {self.host} has no money left ({said}): see to its billing. "
                    f"{INSTEAD}."
                ) from None
            if kind == "not_found" and what == "list jobs":
                raise NotApplicable(
                    f"The server at {self.host} takes no fine-tuning jobs ({said}). {INSTEAD}."
                ) from None
            raise TailorError(
                f"{self.host} does not {what} ({said}); mend that, then run the same command again."
            ) from None

    def _not_taken(self, error: Exception) -> NotApplicable:
        return NotApplicable(
            f"{self.host} takes no fine-tuning jobs from this account ({_message(error)}). OpenAI "
            "closes them: new accounts since 7 May 2026, those that did not use a tuned model for "
            f"60 days since 2 July 2026, all from 6 January 2027. {INSTEAD}."
        )

    def _not_the_model(self, base: str, error: Exception) -> NotApplicable:
        return NotApplicable(
            f"{self.host} does not fine-tune {base} ({_message(error)}): name a model that it does "
            f"with `--model openai:NAME`. {INSTEAD}."
        )


@contextmanager
def _unknown_passes() -> Iterator[None]:
    """What the service does not know, or not any more, is no error."""
    try:
        yield
    except Exception as error:  # of the client or of its transport; see `error_kind`
        if error_kind(error) != "not_found":
            raise


def _job(told: FineTuningJob) -> Job:
    error = told.error
    where = f" ({error.param})" if error and error.param else ""
    return Job(
        told.id,
        str(told.status),
        told.fine_tuned_model or "",
        f"{error.message or error.code}{where}" if error and (error.message or error.code) else "",
        told.trained_tokens,
    )


def _same(known: FineTuningJob, order: Order, training_file: str) -> bool:
    """Whether this is the order's job; a server that keeps no metadata is told by the data."""
    if str(known.status) in (FAILED, CANCELLED):
        return False
    marks = getattr(known, "metadata", None)
    if isinstance(marks, Mapping) and _MARK in marks:
        return bool(marks[_MARK] == order.key)
    return known.training_file == training_file and known.model == order.base


def _event(told: Any) -> Event:
    data = told.data if isinstance(told.data, Mapping) else {}
    message = str(told.message or "")
    step = _STEP.search(message)
    return Event(
        id=str(told.id),
        at=int(told.created_at or 0),
        message=message,
        step=_whole(data.get("step"), step and step[1]),
        steps=_whole(data.get("total_steps"), step and step[2]),
        loss=_number(data.get("train_loss"), _LOSS.search(message)),
        validation_loss=_number(
            data.get("full_valid_loss", data.get("valid_loss")), _VALIDATION.search(message)
        ),
    )


def _whole(told: Any, said: str | None) -> int | None:
    value = said if told is None else told
    try:
        return None if value is None else int(value)
    except (TypeError, ValueError):
        return None


def _number(told: Any, said: re.Match[str] | None) -> float | None:
    import math

    value = told if told is not None else (said[1] if said else None)
    try:
        number = float(value) if value is not None else math.nan
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _transient(error: Exception) -> bool:
    return error_kind(error) in ("rate_limit", "timeout", "connection", "server")


def _code(error: Exception) -> str:
    return str(getattr(error, "code", None) or "")


def _closed(error: Exception) -> bool:
    """Whether the account may not train: 403, or words to that effect."""
    if getattr(error, "status_code", None) == 403:
        return True
    words = _message(error).lower()
    if getattr(error, "status_code", None) not in (400, 401, 404) or "fine-tun" not in words:
        return False
    return any(w in words for w in ("no longer", "not available", "not allowed", "wound down"))


def _message(error: Exception) -> str:
    """What the server said, on one line, without keys."""
    from tailor.redaction import redacted

    body = getattr(error, "body", None)
    said = body.get("message") if isinstance(body, Mapping) else None
    return redacted(" ".join(str(said or error).split()))[:300].rstrip(".")
