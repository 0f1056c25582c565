"""Searches the way of finding passages that serves best on dev."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from tailor.assistant import Assistant
from tailor.benchmark import Question
from tailor.benchmarking.leakage import sift
from tailor.documents.lexical import Forms
from tailor.documents.passages import Splitter, Strategy
from tailor.errors import NotApplicable, UsageError
from tailor.retrieval.configuration import Configuration, Expansion, Fusion, Rewriting
from tailor.settings import setting
from tailor.stage import Stage
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from tailor.retrieval.retriever import Retriever
    from tailor.retrieval.trials import Choices

_ASKED = ("ks", "rerankers", "rewritings", "arrange", "trials", "max_calls", "seed")
"""The settings of what is tried with the model."""


@dataclass(frozen=True)
class RetrievalTuning(Stage):
    """Try retrieval configurations on the dev questions and keep the best."""

    first: ClassVar[tuple[str, ...]] = (
        "sizes", "ks", "embedders", "rerank", "trials", "max_calls",
    )  # fmt: skip

    sizes: tuple[int, ...] = setting((90, 150, 220), "passage sizes to try, in tokens", low=1)
    strategies: tuple[Strategy, ...] = setting(
        ("structure",), "ways of cutting to try: structure, sentences, fixed"
    )
    embedders: tuple[str, ...] = setting(
        (), "embedders to try beside the workspace's own, as tailor.toml writes them", empty=True
    )
    weights: tuple[float, ...] = setting(
        (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
        "shares of the word search to try; 0 is by meaning alone", low=0, high=1,
    )  # fmt: skip
    fusions: tuple[Fusion, ...] = setting(
        ("scores", "ranks"), "ways of joining words and meaning: by scores, by ranks"
    )
    forms: tuple[Forms, ...] = setting(
        ("both", "written", "folded"), "words with accents (written), without (folded), or both"
    )
    headings: tuple[float, ...] = setting(
        (0.0, 0.5, 1.0), "weights of a further word search in headings and paths", low=0
    )
    rerank: bool = setting(True, "whether a reranker is trained on the train questions")
    budget: int = setting(
        3000, "characters of passages by which ways of cutting are compared", low=1
    )
    diversities: tuple[float, ...] = setting(
        (0.0, 0.2, 0.4), "shares of novelty to try (MMR); 0 is by relevance alone", low=0, high=0.9
    )
    expansions: tuple[Expansion, ...] = setting(
        ("none", "neighbours", "section"),
        "whether to show passages alone, with neighbours, or with their section",
    )
    compressions: tuple[float, ...] = setting(
        (0.0, 0.3),
        "how closely a passage's outer sentences must match; 0: they stay",
        low=0,
        high=1,
    )
    ks: tuple[int, ...] = setting((1, 2, 3, 5), "numbers of passages to try with the model", low=1)
    rerankers: tuple[str, ...] = setting(
        (), "further rerankers to try with the model: cross-encoder:PATH, llm", empty=True
    )
    rewritings: tuple[Rewriting, ...] = setting(
        (),
        "rewritings of the question to try: multi_query, hyde, decomposition, translation",
        empty=True,
    )
    arrange: bool = setting(
        False, "whether expansions and compressions are tried with the model, too"
    )
    trials: int = setting(8, "configurations to try with the model at most", low=1)
    max_calls: int = setting(5000, "model calls that these trials may take at most", low=0)
    seed: int = setting(
        0, "seed: what is tried with the model, and in which order", low=0, high=2**32 - 1
    )

    def __post_init__(self) -> None:
        """Refuse names that are no embedder or no reranker.

        Raises:
            UsageError: one is not, or a setting is out of bounds.
        """
        from tailor.models.embedder import parted
        from tailor.retrieval.cross_encoder import PREFIX, path_of

        super().__post_init__()
        for name in self.embedders:
            try:
                parted(name)
            except UsageError as error:
                raise UsageError(f"retrieval_tuning.embedders: {error}") from None
        for name in self.rerankers:
            if name.startswith(PREFIX):
                path_of(name)
            elif name != "llm":
                raise UsageError(
                    f"retrieval_tuning.rerankers: {name!r} is not one of cross-encoder:PATH, llm."
                )

    @property
    def chooses(self) -> bool:
        """It chooses by the metrics, on dev."""
        return True

    def apply(self, assistant: Assistant, workspace: Workspace) -> Assistant:
        """The same assistant with the retriever that did best on the dev questions.

        For numbers and labels it is about the train items that are shown; of the settings
        embedders, weights, ks, trials and max_calls count.

        A dev question that gives a test question away is left out, and of the train questions,
        which teach the reranker, those that give away a dev or test question.
        """
        if workspace.config.task != "answer":
            from tailor.prediction.similar_tuning import tune

            return tune(
                workspace, assistant, self.embedders, self.ks, self.weights, self.trials,
                self.max_calls,
            )  # fmt: skip
        benchmark = workspace.benchmark
        dev = sift(workspace, "retrieval_tuning", benchmark.split("dev"), "test")
        train = sift(workspace, "retrieval_tuning", benchmark.split("train"), "dev", "test")
        if not any(q.evidence for q in dev):
            raise NotApplicable(
                "retrieval_tuning chooses on dev questions with evidence, and the benchmark has "
                'none: add "evidence" to questions with "split": "dev".'
            )
        plain = self._plain(assistant, workspace)
        searched = self._searched(workspace, dev, train, plain.configuration)
        found = self._found(workspace, plain, searched)
        tried = self._tried(workspace, dev, train, assistant, plain, found)
        record = json.loads((tried / "trials.json").read_text("utf-8"))
        if workspace.note:
            from tailor.retrieval.tuning import Tuning

            search = json.loads((searched / "search.json").read_text("utf-8"))
            workspace.note(Tuning(search, record).sentence("en"))
        kept = Configuration.from_json(record["chosen"]["configuration"])
        if kept == plain.configuration:
            return replace(assistant, retriever=plain)
        learned = found.reranker if kept.reranker == "learned" else None
        shown = found.model_copy(update={"configuration": kept, "reranker": learned})
        return replace(assistant, retriever=shown)

    def _searched(
        self,
        workspace: Workspace,
        dev: Sequence[Question],
        train: Sequence[Question],
        plain: Configuration,
    ) -> Path:
        """The artifact of what was measured without the model."""

        def build(folder: Path) -> None:
            found = self._search(workspace, dev, train, plain)
            (folder / "search.json").write_text(json.dumps(found), "utf-8")

        # Without what does not change the search, so that another model does not repeat it.
        settings = {name: value for name, value in asdict(self).items() if name not in _ASKED}
        about = _about(workspace, dev, train)
        key = [settings, about, workspace.index().generation, plain.to_json()]
        return workspace.artifact("search", key, build)

    def _found(self, workspace: Workspace, plain: Retriever, searched: Path) -> Retriever:
        """The retriever that was best without the model."""
        from tailor.retrieval.tuning import Tuned

        tuned = Tuned.read(searched)
        how = tuned.configuration
        found: dict[str, Any] = {
            "index": workspace.index(how.splitter, how.embedder),
            "configuration": how,
            "reranker": tuned.reranker,
        }
        return plain.model_copy(update=found)

    def _tried(
        self,
        workspace: Workspace,
        dev: Sequence[Question],
        train: Sequence[Question],
        assistant: Assistant,
        plain: Retriever,
        found: Retriever,
    ) -> Path:
        """The artifact of what was tried with the model."""
        from tailor.retrieval.cross_encoder import PREFIX, fingerprint

        choices = self._choices(assistant, workspace)
        read = [fingerprint(one) for one in choices.rerankers if one.startswith(PREFIX)]
        setup = [plain.fingerprint, found.fingerprint, assistant.fingerprint, *read]
        limits = self.trials, self.max_calls, self.seed
        return workspace.artifact(
            "passages-shown",
            [asdict(choices), *limits, _about(workspace, dev, train), *setup],
            lambda folder: self._ask(workspace, dev, assistant, plain, found, choices, folder),
        )

    def _plain(self, assistant: Assistant, workspace: Workspace) -> Retriever:
        """Retrieval as it was; where it asks a model or was tuned, as the stage's defaults are."""
        from tailor.models.chat import Chat
        from tailor.retrieval.follow_up import can_rewrite
        from tailor.retrieval.retriever import Retriever

        before, model = assistant.retriever, assistant.model
        chat = model if isinstance(model, Chat) and can_rewrite(model.name) else None
        plain = Configuration(splitter=workspace.splitter)
        if not isinstance(before, Retriever):
            return Retriever(index=workspace.index(), configuration=plain, chat=chat)
        how = before.configuration
        usual = how.plainly and how.rewriting == "none" and not how.reranker
        if usual and (how.splitter, how.embedder) == (plain.splitter, plain.embedder):
            plain = how
        return before.model_copy(
            update={
                "index": workspace.index(),
                "configuration": plain,
                "reranker": None,
                "chat": before.chat or chat,
            }
        )

    def _choices(self, assistant: Assistant, workspace: Workspace) -> Choices:
        """What is tried with the model; what it cannot do is left out, and said so."""
        from tailor.models.chat import Chat
        from tailor.retrieval.follow_up import can_rewrite
        from tailor.retrieval.trials import Choices

        rerankers, rewritings = self.rerankers, self.rewritings
        able = isinstance(assistant.model, Chat) and can_rewrite(assistant.model.name)
        if not able and (rewritings or "llm" in rerankers):
            rerankers = tuple(name for name in rerankers if name != "llm")
            rewritings = ()
            if workspace.note:
                workspace.note(
                    "retrieval_tuning left out rewritings and the reranker llm: this model only "
                    "reads answers out of passages."
                )
        return Choices(
            self.ks,
            rerankers,
            rewritings,
            self.expansions if self.arrange else (),
            self.compressions if self.arrange else (),
        )

    def _ask(
        self,
        workspace: Workspace,
        dev: Sequence[Question],
        assistant: Assistant,
        plain: Retriever,
        retriever: Retriever,
        choices: Choices,
        folder: Path,
    ) -> None:
        """Try with the model, and write the record."""
        from tailor.retrieval.trials import best_by_trials
        from tailor.retrieval.tuning import asked_record

        outcome = best_by_trials(
            workspace, dev, assistant, plain, retriever, choices, self.trials, self.max_calls,
            self.seed,
        )  # fmt: skip
        (folder / "trials.json").write_text(json.dumps(asked_record(outcome, dev)), "utf-8")

    def calls(self, workspace: Workspace) -> int:
        """Each dev question with plain retrieval and with each configuration tried, at most."""
        from tailor.retrieval.trials import Choices

        expansions = self.expansions if self.arrange else ()
        compressions = self.compressions if self.arrange else ()
        choices = Choices(self.ks, self.rerankers, self.rewritings, expansions, compressions)
        dev = len(workspace.benchmark.split("dev"))
        return min(max(dev, self.max_calls), choices.most(dev, self.trials))

    def _search(
        self,
        workspace: Workspace,
        dev: Sequence[Question],
        train: Sequence[Question],
        plain: Configuration,
    ) -> dict[str, Any]:
        from tailor.retrieval.search import Space
        from tailor.retrieval.tuning import judged, record, tune

        chunkings = [
            (Splitter(size, min(workspace.splitter.overlap, size // 4), strategy), embedder)
            for strategy in self.strategies
            for size in self.sizes
            for embedder in ("", *self.embedders)
        ]
        space = Space(
            self.weights, self.headings, self.forms, self.fusions, self.rerank,
            self.diversities, self.expansions, self.compressions,
        )  # fmt: skip
        found = tune(workspace, dev, train, plain, chunkings, space, self.budget)
        return record(found, judged(workspace, dev))


def _about(
    workspace: Workspace, dev: Sequence[Question], train: Sequence[Question]
) -> list[object]:
    """What is chosen by, as a part of an artifact's key."""
    from tailor.scoring.score import METRIC_VERSION

    ids = [q.id for q in dev], [q.id for q in train]
    return [*ids, workspace.benchmark.digest, METRIC_VERSION]
