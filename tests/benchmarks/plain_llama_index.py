"""LlamaIndex's IngestionPipeline as its pages show it, for Tailor's figures to be measured against.

    python tests/benchmarks/plain_llama_index.py KNOWLEDGE STATE --encoder FOLDER [--size 700]

Reads `KNOWLEDGE/**/*.md`, splits by sentences to so many characters, embeds with the shipped
encoder and stores in Chroma, with a document store (strategy "upserts") that says what changed.
Prints one line of JSON. It runs in an environment of its own that has
`llama-index-core`, `llama-index-vector-stores-chroma`, `langchain-core` and `safetensors`, with the
folder `platform/` in PYTHONPATH for the encoder.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import chromadb
from llama_index.core import Document
from llama_index.core.embeddings import BaseEmbedding
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.ingestion.pipeline import DocstoreStrategy
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.storage.docstore import SimpleDocumentStore
from llama_index.vector_stores.chroma import ChromaVectorStore
from pydantic import PrivateAttr

from tailor.models.static_encoder import StaticEncoder

AT_ONCE = 100
"""Documents; Chroma refused more than 5,461 passages from one run of the pipeline."""


class Counting(BaseEmbedding):
    """The shipped encoder, counting the texts it embeds."""

    _encoder: StaticEncoder = PrivateAttr()
    _texts: int = PrivateAttr(default=0)

    def __init__(self, folder: Path) -> None:
        super().__init__(model_name="shipped", embed_batch_size=1000)
        self._encoder = StaticEncoder.load(folder)

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        self._texts += len(texts)
        return self._encoder.embed_documents(texts)

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embeddings([query])[0]

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_query_embedding(query)


def slices(found: Sequence[Any]) -> list[Sequence[Any]]:
    """At most so many at once."""
    return [found[at : at + AT_ONCE] for at in range(0, len(found), AT_ONCE)]


def main() -> None:
    """Ingest once and print what it took."""
    parser = argparse.ArgumentParser(description="Ingest with LlamaIndex.")
    parser.add_argument("knowledge", type=Path)
    parser.add_argument("state", type=Path)
    parser.add_argument("--encoder", type=Path, required=True)
    parser.add_argument("--size", type=int, default=700, help="characters")
    given = parser.parse_args()
    files = sorted(given.knowledge.rglob("*.md"))
    found = [Document(text=file.read_text("utf-8"), id_=str(file)) for file in files]
    embedder = Counting(given.encoder)
    collection = chromadb.PersistentClient(str(given.state / "chroma")).get_or_create_collection(
        "handbook", metadata={"hnsw:space": "cosine"}
    )
    kept = given.state / "docstore.json"
    docstore = (
        SimpleDocumentStore.from_persist_path(str(kept)) if kept.exists() else SimpleDocumentStore()
    )
    pipeline = IngestionPipeline(
        transformations=[
            SentenceSplitter(chunk_size=given.size, chunk_overlap=given.size // 9, tokenizer=list),
            embedder,
        ],
        docstore=docstore,
        docstore_strategy=DocstoreStrategy.UPSERTS,
        vector_store=ChromaVectorStore(chroma_collection=collection),
        disable_cache=True,
    )
    for some in slices(found):
        pipeline.run(documents=some)
    given.state.mkdir(exist_ok=True)
    docstore.persist(str(kept))
    said = {"passages": collection.count(), "embedded": embedder._texts}
    sys.stdout.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    main()
