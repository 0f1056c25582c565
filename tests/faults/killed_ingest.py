"""Ingestion killed at its points: the index, what was paid for, and what search finds."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from killing import Ended, Scenario
from langchain_core.embeddings import Embeddings

from tailor import fault

BATCH = 8
DOCUMENTS = 40


class Logged(Embeddings):
    """Vectors out of the texts' hashes; every batch is logged."""

    def __init__(self, log: Path) -> None:
        self.log = log

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector per text."""
        write(self.log, texts=[digest(text) for text in texts])
        return [vector(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        """The vector of a question."""
        return vector(text)

    @staticmethod
    def count_tokens(words: list[str]) -> list[int]:
        """One for each word."""
        return [1] * len(words)


def vector(text: str) -> list[float]:
    """Sixteen numbers that no other text has."""
    seed = int(digest(text)[:8], 16)
    made: list[float] = np.random.default_rng(seed).normal(size=16).tolist()
    return made


def digest(text: str) -> str:
    """The key of a text in the cache."""
    return hashlib.sha256(text.encode()).hexdigest()


def write(log: Path, **item: Any) -> None:
    """Append a line that survives the process."""
    with log.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"process": os.getpid(), **item}) + "\n")


class Ingestion(Scenario):
    """Documents added, changed, moved and deleted before each kill."""

    name = "ingestion"
    points: ClassVar = tuple(
        p for p in fault.INGESTION if p.split(".")[0] not in ("finding", "embedder")
    )

    @property
    def again(self) -> int:
        """The texts of a batch."""
        return BATCH

    def prepare(self) -> None:
        """Write the first documents."""
        self.words: dict[str, str] = {}
        self.number = 0
        self.changed: set[str] = set()
        for _ in range(DOCUMENTS):
            self._write(f"{self.number:04}.md")

    def _write(self, name: str) -> None:
        self.number += 1
        self.words[name] = f"heron{self.number}"
        self.changed.add(name)
        file = self.home / "knowledge" / name
        file.parent.mkdir(exist_ok=True)
        text = f"The code word of room {self.number} is {self.words[name]}."
        file.write_text(f"# Room {name}\n\n{text}\n\n# Rest {name}\n\nNobody knows.", "utf-8")

    def change(self) -> None:
        """Change three documents, add nine, delete three, move one."""
        names = self.chance.sample(sorted(self.words), 7)
        for name in names[:3]:
            self._write(name)
        for name in names[3:6]:
            (self.home / "knowledge" / name).unlink()
            del self.words[name]
        moved = f"moved-{self.number:04}.md"
        (self.home / "knowledge" / names[6]).rename(self.home / "knowledge" / moved)
        self.words[moved] = self.words.pop(names[6])
        self.changed.add(moved)
        for _ in range(9):
            self._write(f"{self.number:04}.md")

    def act(self) -> None:
        """Ingest in small batches, so that there is something to interrupt."""
        from tailor.documents import embedding, parts, reading
        from tailor.documents import ingest as of
        from tailor.documents.box import Box
        from tailor.documents.document import documents
        from tailor.documents.passages import Splitter

        class Open(Box):
            """Reads in this process: starting others costs more than all the rest."""

            def read(self, name: str, content: bytes) -> Any:
                return documents(content, name)

        embedding.BATCH = BATCH
        parts._COPIED_FROM = 50
        parts._DIFFERENCE = 0.6
        reading._COMMIT_EVERY = 4
        of.Box = Open  # type: ignore[misc]
        state = self.home / "state"
        of.ingest(self.home / "knowledge", state, Logged(self._log), "logged", Splitter(24, 0))

    @property
    def _log(self) -> Path:
        return self.home / "embedded"

    def look(self, ended: Ended) -> list[str]:
        """The former index serves, and no vector that was kept is gone."""
        from tailor.documents import generation

        lost = []
        folder = generation.current(self.home / "state")
        if folder is None:
            return ["no index is current"]
        if generation.file_digests(folder) != generation.Manifest.read(folder).files:
            lost.append("the current index is not as it was written")
        for name in ("documents.db", "embeddings.db"):
            with closing(sqlite3.connect(self.home / "state" / name)) as db:
                if db.execute("PRAGMA quick_check").fetchone() != ("ok",):
                    lost.append(f"{name} is damaged")
                if name == "embeddings.db":
                    kept = {text for (text,) in db.execute("SELECT text FROM embeddings")}
        own = _batches(self._log)[self._bought :][: ended.hits.count("embedding.after")]
        return lost + ["a batch of vectors" for batch in own if not kept.issuperset(batch)]

    def before(self) -> None:
        """How many batches of vectors were bought so far."""
        self._bought = len(_batches(self._log))

    def finish(self, kills: int) -> dict[str, Any]:
        """Every document is in the index once, with its last text, and is found."""
        from tailor.documents import generation
        from tailor.documents.dense import DenseIndex
        from tailor.documents.index import open_index
        from tailor.documents.parts import vector_keys

        state = self.home / "state"
        index = open_index(state, Logged(self._log), "logged")
        folder = generation.current(state)
        assert folder is not None
        with closing(DenseIndex.open(folder / index.manifest.vectors)) as dense:
            keys = dense.keys()
        lost = []
        if not len(keys) == index.manifest.directions == len(vector_keys(folder / "passages.db")):
            lost.append("vectors are not those of the manifest")
        passages = index.passages()
        places = Counter((p.document, p.start) for p in passages)
        if len(passages) != index.manifest.count or max(places.values()) > 1:
            lost.append("passages are not those of the manifest, or there twice")
        words = {p.document: p for p in passages if "heron" in p.text}
        if {name: p.text.split()[-1].strip(".") for name, p in words.items()} != self.words:
            lost.append("the index is not that of the documents")
        rest = sorted(self.words.keys() - self.changed)
        asked = [*sorted(self.changed & self.words.keys()), *rest[::5]]
        for name in asked:
            passage = words[name]
            for weight, question in (
                (0.0, generation.context(passage)), (1.0, self.words[name])
            ):  # fmt: skip
                if index.search(question, 1, weight=weight)[0].document != name:
                    lost.append(f"{name} is not found ({weight})")
        times = Counter(text for batch in _batches(self._log) for text in batch)
        again = times.total() - len(times)
        return {"found": len(asked), "opened": 4, "again": again, "lost": lost}


def _batches(log: Path) -> list[list[str]]:
    """What was embedded, but for the probes."""
    lines = (json.loads(line)["texts"] for line in log.read_text("utf-8").splitlines())
    probe = next(lines)
    return [texts for texts in lines if texts != probe]
