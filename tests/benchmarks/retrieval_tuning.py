"""What retrieval tuning gains: by meaning, by words, the default hybrid, and tuned.

    python tests/benchmarks/retrieval_tuning.py DATA_FOLDER --freeze      once, before anything else
    python tests/benchmarks/retrieval_tuning.py DATA_FOLDER [--test] [--only SET ...]

DATA_FOLDER holds `qa/SET/{corpus,benchmark}.jsonl` and, as distractors for xquad_vi,
`text/viwiki.jsonl.gz`. `--freeze` deals each set's questions out, half for tuning (a third of that
to choose by, the rest to teach the reranker) and half for the figures, and writes
`retrieval_splits.json` beside this program; what is there already is never dealt again. Without
`--test` the figures are of the questions that the search chose by. With it they are of the other
half, and each such evaluation is added to `retrieval_tuning_log.jsonl`.

Only the shipped encoder is used. A passage is an item of the corpus; the long texts of
chunking_eval are cut as documents are, and their cutting is searched, too. A question is found at
k when one of its sources (of chunking_eval: half of a reference) is among the first k. The best
single method is the one of words and meaning with the higher MRR where the search chooses;
differences are in MRR, paired, with 95 % intervals.
"""

import argparse
import gzip
import hashlib
import json
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from tailor.documents.document import Document, Place
from tailor.documents.passages import Passage, Splitter, split
from tailor.documents.tokens import TokenCounter
from tailor.models.embedder import embeddings
from tailor.models.token_counts import token_count
from tailor.retrieval.configuration import Configuration
from tailor.retrieval.corpus import Corpus
from tailor.retrieval.matrix import Matrix, matrix
from tailor.retrieval.ranking import ranks
from tailor.retrieval.reranker import Reranker
from tailor.retrieval.search import Chunking, Space, search
from tailor.scoring.statistics import paired

Floats = NDArray[np.float64]
Span = tuple[str, int, int]

SETS = ("product_docs", "tatqa", "chunking_eval", "nq_qed", "xquad_vi")
DISTRACTORS = 3000
DEPTHS = (1, 5, 10)
HERE = Path(__file__).parent
SPLITS, LOG = HERE / "retrieval_splits.json", HERE / "retrieval_tuning_log.jsonl"
PARTS = {"t": "train", "d": "dev", "r": "test"}


@dataclass(frozen=True)
class RetrievalSet:
    """Documents (title, text) by name, and questions with the spans that answer them."""

    documents: dict[str, tuple[str, str]]
    questions: list[str]
    spans: list[list[Span]]
    cut: bool
    """Whether documents are long texts, to be cut into passages."""


def lines(path: Path) -> list[Any]:
    """The JSON objects of a file with one a line."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def read_set(data: Path, name: str) -> RetrievalSet:
    """One set; questions without a source in the corpus are left out."""
    folder = data / "qa" / name
    documents = {
        item["id"]: (item.get("title", ""), item["text"]) for item in lines(folder / "corpus.jsonl")
    }
    questions: list[str] = []
    spans: list[list[Span]] = []
    for item in lines(folder / "benchmark.jsonl"):
        if "references" in item:
            (source,) = item["source_ids"]
            own = [(source, r["start_index"], r["end_index"]) for r in item["references"]]
        else:
            own = [(s, 0, len(documents[s][1])) for s in item["source_ids"] if s in documents]
        if own:
            questions.append(item["question"])
            spans.append(own)
    if name == "xquad_vi":
        documents |= distractors(data / "text" / "viwiki.jsonl.gz")
    return RetrievalSet(documents, questions, spans, name == "chunking_eval")


def distractors(path: Path) -> dict[str, tuple[str, str]]:
    """The first paragraph of 200 to 1,500 characters of Vietnamese Wikipedia articles."""
    found: dict[str, tuple[str, str]] = {}
    with gzip.open(path, "rt", encoding="utf-8") as articles:
        for line in articles:
            item = json.loads(line)
            for paragraph in re.split(r"\n\s*\n", item["text"]):
                if 200 < len(paragraph) < 1500:
                    found[item["id"]] = (item["title"], paragraph)
                    break
            if len(found) == DISTRACTORS:
                break
    return found


def freeze(data: Path) -> None:
    """Deal questions out by hash: r to report, d to choose by, t to teach."""
    frozen: dict[str, Any] = json.loads(SPLITS.read_text("utf-8")) if SPLITS.exists() else {}
    for name in SETS:
        if name in frozen:
            continue
        asked = read_set(data, name).questions
        numbers = [
            int(hashlib.sha256(f"frozen 2026-11-21 {name} {q}".encode()).hexdigest(), 16)
            for q in asked
        ]
        letters = ["r" if n % 2 else "d" if n // 2 % 3 == 0 else "t" for n in numbers]
        frozen[name] = {"questions": digest(asked), "parts": "".join(letters)}
    SPLITS.write_text(json.dumps(frozen, indent=1) + "\n", "utf-8")


def digest(questions: Sequence[str]) -> str:
    """A hash by which changed data are noticed."""
    return hashlib.sha256("\n".join(questions).encode()).hexdigest()[:16]


def parts(name: str, questions: Sequence[str]) -> dict[str, list[int]]:
    """The numbers of the questions of each part."""
    frozen = json.loads(SPLITS.read_text("utf-8"))[name]
    if frozen["questions"] != digest(questions):
        sys.exit(f"{name}: the questions are not those that were frozen")
    return {
        part: [at for at, letter in enumerate(frozen["parts"]) if PARTS[letter] == part]
        for part in PARTS.values()
    }


def corpus(one: RetrievalSet, splitter: Splitter) -> Corpus:
    """The passages with their vectors by the shipped encoder."""
    encoder = embeddings("shipped", base_url="")
    passages: list[Passage] = []
    counter = TokenCounter(token_count(encoder))
    for name, (title, text) in one.documents.items():
        if one.cut:
            document = Document(name, text, (Place("", 0, len(text)),), "en", "")
            passages += split(document, splitter, counter)
        else:
            place = "" if text.startswith(title) else title
            # The name of an item says nothing of it.
            passages.append(Passage(name, 0, len(text), text, place))
    texts = [f"{p.place}\n{p.text}" if p.place else p.text for p in passages]
    return Corpus(passages, np.array(encoder.embed_documents(texts), dtype=np.float32))


def figures(asked: Matrix, how: Configuration, reranker: Reranker | None = None) -> Floats:
    """Found at each depth, and the reciprocal rank, by question: (4, questions)."""
    scores = asked.scores(how, reranker)
    places = np.where(scores >= 0, ranks(scores), np.inf)
    first = np.full(len(asked.questions), np.inf)
    np.minimum.at(
        first, asked.asked, np.where(asked.holds, places[asked.asked], np.inf).min(axis=1)
    )
    return np.array([*(first <= depth for depth in DEPTHS), 1 / first], dtype=float)


@dataclass(frozen=True)
class Result:
    """What one set came to."""

    name: str
    questions: int
    passages: int
    figures: dict[str, Floats]
    single: str
    changes: dict[str, Any]
    tried: int


def measure(data: Path, name: str, test: bool) -> Result:
    """Tune on the questions for tuning, and measure."""
    one = read_set(data, name)
    dealt = parts(name, one.questions)
    plain = Configuration()
    sizes = (90, 150, 220) if one.cut else (plain.splitter.size,)
    chunkings: list[Chunking] = [(Splitter(size, min(16, size // 4)), "") for size in sizes]
    space = Space()
    encoder = embeddings("shipped", base_url="")
    vectors = np.array(encoder.embed_documents(one.questions), dtype=np.float32)
    made: dict[Chunking, Matrix] = {}

    def matrices(chunking: Chunking) -> tuple[Matrix, Matrix]:
        whole = corpus(one, chunking[0])
        made[chunking] = matrix(whole, one.questions, vectors, one.spans, space.searches)
        return made[chunking].part(dealt["dev"]), made[chunking].part(dealt["train"])

    def make(chunking: Chunking) -> Callable[[], tuple[Matrix, Matrix]]:
        return lambda: matrices(chunking)

    budget = 3000 if one.cut else 10**9
    found = search({c: make(c) for c in chunkings}, plain, space, budget)
    first, shown = chunkings[sizes.index(plain.splitter.size)], "test" if test else "dev"
    singles = {"meaning": replace(plain, weight=0.0), "words": replace(plain, weight=1.0)}
    chosen = found.chosen.configuration
    tuned = figures(made[chosen.splitter, ""].part(dealt[shown]), chosen, found.chosen.reranker)
    rows = {
        method: figures(made[first].part(dealt[shown]), how)
        for method, how in {**singles, "default hybrid": plain}.items()
    }
    on_dev = {m: figures(made[first].part(dealt["dev"]), h)[3].mean() for m, h in singles.items()}
    return Result(
        name,
        len(dealt[shown]),
        len(made[first].corpus.passages),
        {**rows, "tuned": tuned},
        max(on_dev, key=on_dev.__getitem__),
        chosen.changes(plain),
        len(found.tried),
    )


def told(result: Result) -> list[dict[str, Any]]:
    """One line for each method: figures, and the difference from the best single method."""
    base = result.figures[result.single][3]
    out = []
    for method, values in result.figures.items():
        gain = paired(base.tolist(), values[3].tolist())
        assert gain
        out.append({
            "set": result.name, "method": method, "n": result.questions,
            "passages": result.passages,
            **{f"recall@{k}": float(v.mean()) for k, v in zip(DEPTHS, values, strict=False)},
            "mrr": float(values[3].mean()), "against": result.single,
            "delta": gain.delta, "ci95": [gain.low, gain.high],
        })  # fmt: skip
    return out


def main() -> None:
    """Print a line per set and method."""
    parser = argparse.ArgumentParser(description="Measure what retrieval tuning gains.")
    parser.add_argument("data", type=Path, metavar="DATA_FOLDER")
    parser.add_argument("--freeze", action="store_true")
    parser.add_argument("--test", action="store_true")
    parser.add_argument("--only", nargs="*", choices=SETS, default=SETS)
    arguments = parser.parse_args()
    if arguments.freeze:
        freeze(arguments.data)
        return
    table = Table("set", "n/passages", "method", *(f"R@{k}" for k in DEPTHS), "MRR",
                  "MRR against the best single")  # fmt: skip
    for name in arguments.only:
        result = measure(arguments.data, name, arguments.test)
        rows = told(result)
        for row in rows:
            low, high = row["ci95"]
            table.add_row(
                name, f"{row['n']}/{row['passages']}", row["method"],
                *(f"{row[f'recall@{k}']:.3f}" for k in DEPTHS), f"{row['mrr']:.3f}",
                f"{row['delta']:+.3f} [{low:+.3f}, {high:+.3f}] ({row['against']})",
            )  # fmt: skip
        table.add_row("", "", f"tuned of {result.tried}: {result.changes or 'as it was'}")
        if arguments.test:
            with LOG.open("a", encoding="utf-8") as log:
                day = date.today().isoformat()
                log.write(json.dumps({"date": day, "set": name, "rows": rows}) + "\n")
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
