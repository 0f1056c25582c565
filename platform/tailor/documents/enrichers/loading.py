"""Models for pipelines, from a folder or the hub: safetensors only, and never code of their own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tailor.errors import TailorError
from tailor.models import loading
from tailor.models.quiet import quiet_transformers

Kind = Literal["TokenClassification", "SequenceClassification", "writing"]
_SMALL = 100_000_000
"""Parameters."""
_MOST = 512
"""Tokens, where neither the model nor its tokenizer says how many it takes."""


@dataclass(frozen=True)
class Loaded:
    """A tokenizer and a model, on the device where it runs."""

    tokenizer: Any
    model: Any
    longest: int
    """Tokens of a text that it takes, at most; those that it adds itself are taken off."""

    def count(self, text: str) -> int:
        """Tokens of the text."""
        return len(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    @property
    def batch(self) -> int:
        """Texts at a time; one where the tokenizer cannot fill up shorter ones."""
        return 8 if self.tokenizer.pad_token_id is not None else 1


def load(path: str, kind: Kind) -> Loaded:
    """The model for a kind of pipeline; one that writes is an encoder-decoder or a chat model.

    Raises:
        TailorError: there is none, it is of another kind, or its weights could run code.
    """
    import torch
    import transformers

    quiet_transformers()
    cuda = torch.cuda.is_available()
    tokenizer = loading.tokenizer(path)
    config = loading.settings(path)
    _check_head(path, config, kind)
    with loading.found(path) as place:
        if place.adapter:
            raise TailorError(
                f"The model {path} is an adapter alone: merge it with its base first, with "
                "`tailor export merged`."
            )
        dtype = torch.bfloat16 if cuda and kind == "writing" else torch.float32
        _check_room(path, place.folder, dtype.itemsize, cuda)
        model, about = _type(transformers, kind, config).from_pretrained(
            place.folder,
            config=config,
            use_safetensors=True,
            trust_remote_code=False,
            dtype=dtype,
            output_loading_info=True,
        )
    if model.num_parameters() < _SMALL:
        # More threads than two only wait for one another on matrices this small.
        torch.set_num_threads(min(2, torch.get_num_threads()))
    if missing := sorted(about["missing_keys"]):
        raise TailorError(
            f"The model {path} lacks the weights {missing[0]}, which its task needs: name one that "
            "was trained for the task."
        )
    return Loaded(
        tokenizer, model.to("cuda" if cuda else "cpu").eval(), _longest(tokenizer, config)
    )


def _check_room(path: str, folder: str, wide: int, cuda: bool) -> None:
    """Refuse weights that do not fit into the free memory, before they are loaded."""
    from tailor.models.weight_files import weights_of
    from tailor.scoring import format
    from tailor.training.forecast import free

    needed, left = wide * sum(map(weights_of, Path(folder).glob("*.safetensors"))), free(cuda)
    if needed > left:
        raise TailorError(
            f"The model {path} needs about {format.memory(needed)} of memory, and "
            f"{format.memory(left)} are free: name a smaller one."
        )


def _type(transformers: Any, kind: Kind, config: Any) -> Any:
    if kind == "writing":
        kind_of = "Seq2SeqLM" if config.is_encoder_decoder else "CausalLM"
        return getattr(transformers, f"AutoModelFor{kind_of}")
    return getattr(transformers, f"AutoModelFor{kind}")


def _check_head(path: str, config: Any, kind: Kind) -> None:
    """Refuse a model that was saved for another task, for its new head would guess."""
    named = [name for name in (getattr(config, "architectures", None) or []) if name]
    other = [n for n in named if ("Classification" in n if kind == "writing" else kind not in n)]
    if other and len(other) == len(named):
        wanted = "a model that writes" if kind == "writing" else f"a model For{kind}"
        raise TailorError(f"The model {path} is {other[0]}, and the task needs {wanted}.")


def _longest(tokenizer: Any, config: Any) -> int:
    """The least of what tokenizer and model say they take, less the tokens they add."""
    said = [tokenizer.model_max_length]
    said += [getattr(config, name, None) for name in ("max_position_embeddings", "n_positions")]
    known = [int(one) for one in said if isinstance(one, int) and 0 < one < 10**9]
    # RoBERTa and its kin count positions from behind their padding token.
    added = int(tokenizer.num_special_tokens_to_add())
    return max(8, min(known, default=_MOST) - added - 2)
