"""Ingests again and again, killed with SIGKILL at another moment each time; then to the end.

    python killed_ingest.py KNOWLEDGE STATE LOG MOMENT...

A moment is `MODULE:NAME:WHEN:N`: before or after the n-th call of a function. Every ingestion is a
process of its own, forked from this one, which has only imported what it needs. What each has
durably done goes to LOG, a JSON line a step.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.embeddings import Embeddings

BATCH = 16
STEPS = (
    "tailor.documents.store:DocumentStore.put",
    "tailor.documents.store:EmbeddingCache.put",
    "tailor.documents.parts:write_passages",
    "tailor.documents.lexical:LexicalIndex.save",
    "tailor.documents.dense:DenseIndex.add",
    "tailor.documents.dense:DenseIndex.remove",
    "tailor.documents.generation:_finish",
    "tailor.documents.generation:publish",
)
"""Each of them leaves something on the disk."""


class Logged(Embeddings):
    """Vectors out of the texts' hashes; every batch is logged."""

    def __init__(self, log: Path | None = None) -> None:
        self.log = log

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector per text."""
        if self.log:
            write(self.log, step="embed", texts=[digest(text) for text in texts])
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        """The vector of a question."""
        seed = int(hashlib.sha256(text.encode()).hexdigest()[:8], 16)
        vector: list[float] = np.random.default_rng(seed).normal(size=16).tolist()
        return vector


def digest(text: str) -> str:
    """A short name of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def write(log: Path, **item: Any) -> None:
    """Append a line that survives the process."""
    with log.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"process": os.getpid(), **item}) + "\n")


def ingest(knowledge: Path, state: Path, log: Path | None) -> None:
    """Ingest in small batches, so that there is something to interrupt."""
    from tailor.documents import embedding, parts
    from tailor.documents.ingest import ingest
    from tailor.documents.passages import Splitter

    embedding.BATCH = BATCH
    parts._AT_ONCE = 50
    parts._COPIED_FROM = 50
    ingest(knowledge, state, Logged(log), "logged", Splitter(24, 0))


def arm(log: Path, moment: str) -> None:
    """Log every step, and die at the moment."""
    module, name, when, count = (moment or ":::0").split(":")
    for step in STEPS:
        owner: Any = importlib.import_module(step.split(":")[0])
        *outer, last = step.split(":")[1].split(".")
        for part in outer:
            owner = getattr(owner, part)
        times = int(count) if step == f"{module}:{name}" else 0
        setattr(owner, last, _wrapped(getattr(owner, last), log, step, when, times))


def _wrapped(
    function: Callable[..., Any], log: Path, step: str, when: str, times: int
) -> Callable[..., Any]:
    calls = 0

    @functools.wraps(function)
    def dying(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == times and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = function(*arguments, **named)
        write(log, step=step)
        if calls == times and when == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return dying


def main(knowledge: Path, state: Path, log: Path, moments: list[str]) -> None:
    """One ingestion after another."""
    import bm25s  # noqa: F401
    import chromadb  # noqa: F401

    import tailor.documents.ingest  # noqa: F401

    for moment in [*moments, ""]:
        process = os.fork()
        if not process:
            try:
                arm(log, moment)
                ingest(knowledge, state, log)
            except BaseException as error:
                write(log, step="error", text=repr(error))
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(process, 0)
        code = os.waitstatus_to_exitcode(status)
        write(log, step="end", moment=moment, of=process, code=code)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4:])
