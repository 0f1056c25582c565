"""Finds the passages for a question by meaning and by words, as a LangChain retriever."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict, InstanceOf

from tailor.documents.lexical import LexicalIndex
from tailor.exporting.plain.json_lines import read_lines
from tailor.exporting.plain.passage import Passage
from tailor.retrieval.ranking import fused, top


class Search(BaseRetriever):
    """Both searches, mixed; the settings are those that were measured."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    passages: list[Passage]
    settings: dict[str, Any]
    """``weight`` of the words, ``fusion``, ``forms``, ``k``, ``candidates``."""
    lexical: InstanceOf[LexicalIndex] | None = None
    vectors: Any = None
    """Unit vectors, (passages, dimension); None for a search by words alone."""
    embeddings: Embeddings | None = None

    @classmethod
    def load(cls, data: Path, settings: dict[str, Any]) -> Search:
        """Open what lies in ``data``."""
        alone = settings["weight"] == 1
        return cls(
            passages=[Passage(**line) for line in read_lines(data / "passages.jsonl")],
            settings=settings,
            lexical=LexicalIndex.load(data / "lexical") if settings["weight"] else None,
            vectors=None if alone else np.load(data / "vectors.npy"),
            embeddings=None if alone else embeddings(data, settings["embedder"]),
        )

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        how, count = self.settings, len(self.passages)
        n = max(how["k"], how["candidates"])
        words, cosines = np.zeros(count), np.full(count, -1.0)
        if self.lexical is not None:
            words += self.lexical.scores(query, how["forms"])
        if self.embeddings is not None:
            vector = np.asarray(self.embeddings.embed_query(query), dtype=np.float32)
            length = float(np.linalg.norm(vector))
            if length:
                known = np.any(self.vectors != 0, axis=1)
                cosines = np.where(known, self.vectors @ (vector / length), -1.0)
        near = top(cosines + 1, n)  # top() takes what is above 0
        numbers = np.array(sorted({*top(words, n).tolist(), *near.tolist()}), dtype=int)
        scores = fused(words[numbers], cosines[numbers], how["weight"], how["fusion"])
        best = numbers[np.argsort(-np.round(scores, 9), kind="stable")[: how["k"]]]
        return [_document(self.passages[number]) for number in best.tolist()]


def _document(passage: Passage) -> Document:
    fields = asdict(passage)
    return Document(page_content=fields.pop("text"), metadata=fields)


def embeddings(data: Path, embedder: dict[str, Any]) -> Embeddings:
    """The embedder that the vectors were made with."""
    if embedder["provider"] == "shipped":
        from tailor.models.static_encoder import StaticEncoder

        return StaticEncoder.load(data / "encoder")
    if embedder["provider"] == "huggingface":
        from langchain_huggingface import HuggingFaceEmbeddings

        local: Embeddings = HuggingFaceEmbeddings(model_name=embedder["name"])
        return local
    from langchain.embeddings import init_embeddings

    where = {"base_url": embedder["base_url"]} if embedder["base_url"] else {}
    hosted = init_embeddings(embedder["name"], provider=embedder["provider"], **where)
    assert isinstance(hosted, Embeddings)
    return hosted
