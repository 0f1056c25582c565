"""No address that stands in a document, an answer or a benchmark file is asked for anything."""

from __future__ import annotations

import io
import json
import socket
import threading
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docx
import openpyxl
import pptx
import pytest
from docx.opc.constants import RELATIONSHIP_TYPE
from fpdf import FPDF

from tailor.benchmarking.importing import import_questions
from tailor.documents.document import Document, documents
from tailor.documents.refusal import Refused
from tailor.errors import TailorError
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Command, Model

SAID = "The cold store is kept at minus 18 degrees."


class Canary:
    """A server on this machine that nobody has a reason to ask; counts who does, and who tries."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            def handle(self) -> None:
                asked.append(self.rfile.readline().decode("latin-1"))

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.http.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()


@pytest.fixture
def canary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Canary]:
    made = Canary()
    connect, resolve = socket.socket.connect, socket.getaddrinfo

    def connecting(self: socket.socket, address: Any) -> None:
        if not isinstance(address, tuple) or address[:2] == ("127.0.0.1", made.port):
            made.asked.append(f"connect {address}")
        return connect(self, address)

    def resolving(host: Any, *rest: Any, **more: Any) -> Any:
        if "canary" in str(host):
            made.asked.append(f"resolve {host}")
        return resolve(host, *rest, **more)

    monkeypatch.setattr(socket.socket, "connect", connecting)
    monkeypatch.setattr(socket, "getaddrinfo", resolving)
    yield made
    made.http.shutdown()
    made.http.server_close()


def packed(files: dict[str, str]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return stream.getvalue()


def html(url: str) -> bytes:
    return f"""<!doctype html><html><head><base href="{url}/base/"><title>x</title>
    <link rel="stylesheet" href="{url}/a.css"><link rel="preload" href="{url}/p">
    <script src="{url}/a.js"></script><style>@import "{url}/b.css";</style>
    <meta http-equiv="refresh" content="0;url={url}/r"></head><body background="{url}/bg.png">
    <p>{SAID}</p><img src="{url}/i.png" srcset="{url}/2.png 2x"><iframe src="{url}/f"></iframe>
    <object data="{url}/o"></object><embed src="{url}/e"><video src="{url}/v" poster="{url}/w">
    </video><svg><image href="{url}/s.png"/><use href="{url}/u.svg#x"/></svg>
    </body></html>""".encode()


def xml(url: str) -> bytes:
    return f"""<?xml version="1.0"?><?xml-stylesheet href="{url}/a.xsl" type="text/xsl"?>
    <a xmlns:xi="http://www.w3.org/2001/XInclude"
       xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a {url}/a.xsd">
    <b>{SAID}</b><xi:include href="{url}/x.xml"/></a>""".encode()


def xml_with_dtd(url: str) -> bytes:
    return f"""<?xml version="1.0"?><!DOCTYPE a SYSTEM "{url}/a.dtd" [
    <!ENTITY e SYSTEM "{url}/e"><!ENTITY % p SYSTEM "{url}/p"> %p; ]>
    <a>{SAID} &e;</a>""".encode()


def markdown(url: str) -> bytes:
    return (
        f"# Cold\n\n{SAID}\n\n![x]({url}/i.png)\n\n<img src={url}/j.png>\n\n[r]: {url}/k\n".encode()
    )


def rst(url: str) -> bytes:
    return (
        f"Cold\n====\n\n{SAID}\n\n.. image:: {url}/i.png\n\n.. include:: {url}/x.rst\n\n"
        f".. raw:: html\n   :url: {url}/r.html\n\n.. csv-table::\n   :url: {url}/t.csv\n"
    ).encode()


def word(url: str) -> bytes:
    made = docx.Document()
    made.add_paragraph(SAID)
    for kind in (RELATIONSHIP_TYPE.IMAGE, RELATIONSHIP_TYPE.HYPERLINK, "attachedTemplate",
                 RELATIONSHIP_TYPE.OLE_OBJECT, RELATIONSHIP_TYPE.SETTINGS):  # fmt: skip
        made.part.rels.get_or_add_ext_rel(kind, f"{url}/{kind.rpartition('/')[2]}")
    stream = io.BytesIO()
    made.save(stream)
    return stream.getvalue()


def slides(url: str) -> bytes:
    made = pptx.Presentation()
    slide = made.slides.add_slide(made.slide_layouts[1])
    slide.shapes.title.text = SAID
    run = slide.placeholders[1].text_frame.paragraphs[0].add_run()
    run.text, run.hyperlink.address = "here", f"{url}/link"
    slide.part.rels.get_or_add_ext_rel(RELATIONSHIP_TYPE.IMAGE, f"{url}/i.png")
    stream = io.BytesIO()
    made.save(stream)
    return stream.getvalue()


def sheet(url: str) -> bytes:
    book = openpyxl.Workbook()
    book.active["A1"], book.active["B1"] = "Store", "Note"
    book.active["A2"], book.active["B2"] = SAID, f'=WEBSERVICE("{url}/w")'
    book.active["A3"] = f"='[{url}/book.xlsx]Sheet1'!A1"
    book.active["A2"].hyperlink = f"{url}/h"
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def odt(url: str) -> bytes:
    names = (
        'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
        'xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0" '
        'xmlns:xlink="http://www.w3.org/1999/xlink"'
    )
    content = (
        f"<office:document-content {names}><office:body><office:text><text:p>{SAID}</text:p>"
        f'<text:p><draw:frame><draw:image xlink:href="{url}/i.png"/></draw:frame></text:p>'
        f'<text:section><text:section-source xlink:href="{url}/s.odt"/></text:section>'
        "</office:text></office:body></office:document-content>"
    )
    return packed({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": content})


def book(url: str) -> bytes:
    container = (
        '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
        '<rootfile full-path="a.opf" media-type="application/oebps-package+xml"/></rootfiles>'
        "</container>"
    )
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf"><manifest>'
        '<item id="a" href="a.xhtml" media-type="application/xhtml+xml"/>'
        f'<item id="b" href="{url}/b.xhtml" media-type="application/xhtml+xml"/></manifest>'
        '<spine><itemref idref="a"/><itemref idref="b"/></spine></package>'
    )
    return packed({
        "mimetype": "application/epub+zip", "META-INF/container.xml": container, "a.opf": package,
        "a.xhtml": html(url).decode(),
    })  # fmt: skip


def letter(url: str) -> bytes:
    return (
        "From: a@b.example\nSubject: Cold\nMIME-Version: 1.0\n"
        'Content-Type: multipart/mixed; boundary="x"\n\n--x\nContent-Type: text/html\n\n'
        f'<p>{SAID}</p><img src="{url}/i.png">\n--x\n'
        f'Content-Type: message/external-body; access-type=URL; URL="{url}/body"\n\n'
        "Content-Type: text/plain\n\n\n--x--\n"
    ).encode()


def rtf(url: str) -> bytes:
    return (
        r"{\rtf1\ansi " + SAID + r"\par{\field{\*\fldinst INCLUDEPICTURE " + f'"{url}/i.png"'
        r"}{\fldrslt x}}{\*\template " + url + "/t.dot}}"
    ).encode()


def pdf(url: str) -> bytes:
    made = FPDF()
    made.add_page()
    made.set_font("helvetica", size=12)
    made.multi_cell(0, text=SAID)
    made.cell(text="here", link=f"{url}/link")
    whole = bytes(made.output())
    action = f"/OpenAction << /S /URI /URI ({url}/open) >> /Type /Catalog".encode()
    return whole.replace(b"/Type /Catalog", action, 1)


def notebook(url: str) -> bytes:
    cell = {"cell_type": "markdown", "source": [f"{SAID}\n", f"<img src='{url}/i.png'>"]}
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4}).encode()


def table(url: str) -> bytes:
    return f'Store,Picture\n{SAID},{url}/i.png\nB,"=WEBSERVICE(""{url}/w"")"\n'.encode()


KINDS: dict[str, Callable[[str], bytes]] = {
    "a.html": html, "a.xml": xml, "dtd.xml": xml_with_dtd, "a.md": markdown, "a.rst": rst,
    "a.docx": word, "a.pptx": slides, "a.xlsx": sheet, "a.odt": odt, "a.epub": book,
    "a.eml": letter, "a.rtf": rtf, "a.pdf": pdf, "a.ipynb": notebook, "a.csv": table,
    "a.json": lambda url: json.dumps({"text": SAID, "$ref": f"{url}/s"}).encode(),
    "a.txt": lambda url: f"{SAID} See {url}/t .".encode(),
}  # fmt: skip
NAMED = "http://canary.invalid"
"""An address that would first be looked up."""


@pytest.mark.parametrize("name", KINDS)
def test_no_reader_asks_for_anything(canary: Canary, name: str) -> None:
    """Without the box, whose process has no network at all."""
    for url in (canary.url, NAMED):
        try:
            found = documents(KINDS[name](url), name)
        except Refused:
            assert name == "dtd.xml"
        else:
            texts = [one.text for one in found if isinstance(one, Document)]
            assert "minus 18 degrees" in " ".join(texts)
    assert canary.asked == []


def test_the_canary_sings(canary: Canary) -> None:
    import urllib.request

    with pytest.raises(OSError, match=r".*"):
        urllib.request.urlopen(f"{canary.url}/x", timeout=5)
    with pytest.raises(OSError, match=r".*"):
        urllib.request.urlopen(NAMED, timeout=5)
    assert [one.split()[0] for one in canary.asked] == ["connect", "GET", "resolve"]


def test_ingesting_searching_and_asking_ask_nobody_else(
    canary: Canary, configure: Callable[..., Workspace], model: Model, tailor: Command
) -> None:
    workspace = configure(ladder=["prompting", "retrieval"])
    for name, make in KINDS.items():
        (workspace.knowledge / name).write_bytes(make(canary.url))
    model.gate.reply = lambda messages: f"![x]({canary.url}/a.png) <img src={canary.url}/b.png>"
    for arguments in (
        ("ingest",),
        ("search", "minus 18 degrees"),
        ("run", "all"),
        ("ask", "How cold is the store?", "-s", "retrieval"),
    ):
        ended = tailor(*arguments, "-w", workspace.root)
        assert ended.code == 0, ended.err
    assert model.server.count > 12
    assert canary.asked == []


def test_a_benchmark_file_is_asked_about_not_followed(
    canary: Canary, workspace: Workspace, tailor: Command, tmp_path: Path
) -> None:
    rows = [
        {"question": f"What is at {canary.url}/{n}?", "answer": f"{canary.url}/{n}",
         "context": f"See {canary.url}/{n} and ![x]({canary.url}/{n}.png).", "id": f"c{n}"}
        for n in range(3)
    ]  # fmt: skip
    source = tmp_path / "questions.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    (workspace.knowledge / "benchmark.jsonl").unlink()
    assert import_questions(workspace, str(source), documents=True).taken == 3
    assert tailor("benchmark", "check", "--json", "-w", workspace.root).code in (0, 1)
    assert canary.asked == []


@pytest.mark.parametrize(
    "named", ["{}/train.jsonl", "zip://a::{}/x.zip", "../x.jsonl", "/etc/hosts"]
)
@pytest.mark.parametrize("key", ["data_files", "data_dir"])
def test_a_folder_of_a_dataset_is_read_where_it_is(
    canary: Canary, workspace: Workspace, tmp_path: Path, named: str, key: str
) -> None:
    """Its card may name files elsewhere; those are not fetched."""
    folder = tmp_path / "dataset"
    folder.mkdir()
    (folder / "train.jsonl").write_text('{"question": "a?", "answer": "b"}\n', "utf-8")
    (workspace.knowledge / "benchmark.jsonl").unlink()
    card = "---\nhomepage: https://a.example\nconfigs:\n- config_name: default\n  {}: {}\n---\n"
    (folder / "README.md").write_text(card.format(key, named.format(canary.url)), "utf-8")
    with pytest.raises(TailorError, match="not fetched"):
        import_questions(workspace, str(folder))
    assert canary.asked == []
    (folder / "README.md").write_text(card.format("data_files", "train.jsonl"), "utf-8")
    assert import_questions(workspace, str(folder)).taken == 1


def test_a_served_question_names_no_picture_to_fetch(canary: Canary) -> None:
    from tailor.serving.asked import chat
    from tailor.serving.problem import Problem
    from tailor.serving.settings import Serve

    picture = {"type": "image_url", "image_url": {"url": f"{canary.url}/i.png"}}
    asked = {"model": "tailor", "messages": [{"role": "user", "content": [picture]}]}
    with pytest.raises(Problem):
        chat(json.dumps(asked).encode(), Serve())
    assert canary.asked == []
