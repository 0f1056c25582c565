"""Folders of weights as people have them: one safetensors file of any name, or pickled weights."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tailor.errors import TailorError, first_line
from tailor.models.hub import pinned

STANDARD = "model.safetensors"
"""The one name under which transformers looks for weights in a single file."""

_BLOCKS, _BLOCK = 64, 2**16
"""How many places of a file are read, and how many bytes at each."""
_INDEX = f"{STANDARD}.index.json"


def check_weights(path: str) -> None:
    """Refuse a folder without safetensors, and a path that is no folder, before anything is loaded.

    Raises:
        TailorError: weights are missing or could run code.
    """
    folder = Path(path)
    if not folder.exists() and path.startswith(("/", "./", "../", "~")):
        raise TailorError(f"There is no folder {path}: give one written by save_pretrained.")
    adapter = (folder / "adapter_config.json").exists()
    # Without that very file, PEFT would take a pickled one.
    wanted = "adapter_model.safetensors" if adapter else "*.safetensors"
    if not folder.is_dir() or any(folder.glob(wanted)):
        return
    if pickled(folder):
        raise TailorError(
            f"{path} holds no *.safetensors weights, and pickled weights are not loaded because "
            f"they can run code: `tailor export safetensors {path}` converts them without."
        )
    raise TailorError(f"{path} holds no {wanted} weights: copy the model's folder again.")


def pickled(folder: Path) -> list[Path]:
    """The files of pickled weights in a folder, one or several shards."""
    return sorted(folder.glob("pytorch_model*.bin"))


def content_digest(path: str | Path) -> str:
    """What a model's weights are, the same on every machine; of the hub, ``ORG/NAME@COMMIT``.

    Of each safetensors file its size and some 4 MiB spread over it: whole files of 16 GB would take
    a minute to read.
    """
    folder = Path(path)
    if not folder.is_dir():
        return pinned(str(path))
    hasher = hashlib.sha256()
    for file in sorted(folder.glob("*.safetensors")):
        size = file.stat().st_size
        hasher.update(str(size).encode())
        with file.open("rb") as opened:
            for at in range(_BLOCKS):
                opened.seek(at * size // _BLOCKS)
                hasher.update(opened.read(_BLOCK))
    return hasher.hexdigest()[:16]


@contextmanager
def loadable(path: str | Path) -> Iterator[str]:
    """A folder that ``from_pretrained`` finds the weights in; a hub id stands for itself.

    Where a folder's only safetensors file has another name than transformers looks for, it is a
    folder of links, there for as long as the block lasts.
    """
    folder = Path(path)
    weights = sorted(folder.glob("*.safetensors")) if folder.is_dir() else []
    named = (folder / STANDARD).exists() or (folder / _INDEX).exists()
    adapter = (folder / "adapter_config.json").exists()
    if len(weights) != 1 or named or adapter:
        yield str(path)
        return
    linked = Path(tempfile.mkdtemp(prefix="tailor-model-"))
    try:
        for file in folder.iterdir():
            if file.is_file() and file.suffix != ".bin":
                _link(file.resolve(), linked / (STANDARD if file == weights[0] else file.name))
        yield str(linked)
    finally:
        shutil.rmtree(linked, ignore_errors=True)


def _link(file: Path, target: Path) -> None:
    try:
        target.symlink_to(file)
    except OSError:  # Windows lets few accounts make them
        try:
            os.link(file, target)
        except OSError:
            shutil.copyfile(file, target)


def converted(folder: Path) -> tuple[Path, ...]:
    """Write the pickled weights of a model beside them as safetensors; returns the new files.

    They are read with ``weights_only``: tensors, and nothing that could run code.

    Raises:
        TailorError: there are none, they hold anything else, or not what the model needs.
    """
    if not pickled(folder):
        raise TailorError(f"{folder} holds no pytorch_model.bin: there is nothing to convert.")
    if any(folder.glob("*.safetensors")):
        raise TailorError(f"{folder} holds safetensors weights already: they are used as they are.")
    part = Path(tempfile.mkdtemp(dir=folder, prefix="converting-"))
    try:
        _unpickled(folder).save_pretrained(part)
        written = [file for file in part.iterdir() if file.name.startswith("model")]
        for file in written:
            os.replace(file, folder / file.name)
        return tuple(sorted(folder / file.name for file in written))
    except OSError as error:
        raise TailorError(
            f"The weights cannot be written into {folder} ({error.strerror or error}); free disk "
            "space or permissions, then run the same command again."
        ) from None
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _unpickled(folder: Path) -> Any:
    """The model with weights from its pickled files, of the architecture its config.json names."""
    import transformers
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        config: Any = transformers.AutoConfig.from_pretrained(folder, trust_remote_code=False)
        kind: Any = getattr(transformers, (config.architectures or ["none"])[0])
        model, about = kind.from_pretrained(
            folder, config=config, use_safetensors=False, weights_only=True, dtype="auto",
            output_loading_info=True,
        )  # fmt: skip
    except (
        Exception
    ) as error:  # over a broken or hostile file, these libraries raise about anything
        first = first_line(error)
        raise TailorError(
            f"The pickled weights in {folder} cannot be read as tensors only ({first}): take the "
            "model in safetensors form from where it comes from."
        ) from None
    if missing := sorted(about["missing_keys"]):
        raise TailorError(
            f"The pickled weights in {folder} lack {len(missing)} that config.json asks for, "
            f"{missing[0]} among them: copy the model's folder again."
        )
    return model
