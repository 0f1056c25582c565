"""The scripts people write with LangChain alone, for the figures of Tailor to be measured against.

    python tests/benchmarks/plain_langchain.py rebuild KNOWLEDGE STATE [--size N] [--tokens]
    python tests/benchmarks/plain_langchain.py index KNOWLEDGE STATE [--size N] [--tokens]

`rebuild` loads, splits, embeds and stores everything anew; `index` keeps a record manager beside
the store and lets LangChain's `index()` find out what changed. Both read `KNOWLEDGE/**/*.md` as
UTF-8, use the shipped encoder and Chroma on disk with texts in it, and print one line of JSON.
Needs `langchain-chroma`, `langchain-classic`, `langchain-community`, `sqlalchemy` and `greenlet`.
"""

import argparse
import json
import sys
import warnings
from pathlib import Path
from typing import Any

from langchain_core.embeddings import Embeddings

from tailor.models.provider import SHIPPED
from tailor.models.static_encoder import StaticEncoder

BATCH = 5000
"""Chroma refuses more than 5,461 documents at once."""


class Counting(Embeddings):
    """The shipped encoder, counting the texts it embeds."""

    def __init__(self) -> None:
        self.encoder = StaticEncoder.load(SHIPPED / "encoder")
        self.texts = 0

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector per text."""
        self.texts += len(texts)
        return self.encoder.embed_documents(texts)

    def embed_query(self, text: str) -> list[float]:
        """The vector of a question."""
        return self.encoder.embed_query(text)


def passages(knowledge: Path, size: int, by_tokens: bool) -> list[Any]:
    """The Markdown files, loaded and split; in tokens of the shipped encoder or in characters."""
    from langchain_community.document_loaders import DirectoryLoader, TextLoader
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    loader = DirectoryLoader(
        str(knowledge), glob="**/*.md", loader_cls=TextLoader, loader_kwargs={"encoding": "utf-8"}
    )
    overlap = size // 9
    if by_tokens:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(SHIPPED / "encoder" / "tokenizer.json"))
        splitter = RecursiveCharacterTextSplitter(
            chunk_size=size,
            chunk_overlap=overlap,
            length_function=lambda text: len(tokenizer.encode(text).ids),
            add_start_index=True,
        )
    else:
        splitter = RecursiveCharacterTextSplitter(
            chunk_size=size, chunk_overlap=overlap, add_start_index=True
        )
    return splitter.split_documents(loader.load())


def main() -> None:
    """Ingest once and print what it took."""
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description="Ingest with LangChain alone.")
    parser.add_argument("how", choices=("rebuild", "index"))
    parser.add_argument("knowledge", type=Path)
    parser.add_argument("state", type=Path)
    parser.add_argument("--size", type=int, default=700)
    parser.add_argument("--tokens", action="store_true", help="size in tokens, not characters")
    arguments = parser.parse_args()
    from langchain_chroma import Chroma

    found = passages(arguments.knowledge, arguments.size, arguments.tokens)
    embedder = Counting()
    store = Chroma(
        "handbook",
        embedder,
        persist_directory=str(arguments.state / "chroma"),
        collection_metadata={"hnsw:space": "cosine"},
    )
    if arguments.how == "rebuild":
        for start in range(0, len(found), BATCH):
            store.add_documents(found[start : start + BATCH])
    else:
        from langchain_classic.indexes import SQLRecordManager
        from langchain_core.indexing import index

        records = SQLRecordManager("handbook", db_url=f"sqlite:///{arguments.state}/records.db")
        records.create_schema()
        index(
            found,
            records,
            store,
            cleanup="incremental",
            source_id_key="source",
            key_encoder="blake2b",
            batch_size=1000,
        )
    characters = sum(len(document.page_content) for document in found)
    said = {"passages": len(found), "characters": characters, "embedded": embedder.texts}
    sys.stdout.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    main()
