"""Enrichment: pipelines go through documents that are indexed already, each content once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailor.documents.corpus import indexed
from tailor.documents.embedding import Progress
from tailor.documents.enrichers.enricher import Enricher, Finding
from tailor.documents.enrichments import FILE, EnrichmentStore
from tailor.documents.store import DocumentStore, Record, database
from tailor.documents.walk import within
from tailor.errors import TailorError, first_line

if TYPE_CHECKING:
    from tailor.documents.document import Document

_NAMED = 5
"""Documents named in a sentence."""
_AGAIN = "is indexed without it, and tried again at the next `tailor ingest`"

Apply = Callable[["Document"], tuple[Finding, ...]]


@dataclass(frozen=True)
class Enriched:
    """What became of the documents with one enricher."""

    name: str
    task: str
    model: str
    done: int = 0
    """Documents it went through now."""
    known: int = 0
    """Documents it had been through before."""
    failed: tuple[tuple[str, str], ...] = ()
    """Path and reason of each document without its findings."""

    @property
    def sentences(self) -> tuple[str, ...]:
        """One for each reason, with the documents that have it."""
        by_reason: dict[str, list[str]] = {}
        for path, reason in self.failed:
            by_reason.setdefault(reason, []).append(path)
        return tuple(self._sentence(reason, paths) for reason, paths in by_reason.items())

    def _sentence(self, reason: str, paths: Sequence[str]) -> str:
        more = len(paths) - _NAMED
        named = ", ".join(paths[:_NAMED]) + (f" and {more} more" if more > 0 else "")
        each = f"each {_AGAIN}" if len(paths) > 1 else f"it {_AGAIN}"
        return f"Enricher {self.name} ({self.task}) failed for {named}; {each}: {reason}"

    def to_json(self) -> dict[str, Any]:
        """As `tailor ingest --json` prints it."""
        return {
            "name": self.name, "task": self.task, "model": self.model, "done": self.done,
            "known": self.known,
            "failed": [{"path": path, "reason": reason} for path, reason in self.failed],
        }  # fmt: skip


def enrich(
    state: Path,
    enrichers: Sequence[Enricher],
    only: Collection[str] | None = None,
    progress: Progress | None = None,
) -> tuple[Enriched, ...]:
    """Have every enricher go through the indexed documents that it does not know yet.

    With ``only``, through these files and folders. What was found is kept after each document, so
    that an interruption costs one. Where there are no enrichers, none is on from now on. A
    document or a model that fails is reported; nothing is refused for it.

    Raises:
        TailorError: what was found cannot be kept.
    """
    if not enrichers and not (state / FILE).exists():
        return ()
    marks = [one.fingerprint for one in enrichers]
    with database(state / FILE) as connection, database(state / "documents.db") as read:
        store, texts = EnrichmentStore(connection), DocumentStore(read)
        store.turn_on(zip(enrichers, marks, strict=True))
        records = indexed(state) if enrichers else {}
        chosen = {p: r for p, r in records.items() if only is None or within(p, only)}
        return tuple(
            _through(one, mark, chosen, store, texts, progress)
            for one, mark in zip(enrichers, marks, strict=True)
        )


def _through(
    enricher: Enricher,
    mark: str,
    records: Mapping[str, Record],
    store: EnrichmentStore,
    texts: DocumentStore,
    progress: Progress | None,
) -> Enriched:
    apply: Apply | None = None
    broken, done, known = "", 0, 0
    failed: list[tuple[str, str]] = []
    for number, (path, record) in enumerate(records.items(), 1):
        if store.known(mark, record.digest):
            known += 1
            continue
        if progress is not None:
            progress("enriching", number - 1, len(records))
        try:
            if broken:
                raise TailorError(broken)
            apply = apply or pipeline(enricher)
            store.put(mark, record.digest, apply(texts.whole(record).document))
            done += 1
        except Exception as error:  # a model and its tokenizer raise about anything
            reason = _reason(error)
            broken = "" if apply else reason
            failed.append((path, reason))
    if progress is not None and (done or failed):
        progress("enriching", len(records), len(records))
    return Enriched(enricher.name, enricher.task, enricher.model, done, known, tuple(failed))


def pipeline(enricher: Enricher) -> Apply:
    """What an enricher does to a document, with its model loaded.

    Raises:
        TailorError: the model cannot be had or read, or is one for something else.
    """
    from tailor.documents.enrichers.classified import classified
    from tailor.documents.enrichers.entities import entities
    from tailor.documents.enrichers.loading import Kind, load
    from tailor.documents.enrichers.summary import summary
    from tailor.documents.enrichers.translation import translation

    kinds: Mapping[str, Kind] = {
        "entities": "TokenClassification",
        "language": "SequenceClassification",
        "sentiment": "SequenceClassification",
    }
    ways = {
        "entities": entities, "language": classified, "sentiment": classified,
        "summary": summary, "translation": translation,
    }  # fmt: skip
    loaded = load(enricher.path, kinds.get(enricher.task, "writing"))
    return lambda document: ways[enricher.task](loaded, enricher, document)


def _reason(error: Exception) -> str:
    if isinstance(error, TailorError):
        return str(error)
    first = first_line(error)
    return f"the model failed ({first})."
