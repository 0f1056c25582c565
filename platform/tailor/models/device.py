"""Whether a GPU can be used, found out without loading torch."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_DRIVERS = ("/proc/driver/nvidia", "/dev/kfd", "/dev/dxg")
"""Of NVIDIA, of AMD, and of Windows' Linux subsystem."""


@cache
def has_gpu() -> bool:
    """Whether there is a driver, and a torch that was built for it."""
    try:
        built = "+cpu" not in version("torch")
    except PackageNotFoundError:
        return False
    return built and any(Path(driver).exists() for driver in _DRIVERS)
