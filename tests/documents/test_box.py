"""Whatever a file does to its parser, it is refused by name and the next file is read."""

from __future__ import annotations

import contextlib
import io
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random

import docx
import psutil
import pytest
from fpdf import FPDF

from tailor.documents import ingest
from tailor.documents.box import Box, Limits
from tailor.documents.document import Document, Unread, documents
from tailor.documents.refusal import Refused

LEAVE = b"# Leave\n\nNew staff get 12 days of paid leave.\n"
SLOW = b"name,city\n" + b"Nguyen Van An,Hai Phong\n" * 2_000_000
"""A table that takes some seconds to read."""
HUNGRY = b"[" + b"[]," * 5_000_000 + b"0]"
"""15 MB of JSON that needs several hundred in memory."""


def refusal(box: Box, name: str, content: bytes) -> str:
    with pytest.raises(Refused) as caught:
        box.read(name, content)
    return caught.value.reason


def parsers(pid: int | None = None) -> list[psutil.Process]:
    """The processes that parse for this one or another."""
    found = []
    for child in psutil.Process(pid).children():
        with contextlib.suppress(psutil.Error):
            if "tailor.documents.parser" in child.cmdline():
                found.append(child)
    return found


@pytest.fixture(autouse=True)
def _none_before() -> None:
    """The process that ingestions of other tests share is ended: here processes are counted."""
    ingest.Box.end_kept()  # type: ignore[attr-defined]  # see kept_parser.py


def bomb(name: str = "sheet.csv", size: int = 200 << 20) -> bytes:
    """A ZIP file of about 200 kB that unpacks to 200 MB."""
    stream = io.BytesIO()
    packed = zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED)
    with packed as archive, archive.open(name, "w") as entry:
        for _ in range(size >> 20):
            entry.write(bytes(1 << 20))
    return stream.getvalue()


def test_documents_are_as_read_without_a_box() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("inner/a.md", LEAVE)
        archive.writestr("kho.csv", "Hàng,Tồn\nThùng lạnh,58\n")
        archive.writestr("bad.pdf", b"no pdf")
    with Box() as box:
        for name, content in (("a.md", LEAVE), ("b.zip", stream.getvalue())):
            assert box.read(name, content) == documents(content, name)
        found = {one.path: one for one in box.read("b.zip", stream.getvalue())}
        with pytest.raises(Refused) as empty:
            box.read("c.md", b" \n")
    kho = found["b.zip/kho.csv"]
    assert isinstance(kho, Document)
    assert "Thùng lạnh" in kho.text
    assert isinstance(found["b.zip/bad.pdf"], Unread)
    assert empty.value.status == "empty"


def test_a_slow_file_is_ended_and_the_next_is_read() -> None:
    with Box(Limits(seconds=0.4)) as box:
        began = time.monotonic()
        assert refusal(box, "slow.csv", SLOW) == "took longer than 0.4 s to read"
        assert time.monotonic() - began < 20
        assert box.read("a.md", LEAVE)


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited there only")
def test_a_file_that_eats_memory_is_refused_and_the_next_is_read() -> None:
    with Box(Limits(memory=300 << 20)) as box:
        box.read("a.md", LEAVE)
        reason = "needs more than 300 MB of memory to be read"
        assert refusal(box, "hungry.json", HUNGRY) == reason
        assert box.read("a.md", LEAVE)
        box.close()
        assert 0 < box.peak <= 300 << 20


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
def test_a_parser_that_dies_is_replaced() -> None:
    """Killed once, it may have been an earlier file's fault; killed again, it was this one's."""
    with Box() as box:
        box.read("a.md", LEAVE)
        killed: list[int] = []

        def kill() -> None:
            deadline = time.monotonic() + 60
            while len(killed) < 2 and time.monotonic() < deadline:
                for child in parsers():
                    if child.memory_info().rss > len(SLOW) * 4:  # it has got the file
                        killed.append(child.pid)
                        child.kill()
                time.sleep(0.05)

        killer = threading.Thread(target=kill)
        killer.start()
        assert refusal(box, "slow.csv", SLOW * 4) == "the parser crashed on it"
        killer.join()
        assert len(killed) == 2
        assert box.read("a.md", LEAVE)


def test_a_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    whole = bomb()
    assert len(whole) < 300_000
    office = bomb("word/document.xml")
    with Box(Limits(memory=300 << 20)) as box:
        for name, content in (("a.zip", whole), ("a.docx", office), ("a.epub", whole)):
            assert "it unpacks to" in refusal(box, name, content)
        box.close()
        if sys.platform != "win32":
            assert box.peak < 200 << 20


def test_closing_ends_the_processes_and_their_folders(tmp_path: Path) -> None:
    with Box() as box:
        box.read("a.md", LEAVE)
        (child,) = parsers()
        folder = Path(child.cmdline()[-3])
        assert folder.is_dir()
    assert not folder.exists()
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
    with pytest.raises(Refused, match="ended"):
        box.read("a.md", LEAVE)


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals there")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_ingestion_leaves_no_process_behind(
    tmp_path: Path, how: signal.Signals
) -> None:
    (tmp_path / "knowledge").mkdir()
    (tmp_path / "knowledge" / "a.md").write_bytes(LEAVE)
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path\n"
        "from conftest import HashedWords; from tailor.documents.ingest import ingest\n"
        "from tailor.documents.passages import Splitter; root = Path(sys.argv[2])\n"
        "ingest(root / 'knowledge', root / '.tailor', HashedWords(), 'hashed', Splitter())\n"
    )
    arguments = [sys.executable, "-c", code, str(Path(__file__).parent), str(tmp_path)]
    ingesting = subprocess.Popen(arguments, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while not (found := parsers(ingesting.pid)):
            assert ingesting.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        found[0].suspend()
        folder = Path(found[0].cmdline()[-3])
        assert folder.is_dir()
        ingesting.send_signal(how)
        assert ingesting.wait(60) != 0
        with contextlib.suppress(psutil.NoSuchProcess):
            found[0].resume()
        psutil.wait_procs(found, timeout=60)
        assert not any(one.is_running() for one in found)
        assert not folder.exists()
    finally:
        ingesting.kill()
        ingesting.wait()


def test_several_threads_share_the_processes() -> None:
    with Box(processes=2) as box:
        results: dict[int, str] = {}

        def read(number: int) -> None:
            (found,) = box.read(f"{number}.md", LEAVE + b"Number %d." % number)
            assert isinstance(found, Document)
            results[number] = found.text

        threads = [threading.Thread(target=read, args=(n,)) for n in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert results.keys() == set(range(12))
    assert all(f"Number {number}." in text for number, text in results.items())


def confined(tmp_path: Path, code: str) -> str:
    """What a confined process prints."""
    folder = tmp_path / "box"
    folder.mkdir(exist_ok=True)
    setup = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from tailor.documents.confinement import confine\n"
        f"confine(Path({str(folder)!r}), 1 << 30, lambda: False)\n"
        f"os.chdir({str(folder)!r})\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", setup + textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    "attempt",
    [
        "__import__('socket').create_connection(('127.0.0.1', 9))",
        "__import__('socket').getaddrinfo('example.com', 80)",
        "__import__('urllib.request').request.urlopen('http://example.com')",
        "open(OUTSIDE, 'w')",
        "open(OUTSIDE, 'a')",
        "os.open(OUTSIDE, os.O_CREAT | os.O_WRONLY)",
        "os.mkdir(OUTSIDE)",
        "os.rename('own.txt', OUTSIDE)",
        "os.remove(KEPT)",
        "os.symlink(KEPT, 'link')",
        "__import__('subprocess').run(['true'])",
        "os.system('true')",
        "os.fork()",
    ],
)
def test_what_a_parser_may_not_do(tmp_path: Path, attempt: str) -> None:
    kept = tmp_path / "kept.txt"
    kept.write_text("kept")
    outside = tmp_path / "outside.txt"
    code = f"""
    KEPT, OUTSIDE = {str(kept)!r}, {str(outside)!r}
    open("own.txt", "w").write("allowed")
    assert open(KEPT).read() == "kept"
    try:
        {attempt}
    except OSError as error:
        print(error)
    """
    assert "reading a document may not" in confined(tmp_path, code)
    assert kept.read_text() == "kept"
    assert not outside.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="no such limits there")
def test_files_and_memory_are_limited_by_the_system(tmp_path: Path) -> None:
    code = """
    import errno, resource
    try:
        with open("large", "wb") as file:
            file.truncate(1 << 30)
    except OSError as error:
        print(error.errno == errno.EFBIG, end=" ")
    print(resource.getrlimit(resource.RLIMIT_CORE)[0], end=" ")
    try:
        bytes(1 << 30)
    except MemoryError:
        print("no memory", end="")
    """
    said = confined(tmp_path, code)
    assert said.startswith("True 0")
    if sys.platform == "linux":
        assert said.endswith("no memory")


@pytest.mark.skipif(sys.platform != "linux", reason="no network namespaces there")
def test_no_network_for_machine_code_either(tmp_path: Path) -> None:
    """A library written in C asks no audit hook; the kernel has no way out for it."""
    granted = "import ctypes, sys; sys.exit(ctypes.CDLL(None).unshare(0x50000000) != 0)"
    if subprocess.run([sys.executable, "-c", granted], check=False).returncode != 0:
        pytest.skip("this system grants no namespaces")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        code = f"""
        import ctypes, struct
        libc = ctypes.CDLL(None)
        address = struct.pack("=H", 2) + struct.pack(">H4B8x", {port}, 127, 0, 0, 1)
        print(libc.connect(libc.socket(2, 1, 0), address, 16))
        """
        assert confined(tmp_path, code) == "-1"


@pytest.mark.skipif(sys.platform == "win32", reason="no such programs there")
def test_converters_have_a_time_and_memory_of_their_own(tmp_path: Path) -> None:
    code = """
    import subprocess, time
    from tailor.documents.converter import Clock, clock, converter
    timer = Clock(1.0, open(os.devnull, "w"))
    clock.set(timer)
    timer.start()
    began = time.monotonic()
    converter(["sleep", "1.5"], 10)
    try:
        converter(["sh", "-c", "sleep 60 & sleep 60"], 0.5)
    except subprocess.TimeoutExpired:
        print("ended", time.monotonic() - began < 20)
    print(converter([sys.executable, "-c", "print(len(bytes(1 << 30)) >> 30)"], 60).stdout.decode())
    time.sleep(60)
    """
    folder = tmp_path / "box"
    folder.mkdir()
    setup = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from tailor.documents.confinement import confine\n"
        f"confine(Path({str(folder)!r}), 1 << 30, lambda: timer.converting)\n"
    )
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", setup + textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.split() == ["ended", "True", "1"], done.stderr
    assert done.returncode == 1  # ended by its clock, long before it woke up
    assert time.monotonic() - began < 50


def pdf(text: str) -> bytes:
    made = FPDF()
    made.set_font("Helvetica", size=12)
    made.add_page()
    made.cell(0, text=text)
    return bytes(made.output())


def word(text: str) -> bytes:
    document = docx.Document()
    document.add_paragraph(text)
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.txt", pdf, "named .txt, read as pdf by its content"),
        ("a.md", word, "named .md, read as docx by its content"),
        ("a.pdf", word, "named .pdf, read as docx by its content"),
        ("a.docm", word, ""),
        ("a", word, "named without a suffix, read as docx by its content"),
        ("a.doc", lambda t: rb"{\rtf1 " + t.encode() + b"}", "named .doc, read as rtf"),
        ("a.xls", lambda t: f"<html><body>{t}</body></html>".encode(), "named .xls, read as html"),
        ("README", str.encode, "named without a suffix, read as txt by its content"),
        ("a.md", lambda t: f"<html><body>{t}</body></html>".encode(), ""),
        ("a.txt", lambda t: f"BM MZ ID3 {t}".encode(), ""),
    ],
)  # fmt: skip
def test_content_decides_and_the_name_breaks_ties(
    name: str, content: Callable[[str], bytes], said: str
) -> None:
    found = documents(content("Paid leave is 12 days."), name)[0]
    assert isinstance(found, Document)
    assert "Paid leave is 12 days." in found.text
    assert found.note.startswith(said) if said else not found.note


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.pdf", b"plain text", "broken: the name says PDF but the content does not start"),
        ("a.docx", b"plain text", "broken: the name says .docx but the content is plain text"),
        ("a.md", b"7z\xbc\xaf\x27\x1c..", "broken: the name says .md but the content is a 7-Zip"),
        ("a.exe", b"MZ\x90\0\x03\0\0\0", "not a document but a program"),
        ("a.sqlite", b"SQLite format 3\0....", "not a document but a SQLite database"),
        ("a.tar", b"x" * 257 + b"ustar\0", "not a document but a tar archive"),
        ("a.svg", b"<?xml version='1.0'?><svg/>", "not a document but a drawing"),
        ("a.xyz", b"some words", "unknown format .xyz; if it is plain text, rename it"),
        ("a", bytes(range(256)), "binary data, not text"),
    ],
)
def test_what_cannot_be_read_is_refused_by_its_true_kind(
    name: str, content: bytes, said: str
) -> None:
    with pytest.raises(Refused) as caught:
        documents(content, name)
    assert caught.value.reason.startswith(said)


def test_members_are_ids_that_lead_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    from tailor.documents.document import _member
    from tailor.documents.readers.reader import refused, unit

    text = [unit("Some words")]
    assert _member(text, "a.zip", "x\\y/./z.md", "").path == "a.zip/x/y/z.md"
    assert _member(text, "a.zip", "/etc/pass\0wd\n", "").path == "a.zip/etc/passwd"
    out = _member(text, "a.zip", "../../x.md", "")
    assert isinstance(out, Unread)
    assert ".." not in out.path
    assert isinstance(_member(text, "a.zip", "n" * 1000, ""), Unread)
    bad = _member([refused("b.pdf", "broken")], "a.zip", "b.pdf", "")
    assert bad == Unread("a.zip/b.pdf", "broken")


def test_damaged_files_of_every_kind_break_nothing() -> None:
    """Cut, overwritten and doubled, each is read or refused; the process stays the same."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as packed:
        packed.writestr("a.md", LEAVE)
    whole = {
        "a.csv": b"Name,City\nAn,Hai Phong\n" * 20,
        "a.docx": word("Some words"),
        "a.eml": b"From: a@b.example\nSubject: Hi\n\nSome words\n",
        "a.html": b"<html><body><table><tr><td>Some words</td></tr></table></body></html>",
        "a.ipynb": b'{"cells": [{"cell_type": "markdown", "source": ["Some words"]}]}',
        "a.json": b'{"a": [1, 2, {"b": "Some words"}]}',
        "a.md": LEAVE * 5,
        "a.pdf": pdf("Some words"),
        "a.rst": b"Title\n=====\n\nSome words\n",
        "a.rtf": rb"{\rtf1\ansi{\fonttbl{\f0 A;}}\pard Some words\par}",
        "a.xml": b"<?xml version='1.0'?><a><b c='d'>Some words</b></a>",
        "a.zip": stream.getvalue(),
    }
    random = Random(0)
    read = 0
    reasons = []
    with Box() as box:
        for name, content in whole.items():
            assert box.read(name, content)
            (process,) = parsers()
            for _ in range(20 if name != "a.pdf" else 4):
                at = random.randrange(len(content))
                noise = random.randbytes(random.randrange(1, 9))
                damaged = random.choice(
                    [content[:at], content[:at] + noise + content[at:], content[:at] + content]
                )
                try:
                    read += bool(box.read(name, damaged))
                except Refused as refused:
                    reasons.append(refused.reason)
            assert parsers() == [process]
    assert read > 50
    assert len(reasons) > 20
    assert not [reason for reason in reasons if "crashed" in reason or "took" in reason]
