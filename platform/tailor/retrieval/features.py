"""Features of the match between a question and the passages that were found for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, pairwise
from typing import TYPE_CHECKING

from tailor.documents.lexical import folded
from tailor.retrieval.ranking import ranks
from tailor.retrieval.rarity import weights
from tailor.text import words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tailor.retrieval.ranking import Candidates
    from tailor.retrieval.rarity import Rarity

    Floats = NDArray[np.float64]
    Whole = NDArray[np.int64]
    Flags = NDArray[np.bool_]

FEATURES = (
    "word search, relative to the best",
    "word search, per weight of the question",
    "meaning, relative to the best",
    "meaning",
    "rank by words",
    "rank by meaning",
    "question's words in the passage",
    "question's words in the passage, with accents",
    "question's pairs of words",
    "question's words in the headings",
    "headings in the question",
    "question's words within 25 words",
    "two rarest words",
    "numbers and codes",
    "length",
    "place of the first word",
)
"""What the model weighs, by column; all but ranks and length are shares between 0 and 1."""

_WINDOW = 25
"""Words within which those of a question stand close together."""


@dataclass(frozen=True)
class Words:
    """A passage as the features see it."""

    written: Sequence[str]
    """Its words, those of its path and headings first."""
    heading: int
    """How many of them are of path and headings."""

    @classmethod
    def of(cls, text: str, heading: str) -> Words:
        """Of a passage's own text and of its path and headings."""
        first = words(heading)
        return cls((*first, *words(text)), len(first))

    @cached_property
    def places(self) -> Mapping[str, list[int]]:
        """Where each word, without accents and English plural, stands."""
        places: dict[str, list[int]] = {}
        for at, word in enumerate(map(folded, self.written)):
            if word in places:
                places[word].append(at)
            else:
                places[word] = [at]
        return places

    @cached_property
    def as_written(self) -> frozenset[str]:
        """Its words with their accents."""
        return frozenset(self.written)

    @cached_property
    def headings(self) -> tuple[str, ...]:
        """The folded words of path and headings, each once."""
        return tuple(dict.fromkeys(map(folded, self.written[: self.heading])))


def features(
    question: str, candidates: Candidates, passages: Sequence[Words], rarity: Rarity
) -> Floats:
    """One row for each candidate, (n, len(FEATURES)), in the order of ``candidates``."""
    import numpy as np

    asked = _Asked.of(question, rarity)
    lexical, cosines = candidates.lexical, candidates.cosines
    best_word, best_cosine = lexical.max(initial=1e-9), cosines.max(initial=1e-9)
    columns = [
        lexical / best_word,
        lexical / asked.total,
        cosines / best_cosine,
        cosines,
        1 / ranks(lexical),
        1 / ranks(cosines),
    ]
    return np.column_stack([*columns, *asked.matches(passages, rarity)])


@dataclass(frozen=True)
class _Asked:
    """The words of a question with their weights."""

    weights: Mapping[str, float]
    """By folded word."""
    written: Mapping[str, float]
    pairs: Mapping[tuple[str, str], float]
    total: float

    @classmethod
    def of(cls, question: str, rarity: Rarity) -> _Asked:
        written = words(question)
        bare = [folded(word) for word in written]
        each = weights(question, rarity)
        return cls(
            each,
            {word: each[form] for word, form in zip(written, bare, strict=True)},
            {pair: min(each[pair[0]], each[pair[1]]) for pair in pairwise(bare)},
            sum(each.values()) or 1.0,
        )

    def matches(self, passages: Sequence[Words], rarity: Rarity) -> list[Floats]:
        """The features that are about words, (passages,) each, in the order of ``FEATURES``."""
        import numpy as np

        each = np.array([*self.weights.values()])
        lengths = np.array([len(passage.written) for passage in passages])
        asked = list(self.weights)
        found = _Occurrences.of(asked, passages)
        first = found.first(lengths)
        there = first < lengths[:, None]
        in_heading = there & (first < np.array([p.heading for p in passages])[:, None])
        held = [word in p.as_written for p in passages for word in self.written]
        written = np.array(held, dtype=bool).reshape(len(passages), len(self.written))
        numbers = np.array([any(map(str.isdigit, word)) for word in self.written], dtype=bool)
        rarest = np.argsort(-each, kind="stable")[:2]
        longest = np.maximum(lengths, 1)
        return [
            there @ each / self.total,
            _share(written, [*self.written.values()]),
            _share(found.pairs(asked, [*self.pairs]), [*self.pairs.values()]),
            in_heading @ each / self.total,
            self._named(passages, rarity),
            found.window(each) / self.total,
            there[:, rarest].sum(axis=1) / max(1, len(rarest)),
            written[:, numbers].sum(axis=1) / max(1, numbers.sum()),
            np.log1p(lengths),
            np.column_stack([first, lengths]).min(axis=1) / longest,
        ]

    def _named(self, passages: Sequence[Words], rarity: Rarity) -> Floats:
        """The share of its headings' words that the question has, of each passage."""
        import numpy as np

        named = dict.fromkeys(passage.headings for passage in passages)
        every = list(dict.fromkeys(word for heading in named for word in heading))
        value = dict(zip(every, rarity(every), strict=True))
        shares: dict[tuple[str, ...], float] = {}
        for heading in named:
            total = sum(value[word] for word in heading)
            asked = sum(value[word] for word in heading if word in self.weights)
            shares[heading] = asked / total if total else 0.0
        return np.array([shares[passage.headings] for passage in passages], dtype=np.float64)


@dataclass(frozen=True)
class _Occurrences:
    """Where a question's words stand in passages, passage by passage, in the order of the text."""

    passage: Whole
    place: Whole
    word: Whole
    """All three (occurrences,); words and passages by their numbers."""
    passages: int
    words: int

    @classmethod
    def of(cls, asked: Sequence[str], passages: Sequence[Words]) -> _Occurrences:
        import numpy as np

        found = [passage.places.get(word, ()) for passage in passages for word in asked]
        counts = np.fromiter(map(len, found), np.int64, len(found))
        place = np.fromiter(chain.from_iterable(found), np.int64, int(counts.sum()))
        passage, word = np.divmod(np.repeat(np.arange(len(found)), counts), max(1, len(asked)))
        order = np.lexsort((place, passage))
        return cls(passage[order], place[order], word[order], len(passages), len(asked))

    def first(self, lengths: Whole) -> Whole:
        """Where each word stands first, (passages, words); the passage's length where nowhere."""
        import numpy as np

        first = np.repeat(lengths[:, None], self.words, axis=1)
        np.minimum.at(first, (self.passage, self.word), self.place)
        return first

    def pairs(self, asked: Sequence[str], pairs: Sequence[tuple[str, str]]) -> Flags:
        """Which passages hold which pairs of neighbouring words, (passages, pairs)."""
        import numpy as np

        number = {word: at for at, word in enumerate(asked)}
        column = np.full((self.words, self.words), -1)
        for at, (one, other) in enumerate(pairs):
            column[number[one], number[other]] = at
        near = (np.diff(self.passage) == 0) & (np.diff(self.place) == 1)
        of, pair = self.passage[:-1][near], column[self.word[:-1], self.word[1:]][near]
        held = np.zeros((self.passages, len(pairs)), dtype=bool)
        held[of[pair >= 0], pair[pair >= 0]] = True
        return held

    def window(self, weights: Floats) -> Floats:
        """The greatest weight of different words that stand close together, (passages,)."""
        import numpy as np

        best = np.zeros(self.passages)
        if not len(self.place):
            return best
        # Passages one after another, further apart than a window.
        key = self.passage * (int(self.place.max()) + _WINDOW + 1) + self.place
        inside = np.zeros(len(key))
        for word, weight in enumerate(weights):
            own = np.append(key[self.word == word], np.iinfo(np.int64).max)
            inside += weight * (own[np.searchsorted(own, key)] - key <= _WINDOW)
        np.maximum.at(best, self.passage, inside)
        return best


def _share(held: Flags, weights: Sequence[float]) -> Floats:
    """The share of the weights that each row holds; 0 where they are nothing."""
    import numpy as np

    total = sum(weights)
    return held @ np.array(weights) / total if total else np.zeros(len(held))
