"""A summary of the whole document: of its parts first, where it is long, then of these."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tailor.documents.document import Place
from tailor.documents.enrichers.enricher import Enricher, Finding
from tailor.documents.enrichers.pieces import pieces
from tailor.documents.enrichers.writer import CUT, Writer

if TYPE_CHECKING:
    from tailor.documents.document import Document
    from tailor.documents.enrichers.loading import Loaded

_TOKENS = 900
_MAX_TOKENS = 96
_ROUNDS = 4
"""Times that summaries are summarised; what is left then stands side by side."""
_INSTRUCTION = {
    "en": "Summarise the text in at most three sentences. Reply with the summary alone.",
    "vi": "Hãy tóm tắt văn bản trong nhiều nhất ba câu. Chỉ trả lời bằng bản tóm tắt.",
}


def summary(loaded: Loaded, enricher: Enricher, document: Document) -> tuple[Finding, ...]:
    """One finding about all of the document; none where the model writes nothing."""
    instruction = _INSTRUCTION.get(document.language, _INSTRUCTION["en"])
    max_tokens = enricher.max_tokens or _MAX_TOKENS
    writer = Writer(loaded, enricher.prompt, instruction, max_tokens)
    most = min(enricher.tokens or _TOKENS, writer.room)
    part = document
    for _ in range(_ROUNDS):
        spans = pieces(part, most, loaded.count)
        written = writer.write([part.text[start:end] for start, end in spans])
        if len(written) <= 1:
            break
        text = "\n\n".join(filter(None, (one.removesuffix(CUT) for one in written)))
        if len(text) >= len(part.text):  # it writes more than it reads
            break
        part = replace(part, text=text, places=(Place("", 0, len(text)),))
    value = "\n".join(filter(None, written))
    return (Finding(0, len(document.text), value),) if value else ()
