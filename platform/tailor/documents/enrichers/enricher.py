"""What ``[enrich.NAME]`` of tailor.toml says: which pipeline looks into documents, and for what."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_type_hints

from tailor.settings import check, convert

Task = Literal["entities", "summary", "translation", "language", "sentiment"]
LABELLED = ("entities", "language", "sentiment")
"""Tasks whose models give labels; the others write text."""

_VERSION = 1
"""Raised when the same model and settings would find something else."""


@dataclass(frozen=True)
class Finding:
    """What was found about the characters ``start`` to ``end`` of a document's text."""

    start: int
    end: int
    value: str
    """A name, a label, a summary or a translation."""
    label: str = ""
    """Of a name: its kind, as ``PER``."""
    score: float | None = None
    """How sure the model is, from 0 to 1; None for text that it wrote."""


@dataclass(frozen=True)
class Enricher:
    """One table ``[enrich.NAME]``; what it finds is kept, shown and filtered under its name."""

    name: str
    task: Task
    model: str
    """``huggingface:PATH-or-ID``: in safetensors, and without code of its own."""
    to: Literal["", "en", "vi"] = ""
    """The language that is translated into; parts that are in it already are left out."""
    prompt: str = ""
    """What a model that writes is told, with ``{text}`` in it; empty: the bare text, or for chat
    models an instruction."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Better names for the labels of the model, as ``LABEL_0 = "negative"``."""
    only: tuple[str, ...] = ()
    """Labels that are kept, by their better names; none: all."""
    least: float = 0.0
    """The least score that is kept, from 0 to 1."""
    tokens: int = 0
    """Tokens of the model that it is given at once, at most; 0: what suits the task."""
    max_tokens: int = 0
    """Longest text that it writes at once, in tokens; 0: what suits the task."""

    @property
    def path(self) -> str:
        """Directory or hub id of the model."""
        return self.model.removeprefix("huggingface:")

    @property
    def fingerprint(self) -> str:
        """Changes with everything that can change what is found, so with the model's weights."""
        from tailor.assistant import digest
        from tailor.models.local import weights_digest

        own = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in _OUTSIDE}
        return digest([_VERSION, weights_digest(self.path), own])


_OUTSIDE = ("name", "model")
"""Fields that change nothing: the weights count, wherever they lie."""


def enrichers(tables: Mapping[str, Mapping[str, Any]]) -> tuple[Enricher, ...]:
    """The enrichers that tables ``[enrich.NAME]`` describe.

    Raises:
        ValueError: one is not well formed; the message says what is wrong.
    """
    if not isinstance(tables, dict) or not all(isinstance(t, dict) for t in tables.values()):
        raise ValueError("write [enrich.NAME] with task and model")
    return tuple(_enricher(name, table) for name, table in tables.items())


def _enricher(name: str, table: Mapping[str, Any]) -> Enricher:
    if re.fullmatch(r"\w[\w-]{0,60}", name) is None:
        raise ValueError(f"{name!r} is no name; take letters, digits and hyphens")
    kinds = {key: kind for key, kind in get_type_hints(Enricher).items() if key != "name"}
    if unknown := [key for key in table if key not in kinds]:
        raise ValueError(f"[enrich.{name}] has no key {unknown[0]!r}; known: {', '.join(kinds)}")
    if missing := [key for key in ("task", "model") if key not in table]:
        raise ValueError(f"[enrich.{name}] needs {missing[0]}")
    try:
        values = {key: _value(key, value, kinds[key]) for key, value in table.items()}
        enricher = Enricher(name, **values)
        _fit(enricher)
    except ValueError as error:
        raise ValueError(f"[enrich.{name}]: {error}") from None
    return enricher


def _value(key: str, value: Any, kind: Any) -> Any:
    try:
        if key == "labels":
            if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
                raise ValueError('write LABEL = "name" for each label')
            return dict(value)
        read = convert(value, kind)
        if key in ("least", "tokens", "max_tokens"):
            check(read, 0, 1 if key == "least" else None)
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from None
    return read


def _fit(enricher: Enricher) -> None:
    """Refuse what the task has no use for, and what it lacks."""
    provider, _, path = enricher.model.partition(":")
    if provider != "huggingface" or not path:
        raise ValueError(f"{enricher.model!r} is no model; write huggingface:PATH-or-ID")
    task = enricher.task
    if task == "translation" and not enricher.to:
        raise ValueError('translation needs to = "vi" or "en"')
    if enricher.to and task != "translation":
        raise ValueError(f"{task} has no use for to")
    wrong = ("prompt", "max_tokens") if task in LABELLED else ("labels", "only", "least")
    if useless := next((key for key in wrong if getattr(enricher, key)), None):
        raise ValueError(f"{task} has no use for {useless}")
    if enricher.prompt and "{text}" not in enricher.prompt:
        raise ValueError("prompt: there is no {text} in it")
    if enricher.tokens and enricher.tokens < 8:
        raise ValueError(f"tokens: {enricher.tokens} is below 8")
