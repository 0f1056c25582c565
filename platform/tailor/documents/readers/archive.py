"""Office files and archives are ZIP files: they are checked before anything is unpacked."""

from __future__ import annotations

import io
import zipfile
import zlib

from lxml import etree

from tailor.documents.refusal import Refused

LARGEST = 512 << 20
"""Bytes of all parts together."""
MOST_ENTRIES = 20_000
HIGHEST_RATIO = 250
"""Of unpacked to packed size, for archives above ``SMALL``; repetitive sheets reach about 100."""
SMALL = 32 << 20
ENCRYPTED = 0x1
"""The flag of an entry."""

_CHUNK = 1 << 16
PASSWORD = "password-protected: save a copy without password"


def opened(content: bytes) -> io.BytesIO:
    """The bytes as a file, once the archive is known to unpack to a sensible size.

    Raises:
        Refused: not a ZIP archive, encrypted, or far larger unpacked than a document.
    """
    with unpacked(content) as archive:
        if any(entry.flag_bits & ENCRYPTED for entry in archive.infolist()):
            raise Refused(PASSWORD)
    return io.BytesIO(content)


def unpacked(content: bytes) -> zipfile.ZipFile:
    """The archive for reading, once it is known to unpack to a sensible size.

    Single entries may still be encrypted.

    Raises:
        Refused: not a ZIP archive, or far larger unpacked than a document.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise Refused(f"broken: the file is damaged or cut off ({error})") from None
    entries = archive.infolist()
    size = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    if size > LARGEST or len(entries) > MOST_ENTRIES:
        raise Refused(
            f"it unpacks to {size / (1 << 20):.0f} MB in {len(entries)} parts, more than a "
            "document should; split it"
        )
    if size > SMALL and size > HIGHEST_RATIO * packed:
        raise Refused(
            f"it unpacks to {size // max(1, packed)} times its size, as no document does; "
            "unpack it yourself if you trust it"
        )
    for entry in entries:
        if entry.compress_type == zipfile.ZIP_DEFLATED and not _is_honest(content, entry):
            raise Refused("broken: a part is larger than the archive says")
    return archive


def _is_honest(content: bytes, entry: zipfile.ZipInfo) -> bool:
    """Whether a part does not unpack to more than it declares; damage is left to its reader."""
    header = content[entry.header_offset : entry.header_offset + 30]
    names = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    start = entry.header_offset + 30 + names
    packed = memoryview(content)[start : start + entry.compress_size]
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    size = 0
    try:
        while not inflater.eof:
            chunk = inflater.unconsumed_tail or packed[:_CHUNK]
            if not inflater.unconsumed_tail:
                packed = packed[_CHUNK:]
            if not chunk:
                break
            size += len(inflater.decompress(chunk, _CHUNK))
            if size > entry.file_size:
                return False
    except zlib.error:
        return True
    return True


def xml(content: bytes) -> etree._Element:
    """The root of an XML part; nothing outside it is loaded and no entity is expanded.

    Raises:
        Refused: it is not XML, or declares entities.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True, remove_pis=True
    )
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise Refused(f"broken: a part of the file is damaged ({error})") from None
    declared = root.getroottree().docinfo.internalDTD
    if declared is not None and any(True for _ in declared.iterentities()):
        raise Refused("broken: it declares XML entities, as no document does")
    return root
