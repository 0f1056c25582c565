"""Stages of installed packages: entry points of the group ``tailor.stages``.

A package that brings the stage ``house_style`` says so in its pyproject.toml::

    [project.entry-points."tailor.stages"]
    house_style = "acme_stages:HouseStyle"
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from tailor.errors import TailorError
from tailor.stage import Stage, checked

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "tailor.stages"


@dataclass(frozen=True)
class Plugins:
    """What installed packages bring."""

    stages: Mapping[str, type[Stage]]
    """By name."""
    broken: Mapping[str, str]
    """Why a stage cannot be used, a sentence each, by name; a usable one may have the same."""


def plugins(taken: Iterable[str] = ()) -> Plugins:
    """The stages of installed packages; one that is broken stops no other.

    Args:
        taken: names of Tailor's own stages, which no package may have.
    """
    return _plugins(tuple(sys.path), frozenset(taken))


@cache
def _plugins(path: tuple[str, ...], taken: frozenset[str]) -> Plugins:
    """``path``: where packages were looked for, so that another place is looked at, too."""
    from importlib.metadata import entry_points

    stages: dict[str, type[Stage]] = {}
    broken: dict[str, str] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value)):
        try:
            if point.name in {*taken, *stages}:
                raise TailorError(f"there is a stage of the name {point.name} already")
            stages[point.name] = _loaded(point)
        except TailorError as error:
            broken[point.name] = str(_unusable(point, str(error).rstrip(".")))
    return Plugins(stages, broken)


def _unusable(point: EntryPoint, why: str) -> TailorError:
    package = point.dist.name if point.dist else point.module
    return TailorError(
        f"The stage {point.name} of the package {package} cannot be used: {why}; mend the package, "
        "or uninstall it."
    )


def _loaded(point: EntryPoint) -> type[Stage]:
    try:
        value = point.load()
    except (Exception, SystemExit) as error:  # another package: whatever it raises
        raise TailorError(f"{point.value} cannot be loaded ({_said(error)})") from None
    if not isinstance(value, type) or not issubclass(value, Stage):
        raise TailorError(f"{point.value} is no subclass of Stage")
    if value.name() != point.name:
        raise TailorError(f"the name of {value.__name__} is {value.name()}")
    if "__dataclass_fields__" not in vars(value):
        raise TailorError(f"{value.__name__} is no frozen dataclass")
    checked(value, point.value)
    return value


def _said(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
