"""The stages of the ladder: one file each, found by file name; then those of other packages."""

import importlib
import pkgutil
from typing import Any


def __getattr__(name: str) -> Any:  # of a class found by its file, checkers know no settings
    """``from tailor.stages import FewShot`` finds the class in ``few_shot.py``."""
    from tailor.plugins import plugins
    from tailor.stage import Stage

    for module in pkgutil.iter_modules(__path__):
        wanted = "".join(part.capitalize() for part in module.name.split("_"))
        if wanted == name:
            found: type[Stage] = getattr(importlib.import_module(f"{__name__}.{module.name}"), name)
            return found
    for kind in plugins(module.name for module in pkgutil.iter_modules(__path__)).stages.values():
        if kind.__name__ == name:
            return kind
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
