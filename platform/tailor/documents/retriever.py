"""The index as a LangChain retriever."""

from __future__ import annotations

from dataclasses import asdict

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from tailor.assistant import digest
from tailor.documents.index import Index


class HybridRetriever(BaseRetriever):
    """Finds passages by words and meaning; metadata holds all fields of ``Passage`` but text."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    index: Index
    k: int = 5
    weight: float = 0.5
    """Share of BM25 in the score, 0 to 1."""
    candidates: int = 50

    @property
    def fingerprint(self) -> str:
        """Content hash of the generation and the settings."""
        return digest([self.index.generation, self.k, self.weight, self.candidates])

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        found = self.index.search(query, self.k, self.weight, self.candidates)
        return [
            Document(
                page_content=passage.text,
                metadata={k: v for k, v in asdict(passage).items() if k != "text"},
            )
            for passage in found
        ]
