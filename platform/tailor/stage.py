"""A stage: one step that takes an assistant and returns a better one."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import re
import types
import typing
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import MISSING, Field, asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

from tailor.errors import TailorError, UsageError

if TYPE_CHECKING:
    from tailor.assistant import Assistant
    from tailor.workspace import Workspace

T = TypeVar("T")


def setting(default: T, meaning: str) -> T:
    """A stage's setting: a dataclass field with its meaning in one line."""
    value: Any = field(default=default, metadata={"meaning": meaning})
    return typing.cast(T, value)


@dataclass(frozen=True)
class Stage(ABC):
    """One step of the ladder; a subclass's fields are its settings.

    They are at once command-line flags (``--set stage.field=value``), form fields, part of the
    cache key and part of the record. A new stage is one new file in ``stages/`` with one subclass.
    """

    starts_from: ClassVar[Literal["previous", "root"]] = "previous"
    """``root``: a reference row, such as a baseline, that nothing builds on."""

    @abstractmethod
    def apply(self, assistant: Assistant, workspace: Workspace) -> Assistant:
        """Return the assistant with one slot replaced.

        Expensive work goes through ``workspace.artifact`` so that it is done once.
        """

    @classmethod
    def name(cls) -> str:
        """The file's name: ``FewShot`` is ``few_shot``."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    def settings(self) -> dict[str, Any]:
        """The settings as JSON values."""
        return asdict(self)

    @classmethod
    def with_settings(cls, settings: Mapping[str, Any]) -> Stage:
        """Make the stage; texts are converted to the fields' types.

        Raises:
            UsageError: a setting is unknown or its value does not fit.
        """
        known = {f.name: f for f in fields(cls)}
        types_ = typing.get_type_hints(cls)
        values: dict[str, Any] = {}
        for name, value in settings.items():
            if name not in known:
                raise UsageError(
                    f"Stage {cls.name()} has no setting {name!r}; it has "
                    f"{', '.join(known) or 'none'}."
                )
            try:
                values[name] = _convert(value, types_[name])
            except ValueError as error:
                raise UsageError(f"{cls.name()}.{name}: {error}.") from None
        return cls(**values)


def _convert(value: Any, kind: Any) -> Any:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        if value is None or (isinstance(value, str) and value.lower() in ("none", "null")):
            return None
        return _convert(value, next(a for a in arguments if a is not type(None)))
    if origin is Literal:
        if value not in arguments:
            raise ValueError(f"{value!r} is not one of {', '.join(map(str, arguments))}")
        return value
    if origin is tuple:
        parts = value.split(",") if isinstance(value, str) else value
        return tuple(_convert(part, arguments[0]) for part in parts)
    if kind is bool:
        word = str(value).lower()
        if word not in ("true", "false", "yes", "no", "1", "0", "on", "off"):
            raise ValueError(f"{value!r} is not true or false")
        return word in ("true", "yes", "1", "on")
    if kind in (int, float):
        if isinstance(value, bool) or (kind is int and isinstance(value, float)):
            raise ValueError(f"{value!r} is not a whole number")
        try:
            return kind(value)
        except (TypeError, ValueError):
            what = "a whole number" if kind is int else "a number"
            raise ValueError(f"{value!r} is not {what}") from None
    return str(value)


def default_of(f: Field[Any]) -> Any:
    """The default of a setting, or None where it has none."""
    return None if f.default is MISSING else f.default


def stage_types(extra: Path | None = None) -> dict[str, type[Stage]]:
    """All stages by name, found by file name in ``tailor.stages`` and in ``extra``.

    Raises:
        TailorError: a file holds no stage of its own name.
    """
    package = importlib.import_module("tailor.stages")
    found: dict[str, type[Stage]] = {}
    for module in pkgutil.iter_modules(package.__path__):
        found[module.name] = _only_stage(
            importlib.import_module(f"{package.__name__}.{module.name}"), module.name
        )
    for path in sorted(extra.glob("*.py")) if extra and extra.is_dir() else []:
        spec = importlib.util.spec_from_file_location(f"workspace_stages.{path.stem}", path)
        assert spec and spec.loader
        loaded = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(loaded)
        found[path.stem] = _only_stage(loaded, path.stem)
    return found


def _only_stage(module: types.ModuleType, name: str) -> type[Stage]:
    for value in vars(module).values():
        if (
            isinstance(value, type)
            and issubclass(value, Stage)
            and value.__module__ == module.__name__
            and value.name() == name
        ):
            return value
    wanted = "".join(part.capitalize() for part in name.split("_"))
    raise TailorError(
        f"{module.__file__} holds no stage: define a frozen dataclass `class {wanted}(Stage)`."
    )
