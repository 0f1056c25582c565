"""Documents from other places than the folder, such as a wiki: what changed there."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tailor.documents.document import Document, Unread
from tailor.documents.reading import STAYS
from tailor.documents.report import FileReport, Status
from tailor.documents.store import Record
from tailor.errors import TailorError

if TYPE_CHECKING:
    from tailor.documents.sources import Source

MARK = "//"
"""Starts the ``file`` of records that came from a source; no file is named so."""


@dataclass(frozen=True)
class Collected:
    """The records and reports of all sources, by path."""

    records: dict[str, Record]
    reports: dict[str, FileReport]


def collect(
    sources: Sequence[Source], before: Mapping[str, Record], taken: Collection[str]
) -> Collected:
    """Ask every source for its documents; one that fails keeps those it gave before.

    ``taken`` are the paths of files; a document of the same name is refused.
    """
    records: dict[str, Record] = {}
    reports: dict[str, FileReport] = {}
    for source in sources:
        origin = MARK + source.name
        former = {path: r for path, r in before.items() if r.file == origin}
        try:
            found = list(source.load())
        except TailorError as error:
            reason = f"{error} {STAYS[0].upper()}{STAYS[1:]}." if former else str(error)
            reports[source.name] = FileReport(source.name, "refused", reason)
            records |= former
            continue
        for one in found:
            path = one.path
            if path in taken or path in records:
                reason = "another document has the same name"
                reports.setdefault(path, FileReport(path, "refused", reason))
                continue
            new = _record(one, origin)
            known = former.get(path)
            same = known is not None and _content(known) == _content(new)
            records[path] = known if known is not None and same else new
            status: Status = "unchanged" if same else "indexed"
            shown = new.status if new.status in ("refused", "empty") else status
            reports[path] = FileReport(path, shown, new.reason, new.language)
    return Collected(records, reports)


def _content(record: Record) -> tuple[object, ...]:
    return record.status, record.reason, record.digest


def _record(one: Document | Unread, origin: str) -> Record:
    if isinstance(one, Unread):
        return Record(one.path, "", 0, 0, one.status, one.reason, file=origin)
    return Record(
        one.path,
        one.sha256,
        len(one.text.encode()),
        0,
        "ok",
        reason=one.note,
        text=one.text,
        places=one.places,
        language=one.language,
        file=origin,
    )
