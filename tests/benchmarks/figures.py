"""All figures in one go: Tailor beside its peers, or beside a limit where it has none here.

    python tests/benchmarks/figures.py PEERS_AND_INDEXES [--only ingestion serving ...] [--small]
        [--rounds 5] [--passages 10000] [--peers llama_index inspect_ai promptfoo]
        [--corpus FOLDER] [-o docs/figures.md]

Parts: ingestion (P1 to P3), questions (P4, P5), retrieval (P6), search (P7), start (P8), training
(P9), serving (P10). Peers are installed below the folder PEERS_AND_INDEXES, each in an environment
of its own; LangChain alone is always measured. The indexes of `search` are kept there, too. Every
part runs in a process of its own and replaces the section of its name in the Markdown file: date,
machine, versions, load, and medians with the least and the most. Ratios are Tailor's over the
peer's within a round. Without `--corpus` the documents that are ingested are generated.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from figure import HEAD, Figure
from measured_figures import PARTS, Size
from peers import PACKAGES, Peer, peer

ROOT = Path(__file__).parents[2]
PACKAGES_OF_OURS = (
    "llm-tailor", "langchain", "langchain-core", "langchain-chroma", "chromadb", "torch", "trl",
    "fastapi", "streamlit",
)  # fmt: skip
BELOW = "<!-- Below: written by tests/benchmarks/figures.py. -->"


def size(given: argparse.Namespace) -> Size:
    """How much is to be measured."""
    small: bool = given.small
    return Size(
        rounds=given.rounds or (2 if small else 5),
        passages=given.passages or (1000 if small else 10_000),
        corpus=given.corpus,
        questions=100 if small else 500,
        searched=800 if small else 3000,
        latency=(1000,) if small else (10_000, 100_000),
        kept=given.home,
        tokens=3000 if small else 12_000,
        runs=8 if small else 100,
        seconds=3 if small else 10,
    )


def section(
    name: str, found: Sequence[Figure], began: datetime, loads: Sequence[float], how: Size
) -> str:
    """Markdown: when, where, and the table."""
    columns = [
        at for at in range(len(HEAD)) if any(figure.cells()[at] for figure in found)
    ]  # CPU-seconds are not told of all
    lines = [
        f"### {name}",
        "",
        f"{began:%Y-%m-%d %H:%M} UTC; {os.cpu_count()} cores, load {loads[0]:.1f} at the start and "
        f"{loads[1]:.1f} at the end; {how.rounds} rounds.",
        "",
        _line([HEAD[at] for at in columns]),
        "|" + " --- |" * len(columns),
        *(_line([figure.cells()[at] for at in columns]) for figure in found),
    ]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def setting(peers: Mapping[str, Peer], corpus: Path | None) -> str:
    """Versions of everything, and the peers that are missing."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    ours = ", ".join(f"{package} {version(package)}" for package in PACKAGES_OF_OURS)
    told = [
        f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} cores, {memory:.0f} GiB; {ours}."
    ]
    for each in peers.values():
        told.append(
            f"{each.name} {each.version}." if each.program else f"No {each.name}: {each.reason}."
        )
    if corpus:
        told.append(f"Ingested: the Markdown files of {corpus.name}.")
    return "### setting\n\n" + "\n".join(f"- {line}" for line in told) + "\n"


def replaced(page: Path, name: str, text: str) -> None:
    """Put a section below the mark, in the place of the one of the same name."""
    above, _, below = (page.read_text("utf-8") if page.exists() else "").partition(BELOW)
    kept = {
        part.partition("\n")[0].removeprefix("### "): part
        for part in re.split(r"^(?=### )", below, flags=re.MULTILINE)
        if part.startswith("### ")
    }
    kept[name] = text
    ordered = [kept[each].strip() for each in ("setting", *PARTS) if each in kept]
    whole = f"{above.rstrip()}\n\n{BELOW}\n\n" + "\n\n".join(ordered) + "\n"
    page.write_text(whole.lstrip(), "utf-8")


def measured(name: str, how: Size, peers: Mapping[str, Peer], page: Path) -> None:
    """One part, in this process."""
    began, before = datetime.now(UTC), os.getloadavg()[0]
    found = list(PARTS[name](how, peers))
    text = section(name, found, began, (before, os.getloadavg()[0]), how)
    replaced(page, name, text)
    sys.stdout.write(text)


def main() -> int:
    """1 where a part failed; the others are measured all the same."""
    parser = argparse.ArgumentParser(description="Measure all figures.")
    parser.add_argument("home", type=Path, metavar="PEERS_AND_INDEXES")
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--peers", nargs="*", choices=list(PACKAGES), default=[])
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--passages", type=int, help="of the generated documents")
    parser.add_argument("-o", type=Path, default=ROOT / "docs" / "figures.md", dest="page")
    parser.add_argument("--part", choices=list(PARTS), help=argparse.SUPPRESS)
    given = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    given.home = given.home.resolve()
    found = {name: peer(name, given.home / "peers") for name in given.peers}
    if given.part:
        there = {name: one for name, one in found.items() if one.program}
        measured(given.part, size(given), there, given.page)
        return 0
    replaced(given.page, "setting", setting(found, given.corpus))
    failed = []
    for name in given.only:
        command = [sys.executable, __file__, *sys.argv[1:], "--part", name]
        if subprocess.run(command, check=False).returncode:
            failed.append(name)
    if failed:
        sys.stderr.write(f"Not measured: {', '.join(failed)}. The reasons stand above.\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
