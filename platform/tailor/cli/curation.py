"""The curation report on the terminal, for ``tailor ingest --report``."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from tailor.documents.curation import SHORT, STATUSES
from tailor.documents.sensitive import SECRETS, Kind

if TYPE_CHECKING:
    from tailor.documents.curation import CurationReport

ROWS = 10
"""Lines shown of each list; ``--json`` gives all."""

NAMES: dict[Kind, str] = {
    "private_key": "private keys",
    "api_key": "keys of services",
    "token": "tokens and secrets",
    "password": "passwords",
    "card": "payment cards",
    "iban": "bank accounts (IBAN)",
    "bank_account": "bank accounts",
    "identity": "identity numbers",
    "phone": "phone numbers",
    "email": "e-mail addresses of persons",
}


def show(report: "CurationReport") -> None:
    """Print what somebody should look at, each list with its most important lines first."""
    from tailor.cli.common import stdout
    from tailor.scoring.format import count, percent

    console = stdout()
    for line in summary(report):
        console.print(line, soft_wrap=True, markup=False)
    _list("Files to look at", ("files", "for example", "why", "what to do"), _advised(report))
    _list("The same text", ("kept", "copies"), [(g[0], ", ".join(g[1:])) for g in report.same])
    near = [(percent(p.similarity), p.first, p.second) for p in report.near]
    _list("Nearly the same text", ("alike", "document", "document"), near)
    repeated = [
        (str(r.documents), f"{r.example}:{r.line}", " ⏎ ".join(r.text.split("\n")))
        for r in report.repeated
    ]
    _list("Repeated in many documents", ("documents", "for example", "text"), repeated)
    short = [(e.path, str(e.words)) for e in report.short]
    _list(f"Fewer than {SHORT} words", ("document", "words"), short)
    _sensitive(report)
    aged = [(e.modified[:10], e.path) for e in report.oldest]
    aged += [(e.modified[:10], e.path) for e in reversed(report.newest) if e not in report.oldest]
    _list("Oldest and newest files", ("changed", "file"), aged)
    largest = sorted(report.entries, key=lambda e: (-e.tokens, e.path))
    tokens = [(count(e.tokens), e.path) for e in largest if e.tokens]
    _list("Most tokens", ("tokens", "document"), tokens[:5])


def _advised(report: "CurationReport") -> list[tuple[str, str, str, str]]:
    """Files that are not in the index as they should be, those of one cause together."""
    alike: dict[tuple[str, str], list[str]] = defaultdict(list)
    for entry in report.entries:
        if entry.what_to_do and entry.status != "duplicate":
            alike[entry.reason or entry.cause, entry.what_to_do].append(entry.path)
    rows = [(str(len(f)), f[0], why, remedy) for (why, remedy), f in alike.items()]
    return sorted(rows, key=lambda row: (-int(row[0]), row[1]))


def summary(report: "CurationReport") -> list[str]:
    """What there is, in three lines."""
    from tailor.scoring.format import UNKNOWN, count

    totals = report.totals
    files = ", ".join(f"{count(totals[status])} {status}" for status in STATUSES if totals[status])
    languages = ", ".join(f"{count(n)} {code}" for code, n in totals["languages"].items())
    return [
        f"Files: {count(totals['files'])} ({files})",
        f"Languages: {languages or UNKNOWN}",
        f"Passages: {count(totals['passages'])}, words: {count(totals['words'])}, "
        f"tokens: {count(totals['tokens'])}",
    ]


def _sensitive(report: "CurationReport") -> None:
    """A list for each kind: how many, in which documents and lines."""
    from tailor.scoring.format import count

    by_kind = defaultdict(list)
    for item in report.sensitive:
        by_kind[item.kind].append(item)
    for kind, items in by_kind.items():
        times = count(sum(item.count for item in items))
        what = "Likely secrets" if kind in SECRETS else "Likely personal data"
        rows = [
            (item.document, str(item.count), ", ".join(map(str, item.lines)), item.example)
            for item in items
        ]
        title = f"{what}: {times} {NAMES[kind]}"
        _list(title, ("document", "count", "in lines", "for example"), rows)


def _list(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    from rich.table import Table
    from rich.text import Text

    from tailor.cli.common import stdout

    found = list(rows)
    if not found:
        return
    more = f"… and {len(found) - ROWS} more (--json lists all)" if len(found) > ROWS else None
    table = Table(*columns, title=title, title_justify="left", title_style="bold", caption=more)
    for row in found[:ROWS]:
        table.add_row(*map(Text, row))
    console = stdout()
    console.print()
    console.print(table)
