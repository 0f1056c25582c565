"""A process that is open for search follows another one that ingests."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tailor.initialize import initialize
from tailor.workspace import Workspace

INGEST = "from tailor.cli.main import main; main()"


@pytest.fixture
def opened(tmp_path: Path) -> Workspace:
    """Twelve documents, ingested and searched, as in a server that is open."""
    workspace = initialize(tmp_path / "acme")
    for number in range(12):
        _write(workspace, number, f"The code word of room {number} is heron{number}.")
    workspace.ingest()
    assert _found(workspace, "heron3") == "3.txt"
    return workspace


def _write(workspace: Workspace, number: int, text: str) -> None:
    (workspace.knowledge / f"{number}.txt").write_text(text, "utf-8")


def _found(workspace: Workspace, question: str) -> str:
    return workspace.search(question, k=1)[0].document


def _ingest_elsewhere(workspace: Workspace) -> None:
    command = [sys.executable, "-c", INGEST, "ingest", "-w", str(workspace.root)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_new_changed_and_deleted_documents_are_seen_at_once(opened: Workspace) -> None:
    (opened.knowledge / "3.txt").unlink()
    _write(opened, 5, "The code word of room 5 is bittern.")
    _write(opened, 20, "The code word of room 20 is egret.")
    _ingest_elsewhere(opened)
    everything = {
        p.document
        for weight in (0.0, 0.5, 1.0)
        for p in opened.index().search("code word of room heron3", 50, weight)
    }
    assert everything == {f"{n}.txt" for n in (*range(3), *range(4, 12), 20)}
    assert _found(opened, "bittern") == "5.txt"
    assert _found(opened, "egret") == "20.txt"


def test_searches_while_another_process_ingests_never_fail(opened: Workspace) -> None:
    """Every answer is of the old documents or of the new ones, and after the end of the new."""
    for number in range(6):
        (opened.knowledge / f"{number}.txt").unlink()
    over = threading.Event()
    seen: list[set[str]] = []

    def search() -> None:
        while not over.wait(0.05):
            seen.append({p.document for p in opened.search("code word of room", k=50)})

    searching = threading.Thread(target=search)
    searching.start()
    try:
        _ingest_elsewhere(opened)
    finally:
        over.set()
        searching.join(30)
    old, new = {f"{n}.txt" for n in range(12)}, {f"{n}.txt" for n in range(6, 12)}
    assert old in seen
    assert all(documents in (old, new) for documents in seen)
    assert {p.document for p in opened.search("code word of room", k=50)} == new
