"""The registry of adapters: what was trained, from what, how it went, and under which licence.

An adapter's folder holds PEFT's files, the tokenizer with its chat template, and ``adapter.json``,
which :func:`describe` writes when a training has ended::

    {"schema_version": 1, "base": "./bloom-560m", "base_digest": "…", "data_digest": "…",
     "lessons": 480, "method": "sft", "settings": {"rank": 8, …},
     "curve": [{"step": 1, "loss": 2.31}, {"step": 10, "validation_loss": 1.94}],
     "licence": "bigscience-bloom-rail-1.0", "versions": {"peft": "0.21.0"},
     "created": "2026-11-21T10:00:00+00:00", "digest": "…"}

:func:`register` takes such a folder into ``.tailor/adapters/NAME/adapter/``. What is measured of
an adapter lies beside that folder, so that it, and with it the fingerprint of every answer, stays
as it is.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tailor.errors import NewerVersion, TailorError, UsageError
from tailor.fault import hit
from tailor.newer import of_json

if TYPE_CHECKING:
    from tailor.workspace import Workspace

Method = Literal["sft", "dpo"]

DESCRIPTION = "adapter.json"
"""The file in an adapter's folder that says what it is."""
VERSION = 1
"""Of that file; raised when an older Tailor would misread it."""

WEIGHTS = "adapter_model.safetensors"
"""PEFT's name for the weights; pickled ones are never taken."""

_CONFIGURATION = "adapter_config.json"
_REGISTERED = "registered.json"
"""Beside an adapter's folder: the how many-th it is here. Clocks are not trusted for that."""
_PACKAGES = ("llm-tailor", "peft", "transformers", "trl", "torch")
_WRITTEN = ("name", "folder")
"""Fields of an adapter that its file does not hold."""


@dataclass(frozen=True)
class Adapter:
    """A LoRA adapter and where it comes from."""

    name: str
    """By which the workspace knows it; empty before it is registered."""
    folder: Path
    """PEFT's files, the tokenizer and ``adapter.json``; nothing in it changes any more."""
    base: str
    """Folder or hub id of the model that it was trained on."""
    base_digest: str
    """`tailor.models.folder.content_digest` of the base."""
    data_digest: str
    """Content hash of the lessons."""
    lessons: int
    """How many there were to learn from."""
    method: Method
    settings: Mapping[str, Any]
    """Of the training, under the user's names."""
    curve: tuple[Mapping[str, float], ...]
    """In order: ``step`` with ``loss`` or ``validation_loss``, in nats per token."""
    licence: str
    """Of the base, as far as its folder says; ``unknown`` where it does not."""
    versions: Mapping[str, str]
    created: str
    """ISO 8601, UTC."""
    digest: str
    """Content hash of the adapter's weights and of PEFT's configuration."""

    @property
    def place(self) -> Path:
        """Where the workspace keeps the adapter's folder and what was measured of it."""
        return self.folder.parent

    def to_json(self) -> dict[str, Any]:
        """All of it, as JSON values."""
        return {**asdict(self), "folder": str(self.folder), "curve": list(self.curve)}


def describe(
    folder: Path,
    *,
    base: str,
    data_digest: str,
    lessons: int,
    settings: Mapping[str, Any],
    curve: Sequence[Mapping[str, float]],
    method: Method = "sft",
) -> Adapter:
    """Write ``adapter.json`` into a folder that PEFT has saved an adapter in.

    Raises:
        TailorError: there is no adapter in the folder, or it cannot be written.
    """
    from tailor.models.folder import content_digest
    from tailor.models.licence import licence
    from tailor.run import write_json

    found = Adapter(
        name="",
        folder=folder,
        base=base,
        base_digest=content_digest(base),
        data_digest=data_digest,
        lessons=lessons,
        method=method,
        settings=dict(settings),
        curve=tuple(curve),
        licence=licence(base),
        versions=_versions(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        digest=_digest(folder),
    )
    told = {k: v for k, v in found.to_json().items() if k not in _WRITTEN}
    write_json(folder / DESCRIPTION, {"schema_version": VERSION, **told})
    return found


def read(folder: Path) -> Adapter:
    """The adapter in a folder, by its ``adapter.json``; whether its weights are those is not asked.

    Raises:
        TailorError: it has none, or it cannot be read.
    """
    file = folder / DESCRIPTION
    try:
        told = of_json(json.loads(file.read_text("utf-8")), VERSION, file)
        values = {f.name: told[f.name] for f in fields(Adapter) if f.name not in _WRITTEN}
        values["curve"] = tuple(dict(point) for point in values["curve"])
        return Adapter(name="", folder=folder, **values)
    except FileNotFoundError:
        raise TailorError(
            f"{folder} holds no {DESCRIPTION}: give the folder of an adapter that Tailor has "
            "trained, here or through `tailor export job`."
        ) from None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise TailorError(
            f"{file} cannot be read ({type(error).__name__}: {error}): take it from where the "
            "adapter was trained again."
        ) from None


def register(workspace: Workspace, folder: Path, name: str = "") -> Adapter:
    """Take an adapter's folder into the workspace; the same adapter twice is one.

    Without a name it is called by its base, rank and digest, as ``bloom-560m-r8-3f2a1c``.

    Raises:
        TailorError: the folder is no adapter of ours, its weights are not those that its
            ``adapter.json`` describes, or the name is another adapter's.
    """
    from tailor.run import write_json

    found = read(folder)
    known = adapters(workspace)
    for other in known:
        if other.digest == found.digest and name in ("", other.name):
            return other
    if _digest(folder) != found.digest:
        raise TailorError(
            f"The weights in {folder} are not those that its {DESCRIPTION} describes: copy the "
            "folder again, whole."
        )
    name = name or _name(found)
    if not re.fullmatch(r"\w[\w.-]*", name):
        raise UsageError(f"{name!r} is no name for an adapter; use letters, digits, - and _.")
    if any(other.name == name for other in known):
        raise TailorError(f"There is another adapter {name!r} already; give this one another name.")
    target = _home(workspace) / name / "adapter"
    number = 1 + max((_number(other) for other in known), default=0)
    write_json(target.parent / _REGISTERED, {"number": number})
    try:
        _taken(folder, target)
    except OSError as error:
        raise TailorError(
            f"The adapter cannot be kept in {target.parent} ({error.strerror}); free disk space or "
            "permissions, then run the same command again."
        ) from None
    return replace(found, name=name, folder=target)


def adapters(workspace: Workspace) -> tuple[Adapter, ...]:
    """Every adapter of the workspace, the newest first; what cannot be read is left out.

    Raises:
        NewerVersion: a newer version of Tailor described one of them.
    """
    found = []
    for file in _home(workspace).glob(f"*/adapter/{DESCRIPTION}"):
        try:
            found.append(replace(read(file.parent), name=file.parent.parent.name))
        except NewerVersion:
            raise
        except TailorError:
            continue
    return tuple(sorted(found, key=lambda one: (_number(one), one.created, one.name), reverse=True))


def adapter(workspace: Workspace, name: str = "") -> Adapter:
    """The adapter of this name; the newest one without a name.

    Raises:
        UsageError: there is none.
    """
    known = adapters(workspace)
    for one in known:
        if name in ("", one.name):
            return one
    if not known:
        raise UsageError("No adapter was trained here yet. Next: tailor run fine_tuning")
    raise UsageError(
        f"There is no adapter {name!r}; there are {', '.join(one.name for one in known)}."
    )


def fitting(workspace: Workspace, name: str, base: str) -> Adapter:
    """The adapter of this name, which was trained on the weights at ``base``.

    Raises:
        UsageError: there is none, or it was trained on others.
    """
    from tailor.models.folder import content_digest

    found = adapter(workspace, name)
    if content_digest(base) != found.base_digest:
        raise UsageError(
            f"Adapter {name} was trained on {found.base}, and this model is another: run it with "
            f"`--model huggingface:{found.base}`."
        )
    return found


def _home(workspace: Workspace) -> Path:
    return workspace.state / "adapters"


def _number(one: Adapter) -> int:
    """The how many-th it is here; 0 where an older version registered it."""
    try:
        return int(json.loads((one.place / _REGISTERED).read_text("utf-8"))["number"])
    except (OSError, ValueError, TypeError, KeyError):
        return 0


def _name(found: Adapter) -> str:
    base = re.sub(r"[^\w.-]+", "-", Path(found.base).name).strip("-.") or "adapter"
    return f"{base}-r{found.settings.get('rank', 0)}-{found.digest[:6]}"


def _taken(folder: Path, target: Path) -> None:
    """Copy the files, whole or not at all; weights that lie on the same disk are linked."""
    hit("taken.before")
    target.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(dir=target.parent, prefix="taking-"))
    try:
        for file in folder.iterdir():
            if file.is_symlink() and not file.resolve().is_relative_to(folder.resolve()):
                raise TailorError(
                    f"{file} is a link to {file.resolve()}, which is no part of the adapter: put "
                    "the file itself there, or take the link away."
                )
            # What could run code, and a training's own checkpoints, are not taken.
            if file.is_file() and file.suffix not in (".bin", ".pt", ".pth", ".pkl", ".py"):
                try:
                    os.link(file, part / file.name)
                except OSError:
                    shutil.copy2(file, part / file.name)
        hit("taken.part")
        part.rename(target)
        hit("taken.after")
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _digest(folder: Path) -> str:
    """Of the weights and of what PEFT does with them; not of where the base lies."""
    hasher = hashlib.sha256()
    try:
        told = json.loads((folder / _CONFIGURATION).read_text("utf-8"))
        with (folder / WEIGHTS).open("rb") as file:
            while block := file.read(2**20):
                hasher.update(block)
    except (OSError, ValueError):
        raise TailorError(
            f"{folder} holds no whole adapter: {WEIGHTS} and {_CONFIGURATION} as PEFT writes them "
            "are needed; pickled weights are not loaded because they can run code."
        ) from None
    told.pop("base_model_name_or_path", None)
    hasher.update(json.dumps(told, sort_keys=True).encode())
    return hasher.hexdigest()[:16]


def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
