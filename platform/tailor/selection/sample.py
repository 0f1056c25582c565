"""A workspace's own text by language, to count tokens on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tailor.errors import TailorError
from tailor.text import language, words

if TYPE_CHECKING:
    from tailor.workspace import Workspace

MOST = 300
"""Passages and questions of each language that are counted, evenly spread."""


@dataclass(frozen=True)
class Sample:
    """Texts of one language."""

    texts: tuple[str, ...]
    words: int
    """Of all of them."""
    passage_words: float
    """Of a passage, the mean; 0 where nothing was ingested."""


def samples(workspace: Workspace) -> Mapping[str, Sample]:
    """Passages and questions of the workspace by language; empty where it has neither."""
    passages = _passages(workspace)
    found: dict[str, Sample] = {}
    for lang in ("en", "vi"):
        own = _some([text for text in passages if language(text) == lang])
        asked = _some([text for text in _questions(workspace) if language(text) == lang])
        texts = (*own, *asked)
        if texts:
            lengths = [len(words(text)) for text in own]
            mean = sum(lengths) / len(lengths) if lengths else 0.0
            found[lang] = Sample(texts, sum(len(words(text)) for text in texts), mean)
    return found


def _passages(workspace: Workspace) -> list[str]:
    if workspace.generation is None:
        return []
    return [passage.text for passage in workspace.index().passages()]


def _questions(workspace: Workspace) -> list[str]:
    try:
        return [q.question for q in workspace.benchmark.questions]
    except TailorError:
        return []


def _some(texts: list[str]) -> list[str]:
    step = max(1, len(texts) // MOST)
    return texts[::step][:MOST]
