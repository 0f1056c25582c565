"""The learned reranker: a linear model of features, trained on questions whose evidence is known.

Small enough to be trained in seconds on some tens of questions: logistic regression on the
differences between a passage that holds the evidence and one that does not (pairwise learning to
rank, Joachims 2002), over features of the match between question and passage.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import pairwise
from math import log
from typing import TYPE_CHECKING, Any

from tailor.documents.lexical import folded
from tailor.retrieval.ranking import ranks
from tailor.text import words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tailor.retrieval.ranking import Candidates

    Floats = NDArray[np.float64]

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

LEAST = 12
"""Fewer questions than this teach nothing that holds on others."""

_WINDOW = 25
_PENALTIES = (0.001, 0.01, 0.1, 1.0)
"""Of which cross-validation over the questions chooses: the inverse strength of the L2 penalty."""
_PAIRS = 100
"""Pairs taken of one question at most, so that no question outweighs the others."""

Rarity = Callable[[Sequence[str]], Sequence[float]]
"""The inverse document frequency of folded words."""


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
    def folded(self) -> list[str]:
        """The words without accents and English plural."""
        return [folded(word) for word in self.written]

    @cached_property
    def places(self) -> Mapping[str, list[int]]:
        """Where each folded word stands."""
        places: dict[str, list[int]] = defaultdict(list)
        for at, word in enumerate(self.folded):
            places[word].append(at)
        return places

    @cached_property
    def as_written(self) -> frozenset[str]:
        """Its words with their accents."""
        return frozenset(self.written)

    @cached_property
    def pairs(self) -> frozenset[tuple[str, str]]:
        """Neighbouring words."""
        return frozenset(pairwise(self.folded))

    @cached_property
    def headings(self) -> frozenset[str]:
        """The folded words of path and headings."""
        return frozenset(self.folded[: self.heading])


def features(
    question: str, candidates: Candidates, passages: Sequence[Words], rarity: Rarity
) -> Floats:
    """One row for each candidate, (n, len(FEATURES)), in the order of ``candidates``."""
    import numpy as np

    asked = _Asked.of(question, rarity)
    lexical, cosines = candidates.lexical, candidates.cosines
    best_word, best_cosine = max(lexical.max(), 1e-9), max(cosines.max(), 1e-9)
    columns = [
        lexical / best_word,
        lexical / asked.total,
        cosines / best_cosine,
        cosines,
        1 / ranks(lexical),
        1 / ranks(cosines),
    ]
    named = {heading: rarity(list(heading)) for heading in {p.headings for p in passages}}
    matches = [asked.match(passage, named[passage.headings]) for passage in passages]
    return np.column_stack([*columns, np.array(matches, dtype=np.float64).reshape(-1, 10)])


@dataclass(frozen=True)
class _Asked:
    """The words of a question with their weights."""

    weights: Mapping[str, float]
    """By folded word."""
    written: Mapping[str, float]
    pairs: Mapping[tuple[str, str], float]
    rarest: tuple[str, ...]
    numbers: tuple[str, ...]
    total: float

    @classmethod
    def of(cls, question: str, rarity: Rarity) -> _Asked:
        written = words(question)
        bare = [folded(word) for word in written]
        known = list(dict.fromkeys(bare))
        weights = dict(zip(known, rarity(known), strict=True))
        return cls(
            weights,
            {word: weights[form] for word, form in zip(written, bare, strict=True)},
            {pair: min(weights[pair[0]], weights[pair[1]]) for pair in pairwise(bare)},
            tuple(sorted(known, key=lambda word: -weights[word])[:2]),
            tuple(word for word in written if any(c.isdigit() for c in word)),
            sum(weights.values()) or 1.0,
        )

    def match(self, passage: Words, rarity: Sequence[float]) -> tuple[float, ...]:
        """The features that are about words, in the order of ``FEATURES``.

        ``rarity`` is that of the words of path and headings.
        """
        places, heading = passage.places, passage.headings
        hits = [word for word in self.weights if word in places]
        named = dict(zip(heading, rarity, strict=True))
        first = min((places[word][0] for word in hits), default=len(passage.folded))
        return (
            sum(self.weights[word] for word in hits) / self.total,
            _share(self.written, passage.as_written),
            _share(self.pairs, passage.pairs),
            sum(self.weights[word] for word in hits if word in heading) / self.total,
            _share(named, self.weights),
            self._window(places, hits) / self.total,
            sum(word in places for word in self.rarest) / max(1, len(self.rarest)),
            sum(number in passage.as_written for number in self.numbers)
            / max(1, len(self.numbers)),
            log(1 + len(passage.folded)),
            first / max(1, len(passage.folded)),
        )

    def _window(self, places: Mapping[str, list[int]], hits: Sequence[str]) -> float:
        """The greatest weight of different words of the question that stand close together."""
        events = sorted((at, word) for word in hits for at in places[word])
        inside: Counter[str] = Counter()
        best = weight = 0.0
        start = 0
        for at, word in events:
            weight += self.weights[word] if not inside[word] else 0.0
            inside[word] += 1
            while at - events[start][0] > _WINDOW:
                gone = events[start][1]
                inside[gone] -= 1
                weight -= self.weights[gone] if not inside[gone] else 0.0
                start += 1
            best = max(best, weight)
        return best


def _share(weights: Mapping[Any, float], of: Any) -> float:
    total = sum(weights.values())
    return sum(weight for key, weight in weights.items() if key in of) / total if total else 0.0


@dataclass(frozen=True)
class Reranker:
    """What was learned: each feature's mean, its spread, and its weight per spread."""

    means: tuple[float, ...]
    spreads: tuple[float, ...]
    weights: tuple[float, ...]
    questions: int
    """How many questions it was trained on."""

    def scores(self, rows: Floats) -> Floats:
        """The score of each row of features, the higher the better."""
        import numpy as np

        scores: Floats = (
            (rows - np.array(self.means)) / np.array(self.spreads) @ np.array(self.weights)
        )
        return np.round(scores, 9)

    def to_json(self) -> dict[str, Any]:
        """All numbers, and the names of the features."""
        return {**asdict(self), "features": list(FEATURES)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Reranker:
        """What :meth:`to_json` wrote."""
        return cls(
            tuple(value["means"]), tuple(value["spreads"]), tuple(value["weights"]),
            value["questions"],
        )  # fmt: skip


def learn(examples: Sequence[tuple[Floats, NDArray[np.bool_]]], seed: int = 0) -> Reranker | None:
    """Train on the features of each question's candidates and on which of them hold evidence.

    None where fewer than ``LEAST`` questions have both a candidate that does and one that does not.
    """
    import numpy as np

    useful = [(rows, right) for rows, right in examples if right.any() and not right.all()]
    if len(useful) < LEAST:
        return None
    every = np.concatenate([rows for rows, _ in useful])
    means, spreads = every.mean(axis=0), every.std(axis=0)
    spreads[spreads < 1e-9] = 1.0
    scaled = [((rows - means) / spreads, right) for rows, right in useful]
    folds = np.random.default_rng(seed).permutation(len(scaled)) % 5
    quality = {penalty: _validated(scaled, folds, penalty) for penalty in _PENALTIES}
    chosen = max(quality, key=lambda penalty: (round(quality[penalty], 6), -penalty))
    weights = _fitted(scaled, chosen)
    return Reranker(
        tuple(means.tolist()), tuple(spreads.tolist()), tuple(weights.tolist()), len(useful)
    )


def _fitted(examples: Sequence[tuple[Floats, NDArray[np.bool_]]], penalty: float) -> Floats:
    """The weights that put right rows above wrong ones."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    differences = np.concatenate([_differences(rows, right) for rows, right in examples])
    both = np.concatenate([differences, -differences])
    above = np.repeat([1, 0], len(differences))
    model = LogisticRegression(C=penalty, fit_intercept=False, max_iter=300).fit(both, above)
    weights: Floats = model.coef_[0]
    return weights


def _differences(rows: Floats, right: NDArray[np.bool_]) -> Floats:
    import numpy as np

    pairs: Floats = (rows[right][:, None] - rows[~right][None]).reshape(-1, rows.shape[1])
    step = max(1, -(-len(pairs) // _PAIRS))
    return np.ascontiguousarray(pairs[::step])


def _validated(
    examples: Sequence[tuple[Floats, NDArray[np.bool_]]], folds: NDArray[np.int64], penalty: float
) -> float:
    """Mean reciprocal rank on the fold left out."""
    found: list[float] = []
    for fold_ in range(5):
        learnt = [one for one, at in zip(examples, folds, strict=True) if at != fold_]
        held = [one for one, at in zip(examples, folds, strict=True) if at == fold_]
        weights = _fitted(learnt, penalty)
        found += [float((1 / ranks(rows @ weights)[right]).max()) for rows, right in held]
    return sum(found) / len(found)
