"""Local models on their way to a worker: as settings, with what tells that the weights are there.

Weights do not travel. A folder must be the same one on every machine, as on a shared file system;
models that ship with Tailor lie beside its code, and those of the hub in each machine's cache.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailor.errors import TailorError

if TYPE_CHECKING:
    from tailor.models.local import LocalChat

_HERE = "shipped:"


def digests(paths: Iterable[str]) -> dict[str, str]:
    """Of the weights at these paths; those that ship with Tailor stand under ``shipped:NAME``."""
    from tailor.models.local import weights_digest

    return {_portable(path): weights_digest(path) for path in paths}


def arrived(settings: Mapping[str, Any], wanted: Mapping[str, str]) -> LocalChat:
    """The model of these settings on this machine; the first path is that of its weights.

    Raises:
        TailorError: its weights are not here, or they are others.
    """
    from tailor.models.local import LocalChat

    check(wanted)
    path = next(iter(wanted))
    return LocalChat(path=_local(path), **settings)


def check(wanted: Mapping[str, str]) -> None:
    """Refuse weights that are not those of the machine that sent them.

    Raises:
        TailorError: they are not here, or they are others.
    """
    import socket

    from tailor.models.local import weights_digest

    for name, digest in wanted.items():
        path = _local(name)
        folder = Path(path).is_absolute()
        if folder and not Path(path).is_dir():
            raise TailorError(
                f"The worker on {socket.gethostname()} has no {path}: put the folder on a file "
                "system that all machines of the cluster share, under the same path."
            )
        if weights_digest(path) != digest:
            raise TailorError(
                f"The worker on {socket.gethostname()} has other weights at {path} than this "
                "machine: share the folder, or download the same revision on both."
            )


def _portable(path: str) -> str:
    from tailor.models.provider import SHIPPED

    if Path(path).is_relative_to(SHIPPED):
        return _HERE + Path(path).relative_to(SHIPPED).as_posix()
    return str(Path(path).resolve()) if Path(path).is_dir() else path


def _local(name: str) -> str:
    from tailor.models.provider import SHIPPED

    return str(SHIPPED / name.removeprefix(_HERE)) if name.startswith(_HERE) else name
