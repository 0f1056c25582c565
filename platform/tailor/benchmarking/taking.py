"""Which of the questions from elsewhere become lines of the benchmark, and why others do not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tailor.assistant import is_refusal
from tailor.benchmark import Evidence
from tailor.benchmarking.contexts import Documents, clean, evidence_in
from tailor.benchmarking.presets import Context, Item
from tailor.text import fold, language, nfc, words

_SPLITS = {"train": "train", "validation": "dev", "valid": "dev", "dev": "dev", "test": "test"}


class _Left(Exception):
    """An item is left out, and its number alone does not tell why."""

    def __init__(self, reason: str, where: str) -> None:
        super().__init__(reason)
        self.reason, self.where = reason, where


@dataclass
class Taking:
    """The questions taken so far, and why others were not."""

    known: dict[str, str]
    """Questions by their words, with where they stand."""
    ids: set[str]
    documents: Documents
    by_id: Mapping[str, Context] | None
    split: str
    lang: str
    tags: Sequence[str]
    trained: str = ""
    """Where they come from, if they are to be trained on: what their contexts are quoted from."""
    items: list[dict[str, Any]] = field(default_factory=list)
    dropped: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    without_evidence: int = 0
    guessed: int = 0
    rows: int = 0
    with_contexts: int = 0

    def take_all(self, items: Iterable[Item | ValueError], number: int) -> None:
        """Keep what can be kept of a row's items."""
        self.rows += 1
        try:
            for item in items:
                self._take_one(item, number)
        except (AttributeError, LookupError, TypeError):
            # Forms nest lists and objects many ways; where one is of another kind is all the same.
            self.dropped["its parts are not as its form has them"].append(str(number))

    def _take_one(self, item: Item | ValueError, number: int) -> None:
        try:
            if isinstance(item, ValueError):
                raise item
            self.take(_looked_up(item, self.by_id), number)
            self.with_contexts += bool(item.contexts)
        except _Left as left:
            self.dropped[left.reason].append(left.where)
        except ValueError as error:
            self.dropped[str(error)].append(str(number))

    def take(self, item: Item, number: int) -> None:
        """Keep an item as a line of the benchmark.

        Raises:
            ValueError: it cannot be one; the message says why.
        """
        question = " ".join(clean(item.question).split())
        if not words(question):
            raise ValueError("it has no question")
        answers = [clean(answer) for answer in item.answers]
        key = key_of(question, answers if self.trained else ())
        if key in self.known:
            raise _Left("its question is asked already", f"{number} as {self.known[key]}")
        refused = bool(answers) and all(map(is_refusal, answers))
        named = item.split.casefold()
        if named and not self.split and named not in _SPLITS:
            raise ValueError(f'its split "{item.split}" is none of {", ".join(_SPLITS)}')
        if self.trained and _SPLITS.get(named, "train") != "train":
            raise ValueError(f"its split is {named}, which is not trained on")
        line: dict[str, Any] = {"id": self._id(item.id), "question": question}
        line["answer"] = None
        evidence: list[Evidence] = []
        if answers and not refused:
            line["answer"] = answers if len(answers) > 1 else answers[0]
            evidence = self._evidence(item, answers)
            self.without_evidence += not evidence
        else:
            for context in item.contexts:
                self.documents.holder(context)  # it belongs to what is searched all the same
        line["evidence"] = [{"document": e.document, "quote": e.quote} for e in evidence]
        line["lang"] = self.lang or item.lang or language(question)
        line["tags"] = list(dict.fromkeys([*item.tags, *self.tags]))
        if (chosen := self.split or _SPLITS.get(named, "")) and not self.trained:
            line["split"] = chosen
        if item.format:
            line["format"] = item.format
        self.known[key] = str(number)
        self.items.append(line)

    def _evidence(self, item: Item, answers: Sequence[str]) -> list[Evidence]:
        if item.document and item.quote:
            return [Evidence(nfc(item.document), nfc(item.quote))]
        found, guessed = evidence_in(item, answers, self.documents)
        self.guessed += guessed
        if self.trained and not found:
            # To learn from, a context need not be one of the documents that are searched.
            texts = (clean(context.text).strip() for context in item.contexts)
            return [Evidence(self.trained, text) for text in texts if text]
        return found

    def _id(self, wanted: str) -> str:
        id = wanted or f"imported-{len(self.ids) + 1}"
        while id in self.ids:
            stem, _, number = id.rpartition("~")
            id = f"{stem}~{int(number) + 1}" if stem and number.isdigit() else f"{id}~2"
        self.ids.add(id)
        return id


def key_of(question: str, answers: Sequence[str]) -> str:
    """By what a question is the same as another; with answers, only where these are the same."""
    return " | ".join(" ".join(words(fold(text))) for text in (question, *answers))


def _looked_up(item: Item, by_id: Mapping[str, Context] | None) -> Item:
    if by_id is None:
        return item
    if missing := [c.text for c in item.contexts if c.text not in by_id]:
        raise ValueError(f'there is no context "{missing[0]}"')
    return replace(item, contexts=tuple(by_id[c.text] for c in item.contexts))
