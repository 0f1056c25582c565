"""A stage: one step that takes an assistant and returns a better one."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import re
import sys
import types
import typing
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from tailor.errors import TailorError, UsageError
from tailor.settings import check, convert

if TYPE_CHECKING:
    from tailor.assistant import Assistant
    from tailor.workspace import Workspace


@dataclass(frozen=True)
class Stage(ABC):
    """One step of the ladder; a subclass's fields are its settings.

    They are at once command-line flags (``--set stage.field=value``), form fields, part of the
    cache key and part of the record. A new stage is one new file in ``stages/`` with one subclass.
    """

    starts_from: ClassVar[Literal["previous", "root"]] = "previous"
    """``root``: a reference row, such as a baseline, that nothing builds on."""
    trains: ClassVar[bool] = False
    """It changes a model's weights: they must be on this machine, and a GPU makes it quick."""
    first: ClassVar[tuple[str, ...]] = ()
    """The settings that most people change, in the order a form shows them; it keeps the others
    behind an expander. Empty: it shows all at once."""
    labelled: ClassVar[str] = ""
    """A setting that a row's label stands for where it is one of its choices: with ``kind``,
    ``baseline:mean`` is the stage baseline with kind ``mean``."""

    def __post_init__(self) -> None:
        """Refuse settings that are not within their bounds.

        Raises:
            UsageError: one is not.
        """
        for f in fields(self):
            try:
                about = f.metadata
                value, empty = getattr(self, f.name), about.get("empty", False)
                if value in about.get("words", ()):
                    continue
                check(value, about.get("low"), about.get("high"), empty)
            except ValueError as error:
                raise UsageError(f"{self.name()}.{f.name}: {error}.") from None

    @abstractmethod
    def apply(self, assistant: Assistant, workspace: Workspace) -> Assistant:
        """Return the assistant with one slot replaced.

        Expensive work goes through ``workspace.artifact`` so that it is done once.
        """

    @property
    def chooses(self) -> bool:
        """Whether applying it chooses something by the metrics, on dev."""
        return False

    def recorded(self, workspace: Workspace) -> Stage:
        """The stage as it is written into a run's record: with the content of files it names."""
        return self

    def calls(self, workspace: Workspace) -> int:
        """How many model calls applying it makes at most, besides those that answer questions."""
        return 0

    @classmethod
    def name(cls) -> str:
        """The file's name: ``FewShot`` is ``few_shot``."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    def settings(self) -> dict[str, Any]:
        """The settings as JSON values."""
        return asdict(self)

    @classmethod
    def settings_of(cls, label: str) -> dict[str, Any]:
        """What the label of a row sets by itself; nothing where it is a mere label."""
        kind = typing.get_type_hints(cls).get(cls.labelled)
        return {cls.labelled: label} if label in map(str, typing.get_args(kind)) else {}

    @classmethod
    def with_settings(cls, settings: Mapping[str, Any]) -> Stage:
        """Make the stage; texts are converted to the fields' types.

        Raises:
            UsageError: a setting is unknown, or its value does not fit or is out of bounds.
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
                values[name] = convert(value, types_[name])
            except (TypeError, ValueError) as error:
                raise UsageError(f"{cls.name()}.{name}: {error}.") from None
        return cls(**values)


def stage_types(extra: Path | None = None) -> dict[str, type[Stage]]:
    """All stages by name, found by file name in ``tailor.stages`` and in ``extra``.

    Those of installed packages come in between: see `tailor.plugins`. Files whose name starts with
    an underscore are left alone.

    Raises:
        TailorError: a file cannot be run, holds no stage of its own name, or one without
            ``apply`` or with a setting without a default.
    """
    from tailor.plugins import plugins

    found = _shipped()
    found |= plugins(found).stages
    for path in sorted(extra.glob("[!_]*.py")) if extra and extra.is_dir() else []:
        found[path.stem] = _only_stage(_run(path), path.stem)
    return found


def broken_plugins() -> Mapping[str, str]:
    """Why stages of installed packages cannot be used, a sentence each, by name."""
    from tailor.plugins import plugins

    return plugins(_shipped()).broken


def _shipped() -> dict[str, type[Stage]]:
    package = importlib.import_module("tailor.stages")
    found: dict[str, type[Stage]] = {}
    for module in pkgutil.iter_modules(package.__path__):
        if not module.name.startswith("_"):
            found[module.name] = _only_stage(
                importlib.import_module(f"{package.__name__}.{module.name}"), module.name
            )
    return found


def _run(path: Path) -> types.ModuleType:
    # The folder is part of the name, so that two workspaces in one process stay apart.
    name = f"{path.parent}.{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look there for a class's module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # it is somebody else's code
        del sys.modules[name]
        raise TailorError(
            f"The stage file {path} cannot be run ({type(error).__name__}: {error}); mend it, or "
            "set workspace_stages = false in tailor.toml."
        ) from None
    return module


def _only_stage(module: types.ModuleType, name: str) -> type[Stage]:
    for value in vars(module).values():
        if (
            isinstance(value, type)
            and issubclass(value, Stage)
            and value.__module__ == module.__name__
            and value.name() == name
        ):
            if "__dataclass_fields__" not in vars(value):
                break
            checked(value, str(module.__file__))
            return value
    wanted = "".join(part.capitalize() for part in name.split("_"))
    raise TailorError(
        f"{module.__file__} holds no stage: define a frozen dataclass `class {wanted}(Stage)`."
    )


def checked(kind: type[Stage], where: str) -> None:
    """Refuse a stage that cannot be made without arguments; ``where`` names it in the error.

    Raises:
        TailorError: it has no ``apply``, or a setting without a default.
    """
    if inspect.isabstract(kind):
        raise TailorError(f"{where}: {kind.__name__} does nothing: define its `apply`.")
    for f in fields(kind):
        if f.init and f.default is MISSING and f.default_factory is MISSING:
            raise TailorError(
                f"{where}: the setting {f.name!r} of {kind.__name__} needs a default: write "
                f'`{f.name}: ... = setting(DEFAULT, "what it is")`.'
            )
