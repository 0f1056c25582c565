"""How fast and how exact hybrid search is over 100,000 passages, and what memory it takes.

    python tests/benchmarks/search_speed.py CORPUS QUESTIONS STATE [--passages 100000]

CORPUS is JSON lines (also gzipped) with `title` and `text`, QUESTIONS JSON lines with `question`;
both real texts. STATE is a folder that keeps the index, so that a second run only searches; what
an interrupted build has embedded is kept, too. Exact search computes all cosines and all BM25
scores with NumPy and fuses the best of each side as the index does. Recall is the share of the
exact ten best that the index returns among its ten.
"""

import argparse
import gzip
import json
import resource
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from tailor.documents import building, generation
from tailor.documents.document import Place, clean
from tailor.documents.embedding import unit
from tailor.documents.index import Index
from tailor.documents.lexical import LexicalIndex
from tailor.documents.passages import Splitter, split
from tailor.documents.store import EmbeddingCache, Record, database
from tailor.documents.tokens import TokenCounter
from tailor.models.embedder import embeddings
from tailor.models.token_counts import token_count
from tailor.retrieval.ranking import fused

K, CANDIDATES, WEIGHT = 10, 50, 0.5


def lines(path: Path) -> Iterator[Any]:
    """The JSON objects of a file with one a line."""
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def documents(path: Path, passages: int) -> dict[str, Record]:
    """As many documents as make so many passages."""
    counter = TokenCounter(token_count(embeddings("shipped")))
    found: dict[str, Record] = {}
    count = 0
    for number, item in enumerate(lines(path)):
        text = clean(item["text"])
        places = (Place(item.get("title") or "", 0, len(text)),)
        record = Record(f"{number:06}.txt", "", 0, 0, "ok", text=text, places=places)
        found[record.path] = record
        count += len(split(record.document, Splitter(), counter))
        if count >= passages:
            break
    return found


def index(corpus: Path, state: Path, passages: int) -> Index:
    """The index in the folder, built where there is none."""
    embedder = embeddings("shipped")
    folder = generation.current(state)
    if folder is None:
        with generation.lock(state):
            found = documents(corpus, passages)
            folder = building.build(state, found, embedder, "shipped", Splitter()).folder
            generation.publish(state, folder)
    return Index.open(folder, embedder)


class Exact:
    """Hybrid search without any shortcut."""

    def __init__(self, opened: Index, state: Path) -> None:
        passages = opened.passages()
        texts = [generation.context(passage) for passage in passages]
        with database(state / "embeddings.db") as connection:
            known = EmbeddingCache(connection).get(opened.manifest.fingerprint, texts)
        self.vectors = np.stack([known[text] for text in texts])
        folder = generation.current(state)
        assert folder is not None
        self.lexical = LexicalIndex.load(folder / "lexical")
        self.places = [(passage.document, passage.start) for passage in passages]
        self.embedder = embeddings("shipped")

    def __call__(self, question: str) -> list[tuple[str, int]]:
        """Where the best passages start."""
        vector = unit(np.asarray(self.embedder.embed_query(question), dtype=np.float32))
        cosines, said = self.vectors @ vector, self.lexical.scores(question)
        near = np.argsort(-cosines, kind="stable")[:CANDIDATES].tolist()
        heard = np.argsort(-said, kind="stable")[:CANDIDATES]
        found = np.array(sorted({*near, *(int(n) for n in heard if said[n] > 0)}))
        scores = fused(said[found].astype(np.float64), cosines[found].astype(np.float64), WEIGHT)
        order = np.argsort(-np.round(scores, 9), kind="stable")[:K]
        return [self.places[number] for number in found[order].tolist()]


def timed(search: Callable[[str], Any], questions: Sequence[str]) -> tuple[list[Any], list[float]]:
    """What each question finds, and the milliseconds it takes."""
    found, took = [], []
    for question in questions:
        started = time.perf_counter()
        found.append(search(question))
        took.append(1000 * (time.perf_counter() - started))
    return found, took


def main() -> None:
    """Print latency, recall and memory."""
    parser = argparse.ArgumentParser(description="Measure hybrid search.")
    parser.add_argument("corpus", type=Path, metavar="CORPUS")
    parser.add_argument("questions", type=Path, metavar="QUESTIONS")
    parser.add_argument("state", type=Path, metavar="STATE")
    parser.add_argument("--passages", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    questions = [item["question"] for item in lines(arguments.questions)][:200]
    started = time.process_time()
    opened = index(arguments.corpus, arguments.state, arguments.passages)
    took = time.process_time() - started
    started = time.perf_counter()
    opened.search(questions[0], K)
    first = time.perf_counter() - started
    runs = [
        timed(lambda question: opened.search(question, K, WEIGHT, CANDIDATES), questions)
        for _ in range(arguments.repeats)
    ]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    exact, exactly = timed(Exact(opened, arguments.state), questions)
    shares = [
        len(set(wanted) & {(p.document, p.start) for p in found}) / len(wanted)
        for wanted, found in zip(exact, runs[0][0], strict=True)
    ]
    table = Table("search", "p50 ms", "p95 ms", "recall of the exact ten best")
    p50 = statistics.median(float(np.percentile(took, 50)) for _, took in runs)
    p95 = statistics.median(float(np.percentile(took, 95)) for _, took in runs)
    table.add_row("index", f"{p50:.1f}", f"{p95:.1f}", f"{statistics.mean(shares):.4f}")
    columns = (f"{np.percentile(exactly, q):.1f}" for q in (50, 95))
    table.add_row("exact, NumPy", *columns, "1")
    table.title = f"{opened.count} passages, {len(questions)} questions, {arguments.repeats} runs"
    table.caption = (
        f"opened (or built) in {took:.1f} CPU-s; first question {first:.2f} s; process at most "
        f"{memory:.0f} MB"
    )
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
