"""Documents that hold benchmark questions: a copy of the benchmark, or texts that quote it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePosixPath

from tailor.benchmark import Question
from tailor.text import fold, words

_TABLES = {".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".xlsx", ".xls", ".ods", ".parquet"}
_FEWEST, _SHARE = 3, 0.1
"""A table is a copy where at least so many questions are at least this share of its words."""
_LEAST_WORDS = 4
"""Shorter questions may stand anywhere."""


def copy_check(questions: Sequence[Question]) -> Callable[[str, str], str]:
    """From a document's path and text to why it is the benchmark itself; empty where it is not.

    Only tables are refused (CSV, JSON, XLSX, …): a text such as an FAQ may rightly hold a question
    with its answer.
    """
    find = _finder(questions)

    def reason(path: str, text: str) -> str:
        if PurePosixPath(path).suffix.lower() not in _TABLES:
            return ""
        told = words(fold(text))
        held = find(told)
        share = sum(len(words(q.question)) for q in held) / max(1, len(told))
        most = 2 * len(held) >= len(questions)
        if held and (most or (len(held) >= _FEWEST and share >= _SHARE)):
            return f"holds {len(held)} questions of the benchmark: it is a copy, not knowledge"
        return ""

    return reason


def quoted(questions: Sequence[Question], texts: Mapping[str, str]) -> tuple[str, ...]:
    """A sentence for each document that holds test questions word for word."""
    find = _finder([q for q in questions if q.split == "test"])
    found: list[str] = []
    for path, text in texts.items():
        if held := find(words(fold(text))):
            ids = ", ".join(q.id for q in held[:3]) + (", …" if len(held) > 3 else "")
            found.append(
                f"{path} holds {len(held)} test questions word for word ({ids}): retrieval finds "
                "them more easily than what people ask."
            )
    return tuple(found)


def _finder(questions: Sequence[Question]) -> Callable[[Sequence[str]], list[Question]]:
    """From the folded words of a text to the questions in it."""
    starts: defaultdict[tuple[str, ...], list[tuple[tuple[str, ...], Question]]] = defaultdict(list)
    for q in questions:
        asked = tuple(words(fold(q.question)))
        if len(asked) >= _LEAST_WORDS:
            starts[asked[:_LEAST_WORDS]].append((asked, q))

    def find(told: Sequence[str]) -> list[Question]:
        found: dict[str, Question] = {}
        for at in range(len(told) - _LEAST_WORDS + 1):
            for asked, q in starts.get(tuple(told[at : at + _LEAST_WORDS]), ()):
                if tuple(told[at : at + len(asked)]) == asked:
                    found[q.id] = q
        return list(found.values())

    return find
