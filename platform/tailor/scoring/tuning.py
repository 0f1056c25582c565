"""Retrieval search: which passages and which search serve the dev questions best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tailor.assistant import Answer, Ask, Assistant
from tailor.documents.passages import Splitter
from tailor.errors import TailorError
from tailor.scoring.retrieval import ndcg_at
from tailor.scoring.score import PRIMARY, score

if TYPE_CHECKING:
    from tailor.workspace import Workspace


def best_search(
    workspace: Workspace, splitters: Sequence[Splitter], weights: Sequence[float]
) -> tuple[Splitter, float]:
    """The splitter and weight with the highest mean nDCG@5 over the dev questions with evidence.

    Asks no model. Ties go to the configuration named first.
    """
    from tailor.documents.evidence import spans
    from tailor.documents.index import documents

    texts = documents(workspace.state)
    wanted = [
        (q.question, found)
        for q in workspace.benchmark.split("dev")
        if (found := spans(q, texts)[0])
    ]
    best: tuple[float, Splitter, float] = (-1.0, splitters[0], weights[0])
    total = len(splitters) * len(weights)
    for at, splitter in enumerate(splitters):
        index = workspace.index(splitter)
        for n, weight in enumerate(weights, 1):
            gains = [
                ndcg_at(index.search(question, k=5, weight=weight), found, 5) or 0.0
                for question, found in wanted
            ]
            mean = sum(gains) / len(gains)
            if mean > best[0] + 1e-9:
                best = (mean, splitter, weight)
            if workspace.progress:
                workspace.progress("search", at * len(weights) + n, total)
    return best[1], best[2]


def best_k(
    workspace: Workspace,
    assistant: Assistant,
    splitter: Splitter,
    weight: float,
    ks: Sequence[int],
) -> int:
    """How many passages give the best answers to the dev questions; ties go to the fewest.

    The model's calls are kept, so that the run that follows does not pay for them again.
    """
    from tailor.documents.retriever import HybridRetriever

    questions = workspace.benchmark.split("dev")
    best = (-1.0, min(ks))
    for n, k in enumerate(sorted(ks), 1):
        retriever = HybridRetriever(index=workspace.index(splitter), k=k, weight=weight)
        chain = replace(assistant, retriever=retriever).chain()
        answers = chain.batch(
            [Ask(q.question) for q in questions],
            {"max_concurrency": getattr(assistant.model, "concurrency", 8)},
            return_exceptions=True,
        )
        failed = [answer for answer in answers if isinstance(answer, Exception)]
        if len(failed) > len(answers) / 2:
            raise TailorError(
                f"retrieval_tuning could not try k={k}: {len(failed)} of {len(answers)} dev "
                f"questions failed ({' '.join(str(failed[0]).split())[:200]}); run it again later."
            )
        values = [
            value
            for q, answer in zip(questions, answers, strict=True)
            if isinstance(answer, Answer) and (value := score(q, answer)[PRIMARY]) is not None
        ]
        mean = sum(values) / len(values) if values else 0.0
        if mean > best[0] + 1e-9:
            best = (mean, k)
        if workspace.progress:
            workspace.progress("try k", n, len(ks))
    return best[1]
