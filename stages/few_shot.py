"""Shows the model questions with the answers that are wanted."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tailor.assistant import REFUSAL, Assistant
from tailor.benchmark import Question
from tailor.benchmarking.leakage import sift
from tailor.documents.passages import Passage
from tailor.errors import NotApplicable
from tailor.example import Example
from tailor.settings import setting
from tailor.stage import Stage
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from tailor.prompting.shots import Ranking, Vectors


@dataclass(frozen=True)
class FewShot(Stage):
    """Put train questions with their answers before the question."""

    shots: int = setting(4, "examples shown with every question", low=1)
    pick: Literal["nearest", "semantic", "mmr", "fixed", "diverse", "balanced"] = setting(
        "nearest",
        "nearest: most like the question by words; semantic: by meaning; mmr: by meaning, and "
        "unlike one another; fixed, diverse, balanced: the same for all",
    )
    order: Literal["closest_last", "closest_first", "random"] = setting(
        "closest_last", "where the most useful example stands"
    )
    budget: int = setting(
        0, "tokens of all examples together; fewer are shown where it is reached; 0: no limit",
        low=0,
    )  # fmt: skip
    passages: int = setting(
        0, "passages shown with each example where there is retrieval; 0: none", low=0, high=20
    )
    bootstrap: bool = setting(
        False, "the model answers the train questions, and is shown what it got right"
    )
    seed: int = setting(0, "seed of a random order", low=0, high=2**32 - 1)

    @property
    def chooses(self) -> bool:
        """Whether examples are kept by the metrics."""
        return self.bootstrap

    def apply(self, assistant: Assistant, workspace: Workspace) -> Assistant:
        """The same assistant with examples from the train questions, never from dev or test.

        A train question that gives one of those away is left out.
        """
        from tailor.prompting.bootstrap import bootstrapped
        from tailor.prompting.shots import Shots

        train = workspace.benchmark.split("train")
        pool = sift(workspace, "few_shot", train, "dev", "test")
        if len(pool) < self.shots:
            raise NotApplicable(
                f"few_shot shows {self.shots} examples but the benchmark has {len(pool)} train "
                f"questions{_less(train, pool)}: share them out evenly with `tailor benchmark "
                'split`, add questions with "split": "train", or set few_shot.shots lower.'
            )
        examples = self._examples(pool, workspace)
        if self.bootstrap:
            made = bootstrapped(workspace, assistant, pool, examples)
            right = [(q, one) for q, one in zip(pool, made, strict=True) if one is not None]
            if not right:
                raise NotApplicable(
                    f"few_shot.bootstrap: the model answered none of the {len(pool)} train "
                    "questions rightly; set few_shot.bootstrap = false."
                )
            pool, examples = tuple(q for q, _ in right), [one for _, one in right]
        selector = Shots(
            examples, self._ranking(pool, workspace), [self.pick, *self._embedder(workspace)],
            self.shots, self.order, self.budget, self.seed,
        )  # fmt: skip
        return replace(assistant, examples=selector)

    def calls(self, workspace: Workspace) -> int:
        """Each train question, where the model makes the examples."""
        return len(workspace.benchmark.split("train")) if self.bootstrap else 0

    def _examples(self, pool: Sequence[Question], workspace: Workspace) -> list[Example]:
        passages = workspace.index().passages() if self.passages else []
        return [
            Example(
                question=q.question,
                answer=q.answers[0] if q.answerable else REFUSAL["vi" if q.lang == "vi" else "en"],
                quote=q.evidence[0].quote if q.evidence else "",
                shows=self.passages,
                gold=_gold(q, passages, workspace),
            )
            for q in pool
        ]

    def _embedder(self, workspace: Workspace) -> list[str]:
        by_meaning = self.pick in ("semantic", "mmr", "diverse")
        return [workspace.config.embedder] if by_meaning else []

    def _ranking(self, pool: Sequence[Question], workspace: Workspace) -> "Ranking":
        from tailor.prompting import shots
        from tailor.prompting.groups import groups

        questions = [q.question for q in pool]
        if self.pick == "nearest":
            return shots.ByWords(questions)
        if self.pick == "fixed":
            return shots.SameForAll(range(len(pool)))
        if self.pick == "balanced":
            return shots.SameForAll(shots.balanced(groups(pool, self.shots)))
        vectors = self._vectors(questions, workspace)
        if self.pick == "diverse":
            return shots.SameForAll(shots.diverse(vectors))
        embed = workspace.embeddings.embed_query
        return shots.by_meaning(vectors, embed, mmr=self.pick == "mmr")

    def _vectors(self, questions: list[str], workspace: Workspace) -> "Vectors":
        import numpy as np

        from tailor.documents.embedding import vectors

        def build(folder: Path) -> None:
            np.save(folder / "vectors.npy", vectors(workspace.embeddings, questions))

        folder = workspace.artifact("pool", [workspace.config.embedder, questions], build)
        found: Vectors = np.load(folder / "vectors.npy", allow_pickle=False)
        return found


def _less(train: Sequence[Question], pool: Sequence[Question]) -> str:
    leaking = len(train) - len(pool)
    return f" that may be used ({leaking} give a dev or test question away)" if leaking else ""


def _gold(question: Question, passages: Sequence[Passage], workspace: Workspace) -> Passage | None:
    """The passage that holds the question's evidence, where passages are shown."""
    spans = workspace.spans.get(question.id, ()) if passages else ()
    return next(
        (
            passage
            for document, start, end in spans
            for passage in passages
            if passage.document == document and passage.start <= start and end <= passage.end
        ),
        None,
    )
