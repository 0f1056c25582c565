"""``tailor.toml``: what a workspace sets; every key has a default, unknown keys are errors."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, get_type_hints
from urllib.parse import urlsplit

from tailor.errors import TailorError, UsageError
from tailor.settings import convert
from tailor.text import nfc

LADDER = ("baseline", "prompting", "few_shot", "retrieval", "fine_tuning", "retrieval_tuning")
"""The stages of ``tailor run all``, unless tailor.toml says otherwise."""


@dataclass(frozen=True)
class Price:
    """US dollars per million tokens."""

    input: float
    output: float


@dataclass(frozen=True)
class Config:
    """The settings of a workspace."""

    model: str = "shipped"
    """``shipped``, ``huggingface:PATH-or-ID``, or ``provider:name`` of any LangChain provider."""
    base_url: str = ""
    """Where an OpenAI-compatible server listens, for models of provider ``openai``."""
    embedder: str = "shipped"
    """``shipped``, ``huggingface:PATH-or-ID`` or ``openai:NAME``."""
    judge: str = ""
    """The chat model that judges answers in `tailor judge`, named like ``model``; empty: none."""
    transcriber: str = ""
    """Writes down recordings of meetings: ``huggingface:PATH-or-ID`` of a Whisper model, or
    ``openai:NAME``; empty leaves recordings out."""
    transcriber_url: str = ""
    """Where a server with OpenAI's transcription endpoint listens; empty: at ``base_url``."""
    transcriber_language: str = ""
    """The language of all recordings, as ``en`` or ``vi``; empty: the transcriber finds out."""
    max_tokens: int | None = None
    """Longest answer, in tokens; None is 64 for local models and 1,024 for hosted ones, which may
    think before they answer."""
    temperature: float | None = 0.0
    """None (written "none") leaves it to the provider; some models refuse the parameter."""
    timeout: float = 60.0
    """Seconds to wait for one reply; ten times as long for a piece of a recording."""
    retries: int = 4
    """How often a call is tried again after a rate limit, a server error or a lost connection."""
    concurrency: int = 8
    """How many questions are in flight at once; local models take at least a batch."""
    passage_size: int = 150
    """Tokens of the embedder per passage, at most."""
    passage_overlap: int = 16
    """Tokens two neighbouring passages share, at most; fewer than ``passage_size``."""
    passage_strategy: Literal["structure", "sentences", "fixed"] = "structure"
    """Whether passages are whole paragraphs and lists as far as they fit, or filled with whole
    sentences, or with words."""
    answer_pattern: str = ""
    """A regular expression every answer must match."""
    workspace_stages: bool = False
    """Whether Python files in the workspace's own ``stages/`` are loaded and run."""
    ladder: tuple[str, ...] = LADDER
    """The stages of ``tailor run all``, in order."""
    prices: Mapping[str, Price] = field(default_factory=dict)
    """By model name, for models that cost money."""
    stages: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Settings by stage."""
    sources: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Documents from elsewhere, by name: ``loader`` of langchain-community, its ``arguments``,
    ``group`` and ``fields``; see `tailor.documents.sources`."""

    @classmethod
    def load(cls, path: Path) -> Config:
        """Read ``tailor.toml``; a missing file means the defaults.

        Raises:
            TailorError: the file is not TOML, or a key or value is not one Tailor knows.
        """
        try:
            raw = tomllib.loads(path.read_text("utf-8-sig"))
        except FileNotFoundError:
            return cls()
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise TailorError(f"{path} is not valid TOML: {error}. Mend that line.") from None
        except OSError as error:
            raise TailorError(f"{path} cannot be read ({error.strerror}).") from None
        return cls().with_values(raw, str(path))

    def with_values(self, values: Mapping[str, Any], source: str) -> Config:
        """A copy with these top-level keys replaced; ``source`` names them in errors."""
        kinds = [f.name for f in fields(self)]
        types = get_type_hints(type(self))
        changed: dict[str, Any] = {}
        for key, value in values.items():
            if key not in kinds:
                near = difflib.get_close_matches(key, kinds, 1)
                hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(kinds)}."
                raise UsageError(f"{source}: unknown key {key!r}; {hint}")
            try:
                changed[key] = _value(key, value, types[key])
            except (TypeError, ValueError) as error:
                raise UsageError(f"{source}: {key}: {error}.") from None
        config = replace(self, **changed)
        if config.passage_overlap >= config.passage_size:
            raise UsageError(
                f"{source}: passage_overlap: {config.passage_overlap} is not below passage_size, "
                f"which is {config.passage_size}."
            )
        return config


def _value(key: str, value: Any, kind: Any) -> Any:
    if key == "prices":
        if not isinstance(value, dict):
            raise ValueError('write [prices."provider:model"] with input and output')
        return {name: _price(name, price) for name, price in value.items()}
    if key == "stages":
        if not isinstance(value, dict) or not all(isinstance(v, dict) for v in value.values()):
            raise ValueError("write [stages.NAME] with the stage's settings")
        return value
    if key == "sources":
        from tailor.documents.sources import checked

        return checked(value)
    read = convert(value, kind)
    if key == "ladder" and not any(read):
        raise ValueError("name at least one stage")
    if key == "answer_pattern":
        _compiles(read)
    if key in ("base_url", "transcriber_url") and read:
        _is_address(read)
    if key == "transcriber" and read:
        _is_transcriber(read)
    if isinstance(read, int | float) and not isinstance(read, bool):
        if read < 0:
            raise ValueError(f"{value!r} is below 0")
        if read == 0 and key in ("concurrency", "passage_size", "max_tokens", "timeout"):
            raise ValueError(f"{value!r} is too small")
    return read


def _compiles(pattern: str) -> None:
    try:
        re.compile(nfc(pattern))  # composed, as it is when answers are scored
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{pattern!r} is not a regular expression ({error})") from None


def _is_transcriber(name: str) -> None:
    provider, _, model = name.partition(":")
    if provider not in ("huggingface", "openai") or not model:
        raise ValueError(f"{name!r} is no transcriber; write huggingface:PATH-or-ID or openai:NAME")


def _is_address(url: str) -> None:
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a broken port or IPv6 address
        good = False
    if not good or re.search(r"\s", url):
        raise ValueError(f"{url!r} is no address; write one like http://127.0.0.1:8000/v1")


def _price(name: str, price: Any) -> Price:
    if not isinstance(price, dict) or price.keys() != {"input", "output"}:
        raise ValueError(f'[prices."{name}"] needs input and output, dollars per million tokens')
    return Price(convert(price["input"], float), convert(price["output"], float))
