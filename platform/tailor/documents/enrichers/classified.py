"""Language and sentiment: a label for each piece, by the text classification pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tailor.documents.enrichers.enricher import Enricher, Finding
from tailor.documents.enrichers.pieces import paragraphs, pieces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailor.documents.document import Document
    from tailor.documents.enrichers.loading import Loaded

_TOKENS = 128
"""Of a piece, which may be several short paragraphs of one tone, but never of two languages."""


def classified(loaded: Loaded, enricher: Enricher, document: Document) -> tuple[Finding, ...]:
    """The likeliest label of each piece of the document."""
    from transformers import TextClassificationPipeline

    most = min(enricher.tokens or _TOKENS, loaded.longest)
    parted = paragraphs(document) if enricher.task == "language" else document
    spans = pieces(parted, most, loaded.count)
    pipeline: Any = TextClassificationPipeline(  # type: ignore[no-untyped-call]
        model=loaded.model, tokenizer=loaded.tokenizer, device=loaded.model.device
    )
    texts = [document.text[start:end] for start, end in spans]
    found: Sequence[dict[str, object]] = pipeline(texts, batch_size=loaded.batch, truncation=True)
    kept = []
    for (start, end), one in zip(spans, found, strict=True):
        label, score = str(one["label"]), round(float(str(one["score"])), 4)
        value = enricher.labels.get(label, label)
        if score >= enricher.least and (not enricher.only or value in enricher.only):
            kept.append(Finding(start, end, value, score=score))
    return tuple(kept)
