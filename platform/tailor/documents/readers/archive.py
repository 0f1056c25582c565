"""Office files are ZIP archives: what is inside is checked before anything is unpacked."""

import io
import zipfile

from tailor.documents.refusal import Refused

LARGEST = 512 << 20
MOST_ENTRIES = 20_000


def opened(content: bytes) -> io.BytesIO:
    """The bytes as a file, once the archive is known to unpack to a sensible size.

    Raises:
        Refused: not a ZIP archive, encrypted, or far larger unpacked than a document.
    """
    stream = io.BytesIO(content)
    try:
        with zipfile.ZipFile(stream) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise Refused(f"broken: the file is damaged or cut off ({error})") from None
    if any(entry.flag_bits & 0x1 for entry in entries):
        raise Refused("password-protected: save a copy without password")
    size = sum(entry.file_size for entry in entries)
    if size > LARGEST or len(entries) > MOST_ENTRIES:
        raise Refused(
            f"it unpacks to {size / (1 << 20):.0f} MB in {len(entries)} parts, more than a "
            "document should; split it"
        )
    stream.seek(0)
    return stream
