"""Weights in safetensors files, looked over by their headers before anything reads them."""

from __future__ import annotations

import json
import math
from pathlib import Path

from tailor.errors import TailorError

SUFFIX = ".safetensors"


def check_files(folder: Path, name: str, again: str) -> None:
    """Refuse weights that are cut short, before anything reads them."""
    for file in sorted(folder.glob("*.safetensors")):
        weights_of(file, name, again)
    for index in folder.glob("*.safetensors.index.json"):
        try:
            shards = set(json.loads(index.read_text("utf-8"))["weight_map"].values())
            if any(Path(shard).name != shard or Path(shard).suffix != SUFFIX for shard in shards):
                raise ValueError  # it leads out of the folder, or to a pickled file
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            raise _broken(name, index, again) from None
        for shard in sorted(map(str, shards)):
            if not (folder / shard).exists():
                raise TailorError(
                    f"The model {name} cannot be loaded: its shard {shard} is missing in {folder}; "
                    f"{again}."
                )


def weights_of(file: Path, name: str = "", again: str = "copy it again") -> int:
    """How many weights a safetensors file holds, by its header.

    Raises:
        TailorError: it is no such file, or cut short.
    """
    try:
        with file.open("rb") as opened:
            length = int.from_bytes(opened.read(8), "little")
            size = file.stat().st_size
            if not 2 <= length <= size - 8:
                raise ValueError
            header = json.loads(opened.read(length))
        tensors = [value for key, value in header.items() if key != "__metadata__"]
        end = max((int(value["data_offsets"][1]) for value in tensors), default=0)
        if end != size - 8 - length:
            raise ValueError
        return sum(math.prod(value["shape"]) for value in tensors)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _broken(name or str(file.parent), file, again) from None


def _broken(name: str, file: Path, again: str) -> TailorError:
    return TailorError(
        f"The model {name} cannot be loaded: {file} is broken or cut short; {again}."
    )
