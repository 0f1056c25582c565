"""A build that was interrupted goes on, and ends with the index that it would have made at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tailor.documents import cutting, parts, postings
from tailor.documents.building import Built, build
from tailor.documents.dense import DenseIndex
from tailor.documents.document import Document, Place
from tailor.documents.embedding import Progress
from tailor.documents.index import Index
from tailor.documents.lexical import LexicalIndex
from tailor.documents.passages import Passage, Splitter, split
from tailor.documents.store import Record

if TYPE_CHECKING:
    from conftest import HashedWords

TEXTS = [f"Document {n} about topic{n} and the port, chợ {n % 7}." for n in range(60)]


def _records(*texts: str) -> dict[str, Record]:
    return {
        f"{n:02}.txt": Record(
            f"{n:02}.txt", "", 0, 0, "ok", text=text, places=(Place("", 0, len(text)),)
        )
        for n, text in enumerate(texts)
    }


class Builder:
    """Builds in one folder."""

    def __init__(self, state: Path, embedder: HashedWords) -> None:
        self.state, self.embedder = state, embedder

    def __call__(self, progress: Progress | None = None, texts: list[str] = TEXTS) -> Built:
        return build(self.state, _records(*texts), self.embedder, "hashed", Splitter(), progress)

    def until(self, step: str, at: int) -> Path:
        """Build up to here; gives the folder that was begun."""

        def stop(now: str, done: int, _: int) -> None:
            if now == step and done >= at:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            self(stop)
        (begun,) = (self.state / "index").glob(".building-*")
        return begun


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts are small, so that sixty passages have many, and are searched as many are."""
    monkeypatch.setattr(parts, "_AT_ONCE", 10)
    monkeypatch.setattr(parts, "_KEPT_EVERY", 20)
    monkeypatch.setattr("tailor.documents.index._COMPARED", 0)


@pytest.fixture
def builder(tmp_path: Path, hashed: Callable[[], HashedWords]) -> Builder:
    return Builder(tmp_path, hashed())


def test_a_graph_goes_on_with_its_last_copy(
    builder: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = builder.until("indexing", 50)
    (graph,) = begun.glob("chroma-*")
    for file in graph.rglob("*"):
        if file.is_file():
            file.write_bytes(b"half")
    added: list[str] = []
    add = DenseIndex.add

    def counted(index: DenseIndex, vectors: Any) -> list[str]:
        added.extend(new := add(index, vectors))
        return new

    monkeypatch.setattr(DenseIndex, "add", counted)
    _check(builder, builder())
    assert len(added) == 20


@pytest.mark.parametrize(("step", "at"), [("embedding", 20), ("indexing", 0), ("indexing", 10)])
def test_passages_are_not_cut_again(
    builder: Builder, step: str, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    builder.until(step, at)

    def again(*_: object) -> None:
        raise AssertionError("cut again")

    monkeypatch.setattr(cutting, "split", again)
    _check(builder, builder())


def test_half_of_the_passages_are_cut_when_it_goes_on(
    builder: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut: list[str] = []

    def stopped(document: Document, *settings: Any) -> list[Passage]:
        cut.append(document.path)
        if len(cut) == 35:
            raise KeyboardInterrupt
        return split(document, *settings)

    monkeypatch.setattr(cutting, "split", stopped)
    with pytest.raises(KeyboardInterrupt):
        builder()
    _check(builder, builder())
    assert len(cut) == 35 + 30


def test_a_damaged_beginning_is_begun_anew(builder: Builder) -> None:
    begun = builder.until("indexing", 30)
    raw = bytearray((begun / parts.PASSAGES).read_bytes())
    raw[100:3000] = b"x" * 2900
    (begun / parts.PASSAGES).write_bytes(raw)
    _check(builder, builder())


def test_what_was_begun_of_other_documents_is_deleted(builder: Builder) -> None:
    begun = builder.until("indexing", 30)
    builder(texts=["Something else: zebra."])
    assert not begun.exists()


def _check(builder: Builder, built: Built) -> None:
    """Every document is in the index once, and nothing but the index is left."""
    index = Index.open(built.folder, builder.embedder)
    assert built.passages == {f"{n:02}.txt": 1 for n in range(60)}
    assert [passage.text for passage in index.passages()] == TEXTS
    assert (index.manifest.count, index.manifest.directions, index.manifest.dead) == (60, 60, 0)
    assert len(set(builder.embedder.texts)) == len(TEXTS) + 1  # and the probe
    own = [text for text in builder.embedder.texts if text in TEXTS]
    assert len(own) == len(TEXTS)
    for number in (0, 17, 39, 40, 59):
        for weight in (0.0, 1.0):
            found = index.search(TEXTS[number], 1, weight=weight)[0]
            assert found.document == f"{number:02}.txt"
    index.close()
    assert not list(built.folder.glob("kept*"))
    assert not list((builder.state / "index").glob(".building-*"))


def test_words_counted_in_runs_score_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = ["", *TEXTS, "★", *reversed(TEXTS)]
    at_once = LexicalIndex.build(texts)
    monkeypatch.setattr(postings, "_AT_ONCE", 7)
    monkeypatch.setattr(postings, "_BLOCK", 20)
    LexicalIndex.write(texts, tmp_path / "words")
    in_runs = LexicalIndex.load(tmp_path / "words")
    for question in ("topic17 port", "chợ 3", "cho", "nothing known", ""):
        scores = at_once.scores(question)
        assert np.array_equal(scores, in_runs.scores(question))
        assert bool(scores.any()) == (question not in ("nothing known", ""))
    assert not [file for file in (tmp_path / "words").iterdir() if file.name.startswith(".")]
