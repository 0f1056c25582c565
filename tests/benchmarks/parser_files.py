"""What becomes of every file of a folder: counts by format, reasons, the slowest, peak memory.

    python tests/benchmarks/parser_files.py FOLDER [--list] [--processes N]

Every file is parsed in the box, as by `tailor ingest`. With ``--list`` each file is printed with
its status and reason. The exit status is 1 where a parser crashed, was too slow or ran out of
memory, or used more than the limit.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from rich.console import Console

from tailor.documents.box import Box
from tailor.documents.document import Document, read_bytes
from tailor.documents.recordings import SUFFIXES
from tailor.documents.refusal import Refused
from tailor.documents.walk import File, files

console = Console(markup=False, highlight=False, soft_wrap=True)
LIMITS = ("took longer than", "needs more than", "the parser crashed")


@dataclass(frozen=True)
class Result:
    """What became of one file."""

    path: str
    status: str
    reason: str
    seconds: float
    documents: int = 0
    inside: tuple[str, ...] = ()
    """What became of documents in it that were not read."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 1 where a file broke a limit."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--processes", type=int, default=1)
    given = parser.parse_args(arguments)
    found = list(files(given.folder))
    began = time.monotonic()
    with Box(processes=given.processes) as box:
        with ThreadPoolExecutor(given.processes) as pool:
            results = list(pool.map(lambda file: read(file, box), found))
        box.close()
    took = time.monotonic() - began
    if given.list:
        for result in results:
            console.print(
                f"{result.status:8} {result.seconds:6.2f} s  {result.path!r}  {result.reason}"
            )
            for line in result.inside:
                console.print(f"{'':19}{line}")
    print_counts(results)
    console.print("\nreasons, without what is particular to one file:")
    reasons = Counter((r.status, r.reason.split(" (")[0][:110]) for r in results if r.reason)
    for (status, reason), number in reasons.most_common():
        console.print(f"{number:5}  {status:8} {reason}")
    console.print("\nslowest:")
    for result in sorted(results, key=lambda result: -result.seconds)[:8]:
        console.print(f"{result.seconds:7.2f} s  {result.status:8} {result.path}")
    bad = [r for r in results if r.reason.startswith(LIMITS)]
    peak = box.peak >> 20
    console.print(f"\n{len(results)} files in {took:.1f} s; peak memory of a process {peak} MB; "
          f"{len(bad)} broke a limit")  # fmt: skip
    return int(bool(bad) or box.peak > box.limits.memory)


def read(file: File, box: Box) -> Result:
    """One file, as ingestion would read it."""
    began = time.monotonic()
    if file.refusal:
        return Result(file.path, "refused", file.refusal, 0.0)
    if PurePosixPath(file.path).suffix.lower() in SUFFIXES:
        return Result(file.path, "refused", "a recording", 0.0)
    try:
        got = box.read(file.path, read_bytes(file.real))
    except Refused as refused:
        return Result(file.path, refused.status, refused.reason, time.monotonic() - began)
    read = [one for one in got if isinstance(one, Document)]
    notes = "; ".join(one.note for one in read if one.path == file.path and one.note)
    inside = tuple(f"{one.path}: {one.reason}" for one in got if not isinstance(one, Document))
    status = "indexed" if read else "refused"
    return Result(file.path, status, notes, time.monotonic() - began, len(read), inside)


def print_counts(results: Sequence[Result]) -> None:
    """Files by suffix and status."""
    counts = Counter((PurePosixPath(r.path).suffix.lower() or "none", r.status) for r in results)
    statuses = ("indexed", "refused", "empty")
    console.print(f"{'format':10}" + "".join(f"{status:>9}" for status in statuses))
    for suffix in sorted({suffix for suffix, _ in counts}):
        console.print(
            f"{suffix:10}" + "".join(f"{counts[suffix, status]:9}" for status in statuses)
        )
    totals = Counter(result.status for result in results)
    console.print(f"{'all':10}" + "".join(f"{totals[status]:9}" for status in statuses))
    console.print(f"documents: {sum(result.documents for result in results)}")


if __name__ == "__main__":
    sys.exit(main())
