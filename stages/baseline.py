"""Answers without a language model: what a search, a statistic or a regression give for nothing."""

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from tailor.assistant import Assistant
from tailor.errors import NotApplicable
from tailor.settings import setting
from tailor.stage import Stage
from tailor.workspace import Workspace


@dataclass(frozen=True)
class Baseline(Stage):
    """Answer without a language model: from passages, or from what train items have in common."""

    starts_from: ClassVar[Literal["previous", "root"]] = "root"
    labelled: ClassVar[str] = "kind"

    kind: Literal[
        "auto", "reader", "random", "mean", "median", "features", "bag_of_words", "word2vec",
        "word2vec_svr", "word2vec_forest", "boosting", "neighbours", "majority", "encoder",
    ] = setting(
        "auto",
        "how it answers; auto: the reader for answers, bag_of_words for numbers and labels",
    )  # fmt: skip
    k: int = setting(5, "passages to read", low=1)
    # Best on the sample company's dev and train questions: 0.1 gave .347, 0.2 .343, 0.3 .356.
    confidence: float = setting(
        0.3, "it refuses to answer below this confidence, 0 to 1", low=0, high=1
    )
    scale: Literal["auto", "log", "plain"] = setting(
        "auto", "numbers are fitted by their logarithm or as they are; auto: log where all are > 0"
    )
    vocabulary: int = setting(20_000, "words that a bag of words knows, the most frequent", low=1)
    encoder: str = setting(
        "shipped", "encoder of labels: shipped, or huggingface:PATH of a BERT-like model"
    )
    abstain: float = setting(0.0, "no label is given below this probability, 0 to 1", low=0, high=1)
    seed: int = setting(0, "seed of random estimates, trees and word vectors", low=0, high=2**31)

    def apply(self, assistant: Assistant, workspace: Workspace) -> Assistant:
        """The model that is no language model, fitted on train items where it learns.

        Raises:
            NotApplicable: the kind is for another task, or there are too few train items.
        """
        task = workspace.config.task
        if task == "answer":
            return self._reader(assistant, workspace)
        from tailor.prediction import baselines

        kind = baselines.USUAL if self.kind == "auto" else self.kind
        if task == "number":
            model = baselines.number_estimation(
                workspace, kind, self.scale, self.vocabulary, self.seed
            )
        else:
            model = baselines.label_estimation(
                workspace, kind, self.encoder, self.vocabulary, self.abstain, self.seed
            )
        return replace(assistant, model=model)

    def _reader(self, assistant: Assistant, workspace: Workspace) -> Assistant:
        """The extractive reader over the closest passages by BM25."""
        from tailor.models.extraction import Extraction
        from tailor.retrieval.configuration import Configuration
        from tailor.retrieval.retriever import Retriever

        if self.kind not in ("auto", "reader"):
            raise NotApplicable(
                f"baseline.kind: {self.kind!r} is for tasks number and label; this workspace's "
                "task is answer: set it to auto."
            )
        return replace(
            assistant,
            model=Extraction(self.confidence),
            retriever=Retriever(
                index=workspace.index(),
                configuration=Configuration(splitter=workspace.splitter, weight=1.0, k=self.k),
            ),
        )
