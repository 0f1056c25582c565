"""``provider:name`` to a model that writes down speech, and what it writes, kept at once."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from tailor.answers import AnswerStore, Call
from tailor.assistant import digest
from tailor.config import Config
from tailor.documents.audio import RATE
from tailor.errors import UsageError
from tailor.models.retry import MalformedReply

if TYPE_CHECKING:
    from tailor.documents.audio import Samples

_VERSION = 1
_SEARCHED = 0.05
"""The part at the end of a piece in which a quiet moment is looked for, to end it there."""
_SILENCE = 33
"""Samples up to here (of 32,767) are silence, about -60 dB; none is sent anywhere."""


@dataclass(frozen=True)
class Segment:
    """Words that were said one after the other; times in seconds from the recording's start."""

    start: float
    end: float
    text: str


@dataclass(frozen=True)
class Transcript:
    """What is said in a recording of so many seconds."""

    seconds: float
    segments: tuple[Segment, ...]


class Transcriber(Protocol):
    """Writes down a piece of a recording."""

    name: str
    fingerprint: str
    """A content hash of all that can change a reply."""
    piece_seconds: int
    """Longest piece it is given."""

    def __call__(self, samples: Samples) -> dict[str, Any]:
        """The raw reply for these 16 kHz samples, in the form of OpenAI's ``verbose_json``.

        Raises:
            TailorError: the model, its package or its key is missing.
            Exception: the server's own errors, after the retries.
        """


def transcriber(name: str, config: Config) -> Transcriber:
    """The transcriber of this name; nothing is loaded or called before the first sound.

    ``huggingface:PATH-or-ID`` is a Whisper model that runs here, ``openai:NAME`` a model behind
    OpenAI's transcription endpoint or a compatible one.

    Raises:
        UsageError: the name has no provider, or another one.
    """
    provider, _, model = name.partition(":")
    if provider == "huggingface" and model:
        from tailor.models.whisper import Whisper

        return Whisper(model, config.transcriber_language)
    if provider == "openai" and model:
        from tailor.models.transcription_endpoint import TranscriptionEndpoint

        return TranscriptionEndpoint(model, config)
    raise UsageError(
        f"Transcriber {name!r} is not known: write `huggingface:PATH-or-ID` of a Whisper model, or "
        "`openai:NAME`."
    )


def receiver(config: Config) -> str:
    """Who gets the recordings: a host or a provider; empty when none leaves the machine."""
    from tailor.models import provider

    if not config.transcriber:
        return ""
    return provider.receiver(config.transcriber, replace(config, base_url=endpoint(config)))


def endpoint(config: Config) -> str:
    """The address of the transcription server; empty for OpenAI's own."""
    return config.transcriber_url or config.base_url


def kept(sha256: str, model: Transcriber, store: AnswerStore) -> Transcript | None:
    """The transcript of the recording with this content hash, if all of it is in the store."""
    first = store.call(_key(sha256, model, 0))
    if first is None:
        return None
    calls = [store.call(_key(sha256, model, n)) for n in range(int(first.request["pieces"]))]
    found = [call for call in calls if call is not None]
    return _joined(found) if len(found) == len(calls) else None


def transcribe(
    samples: Samples,
    sha256: str,
    model: Transcriber,
    store: AnswerStore,
    progress: Callable[[int, int], None] | None = None,
) -> Transcript:
    """Write down a recording piece by piece; each raw reply is kept before it is looked at.

    A piece that is in the store already is not asked for again.

    Raises:
        MalformedReply: the transcriber replied with something that is no transcription.
        Exception: whatever else the transcriber raises.
    """
    cut = list(pieces(samples, model.piece_seconds))
    calls: list[Call] = []
    for number, (start, end) in enumerate(cut):
        key = _key(sha256, model, number)
        call = store.call(key)
        if call is None:
            request = {
                "transcriber": model.name,
                "recording": sha256,
                "pieces": len(cut),
                "start": start / RATE,
                "end": end / RATE,
            }
            begun = time.monotonic()
            reply = _asked(model, samples[start:end])
            call = Call(request, reply, time.monotonic() - begun)
            store.keep_call(key, call)
        calls.append(call)
        if progress is not None:
            progress(number + 1, len(cut))
    return _joined(calls)


def pieces(samples: Samples, seconds: int) -> Iterator[tuple[int, int]]:
    """Where to cut: pieces of at most so many seconds that end where it is quiet."""
    import numpy as np

    start, longest, frame = 0, seconds * RATE, RATE // 10
    searched = max(frame, int(longest * _SEARCHED) // frame * frame)
    while len(samples) - start > longest:
        end = start + longest
        window = np.abs(samples[end - searched : end].astype(np.int32))
        loudness = window.reshape(-1, frame).mean(axis=1)
        cut = end - searched + int(loudness.argmin()) * frame + frame // 2
        yield start, cut
        start = cut
    yield start, len(samples)


def read(reply: dict[str, Any], seconds: float) -> list[Segment]:
    """The segments of a raw reply about a piece of so many seconds; one where it gives no times.

    Raises:
        MalformedReply: it is no transcription.
    """
    segments = reply.get("segments")
    if segments is None:
        segments = [{"start": 0, "end": seconds, "text": reply.get("text")}]
    try:
        return [_segment(segment, seconds) for segment in segments if segment["text"].strip()]
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise MalformedReply(f"the reply is no transcription ({type(error).__name__})") from error


def _segment(raw: dict[str, Any], seconds: float) -> Segment:
    times = [float(raw["start"]), seconds if raw["end"] is None else float(raw["end"])]
    if not all(map(math.isfinite, times)):
        raise ValueError("a time that is no number")
    start, end = (min(max(0.0, time), seconds) for time in times)
    return Segment(start, max(start, end), " ".join(raw["text"].split()))


def _asked(model: Transcriber, samples: Samples) -> dict[str, Any]:
    """A reply that is a transcription; one that is none is not kept, so it is asked for again."""
    import numpy as np

    if int(np.abs(samples.astype(np.int32)).max(initial=0)) <= _SILENCE:
        return {"text": "", "segments": []}
    reply = model(samples)
    read(reply, len(samples) / RATE)
    return reply


def _joined(calls: list[Call]) -> Transcript:
    segments: list[Segment] = []
    for call in calls:
        start, end = float(call.request["start"]), float(call.request["end"])
        segments += [
            Segment(start + own.start, start + own.end, own.text)
            for own in read(call.reply, end - start)
        ]
    return Transcript(float(calls[-1].request["end"]), tuple(segments))


def _key(sha256: str, model: Transcriber, number: int) -> str:
    return digest(
        {"recording": sha256, "transcriber": model.fingerprint, "cut": _VERSION, "piece": number}
    )
