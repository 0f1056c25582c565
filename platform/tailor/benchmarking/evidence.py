"""Whether the evidence stands in the documents, and bears out the answers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tailor.assistant import digest
from tailor.benchmark import Evidence, Line
from tailor.benchmarking.closest import closest, closest_name
from tailor.benchmarking.finding import Finding
from tailor.benchmarking.support import support
from tailor.documents.evidence import locate
from tailor.text import nfc

_AROUND = 150
"""Characters before and after a quote in which an answer may stand."""
_ROW = 400
"""Longest line that is looked at as a whole: a row of a table."""


def evidence(
    lines: Sequence[Line], texts: Mapping[str, str], knowledge: Path, memory: Path
) -> Iterator[Finding]:
    """Documents and quotes that are not there, and answers that do not follow from those that are.

    ``memory`` is a file that keeps which quotes were found, so that one which a changed document
    no longer holds is told apart from one that never stood there.
    """
    found_before = _remembered(memory)
    found: set[str] = set()
    for line in lines:
        question = line.question
        if question.answerable and not question.evidence:
            yield Finding("no_evidence", line.number, question.id)
        places: list[tuple[str, int, int]] = []
        for item in question.evidence:
            text = texts.get(nfc(item.document))
            place = locate(item.quote, text) if text is not None else None
            key = digest([nfc(item.document), nfc(item.quote)])
            if text is not None and place is not None:
                found.add(key)
                places.append((text, *place))
                continue
            kind, values = _absent(item, texts, knowledge, key in found_before)
            yield Finding(kind, line.number, question.id, values)
        if question.answerable and question.evidence and len(places) == len(question.evidence):
            yield from _borne_out(line, places)
    _remember(memory, found | found_before)


def _absent(
    item: Evidence, texts: Mapping[str, str], knowledge: Path, before: bool
) -> tuple[str, dict[str, str]]:
    document, quote = nfc(item.document), _shown(item.quote)
    text = texts.get(document)
    if text is None:
        if (knowledge / item.document).is_file() or (knowledge / document).is_file():
            return "unread_document", {"document": document}
        holder = next((path for path, other in texts.items() if locate(item.quote, other)), None)
        name = holder or closest_name(document, texts)
        hint = (f"; the quote is in {name}", f"; trích dẫn này nằm trong {name}")
        if not holder:
            hint = (f"; did you mean {name}?", f"; có phải {name}?") if name else ("", "")
        return "no_document", {"document": document, "hint": hint[0], "hint_vi": hint[1]}
    near = closest(item.quote, text)
    hint = (f'; closest: "{near}"', f'; gần nhất: "{near}"') if near else ("", "")
    return (
        "stale" if before else "no_quote",
        {"document": document, "quote": quote, "hint": hint[0], "hint_vi": hint[1]},
    )


def _borne_out(line: Line, places: Sequence[tuple[str, int, int]]) -> Iterator[Finding]:
    quotes, rows, around = [], [], []
    for text, start, end in places:
        before = text.rfind("\n", 0, start) + 1
        after = text.find("\n", end)
        row = text[before : after if after >= 0 else len(text)]
        quotes.append(text[start:end])
        rows.append(row if len(row) <= _ROW else "")
        around.append(text[max(0, start - _AROUND) : end + _AROUND])
    answers = line.question.answers
    if support(answers, *map("\n".join, (quotes, rows, around))) == "missing":
        yield Finding("unsupported", line.number, line.question.id, {"answer": answers[0]})


def _shown(quote: str) -> str:
    text = " ".join(nfc(quote).split())
    return text if len(text) <= 100 else f"{text[:99]}…"


def _remembered(memory: Path) -> set[str]:
    try:
        return set(json.loads(memory.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return set()


def _remember(memory: Path, found: set[str]) -> None:
    from tailor.run import write_json

    if found != _remembered(memory):
        write_json(memory, sorted(found))
