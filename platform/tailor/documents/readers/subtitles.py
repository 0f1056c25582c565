"""Subtitles, .vtt and .srt, in which meeting programs write down who said what and when."""

import re
from collections.abc import Iterator

from langchain_core.documents import Document

from tailor.documents.meeting import clock
from tailor.documents.readers.decoding import decode
from tailor.documents.readers.reader import FileReader, unit
from tailor.documents.readers.rows import one_line
from tailor.documents.refusal import Refused

_LONGEST = 60
"""Seconds in a unit, as in the transcript of a recording."""
_TIMES = re.compile(r"\s*(?:(\d+):)?(\d\d):(\d\d)[.,]\d{1,3}\s+-->\s+[\d:.,]+.*")
_VOICE = re.compile(r"<v(?:\.[\w.]+)?\s+([^<>]+)>")
_TAG = re.compile(r"</?[a-z][^<>]*>|<[\d:.]+>|\{\\[^{}]*\}")
_SPEAKER = re.compile(r"([^:.!?]{2,40}):\s+\S")


class Reader(FileReader):
    """Yields a unit per minute; its place is the time it starts at."""

    def lazy_load(self) -> Iterator[Document]:
        """Minutes in order."""
        text, note = decode(self.content)
        minute: list[str] = []
        since, speaker = -_LONGEST, ""
        for start, said in _cues(text.replace("\r\n", "\n")):
            if start - since >= _LONGEST:
                if minute:
                    yield unit("\n".join(minute), clock(since), note=note)
                minute, since, speaker = [], start, ""
            who = _SPEAKER.match(said)
            if not minute or (who is not None and who[1] != speaker):
                minute.append(said)
            else:
                minute[-1] += f" {said[len(who[0]) - 1 :] if who is not None else said}"
            speaker = who[1] if who is not None else speaker
        if not minute:
            raise Refused("broken: no times and texts as subtitles have them")
        yield unit("\n".join(minute), clock(since), note=note)


def _cues(text: str) -> Iterator[tuple[int, str]]:
    """The second each cue starts at, and its text; a voice as ``Name: text``."""
    for block in re.split(r"\n[ \t]*\n", text):
        lines = block.strip("\n").split("\n")
        for number, line in enumerate(lines):
            if times := _TIMES.fullmatch(line):
                said = _VOICE.sub(lambda voice: f"{voice[1]}: ", " ".join(lines[number + 1 :]))
                if said := one_line(_TAG.sub("", said)):
                    yield int(times[1] or 0) * 3600 + int(times[2]) * 60 + int(times[3]), said
                break
