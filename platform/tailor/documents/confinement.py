"""What the process that parses may not do: reach the network, write, start programs, eat memory.

The limits of time, memory and file size are the system's, so that no code gets around them. On
Linux the process also has a network of its own without a way out, where the system grants one.
What is not: the audit hook. It stops what Python code does, as a parser that follows a link or
unpacks to the disk, not what hostile machine code would do after it has taken over the process.

macOS does not enforce the memory limit; Windows has the time limit and the hook only.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

_WRITTEN = 512 << 20
"""Bytes that may be written to one file."""
_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000  # <sched.h>
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_PROGRAMS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork",
             "os.forkpty", "pty.spawn", "os.startfile")  # fmt: skip
_CHANGES = ("os.remove", "os.rmdir", "os.mkdir", "os.rename", "os.truncate", "os.chmod",
            "os.chown", "os.utime")  # fmt: skip
_LINKS = ("os.link", "os.symlink")
_HARMLESS = ("socket.gethostname",)


def confine(folder: Path, memory: int, may_start: Callable[[], bool]) -> None:
    """Confine this process, before it has other threads and for as long as it lives.

    It may write below ``folder`` only and use ``memory`` bytes; ``may_start`` says whether it may
    start a program just now.
    """
    _leave_network()
    _limit_memory(memory)
    sys.dont_write_bytecode = True
    sys.addaudithook(_hook(os.path.realpath(folder), may_start))


def _leave_network() -> None:
    """A network namespace of its own, which has no interface that is up; not granted everywhere."""
    if sys.platform != "linux":
        return
    user, group = os.getuid(), os.getgid()
    if ctypes.CDLL(None).unshare(_NEW_USER | _NEW_NETWORK) != 0:
        return
    with contextlib.suppress(OSError):
        Path("/proc/self/setgroups").write_text("deny", "ascii")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1", "ascii")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1", "ascii")


def _limit_memory(memory: int) -> None:
    if sys.platform == "win32":
        return
    import resource

    space = resident = 0
    with contextlib.suppress(OSError):
        pages = Path("/proc/self/statm").read_text("ascii").split()
        space, resident = (int(n) * resource.getpagesize() for n in pages[:2])
    wanted = {
        resource.RLIMIT_AS: space + memory - resident,
        resource.RLIMIT_FSIZE: _WRITTEN,
        resource.RLIMIT_CORE: 0,
    }
    for limit, value in wanted.items():
        _, hard = resource.getrlimit(limit)
        with contextlib.suppress(ValueError, OSError):
            # Only the soft one, so that it can be lifted for converters.
            resource.setrlimit(limit, (value, hard))


def limit_processor(seconds: float) -> None:
    """End this process after so many more seconds of processor time, whatever it is doing."""
    if sys.platform == "win32":
        return
    import resource

    usage = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    value = int(usage.ru_utime + usage.ru_stime + seconds) + 2
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (value, hard))


def lift() -> None:
    """Take the limits off a converter, in its own process before it starts."""
    import resource

    for limit in (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE):
        _, hard = resource.getrlimit(limit)
        resource.setrlimit(limit, (hard, hard))


def _hook(folder: str, may_start: Callable[[], bool]) -> Callable[[str, tuple[Any, ...]], None]:
    def inside(path: object) -> bool:
        if isinstance(path, int):
            return True  # opened before
        full = os.path.abspath(os.fsdecode(path))  # type: ignore[arg-type]
        return full in (folder, os.devnull) or full.startswith(folder + os.sep)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if flags & _WRITES and not inside(path):
                raise PermissionError(f"reading a document may not write {path!r}")
        elif event.startswith("socket.") and event not in _HARMLESS:
            raise PermissionError("reading a document may not use the network")
        elif event in _PROGRAMS and not may_start():
            raise PermissionError("reading a document may not start programs")
        elif event in _LINKS:
            raise PermissionError("reading a document may not make links")
        elif event in _CHANGES:
            paths = arguments[:2] if event == "os.rename" else arguments[:1]
            if not all(inside(path) for path in paths):
                raise PermissionError(f"reading a document may not change {paths[0]!r}")

    return hook
