"""An adapter added to the weights of its base: a model like any other, without PEFT.

The base is loaded as it is published, not quantized: adding to weights in few bits would round the
adapter away (Dettmers et al. 2023, arXiv:2305.14314, train on 4 bits but merge in 16).
"""

from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailor.errors import TailorError, first_line
from tailor.scoring import format

if TYPE_CHECKING:
    from tailor.training.adapters import Adapter

_ROOM = 1.1
"""Times the size of the base's files that memory and disk need; the adapter is small."""


def merge(adapter: Adapter, target: Path, base: str = "") -> Path:
    """Write base plus adapter into ``target``: safetensors, tokenizer with chat template, settings.

    The weights have the precision that the base has on disk. ``base`` says where the base lies,
    where that is not where it was trained.

    Raises:
        TailorError: the base is not there, not the one, itself quantized, or there is no room.
    """
    path = base or adapter.base
    _check(adapter, path, target)
    model, tokenizer = _merged(path, adapter.folder)
    try:
        target.mkdir(parents=True, exist_ok=True)
        model.save_pretrained(target)
        tokenizer.save_pretrained(target)
    except OSError as error:
        raise TailorError(
            f"{target} cannot be written ({error.strerror or error}); free disk space or "
            "permissions, then run the same command again."
        ) from None
    return target


def _check(adapter: Adapter, path: str, target: Path) -> None:
    """Refuse early what could only fail after the base was loaded."""
    import psutil

    from tailor.models.folder import check_weights, content_digest

    check_weights(path)
    if content_digest(path) != adapter.base_digest:
        raise TailorError(
            f"{path} is not the model that adapter {adapter.name} was trained on: give that one's "
            "folder with --base."
        )
    if _quantized(path):
        raise TailorError(
            f"{path} is itself quantized, and merging would round the adapter away: give the "
            "folder of the same model in full precision with --base."
        )
    needed = _ROOM * sum(f.stat().st_size for f in Path(path).glob("*.safetensors"))
    if (free := shutil.disk_usage(_there(target)).free) < needed:
        raise TailorError(
            f"The merged model takes {format.memory(int(needed))}, and on the disk of {target} "
            f"{format.memory(free)} are free: free some, or name another folder with -o."
        )
    if (free := psutil.virtual_memory().available) < needed:
        raise TailorError(
            f"Merging needs {format.memory(int(needed))} of memory, and {format.memory(free)} are "
            "free: end other programs, or merge on another machine (`tailor export adapter`)."
        )


def _there(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next(one for one in (folder, *folder.resolve().parents) if one.is_dir())


def _quantized(path: str) -> bool:
    try:
        config = json.loads((Path(path) / "config.json").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return "quantization_config" in config


def _merged(path: str, adapter: Path) -> tuple[Any, Any]:
    from peft import PeftModel

    from tailor.models import loading
    from tailor.models.chat_template import templated

    base = loading.causal_model(path, dtype="auto")
    tokenizer = loading.tokenizer(path, own=str(adapter))
    try:
        with warnings.catch_warnings():
            # peft still calls transformers by a name that the next major version will drop.
            warnings.simplefilter("ignore", FutureWarning)
            adapted: Any = PeftModel.from_pretrained(base, str(adapter))
            model = adapted.merge_and_unload(safe_merge=True)  # refuses weights that are no number
    except Exception as error:  # over a broken file, these libraries raise about anything
        first = first_line(error)
        raise TailorError(
            f"The adapter in {adapter} cannot be merged onto {path} ({first}): check both with "
            "`tailor adapters`, and copy what is broken again."
        ) from None
    templated(tokenizer)
    return model, tokenizer
