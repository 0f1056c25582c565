"""The process in which files are parsed, one after another, each within its time and memory.

    python -m tailor.documents.parser FOLDER SECONDS MEMORY

A request on standard input is the lengths of name and content (``REQUEST``), then both; the reply
on standard output is a length (``REPLY``) and JSON. The first, of length 0, says that the process
is ready. It ends at the end of its input.
"""

from __future__ import annotations

import json
import os
import shutil
import struct
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from tailor.documents.confinement import confine
from tailor.documents.converter import Clock, clock
from tailor.documents.document import Document, Unread, documents
from tailor.documents.refusal import Refused

REQUEST = struct.Struct("<IQ")
REPLY = struct.Struct("<Q")
OUT_OF_MEMORY = 3
"""The status with which the process ends."""


def main(folder: str, seconds: str, memory: str) -> None:
    """Serve until the input ends, a file is too slow, or memory runs out."""
    requests = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1):  # what a library prints is no reply
        os.dup2(nothing, descriptor)
    log = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    timer = Clock(float(seconds), log)
    confine(Path(folder), int(memory), lambda: timer.converting)
    clock.set(timer)
    import_module("tailor.documents.readers.text")  # what all readers need, at nobody's expense
    os.dup2(nothing, 2)
    try:
        replies.write(REPLY.pack(0))
        replies.flush()
        while header := requests.read(REQUEST.size):
            name, content = (requests.read(length) for length in REQUEST.unpack(header))
            timer.start()
            reply = json.dumps(_reply(name.decode(), content), ensure_ascii=False)
            raw = reply.encode("utf-8", "replace")
            timer.stop()
            del content
            replies.write(REPLY.pack(len(raw)) + raw)
            replies.flush()
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except BrokenPipeError:
        pass
    shutil.rmtree(folder, ignore_errors=True)  # nobody else does where the other end was killed


def _reply(name: str, content: bytes) -> dict[str, Any]:
    try:
        return {"found": [_item(found) for found in documents(content, name)]}
    except Refused as refused:
        return {"refused": refused.reason, "status": refused.status}
    except Exception as error:  # one file must not end the process for the others
        if isinstance(error, MemoryError):
            raise
        return {"refused": f"broken: it cannot be read ({type(error).__name__})", "status": ""}


def _item(found: Document | Unread) -> dict[str, Any]:
    if isinstance(found, Unread):
        return {"path": found.path, "refused": found.reason, "status": found.status}
    return {
        "path": found.path,
        "text": found.text,
        "places": [[p.name, p.start, p.end, p.rows] for p in found.places],
        "language": found.language,
        "note": found.note,
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
