"""Retrieval search: which passages and which search serve the dev questions best."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tailor.asking import asking
from tailor.assistant import Answer, Ask, Assistant
from tailor.benchmark import Question
from tailor.documents.passages import Splitter
from tailor.errors import NotApplicable, TailorError
from tailor.scoring.retrieval import ndcg_at
from tailor.scoring.score import PRIMARY, score

if TYPE_CHECKING:
    from langchain_core.runnables import Runnable

    from tailor.workspace import Workspace


def best_search(
    workspace: Workspace,
    questions: Sequence[Question],
    splitters: Sequence[Splitter],
    weights: Sequence[float],
) -> tuple[Splitter, float]:
    """The splitter and weight with the highest mean nDCG@5 over the questions with evidence.

    Asks no model. Ties go to the configuration named first.
    """
    from tailor.documents.evidence import spans
    from tailor.documents.index import documents

    texts = documents(workspace.state)
    wanted = [(q.question, found) for q in questions if (found := spans(q, texts)[0])]
    if not wanted:
        raise NotApplicable(
            "retrieval_tuning chooses on dev questions whose evidence is found in the documents, "
            'and there are none: mend the quotes in "evidence" of questions with "split": "dev".'
        )
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
    questions: Sequence[Question],
    assistant: Assistant,
    splitter: Splitter,
    weight: float,
    ks: Sequence[int],
) -> int:
    """How many passages give the best answers to the questions; ties go to the fewest.

    The model's calls are kept, so that the run that follows does not pay for them again.
    """
    from tailor.documents.retriever import HybridRetriever

    best = (-1.0, min(ks))
    for n, k in enumerate(sorted(ks), 1):
        retriever = HybridRetriever(index=workspace.index(splitter), k=k, weight=weight)
        chain = replace(assistant, retriever=retriever).chain()
        answers = _answers(chain, questions, assistant)
        failed = [answer for answer in answers.values() if isinstance(answer, Exception)]
        if len(failed) > len(answers) / 2:
            raise TailorError(
                f"retrieval_tuning could not try k={k}: {len(failed)} of {len(answers)} dev "
                f"questions failed ({' '.join(str(failed[0]).split())[:200]}); run it again later."
            )
        values = [
            value
            for q in questions
            if isinstance(answer := answers[q.id], Answer)
            and (value := score(q, answer)[PRIMARY]) is not None
        ]
        mean = sum(values) / len(values) if values else 0.0
        if mean > best[0] + 1e-9:
            best = (mean, k)
        if workspace.progress:
            workspace.progress("try k", n, len(ks))
    return best[1]


def _answers(
    chain: Runnable[Ask, Answer], questions: Sequence[Question], assistant: Assistant
) -> dict[str, Answer | Exception]:
    from tailor.models.chat import HALT, error_kind, error_text

    def ask(question: Question, halt: threading.Event) -> Answer | Exception:
        try:
            return chain.invoke(Ask(question.question), {"configurable": {HALT: halt}})
        except TailorError:
            raise
        except Exception as error:
            if error_kind(error) in ("auth", "quota", "not_found"):
                raise TailorError(f"The provider refuses the calls: {error_text(error)}") from None
            return error

    with asking(ask, questions, getattr(assistant.model, "concurrency", 8)) as answered:
        return {question.id: answer for question, answer in answered}
