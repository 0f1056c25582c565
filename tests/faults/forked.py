"""Forks a process for every request, from one that has only imported what such processes need.

    python forked.py

A line of JSON on standard input names what a new process shall do; the reply is its id. The reply
to ``{"wait": PID}`` is how it ended. A process that has opened Chroma must not fork: its threads
would be missing, and what they hold stays locked; so the tests that need many processes ask this
one for them.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.embeddings import Embeddings

from tailor.documents.box import Limits
from tailor.documents.document import Document, Unread, documents

SENTENCE, TRACEBACK = 3, 4
"""How a process ends that was stopped by a `TailorError`, or by anything else."""
SMALL = {
    "tailor.documents.embedding:BATCH": 3,
    "tailor.documents.parts:_AT_ONCE": 4,
    "tailor.documents.parts:_COPIED_FROM": 4,
    "tailor.documents.parts:_KEPT_EVERY": 4,
    "tailor.documents.parts:_DIFFERENCE": 0.9,
    "tailor.documents.reading:_COMMIT_EVERY": 2,
}
"""So that a few documents are kept, embedded and indexed in several steps."""


class Hashed(Embeddings):
    """Vectors out of the texts' hashes; what is embedded is told."""

    def __init__(self, salt: str, told: Callable[[list[str]], None]) -> None:
        self.salt = salt
        self.told = told

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector per text."""
        self.told(texts)
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        """The vector of a question."""
        seed = int(hashlib.sha256(f"{self.salt} {text}".encode()).hexdigest()[:8], 16)
        vector: list[float] = np.random.default_rng(seed).normal(size=16).tolist()
        return vector

    def count_tokens(self, words: list[str]) -> list[int]:
        """One token a word."""
        return [1] * len(words)


class Near:
    """Stands where the box does and reads in this process: the box has tests of its own."""

    processes = 1

    def __init__(self, limits: Limits | None = None) -> None:
        pass

    def read(self, name: str, content: bytes) -> tuple[Document | Unread, ...]:
        """As `tailor.documents.box.Box.read`."""
        return tuple(documents(content, name))

    def close(self) -> None:
        """Nothing is held."""


def make_small(put: Callable[[Any, str, Any], None]) -> None:
    """Put ``SMALL`` and ``Near`` in their places by ``put(module, name, value)``."""
    for place, value in {**SMALL, "tailor.documents.ingest:Box": Near}.items():
        module, _, name = place.partition(":")
        put(importlib.import_module(module), name, value)


def ingest(root: str, settings: dict[str, Any], paths: list[str] | None, fault: str) -> None:
    """Ingest; points, embedded texts and the report go to ``ROOT/points.jsonl``."""
    from tailor.fault import arm
    from tailor.workspace import Workspace

    log = Path(root, "points.jsonl")
    make_small(setattr)
    workspace = Workspace(root, settings)
    workspace.__dict__["embeddings"] = Hashed(
        workspace.config.embedder, lambda texts: _say(log, {"embedding": texts})
    )
    arm(fault, lambda point: _say(log, {"point": point}))
    only = None if paths is None else [workspace.knowledge / path for path in paths]
    _say(log, {"report": workspace.ingest(only).to_json()})


def keep(path: str, steps: list[list[Any]], fault: str) -> None:
    """Write to an answer store; each step that was kept goes to ``PATH.kept``, each refused too."""
    from tailor.answers import AnswerStore, Call
    from tailor.assistant import Answer
    from tailor.errors import TailorError
    from tailor.fault import arm

    log = Path(f"{path}.kept")
    store = AnswerStore(Path(path))
    arm(fault)
    for number, (kind, *step) in enumerate(steps):
        try:
            if kind == "call":
                store.keep_call(step[0], Call(*step[1]))
            else:
                store.keep_answer(step[0], step[1], Answer.of(step[2]), step[3])
        except TailorError as error:
            _say(log, {"refused": number, "why": str(error)})
        else:
            _say(log, {"kept": number})


def command(arguments: list[str], said: str, stop_at: str = "") -> None:
    """The command line; what it says goes to ``SAID.out`` and ``SAID.err``.

    At the point ``stop_at`` of `tailor.fault` it stops until it gets SIGCONT.
    """
    from tailor.cli.main import main
    from tailor.fault import arm

    if stop_at:
        arm("", lambda point: os.kill(os.getpid(), signal.SIGSTOP) if point == stop_at else None)
    sys.argv = ["tailor", *arguments]
    with (
        open(f"{said}.out", "w", encoding="utf-8") as out,
        open(f"{said}.err", "w", encoding="utf-8") as err,
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        main()


def _say(log: Path, item: object) -> None:
    with log.open("a", encoding="utf-8") as file:
        file.write(json.dumps(item) + "\n")


class Forks:
    """The process that forks, as its client sees it."""

    def __init__(self, *imported: str, **environment: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, *imported],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "200", **environment},
        )

    def start(self, what: str, **arguments: Any) -> int:
        """Start a process that calls a function of this file; gives its id."""
        return self._ask({"do": what, **arguments})

    def wait(self, pid: int) -> int:
        """How a process ended: its status, or less than 0 for a signal."""
        return self._ask({"wait": pid})

    def run(self, what: str, **arguments: Any) -> int:
        """Start a process and wait until it has ended."""
        return self.wait(self.start(what, **arguments))

    def close(self) -> None:
        """End the process that forks."""
        self._process.communicate(timeout=30)

    def _ask(self, request: dict[str, Any]) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


def _do(what: str, **arguments: Any) -> None:
    """Call a function of this file, and end the process."""
    from tailor.errors import TailorError

    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # the replies are not its own
    code = 0
    try:
        {"ingest": ingest, "keep": keep, "command": command}[what](**arguments)
    except TailorError as error:
        sys.stderr.write(f"{error}\n")
        code = SENTENCE
    except SystemExit as ended:
        code = int(ended.code or 0)
    except BaseException:
        import traceback

        traceback.print_exc()
        code = TRACEBACK
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def main(imported: list[str]) -> None:
    """Answer requests until there are no more."""
    for name in imported:
        importlib.import_module(name)
    for line in sys.stdin:
        request = json.loads(line)
        if "wait" in request:
            reply = os.waitstatus_to_exitcode(os.waitpid(request["wait"], 0)[1])
        elif not (reply := os.fork()):
            _do(request.pop("do"), **request)
        sys.stdout.write(f"{reply}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
