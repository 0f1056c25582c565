"""Programs that convert a file, as LibreOffice and tesseract, and the time a file may take."""

from __future__ import annotations

import contextlib
import faulthandler
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from typing import IO

from tailor.documents.confinement import lift, limit_processor

CONVERTING = 300.0
"""Seconds that all converters together may take for one file, beyond the reader's own time."""


class Clock:
    """Ends this process when a file takes longer than ``seconds``, also inside a library.

    It stands still while a converter runs, which has a time of its own. ``log`` is where Python
    writes what it was doing.
    """

    def __init__(self, seconds: float, log: IO[str]) -> None:
        self.seconds = seconds
        self.converting = False
        self._log = log
        self._left = self._for_converters = 0.0
        self._since = 0.0

    def start(self) -> None:
        """A new file."""
        self._left, self._for_converters = self.seconds, CONVERTING
        self._go()

    def stop(self) -> None:
        """The file is read."""
        faulthandler.cancel_dump_traceback_later()
        self._left -= time.monotonic() - self._since

    @contextlib.contextmanager
    def converter(self, timeout: float) -> Iterator[float]:
        """Stand still; gives the seconds that the converter may take."""
        self.stop()
        self.converting = True
        began = time.monotonic()
        try:
            yield min(timeout, self._for_converters)
        finally:
            self.converting = False
            self._for_converters -= time.monotonic() - began
            self._go()

    def _go(self) -> None:
        self._since = time.monotonic()
        limit_processor(self._left)
        faulthandler.dump_traceback_later(max(0.001, self._left), exit=True, file=self._log)


clock: ContextVar[Clock | None] = ContextVar("clock", default=None)
"""Of the file that this process is reading in a box; none elsewhere."""


def converter(command: Sequence[str], timeout: float) -> subprocess.CompletedProcess[bytes]:
    """Run a program such as ``soffice`` or ``tesseract`` on files in a temporary folder.

    The memory limit of the process that reads is lifted for it; its time does not count as the
    reader's, but all converters together get no more than ``CONVERTING`` seconds for one file. It
    gets no input; what it prints is in ``stdout`` and ``stderr``.

    Raises:
        subprocess.TimeoutExpired: it took longer and was ended, with all it had started.
        OSError: it cannot be started.
    """
    running = clock.get()
    if running is None:
        return _run(command, timeout)
    with running.converter(timeout) as seconds:
        return _run(command, seconds)


def _run(command: Sequence[str], seconds: float) -> subprocess.CompletedProcess[bytes]:
    if seconds <= 0:
        raise subprocess.TimeoutExpired(list(command), seconds)
    with subprocess.Popen(
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=None if sys.platform == "win32" else lift,
    ) as process:
        try:
            out, err = process.communicate(timeout=seconds)
        except BaseException:
            end(process.pid)
            raise
    return subprocess.CompletedProcess(list(command), process.returncode, out, err)


def end(pid: int) -> None:
    """Kill a process and all that it started."""
    import psutil

    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        for one in (*process.children(recursive=True), process):
            with contextlib.suppress(psutil.Error):
                one.kill()
