"""The packed RTF of Outlook messages ([MS-OXRTFCP])."""

from struct import unpack_from

_PACKED, _PLAIN = 0x75465A4C, 0x414C454D
_DICTIONARY = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern "
    b"\\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0"
    b"\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)
_WINDOW = 4096


def decompressed(content: bytes) -> bytes:
    """The RTF text.

    Raises:
        ValueError, IndexError, struct.error: the content is damaged.
    """
    _, size, kind = unpack_from("<III", content)
    if kind == _PLAIN:
        return content[16 : 16 + size]
    if kind != _PACKED:
        raise ValueError("no packed RTF")
    window = bytearray(_DICTIONARY.ljust(_WINDOW, b"\0"))
    write = len(_DICTIONARY)
    out = bytearray()
    position = 16
    while position < len(content):
        control = content[position]
        position += 1
        for bit in range(8):
            if control >> bit & 1:
                reference = int.from_bytes(content[position : position + 2], "big")
                position += 2
                offset, length = reference >> 4, (reference & 0xF) + 2
                if offset == write % _WINDOW:
                    return bytes(out)
                for step in range(length):
                    byte = window[(offset + step) % _WINDOW]
                    window[write % _WINDOW] = byte
                    out.append(byte)
                    write += 1
            elif position < len(content):
                window[write % _WINDOW] = content[position]
                out.append(content[position])
                position += 1
                write += 1
    return bytes(out)
