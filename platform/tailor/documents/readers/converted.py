"""Word and PowerPoint files of 1997 to 2003: LibreOffice turns them into today's formats."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import olefile
from langchain_core.documents import Document

from tailor.documents.converter import converter
from tailor.documents.readers import read
from tailor.documents.readers.archive import PASSWORD
from tailor.documents.readers.reader import FileReader
from tailor.documents.refusal import Refused

_SECONDS = 180.0
_ELSEWHERE = (
    "/Applications/LibreOffice.app/Contents/MacOS",
    r"C:\Program Files\LibreOffice\program",
)
_ENCRYPTED_WORD = 0x0100
_ENCRYPTED_SLIDES = b"\xdf\xc4\xd1\xf3"


class Reader(FileReader):
    """Yields what the reader of .docx or .pptx finds in the converted file."""

    def lazy_load(self) -> Iterator[Document]:
        """Units in order; each says that the file was converted."""
        kind = _checked(self.content)
        for found in read(f"file{kind}x", _converted(self.content, kind)):
            told = ("converted by LibreOffice", found.metadata["note"])
            found.metadata["note"] = "; ".join(filter(None, told))
            yield found


def _checked(content: bytes) -> str:
    """``.doc`` or ``.ppt``, once it is known to need no password."""
    with olefile.OleFileIO(io.BytesIO(content)) as file:
        if file.exists("\x06DataSpaces") or file.exists("\x09DRMContent"):
            raise Refused("protected by rights management (DRM): save a copy without")
        if file.exists("PowerPoint Document"):
            user = file.openstream("Current User").read() if file.exists("Current User") else b""
            if file.exists("EncryptedSummary") or user[12:16] == _ENCRYPTED_SLIDES:
                raise Refused(PASSWORD)
            return ".ppt"
        if not file.exists("WordDocument"):
            raise Refused("broken: an old Office file without a document in it")
        head = file.openstream("WordDocument").read(12)
    if int.from_bytes(head[10:12], "little") & _ENCRYPTED_WORD:
        raise Refused(PASSWORD)
    return ".doc"


def program() -> str | None:
    """Where LibreOffice is, None where it is not installed."""
    path = os.pathsep.join([os.environ.get("PATH", ""), *_ELSEWHERE])
    return shutil.which("soffice", path=path) or shutil.which("libreoffice", path=path)


def _converted(content: bytes, kind: str) -> bytes:
    office = program()
    if office is None:
        what = "Word" if kind == ".doc" else "PowerPoint"
        raise Refused(f"old {what} file: install LibreOffice, or save it as {kind}x")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / f"file{kind}"
        source.write_bytes(content)
        profile = (Path(folder) / "profile").as_uri()
        command = [office, f"-env:UserInstallation={profile}", "--headless", "--norestore",
                   "--nologo", "--convert-to", f"{kind[1:]}x", "--outdir", folder,
                   str(source)]  # fmt: skip
        try:
            done = converter(command, _SECONDS)
        except subprocess.TimeoutExpired:
            raise Refused(f"LibreOffice took too long with it: save it as {kind}x") from None
        target = source.with_suffix(f"{kind}x")
        if not target.exists():  # LibreOffice says 0 also where it failed
            lines = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no reason"]
            raise Refused(f"broken: LibreOffice cannot read it ({lines[-1][:160]})")
        return target.read_bytes()
