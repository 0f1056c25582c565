"""Answers without a language model: what the documents and a search give for nothing."""

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from tailor.assistant import Assistant
from tailor.settings import setting
from tailor.stage import Stage
from tailor.workspace import Workspace


@dataclass(frozen=True)
class Baseline(Stage):
    """Search by words (BM25), then copy the span that looks most like the answer."""

    starts_from: ClassVar[Literal["previous", "root"]] = "root"

    k: int = setting(5, "passages to read", low=1)
    # Best on the sample company's dev and train questions: 0.1 gave .347, 0.2 .343, 0.3 .356.
    confidence: float = setting(
        0.3, "it refuses to answer below this confidence, 0 to 1", low=0, high=1
    )

    def apply(self, assistant: Assistant, workspace: Workspace) -> Assistant:
        """A reader that is no language model, over the closest passages by BM25."""
        from tailor.models.extraction import Extraction
        from tailor.retrieval.configuration import Configuration
        from tailor.retrieval.retriever import Retriever

        return replace(
            assistant,
            model=Extraction(self.confidence),
            retriever=Retriever(
                index=workspace.index(),
                configuration=Configuration(splitter=workspace.splitter, weight=1.0, k=self.k),
            ),
        )
