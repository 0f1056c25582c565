"""A reader that is no language model: it copies the best span of the passages, or refuses.

Gradient-boosted trees rate every candidate span by features of its words and their neighbours; a
logistic function of the best span's features turns that into a confidence, below which the reader
refuses. Trained with scikit-learn, stored as JSON, evaluated here with numpy alone.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tailor.errors import TailorError
from tailor.models.candidates import FEATURES, Candidates, candidates
from tailor.models.provider import SHIPPED
from tailor.models.query import Lexicon, query
from tailor.text import words

CODE_VERSION = 1
"""Raised whenever features change their meaning, so that fingerprints and stored weights differ."""

# All candidates are rated by the first trees, only the most promising ones by the others.
FIRST_TREES = 50
CONTENDERS = 120
ROWS_AT_ONCE = 64

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


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

    `roots` has one entry per tree, the others one per node, `children` two: where to go if the
    feature is at most the threshold, and if it is more. `depth` is that of the deepest tree.
    """

    roots: Ints
    feature: Ints
    threshold: Floats
    children: Ints
    value: Floats
    depth: int
    base: float

    def __call__(self, features: Floats) -> Floats:
        """Log odds of each row, shape (rows,); rows of no chance keep the first trees' opinion."""
        result = self._sum(features, self.roots[:FIRST_TREES]) + np.float32(self.base)
        best = (
            np.argpartition(-result, CONTENDERS)[:CONTENDERS] if len(result) > CONTENDERS else ...
        )
        result[best] += self._sum(features[best], self.roots[FIRST_TREES:])
        return result

    def _sum(self, features: Floats, roots: Ints) -> Floats:
        """Sum of the trees' values; a few rows at a time, so that all stays in the cache."""
        sums = [np.zeros(0, dtype=np.float32)]
        for begin in range(0, len(features), ROWS_AT_ONCE):
            part = features[begin : begin + ROWS_AT_ONCE]
            flat = part.ravel()
            row = np.arange(len(part))[:, None] * part.shape[1]
            node = np.broadcast_to(roots, (len(part), len(roots)))
            for _ in range(self.depth):
                above = flat.take(row + self.feature.take(node)) > self.threshold.take(node)
                node = self.children.take(2 * node + above)
            sums.append(self.value.take(node).sum(axis=1))
        return np.concatenate(sums)


@dataclass(frozen=True)
class ExtractiveReader:
    """Finds the answer to a question in passages, in English and Vietnamese."""

    stored: dict[str, Any]

    @classmethod
    def load(cls, path: Path | None = None) -> "ExtractiveReader":
        """Load a reader from its folder; without a path the one that Tailor ships.

        Raises TailorError if there is none, or if it was trained for other features.
        """
        file = (path or SHIPPED / "extractive") / "model.json"
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
        return candidates(query(question, self.lexicon), passages, self.lexicon)

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
        return Trees(
            np.array(stored["roots"], dtype=np.int64),
            np.array(stored["feature"], dtype=np.int64),
            np.array(stored["threshold"], dtype=np.float32),
            np.stack([stored["left"], stored["right"]], axis=1).ravel(),
            np.array(stored["value"], dtype=np.float32),
            stored["depth"],
            stored["base"],
        )

    @cached_property
    def lexicon(self) -> Lexicon:
        """The words this reader knows."""
        stored = self.stored["lexicon"]
        arrays = {
            name: unpack(stored[name])
            for name in ("vectors", "word_kinds", "ask_kinds", "usual_kinds")
        }
        return Lexicon(
            stored["weights"], stored["rare"], **arrays, bound=frozenset(stored["bound"])
        )

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
    "kind_fits",
    "kind_gap",
    "share",
    "context",
    "passage_share",
    "pair_share",
    "missing_most",
    "missing_with_digits",
    "keys",
    "passage_lead",
    "context_lead",
    "related",
    "names_absent",
    "with_previous",
)


def pack(values: NDArray[Any]) -> dict[str, Any]:
    """An array as bytes in base64 with one scale, exact to 1/254 of its range."""
    scale = float(np.abs(values).max()) / 127 or 1.0
    steps = np.rint(values / scale).astype(np.int8)
    data = base64.b64encode(steps.tobytes()).decode("ascii")
    return {"shape": list(values.shape), "scale": scale, "int8": data}


def unpack(stored: Mapping[str, Any]) -> Floats:
    """The array that `pack` stored."""
    steps = np.frombuffer(base64.b64decode(stored["int8"]), dtype=np.int8)
    scaled = steps.astype(np.float32) * np.float32(stored["scale"])
    return scaled.reshape(stored["shape"])
