"""Ingestion killed at any moment loses nothing, doubles nothing and pays for one batch at most."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from langchain_core.embeddings import DeterministicFakeEmbedding

from tailor.documents import generation
from tailor.documents.dense import DenseIndex
from tailor.documents.index import open_index

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")

SCRIPT = Path(__file__).with_name("killed_ingest.py")
STORE, PARTS = "tailor.documents.store", "tailor.documents.parts"
GENERATION, DENSE = "tailor.documents.generation", "tailor.documents.dense"
MOMENTS = (
    f"{STORE}:DocumentStore.put:after:1",
    f"{STORE}:DocumentStore.put:before:2",
    f"{STORE}:EmbeddingCache.put:before:2",
    f"{STORE}:EmbeddingCache.put:after:2",
    f"{PARTS}:write_passages:before:1",
    f"{PARTS}:write_passages:after:1",
    "tailor.documents.lexical:LexicalIndex.save:after:1",
    f"{DENSE}:DenseIndex.add:after:1",
    f"{GENERATION}:_finish:before:1",
    f"{GENERATION}:publish:before:1",
    f"{GENERATION}:publish:after:1",
)
"""From the first text kept to the pointer to the finished index, also between the two stores."""
LATER = (f"{DENSE}:DenseIndex.remove:after:1", f"{DENSE}:DenseIndex.add:after:1")
"""While the difference is applied to a copy of the index."""


@pytest.fixture
def company(tmp_path: Path) -> Path:
    """A folder with 110 documents of one passage or two."""
    for number in range(110):
        _write(tmp_path, number, f"The code word of room {number} is heron{number}.")
    return tmp_path


def _write(root: Path, number: int, text: str) -> None:
    file = root / "knowledge" / f"{number:03}.md"
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"# Room {number}\n\n{text}\n\n# Rest {number}\n\nNobody knows.", "utf-8")


def _run(root: Path, state: str, *moments: str) -> list[dict[str, Any]]:
    """Ingest, killed at these moments; gives the steps of every process, in order."""
    log = root / f"{state}.log"
    log.unlink(missing_ok=True)
    command = [sys.executable, str(SCRIPT), str(root / "knowledge"), str(root / state), str(log)]
    done = subprocess.run([*command, *moments], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in log.read_text("utf-8").splitlines()]


def _check_kills(steps: list[dict[str, Any]], moments: tuple[str, ...]) -> None:
    """Every process but the last was killed where it should be, after it had done something."""
    ends = [item for item in steps if item["step"] == "end"]
    assert [item["moment"] for item in ends] == [*moments, ""]
    assert [item["code"] for item in ends] == [-signal.SIGKILL] * len(moments) + [0], steps
    acknowledged = Counter(
        item["process"] for item in steps if item["step"] not in ("embed", "end")
    )
    assert all(acknowledged[item["of"]] > 0 for item in ends)


def _check_cost(steps: list[dict[str, Any]], batch: int = 16) -> None:
    """No text is embedded twice but those of the batches that were under way at a kill."""
    probes = {text for item in steps for text in item.get("texts", ()) if len(item["texts"]) == 1}
    times = Counter(
        text for item in steps if item["step"] == "embed" for text in item["texts"]
        if text not in probes
    )  # fmt: skip
    twice = [text for text, count in times.items() if count > 1]
    unkept = Counter[int]()
    for item in steps:
        unkept[item["process"]] += item["step"] == "embed" and len(item["texts"]) > 1
        unkept[item["process"]] -= item["step"].endswith("EmbeddingCache.put")
    assert len(twice) <= batch * sum(n for n in unkept.values() if n > 0)
    assert max(unkept.values()) <= 1
    assert max(times.values()) <= 2


def _index(state: Path) -> tuple[str, list[tuple[str, int, str]], set[str]]:
    """The generation, its passages, and the keys of its vectors."""
    index = open_index(state, DeterministicFakeEmbedding(size=16), "logged")
    folder = generation.current(state)
    assert folder is not None
    dense = DenseIndex.open(folder / index.manifest.vectors)
    keys = dense.keys()
    assert dense.count == len(keys) == index.manifest.directions
    dense.close()
    found = [(p.document, p.start, p.text) for p in index.passages()]
    assert len(found) == len(set(found)) == index.count
    return index.generation, found, keys


def test_killed_at_ten_moments(company: Path) -> None:
    steps = _run(company, "killed", *MOMENTS)
    _check_kills(steps, MOMENTS)
    _check_cost(steps)
    _run(company, "clean")
    assert _index(company / "killed") == _index(company / "clean")
    assert {document for document, _, _ in _index(company / "killed")[1]} == {
        f"{number:03}.md" for number in range(110)
    }

    before = _index(company / "killed")
    for number in range(5):
        _write(company, number, f"Room {number} has the code word egret{number} now.")
    for number in range(105, 110):
        (company / "knowledge" / f"{number:03}.md").unlink()
    steps = _run(company, "killed", *LATER)
    _check_kills(steps, LATER)
    _check_cost(steps)
    _run(company, "clean")
    generation_, passages, keys = _index(company / "killed")
    assert (generation_, passages, keys) == _index(company / "clean")
    assert generation_ != before[0]
    assert {document for document, _, _ in passages} == {f"{n:03}.md" for n in range(105)}
    assert sum("egret" in text for _, _, text in passages) == 5
