"""Search finds what it should, deterministically, and distrusts what it cannot verify."""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.embeddings import Embeddings

from tailor.documents import cutting, generation, parts
from tailor.documents.corpus import documents
from tailor.documents.dense import DenseIndex
from tailor.documents.document import Document
from tailor.documents.index import Index, open_index
from tailor.documents.lexical import question_tokens, singular, tokens
from tailor.documents.passages import Passage, Splitter, split
from tailor.documents.store import database
from tailor.errors import TailorError
from tailor.models.embedder import embeddings
from tailor.retrieval.configuration import Configuration
from tailor.retrieval.retriever import Retriever

if TYPE_CHECKING:
    from conftest import Company, HashedWords

DOCUMENTS = {
    "hr/leave.md": "# Leave\n\nNew employees get 12 days of paid annual leave.",
    "hr/nghi-phep.md": "# Nghỉ phép\n\nNhân viên mới được nghỉ phép 12 ngày mỗi năm.",
    "kho/lanh.txt": "Kho lạnh Hải Phòng giữ ở âm 18 độ. Thủ kho là ông Trần Văn Bình.",
    "it/laptops.txt": "Laptops are replaced every 4 years. The guest network is Blue Heron.",
    "chi.txt": "Chị Chi mua chỉ may áo.",
}


class Untouchable(Embeddings):
    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        raise AssertionError("the embedder must not be used")

    def embed_query(self, text: str) -> list[float]:
        raise AssertionError("the embedder must not be used")


@pytest.fixture
def searched(company: Company) -> Index:
    for path, text in DOCUMENTS.items():
        company.write(path, text)
    company.ingest()
    return open_index(company.state, company.embeddings, "hashed")


@pytest.fixture
def graph(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few passages are searched as many are."""
    monkeypatch.setattr("tailor.documents.index._COMPARED", 0)


@pytest.mark.parametrize("weight", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(
    ("question", "document"),
    [
        ("How many days of annual leave?", "hr/leave.md"),
        ("Nhân viên mới được nghỉ phép mấy ngày?", "hr/nghi-phep.md"),
        ("nhan vien moi duoc nghi phep may ngay", "hr/nghi-phep.md"),
        ("thu kho hai phong la ai", "kho/lanh.txt"),
        ("laptop guest networks", "it/laptops.txt"),
    ],
)
def test_both_languages(searched: Index, weight: float, question: str, document: str) -> None:
    assert searched.search(question, weight=weight)[0].document == document


def test_passages_carry_where_they_stand(searched: Index, company: Company) -> None:
    best, *rest = searched.search("annual leave", k=3)
    text = DOCUMENTS[best.document]
    assert text[best.start : best.end] == best.text
    assert (best.place, best.dense_rank, best.lexical_rank) == ("Leave", 1, 1)
    assert best.score is not None
    assert all(p.score is not None and best.score >= p.score for p in rest)
    assert len(searched.search("annual leave", k=2)) == 2


def test_bm25_alone_needs_no_embedder(searched: Index, company: Company) -> None:
    index = open_index(company.state, Untouchable(), "hashed")
    (best, *_) = index.search("annual leave", weight=1.0)
    assert (best.document, best.dense_rank, best.lexical_rank) == ("hr/leave.md", None, 1)


def test_vectors_alone_need_no_words(searched: Index) -> None:
    best = searched.search("annual leave", weight=0.0)[0]
    assert (best.dense_rank, best.lexical_rank) == (1, None)
    assert len(searched.search("annual leave", weight=0.0, k=50)) == searched.count


def test_nothing_in_common_finds_nothing_by_words(searched: Index) -> None:
    assert searched.search("xylophone", weight=1.0) == []
    assert searched.search("?!", weight=0.5) == []


def test_accents_count_when_typed(searched: Index) -> None:
    assert tokens("Chị") == ["chị", "~chi"]
    assert question_tokens("Chị ơi") == ["chị", "~chi", "ơi", "~oi"]
    assert question_tokens("chi oi") == ["~chi", "~oi"]


@pytest.mark.parametrize(
    ("word", "stem"), [("days", "day"), ("policies", "policy"), ("pass", "pass"), ("bus", "bus"),
                       ("boxes", "boxe"), ("his", "his")]
)  # fmt: skip
def test_plurals(word: str, stem: str) -> None:
    assert singular(word) == stem


def test_search_is_deterministic_also_from_threads(searched: Index) -> None:
    questions = ["leave days", "nghỉ phép", "kho lanh", "laptops"] * 10
    expected = [searched.search(question) for question in questions]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(searched.search, questions)) == expected


def test_other_embedder_is_refused(
    searched: Index, company: Company, hashed: Callable[[str], HashedWords]
) -> None:
    with pytest.raises(TailorError, match="built with the embedder hashed, not other"):
        open_index(company.state, company.embeddings, "other")
    other = hashed("salt")  # same name, same dimension, other vectors
    with pytest.raises(TailorError, match="another embedder"):
        open_index(company.state, other, "hashed").search("leave")
    company.embeddings = other
    report = company.ingest()
    assert report.generation != searched.generation
    assert report.embedded == len(DOCUMENTS)
    assert open_index(company.state, other, "hashed").search("annual leave")


def test_another_dimension_is_refused_and_rebuilt(searched: Index, company: Company) -> None:
    class Halved(type(company.embeddings)):  # type: ignore[misc]
        def embed_query(self, text: str) -> list[float]:
            vector: list[float] = super().embed_query(text)
            return vector[:32]

    company.embeddings = Halved()
    with pytest.raises(TailorError, match=r"another embedder .* run `tailor ingest`"):
        open_index(company.state, company.embeddings, "hashed").search("leave")
    assert company.ingest().embedded == len(DOCUMENTS)
    assert open_index(company.state, company.embeddings, "hashed").search("annual leave")


def test_damaged_generation_is_refused_and_rebuilt(searched: Index, company: Company) -> None:
    folder = generation.current(company.state)
    assert folder is not None
    passages = folder / "passages.db"
    passages.write_bytes(passages.read_bytes()[:-100])
    with pytest.raises(TailorError, match=r"damaged: run `tailor ingest`"):
        open_index(company.state, company.embeddings, "hashed")
    assert company.ingest().generation == searched.generation
    assert open_index(company.state, company.embeddings, "hashed").search("annual leave")


@pytest.mark.usefixtures("graph")
def test_damaged_vectors_are_refused_and_rebuilt(searched: Index, company: Company) -> None:
    folder = generation.current(company.state)
    assert folder is not None
    for file in folder.glob("chroma*/chroma.sqlite3"):
        file.write_bytes(b"broken" * 100)
    index = open_index(company.state, company.embeddings, "hashed")
    assert index.search("annual leave", weight=1.0)
    with pytest.raises(TailorError, match=r"damaged: run `tailor ingest`"):
        index.search("annual leave")
    report = company.ingest()
    assert report.embedded == 0
    rebuilt = open_index(company.state, company.embeddings, "hashed")
    assert rebuilt.search("annual leave")[0].document == "hr/leave.md"


@pytest.mark.usefixtures("graph")
def test_damaged_vectors_of_another_splitter_are_rebuilt(searched: Index, company: Company) -> None:
    splitter = Splitter(30, 0)
    small = open_index(company.state, company.embeddings, "hashed", splitter)
    folder = company.state / "index" / small.generation
    for file in folder.glob("chroma*/chroma.sqlite3"):
        file.write_bytes(b"broken" * 100)
    with pytest.raises(TailorError, match=r"damaged: run `tailor ingest`"):
        small.search("annual leave")
    assert company.ingest().generation == searched.generation
    rebuilt = open_index(company.state, company.embeddings, "hashed", splitter)
    assert rebuilt.search("annual leave")[0].document == "hr/leave.md"


@pytest.mark.usefixtures("graph")
def test_a_passing_failure_to_open_deletes_nothing(
    searched: Index, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = generation.current(company.state)
    assert folder is not None
    with monkeypatch.context() as exhausted:
        exhausted.setattr(DenseIndex, "open", too_many_open_files)
        with pytest.raises(TailorError, match=r"damaged: run `tailor ingest`"):
            searched.search("annual leave")
    before = (folder / "manifest.json").stat().st_mtime_ns
    assert searched.search("annual leave")[0].document == "hr/leave.md"
    assert (company.state / "index" / generation.DOUBT).exists()
    company.ingest()
    assert not (company.state / "index" / generation.DOUBT).exists()
    assert (folder / "manifest.json").stat().st_mtime_ns == before


def too_many_open_files(*_: object) -> None:
    raise OSError(errno.EMFILE, "Too many open files")


@pytest.mark.usefixtures("graph")
def test_damage_in_an_unwritable_workspace_is_one_sentence(
    searched: Index, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(path: Path, *_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    monkeypatch.setattr(DenseIndex, "open", too_many_open_files)
    monkeypatch.setattr(Path, "touch", read_only)
    monkeypatch.setattr(Path, "unlink", read_only)
    with pytest.raises(TailorError, match=r"cannot be written, .* \(Read-only file system\)"):
        searched.search("annual leave")


@pytest.mark.skipif(sys.platform == "win32", reason="folders are writable there")
@pytest.mark.usefixtures("graph")
def test_read_only_workspace(searched: Index, company: Company) -> None:
    index = open_index(company.state, company.embeddings, "hashed")
    entries = [company.state, *company.state.rglob("*")]
    for entry in entries:
        entry.chmod(0o500 if entry.is_dir() else 0o400)
    try:
        if os.access(company.state, os.W_OK):
            pytest.skip("this user writes everywhere")
        assert index.search("annual leave", weight=1.0)[0].document == "hr/leave.md"
        with pytest.raises(TailorError, match="cannot be written, which Chroma needs"):
            index.search("annual leave")
        with pytest.raises(TailorError, match="cannot be"):
            documents(company.state)
        with pytest.raises(TailorError, match="cannot be"):
            open_index(company.state, company.embeddings, "hashed", Splitter(30, 0))
        with pytest.raises(TailorError, match="cannot be written"):
            company.ingest()
    finally:
        for entry in entries:
            entry.chmod(0o700)


def test_no_index_yet(company: Company) -> None:
    with pytest.raises(TailorError, match="There is no index yet: run `tailor ingest`"):
        open_index(company.state, company.embeddings, "hashed")


def test_truncated_manifest_is_damage(searched: Index, company: Company) -> None:
    folder = generation.current(company.state)
    assert folder is not None
    raw = (folder / "manifest.json").read_bytes()
    for cut in range(0, len(raw) - 1, max(1, len(raw) // 20)):
        (folder / "manifest.json").write_bytes(raw[:cut])
        with pytest.raises(TailorError, match="damaged"):
            open_index(company.state, company.embeddings, "hashed")


def test_generation_depends_on_content_alone(searched: Index, other: Company) -> None:
    for path in reversed(DOCUMENTS):
        other.write(path, DOCUMENTS[path])
    assert other.ingest().generation == searched.generation


def test_stores_survive_power_cuts(company: Company) -> None:
    with database(company.state / "any.db") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)


def test_chroma_holds_no_text(searched: Index, company: Company) -> None:
    folder = generation.current(company.state)
    assert folder is not None
    stored = b"".join(f.read_bytes() for f in folder.glob("chroma*/**/*") if f.is_file())
    assert b"annual leave" not in stored
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["count"] == searched.count == len(DOCUMENTS)


def test_retriever_gives_passages(searched: Index) -> None:
    retriever = Retriever(index=searched, configuration=Configuration(k=2, weight=1.0))
    found = retriever.invoke("annual leave")
    expected = searched.search("annual leave", k=2, weight=1.0)
    assert [Passage(text=d.page_content, **d.metadata) for d in found] == expected
    fields: Mapping[str, object] = asdict(expected[0])
    assert found[0].metadata.keys() | {"text"} == fields.keys()
    same = Retriever(index=searched, configuration=Configuration(k=2, weight=1.0))
    assert retriever.fingerprint == same.fingerprint
    assert (
        retriever.fingerprint
        != Retriever(index=searched, configuration=Configuration(k=3, weight=1.0)).fingerprint
    )


@pytest.mark.usefixtures("graph")
def test_many_passages_in_several_batches(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tailor.documents.dense._BATCH", 7)
    for number in range(40):
        company.write(f"{number}.txt", f"Document number {number} about topic{number}.")
    company.ingest()
    index = open_index(company.state, company.embeddings, "hashed")
    assert index.count == 40
    for number in (0, 6, 7, 39):
        assert index.search(f"topic{number}")[0].document == f"{number}.txt"


@pytest.mark.usefixtures("graph")
def test_small_changes_are_applied_to_a_copy(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "_COPIED_FROM", 10)
    for number in range(40):
        company.write(f"{number}.txt", f"Document number {number} about topic{number}.")
    company.ingest()
    served = open_index(company.state, company.embeddings, "hashed")
    assert served.search("topic7")[0].document == "7.txt"

    def built_anew(folder: object) -> None:
        raise AssertionError("the index was built anew")

    with monkeypatch.context() as patched:
        patched.setattr(DenseIndex, "create", built_anew)
        company.write("7.txt", "Something else: zebra.")
        (company.knowledge / "8.txt").unlink()
        company.write("41.txt", "Document number 41 about topic41.")
        assert company.ingest().embedded == 2
    index = open_index(company.state, company.embeddings, "hashed")
    assert (index.count, index.manifest.directions, index.manifest.dead) == (40, 40, 2)
    everything = {p.document for p in index.search("document", k=40, weight=0)}
    assert everything == {f"{n}.txt" for n in (*range(8), *range(9, 40), 41)}
    assert index.search("zebra", weight=0)[0].document == "7.txt"
    assert "8.txt" in {p.document for p in served.search("document", k=40, weight=0)}

    for number in range(20):
        company.write(f"{number}.txt", f"Rewritten number {number}.")
    company.ingest()
    rebuilt = open_index(company.state, company.embeddings, "hashed")
    assert rebuilt.manifest.dead == 0


def test_unchanged_documents_are_not_cut_again(
    searched: Index, company: Company, other: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut: list[str] = []

    def counted(document: Document, *settings: Any) -> list[Passage]:
        cut.append(document.path)
        return split(document, *settings)

    monkeypatch.setattr(cutting, "split", counted)
    company.write("hr/leave.md", "# Leave\n\nNew employees get 13 days.\n\n# Sick\n\nCall us.")
    company.ingest()
    assert cut == ["hr/leave.md"]
    company.ingest(splitter=Splitter(20, 0))
    assert len(cut) == 1 + len(DOCUMENTS)
    company.ingest()
    for path in DOCUMENTS:
        other.write(path, (company.knowledge / path).read_text("utf-8"))
    other.ingest()
    passages = [open_index(c.state, c.embeddings, "hashed").passages() for c in (company, other)]
    assert passages[0] == passages[1]


@pytest.mark.parametrize("compared", [0, 100])
def test_equal_texts_share_a_vector_and_are_both_found(
    company: Company, compared: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tailor.documents.index._COMPARED", compared)
    company.write("a.txt", "Same words here.\n\nMore in a.")
    company.write("b.md", "Same words here.")
    company.write("c.md", "# H\n\nSame words here.")
    company.write("d.md", "# H\n\nSame words here.\n\n# I\n\nOther.")
    company.ingest()
    index = open_index(company.state, company.embeddings, "hashed")
    assert index.count == 5
    assert index.manifest.directions == 4
    found = index.search("H same words here", k=2, weight=0)
    assert [p.document for p in found] == ["c.md", "d.md"]


def test_words_unknown_to_the_embedder_are_found_by_words(company: Company) -> None:
    company.write("a.txt", "★ ☆ ٣")
    company.write("b.txt", "plain words")
    company.embeddings.embed_query = (  # type: ignore[method-assign]
        lambda text: [0.0] * 64 if "★" in text else [1.0] + [0.0] * 63
    )
    company.ingest()
    index = open_index(company.state, company.embeddings, "hashed")
    assert (index.count, index.manifest.directions) == (2, 1)
    assert index.search("٣")[0].document == "a.txt"
    assert [p.document for p in index.search("★", weight=0)] == []


def test_shipped_encoder_end_to_end(company: Company) -> None:
    for path, text in DOCUMENTS.items():
        company.write(path, text)
    company.embeddings = embeddings("shipped")  # type: ignore[assignment]
    from tailor.documents.ingest import ingest
    from tailor.documents.passages import Splitter

    ingest(company.knowledge, company.state, company.embeddings, "shipped", Splitter())
    index = open_index(company.state, company.embeddings, "shipped")
    assert index.search("nhân viên nghỉ phép bao nhiêu ngày")[0].document == "hr/nghi-phep.md"
    assert index.search("when are laptops replaced?")[0].document == "it/laptops.txt"


def test_hundreds_of_nearly_equal_documents_are_indexed(company: Company) -> None:
    """A graph of neighbours may lead to only some of them, which is no damage."""
    for number in range(400):
        company.write(f"notes/{number}.md", f"# Note {number}\n\nThe box {number} left the port.\n")
    company.embeddings = embeddings("shipped")  # type: ignore[assignment]
    from tailor.documents.ingest import ingest

    report = ingest(company.knowledge, company.state, company.embeddings, "shipped", Splitter())
    assert report.totals["indexed"] == 400
    index = open_index(company.state, company.embeddings, "shipped")
    assert index.search("Where did box 317 go?")[0].document == "notes/317.md"


def test_vectors_that_no_query_reaches_are_not_published(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path, text in DOCUMENTS.items():
        company.write(path, text)
    monkeypatch.setattr(DenseIndex, "nearest", lambda *_: [("other", 0.3)])
    with pytest.raises(TailorError, match="misses"):
        company.ingest()
    assert generation.current(company.state) is None
