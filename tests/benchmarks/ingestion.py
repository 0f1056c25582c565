"""What ingestion costs, beside plain LangChain doing the same with the same embedder.

    python tests/benchmarks/ingestion.py KNOWLEDGE_FOLDER [--rounds 5] [--characters 700]

Every round runs, as processes of their own and one after the other: the first ingestion by Tailor
and by `plain_langchain.py rebuild`; then, with a sentence added to one file in a hundred, Tailor
and LangChain's `index()`; then Tailor and `index()` with nothing changed. Figures are CPU-seconds
of the whole process and its children, imports included; ratios are taken within a round, and
medians are shown. Both get the folder's Markdown files alone, which is all the script can read.
Tailor parses them in processes with limits, keeps texts, places and exact offsets, and builds two
indexes; LangChain builds one. LangChain's passages are of equal size, 150 tokens of the embedder at
most, or with `--characters` of so many characters, which spares it the counting of tokens.
"""

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tailor.documents import generation, parts
from tailor.documents.passages import Splitter

PEER = Path(__file__).with_name("plain_langchain.py")
TAILOR = "from tailor.cli.main import main; main()"


@dataclass(frozen=True)
class Taken:
    """What a process took, and what it printed."""

    cpu: float
    wall: float
    megabytes: float
    said: Mapping[str, Any]


def measured(*command: str) -> Taken:
    """Run a Python process and read its last line as JSON, or all it printed."""
    started = time.perf_counter()
    with tempfile.TemporaryFile() as out:
        child = subprocess.Popen([sys.executable, *command], stdout=out, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - started
        out.seek(0)
        printed = out.read().decode()
    if child.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {child.returncode}: run it alone.")
    return Taken(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024, json.loads(printed))


def change(knowledge: Path, seed: int) -> int:
    """Add a sentence in the middle of one Markdown file in a hundred."""
    files = sorted(knowledge.rglob("*.md"))
    changed = random.Random(seed).sample(files, max(1, len(files) // 100))
    for file in changed:
        paragraphs = file.read_text("utf-8").split("\n\n")
        paragraphs[len(paragraphs) // 2] += f" This was added in round {seed}."
        file.write_text("\n\n".join(paragraphs), "utf-8")
    return len(changed)


def texts(state: Path) -> set[str]:
    """The passages of the current index."""
    folder = generation.current(state)
    assert folder is not None
    return parts.vector_keys(folder / "passages.db")


@contextmanager
def workshop(knowledge: Path) -> Iterator[Path]:
    """A folder with a copy of the Markdown files, deleted afterwards."""
    with tempfile.TemporaryDirectory(prefix="ingestion-") as folder:
        for file in knowledge.rglob("*.md"):
            copy = Path(folder) / "knowledge" / file.relative_to(knowledge)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
        yield Path(folder)


def tailor(folder: Path) -> Taken:
    """Ingest with Tailor."""
    return measured("-c", TAILOR, "ingest", "--json", "-w", str(folder))


def langchain(how: str, folder: Path, size: Sequence[str]) -> Taken:
    """Ingest with LangChain alone."""
    (folder / how).mkdir(exist_ok=True)
    return measured(str(PEER), how, str(folder / "knowledge"), str(folder / how), *size)


def one_round(folder: Path, number: int, size: Sequence[str]) -> dict[str, tuple[Taken, Taken]]:
    """Every case once, by Tailor and by LangChain."""
    for state in (".tailor", "rebuild"):
        shutil.rmtree(folder / state, ignore_errors=True)
    first = tailor(folder), langchain("rebuild", folder, size)
    before = texts(folder / ".tailor")
    files = change(folder / "knowledge", number)
    changed = tailor(folder), langchain("index", folder, size)
    new = len(texts(folder / ".tailor") - before)
    unchanged = tailor(folder), langchain("index", folder, size)
    embedded = changed[0].said["totals"]["embedded"]
    Console(stderr=True).print(
        f"round {number}: {first[0].said['totals']['passages']} and {first[1].said['passages']} "
        f"passages; {files} files changed, {new} passages with them, embedded again {embedded} "
        f"and {changed[1].said['embedded']}"
    )
    return {"first ingestion": first, "1 % changed": changed, "unchanged": unchanged}


def main() -> None:
    """Print one row per case."""
    parser = argparse.ArgumentParser(description="Measure ingestion.")
    parser.add_argument("knowledge", type=Path, metavar="KNOWLEDGE_FOLDER")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--characters", type=int)
    arguments = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    if arguments.characters:
        size = ["--size", str(arguments.characters)]
    else:
        size = ["--size", str(Splitter().size), "--tokens"]
    with workshop(arguments.knowledge) as folder:
        langchain("index", folder, size)
        rounds = [one_round(folder, n, size) for n in range(arguments.rounds)]
    table = Table("case", "CPU s: Tailor", "LangChain", "ratio", "wall s: Tailor", "LangChain",
                  "MB: Tailor", "LangChain")  # fmt: skip
    for case in rounds[0]:
        pairs = [measurements[case] for measurements in rounds]
        columns = [
            statistics.median(getattr(pair[side], what) for pair in pairs)
            for what in ("cpu", "wall", "megabytes")
            for side in (0, 1)
        ]
        ratio = statistics.median(ours.cpu / theirs.cpu for ours, theirs in pairs)
        cpu, wall, memory = columns[:2], columns[2:4], columns[4:]
        table.add_row(
            case,
            *(f"{value:.2f}" for value in cpu),
            f"{ratio:.2f}",
            *(f"{value:.2f}" for value in wall),
            *(f"{value:.0f}" for value in memory),
        )
    table.title = f"medians of {arguments.rounds} rounds"
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
