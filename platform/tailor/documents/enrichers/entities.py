"""Named entities, each where it stands, by the token classification pipeline."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from tailor.documents.enrichers.enricher import Enricher, Finding
from tailor.documents.enrichers.pieces import pieces
from tailor.text import nfc

if TYPE_CHECKING:
    from tailor.documents.document import Document
    from tailor.documents.enrichers.loading import Loaded

_TOKENS = 256
_NAME = re.compile(r"\w(?:.*\w)?", re.DOTALL)
"""What is left of a name without signs around it, which tokenizers without word borders add."""


def entities(loaded: Loaded, enricher: Enricher, document: Document) -> tuple[Finding, ...]:
    """The names in the document with their kinds, in the order of the text."""
    from transformers import TokenClassificationPipeline

    most = min(enricher.tokens or _TOKENS, loaded.longest)
    spans = pieces(document, most, loaded.count)
    pipeline: Any = TokenClassificationPipeline(  # type: ignore[no-untyped-call]
        model=loaded.model,
        tokenizer=loaded.tokenizer,
        device=loaded.model.device,
        # Whole words: parts of one that the model labels differently are no names.
        aggregation_strategy="first" if loaded.tokenizer.is_fast else "simple",
    )
    # Without word borders, only a space parts words.
    texts = [re.sub(r"\s", " ", document.text[start:end]) for start, end in spans]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of a tokenizer without word borders
        found = pipeline(texts, batch_size=loaded.batch)
    named = [
        _findings(group, start, end, enricher, document.text)
        for (start, end), group in zip(spans, found, strict=True)
    ]
    placed = loaded.tokenizer.is_fast  # others do not say where their tokens stand
    return tuple(one for group in named for one in (_apart(group) if placed else group))


def _apart(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Without those inside others: tokens of single bytes name a part of a letter's word again."""
    reached = -1
    for one in sorted(findings, key=lambda one: (one.start, -one.end)):
        if one.start >= reached:
            reached = one.end
            yield one


def _findings(
    group: list[dict[str, Any]], start: int, end: int, enricher: Enricher, text: str
) -> Iterator[Finding]:
    for one in group:
        label = enricher.labels.get(one["entity_group"], one["entity_group"])
        score = round(float(one["score"]), 4)
        if score < enricher.least or (enricher.only and label not in enricher.only):
            continue
        placed = one["start"] is not None
        first = start + int(one["start"]) if placed else start
        whole = text[first : start + int(one["end"])] if placed else nfc(one["word"])
        if name := _NAME.search(whole):
            last = first + name.end() if placed else end
            first += name.start() if placed else 0
            yield Finding(first, last, " ".join(name[0].split()), label, score)
