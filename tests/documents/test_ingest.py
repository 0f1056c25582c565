"""Ingestion reports every file, touches only what changed and survives what goes wrong."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tailor.documents import generation
from tailor.documents.corpus import documents
from tailor.documents.index import open_index
from tailor.documents.passages import Splitter
from tailor.errors import TailorError
from tailor.text import shown

if TYPE_CHECKING:
    from conftest import Company

LEAVE = "# Leave\n\nNew staff get 12 days of paid leave.\n"
PHEP = "# Nghỉ phép\n\nNhân viên mới được nghỉ phép 12 ngày.\n"


def statuses(company: Company) -> dict[str, str]:
    return {path: file.status for path, file in company.files().items()}


def test_twice_is_unchanged_and_embeds_nothing(company: Company) -> None:
    company.write("hr/leave.md", LEAVE)
    company.write("hr/nghỉ-phép.txt", PHEP)
    first = company.ingest()
    assert {f.path: (f.status, f.language, f.passages) for f in first.files} == {
        "hr/leave.md": ("indexed", "en", 1),
        "hr/nghỉ-phép.txt": ("indexed", "vi", 1),
    }
    assert first.embedded == 2
    second = company.ingest()
    assert [f.status for f in second.files] == ["unchanged", "unchanged"]
    assert [f.passages for f in second.files] == [1, 1]
    assert second.generation == first.generation
    assert company.embeddings.texts == []


def test_report_as_json(company: Company) -> None:
    company.write("a.md", LEAVE)
    company.write("b.pdf", b"no pdf")
    report = company.ingest().to_json()
    assert report["schema_version"] == 1
    assert report["files"] == [
        {"path": "a.md", "status": "indexed", "reason": "", "language": "en", "passages": 1},
        {
            "path": "b.pdf",
            "status": "refused",
            "reason": "broken: the name says PDF but the content does not start with %PDF",
            "language": "",
            "passages": 0,
        },
    ]
    assert report["totals"] == {
        "files": 2, "indexed": 1, "refused": 1, "passages": 1, "embedded": 1
    }  # fmt: skip


def test_edit_embeds_only_the_new_passages(company: Company) -> None:
    company.write("a.md", LEAVE)
    company.write("b.md", PHEP)
    before = company.ingest().generation
    company.write("a.md", LEAVE + "\n## Sick\n\nA note after 3 days.\n")
    report = company.ingest()
    assert {f.path: f.status for f in report.files} == {"a.md": "indexed", "b.md": "unchanged"}
    assert len(company.embeddings.texts) == report.embedded + 1  # the probe
    assert report.embedded == 1
    assert report.generation != before


def test_touching_a_file_changes_nothing(company: Company) -> None:
    path = company.write("a.md", LEAVE)
    before = company.ingest().generation
    os.utime(path, (1, 1))
    report = company.ingest()
    assert (report.files[0].status, report.generation) == ("unchanged", before)


def test_moved_file_costs_no_embedding(company: Company) -> None:
    path = company.write("a.md", LEAVE)
    company.ingest()
    (company.knowledge / "new").mkdir()
    path.rename(company.knowledge / "new" / "b.md")
    report = company.ingest()
    (only,) = report.files
    assert (only.path, only.status, only.reason) == ("new/b.md", "moved", "from a.md")
    assert report.embedded == 0
    index = open_index(company.state, company.embeddings, "hashed")
    assert [p.document for p in index.search("paid leave")] == ["new/b.md"]


def test_deleted_file_is_gone_also_for_an_open_index(company: Company) -> None:
    company.write("a.md", LEAVE)
    path = company.write("b.md", PHEP)
    company.ingest()
    served = open_index(company.state, company.embeddings, "hashed")
    assert {p.document for p in served.search("nghỉ phép", weight=0)} == {"a.md", "b.md"}
    path.unlink()
    assert statuses(company) == {"a.md": "unchanged", "b.md": "removed"}
    now = open_index(company.state, company.embeddings, "hashed")
    for weight in (0.0, 0.5, 1.0):
        assert "b.md" not in {p.document for p in now.search("nghỉ phép", weight=weight)}
    # The generation that is still open is complete: nothing was changed under it.
    assert "b.md" in {p.document for p in served.search("nghỉ phép", weight=0)}
    assert statuses(company) == {"a.md": "unchanged"}


def test_same_content_twice_is_a_duplicate(company: Company) -> None:
    company.write("b.md", LEAVE)
    company.write("a.md", LEAVE.replace("\n", "\r\n"))
    for expected in ("indexed", "unchanged"):
        files = company.files()
        assert files["a.md"].status == expected
        assert (files["b.md"].status, files["b.md"].reason) == ("duplicate", "same content as a.md")
        assert (files["a.md"].passages, files["b.md"].passages) == (1, 0)
    (company.knowledge / "a.md").unlink()
    report = company.ingest()
    assert {f.path: f.status for f in report.files} == {"a.md": "removed", "b.md": "unchanged"}
    assert report.files[1].passages == 1
    assert report.embedded == 0


def test_a_bad_document_does_not_stop_the_others(company: Company) -> None:
    for number in range(30):
        company.write(f"{number}.md", f"{LEAVE} Number {number}.")
    company.write("bad.docx", b"PK\x03\x04 broken")
    company.write("empty.txt", "")
    files = company.files()
    assert sum(file.status == "indexed" for file in files.values()) == 30
    assert files["bad.docx"].status == "refused"
    assert files["empty.txt"].status == "empty"
    again = company.files()
    assert again["bad.docx"].reason == files["bad.docx"].reason
    assert again["bad.docx"].status == "refused"


def test_only_bad_documents_make_an_empty_index(company: Company) -> None:
    company.write("bad.pdf", b"no")
    report = company.ingest()
    assert report.totals["passages"] == 0
    index = open_index(company.state, company.embeddings, "hashed")
    with pytest.raises(TailorError, match="There are no documents in the index"):
        index.search("anything")


def test_benchmark_and_hidden_files_are_never_read(company: Company) -> None:
    company.write("a.md", LEAVE)
    company.write("benchmark.jsonl", '{"question": "canary", "answer": "canary"}')
    company.write(".hidden.md", "canary")
    company.write(".git/config.md", "canary")
    company.write("~$open.docx", "canary")
    company.write("deep/benchmark.jsonl", '{"question": "an ordinary file"}')
    assert set(company.files()) == {"a.md", "deep/benchmark.jsonl"}
    assert "canary" not in " ".join(documents(company.state).values())


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes or links there")
def test_pipes_devices_and_links_that_leave_are_named(company: Company, tmp_path: Path) -> None:
    company.write("a.md", LEAVE)
    (tmp_path / "secret.md").write_text("canary")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "deep.md").write_text("canary")
    os.mkfifo(company.knowledge / "pipe.md")
    (company.knowledge / "zero.md").symlink_to("/dev/zero")
    (company.knowledge / "link.md").symlink_to(tmp_path / "secret.md")
    (company.knowledge / "folder").symlink_to(tmp_path / "outside")
    (company.knowledge / "loop").symlink_to(company.knowledge)
    (company.knowledge / "dangling.md").symlink_to("nowhere.md")
    (company.knowledge / "copy.md").symlink_to("a.md")
    files = company.files()
    assert files["pipe.md"].reason == "not a regular file (a pipe, socket or device)"
    for name in ("zero.md", "link.md", "folder"):
        assert files[name].reason == "a link that leaves the knowledge folder"
    assert files["loop"].reason == "a link to a folder"
    assert files["dangling.md"].status == "refused"
    assert files["copy.md"].status == "duplicate"
    assert set(documents(company.state)) == {"a.md", "copy.md"}


@pytest.mark.skipif(sys.platform != "linux", reason="other systems change such names")
def test_hostile_names(company: Company) -> None:
    company.write("a.md", LEAVE)
    company.write("line\nbreak.md", "One more document here.")
    company.write("\u202egnp.md", "Right to left document.")
    company.write("n" * 250 + ".md", "A long name for a file.")
    company.write("nghi\u0309.md", "Decomposed name here.")
    company.write("ngh\u1ec9.md", "Composed name here.")
    (company.knowledge / os.fsdecode(b"latin\xe9.md")).write_text("not utf-8")
    files = company.files()
    assert files["line\nbreak.md"].status == "indexed"
    assert shown("line\nbreak.md") == "line\\nbreak.md"
    assert shown("\u202egnp.md") == "\\u202egnp.md"
    assert shown("nghỉ phép.md") == "nghỉ phép.md"
    assert files["latin\\xe9.md"].reason == "its name is not UTF-8: rename it"
    assert sum("another file has the same name" in file.reason for file in files.values()) == 1
    assert sum(file.status == "indexed" for file in files.values()) == 5
    assert {f.status for f in company.ingest().files} == {"unchanged", "refused"}


def test_unreadable_file_is_tried_again(company: Company) -> None:
    path = company.write("a.md", LEAVE)
    company.write("b.md", PHEP)
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user reads everything")
    assert company.files()["a.md"].reason.startswith("cannot be opened")
    path.chmod(0o600)
    assert company.files()["a.md"].status == "indexed"


def close_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the system refuse to list a folder, also to a user who may list everything."""
    listed = os.scandir

    def scandir(path: Any = ".") -> Any:
        if not isinstance(path, int) and Path(os.fsdecode(path)) == folder:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)


def close_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the system refuse to open a file, also to a user who may open everything."""
    allowed = os.access

    def access(path: Any, mode: int) -> bool:
        return Path(path) != file and allowed(path, mode)

    monkeypatch.setattr(os, "access", access)


def test_closed_folder_keeps_its_documents(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.write("a.md", PHEP)
    company.write("hr/leave.md", LEAVE)
    company.write("hr/deep/sick.md", "A note after 3 days.")
    before = company.ingest().generation
    company.write("copy.md", LEAVE)
    with monkeypatch.context() as closed:
        close_folder(company.knowledge / "hr", closed)
        report = company.ingest()
        files = {f.path: f for f in report.files}
        assert {path: f.status for path, f in files.items()} == {
            "a.md": "unchanged", "copy.md": "indexed", "hr": "refused"
        }  # fmt: skip
        assert files["hr"].reason == (
            "a folder that cannot be opened: Permission denied; "
            "what was read before stays in the index"
        )
        assert set(documents(company.state)) == {
            "a.md", "copy.md", "hr/leave.md", "hr/deep/sick.md"
        }  # fmt: skip
        index = open_index(company.state, company.embeddings, "hashed")
        assert index.search("note after days", weight=1.0)[0].document == "hr/deep/sick.md"
        # Also where only a file below the closed folder is asked for.
        (only,) = company.ingest([company.knowledge / "hr" / "leave.md"]).files
        assert (only.path, only.status) == ("hr", "refused")
        assert "hr/leave.md" in documents(company.state)
    (company.knowledge / "copy.md").unlink()
    again = company.ingest()
    assert {f.path: f.status for f in again.files} == {
        "a.md": "unchanged", "copy.md": "removed",
        "hr/leave.md": "unchanged", "hr/deep/sick.md": "unchanged",
    }  # fmt: skip
    assert again.generation == before


def test_closed_knowledge_folder_is_an_error(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.write("a.md", LEAVE)
    company.ingest()
    close_folder(company.knowledge, monkeypatch)
    with pytest.raises(TailorError, match=r"cannot be opened \(Permission denied\)"):
        company.ingest()
    assert set(documents(company.state)) == {"a.md"}


@pytest.mark.parametrize("changed", [False, True])
def test_closed_file_is_refused_and_its_text_stays(
    company: Company, monkeypatch: pytest.MonkeyPatch, changed: bool
) -> None:
    path = company.write("a.md", LEAVE)
    company.write("b.md", PHEP)
    before = company.ingest().generation
    if changed:
        company.write("a.md", LEAVE + "More.")
    with monkeypatch.context() as closed:
        close_file(path, closed)
        report = company.ingest()
    assert [(f.path, f.status, f.passages) for f in report.files] == [
        ("a.md", "refused", 1),
        ("b.md", "unchanged", 1),
    ]
    assert report.files[0].reason == (
        "cannot be opened: Permission denied; what was read before stays in the index"
    )
    assert report.generation == before
    assert company.files()["a.md"].status == ("indexed" if changed else "unchanged")


def test_file_that_fails_while_it_is_read_keeps_its_text(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.write("a.md", LEAVE)
    company.ingest()
    company.write("a.md", LEAVE + "More.")

    def failing(path: Path) -> bytes:
        raise OSError(errno.EIO, "Input/output error", str(path))

    with monkeypatch.context() as failed:
        failed.setattr("tailor.documents.reading.read_bytes", failing)
        (file,) = company.ingest().files
    assert (file.status, file.reason) == (
        "refused",
        "cannot be opened: Input/output error; what was read before stays in the index",
    )
    assert documents(company.state)["a.md"].endswith("paid leave.")
    assert company.files()["a.md"].status == "indexed"


@pytest.mark.skipif(sys.platform == "win32", reason="no links there")
def test_document_that_became_a_refused_link_says_so_and_is_gone(
    company: Company, tmp_path: Path
) -> None:
    path = company.write("a.md", LEAVE)
    company.write("b.md", PHEP)
    company.ingest()
    path.unlink()
    (tmp_path / "secret.md").write_text("canary")
    path.symlink_to(tmp_path / "secret.md")
    file = company.files()["a.md"]
    assert (file.status, file.reason) == ("refused", "a link that leaves the knowledge folder")
    assert set(documents(company.state)) == {"b.md"}


def test_all_documents_deleted_makes_an_empty_index(company: Company) -> None:
    path = company.write("a.md", LEAVE)
    company.ingest()
    path.unlink()
    report = company.ingest()
    assert [(f.path, f.status) for f in report.files] == [("a.md", "removed")]
    assert report.totals["passages"] == 0
    index = open_index(company.state, company.embeddings, "hashed")
    with pytest.raises(TailorError, match="There are no documents in the index"):
        index.search("paid leave")
    with pytest.raises(TailorError, match=r"There are no documents in .*knowledge"):
        company.ingest()


def test_emptying_the_index_goes_on_after_an_interruption(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = company.write("a.md", LEAVE)
    company.ingest()
    path.unlink()

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as stopped:
        stopped.setattr(generation, "publish", interrupted)
        with pytest.raises(KeyboardInterrupt):
            company.ingest()
    with pytest.raises(TailorError, match=r"There are no documents in .*knowledge"):
        company.ingest()
    assert open_index(company.state, company.embeddings, "hashed").count == 0


@pytest.mark.parametrize("name", ["documents.db", "embeddings.db"])
@pytest.mark.parametrize("start", [0, 4096])
def test_damaged_database_is_one_sentence(company: Company, name: str, start: int) -> None:
    """From the start it is no database; from the second page on that shows only on reading."""
    for number in range(40):
        company.write(f"{number}.md", f"# Document {number}\n\n" + f"Word{number} and more. " * 40)
    before = company.ingest().generation
    database = company.state / name
    raw = database.read_bytes()
    assert len(raw) > 3 * 4096
    database.write_bytes(raw[:start] + b"\xa5" * (len(raw) - start))
    company.write("new.md", LEAVE)
    with pytest.raises(TailorError) as caught:
        company.ingest()
    message = str(caught.value)
    assert message.startswith(f"{database} is damaged (")
    assert f"move it and the files {name}-wal and {name}-shm away" in message
    assert message.endswith("then run `tailor ingest`, which makes it anew from knowledge/.")
    for file in (name, f"{name}-wal", f"{name}-shm"):
        (company.state / file).unlink(missing_ok=True)
    (company.knowledge / "new.md").unlink()
    assert company.ingest().generation == before


def test_database_of_another_shape_is_damaged(company: Company) -> None:
    company.write("a.md", LEAVE)
    company.ingest()
    with sqlite3.connect(company.state / "documents.db") as connection:
        connection.execute("UPDATE documents SET places = 'no json'")
    with pytest.raises(TailorError, match=r"documents\.db is damaged"):
        documents(company.state)
    with sqlite3.connect(company.state / "documents.db") as connection:
        connection.execute("DROP TABLE documents")
        connection.execute("CREATE TABLE documents (path TEXT)")
    with pytest.raises(TailorError, match=r"documents\.db is damaged"):
        documents(company.state)


def test_database_that_cannot_be_opened_is_not_called_damaged(company: Company) -> None:
    (company.state / "documents.db").mkdir(parents=True)
    with pytest.raises(TailorError, match=r"documents\.db cannot be used now"):
        documents(company.state)


def test_some_paths_only(company: Company) -> None:
    company.write("hr/a.md", LEAVE)
    company.write("it/b.md", PHEP)
    company.ingest()
    company.write("hr/a.md", LEAVE + "More.")
    company.write("it/b.md", PHEP + "Thêm.")
    report = company.ingest([company.knowledge / "hr"])
    assert [(f.path, f.status) for f in report.files] == [("hr/a.md", "indexed")]
    assert set(documents(company.state)) == {"hr/a.md", "it/b.md"}
    report = company.ingest([Path("it/b.md")])
    assert [(f.path, f.status) for f in report.files] == [("it/b.md", "indexed")]
    with pytest.raises(TailorError, match="is not in"):
        company.ingest([Path("/etc/passwd")])
    with pytest.raises(TailorError, match=r"There is no it/c\.md"):
        company.ingest([Path("it/c.md")])
    (company.knowledge / "it/b.md").unlink()
    report = company.ingest([company.knowledge / "it/b.md"])
    assert [(f.path, f.status) for f in report.files] == [("it/b.md", "removed")]


def test_missing_and_empty_folder(company: Company) -> None:
    with pytest.raises(TailorError, match="There are no documents"):
        company.ingest()
    shutil.rmtree(company.knowledge)
    with pytest.raises(TailorError, match="create it"):
        company.ingest()


def test_second_writer_is_told_who_writes(company: Company) -> None:
    company.write("a.md", LEAVE)
    company.ingest()
    code = (
        "import sys, time; from pathlib import Path; from tailor.documents.generation import lock\n"
        "with lock(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(company.state)], stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(TailorError, match=f"Process {holder.pid} "):
            company.ingest()
    finally:
        holder.kill()
        holder.wait()
    company.ingest()  # a killed holder holds nothing


def test_other_splitter_builds_beside_the_current_generation(company: Company) -> None:
    company.write("a.md", "\n\n".join(f"{LEAVE} Paragraph {n}." * 9 for n in range(6)))
    company.ingest()
    current = generation.current(company.state)
    small = open_index(company.state, company.embeddings, "hashed", Splitter(40, 5))
    assert small.count > open_index(company.state, company.embeddings, "hashed").count
    assert generation.current(company.state) == current
    assert len(generation.generations(company.state)) == 2
    company.embeddings.texts.clear()
    again = open_index(company.state, company.embeddings, "hashed", Splitter(40, 5))
    assert again.generation == small.generation
    assert company.embeddings.texts == []


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
def test_kill_9_loses_at_most_one_batch(company: Company) -> None:
    for number in range(60):
        words = " ".join(f"word{number}x{i}" for i in range(200))
        company.write(f"{number}.md", "\n\n".join(f"# S{n}\n\n{words} {n}" for n in range(6)))
    child = Path(__file__).parent / "slow_ingest.py"
    ingesting = subprocess.Popen(
        [sys.executable, str(child), str(company.knowledge), str(company.state)]
    )
    try:
        deadline = time.monotonic() + 60
        while _vectors(company.state) < 256:
            assert ingesting.poll() is None, "the child ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        ingesting.kill()
        ingesting.wait()
    kept = _vectors(company.state)
    report = company.ingest()
    assert 256 <= kept < report.totals["passages"]
    assert report.embedded == report.totals["passages"] - kept
    assert {f.status for f in report.files} == {"unchanged"}
    assert len(open_index(company.state, company.embeddings, "hashed").search("word7x3")) == 5
    assert not list((company.state / "index").glob(".building-*"))


def _vectors(state: Path) -> int:
    try:
        with sqlite3.connect(f"file:{state / 'embeddings.db'}?mode=ro", uri=True) as connection:
            return int(connection.execute("SELECT COUNT(*) FROM embeddings").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def test_importing_ingest_loads_nothing_heavy() -> None:
    code = (
        "import sys; import tailor.documents.ingest, tailor.documents.index;"
        "heavy = {'numpy', 'chromadb', 'torch'} | {m for m in sys.modules if "
        "m.startswith('langchain')};"
        "sys.exit(' '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
