"""Contexts that come with imported questions: as documents, and as evidence."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from heapq import nlargest
from math import log
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

from tailor.assistant import digest
from tailor.benchmark import Evidence
from tailor.benchmarking.presets import Context, Item
from tailor.benchmarking.support import support
from tailor.text import fold, nfc, words

if TYPE_CHECKING:
    from tailor.workspace import Workspace

_LONGEST_QUOTE = 300
_TRIED = 100
"""Sentences of a context, the most alike first, that an answer may be computed from."""
_UNSEEN = dict.fromkeys((0xAD, 0x200B, 0x2060, 0xFEFF))
_SENTENCE = re.compile(r"(?<=[.!?…])\s+(?=\S)|\n+")


@dataclass
class Documents:
    """Where contexts go, or where their text stands already."""

    folder: Path
    """Of the imported documents."""
    prefix: str
    """The folder's path in ``knowledge/``."""
    known: Mapping[str, str]
    """Texts that have been read before, by path."""
    writes: bool
    texts: dict[str, list[str]] = field(default_factory=dict)
    """Contexts by the path of the document they make up."""
    _place: dict[str, str] = field(default_factory=dict)
    _sentences: dict[str, list[tuple[str, dict[str, float]]]] = field(default_factory=dict)

    @classmethod
    def of(cls, workspace: Workspace, name: str, write: bool) -> Documents:
        """The imported documents of a source in a workspace; written only when told to."""
        known: Mapping[str, str] = {}
        if (workspace.state / "documents.db").exists():
            from tailor.documents.corpus import documents

            known = documents(workspace.state)
        prefix = f"imported/{_slug(name)}"
        return cls(workspace.knowledge / prefix, prefix, known, write)

    def holder(self, context: Context) -> str | None:
        """The document that holds a context: one to be written, or one that was read before."""
        body = clean(context.text).strip()
        if body in self._place:
            return self._place[body]
        path = next((path for path, text in self.known.items() if body in text), None)
        if path is None and self.writes:
            name = context.title or body
            # Markdown is read as such, which changes what looks like markup; tables want it.
            suffix = "md" if re.search(r"^\|", body, re.MULTILINE) else "txt"
            path = f"{self.prefix}/{_slug(name)}-{digest(name)[:6]}.{suffix}"
            head = [context.title] if context.title else []
            self.texts.setdefault(path, head).append(body)
        if path is not None:
            self._place[body] = path
        return path

    def sentences(self, context: Context) -> list[tuple[str, dict[str, float]]]:
        """The sentences and table rows of a context, each word with how rare it is there."""
        if context.text not in self._sentences:
            parts = [p for p in map(str.strip, _SENTENCE.split(clean(context.text))) if p]
            bags = [set(words(fold(part))) for part in parts]
            holding = Counter(word for own in bags for word in own)
            rare = {word: log((1 + len(parts)) / n) for word, n in holding.items()}
            self._sentences[context.text] = [
                (part, {word: rare[word] for word in own})
                for part, own in zip(parts, bags, strict=True)
            ]
        return self._sentences[context.text]

    def save(self) -> int:
        """Write the documents; returns how many are new or changed."""
        written = 0
        for path, parts in self.texts.items():
            target = self.folder / path.rpartition("/")[2]
            text = "\n\n".join(parts) + "\n"
            if not target.exists() or target.read_text("utf-8") != text:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, "utf-8", newline="\n")
                written += 1
        return written


def evidence_in(
    item: Item, answers: Sequence[str], documents: Documents
) -> tuple[list[Evidence], bool]:
    """A quote from each context that holds the answer; else the sentence most like both.

    Before other sentences comes one that the answer can be computed from. The second value says
    that it is such a guess.
    """
    found: list[Evidence] = []
    best: tuple[bool, float, Evidence] | None = None
    # Numbers are left out: a table's head would answer every question about its years.
    wanted = {w for w in words(fold(" ".join((item.question, *answers)))) if not w.isdigit()}
    for context in item.contexts:
        document = documents.holder(context)
        if document is None:
            continue
        text, folded = _forms(context.text)
        place = _answer_in(context, text, folded, answers)
        if place:
            found.append(Evidence(document, _sentence(text, *place)))
            continue
        near = _nearest(documents.sentences(context), wanted, answers)
        if near and (best is None or near[:2] > best[:2]):
            best = (*near[:2], Evidence(document, _cut(near[2])))
    if found or best is None:
        return found, False
    return [best[2]], True


def _nearest(
    sentences: Sequence[tuple[str, Mapping[str, float]]], wanted: set[str], answers: Sequence[str]
) -> tuple[bool, float, str] | None:
    """Of the sentences most like what is wanted the first that the answer follows from, or the
    most alike: whether it follows, how alike it is, and the sentence."""
    rated = [(sum(said[w] for w in wanted & said.keys()), s) for s, said in sentences]
    for shared, sentence in nlargest(_TRIED, rated, key=itemgetter(0)):
        if shared > 0 and support(answers, sentence) in ("said", "computed"):
            return True, shared, sentence
    return (False, *max(rated, key=itemgetter(0))) if rated else None


def _answer_in(
    context: Context, text: str, folded: str, answers: Sequence[str]
) -> tuple[int, int] | None:
    if context.start is not None and context.end is not None and text == context.text:
        return context.start, context.end
    for answer in answers:
        if answer.casefold() not in folded:
            continue
        match = re.search(rf"(?<!\w){re.escape(answer)}(?!\w)", text, re.IGNORECASE)
        if match:
            return match.span()
    return None


@lru_cache(maxsize=256)
def _forms(text: str) -> tuple[str, str]:
    return clean(text), clean(text).casefold()


def clean(text: str) -> str:
    """A text as documents are read: composed, without characters that are not to be seen."""
    return nfc(text).translate(_UNSEEN)


def _sentence(text: str, start: int, end: int) -> str:
    """The sentence around an answer, or as much of it as a quote should have."""
    near = max(0, start - 2 * _LONGEST_QUOTE)
    before = [m.end() for m in _SENTENCE.finditer(text, near, start) if m.end() <= start]
    after = _SENTENCE.search(text, end)
    low, high = before[-1] if before else near, after.start() if after else len(text)
    if high - low > _LONGEST_QUOTE:
        spare = max(0, _LONGEST_QUOTE - (end - start)) // 2
        low, high = max(low, start - spare), min(high, end + spare)
        low = low if low == 0 or text[low - 1].isspace() else text.find(" ", low, start) + 1 or low
        cut = text.rfind(" ", end, high)
        high = cut if cut > 0 and high < len(text) else high
    return text[low:high].strip()


def _cut(sentence: str) -> str:
    if len(sentence) <= _LONGEST_QUOTE:
        return sentence
    return sentence[: sentence.rfind(" ", 0, _LONGEST_QUOTE) or _LONGEST_QUOTE]


def _slug(name: str) -> str:
    """A name as a file may have it, in any script."""
    return re.sub(r"\W+", "-", nfc(name)[:60]).strip("-").lower() or "untitled"
