"""Company-like documents out of nothing but a seed, in English and Vietnamese, as many as wanted.

Words are drawn by Zipf's law, from the shipped encoder's vocabulary so that it has vectors for
them. A document is about one of 2,000 subjects and has words of its own, each section has some,
too, so passages form clusters within clusters; codes such as ``KX-48213`` make the long tail.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tailor.models.provider import SHIPPED

SECTIONS = 40
"""Of a document, each about one passage of Tailor's default size."""
_SUBJECTS = 2000
_CODES = 2_000_000
_SHARES = np.cumsum([0.5, 0.25, 0.13, 0.1])
"""Of words: any word, the subject's, the document's, the section's; the rest are codes."""


def _vocabulary(language: str) -> list[str]:
    """Whole words of one language, the frequent ones first."""
    tokenizer = json.loads((SHIPPED / "encoder" / "tokenizer.json").read_text("utf-8"))
    known = tokenizer["model"]["vocab"]
    whole = [word for word in known if word.isalpha() and len(word) > 1]
    if language == "vi":
        return [word for word in whole if not word.isascii()]
    return [word for word in whole if word.isascii() and len(word) > 2]


@dataclass(frozen=True)
class Texts:
    """Documents by number; the same seed gives the same texts."""

    seed: int = 0

    @cached_property
    def _words(self) -> dict[str, NDArray[np.str_]]:
        return {language: np.array(_vocabulary(language)) for language in ("en", "vi")}

    @cached_property
    def _zipf(self) -> dict[int, NDArray[np.float64]]:
        """Cumulated probabilities of ranks, by how many there are."""
        sizes = {*(len(words) for words in self._words.values()), 60, 12, 6, _CODES}
        weights = {size: 1.0 / np.arange(1.0, size + 1) for size in sizes}
        return {size: np.cumsum(weight / weight.sum()) for size, weight in weights.items()}

    def path(self, number: int) -> str:
        """Where the document belongs below ``knowledge/``."""
        return f"{self._language(number)}/{number // 500:04}/{number:06}.md"

    def document(self, number: int) -> str:
        """Markdown: a title, and sections of one paragraph."""
        random = np.random.default_rng([self.seed, number])
        words = self._words[self._language(number)]
        subject = np.random.default_rng([self.seed, int(random.integers(_SUBJECTS))])
        subjects = words[subject.integers(len(words), size=60)]
        own = words[random.integers(len(words), size=12)]
        title = " ".join((*subjects[:2], *own[:2])).capitalize()
        sections = [self._section(random, words, subjects, own) for _ in range(SECTIONS)]
        return "\n\n".join([f"# {title}", *sections]) + "\n"

    def question(self, number: int) -> str:
        """Some words of one section of a document, in order."""
        random = np.random.default_rng([self.seed, number, 1])
        paragraphs = self.document(number).split("\n\n")[2::2]
        words = paragraphs[int(random.integers(len(paragraphs)))].replace(".", "").split()
        start = int(random.integers(max(1, len(words) - 12)))
        return " ".join(words[start : start + 12])

    def _language(self, number: int) -> str:
        return "vi" if number % 5 in (1, 3) else "en"

    def _section(
        self,
        random: np.random.Generator,
        words: NDArray[np.str_],
        subjects: NDArray[np.str_],
        own: NDArray[np.str_],
    ) -> str:
        its = words[random.integers(len(words), size=6)]
        size = int(random.integers(55, 105))
        kinds = np.searchsorted(_SHARES, random.random(size))
        drawn = np.empty(size, dtype=object)
        for kind, source in enumerate((words, subjects, own, its)):
            at = np.flatnonzero(kinds == kind)
            drawn[at] = source[self._ranks(random, len(source), len(at))]
        codes = np.flatnonzero(kinds == 4)
        for place, rank in zip(codes, self._ranks(random, _CODES, len(codes)), strict=True):
            drawn[place] = f"K{chr(65 + rank % 26)}-{rank // 26:05}"
        sentences = []
        start = 0
        while start < size:
            end = min(size, start + int(random.integers(8, 19)))
            sentences.append(" ".join(drawn[start:end]).capitalize() + ".")
            start = end
        return f"## {its[0].capitalize()} {its[1]}\n\n{' '.join(sentences)}"

    def _ranks(self, random: np.random.Generator, ranks: int, n: int) -> NDArray[np.int64]:
        found: NDArray[np.int64] = np.searchsorted(self._zipf[ranks], random.random(n))
        return np.minimum(found, ranks - 1)


def write(knowledge: Path, documents: int, seed: int = 0) -> None:
    """Write what is not there yet of so many documents."""
    texts = Texts(seed)
    for number in range(documents):
        file = knowledge / texts.path(number)
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            part = file.with_name(f".{file.name}")
            part.write_text(texts.document(number), "utf-8")
            os.replace(part, file)
