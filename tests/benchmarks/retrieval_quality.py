"""Retrieval quality of the shipped encoder beside BM25 and a weighted fusion of the two.

    python tests/benchmarks/retrieval_quality.py DATA_FOLDER [--encoder FOLDER] [--weight 0.3]

DATA_FOLDER holds one folder per set with `corpus.jsonl` {id, text} and `benchmark.jsonl`
{question, source_ids} or, over long texts, {question, references: [{start_index, end_index}]}.
A question is found at k when a source (for long texts: a window of 200 words, every 100 words,
that holds a whole reference) is among the first k. Fusion is `weight` times the cosine plus
`1 - weight` times BM25, each scaled to [0, 1] per question.
"""

import argparse
import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from tailor.models.pretraining.encoder import shipped_folder
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


def lexical_scores(documents: Sequence[str], questions: Sequence[str]) -> Scores:
    """BM25 scores, one row per question."""
    import bm25s

    index = bm25s.BM25()
    index.index([words(text) for text in documents], show_progress=False)
    return np.stack([index.get_scores(words(question)) for question in questions])


def dense_scores(model: Any, documents: Sequence[str], questions: Sequence[str]) -> Scores:
    """Cosines, one row per question."""

    def embed(texts: Sequence[str]) -> Scores:
        vectors = model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(vectors, dtype=np.float32)

    return embed(questions) @ embed(documents).T


def fused(dense: Scores, lexical: Scores, weight: float) -> Scores:
    """Weighted sum of both, each scaled to [0, 1] per question."""

    def unit(scores: Scores) -> Scores:
        low, high = scores.min(axis=1, keepdims=True), scores.max(axis=1, keepdims=True)
        return np.asarray((scores - low) / np.maximum(high - low, 1e-9))

    return weight * unit(dense) + (1 - weight) * unit(lexical)


def recall(scores: Scores, gold: Sequence[set[int]]) -> str:
    """Share of questions found at each depth."""
    order = np.argsort(-scores, axis=1, kind="stable")[:, : max(DEPTHS)]
    found = [
        np.mean([bool(gold[row] & set(ranks[:depth])) for row, ranks in enumerate(order.tolist())])
        for depth in DEPTHS
    ]
    return "/".join(f"{share:.3f}".lstrip("0") for share in found)


def main() -> None:
    """Print one row per set, and the encoding speed."""
    from sentence_transformers import SentenceTransformer

    parser = argparse.ArgumentParser(description="Measure retrieval quality.")
    parser.add_argument("data", type=Path, metavar="DATA_FOLDER")
    parser.add_argument("--encoder", type=Path, default=shipped_folder())
    parser.add_argument("--weight", type=float, default=0.3)
    arguments = parser.parse_args()
    model = SentenceTransformer(str(arguments.encoder), device="cpu", local_files_only=True)
    names = ("xquad_en", "xquad_vi", "nq_qed", "product_docs", "chunking_eval")
    sets = [read_set(arguments.data / name) for name in names]
    vietnamese = next(one for one in sets if one.name == "xquad_vi")
    unaccented = [fold(question) for question in vietnamese.questions]
    sets.append(
        RetrievalSet("xquad_vi unaccented", vietnamese.documents, unaccented, vietnamese.gold)
    )
    table = Table("set", "questions/documents", "dense", "BM25", "hybrid")
    for one in sets:
        dense = dense_scores(model, one.documents, one.questions)
        lexical = lexical_scores(one.documents, one.questions)
        cells = [
            recall(scores, one.gold)
            for scores in (dense, lexical, fused(dense, lexical, arguments.weight))
        ]
        table.add_row(one.name, f"{len(one.questions)}/{len(one.documents)}", *cells)
    tokens = " ".join(vietnamese.documents).split()
    passages = [" ".join(tokens[start : start + 60]) for start in range(0, len(tokens), 60)]
    passages = (passages * (20_000 // len(passages) + 1))[:20_000]
    started = time.process_time()
    model.encode(passages, batch_size=256, show_progress_bar=False)
    speed = len(passages) / (time.process_time() - started)
    table.title = f"recall@{'/'.join(map(str, DEPTHS))}; hybrid: {arguments.weight} of dense"
    table.caption = f"{speed:.0f} passages of 60 words a CPU-second"
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
