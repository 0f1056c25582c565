"""Recordings of meetings: how each becomes two documents, its transcript and its minutes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tailor.assistant import digest
from tailor.documents.document import Document, Unread, content_hash
from tailor.documents.meeting import clock, minutes_document, transcript_document
from tailor.documents.refusal import Refused
from tailor.errors import TailorError

if TYPE_CHECKING:
    from tailor.answers import AnswerStore, Call
    from tailor.config import Config
    from tailor.documents.minutes import Writer
    from tailor.models.transcriber import Transcript

SUFFIXES = frozenset({".flac", ".m4a", ".mp3", ".wav"})
"""Of file names, in lower case."""

Progress = Callable[[str, int, int], None]

_VERSION = 1
"""Raised when the same transcript or minutes give other documents."""
_AGAIN = "it is tried again at the next `tailor ingest`"


class Unfinished(Exception):
    """Something outside the recording failed, so it is read again at the next ingestion.

    ``documents`` are there already and stay; where there are none, the recording is refused with
    ``reason``, which is for people.
    """

    def __init__(self, reason: str, documents: Sequence[Document | Unread] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.documents = tuple(documents)


class Recordings(Protocol):
    """Writes recordings down; what it has paid for it keeps."""

    @property
    def fingerprint(self) -> str:
        """Kept with each document; a recording with another one is read again."""

    def __call__(self, path: Path, relative: str) -> Sequence[Document | Unread]:
        """The documents ``relative/transcript`` and, where they could be written, ``…/minutes``.

        Raises:
            Refused: the file at ``path`` is no recording that can be read, or nobody speaks.
            Unfinished: to be called again at the next ingestion, with the same fingerprint.
        """


class Meetings:
    """Transcripts by a transcriber, minutes by the chat model, both kept in the answer store.

    Args:
        store: called when the first recording is written down.
        progress: told how many pieces of a recording are written down.
    """

    def __init__(
        self, config: Config, store: Callable[[], AnswerStore], progress: Progress | None = None
    ) -> None:
        from tailor.models.transcriber import transcriber

        self._config = config
        self._transcriber = transcriber(config.transcriber, config)
        self._open = store
        self._progress = progress
        self._down = ""
        self._unwritten = ""

    @cached_property
    def _store(self) -> AnswerStore:
        return self._open()

    @cached_property
    def _writer(self) -> Writer:
        from tailor.documents.minutes import Writer

        return Writer.of(self._config, self._store)

    @property
    def fingerprint(self) -> str:
        """Changes with the transcriber, and when minutes can be written for the first time.

        Another chat model does not write minutes anew: documents must not change with the model
        that is measured on them.
        """
        return digest([_VERSION, self._transcriber.fingerprint, can_write(self._config.model)])

    def __call__(self, path: Path, relative: str) -> list[Document | Unread]:
        """See `Recordings`."""
        sha256 = content_hash(path)
        heard = self._heard(path, sha256)
        if not heard.segments:
            raise Refused("nobody speaks in it", "empty")
        note = f"transcribed by {self._transcriber.name}"
        transcript = transcript_document(heard, relative, sha256, note)
        if not transcript.text:
            raise Refused("nobody speaks in it", "empty")
        key = digest({"minutes": _VERSION, "transcript": transcript.text})
        known = self._store.call(key)
        if known is None and not can_write(self._config.model):
            note += "; for minutes, set model in tailor.toml to one that can write them"
            return [replace(transcript, note=note)]
        if known is None:
            known = self._written(heard, transcript, relative, key)
        from tailor.documents.minutes import Minutes

        written = Minutes.read(known.reply)
        by = str(known.request["model"])
        return [transcript, minutes_document(written, by, heard.seconds, transcript)]

    def _heard(self, path: Path, sha256: str) -> Transcript:
        from tailor.documents.audio import decoded
        from tailor.models.transcriber import kept, transcribe

        transcript = kept(sha256, self._transcriber, self._store)
        if transcript is not None:
            return transcript
        with decoded(path) as samples:
            if self._down:
                raise Unfinished(self._down)
            try:
                return transcribe(
                    samples, sha256, self._transcriber, self._store, self._told("transcribing")
                )
            except Exception as error:  # every server and model has its own
                reason = f"not transcribed: {_reason(error)}; {_AGAIN}"
                self._down = reason if _concerns_all(error) else ""
                raise Unfinished(reason) from error

    def _told(self, step: str) -> Callable[[int, int], None] | None:
        progress = self._progress
        return None if progress is None else lambda done, total: progress(step, done, total)

    def _written(self, heard: Transcript, transcript: Document, relative: str, key: str) -> Call:
        """The minutes as they are kept, whichever model wrote them."""
        from tailor.answers import Call

        reason = self._unwritten
        if not reason:
            lines = [f"[{clock(segment.start)}] {segment.text}" for segment in heard.segments]
            begun = time.monotonic()
            try:
                minutes = self._writer.write(lines, transcript.language)
            except Exception as error:  # every provider has its own
                reason = f"the minutes were not written: {_reason(error)}; {_AGAIN}"
                self._unwritten = reason if _concerns_all(error) else ""
            else:
                request = {"minutes": relative, "model": self._config.model}
                call = Call(request, asdict(minutes), time.monotonic() - begun)
                self._store.keep_call(key, call)
                return call
        raise Unfinished(reason, [transcript, Unread(f"{relative}/minutes", reason)])


def recordings(
    config: Config, store: Callable[[], AnswerStore], progress: Progress | None = None
) -> Recordings | None:
    """What writes down the recordings of a workspace; None where tailor.toml names no transcriber.

    Raises:
        UsageError: the transcriber has a provider that is not known.
    """
    return Meetings(config, store, progress) if config.transcriber else None


def announcements(config: Config, knowledge: Path) -> tuple[str, ...]:
    """What to say before recordings are written down: who gets them, and what is left out."""
    if not config.transcriber:
        return ()
    from tailor.models import provider
    from tailor.models.transcriber import receiver

    paths = (path for path in knowledge.rglob("*") if path.suffix.lower() in SUFFIXES)
    found = sorted(path.relative_to(knowledge).as_posix() for path in paths)
    if not found:
        return ()
    names = ", ".join(found[:5]) + (f" and {len(found) - 5} more" if len(found) > 5 else "")
    said = []
    if to := receiver(config):
        said.append(f"Sent to {to}, which writes them down, where new or changed: {names}.")
    if not can_write(config.model):
        said.append("Minutes are left out: set model in tailor.toml to one that can write them.")
    elif to := provider.receiver(config.model, config):
        said.append(f"Sent to {to}, which writes minutes: the transcripts of new recordings.")
    return tuple(said)


def can_write(model: str) -> bool:
    """Whether a chat model can write minutes; the shipped one only reads."""
    return model != "shipped"


def _reason(error: Exception) -> str:
    """What failed, for people; without the final stop, as more is said after it."""
    from tailor.models.retry import error_text

    return str(error).rstrip(".") if isinstance(error, TailorError) else error_text(error)


def _concerns_all(error: Exception) -> bool:
    """Whether the same would happen with every other recording."""
    from tailor.models.retry import error_kind

    outages = ("auth", "quota", "not_found", "connection")
    return isinstance(error, TailorError) or error_kind(error) in outages
