"""The documents as they were last ingested: their texts, and which of them are searched."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tailor.documents import generation
from tailor.documents.store import DocumentStore, Record, database, unique
from tailor.errors import TailorError


def documents(state: Path) -> Mapping[str, str]:
    """The texts of all readable documents by path, copies included."""
    with database(state / "documents.db") as connection:
        records = DocumentStore(connection).records()
    return {path: record.text for path, record in records.items() if record.status == "ok"}


def indexed(state: Path) -> dict[str, Record]:
    """The documents that are indexed, by path, their texts left in the store; no copies."""
    with database(state / "documents.db") as connection:
        return unique(DocumentStore(connection).files())[0]


def searched(state: Path) -> dict[str, Record]:
    """As `indexed`, where those are the documents of the current generation.

    While an ingestion goes on, or where one was stopped, some are newer than others: no index is
    made of such a mixture.

    Raises:
        TailorError: that is so; the message names the process that ingests, if one does.
    """
    records = indexed(state)
    if _current_documents(state) == generation.documents_digest(records):
        return records
    with generation.lock(state):
        records = indexed(state)
        if _current_documents(state) == generation.documents_digest(records):
            return records
    raise TailorError(
        "Some documents were read that are not in the index yet, for the last ingestion was "
        "stopped: run `tailor ingest` to finish it."
    )


def _current_documents(state: Path) -> str | None:
    folder = generation.current(state)
    return generation.Manifest.read(folder).documents if folder is not None else None
