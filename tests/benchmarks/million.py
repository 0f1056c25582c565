"""What ingestion and search take at 10,000, 100,000 and a million passages.

    python tests/benchmarks/million.py FOLDER [--passages 10000 100000 1000000] [--questions 200]

The documents are generated (`generated_texts.py`), the encoder is the shipped one. Each size has a
workspace of its own in FOLDER; whatever was interrupted, the writing of the texts, reading,
embedding or building, goes on when the program is called again, and its figures add up. Ingestion
and search run as processes of their own. Peaks are resident memory, in brackets without the files
that are mapped into it, which the system may drop at any moment. Recall of the graph is the share
of the exact ten nearest vectors that it gives among its ten; hybrid recall the same of the whole
search, against all cosines and all BM25 scores. Latency is of whole questions, embedding included.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from generated_texts import SECTIONS, Texts, write
from rich.console import Console
from rich.table import Table

from tailor.documents import generation, index
from tailor.documents.index import Index, open_index
from tailor.models.embedder import embeddings

K = 10
REPEATS = 3
TAILOR = "from tailor.cli.main import main; main()"
PARTS = ("documents.db", "embeddings.db", "passages.db", "vectors.npy", "chroma", "lexical")


def resident(pid: int) -> tuple[float, float]:
    """Peak memory of a process so far, and what of it is no file now, in MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    said = {name: value for name, _, value in (line.partition(":") for line in lines)}
    return tuple(int(said[name].split()[0]) / 1024 for name in ("VmHWM", "RssAnon"))  # type: ignore[return-value]


def watched(command: list[str], log: Path, kept: Path | None = None) -> dict[str, float]:
    """Run a process to its end; gives its wall and CPU seconds and its peaks in MB.

    In the file ``kept`` they are added to those of earlier tries, whatever the end.
    """
    started, peak, anonymous = time.perf_counter(), 0.0, 0.0
    before = os.times()
    with log.open("w") as out:
        child = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL)
        try:
            while child.poll() is None:
                try:
                    now = resident(child.pid)
                    peak, anonymous = max(peak, now[0]), max(anonymous, now[1])
                except (OSError, KeyError):
                    pass  # it has just ended
                time.sleep(0.2)
        finally:
            if child.poll() is None:
                child.terminate()
                child.wait()
    after = os.times()
    cpu = after.children_user + after.children_system
    cpu -= before.children_user + before.children_system
    taken = {
        "wall": time.perf_counter() - started, "cpu": cpu, "peak": peak, "anonymous": anonymous,
    }  # fmt: skip
    if kept is not None:
        taken = added(kept, taken)
    if child.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {child.returncode}: call it again.")
    return taken


def added(kept: Path, taken: dict[str, float]) -> dict[str, float]:
    """What all tries together took."""
    before = json.loads(kept.read_text()) if kept.exists() else {}
    both = {
        name: (max if name in ("peak", "anonymous") else sum)((before.get(name, 0.0), value))
        for name, value in taken.items()
    }
    kept.write_text(json.dumps(both))
    return both


def ingested(home: Path, passages: int) -> dict[str, float]:
    """Write the documents and ingest them, or go on; what it took in all."""
    kept = home / "taken.json"
    write(home / "knowledge", passages // SECTIONS)
    if not (home / ".tailor" / "index" / "current").exists():
        command = [sys.executable, "-c", TAILOR, "ingest", "--json", "-w", str(home)]
        watched(command, home / "ingest.log", kept)
    found: dict[str, float] = json.loads(kept.read_text())
    return found


def disk(home: Path) -> dict[str, float]:
    """Bytes on the disk of each part, by its name."""
    folder = generation.current(home / ".tailor")
    assert folder is not None
    found = dict.fromkeys(PARTS, 0.0)
    for file in [*(home / ".tailor").glob("*.db*"), *folder.rglob("*")]:
        if file.is_file():
            at = file.relative_to(folder if file.is_relative_to(folder) else home / ".tailor")
            name = next((part for part in PARTS if at.parts[0].startswith(part)), "")
            if name:
                found[name] += file.stat().st_size
    return found


def searched(home: Path, questions: int) -> None:
    """Print, as JSON, how fast and how exact search is, and what memory it takes."""
    started = time.perf_counter()
    opened = open_index(home / ".tailor", embeddings("shipped"), "shipped")
    documents = opened.count // SECTIONS
    texts = Texts()
    picked = np.random.default_rng(1).integers(documents, size=questions)
    asked = [texts.question(int(number)) for number in picked]
    opened.search(asked[0], K)
    first = time.perf_counter() - started
    for question in asked[:50]:
        opened.search(question, K)
    runs, found, cpu = [], [], []
    for _ in range(REPEATS):
        took, found, began = [], [], time.process_time()
        for question in asked:
            at = time.perf_counter()
            found.append(opened.search(question, K))
            took.append(1000 * (time.perf_counter() - at))
        cpu.append(1000 * (time.process_time() - began) / len(asked))
        runs.append([float(np.percentile(took, q)) for q in (50, 99)])
    peak, anonymous = resident(os.getpid())
    graph, hybrid = _recalls(opened, asked, found)
    sys.stdout.write(json.dumps({
        "count": opened.count, "first": first, "peak": peak, "anonymous": anonymous,
        "p50": [run[0] for run in runs], "p99": [run[1] for run in runs], "cpu": cpu,
        "graph": graph, "hybrid": hybrid,
    }))  # fmt: skip


def _recalls(opened: Index, asked: list[str], found: list[Any]) -> tuple[float, float]:
    """Of the graph's ten nearest, and of the whole search's ten best; with exact search 1 and 1."""
    compared = index._COMPARED
    by_graph, by_search = [], []
    for question, got in zip(asked, found, strict=True):
        index._COMPARED = 0
        near = opened.candidates(question, 0.0, n=K).dense_ranks.keys()
        index._COMPARED = opened.count
        exact = opened.candidates(question, 0.0, n=K).dense_ranks.keys()
        best = {(p.document, p.start) for p in opened.search(question, K)}
        by_graph.append(len(near & exact) / max(1, len(exact)))
        by_search.append(len(best & {(p.document, p.start) for p in got}) / max(1, len(best)))
    index._COMPARED = compared
    return statistics.mean(by_graph), statistics.mean(by_search)


def main() -> None:
    """Print a table: one column a size."""
    parser = argparse.ArgumentParser(description="Measure a million passages.")
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--passages", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--search", action="store_true", help="search the one index in FOLDER")
    arguments = parser.parse_args()
    if arguments.search:
        searched(arguments.folder, arguments.questions)
        return
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    columns: list[tuple[int, dict[str, str]]] = []
    for passages in arguments.passages:
        home = arguments.folder / str(passages)
        home.mkdir(parents=True, exist_ok=True)
        (home / "tailor.toml").touch()
        taken = ingested(home, passages)
        command = [sys.executable, __file__, str(home), "--search"]
        watched([*command, "--questions", str(arguments.questions)], home / "search.log")
        said = json.loads((home / "search.log").read_text())
        columns.append((said["count"], _column(taken, said, disk(home))))
    table = Table("", *(f"{count:,} passages" for count, _ in columns))
    for row in columns[0][1]:
        table.add_row(row, *(column[row] for _, column in columns))
    table.caption = (
        f"{arguments.questions} questions, {REPEATS} runs (median, least to most); "
        f"{os.cpu_count()} cores, load {os.getloadavg()[1]:.1f}"
    )
    Console(width=120).print(table)


def _column(taken: dict[str, float], said: Any, sizes: dict[str, float]) -> dict[str, str]:
    def spread(values: list[float]) -> str:
        return f"{statistics.median(values):.1f} ({min(values):.1f}-{max(values):.1f})"

    per = {name: size / said["count"] for name, size in sizes.items()}
    return {
        "ingestion: wall s": f"{taken['wall']:.0f}",
        "CPU s": f"{taken['cpu']:.0f}",
        "peak MB (without mapped files)": f"{taken['peak']:.0f} ({taken['anonymous']:.0f})",
        "first answer s, whole process": f"{said['first']:.1f}",
        "hybrid p50 ms": spread(said["p50"]),
        "hybrid p99 ms": spread(said["p99"]),
        "hybrid CPU ms": spread(said["cpu"]),
        "search: peak MB (without mapped files)": f"{said['peak']:.0f} ({said['anonymous']:.0f})",
        "recall of the graph": f"{said['graph']:.4f}",
        "recall of the hybrid search": f"{said['hybrid']:.4f}",
        "disk, bytes per passage": f"{sum(per.values()):.0f}",
        **{f"  {name}": f"{size:.0f}" for name, size in per.items()},
    }


if __name__ == "__main__":
    main()
