"""Retrieval quality of the product's search: by meaning, by words, and both.

    python tests/benchmarks/retrieval_quality.py DATA_FOLDER [--encoder FOLDER] [--weight 0.5]

DATA_FOLDER holds one folder per set with `corpus.jsonl` {id, text} and `benchmark.jsonl`
{question, source_ids} or, over long texts, {question, references: [{start_index, end_index}]}.
A question is found at k when a source (for long texts: a window of 200 words, every 100 words,
that holds a whole reference) is among the first k. The sample company is searched as it is
ingested; there a question is found when a passage of the first k holds a piece of its evidence.
"by words" is the index's own BM25 (words as written and folded, weight 1), "both" the default
search; "plain BM25" is bm25s on Unicode words, for comparison.
"""

import argparse
import json
import re
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from tailor.documents.lexical import LexicalIndex
from tailor.initialize import initialize
from tailor.models.provider import SHIPPED
from tailor.retrieval.ranking import fused
from tailor.text import fold, words

Scores = NDArray[np.float32]
DEPTHS = (1, 5, 10)


@dataclass(frozen=True)
class RetrievalSet:
    """Documents, questions, and per question the indices of the documents that answer it."""

    name: str
    documents: list[str]
    questions: list[str]
    gold: list[set[int]]


def lines(path: Path) -> list[Any]:
    """The JSON objects of a file with one a line."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def read_set(folder: Path) -> RetrievalSet:
    """Read one set; questions without a findable source are left out, and the name says so."""
    corpus, benchmark = lines(folder / "corpus.jsonl"), lines(folder / "benchmark.jsonl")
    if "references" in benchmark[0]:
        spans = [
            (record["id"], start, end)
            for record in corpus
            for start, end in word_windows(record["text"], 200, 100)
        ]
        texts = {record["id"]: record["text"] for record in corpus}
        documents = [texts[name][start:end] for name, start, end in spans]
        gold = [
            {
                index
                for index, (name, start, end) in enumerate(spans)
                if name in question["source_ids"]
                and any(
                    start <= reference["start_index"] and reference["end_index"] <= end
                    for reference in question["references"]
                )
            }
            for question in benchmark
        ]
    else:
        documents = [record["text"] for record in corpus]
        position = {record["id"]: index for index, record in enumerate(corpus)}
        gold = [
            {position[source] for source in question["source_ids"] if source in position}
            for question in benchmark
        ]
    kept = [index for index, sources in enumerate(gold) if sources]
    left_out = len(gold) - len(kept)
    name = folder.name + (f" (without {left_out})" if left_out else "")
    questions = [benchmark[index]["question"] for index in kept]
    return RetrievalSet(name, documents, questions, [gold[index] for index in kept])


def word_windows(text: str, size: int, step: int) -> list[tuple[int, int]]:
    """Character spans of `size` words, starting every `step` words."""
    spans = [match.span() for match in re.finditer(r"\S+", text)]
    return [
        (spans[start][0], spans[min(start + size, len(spans)) - 1][1])
        for start in range(0, max(len(spans) - step, 1), step)
    ]


def plain_bm25(documents: Sequence[str], questions: Sequence[str]) -> Scores:
    """BM25 on words as written, one row per question."""
    import bm25s

    index = bm25s.BM25()
    index.index([words(text) for text in documents], show_progress=False)
    return np.stack([index.get_scores(words(question)) for question in questions])


def lexical_scores(documents: Sequence[str], questions: Sequence[str]) -> Scores:
    """The scores of the index's word search, one row per question."""
    index = LexicalIndex.build(documents)
    return np.stack([index.scores(question) for question in questions])


def dense_scores(model: Any, documents: Sequence[str], questions: Sequence[str]) -> Scores:
    """Cosines, one row per question."""

    def embed(texts: Sequence[str]) -> Scores:
        vectors = model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(vectors, dtype=np.float32)

    return embed(questions) @ embed(documents).T


def both(dense: Scores, lexical: Scores, weight: float, candidates: int = 50) -> Scores:
    """The default search's scores: fusion of the best candidates of each side."""
    scores = np.full(dense.shape, -1.0, dtype=np.float32)
    for row in range(len(dense)):
        near = np.argsort(-dense[row], kind="stable")[:candidates]
        said = np.argsort(-lexical[row], kind="stable")[:candidates]
        found = np.union1d(near, said[lexical[row, said] > 0])
        scores[row, found] = fused(lexical[row, found], dense[row, found], weight)
    return scores


def quality(scores: Scores, gold: Sequence[set[int]]) -> str:
    """The share of questions found at each depth, and the mean reciprocal rank."""
    order = np.argsort(-scores, axis=1, kind="stable")[:, :100].tolist()
    hits = [[rank for rank, i in enumerate(row, 1) if i in wanted] for row, wanted in
            zip(order, gold, strict=True)]  # fmt: skip
    found = [np.mean([bool(h) and h[0] <= depth for h in hits]) for depth in DEPTHS]
    reciprocal = np.mean([1 / h[0] if h else 0.0 for h in hits])
    return "/".join(f"{share:.3f}".lstrip("0") for share in found) + f" {reciprocal:.3f}"


def sample_company(folder: Path) -> RetrievalSet:
    """The sample company's passages; gold are those that hold a piece of the evidence."""
    workspace = initialize(folder / "company", "company")
    workspace.ingest()
    passages = workspace.index().passages()
    questions: list[str] = []
    gold: list[set[int]] = []
    for question in workspace.benchmark.questions:
        held = {
            number
            for document, start, end in workspace.spans[question.id]
            for number, passage in enumerate(passages)
            if passage.document == document and passage.start <= start and end <= passage.end
        }
        if held:
            questions.append(question.question)
            gold.append(held)
    texts = [f"{passage.place}\n{passage.text}" for passage in passages]
    return RetrievalSet("sample company", texts, questions, gold)


def unaccented(one: RetrievalSet) -> RetrievalSet:
    """The same set with its questions typed without accents."""
    questions = [fold(question) for question in one.questions]
    return RetrievalSet(f"{one.name} unaccented", one.documents, questions, one.gold)


def main() -> None:
    """Print one row per set, and the encoding speed."""
    from sentence_transformers import SentenceTransformer

    parser = argparse.ArgumentParser(description="Measure retrieval quality.")
    parser.add_argument("data", type=Path, metavar="DATA_FOLDER")
    parser.add_argument("--encoder", type=Path, default=SHIPPED / "encoder")
    parser.add_argument("--weight", type=float, default=0.5)
    arguments = parser.parse_args()
    model = SentenceTransformer(str(arguments.encoder), device="cpu", local_files_only=True).float()
    names = ("xquad_en", "xquad_vi", "nq_qed", "product_docs", "chunking_eval")
    sets = {name: read_set(arguments.data / name) for name in names}
    with tempfile.TemporaryDirectory() as folder:
        sets["sample"] = sample_company(Path(folder))
    rows = [*sets.values(), unaccented(sets["xquad_vi"])]
    table = Table("set", "questions/passages", "by meaning", "by words", "both", "plain BM25")
    for one in rows:
        dense = dense_scores(model, one.documents, one.questions)
        lexical = lexical_scores(one.documents, one.questions)
        cells = [
            quality(scores, one.gold)
            for scores in (
                dense,
                lexical,
                both(dense, lexical, arguments.weight),
                plain_bm25(one.documents, one.questions),
            )
        ]
        table.add_row(one.name, f"{len(one.questions)}/{len(one.documents)}", *cells)
    tokens = " ".join(sets["xquad_vi"].documents).split()
    passages = [" ".join(tokens[start : start + 60]) for start in range(0, len(tokens), 60)]
    passages = (passages * (20_000 // len(passages) + 1))[:20_000]
    started = time.process_time()
    model.encode(passages, batch_size=256, show_progress_bar=False)
    speed = len(passages) / (time.process_time() - started)
    table.title = f"recall@{'/'.join(map(str, DEPTHS))} MRR; weight of BM25 {arguments.weight}"
    table.caption = f"{speed:.0f} passages of 60 words a CPU-second"
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
