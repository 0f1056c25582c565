"""Writes Microsoft's compound files ([MS-CFB]), in which .msg, .xls, .doc and .ppt files come."""

from __future__ import annotations

import struct
from collections.abc import Mapping

_END, _FREE, _FAT_SECTOR = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
_SECTOR, _MINI, _CUTOFF = 512, 64, 4096


def compound(streams: Mapping[str, bytes]) -> bytes:
    """A compound file; names are paths with ``/``."""
    sectors: list[bytes] = []
    fat: list[int] = []
    minis: list[bytes] = []
    mini_fat: list[int] = []
    entries: list[list[object]] = [["Root Entry", 5, _FREE, _FREE, 0, 0]]
    known: dict[str, int] = {"": 0}

    def entry(path: str) -> int:
        if path not in known:
            folder, _, name = path.rpartition("/")
            above = entry(folder)
            kind = 2 if path in streams else 1
            known[path] = len(entries)
            entries.append([name, kind, entries[above][3], _FREE, 0, 0])  # siblings as a chain
            entries[above][3] = known[path]
        return known[path]

    for path, content in streams.items():
        small = len(content) < _CUTOFF
        start = _append(content, *((minis, mini_fat, _MINI) if small else (sectors, fat, _SECTOR)))
        entries[entry(path)][4:] = [start, len(content)]
    mini_stream = b"".join(minis)
    entries[0][4:] = [_append(mini_stream, sectors, fat, _SECTOR), len(mini_stream)]
    packed = struct.pack(f"<{len(mini_fat)}I", *mini_fat)
    first_mini = _append(packed + b"\xff" * (-len(packed) % _SECTOR), sectors, fat, _SECTOR)
    directory = _append(b"".join(map(_packed, entries)), sectors, fat, _SECTOR)
    fat_start = len(sectors)
    count = 1
    while count * 128 < fat_start + count:
        count += 1
    fat += [_FAT_SECTOR] * count + [_FREE] * (count * 128 - fat_start - count)
    sectors.append(struct.pack(f"<{len(fat)}I", *fat))
    places = [*range(fat_start, fat_start + count)] + [_FREE] * (109 - count)
    header = struct.pack(
        "<8s16sHHHHH6xIIIIIIIII109I", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", bytes(16), 0x3E, 3,
        0xFFFE, 9, 6, 0, count, directory, 0, _CUTOFF, first_mini, 1, _END, 0, *places,
    )  # fmt: skip
    return header + b"".join(sectors)


def _append(content: bytes, sectors: list[bytes], fat: list[int], size: int) -> int:
    if not content:
        return _END
    start = len(sectors)
    content += bytes(-len(content) % size)
    sectors += [content[at : at + size] for at in range(0, len(content), size)]
    fat += [*range(start + 1, len(sectors)), _END]
    return start


def _packed(entry: list[object]) -> bytes:
    name, kind, sibling, child, start, size = entry
    raw = str(name).encode("utf-16-le")
    return struct.pack(
        "<64sHBBIII16sI16xIQ", raw, len(raw) + 2, kind, 1, _FREE, sibling, child, b"", 0, start,
        size,
    )  # fmt: skip
