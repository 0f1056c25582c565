"""Ingestion and index against a model: files come, change, move and go, processes are killed.

After every step the store, the vectors, the manifest, the passages and what searches find are
those of the model, and no text was embedded that the model knows to be paid for.
``TAILOR_STATES=500`` asks for so many histories, chosen anew each time; without it a few are told,
always the same.
"""

from __future__ import annotations

import io
import json
import os
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from tailor.documents import generation
from tailor.documents.embedding import PROBE, unit
from tailor.documents.generation import context, searchable
from tailor.documents.index import Index
from tailor.documents.passages import Splitter
from tailor.documents.store import DocumentStore, EmbeddingCache, database
from tailor.errors import TailorError
from tailor.fault import INGESTION
from tailor.text import words
from tailor.workspace import Workspace

from .documents_model import Indexed, Model, Plan, plan, texts, unique
from .forked import SENTENCE, Forks, Hashed, make_small
from .histories import explored

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")

BIRDS = ("heron", "egret", "stork", "ibis", "crane", "rail", "tern", "gull", "kite", "swift")
STEMS = ("a", "b", "c", "sub/a", "sub/d")
CUTS: tuple[dict[str, Any], ...] = (
    {"passage_size": 12, "passage_overlap": 0},
    {"passage_size": 7, "passage_overlap": 2, "passage_strategy": "fixed"},
)
EMBEDDERS = ("huggingface:one", "huggingface:two")
POINTS = tuple(point for point in INGESTION if not point.startswith("finding."))


REACHED = {
    "told: indexed", "told: unchanged", "told: moved", "told: removed", "told: duplicate",
    "told: refused", "told: empty", "a text stands in two files", "only new texts are embedded",
    "killed after something was kept", "killed before anything was kept",
    "the index was copied and changed",
}  # fmt: skip
"""Without these the machine would prove little."""


def text(birds: list[str]) -> bytes:
    """A document with a section of one passage for each bird."""
    parts = [f"# Room {bird}\n\nThe code word of this room is {bird}{bird}.\n" for bird in birds]
    return "\n".join(parts).encode()


def archive(birds: list[str]) -> bytes:
    """A zip with a document for each bird."""
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as file:
        for bird in sorted(set(birds)):
            file.writestr(zipfile.ZipInfo(f"{bird}.md"), text([bird]))
    return raw.getvalue()


some_birds = st.lists(st.sampled_from(BIRDS), min_size=1, max_size=4, unique=True)
written = st.one_of(
    st.tuples(st.sampled_from((".md", ".md", ".txt")), some_birds.map(text)),
    st.tuples(st.just(".zip"), some_birds.map(archive)),
    st.tuples(st.just(".pdf"), st.just(b"%PDF-1.7 and no more")),
    st.tuples(st.just(".txt"), st.just(b"")),
)

faults = st.tuples(
    st.sampled_from(POINTS),
    st.sampled_from((1, 1, 2)),
    st.sampled_from(("kill", "kill", "kill", "enospc", "raise")),
)


class Documents(RuleBasedStateMachine):
    """A company's folder, its index, and processes that die."""

    home: Path
    forks: Forks
    number = 0
    seen: Counter[str]
    """How often each of the states was reached that are worth reaching."""

    def saw(self, what: str) -> None:
        """Such a state was reached."""
        self.seen[what] += 1

    @initialize(start=st.lists(st.tuples(st.sampled_from(STEMS), written), min_size=3, max_size=5))
    def begin(self, start: list[tuple[str, tuple[str, bytes]]]) -> None:
        """A new company, with some documents that are ingested at once."""
        type(self).number += 1
        self.root = self.home / str(self.number)
        (self.root / "knowledge").mkdir(parents=True)
        self.model = Model()
        self.cut, self.embedder = CUTS[0], EMBEDDERS[0]
        self.asked: list[str] = []
        self.names: dict[str, tuple[object, ...]] = {}
        self.clock = 10**18
        self.open_again()
        for stem, content in start:
            self.write(stem, content)
        self.ingest(None)

    # What people do with the folder.

    @rule(stem=st.sampled_from(STEMS), content=written)
    def write(self, stem: str, content: tuple[str, bytes]) -> None:
        """A file is added or changed."""
        name, raw = stem + content[0], content[1]
        path = self.root / "knowledge" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(raw)
        self.clock += 1
        os.utime(path, ns=(self.clock, self.clock))
        self.model.disk[name] = raw

    @precondition(lambda self: self.model.disk)
    @rule(data=st.data(), stem=st.sampled_from(STEMS))
    def copy(self, data: st.DataObject, stem: str) -> None:
        """The same content stands in a second file."""
        name = data.draw(st.sampled_from(sorted(self.model.disk)))
        self.write(stem, (Path(name).suffix, self.model.disk[name]))
        if data.draw(st.booleans()):
            self.ingest(self.only(data))

    @precondition(lambda self: self.model.disk)
    @rule(data=st.data(), stem=st.sampled_from((*STEMS, "sub/e")))
    def rename(self, data: st.DataObject, stem: str) -> None:
        """A file gets another name or folder, perhaps that of another file."""
        old = data.draw(st.sampled_from(sorted(self.model.disk)))
        new = stem + Path(old).suffix
        (self.root / "knowledge" / new).parent.mkdir(exist_ok=True)
        os.replace(self.root / "knowledge" / old, self.root / "knowledge" / new)
        self.model.rename(old, new)
        if data.draw(st.booleans()):
            self.ingest(self.only(data))

    @precondition(lambda self: self.model.disk)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        """A file is gone."""
        name = data.draw(st.sampled_from(sorted(self.model.disk)))
        (self.root / "knowledge" / name).unlink()
        del self.model.disk[name]

    # What Tailor does.

    @rule(cut=st.sampled_from((CUTS[0], *CUTS)), embedder=st.sampled_from(("", "", *EMBEDDERS)))
    def restart(self, cut: dict[str, Any], embedder: str) -> None:
        """Opened anew, perhaps with another splitter or embedder in tailor.toml."""
        self.cut, self.embedder = cut, embedder or self.embedder
        self.open_again()

    def open_again(self) -> None:
        """Two who have the workspace open: one ingests, one only searches."""
        settings = {**self.cut, "embedder": self.embedder}
        self.workspaces = [Workspace(self.root, settings) for _ in range(2)]
        for workspace in self.workspaces:
            workspace.__dict__["embeddings"] = Hashed(self.embedder, self._told)

    def _told(self, told: list[str]) -> None:
        self.asked += [one for one in told if one != PROBE]

    def only(self, data: st.DataObject | None) -> tuple[str, ...] | None:
        """All of the folder, or some files or folders that are there or were."""
        known = {*self.model.disk, *(entry.file for entry in self.model.kept.values())}
        if data is None or not known or data.draw(st.integers(0, 3)):
            return None
        folders = {"sub"} if any(name.startswith("sub/") for name in known) else set()
        return tuple(data.draw(st.sets(st.sampled_from(sorted(known | folders)), min_size=1)))

    @rule(data=st.data())
    def ingest_some(self, data: st.DataObject) -> None:
        """An ingestion in this process, of all or of some files."""
        self.ingest(self.only(data))

    def ingest(self, only: tuple[str, ...] | None) -> None:
        """An ingestion in this process."""
        wanted = plan(self.model.disk, self.model.kept, only)
        self.asked.clear()
        try:
            paths = None if only is None else [self.root / "knowledge" / name for name in only]
            report = self.workspaces[0].ingest(paths).to_json()
        except TailorError as error:
            if not (wanted.nothing and "There are no documents" in str(error)):
                raise
            if self.model.indexed is None:
                return
            report = None
        self.finished(wanted, report)

    def finished(self, wanted: Plan, report: dict[str, Any] | None) -> None:
        """An ingestion came to its end: it told and left what the model says."""
        assert wanted.nothing == (report is None)
        done = Indexed(wanted.kept, self.splitter, self.embedder)
        needed, paid = texts(done.passages), self.model.paid(self.embedder)
        assert sorted(self.asked) == sorted(needed - paid)
        if report is not None:
            self.told_rightly(wanted, done, report)
            assert report["totals"]["embedded"] == len(needed - paid)
            if paid & needed and needed - paid:
                self.saw("only new texts are embedded")
        paid |= needed
        self.model.kept, self.model.indexed = wanted.kept, done
        self.names.setdefault(self.now_searched(), done.identity)

    def told_rightly(self, wanted: Plan, done: Indexed, report: dict[str, Any]) -> None:
        """The report names every file as the model does."""
        told = {file["path"]: (file["status"], file["reason"]) for file in report["files"]}
        assert {path: status for path, (status, _) in told.items()} == {
            path: status for path, (status, _) in wanted.reports.items()
        }
        for path, (status, other) in wanted.reports.items():
            self.saw(f"told: {status}")
            sentence = {"moved": f"from {other}", "duplicate": f"same content as {other}"}
            assert told[path][1] == sentence.get(status, told[path][1])
        cut = [passage.document for passage in done.passages]
        for file in report["files"]:
            assert file["passages"] == cut.count(file["path"])

    @rule(data=st.data(), stem=st.sampled_from(STEMS), content=written)
    def write_and_ingest(self, data: st.DataObject, stem: str, content: tuple[str, bytes]) -> None:
        """A file comes or changes, and is ingested at once."""
        self.write(stem, content)
        self.ingest(self.only(data))

    @rule(
        data=st.data(),
        stem=st.sampled_from(STEMS),
        birds=some_birds,
        faults=st.lists(faults, min_size=1, max_size=3),
    )
    def ingest_and_die(
        self, data: st.DataObject, stem: str, birds: list[str], faults: list[tuple[str, int, str]]
    ) -> None:
        """A new text is ingested by processes that are killed or whose disk is full, in turn."""
        self.write(stem, (".md", text(birds)))
        for point, nth, kind in faults:
            lasting = kind == "enospc" and point.endswith(".after")
            self.die(data, point, nth, "kill" if lasting else kind)

    def die(self, data: st.DataObject, point: str, nth: int, kind: str) -> None:
        """One such process."""
        only = self.only(data)
        wanted = plan(self.model.disk, self.model.kept, only)
        log = self.root / "points.jsonl"
        log.write_text("", "utf-8")
        code = self.forks.run(
            "ingest",
            root=str(self.root),
            settings={**self.cut, "embedder": self.embedder},
            paths=None if only is None else list(only),
            fault=f"{point}:{nth}:{kind}",
        )
        lines = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
        self.asked = [t for at in lines for t in at.get("embedding", ()) if t != PROBE]
        points = [line["point"] for line in lines if "point" in line]
        if points.count(point) < nth:
            assert code == (SENTENCE if wanted.nothing else 0)
            if not wanted.nothing or self.model.indexed is not None:
                self.finished(wanted, lines[-1].get("report"))
            return
        assert code == {"kill": -9, "enospc": SENTENCE, "raise": 4}[kind], (code, kind)
        self.saw(f"{kind} at {point}")
        self.interrupted(wanted, lines, points)

    def interrupted(self, wanted: Plan, lines: list[dict[str, Any]], points: list[str]) -> None:
        """Each file is kept as before or as it is now, and the one index or the other is whole."""
        kept: dict[str, Any] = {}
        stored = self.stored()
        for path in {*self.model.kept, *wanted.kept}:
            either = [own[path] for own in (self.model.kept, wanted.kept) if path in own]
            now = [e for e in either if (e.status, e.text) == stored.get(path)]
            assert now or (path not in stored and len(either) == 1), path
            if now:
                kept[path] = now[-1]
        assert stored.keys() <= kept.keys()
        if "gone.after" in points:
            assert kept == wanted.kept
        needed = texts(Indexed(wanted.kept, self.splitter, self.embedder).passages)
        batches = [at["embedding"] for at in lines if at.get("embedding", [PROBE]) != [PROBE]]
        bought = [one for batch in batches for one in batch]
        assert len(bought) == len(set(bought)), "a text was embedded twice"
        paid = self.model.paid(self.embedder)
        assert set(bought) <= needed - paid
        sure = [one for batch in batches[: points.count("embedding.after")] for one in batch]
        in_flight = set(bought) - set(sure)
        assert len(in_flight) <= 3, "more than one batch was not kept at once"
        known = set(self.vectors(self.embedder, needed | paid))
        assert paid | set(sure) <= known <= paid | set(bought)
        paid |= known
        new = Indexed(wanted.kept, self.splitter, self.embedder)
        names = [folder.name for folder in generation.generations(self.root / ".tailor")]
        searched, former = self.now_searched(), self.model.indexed
        same = former is not None and self.names.get(searched) == former.identity
        if searched and ("pointer.after" in points or not same):
            assert "pointer.part" in points or same
            assert searched in names
            self.model.indexed = new
            self.names.setdefault(searched, new.identity)
        else:
            assert same or not searched
        if bought or kept != self.model.kept:
            self.saw("killed after something was kept")
        else:
            self.saw("killed before anything was kept")
        self.model.kept = kept

    @rule()
    def clean(self) -> None:
        """Former generations and what was left unfinished are deleted."""
        if self.workspaces[0].clean(drop=True).items:
            self.saw("something was cleaned away")
        index = self.root / ".tailor" / "index"
        left = [path.name for path in index.iterdir() if path.is_dir()]
        assert left == ([] if self.model.indexed is None else [self.now_searched()])

    @precondition(lambda self: self.comparable)
    @rule(size=st.sampled_from((5, 9)))
    def search_otherwise(self, size: int) -> None:
        """Passages of another size are searched, by an index built when first asked for."""
        assert self.model.indexed
        splitter = Splitter(size, 0, "fixed")
        self.asked.clear()
        other = Indexed(self.model.indexed.kept, splitter, self.embedder)
        mixed = unique(self.model.kept)[0] != unique(other.kept)[0]
        try:
            index = self.workspaces[1].index(splitter)
        except TailorError as error:
            if not (mixed and "not in the index yet" in str(error)):
                raise
            self.saw("no index is made of documents half read")
            return
        paid = self.model.paid(self.embedder)
        assert not set(self.asked) & paid
        assert set(self.asked) <= texts(other.passages)
        paid |= set(self.asked)
        self.right(index, other)

    # What must hold at any time.

    @property
    def splitter(self) -> Splitter:
        """As it is set now."""
        return self.workspaces[0].splitter

    @property
    def comparable(self) -> bool:
        """Whether the index is of the embedder that is set."""
        return self.model.indexed is not None and self.model.indexed.embedder == self.embedder

    def now_searched(self) -> str:
        """The name of the current generation; empty where there is none."""
        folder = generation.current(self.root / ".tailor")
        return folder.name if folder else ""

    def stored(self) -> dict[str, tuple[str, str]]:
        """Status and text of every line of the store."""
        with database(self.root / ".tailor" / "documents.db") as connection:
            records = DocumentStore(connection).records()
        return {path: (record.status, record.text) for path, record in records.items()}

    def vectors(self, embedder: str, wanted: set[str]) -> dict[str, Any]:
        """The vectors that are kept of these texts."""
        with database(self.root / ".tailor" / "embeddings.db") as connection:
            cache = EmbeddingCache(connection)
            known = list(cache.embedders(embedder))
            assert len(known) <= 1
            return cache.get(known[0], sorted(wanted)) if known else {}

    @invariant()
    def stores_are_right(self) -> None:
        """The store of documents and that of vectors hold what was read and paid for."""
        kept = {path: (e.status, e.text) for path, e in self.model.kept.items()}
        assert self.stored() == kept
        for embedder, paid in self.model.vectors.items():
            found = self.vectors(embedder, paid)
            assert found.keys() == paid
            told = Hashed(embedder, lambda told: None)
            for one, vector in found.items():
                assert np.allclose(vector, unit(np.array(told.embed_query(one))), atol=1e-6)

    @invariant()
    def searches_are_right(self) -> None:
        """Both of the open workspaces search the documents that were ingested last."""
        indexed = self.model.indexed
        if indexed is None:
            assert not self.now_searched()
            return
        known = self.names.setdefault(self.now_searched(), indexed.identity)
        assert known == indexed.identity
        assert len(set(self.names.values())) == len(self.names)
        for workspace in self.workspaces:
            if not self.comparable:
                with pytest.raises(TailorError, match="built with the embedder"):
                    workspace.index()
            elif indexed.splitter == self.splitter:
                self.right(workspace.index(), indexed)

    def right(self, index: Index, indexed: Indexed) -> None:
        """An index holds and finds exactly the passages it should."""
        wanted = indexed.passages
        assert index.passages() == wanted
        manifest = index.manifest
        assert (manifest.count, manifest.directions) == (len(wanted), len(texts(wanted)))
        assert manifest.embedder == indexed.embedder
        if not wanted:
            with pytest.raises(TailorError, match="There are no documents in the index"):
                index.search("heron")
            return
        told = Hashed(indexed.embedder, lambda told: None)
        rows = unit(np.array([told.embed_query(context(p)) for p in wanted], dtype=np.float32))
        assert np.allclose(index.vectors(range(len(wanted))), rows, atol=1e-6)
        question = "heronheron"
        cosines = rows @ unit(np.array(told.embed_query(question), dtype=np.float32))
        near = index.search(question, k=len(wanted) + 3, weight=0, candidates=len(wanted) + 3)
        assert {(p.document, p.start) for p in near} == {(p.document, p.start) for p in wanted}
        best = sorted(range(len(wanted)), key=lambda n: -cosines[n])[0]
        assert context(near[0].__class__(*_spelled(near[0]))) == context(wanted[best])
        for bird in BIRDS[:3]:
            said = index.search(bird * 2, k=len(wanted), weight=1)
            ranked = {(p.document, p.start) for p in said if p.lexical_rank is not None}
            assert ranked == {
                (p.document, p.start) for p in wanted if bird * 2 in words(searchable(p))
            }
        if unique(self.model.kept)[1]:
            self.saw("a text stands in two files")
        if manifest.dead:
            self.saw("the index was copied and changed")


def _spelled(passage: Any) -> tuple[Any, ...]:
    return passage.document, passage.start, passage.end, passage.text, passage.place


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    """Forks processes that ingest."""
    started = Forks("chromadb", "tailor.workspace", "tailor.documents.ingest")
    yield started
    started.close()


def test_ingestion_is_as_its_model(
    forks: Forks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_small(monkeypatch.setattr)

    class Machine(Documents):
        home = tmp_path

    Machine.forks = forks
    explored(Machine, 10, REACHED)
