"""A reader that is no language model: it copies the best span of the passages, or refuses.

Gradient-boosted trees rate every candidate span by features of its words and their neighbours; a
logistic function of the best span's features turns that into a confidence, below which the reader
refuses. Trained with scikit-learn, stored as JSON, evaluated here with numpy alone.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tailor.errors import TailorError
from tailor.models.query import query
from tailor.models.spans import FEATURES, Candidates, candidates
from tailor.text import words

CODE_VERSION = 1
"""Raised whenever features change their meaning, so that fingerprints and stored weights differ."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Span:
    """An answer: `text == passages[passage][start:end]`; `score` in [0, 1] is the confidence."""

    text: str
    passage: int
    start: int
    end: int
    score: float


@dataclass(frozen=True)
class Trees:
    """Boosted regression trees in one array per field; a leaf points to itself.

    `roots` has one entry per tree, the others one per node; `depth` is that of the deepest tree.
    """

    roots: NDArray[np.int32]
    feature: NDArray[np.int32]
    threshold: Floats
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    value: Floats
    depth: int
    base: float

    def __call__(self, features: Floats) -> Floats:
        """Log odds of each row, shape (rows,)."""
        rows = np.arange(len(features))[:, None]
        node = np.broadcast_to(self.roots, (len(features), len(self.roots)))
        for _ in range(self.depth):
            below = features[rows, self.feature[node]] <= self.threshold[node]
            node = np.where(below, self.left[node], self.right[node])
        result: Floats = self.value[node].sum(axis=1) + np.float32(self.base)
        return result


@dataclass(frozen=True)
class ExtractiveReader:
    """Finds the answer to a question in passages, in English and Vietnamese."""

    stored: dict[str, Any]

    @classmethod
    def load(cls, path: Path | None = None) -> "ExtractiveReader":
        """Load a reader from its folder; without a path the one that Tailor ships.

        Raises TailorError if there is none, or if it was trained for other features.
        """
        file = (path or shipped_folder()) / "model.json"
        if not file.is_file():
            raise TailorError(f"No extractive reader in {file.parent}; leave the path out.")
        stored = json.loads(file.read_text(encoding="utf-8"))
        if stored.get("features") != list(FEATURES) or stored.get("code") != CODE_VERSION:
            raise TailorError(
                f"The reader in {file.parent} was trained for another version of Tailor; "
                "train it again with python -m tailor.models.pretraining.extractive."
            )
        return cls(stored)

    def read(self, question: str, passages: Sequence[str]) -> Span | None:
        """The answer with its place, or None where nothing is found above the threshold."""
        best = self.best(question, passages)
        return best if best is not None and best.score >= self.stored["threshold"] else None

    def best(self, question: str, passages: Sequence[str]) -> Span | None:
        """The most likely span however unlikely; None only where no word is shared."""
        found = self.found(question, passages)
        if found is None:
            return None
        ratings = self.trees(found.features)
        top = int(ratings.argmax())
        place = int(found.passage[top]), int(found.start[top]), int(found.end[top])
        text = passages[place[0]][place[1] : place[2]]
        doubt = self.evidence(found, ratings, passages)
        logit = float(doubt @ self.confidence[:-1] + self.confidence[-1])
        return Span(text, *place, score=1 / (1 + float(np.exp(-logit))))

    def found(self, question: str, passages: Sequence[str]) -> Candidates | None:
        """All candidate spans with their features."""
        asked = query(question, self.stored["weights"], self.stored["rare"])
        return candidates(asked, passages, self.affinity)

    def evidence(
        self, found: Candidates, ratings: Floats, passages: Sequence[str]
    ) -> NDArray[np.float64]:
        """What confidence is computed from, shape (len(EVIDENCE),)."""
        order = np.argsort(-ratings)[:20]
        top = order[0]

        def text(index: int) -> list[str]:
            passage = passages[int(found.passage[index])]
            return words(passage[int(found.start[index]) : int(found.end[index])])

        best = set(text(top))
        rival = next((ratings[i] for i in order[1:] if best.isdisjoint(text(i))), ratings.min())
        chosen = dict(zip(FEATURES, found.features[top].tolist(), strict=True))
        return np.array(
            [
                ratings[top],
                np.tanh((ratings[top] - rival) / 2),
                *(chosen[name] for name in EVIDENCE[2:]),
            ],
            dtype=np.float64,
        )

    @cached_property
    def trees(self) -> Trees:
        """The trees that rate spans."""
        stored = self.stored["trees"]
        integers = {
            name: np.array(stored[name], dtype=np.int32)
            for name in ("roots", "feature", "left", "right")
        }
        return Trees(
            **integers,
            threshold=np.array(stored["threshold"], dtype=np.float32),
            value=np.array(stored["value"], dtype=np.float32),
            depth=stored["depth"],
            base=stored["base"],
        )

    @cached_property
    def affinity(self) -> Floats:
        """Log odds by which a kind of span answers a kind of question."""
        return np.array(self.stored["affinity"], dtype=np.float32)

    @cached_property
    def confidence(self) -> NDArray[np.float64]:
        """Weights of the evidence, the constant last."""
        return np.array(self.stored["confidence"], dtype=np.float64)

    @cached_property
    def fingerprint(self) -> str:
        """Content hash of the weights and the version of this code (16 hex digits)."""
        raw = json.dumps([CODE_VERSION, self.stored], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(raw.encode()).hexdigest()[:16]


EVIDENCE = (
    "rating",
    "lead",
    "affinity",
    "share",
    "context",
    "passage_share",
    "pair_share",
    "missing_most",
    "missing_with_digits",
    "keys",
    "passage_lead",
)


def shipped_folder() -> Path:
    """Where the reader that Tailor ships lies."""
    return Path(__file__).parent / "shipped" / "extractive"
