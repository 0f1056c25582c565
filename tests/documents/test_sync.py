"""Several documents in one file, recordings, other sources, and runs that only look."""

from __future__ import annotations

import hashlib
import io
import sys
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest

from tailor.documents.box import Box, Limits
from tailor.documents.corpus import documents
from tailor.documents.document import Document, Unread, document
from tailor.documents.ingest import IngestReport, forget_refused, ingest
from tailor.documents.passages import Splitter
from tailor.documents.recordings import Unfinished
from tailor.documents.refusal import Refused
from tailor.errors import TailorError

if TYPE_CHECKING:
    from conftest import Company

LEAVE = "# Leave\n\nNew staff get 12 days of paid leave.\n"
PHEP = "# Nghỉ phép\n\nNhân viên mới được nghỉ phép 12 ngày.\n"


def archive(**entries: str | bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as packed:
        for name, content in entries.items():
            packed.writestr(zipfile.ZipInfo(name.replace("__", "/").replace("_", ".")), content)
    return stream.getvalue()


def statuses(report: IngestReport) -> dict[str, str]:
    return {file.path: file.status for file in report.files}


def digest(folder: Path) -> str:
    """Of everything below a folder: names, contents and times."""
    hasher = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        hasher.update(f"{path.relative_to(folder)} {path.stat().st_mtime_ns}".encode())
        if path.is_file():
            hasher.update(path.read_bytes())
    return hasher.hexdigest()


def test_an_archive_is_a_folder_of_documents(company: Company) -> None:
    whole = archive(hr__leave_md=LEAVE, phep_md=PHEP, bad_pdf=b"no pdf")
    path = company.write("old.zip", whole)
    report = company.ingest()
    assert statuses(report) == {
        "old.zip": "indexed",
        "old.zip/hr/leave.md": "indexed",
        "old.zip/phep.md": "indexed",
        "old.zip/bad.pdf": "refused",
    }
    assert {f.path: f.reason for f in report.files}["old.zip"] == "documents in it: 2, 1 not read"
    assert set(documents(company.state)) == {"old.zip/hr/leave.md", "old.zip/phep.md"}
    assert report.totals["passages"] == 2
    again = company.ingest()
    assert statuses(again) == dict.fromkeys(statuses(report), "unchanged") | {
        "old.zip/bad.pdf": "refused"
    }
    assert again.generation == report.generation
    assert company.embeddings.texts == []

    path.rename(company.knowledge / "new.zip")
    moved = company.ingest()
    assert statuses(moved) == {
        "new.zip": "moved",
        "new.zip/hr/leave.md": "moved",
        "new.zip/phep.md": "moved",
        "new.zip/bad.pdf": "refused",
        "old.zip/bad.pdf": "removed",
    }
    assert moved.embedded == 0
    assert set(documents(company.state)) == {"new.zip/hr/leave.md", "new.zip/phep.md"}

    company.write("new.zip", archive(phep_md=PHEP, more_md="Something else."))
    changed = company.ingest()
    assert statuses(changed) == {
        "new.zip": "indexed",
        "new.zip/phep.md": "indexed",
        "new.zip/more.md": "indexed",
        "new.zip/hr/leave.md": "removed",
        "new.zip/bad.pdf": "removed",
    }
    assert changed.embedded == 1
    company.write("a.md", LEAVE)
    (company.knowledge / "new.zip").unlink()
    assert statuses(company.ingest()) == {
        "a.md": "indexed",
        "new.zip": "removed",
        "new.zip/phep.md": "removed",
        "new.zip/more.md": "removed",
    }


def test_an_archive_of_nothing_readable_is_refused(company: Company) -> None:
    company.write("a.zip", archive(bad_pdf=b"no pdf"))
    company.write("b.zip", archive(blank_md=b" \n"))
    files = company.files()
    assert files["a.zip"].status == "refused"
    assert files["a.zip"].reason.startswith("nothing in it can be read; bad.pdf: broken")
    assert files["b.zip"].status == "empty"
    assert documents(company.state) == {}


def test_a_copy_in_an_archive_is_a_duplicate(company: Company) -> None:
    company.write("leave.md", LEAVE)
    company.write("old.zip", archive(leave_md=LEAVE, phep_md=PHEP))
    files = company.files()
    assert files["old.zip/leave.md"].status == "duplicate"
    assert files["old.zip/leave.md"].reason == "same content as leave.md"


def test_refused_files_are_read_again_when_told_so(company: Company) -> None:
    company.write("a.md", LEAVE)
    company.write("old.zip", archive(phep_md=PHEP, bad_pdf=b"no pdf"))
    company.ingest()
    forget_refused(company.state)
    files = company.files()
    assert files["a.md"].status == "unchanged"
    assert files["old.zip"].status == "indexed"


def test_a_document_that_may_not_be_searched(company: Company) -> None:
    company.write("a.md", LEAVE)
    company.write("old.zip", archive(phep_md=PHEP, more_md="Something else."))

    def run(secret: str) -> IngestReport:
        return ingest(
            *(company.knowledge, company.state, company.embeddings, "hashed", Splitter()),
            withheld=lambda path, text: "a secret" if secret and secret in text else "",
        )

    for _ in range(2):
        files = {file.path: file for file in run("phép").files}
        assert (files["old.zip/phep.md"].status, files["old.zip/phep.md"].reason) == (
            "refused",
            "a secret",
        )
        assert "old.zip/phep.md" not in documents(company.state)
        assert "phép" not in (company.state / "documents.db").read_bytes().decode("utf-8", "ignore")
    assert statuses(run(""))["old.zip/phep.md"] == "indexed"
    assert "old.zip/phep.md" in documents(company.state)


class Talk:
    """Writes every recording down as one sentence; counts what it was asked."""

    def __init__(self, fingerprint: str) -> None:
        self.fingerprint = fingerprint
        self.asked: list[str] = []
        self.error: Exception | None = None

    def __call__(self, path: Path, relative: str) -> Sequence[Document | Unread]:
        self.asked.append(relative)
        if self.error is not None:
            raise self.error
        said = document(f"Said by {self.fingerprint}: {path.read_text()}".encode(), "a.md")
        return [replace(said, path=f"{relative}/transcript")]


def test_recordings_are_written_down_once(company: Company) -> None:
    path = company.write("talk.mp3", "hello everybody")

    def run(talk: Talk | None, dry_run: bool = False) -> IngestReport:
        return ingest(
            *(company.knowledge, company.state, company.embeddings, "hashed", Splitter()),
            recordings=talk,
            dry_run=dry_run,
        )

    refused = run(None)
    assert statuses(refused) == {"talk.mp3": "refused"}
    assert refused.files[0].reason.startswith("a recording: set transcriber")
    first = Talk("first")
    assert statuses(run(first, dry_run=True)) == {"talk.mp3": "indexed"}
    assert first.asked == []
    assert statuses(run(first)) == {"talk.mp3": "indexed", "talk.mp3/transcript": "indexed"}
    assert statuses(run(first)) == {"talk.mp3": "unchanged", "talk.mp3/transcript": "unchanged"}
    # What was paid for stays where there is no transcriber any more.
    assert statuses(run(None)) == {"talk.mp3": "unchanged", "talk.mp3/transcript": "unchanged"}
    path.rename(company.knowledge / "board.mp3")
    assert statuses(run(first)) == {"board.mp3": "moved", "board.mp3/transcript": "moved"}
    assert first.asked == ["talk.mp3"]
    second = Talk("second")
    assert statuses(run(second)) == {"board.mp3": "indexed", "board.mp3/transcript": "indexed"}
    assert "Said by second" in documents(company.state)["board.mp3/transcript"]


def test_a_recording_that_failed_is_tried_again(company: Company) -> None:
    company.write("talk.mp3", "hello everybody")
    company.write("a.md", LEAVE)
    talk = Talk("first")

    def run() -> IngestReport:
        return ingest(
            *(company.knowledge, company.state, company.embeddings, "hashed", Splitter()),
            recordings=talk,
        )

    talk.error = Unfinished("the server is not there")
    report = run()
    assert statuses(report) == {"talk.mp3": "refused", "a.md": "indexed"}
    assert report.files[1].reason == "the server is not there"
    talk.error = None
    assert statuses(run())["talk.mp3/transcript"] == "indexed"
    talk.error = Refused("nobody speaks")
    company.write("talk.mp3", "nothing at all")
    assert statuses(run()) == {
        "talk.mp3": "refused", "talk.mp3/transcript": "removed", "a.md": "unchanged"
    }  # fmt: skip
    assert statuses(run()) == {"talk.mp3": "refused", "a.md": "unchanged"}
    assert len(talk.asked) == 3


class Wiki:
    """A source with these pages."""

    def __init__(self, **pages: str) -> None:
        self.name = "wiki"
        self.pages = pages
        self.error: TailorError | None = None

    def load(self) -> Iterator[Document | Unread]:
        for name, text in self.pages.items():
            if self.error is not None:
                raise self.error
            yield replace(document(text.encode(), "a.md"), path=f"wiki/{name}")


def test_sources_beside_the_folder(company: Company) -> None:
    company.write("a.md", LEAVE)
    company.write("wiki/taken", "A file of the same name.")
    wiki = Wiki(phep=PHEP, taken="Another one.", more="Something else.")

    def run(*sources: Wiki, paths: list[Path] | None = None) -> IngestReport:
        return ingest(
            *(company.knowledge, company.state, company.embeddings, "hashed", Splitter()),
            paths=paths,
            sources=sources,
        )

    assert statuses(run(wiki)) == {
        "a.md": "indexed", "wiki/taken": "refused", "wiki/phep": "indexed", "wiki/more": "indexed"
    } or statuses(run(wiki))["wiki/phep"] == "unchanged"  # fmt: skip
    del wiki.pages["more"]
    wiki.pages["phep"] = PHEP + "Thêm."
    second = statuses(run(wiki))
    assert (second["wiki/phep"], second["wiki/more"]) == ("indexed", "removed")
    wiki.error = TailorError("The wiki is away: try later.")
    failed = {file.path: file for file in run(wiki).files}
    assert failed["wiki"].status == "refused"
    assert failed["wiki"].reason.startswith("The wiki is away: try later. What was read before")
    assert "wiki/phep" in documents(company.state)
    run(paths=[company.knowledge / "a.md"])
    assert "wiki/phep" in documents(company.state)
    assert statuses(run())["wiki/phep"] == "removed"


def test_a_dry_run_changes_nothing_and_says_what_would(company: Company) -> None:
    def dry() -> dict[str, str]:
        company.embeddings.texts.clear()
        report = ingest(
            *(company.knowledge, company.state, company.embeddings, "hashed", Splitter()),
            dry_run=True,
        )
        assert company.embeddings.texts == []
        return statuses(report)

    company.write("a.md", LEAVE)
    assert dry() == {"a.md": "indexed"}
    assert not company.state.exists()
    company.write("b.md", PHEP)
    company.write("c.md", "Something else.")
    company.write("d.md", "One more.")
    company.ingest()
    before = digest(company.state)
    assert set(dry().values()) == {"unchanged"}
    company.write("a.md", LEAVE + "More.")
    (company.knowledge / "b.md").rename(company.knowledge / "e.md")
    (company.knowledge / "c.md").unlink()
    company.write("bad.pdf", b"no pdf")
    company.write("copy.md", "One more.")
    said = {
        "a.md": "indexed", "e.md": "moved", "c.md": "removed", "bad.pdf": "refused",
        "copy.md": "indexed", "d.md": "duplicate",
    }  # fmt: skip
    assert dry() == said
    assert digest(company.state) == before
    assert statuses(company.ingest()) == said


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited there only")
def test_one_bad_document_among_a_thousand(company: Company) -> None:
    """The bad one takes its parser down; all others are indexed by the shipped embedder."""
    from tailor.models.embedder import embeddings

    random = Random(0)
    words = "cargo river invoice winter holiday printer coffee engine window teacher".split()
    words += "kho lạnh hợp đồng nghỉ phép bảo hành khách hàng lương thưởng vận chuyển".split()
    for number in range(999):
        text = " ".join(random.choices(words, k=12))
        company.write(f"{number % 10}/{number}.md", f"Number {number}: {text}.")
    company.write("5/hungry.json", b"[" + b"[]," * 5_000_000 + b"0]")
    report = ingest(
        *(company.knowledge, company.state, embeddings("shipped"), "shipped", Splitter()),
        box=Box(Limits(memory=300 << 20)),
    )
    named = [file for file in report.files if file.status != "indexed"]
    assert [(file.path, file.reason) for file in named] == [
        ("5/hungry.json", "needs more than 300 MB of memory to be read")
    ]
    assert len(report.files) == 1000
    assert report.totals["passages"] == 999
