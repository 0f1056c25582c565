"""An embedder that counts what it is asked, and a folder of documents."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from langchain_core.embeddings import Embeddings

from tailor.documents.ingest import FileReport, IngestReport, ingest
from tailor.documents.passages import Splitter
from tailor.text import fold, words


class HashedWords(Embeddings):
    """Words hashed into 64 dimensions; ``salt`` makes another embedder of the same dimension."""

    def __init__(self, salt: str = "") -> None:
        self.salt = salt
        self.texts: list[str] = []

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        self.texts += texts
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        vector = np.zeros(64)
        for word in words(text):
            key = hashlib.md5(f"{self.salt}{fold(word)}".encode()).digest()
            vector[key[0] % 64] += 1 if key[1] % 2 else -1
        return [float(value) for value in vector]


class Company:
    """A knowledge folder with its derived state."""

    def __init__(self, root: Path) -> None:
        self.knowledge = root / "knowledge"
        self.state = root / ".tailor"
        self.knowledge.mkdir()
        self.embeddings = HashedWords()

    def write(self, path: str, content: str | bytes) -> Path:
        target = self.knowledge / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        return target

    def ingest(
        self, paths: list[Path] | None = None, splitter: Splitter | None = None
    ) -> IngestReport:
        self.embeddings.texts.clear()
        return ingest(
            self.knowledge, self.state, self.embeddings, "hashed", splitter or Splitter(), paths
        )

    def files(self) -> Mapping[str, FileReport]:
        return {file.path: file for file in self.ingest().files}


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return Company(tmp_path)


@pytest.fixture(scope="module")
def shared_company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """One for all tests of a file, which only search in it."""
    return Company(tmp_path_factory.mktemp("shared"))


@pytest.fixture
def other(tmp_path_factory: pytest.TempPathFactory) -> Company:
    return Company(tmp_path_factory.mktemp("other"))


@pytest.fixture
def hashed() -> Callable[[str], HashedWords]:
    return HashedWords
