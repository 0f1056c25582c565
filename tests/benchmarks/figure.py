"""One line of the table of figures: what Tailor takes beside a peer or a limit."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

HEAD = (
    "figure", "unit", "Tailor", "peer", "the peer's", "ratio", "n", "CPU-s", "the peer's CPU-s",
    "ratio of CPU-s", "note",
)  # fmt: skip
TAILOR = (sys.executable, "-c", "from tailor.cli.main import main; main()")


@dataclass(frozen=True)
class Took:
    """One measurement: its value in the figure's unit, CPU-seconds, and what was printed."""

    value: float
    cpu: float | None = None
    said: str = ""


@dataclass(frozen=True)
class Figure:
    """Measurements of both sides; those at the same place are of the same round."""

    name: str
    unit: str
    ours: Sequence[Took]
    peer: str
    theirs: Sequence[Took]
    note: str = ""

    def cells(self) -> tuple[str, ...]:
        """The line of the table; ratios are medians of the rounds' ratios."""
        pairs = list(zip(self.ours, self.theirs, strict=True))
        cpu = [a.cpu / b.cpu for a, b in pairs if a.cpu is not None and b.cpu]
        return (
            self.name,
            self.unit,
            spread([took.value for took in self.ours]),
            self.peer,
            spread([took.value for took in self.theirs]),
            f"{median(a.value / b.value for a, b in pairs):.2f}",
            str(len(pairs)),
            spread([took.cpu for took in self.ours if took.cpu is not None]),
            spread([took.cpu for took in self.theirs if took.cpu is not None]),
            f"{median(cpu):.2f}" if cpu else "",
            self.note,
        )


def beside_limit(
    name: str, unit: str, ours: Sequence[Took], limit: float, note: str = ""
) -> Figure:
    """A figure that has no peer here."""
    return Figure(name, unit, ours, "limit", [Took(limit)] * len(ours), note)


def spread(values: Sequence[float]) -> str:
    """Median, least and most; one value where they are the same; three digits that count."""
    if not values:
        return ""
    shown = [_short(value) for value in (median(values), min(values), max(values))]
    return shown[0] if len(set(shown)) == 1 else f"{shown[0]} ({shown[1]}–{shown[2]})"


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def process(
    *command: str | Path, environment: Mapping[str, str] | None = None, ends: Sequence[int] = (0,)
) -> Took:
    """Wall seconds and CPU-seconds of a process and its children, with what it printed."""
    # Bytecode is kept, as it is where a package is installed.
    inherited = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as complaints:
        started = time.perf_counter()
        child = subprocess.Popen(
            [str(part) for part in command],
            stdout=out,
            stderr=complaints,
            env={**inherited, **(environment or {})},
        )
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        for file in (out, complaints):
            file.seek(0)
        said, complained = out.read().decode(), complaints.read().decode()
    if child.returncode not in ends:
        raise SystemExit(
            f"{' '.join(map(str, command))} ended with {child.returncode}: {complained[-500:]}"
        )
    return Took(wall, usage.ru_utime + usage.ru_stime, said)
