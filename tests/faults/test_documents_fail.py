"""Documents that are hostile, too large, or written in another form of the same letters."""

from __future__ import annotations

import io
import os
import socket
import threading
import tracemalloc
import unicodedata
import zipfile
from collections.abc import Iterator
from pathlib import Path

import docx
import pytest
from fpdf import FPDF

from tailor.assistant import Ask
from tailor.documents.box import Box
from tailor.documents.document import Document
from tailor.documents.refusal import Refused
from tailor.initialize import initialize
from tailor.workspace import Workspace


@pytest.fixture
def acme(tmp_path: Path) -> Workspace:
    """An empty workspace."""
    return initialize(tmp_path / "acme")


def refused(workspace: Workspace, path: str) -> str:
    """Why a file is not indexed; the one beside it is."""
    (workspace.knowledge / "beside.md").write_text("# Beside\n\nThe code word is heron.\n", "utf-8")
    files = {file.path: file for file in workspace.ingest().files}
    assert files["beside.md"].status in ("indexed", "unchanged")
    assert files[path].status == "refused"
    assert workspace.search("code word", k=1)[0].document == "beside.md"
    return files[path].reason


def test_a_pdf_that_needs_a_password_says_so(acme: Workspace) -> None:
    pdf = FPDF()
    pdf.add_page()
    pdf.set_font("helvetica", size=12)
    pdf.cell(text="Nobody reads this")
    pdf.set_encryption(owner_password="owner", user_password="user")
    pdf.output(str(acme.knowledge / "secret.pdf"))
    assert "password" in refused(acme, "secret.pdf")


# entities


class Watched:
    """A server that counts who connects."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.connections = 0
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            connection.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.socket.getsockname()[1]}"


@pytest.fixture
def watched() -> Iterator[Watched]:
    one = Watched()
    yield one
    one.socket.close()


def packed(**members: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name.replace("_xml", ".xml"), text)
    return stream.getvalue()


WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
OFFICE = "urn:oasis:names:tc:opendocument:xmlns:office:1.0"
TEXT = "urn:oasis:names:tc:opendocument:xmlns:text:1.0"
LAUGHS = "".join(f"<!ENTITY l{n} '{f'&l{n - 1};' * 10}'>" for n in range(1, 12))
KINDS = ("a.xml", "a.html", "a.docx", "a.odt")


def document(name: str, doctype: str, entity: str) -> bytes:
    """A document of this kind that says its entity."""
    if name == "a.docx":
        body = f"<w:p><w:r><w:t>said &{entity}; here</w:t></w:r></w:p>"
        text = f'{doctype}<w:document xmlns:w="{WORD}"><w:body>{body}</w:body></w:document>'
        stream, changed = io.BytesIO(), io.BytesIO()
        docx.Document().save(stream)
        with zipfile.ZipFile(stream) as made, zipfile.ZipFile(changed, "w") as archive:
            for member in made.namelist():
                own = text.encode() if member == "word/document.xml" else made.read(member)
                archive.writestr(member, own)
        return changed.getvalue()
    if name == "a.odt":
        body = f"<text:p>said &{entity}; here</text:p>"
        spaces = f'xmlns:office="{OFFICE}" xmlns:text="{TEXT}"'
        inner = f"<office:body><office:text>{body}</office:text></office:body>"
        text = f"{doctype}<office:document-content {spaces}>{inner}</office:document-content>"
        return packed(mimetype="application/vnd.oasis.opendocument.text", content_xml=text)
    return f"{doctype}<a><b>said &{entity}; here</b></a>".encode()


@pytest.mark.parametrize("name", KINDS)
def test_without_entities_they_are_read(name: str) -> None:
    """Else it would be no wonder that none of them reads a file."""
    with Box() as box:
        (found,) = box.read(name, document(name, "", "amp"))
    assert isinstance(found, Document)
    assert "said & here" in found.text


@pytest.mark.parametrize("name", KINDS)
def test_entities_read_no_file_ask_no_server_and_do_not_grow(
    tmp_path: Path, watched: Watched, name: str
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the canary sings")
    url = f"{watched.url}/canary"
    doctypes = (
        f"<!DOCTYPE a [<!ENTITY x SYSTEM '{secret.as_uri()}'>]>",
        f"<!DOCTYPE a [<!ENTITY x SYSTEM '{url}'>]>",
        f"<!DOCTYPE a [<!ENTITY % p SYSTEM '{url}'> %p; <!ENTITY x 'y'>]>",
        f"<!DOCTYPE a SYSTEM '{url}' [<!ENTITY x 'y'>]>",
        f"<!DOCTYPE a [<!ENTITY l0 'lol'>{LAUGHS}<!ENTITY x '&l11;'>]>",
    )
    found: list[str] = []
    with Box() as box:
        for doctype in doctypes:
            try:
                read = box.read(name, document(name, doctype, "x"))
            except Refused as refusal:
                found.append(refusal.reason)
            else:
                found += [one.text if isinstance(one, Document) else one.reason for one in read]
    assert watched.connections == 0
    assert len(found) >= len(doctypes)
    assert "canary sings" not in " ".join(found)
    assert max(map(len, found)) < 10_000


def test_the_watched_server_counts(watched: Watched) -> None:
    """Else nobody would have noticed a connection."""
    socket.create_connection(watched.socket.getsockname()).close()
    for _ in range(100):
        if watched.connections:
            break
        threading.Event().wait(0.02)
    assert watched.connections == 1


# size


def test_a_table_of_200_mb_is_refused_unread(acme: Workspace) -> None:
    path = acme.knowledge / "huge.csv"
    path.write_text("name,city\nAn,Huế\n", "utf-8")
    os.truncate(path, 200 << 20)
    refused(acme, "huge.csv")  # what is loaded once is loaded by now
    path.touch()
    (acme.state / "documents.db").unlink()
    tracemalloc.start()
    try:
        reason = refused(acme, "huge.csv")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert reason == "larger than 100 MB: split it"
    assert peak < 32 << 20


# encodings and forms

TCVN3 = "Quy chÕ l­¬ng th­ëng: ng­êi lao ®éng ®­îc nghØ phÐp m­êi hai ngµy mçi n¨m."
SAID = "Quy chế lương thưởng: người lao động được nghỉ phép mười hai ngày mỗi năm."


def windows_1258(text: str) -> bytes:
    """It writes the five tone marks behind their vowels."""
    tones = "\u0300\u0301\u0303\u0309\u0323"
    out = ""
    for letter in text:
        marks = unicodedata.normalize("NFD", letter)
        vowel = unicodedata.normalize("NFC", "".join(m for m in marks if m not in tones))
        out += vowel + "".join(m for m in marks if m in tones)
    return out.encode("cp1258")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (windows_1258(SAID), "windows-1258"),
        (TCVN3.encode("cp1252"), "TCVN3"),
        (SAID.encode("utf-16"), ""),
        (SAID.encode("utf-16-be"), "utf-16-be"),
        (unicodedata.normalize("NFD", SAID).encode(), ""),
    ],
    ids=["windows-1258", "TCVN3", "UTF-16", "UTF-16 unmarked", "NFD"],
)
def test_old_encodings_are_found_as_if_typed_today(
    acme: Workspace, content: bytes, said: str
) -> None:
    (acme.knowledge / "quy-che.txt").write_bytes(content)
    (file,) = acme.ingest().files
    assert (file.status, file.language) == ("indexed", "vi")
    assert said in file.reason
    assert bool(file.reason) == bool(said)
    (passage,) = acme.search("người lao động nghỉ phép mấy ngày", k=1)
    assert passage.text == SAID


def test_composed_and_decomposed_letters_are_one(acme: Workspace) -> None:
    """In texts, in names of files, in questions and in quotes."""
    apart = unicodedata.normalize("NFD", SAID)
    assert apart != SAID
    (acme.knowledge / "a.md").write_text(SAID, "utf-8")
    (acme.knowledge / "b.md").write_text(apart, "utf-8")
    (acme.knowledge / unicodedata.normalize("NFD", "nghỉ.md")).write_text("Phép năm.", "utf-8")
    files = {file.path: file for file in acme.ingest().files}
    assert files["b.md"].status == "duplicate"
    assert files["nghỉ.md"].status == "indexed"
    assert Ask(SAID).key == Ask(apart).key
    assert acme.search(SAID) == acme.search(apart)
    question = (
        '{"id": "1", "question": "%s", "answer": "%s", "split": "test", '
        '"evidence": [{"document": "%s", "quote": "%s"}]}\n'
    )
    digests = []
    for form in ("NFC", "NFD"):
        line = question % ("Mấy ngày phép?", "mười hai ngày", "nghỉ.md", "Phép năm")
        benchmark = acme.knowledge / "benchmark.jsonl"
        benchmark.write_text(unicodedata.normalize(form, line), "utf-8")
        opened = Workspace(acme.root)
        digests.append(opened.benchmark.digest)
        assert len(opened.spans["1"]) == 1
        assert opened.missing_evidence == ()
    assert digests[0] == digests[1]
