"""What is known of a model before it answers anything: nothing is loaded, nothing is guessed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from tailor.errors import TailorError
from tailor.selection.memory import PRECISIONS, Memory, memory
from tailor.selection.sample import Sample, samples
from tailor.selection.tokenizer import tokenizer

if TYPE_CHECKING:
    from tailor.config import Config, Price
    from tailor.models.loading import Found
    from tailor.workspace import Workspace

RESERVED = 1024
"""Tokens of the context that instructions, question and answer are reckoned to take; a quarter of
a context that is shorter than four times as many."""


@dataclass(frozen=True)
class OnText:
    """What a tokenizer makes of the workspace's text in one language."""

    tokens_per_word: float
    passages: int | None
    """That fit into the context beside ``RESERVED`` tokens; None where either is not known."""
    usd_per_million_words: float | None
    """Of input; None where the price is not known."""


@dataclass(frozen=True)
class Facts:
    """One model; None and empty where nobody says."""

    name: str
    place: Literal["here", "hosted"]
    revision: str = ""
    """The commit, of a model of the hub."""
    architecture: str = ""
    parameters: int | None = None
    context: int | None = None
    """Tokens."""
    licence: str = ""
    inputs: tuple[str, ...] = ()
    """``text``, ``image``, ``audio``, ``video``."""
    price: Price | None = None
    priced: str = ""
    """Where the price is from, with its date."""
    tokenizer: str = ""
    """Its kind."""
    vocabulary: int | None = None
    template: bool | None = None
    """Whether there is a chat template; None for hosted models."""
    memory: Memory | None = None
    fits: Mapping[str, bool] = field(default_factory=dict)
    """By precision, whether weights and cache fit into the memory that is free now."""
    text: Mapping[str, OnText] = field(default_factory=dict)
    """By language of the workspace's text."""
    problems: tuple[str, ...] = ()
    """Why something is not known, a sentence each."""

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        from dataclasses import asdict

        return {**asdict(self), "memory": self.memory.to_json() if self.memory else None}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Facts:
        """What :meth:`to_json` wrote."""
        from tailor.config import Price

        return cls(
            **{
                **value,
                "inputs": tuple(value["inputs"]),
                "price": value["price"] and Price(**value["price"]),
                "memory": value["memory"] and Memory.from_json(value["memory"]),
                "text": {lang: OnText(**own) for lang, own in value["text"].items()},
                "problems": tuple(value["problems"]),
            }
        )


def facts(workspace: Workspace, names: Sequence[str]) -> tuple[Facts, ...]:
    """What is known of each of these models, in their order."""
    from tailor.models.provider import is_local

    own = samples(workspace)
    look = {True: _here, False: _hosted}
    return tuple(
        _with_text(look[is_local(name)](name, workspace.config), name, own) for name in names
    )


def _here(name: str, config: Config) -> Facts:
    from tailor.models import loading
    from tailor.models.hub import commit
    from tailor.models.provider import local_path
    from tailor.prices import price
    from tailor.training.forecast import free

    path = local_path(name)
    found = Facts(name, "here", inputs=("text",), price=price(name, config))
    try:
        with loading.found(path, config.trusted_code, weights=False) as place:
            found = replace(found, licence=_licence(place), revision=commit(path))
        own, model = loading.empty_model(path, config.trusted_code)
    except TailorError as error:
        return replace(found, problems=(str(error),))
    import torch

    text = own.get_text_config()
    said = (getattr(text, name, None) for name in ("max_position_embeddings", "seq_length"))
    context = next((int(one) for one in said if one), None)
    size = memory(model, own, context)
    available = free(torch.cuda.is_available())
    return replace(
        found,
        architecture=(own.architectures or [own.model_type])[0],
        parameters=size.parameters,
        context=context,
        inputs=("text", "image") if hasattr(own, "vision_config") else ("text",),
        memory=size,
        fits={name: size.total(name) <= available for name in PRECISIONS},
    )


def _licence(place: Found) -> str:
    """What the model's own folder says, or that of its base, where it is an adapter."""
    from tailor.models.licence import UNKNOWN, licence

    own = licence(place.own)
    return licence(place.folder) if own == UNKNOWN else own


def _hosted(name: str, config: Config) -> Facts:
    from tailor.prices import price, price_source

    found = Facts(
        name, "hosted", price=price(name, config), priced=price_source(name, config) or ""
    )
    profile = _profile(name)
    if not profile:
        return replace(found, problems=(f"LangChain's table of models does not know {name}.",))
    kinds = ("text", "image", "audio", "video")
    return replace(
        found,
        context=profile.get("max_input_tokens"),
        inputs=tuple(kind for kind in kinds if profile.get(f"{kind}_inputs")),
    )


def _profile(name: str) -> Mapping[str, Any]:
    """What the provider's LangChain package says of the model; asks nobody."""
    import importlib

    provider, _, model = name.partition(":")
    # A chat model has it as ``profile``, but cannot be made without a key.
    try:
        module = importlib.import_module(f"langchain_{provider}.data._profiles")
    except ImportError:
        return {}
    found: Mapping[str, Any] = getattr(module, "_PROFILES", {}).get(model, {})
    return found


def _with_text(found: Facts, name: str, own: Mapping[str, Sample]) -> Facts:
    try:
        known = tokenizer(name)
    except TailorError as error:
        return replace(found, problems=tuple(dict.fromkeys((*found.problems, str(error)))))
    return replace(
        found,
        tokenizer=known.kind,
        vocabulary=known.vocabulary,
        template=known.template,
        text={lang: _on_text(found, known.count(s.texts) / s.words, s) for lang, s in own.items()},
    )


def _on_text(found: Facts, rate: float, sample: Sample) -> OnText:
    room = found.context and found.context - min(RESERVED, found.context // 4)
    passage = rate * sample.passage_words
    return OnText(
        rate,
        int(room / passage) if room and passage else None,
        found.price.input * rate if found.price else None,
    )
