"""Every model that runs here is found, checked and read through here, whatever it is for.

A model's path is a folder, or ``ORG/NAME@REVISION`` of the hub. Weights are safetensors, whole or
in shards; a folder may hold an adapter alone, which names its base. Whatever a library raises over
it becomes one sentence.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tailor.errors import TailorError, first_line
from tailor.models.folder import check_weights, loadable
from tailor.models.hub import Told, fetch, hub_id
from tailor.models.quantized import Quantization, not_quantized, quantized
from tailor.models.quiet import quiet_transformers
from tailor.models.room import check_room
from tailor.models.trusted_code import NOTHING, Trusted, check_code, trusts
from tailor.models.weight_files import check_files

_ADAPTER, _ADAPTED = "adapter_config.json", "adapter_model.safetensors"
_TOKENIZERS = (
    "tokenizer.json", "tokenizer.model", "tokenizer_config.json", "vocab.json", "vocab.txt",
    "spiece.model", "sentencepiece.bpe.model", "tekken.json", "tokenizer.tiktoken",
)  # fmt: skip
"""Any of these files makes a tokenizer."""


@dataclass(frozen=True)
class Found:
    """A model as it lies here."""

    name: str
    """As it was asked for."""
    folder: str
    """What ``from_pretrained`` reads its weights from: of its base, where it is an adapter."""
    own: str
    """Its own folder, with its tokenizer where it has one."""
    adapter: str = ""
    """The folder of an adapter that is all it is; empty: it is a whole model."""
    code: bool = False
    """Whether code of its own is run."""

    @property
    def tokenizer(self) -> str:
        """The folder that the tokenizer is read from."""
        named = any((Path(self.own) / name).exists() for name in _TOKENIZERS)
        return self.own if named else self.folder


@contextmanager
def found(
    path: str, trusted: Trusted = NOTHING, weights: bool = True, config: bool = True
) -> Iterator[Found]:
    """The model of this path, as long as the block lasts; errors in it are told as a sentence.

    Args:
        path: a folder, or ``ORG/NAME`` or ``ORG/NAME@REVISION``, which is downloaded where it is
            not here.
        trusted: whose own code may be run.
        weights: whether the weights are needed; else they are not downloaded.
        config: whether ``config.json`` is needed, which a tokenizer can do without.

    Raises:
        TailorError: it cannot be had or read.
    """
    try:
        place, code = _placed(path, trusted, weights)
        base, adapter = place, ""
        if _is_adapter(place):
            base, code = _placed(_base_of(place, path), trusted, weights)
            adapter = str(place)
            if _is_adapter(base):
                raise TailorError(
                    f"The adapter {path} names another adapter as its base: merge that one first, "
                    "with `tailor export merged`."
                )
        known = any((base / name).exists() for name in ("config.json", "modules.json"))
        if not known and config:
            raise TailorError(
                f"The model {path} cannot be loaded: it has no config.json; copy the model's "
                "folder again, whole."
            )
        with loadable(base) as folder:
            own = str(place) if adapter else folder
            yield Found(path, folder, own, adapter, code)
    except TailorError:
        raise
    except Exception as error:  # over a broken file, these libraries raise about anything
        raise problem(path, error) from None


def base_of(path: str) -> str:
    """The base of a folder that holds an adapter alone; empty: it holds a whole model, or none.

    Raises:
        TailorError: the adapter names no base, or one that is not there.
    """
    return _base_of(Path(path), path) if _is_adapter(Path(path)) else ""


def fetched(path: str, trusted: Trusted = NOTHING, told: Told | None = None) -> None:
    """Download a model of the hub, and an adapter's base, as far as they are not here.

    Raises:
        TailorError: as :func:`found`.
    """
    place, _ = _placed(path, trusted, True, told)
    if _is_adapter(place):
        _placed(_base_of(place, path), trusted, True, told)


def causal_model(
    path: str,
    quantization: Quantization = "none",
    dtype: Any = None,
    trusted: Trusted = NOTHING,
    merged: bool = True,
) -> Any:
    """A language model's weights, on this machine's accelerator where they have few bits.

    Args:
        path: as of :func:`found`.
        quantization: bits of the weights.
        dtype: of the weights; by default 16 bits on a GPU and 32 on a processor.
        trusted: whose own code may be run.
        merged: whether an adapter that is all that ``path`` holds is added to the weights, which
            weights in few bits do not allow.

    Raises:
        TailorError: it cannot be had, does not fit into the memory, or is broken.
    """
    import torch
    from transformers import AutoModelForCausalLM

    quiet_transformers()
    cuda = torch.cuda.is_available()
    bits = quantized(quantization, path, cuda)
    with found(path, trusted) as model:
        check_room(
            path, model.folder, quantization, 4 if dtype is None and not cuda else 2,
            lambda: empty_model(model.folder),
        )  # fmt: skip
        load: Any = AutoModelForCausalLM.from_pretrained
        try:
            loaded, about = load(
                model.folder,
                use_safetensors=True,
                trust_remote_code=model.code,
                dtype=dtype or (torch.bfloat16 if cuda else torch.float32),
                output_loading_info=True,
                **bits,
            )
        except Exception as error:  # as above
            if bits:
                raise not_quantized(quantization, path, error) from None
            raise
        _whole(path, about)
        return adapted(loaded, model.adapter, merged and not bits) if model.adapter else loaded


def adapted(model: Any, adapter: str, merged: bool) -> Any:
    """The model with a LoRA adapter; merging into few bits would round the adapter away."""
    from peft import PeftModel

    check_weights(adapter)
    with warnings.catch_warnings():
        # peft still calls transformers by a name that the next major version will drop.
        warnings.simplefilter("ignore", FutureWarning)
        beside: Any = PeftModel.from_pretrained(model, adapter)
        return beside.merge_and_unload() if merged else beside


def tokenizer(path: str, trusted: Trusted = NOTHING, own: str = "") -> Any:
    """A model's tokenizer, which fills texts up on the right; no weights are needed for it.

    Args:
        path: as of :func:`found`.
        trusted: whose own code may be run.
        own: a folder whose tokenizer is taken instead, where it has one.

    Raises:
        TailorError: there is none, or it cannot be read.
    """
    from transformers import AutoTokenizer

    quiet_transformers()
    if own and not (Path(own) / "tokenizer_config.json").exists():
        own = ""
    with found(path, trusted, weights=False, config=False) as model:
        if own:
            check_code(Path(own), own, allowed=False)  # the base's trust is not for what is on it
        folder = own or model.tokenizer
        if not any((Path(folder) / name).exists() for name in _TOKENIZERS):
            raise TailorError(
                f"The model {path} cannot be loaded: it has no tokenizer; copy its tokenizer.json "
                "and tokenizer_config.json into the folder, or name a model that has one."
            )
        try:
            return AutoTokenizer.from_pretrained(
                folder, padding_side="right", trust_remote_code=model.code
            )
        except Exception as error:  # as above
            raise TailorError(
                f"The model {path} cannot be loaded: its tokenizer cannot be read "
                f"({_first(error)}); copy its tokenizer.json and tokenizer_config.json again."
            ) from None


def settings(path: str, trusted: Trusted = NOTHING) -> Any:
    """A model's ``config.json``; of an adapter that of its base.

    Raises:
        TailorError: it cannot be had or read.
    """
    from transformers import AutoConfig

    quiet_transformers()
    with found(path, trusted, weights=False) as model:
        return AutoConfig.from_pretrained(model.folder, trust_remote_code=model.code)


def empty_model(path: str, trusted: Trusted = NOTHING) -> tuple[Any, Any]:
    """A language model's settings, and the model without values; no weights are needed for it.

    Raises:
        TailorError: its settings cannot be read, or are of no language model that is known.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    quiet_transformers()
    with found(path, trusted, weights=False) as model:
        config = AutoConfig.from_pretrained(model.folder, trust_remote_code=model.code)
        make: Any = AutoModelForCausalLM.from_config
        with torch.device("meta"):
            return config, make(config, trust_remote_code=model.code)


def problem(path: str, error: Exception) -> TailorError:
    """The sentence for what a library raised over a model."""
    first = _first(error)
    if "does not recognize this architecture" in str(error) or "Unrecognized model" in str(error):
        return TailorError(
            f"The model {path} cannot be loaded: transformers {version('transformers')} does not "
            "know its architecture; take another model, or a newer transformers."
        )
    if "Unrecognized configuration class" in str(error):
        return TailorError(
            f"The model {path} cannot be loaded: it is no language model that writes text; name "
            "one whose config.json says ...ForCausalLM."
        )
    return TailorError(
        f"The model {path} cannot be loaded: {first}; give a folder written by save_pretrained, "
        "or a hub id while the network is up."
    )


def _placed(
    path: str, trusted: Trusted, weights: bool, told: Told | None = None
) -> tuple[Path, bool]:
    """The folder of a model, checked, and whether code of its own is run."""
    named = hub_id(path)
    if named is None:
        folder, at, allowed, name = Path(path), "", False, path
        if weights or not folder.exists():
            check_weights(path)
        if not folder.is_dir():
            raise TailorError(f"There is no folder {path}: name one, or a hub id as ORG/NAME.")
    else:
        at, name = named.commit(), named.repository
        allowed = trusts(trusted, named, at)
        folder = fetch(named, weights=weights, code=allowed, told=told)
        if weights and not any(folder.rglob("*.safetensors")):
            raise TailorError(
                f"The model {name} cannot be loaded: it has no safetensors weights at the hub; "
                "name a revision or another repository that has."
            )
    code = check_code(folder, name, allowed, at)
    if weights:
        check_files(folder, name, f"delete {folder}" if at else "copy the model's folder again")
    return folder, code


def _is_adapter(folder: Path) -> bool:
    return (folder / _ADAPTER).exists() and not (folder / "config.json").exists()


def _base_of(folder: Path, path: str) -> str:
    """Where the base lies that an adapter's settings name."""
    try:
        told = json.loads((folder / _ADAPTER).read_text("utf-8"))
        base, revision = str(told["base_model_name_or_path"] or ""), told.get("revision")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        base, revision = "", None
    if not base:
        raise TailorError(
            f"The adapter {path} cannot be loaded: its {_ADAPTER} does not name its base; write "
            "base_model_name_or_path into it."
        )
    beside = folder / base
    if not Path(base).exists() and beside.is_dir():
        return str(beside)
    if hub_id(base) is None and not Path(base).is_dir():
        raise TailorError(
            f"The adapter {path} cannot be loaded: its base {base} is not there; put it there, or "
            f"write where it is into base_model_name_or_path of {_ADAPTER}."
        )
    return f"{base}@{revision}" if revision and hub_id(base) else base


def _whole(path: str, about: Mapping[str, Any]) -> None:
    """Refuse a model some of whose weights would have random values."""
    if missing := sorted(about.get("missing_keys") or ()):
        raise TailorError(
            f"The model {path} cannot be loaded: its weights lack {len(missing)} that config.json "
            f"asks for, {missing[0]} among them; copy the model's folder again."
        )


def _first(error: Exception) -> str:
    return first_line(error)[:200].rstrip(".:")
