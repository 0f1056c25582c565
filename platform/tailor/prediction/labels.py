"""Labels without a language model: the most frequent one, or logistic regression."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from tailor.prediction import heads
from tailor.prediction.bag_of_words import BagOfWords, bag_of_words
from tailor.prediction.estimators import SHOWN

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

Kind = Literal["majority", "bag_of_words", "encoder"]


class Encoder(Protocol):
    """Texts become rows."""

    def rows(self, texts: Sequence[str]) -> Any:
        """(n, columns)."""


@dataclass(frozen=True)
class Majority:
    """The most frequent label, whatever the text."""

    label: str
    share: float
    """Of the train items that have it."""

    def likeliest(self, text: str) -> tuple[str, float]:
        """The label and its probability."""
        return self.label, self.share


@dataclass(frozen=True)
class SentenceVectors:
    """Vectors of an encoder: the shipped one, or any BERT-like model."""

    embeddings: Embeddings = field(repr=False)

    def rows(self, texts: Sequence[str]) -> Any:
        """Vectors of length 1, (n, dimension)."""
        import numpy as np

        from tailor.documents.embedding import vectors

        return vectors(self.embeddings, texts).astype(np.float64)


@dataclass(frozen=True)
class Classifier:
    """Logistic regression over the rows of an encoder."""

    encoder: Encoder
    head: heads.Linear
    labels: tuple[str, ...]

    def likeliest(self, text: str) -> tuple[str, float]:
        """The label and its probability."""
        import numpy as np

        values = self.head.values(self.encoder.rows([text]))[0]
        shares = np.exp(values - values.max())
        best = int(np.argmax(shares))
        return self.labels[best], float(shares[best] / shares.sum())

    def save(self, folder: Path) -> None:
        """Write it as arrays and JSON; of sentence vectors nothing is kept."""
        if isinstance(self.encoder, BagOfWords):
            self.encoder.save(folder)
        self.head.save(folder)
        text = json.dumps(self.labels, ensure_ascii=False)
        (folder / "labels.json").write_text(text, "utf-8")

    @classmethod
    def load(cls, folder: Path, embeddings: Embeddings) -> Classifier:
        """Read what :meth:`save` wrote."""
        words = (folder / "words.json").exists()
        encoder: Encoder = BagOfWords.load(folder) if words else SentenceVectors(embeddings)
        labels = json.loads((folder / "labels.json").read_text("utf-8"))
        return cls(encoder, heads.Linear.load(folder), tuple(labels))


def majority(given: Sequence[str]) -> Majority:
    """The most frequent of these labels; of equal ones the first by the alphabet."""
    label, n = min(Counter(given).items(), key=lambda one: (-one[1], one[0]))
    return Majority(label, n / len(given))


def fit(
    kind: Kind,
    texts: Sequence[str],
    given: Sequence[str],
    embeddings: Embeddings,
    vocabulary: int = 20_000,
    seed: int = 0,
) -> tuple[Classifier, dict[str, list[str]]]:
    """Fit logistic regression on words or vectors; with the words that speak for each label.

    Args:
        kind: ``bag_of_words`` or ``encoder``.
        texts: of the train items.
        given: their labels.
        embeddings: of the encoder.
        vocabulary: words that are known at most.
        seed: of the parts for cross-validation.
    """
    labels = tuple(sorted(set(given)))
    number = {label: at for at, label in enumerate(labels)}
    encoder: Encoder = SentenceVectors(embeddings)
    if kind == "bag_of_words":
        encoder = bag_of_words(texts, vocabulary, weighted=True)
    head = heads.logistic(
        encoder.rows(texts), [number[label] for label in given], len(labels), seed
    )
    return Classifier(encoder, head, labels), _told(encoder, head, labels)


def _told(encoder: Encoder, head: heads.Linear, labels: Sequence[str]) -> dict[str, list[str]]:
    """For each label the words that speak for it most."""
    import numpy as np

    if not isinstance(encoder, BagOfWords):
        return {}
    each = max(3, SHOWN // len(labels))
    return {
        label: [encoder.words[at] for at in np.argsort(-own, kind="stable")[:each]]
        for label, own in zip(labels, head.weights, strict=True)
    }
