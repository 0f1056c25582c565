"""Translation between English and Vietnamese, piece by piece."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailor.documents.enrichers.enricher import Enricher, Finding
from tailor.documents.enrichers.pieces import paragraphs, pieces
from tailor.documents.enrichers.writer import Writer
from tailor.text import language

if TYPE_CHECKING:
    from tailor.documents.document import Document
    from tailor.documents.enrichers.loading import Loaded

_TOKENS = 128
"""Of a paragraph at once: most such models have learnt from single sentences."""
_INSTRUCTION = {
    "vi": "Translate the text into Vietnamese. Reply with the translation alone.",
    "en": "Hãy dịch văn bản sang tiếng Anh. Chỉ trả lời bằng bản dịch.",
}


def translation(loaded: Loaded, enricher: Enricher, document: Document) -> tuple[Finding, ...]:
    """The pieces that are not in the language asked for, in it."""
    source = "en" if enricher.to == "vi" else "vi"
    most = enricher.tokens or _TOKENS
    max_tokens = enricher.max_tokens or 2 * most
    writer = Writer(loaded, enricher.prompt, _INSTRUCTION[enricher.to], max_tokens)
    spans = [
        (start, end)
        for start, end in pieces(paragraphs(document), min(most, writer.room), loaded.count)
        if language(document.text[start:end]) == source
    ]
    texts = [document.text[start:end] for start, end in spans]
    written = writer.write(texts, source, enricher.to)
    return tuple(
        Finding(start, end, value)
        for (start, end), value in zip(spans, written, strict=True)
        if value
    )
