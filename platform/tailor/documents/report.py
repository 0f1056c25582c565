"""What ingestion tells of every file."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from tailor.documents.enriching import Enriched

Status = Literal["indexed", "unchanged", "moved", "removed", "refused", "empty", "duplicate"]


@dataclass(frozen=True)
class FileReport:
    """What became of one file."""

    path: str
    status: Status
    reason: str = ""
    language: str = ""
    passages: int = 0


@dataclass(frozen=True)
class IngestReport:
    """What became of every file, and the generation that is searched from now on."""

    files: tuple[FileReport, ...]
    generation: str
    embedded: int = 0
    """Texts that had to be embedded; the others' vectors were known."""
    stale: tuple[str, ...] = ()
    """A sentence for each piece of the benchmark's evidence that the documents do not hold."""
    quoted: tuple[str, ...] = ()
    """A sentence for each document that holds test questions word for word."""
    enriched: tuple[Enriched, ...] = ()
    """What became of the documents with each enricher of tailor.toml."""

    @property
    def totals(self) -> dict[str, int]:
        """Files by status, passages, and texts that were embedded."""
        by_status = Counter(file.status for file in self.files)
        return {
            "files": sum(n for status, n in by_status.items() if status != "removed"),
            **{status: by_status[status] for status in sorted(by_status)},
            "passages": sum(file.passages for file in self.files),
            "embedded": self.embedded,
        }

    def to_json(self) -> dict[str, Any]:
        """The report as `tailor ingest --json` prints it."""
        return {
            "schema_version": 1,
            "generation": self.generation,
            "files": [asdict(file) for file in self.files],
            "totals": self.totals,
            "stale": list(self.stale),
            "enriched": [one.to_json() for one in self.enriched],
        }
