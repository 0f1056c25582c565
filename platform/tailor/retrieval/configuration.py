"""A retrieval configuration: one way of finding the passages for a question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from tailor.documents.lexical import Forms
from tailor.documents.passages import Splitter

Fusion = Literal["scores", "ranks"]
"""Whether words and meaning meet by relative scores (Bruch et al. 2023, arXiv:2210.11934) or by
reciprocal ranks (Cormack et al. 2009, with their constant 60)."""

Expansion = Literal["none", "neighbours", "section"]
"""Whether a passage is shown alone, with the passage before and after it, or with its section."""
Rewriting = Literal["none", "multi_query", "hyde", "decomposition", "translation"]
"""What a model makes of the question: other wordings (multi-query), a passage that could answer it
(HyDE, Gao et al. 2022), questions it consists of, or the question in the documents' language."""


@dataclass(frozen=True)
class Configuration:
    """One way of finding passages; the defaults are those of the stage ``retrieval``."""

    splitter: Splitter = field(default_factory=Splitter)
    embedder: str = ""
    """As tailor.toml writes it; empty: the workspace's own."""
    weight: float = 0.5
    """Share of the word search (BM25), 0 to 1; 0 is by meaning alone."""
    fusion: Fusion = "scores"
    forms: Forms = "both"
    headings: float = 0.0
    """Weight of a further word search in paths and headings alone, beside 1 for the whole text."""
    reranker: str = ""
    """``learned``: by a model of features, trained on the train questions; ``cross-encoder:PATH``:
    by a cross-encoder in that folder; ``llm``: by the chat model; empty: none."""
    rewriting: Rewriting = "none"
    diversity: float = 0.0
    """Share of novelty in maximal marginal relevance, 0 to 1."""
    expansion: Expansion = "none"
    compression: float = 0.0
    """Sentences at both ends that match the question less than this share of the best are cut."""
    k: int = 4
    """Passages put into the prompt."""
    candidates: int = 50
    """Passages taken from each side before they are ranked together."""

    @property
    def arranges(self) -> bool:
        """Whether what is shown differs from the passages as they are ranked."""
        return self.diversity > 0 or self.expansion != "none" or self.compression > 0

    @property
    def plainly(self) -> bool:
        """Whether passages are shown as the first search ranks them."""
        return not self.arranges and self.reranker in ("", "learned")

    @property
    def asks(self) -> bool:
        """Whether finding passages asks a chat model."""
        return self.rewriting != "none" or self.reranker == "llm"

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Configuration:
        """What :meth:`to_json` wrote."""
        return cls(**{**value, "splitter": Splitter(**value["splitter"])})

    def to_json(self) -> dict[str, Any]:
        """All settings as JSON values."""
        return asdict(self)

    def changes(self, other: Configuration) -> dict[str, Any]:
        """The settings, by name, that differ from another configuration's, with their values here.

        Those that have no effect here are left out: fusion and forms of a search by meaning alone,
        and the mixing where a reranker puts all in order.
        """
        idle = set()
        if self.weight == 0:
            idle |= {"forms", "headings"}
        if self.weight in (0, 1):
            idle.add("fusion")
        if self.reranker == "learned":
            idle |= {"weight", "fusion", "forms", "headings"}
        return {
            f.name: getattr(self, f.name)
            for f in fields(self)
            if f.name not in idle and getattr(self, f.name) != getattr(other, f.name)
        }
