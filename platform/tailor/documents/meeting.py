"""The two documents of a recorded meeting: what was said, and its minutes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tailor.documents.document import Document, Place, clean, main_language

if TYPE_CHECKING:
    from tailor.documents.minutes import Minutes
    from tailor.models.transcriber import Segment, Transcript

_PLACE_SECONDS, _PAUSE_SECONDS = 60, 3
_WORDS = {
    "en": (
        *("Minutes", "Summary", "Participants", "Decisions", "Actions"),
        *("None recorded.", "owner", "due"),
        "Written by {} from the transcript of a recording of {}; what was said counts.",
    ),
    "vi": (
        *("Biên bản", "Tóm tắt", "Người tham dự", "Quyết định", "Việc phải làm"),
        *("Không ghi nhận.", "phụ trách", "hạn"),
        "Do {} viết từ bản ghi lời của bản ghi âm dài {}; lời nói trong bản ghi âm là căn cứ.",
    ),
}


def transcript_document(
    transcript: Transcript, recording: str, sha256: str, note: str = ""
) -> Document:
    """What was said, a line for each segment; the places are times, at most a minute apart.

    Its text is empty where nothing was said.
    """
    sections = [
        (clock(part[0].start), "\n".join(segment.text for segment in part))
        for part in _minutes_long(transcript.segments)
    ]
    text, places = _laid_out(sections)
    return Document(f"{recording}/transcript", text, places, main_language(text), sha256, note)


def minutes_document(
    minutes: Minutes, model: str, seconds: float, transcript: Document
) -> Document:
    """The minutes as Markdown in the language of the transcript; each section is a place."""
    title, summary, participants, decisions, actions, none, *rest = _WORDS[transcript.language]
    owner, due, written = rest
    head = f"# {title}: {minutes.subject}" if minutes.subject else f"# {title}"
    lists = {
        participants: list(minutes.participants),
        decisions: [d.decision + _bracketed(d.time) for d in minutes.decisions],
        actions: [
            a.task + _bracketed(_named(owner, a.owner), _named(due, a.due), a.time)
            for a in minutes.actions
        ],
    }
    sections = [(title, f"{head}\n\n{written.format(model, clock(seconds))}")]
    if minutes.summary:
        sections.append((summary, f"## {summary}\n\n{minutes.summary}"))
    for name, items in lists.items():
        listed = "\n".join(f"- {item}" for item in items) or none
        sections.append((name, f"## {name}\n\n{listed}"))
    text, places = _laid_out(sections)
    path = transcript.path.removesuffix("transcript") + "minutes"
    return Document(path, text, places, transcript.language, transcript.sha256)


def clock(seconds: float) -> str:
    """Hours, minutes and seconds, ``00:12:30``."""
    whole = int(seconds)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}"


def _minutes_long(segments: Sequence[Segment]) -> Iterator[list[Segment]]:
    """Runs of segments of up to a minute, which end earlier at a pause."""
    part: list[Segment] = []
    for segment in segments:
        if part:
            long = segment.end - part[0].start > _PLACE_SECONDS
            pause = segment.start - part[-1].end >= _PAUSE_SECONDS
            if long or (pause and part[-1].end - part[0].start > _PLACE_SECONDS / 3):
                yield part
                part = []
        part.append(segment)
    if part:
        yield part


def _laid_out(sections: Sequence[tuple[str, str]]) -> tuple[str, tuple[Place, ...]]:
    """The sections one after the other, and which characters of the text each of them is."""
    parts: list[str] = []
    places: list[Place] = []
    length = 0
    for name, raw in sections:
        if text := clean(raw):
            length += 2 if parts else 0
            places.append(Place(name, length, length + len(text)))
            parts.append(text)
            length += len(text)
    return "\n\n".join(parts), tuple(places)


def _named(name: str, value: str) -> str:
    return f"{name}: {value}" if value else ""


def _bracketed(*parts: str) -> str:
    said = "; ".join(filter(None, parts))
    return f" ({said})" if said else ""
