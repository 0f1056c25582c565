"""Strangers' files are parsed in a box: processes with limits, ended and replaced when needed.

Whatever a file does to its parser, the others are read and this one is refused by name with the
reason. `tailor.documents.confinement` says what the limits are worth on which system.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import selectors
import shutil
import signal
import site
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from tailor.documents.converter import CONVERTING, converter
from tailor.documents.document import Document, Place, Unread
from tailor.documents.parser import OUT_OF_MEMORY, REPLY, REQUEST
from tailor.documents.readers import LONGEST
from tailor.documents.refusal import Refused
from tailor.errors import TailorError

__all__ = ["CONVERTING", "Box", "Limits", "converter"]

if sys.platform != "win32":
    import resource

_FURTHER = 3.0
"""Seconds of reading after which one more process is worth what starting it costs."""
_GRACE = 15.0
"""Seconds after its time in which a parser that should have ended itself is killed."""
_START = 120.0
"""Seconds in which a process must have started."""
_MOST = 6 * LONGEST
"""Bytes of a reply."""
_ENDED = "reading was ended"
_KEPT = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "SYSTEMROOT",
         "TESSDATA_PREFIX")  # fmt: skip


@dataclass(frozen=True)
class Limits:
    """What one file may cost."""

    seconds: float = 30.0
    memory: int = 1 << 30
    """Bytes, with those that the process has before it reads."""


class _Failed(Exception):
    """The process cannot be used any more; the message says what the file did."""

    def __init__(self, reason: str, again: bool = True) -> None:
        super().__init__(reason)
        self.again = again
        """Whether the files read before may have had a part in it."""


class Box:
    """Processes that parse; ``read`` may be called from several threads, one file each.

    They start when needed, one more for every few seconds that reading goes on, up to
    ``processes``.
    """

    def __init__(self, limits: Limits | None = None, processes: int | None = None) -> None:
        self.limits = limits or Limits()
        self.processes = processes or max(1, min(8, os.cpu_count() or 1))
        self.peak = 0
        """Bytes of memory that a process has used at most, of those that ended; Unix only."""
        self._began = 0.0
        self._idle: list[_Process] = []
        self._all: set[_Process] = set()
        self._starting = 0
        self._closed = False
        self._changed = threading.Condition()

    def __enter__(self) -> Box:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def read(self, name: str, content: bytes) -> tuple[Document | Unread, ...]:
        """The documents in these bytes, as `tailor.documents.document.documents` gives them.

        Raises:
            Refused: they hold none, or the parser took too long, too much memory or crashed.
        """
        while True:
            process = self._take()
            fresh = process.fresh
            try:
                process.wait()
                self._began = self._began or time.monotonic()
                found = process.read(name, content)
            except Refused:
                self._give(process)
                raise
            except _Failed as failed:
                self._end(process)
                if fresh or not failed.again:
                    raise Refused(str(failed)) from None
            except BaseException:
                self._end(process)
                raise
            else:
                self._give(process)
                return found

    def close(self) -> None:
        """End all processes, also those that are reading."""
        with self._changed:
            self._closed = True
            processes = list(self._all)
        for process in processes:
            self._end(process)

    def _take(self) -> _Process:
        with self._changed:
            while not self._closed:
                if self._idle:
                    return self._idle.pop()
                began = self._began or time.monotonic()  # starting the first one is no reading
                allowed = 1 + int((time.monotonic() - began) / _FURTHER)
                if len(self._all) + self._starting < min(self.processes, allowed):
                    self._starting += 1
                    break
                self._changed.wait(_FURTHER)
            else:
                raise Refused(_ENDED)
        try:
            process = _Process(self.limits)
        finally:
            with self._changed:
                self._starting -= 1
        with self._changed:
            self._all.add(process)
            closed = self._closed
        if closed:  # while it was being started
            self._end(process)
            raise Refused(_ENDED)
        return process

    def _give(self, process: _Process) -> None:
        with self._changed:
            self._idle.append(process)
            self._changed.notify()

    def _end(self, process: _Process) -> None:
        peak = process.end()
        with self._changed:
            self._all.discard(process)
            self.peak = max(self.peak, peak)
            self._changed.notify_all()


class _Process:
    """One process that parses, and its temporary folder.

    Raises:
        TailorError: it cannot be started.
    """

    def __init__(self, limits: Limits) -> None:
        self.fresh = True
        self._limits = limits
        self._ending = threading.Lock()
        self._using = threading.RLock()
        self._peak: int | None = None
        self._folder = Path(tempfile.mkdtemp(prefix="tailor-"))
        arguments = [str(self._folder), str(limits.seconds), str(limits.memory)]
        with open(self._folder / "said", "wb") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "tailor.documents.parser", *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                bufsize=0,
                cwd=self._folder,
                env=_environment(self._folder),
                start_new_session=True,  # Ctrl+C is for the process that reads the replies
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input, self._output = self._process.stdin, self._process.stdout
        self._selector = selectors.DefaultSelector()
        if sys.platform != "win32":  # there is no waiting for a pipe with a time limit there
            self._selector.register(self._output, selectors.EVENT_READ)

    def wait(self) -> None:
        """Until it can read.

        Raises:
            TailorError: it cannot be started.
        """
        with self._using:
            if self.fresh:
                self._expect_greeting()

    def read(self, name: str, content: bytes) -> tuple[Document | Unread, ...]:
        """As `Box.read`.

        Raises:
            Refused: by the reader.
            _Failed: the process ended or must be ended.
        """
        with self._using:
            self.fresh = False
            return _documents(self._reply(name, content), name, content)

    def _reply(self, name: str, content: bytes) -> bytes:
        began = time.monotonic()
        title = name.encode()
        try:
            for part in (REQUEST.pack(len(title), len(content)) + title, content):
                self._send(part)
            latest = began + self._limits.seconds + CONVERTING + _GRACE
            (length,) = REPLY.unpack(self._receive(REPLY.size, latest))
            if length > _MOST:
                raise _Failed("it gives more text than a document should hold: split it", False)
            return self._receive(length, latest)
        except TimeoutError:
            raise self._too_slow() from None
        except OSError:
            raise self._ended(time.monotonic() - began) from None

    def end(self) -> int:
        """Kill the process and all it started; gives the most memory it used, in bytes."""
        with self._ending:
            if self._peak is None:
                self._peak = self._killed()
        with self._using:  # not while a thread still waits for what it says
            self._selector.close()
            for pipe in (self._input, self._output):
                with contextlib.suppress(OSError):
                    pipe.close()
            shutil.rmtree(self._folder, ignore_errors=True)
        return self._peak

    def _killed(self) -> int:
        if sys.platform == "win32":
            self._process.kill()
            self._process.wait()
            return 0
        alive = _peak_of(self._process.pid)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        _, status, usage = os.wait4(self._process.pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        return alive or _own_peak(usage)

    def _expect_greeting(self) -> None:
        try:
            greeting = self._receive(REPLY.size, time.monotonic() + _START)
        except OSError:
            greeting = b""
        if greeting != REPLY.pack(0):
            said = (self._folder / "said").read_text("utf-8", "replace").strip().splitlines()
            self.end()
            raise TailorError(
                "The process that reads documents cannot start "
                f"({said[-1] if said else 'it said nothing'}): install Tailor again."
            )

    def _send(self, part: bytes) -> None:
        view = memoryview(part)
        while view:
            view = view[self._input.write(view) or 0 :]

    def _receive(self, size: int, latest: float) -> bytes:
        """So many bytes; OSError where the process ends before, TimeoutError where it is late."""
        received = bytearray()
        while len(received) < size:
            if sys.platform != "win32":
                left = latest - time.monotonic()
                if left <= 0 or not self._selector.select(left):
                    raise TimeoutError
            some = self._output.read(min(size - len(received), 1 << 20))
            if not some:
                raise BrokenPipeError
            received += some
        return bytes(received)

    def _too_slow(self) -> _Failed:
        return _Failed(f"took longer than {self._limits.seconds:g} s to read", again=False)

    def _ended(self, after: float) -> _Failed:
        """What the file did, by the way in which the process ended."""
        peak = self.end()
        code = self._process.returncode
        slow = code == -getattr(signal, "SIGXCPU", 0) or (
            code == 1 and after >= self._limits.seconds
        )
        if slow:
            return self._too_slow()
        if code == OUT_OF_MEMORY or peak > 0.8 * self._limits.memory:
            return _Failed(f"needs more than {_size(self._limits.memory)} of memory to be read")
        return _Failed("the parser crashed on it")


def _peak_of(pid: int) -> int:
    """Bytes of memory that a running process has used at most; 0 where nobody knows."""
    try:
        status = Path(f"/proc/{pid}/status").read_text("ascii", "replace")
    except OSError:
        return 0
    found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    return int(found[1]) << 10 if found else 0


def _own_peak(usage: Any) -> int:
    """The same of one that ended; a process counts as its own what its parent had when it started."""  # noqa: E501
    unit = 1 if sys.platform == "darwin" else 1024
    parent = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return usage.ru_maxrss * unit if usage.ru_maxrss > parent else 0


def _documents(reply: bytes, name: str, content: bytes) -> tuple[Document | Unread, ...]:
    """What the process replied, which is not trusted to be what it should be.

    Raises:
        Refused: by the reader.
        _Failed: the reply makes no sense.
    """
    try:
        item = json.loads(reply)
        if "refused" in item:
            raise Refused(str(item["refused"]), "empty" if item["status"] == "empty" else "refused")
        sha256 = hashlib.sha256(content).hexdigest()
        return tuple(_found(one, name, sha256) for one in item["found"])
    except (ValueError, TypeError, KeyError):
        raise _Failed("the parser crashed on it: what it gave is no document") from None


def _found(item: Mapping[str, Any], name: str, sha256: str) -> Document | Unread:
    path = str(item["path"])
    if path != name and not path.startswith(f"{name}/"):
        raise ValueError(path)
    if "refused" in item:
        status: Literal["refused", "empty"] = "empty" if item["status"] == "empty" else "refused"
        return Unread(path, str(item["refused"]), status)
    places = tuple(Place(str(n), int(a), int(b), bool(rows)) for n, a, b, rows in item["places"])
    text, language, note = (str(item[key]) for key in ("text", "language", "note"))
    return Document(path, text, places, language, sha256, note)


def _environment(folder: Path) -> dict[str, str]:
    """As little as a parser needs: no keys, and the temporary folder as its home."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    home = dict.fromkeys(("HOME", "USERPROFILE", "TMPDIR", "TEMP", "TMP"), str(folder))
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OMP_THREAD_LIMIT"), "1")
    return {**kept, **home, **threads, "PYTHONUTF8": "1", "PYTHONUSERBASE": site.getuserbase()}


def _size(count: int) -> str:
    return f"{count >> 30} GB" if count >= 1 << 30 else f"{count >> 20} MB"
