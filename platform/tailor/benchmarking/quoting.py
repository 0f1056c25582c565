"""Documents that hold benchmark questions: a copy of the benchmark, or texts that quote it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from tailor.benchmark import Question
from tailor.text import fold, words

_TABLES = {".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".xlsx", ".xls", ".ods", ".parquet"}
_FEWEST, _SHARE = 3, 0.1
"""A table is a copy where at least so many questions are at least this share of its words."""
_MANY = 10
"""A text of another kind is one where it holds at least so many, and half of all questions."""
_LEAST_WORDS = 4
"""Shorter questions may stand anywhere."""


def copy_check(questions: Sequence[Question]) -> Callable[[str, str], str]:
    """From a document's path and text to why it is the benchmark itself; empty where it is not.

    A text such as an FAQ may rightly hold questions with their answers, so that it is refused only
    where it holds most of the benchmark; a table (CSV, JSON, XLSX, …) sooner.
    """
    find = _finder(questions)
    length = sum(len(q.question) for q in questions)

    def reason(path: str, text: str) -> str:
        table = PurePosixPath(path).suffix.lower() in _TABLES
        if not table and 2 * len(text) < length:
            return ""
        told = words(fold(text))
        held = find(told)
        share = sum(len(words(q.question)) for q in held) / max(1, len(told))
        most = 2 * len(held) >= len(questions) and (table or len(held) >= _MANY)
        if held and (most or (table and len(held) >= _FEWEST and share >= _SHARE)):
            return f"holds {len(held)} questions of the benchmark: it is a copy, not knowledge"
        return ""

    return reason


def quoted(
    questions: Sequence[Question], texts: Mapping[str, str], kept: Path, keep: bool = True
) -> tuple[str, ...]:
    """A sentence for each document that holds test questions word for word.

    What was found is read from the file ``kept``, so that only new texts are looked through, and
    with ``keep`` written there.
    """
    from tailor.run import write_json

    asked = [q for q in questions if q.split == "test"]
    find = _finder(asked)
    digest = _digest(json.dumps([[q.id, q.question] for q in asked]))
    before = _kept(kept, digest)
    keys = {path: _digest(text) for path, text in texts.items()}
    ids: dict[str, Sequence[str]] = {}
    for path, key in keys.items():
        if key not in ids:
            new = key not in before
            ids[key] = [q.id for q in find(words(fold(texts[path])))] if new else before[key]
    if keep and ids != before:
        write_json(kept, {"questions": digest, "texts": ids})
    return tuple(
        f"{path} holds {len(held)} test questions word for word "
        f"({', '.join(held[:3]) + (', …' if len(held) > 3 else '')}): retrieval finds "
        "them more easily than what people ask."
        for path, key in keys.items()
        if (held := ids[key])
    )


def _kept(file: Path, questions: str) -> Mapping[str, Sequence[str]]:
    """The ids of these questions by the digest of the text they were found in."""
    try:
        kept = json.loads(file.read_text("utf-8"))
        return dict(kept["texts"]) if kept["questions"] == questions else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _finder(questions: Sequence[Question]) -> Callable[[Sequence[str]], list[Question]]:
    """From the folded words of a text to the questions in it, in the order they stand there."""
    asked = [(words(fold(q.question)), q) for q in questions]
    wanted = [(set(own), f" {' '.join(own)} ", q) for own, q in asked if len(own) >= _LEAST_WORDS]

    def find(told: Sequence[str]) -> list[Question]:
        held = set(told)
        possible = [(line, q) for own, line, q in wanted if own <= held]
        if not possible:
            return []
        text = f" {' '.join(told)} "
        found = {q.id: (text.find(line), q) for line, q in possible if line in text}
        return [q for _, q in sorted(found.values(), key=lambda item: item[0])]

    return find
