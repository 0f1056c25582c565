"""What a file is by its first bytes, whatever its name says."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import PurePosixPath

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

_BINARY = (
    (b"%PDF-", ".pdf"),
    (rb"{\rtf", ".rtf"),
    (b"\x09\x04\x06\0", ".xls"),
    (b"\x09\x02\x06\0", ".xls"),
    (b"\x09\0\x04\0", ".xls"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive: unpack it"),
    (b"Rar!\x1a\x07", "a RAR archive: unpack it"),
    (b"\x1f\x8b", "a gzip archive: unpack it"),
    (b"BZh", "a bzip2 archive: unpack it"),
    (b"\xfd7zXZ\0", "an xz archive: unpack it"),
    (b"]\0\0", "an LZMA archive: unpack it"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive: unpack it"),
    (b"\x1f\x9d", "a compressed file: unpack it"),
    (b"MSCF", "a cabinet archive: unpack it"),
    (b"!<arch>\n", "an ar archive: unpack it"),
    (b"\x89PNG\r\n", ".png"),
    (b"\xff\xd8\xff", ".jpg"),
    (b"GIF8", "a picture (GIF)"),
    (b"II*\0", ".tif"),
    (b"MM\0*", ".tif"),
    (b"8BPS", "a Photoshop picture"),
    (b"BM", ".bmp"),
    (b"\0\0\x01\0", "an icon"),
    (b"\xd7\xcd\xc6\x9a", "a drawing (WMF)"),
    (b"%!PS", "a PostScript file: save it as PDF"),
    (b"\xc5\xd0\xd3\xc6", "a PostScript file: save it as PDF"),
    (b"AT&TFORM", "a DjVu file: save it as PDF"),
    (b"\xffWPC", "a WordPerfect file: save it as .docx"),
    (b"\xdb\xa5", "a Word file from before 1997: save it as .docx"),
    (b"\xfe7\0", "a Word file from before 1997: save it as .docx"),
    (b"\x31\xbe\0\0", "a Word file from before 1997: save it as .docx"),
    (b"ITSF", "a Windows help file (CHM)"),
    (b"!BDN", "an Outlook data file: export its mails"),
    (b"\0\x01\0\0Standard ", "an Access database: export its tables as .csv"),
    (b"SQLite format 3\0", "a SQLite database: export its tables as .csv"),
    (b"PAR1", "a Parquet table: save it as .csv"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"\xcf\xfa\xed\xfe", "a program"),
    (b"\xca\xfe\xba\xbe", "a program"),
    (b"\0asm", "a program"),
    (b"ID3", "a recording"),
    (b"fLaC", "a recording"),
    (b"OggS", "a recording"),
    (b"\x1aE\xdf\xa3", "a video"),
    (b"FLV\x01", "a video"),
    (b"\0\0\x01\xba", "a video"),
    (b"\x30\x26\xb2\x75", "a recording or video"),
    (b"FWS", "a Flash film"),
    (b"CWS", "a Flash film"),
    (b"\0\x05\x16\x07", "a Macintosh companion file without text of its own"),
    (b"\0\x05\x16\0", "a Macintosh file in its AppleSingle wrapping: save it without"),
    (b"\x85\x01", "encrypted with PGP: decrypt it"),
    (b"\x85\x02", "encrypted with PGP: decrypt it"),
    (b"-----BEGIN PGP MESSAGE", "encrypted with PGP: decrypt it"),
    (b"wOFF", "a font"),
    (b"OTTO", "a font"),
)
"""First bytes, and a suffix in ``FORMATS`` or what it is for people."""

_ALSO_TEXT = (b"BM", b"MZ", b"ID3", b"BZh", b"FWS", b"CWS", b"PAR1", b"8BPS")
"""First bytes that may also start a text; they count where bytes follow that no text has."""

_OPEN_DOCUMENT = {
    "application/vnd.oasis.opendocument.text": ".odt",
    "application/vnd.oasis.opendocument.spreadsheet": ".ods",
    "application/vnd.oasis.opendocument.presentation": ".odp",
    "application/epub+zip": ".epub",
}
_OFFICE = (("word/", ".docx"), ("ppt/", ".pptx"), ("xl/", ".xlsx"))
_OLE_STREAMS = {
    "encryptedpackage": "encrypted",
    "__properties_version1.0": ".msg",
    "worddocument": ".doc",
    "powerpoint document": ".ppt",
    "workbook": ".xls",
    "book": ".xls",
    "visiodocument": "a Visio drawing: save it as PDF",
    "quill": "a Publisher file: save it as PDF",
}
_ZIPPED = {".docx", ".pptx", ".xlsx", ".odt", ".ods", ".odp", ".epub"}
_COMPOUND = {".doc", ".ppt", ".xls", ".msg"}
_WORKS_IN = {
    ".dot": ".doc", ".pot": ".ppt", ".pps": ".ppt", ".xlt": ".xls",
    ".docm": ".docx", ".dotm": ".docx", ".dotx": ".docx", ".xlsm": ".xlsx", ".xltm": ".xlsx",
    ".xltx": ".xlsx", ".pptm": ".pptx", ".potx": ".pptx", ".ppsx": ".pptx",
    ".ott": ".odt", ".ots": ".ods", ".otp": ".odp",
}  # fmt: skip
"""Templates, shows and documents with macros are read as the plain ones."""
_TEXT = (
    (re.compile(rb"(?:<!--.*?-->\s*)?<(?:!doctype\s+html|html|head|body)\b", re.I | re.S), ".html"),
    (re.compile(rb"<\?xml\b.{0,400}<(?:\w+:)?html\b", re.I | re.S), ".html"),
    (re.compile(rb"<\?xml\b|<\w[\w:.-]*\sxmlns", re.I), ".xml"),
    (re.compile(rb"(?:[\w-]+:[^\n]*\n(?:[ \t][^\n]*\n)*)*?(?:From|Received|Return-Path|"
                rb"Message-ID|MIME-Version):[^\n]*\n", re.I), ".eml"),
)  # fmt: skip


def sniff(content: bytes, suffix: str) -> str:
    """A suffix (``.pdf``), a kind that cannot be read (``a picture``), or "" for text and unknown.

    ``suffix`` breaks ties: only a file that is named ``.pdf`` may hold something before ``%PDF-``.
    """
    if content.startswith(OLE):
        return _ole(content, suffix)
    if content.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08", b"PK00PK")):
        return _zip(content, suffix)
    if suffix == ".pdf" and b"%PDF-" in content[:1024]:
        return ".pdf"
    if suffix == ".zip" and b"PK\x05\x06" in content[-(1 << 16) :]:
        return "the last part of a divided archive: put the parts together and unpack them"
    for magic, kind in _BINARY:
        if content.startswith(magic) and not (magic in _ALSO_TEXT and looks_like_text(content)):
            return kind
    if content[257:262] == b"ustar":
        return "a tar archive: unpack it"
    if content.startswith(b"RIFF"):
        return {b"WAVE": "a recording", b"WEBP": ".webp"}.get(content[8:12], "a video")
    if content[4:8] == b"ftyp":
        brand = content[8:12]
        pictures = (b"heic", b"heix", b"mif1", b"avif")
        return "a picture" if brand in pictures else "a recording" if b"M4A" in brand else "a video"
    if content[:1] == b"\xff" and content[1:2] in (b"\xfb", b"\xf3", b"\xf2", b"\xfa"):
        return "a recording"
    return ""


def sniff_text(content: bytes) -> str:
    """``.html``, ``.xml`` or ``.eml`` where a text is clearly one of them, else ""."""
    head = content[:4096]
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if head.startswith(mark):
            head = head[2:].decode(encoding, "replace").encode()
    head = head.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").lstrip()
    return next((suffix for pattern, suffix in _TEXT if pattern.match(head)), "")


def looks_like_text(content: bytes) -> bool:
    """Whether it begins without the control characters that no text has."""
    return not any(byte < 9 or 13 < byte < 32 for byte in content[:1024])


def _zip(content: bytes, suffix: str) -> str:
    """Which of the many formats that are ZIP archives this is, by the names inside."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
            kind = ""
            if "mimetype" in names and archive.getinfo("mimetype").file_size < 200:
                kind = archive.read("mimetype").decode("ascii", "replace").strip()
    except Exception:  # damaged; the reader of the format says how
        return suffix if suffix in _ZIPPED else ".zip"
    kind = kind.removesuffix("-template")
    if kind in _OPEN_DOCUMENT:
        return _OPEN_DOCUMENT[kind]
    if "xl/workbook.bin" in names:
        return "a binary Excel workbook: save it as .xlsx"
    if "[Content_Types].xml" in names:
        for folder, form in _OFFICE:
            if any(name.startswith(folder) for name in names):
                return form
    if any(name.endswith((".iwa", "/Index.zip", "index.apxl")) for name in names) or (
        "index.xml" in names and "buildVersionHistory.plist" in names
    ):
        return "an Apple Pages, Numbers or Keynote file: export it as PDF"
    return suffix if suffix in _ZIPPED else ".zip"


def _ole(content: bytes, suffix: str) -> str:
    """Which of the formats in Microsoft's compound files this is, by the names of its streams."""
    import olefile

    try:
        with olefile.OleFileIO(io.BytesIO(content)) as file:
            names = {path[0].casefold() for path in file.listdir()}
    except Exception:  # damaged; the reader of the format says how
        names = {"encryptedpackage"} if "EncryptedPackage".encode("utf-16-le") in content else set()
    found = next((kind for name, kind in _OLE_STREAMS.items() if name in names), "")
    return found or (suffix if suffix in _COMPOUND else "an old Office file of an unknown kind")


def binary(suffix: str) -> bool:
    """Whether files named so are no texts, so that plain text in one is an error."""
    return suffix in _ZIPPED or suffix in _COMPOUND or suffix in (".pdf", ".rtf", ".zip")


def suffix_of(name: str) -> str:
    """The suffix, lower case; of formats that differ only in their macros the plain one."""
    suffix = PurePosixPath(name).suffix.lower()
    return _WORKS_IN.get(suffix, suffix)
