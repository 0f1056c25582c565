"""Gives the model the passages of the documents that are closest to the question."""

from dataclasses import dataclass, replace

from tailor.assistant import Assistant
from tailor.settings import setting
from tailor.stage import Stage
from tailor.workspace import Workspace


@dataclass(frozen=True)
class Retrieval(Stage):
    """Search the index by meaning and by words, and put what is found into the prompt."""

    k: int = setting(4, "passages put into the prompt", low=1)
    weight: float = setting(
        0.5, "share of the word search (BM25); 0 is by meaning alone", low=0, high=1
    )

    def apply(self, assistant: Assistant, workspace: Workspace) -> Assistant:
        """The same assistant with a retriever over the current index."""
        from tailor.documents.retriever import HybridRetriever

        return replace(
            assistant,
            retriever=HybridRetriever(index=workspace.index(), k=self.k, weight=self.weight),
        )
