"""``tailor.toml``: what a workspace sets; every key has a default, unknown keys are errors."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, get_type_hints
from urllib.parse import urlsplit

from tailor.errors import TailorError, UsageError
from tailor.serving.settings import Serve
from tailor.serving.settings import serve as read_serve
from tailor.settings import check, convert, convert_table
from tailor.task import Task
from tailor.text import nfc

_ABOVE_ZERO = (
    "concurrency", "max_tokens", "passage_size", "requests_per_minute", "timeout",
    "tokens_per_minute",
)  # fmt: skip
LADDER = ("baseline", "prompting", "few_shot", "retrieval", "fine_tuning", "retrieval_tuning")
"""The stages of ``tailor run all`` for task ``answer``, unless tailor.toml says otherwise."""
_NUMBERS = (
    "random", "mean", "median", "features", "bag_of_words", "word2vec", "word2vec_svr",
    "word2vec_forest", "boosting", "neighbours",
)  # fmt: skip
_LABELS = ("majority", "bag_of_words", "encoder")


def ladder_for(task: Task) -> tuple[str, ...]:
    """The rows of ``tailor run all`` for a task, unless tailor.toml says otherwise."""
    if task == "answer":
        return LADDER
    kinds = _NUMBERS if task == "number" else _LABELS
    stacked = ("ensemble",) if task == "number" else ()
    return (*(f"baseline:{kind}" for kind in kinds), *LADDER[1:], *stacked)


@dataclass(frozen=True)
class Price:
    """US dollars per million tokens."""

    input: float
    output: float
    cached_input: float | None = None
    """For input the provider had in its cache; None: like other input."""
    training: float | None = None
    """For tokens that the provider trains the model on; None: not known, or it trains none."""


@dataclass(frozen=True)
class Goal:
    """What the assistant is for, and when it is good enough; None where no limit is set."""

    purpose: str = ""
    """What the assistant is to do, and for whom, in your own words."""
    score: float | None = None
    """The least score on test, as a share: 0.8 is 80 %."""
    cost_per_1000_usd: float | None = None
    """The most that 1,000 questions may cost, in US dollars."""
    latency_s: float | None = None
    """The longest that 95 of 100 answers may take, in seconds."""


@dataclass(frozen=True)
class Items:
    """Where the items of task ``number`` or ``label`` are, and how numbers are read and judged."""

    path: str = "knowledge/benchmark.jsonl"
    """A file of the workspace, ``.jsonl`` or ``.csv``, with one item a line."""
    dataset: str = ""
    """In place of ``path``: a dataset of Hugging Face, by folder or id; needs `datasets`."""
    text: str = ""
    """The column with the text of an item; empty: ``question`` or ``text``."""
    answer: str = ""
    """The column with the number or the label; empty: ``answer``, ``number``, ``price`` or
    ``label``."""
    id: str = "id"
    """The column with an id; items without one are numbered."""
    split: str = "split"
    """The column with train, dev or test; items without one are given a split."""
    lang: str = "lang"
    """The column with ``en`` or ``vi``; without one it is found out."""
    currency: str = ""
    """Of the numbers, as ``USD`` or ``VND``; empty: they are no amounts of money."""
    unit: str = ""
    """Of the numbers where they are no money, as ``minutes``."""
    good_within: tuple[float, ...] = (40.0, 0.2)
    """A number is good when it is off by less than the first, or by less than this share."""
    fair_within: tuple[float, ...] = (80.0, 0.4)
    """It is fair when it is not good, but off by less than this, or by less than this share."""

    @property
    def elsewhere(self) -> bool:
        """Whether they lie elsewhere than questions do, where nothing is written."""
        return bool(self.dataset) or self.path != Items.path


@dataclass(frozen=True)
class Config:
    """The settings of a workspace."""

    model: str = "shipped"
    """``shipped``, ``huggingface:PATH-or-ID``, or ``provider:name`` of any LangChain provider."""
    base_url: str = ""
    """Where an OpenAI-compatible server listens, for models of provider ``openai``."""
    quantization: Literal["none", "8bit", "4bit"] = "none"
    """Bits of the weights of ``huggingface`` models: fewer need less memory, through bitsandbytes;
    the shipped model is small as it is."""
    embedder: str = "shipped"
    """``shipped``, ``huggingface:PATH-or-ID``, ``openai:NAME``, ``ollama:NAME`` or another provider
    of embeddings that LangChain knows."""
    embedder_url: str = ""
    """Where an OpenAI-compatible server for the embedder listens; empty: at ``base_url``."""
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
    """Longest answer, in tokens; empty: 64 for local models and 1,024 for hosted ones, which may
    think before they answer."""
    temperature: float | None = 0.0
    """How freely answers vary: 0 is the likeliest words each time; empty ("none") leaves it
    to the provider, as some models refuse the parameter."""
    timeout: float = 60.0
    """Seconds to wait for one reply; ten times as long for a piece of a recording."""
    retries: int = 4
    """How often a call is tried again after a rate limit, a server error or a lost connection."""
    concurrency: int = 8
    """How many questions are in flight at once; local models take at least a batch."""
    requests_per_minute: float | None = None
    """How many requests each hosted provider is sent per minute, at most, spread evenly; empty: as
    many as it takes."""
    tokens_per_minute: float | None = None
    """How many tokens each hosted provider reads and writes per minute, about; empty: no limit."""
    passage_size: int = 150
    """Tokens of the embedder per passage, at most."""
    passage_overlap: int = 16
    """Tokens two neighbouring passages share, at most; fewer than ``passage_size``."""
    passage_strategy: Literal["structure", "sentences", "fixed"] = "structure"
    """Whether passages are whole paragraphs and lists as far as they fit, or filled with whole
    sentences, or with words."""
    chroma_url: str = ""
    """Where a Chroma server listens that keeps the vectors of the index, by https; its token is in
    the variable CHROMA_TOKEN; empty: they stay in this folder."""
    task: Task = "answer"
    """``answer``: questions the documents answer; ``number`` or ``label``: an item's text stands
    for a number or a label, to be predicted."""
    items: Items = field(default_factory=Items)
    """Where the items of tasks ``number`` and ``label`` are; their currency or unit."""
    answer_pattern: str = ""
    """A regular expression every answer must match."""
    workspace_stages: bool = False
    """Whether Python files in the workspace's own ``stages/`` are loaded and run."""
    ladder: tuple[str, ...] = LADDER
    """The rows of ``tailor run all``, in order; ``STAGE:LABEL`` where a stage comes again."""
    goal: Goal = field(default_factory=Goal)
    """What the assistant is for, and the score, cost and latency that make it good enough."""
    prices: Mapping[str, Price] = field(default_factory=dict)
    """By model name, in place of the prices that come with Tailor."""
    merge_loss: float = 0.01
    """The most that merging or quantizing a tuned model may cost on dev, as a share: 0.01 is
    1 point; what loses more is not exported unless forced."""
    gpu_hour_usd: float | None = None
    """What an hour of this machine costs, in US dollars: prices training and local models."""
    max_cost: float | None = None
    """US dollars that the model calls of one `tailor run` or `tailor judge` may cost at most."""
    stages: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Settings by stage, and by row where a stage comes again."""
    builds_on: Mapping[str, str] = field(default_factory=dict)
    """What a row builds on, by row: ``previous``, the default, is the one before, ``best`` the best
    so far by dev; else the name of another row."""
    collections: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Parts of the documents by name, to be searched together: ``folders``, ``languages``,
    ``since``, ``until``, ``documents``, ``weight`` and ``quota``; see
    `tailor.retrieval.collection`."""
    trusted_hosts: tuple[str, ...] = ()
    """Hosts whose addresses answers may carry as they are; all others are made harmless."""
    trusted_code: Mapping[str, str] = field(default_factory=dict)
    """Models of the hub whose own Python code may run here: ``"org/name" = "COMMIT"``, the very
    commit that somebody has read; all other code is refused."""
    serve: Serve = field(default_factory=Serve)
    """Where `tailor serve` listens, and its limits; see `tailor.serving.settings`."""
    enrich: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Pipelines that look into ingested documents, by name: ``task`` (``entities``, ``summary``,
    ``translation``, ``language``, ``sentiment``), ``model`` and what the task needs; see
    `tailor.documents.enrichers.enricher`."""
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
        except ValueError as error:  # also of a number that has thousands of digits
            raise TailorError(f"{path} is not valid TOML: {error}. Mend that line.") from None
        except RecursionError:
            raise TailorError(f"{path} is nested too deeply: write it flat.") from None
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
        if "ladder" not in changed and self.ladder == ladder_for(self.task):
            changed["ladder"] = ladder_for(changed.get("task", self.task))
        config = replace(self, **changed)
        if config.passage_overlap >= config.passage_size:
            raise UsageError(
                f"{source}: passage_overlap: {config.passage_overlap} is not below passage_size, "
                f"which is {config.passage_size}."
            )
        return config


def _value(key: str, value: Any, kind: Any) -> Any:
    if table := _TABLES.get(key):
        return table(value)
    read = convert(value, kind)
    if fits := _CHECKS.get(key):
        fits(read)
    if isinstance(read, int | float) and not isinstance(read, bool):
        if read < 0:
            raise ValueError(f"{value!r} is below 0")
        if read == 0 and key in _ABOVE_ZERO:
            raise ValueError(f"{value!r} is too small")
    return read


def _are_rows(ids: tuple[str, ...]) -> None:
    if not any(ids):
        raise ValueError("name at least one stage")
    for at, id in enumerate(ids):
        if not re.fullmatch(r"\w+(:[\w-]+)?", id):
            raise ValueError(f"{id!r} is no row; write STAGE, or STAGE:LABEL where one comes again")
        if id in ids[:at]:
            again = f"{id.partition(':')[0]}:2"
            raise ValueError(f"{id!r} stands twice; give the second another label, like {again!r}")


def _trusted_code(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ValueError('write [trusted_code] with "org/name" = "COMMIT"')
    for name, commit in value.items():
        if not re.fullmatch(r"[0-9a-f]{40}", str(commit)):
            raise ValueError(
                f"{commit!r} is no commit of {name}; write all its 40 digits, as the model's page "
                "at the hub shows them"
            )
    return value


def _builds_on(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(base, str) for base in value.values()):
        raise ValueError('write [builds_on] with ROW = "previous", "best" or another row')
    for row, base in value.items():
        if not base or row == base:
            raise ValueError(f'{row!r} cannot build on {base!r}; write "best" or another row')
    return value


def _compiles(pattern: str) -> None:
    try:
        re.compile(nfc(pattern))  # composed, as it is when answers are scored
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{pattern!r} is not a regular expression ({error})") from None


def _is_transcriber(name: str) -> None:
    provider, _, model = name.partition(":")
    if name and (provider not in ("huggingface", "openai") or not model):
        raise ValueError(f"{name!r} is no transcriber; write huggingface:PATH-or-ID or openai:NAME")


def _is_address(url: str) -> None:
    if not url:
        return
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a broken port or IPv6 address
        good = False
    if not good or re.search(r"\s", url):
        raise ValueError(f"{url!r} is no address; write one like http://127.0.0.1:8000/v1")


def _is_chroma(url: str) -> None:
    from tailor.documents.remote import server_address

    _is_address(url)
    if url:
        server_address(url)


_CHECKS: Mapping[str, Callable[[Any], None]] = {
    "ladder": _are_rows,
    "answer_pattern": _compiles,
    "base_url": _is_address,
    "embedder_url": _is_address,
    "transcriber_url": _is_address,
    "chroma_url": _is_chroma,
    "transcriber": _is_transcriber,
}
"""What a value of the right type must be besides; each raises a ValueError."""


def _goal(value: Any) -> Goal:
    if not isinstance(value, dict):
        raise ValueError("write [goal] with purpose, score, cost_per_1000_usd or latency_s")
    goal = convert_table(value, Goal)
    check(goal.score, 0, 1)
    check(goal.cost_per_1000_usd, 0, None)
    check(goal.latency_s, 0, None)
    return goal


def _items(value: Any) -> Items:
    if not isinstance(value, dict):
        raise ValueError("write [items] with path, text, answer, currency or others")
    items = convert_table(value, Items)
    for name in ("good_within", "fair_within"):
        within = getattr(items, name)
        if len(within) != 2:
            raise ValueError(f"{name} is two numbers: an amount, and a share like 0.2")
        check(within, 0, None)
    if any(good > fair for good, fair in zip(items.good_within, items.fair_within, strict=True)):
        raise ValueError("good_within is above fair_within; what is good is fair, too")
    return items


def _prices(value: Any) -> dict[str, Price]:
    if not isinstance(value, dict):
        raise ValueError('write [prices."provider:model"] with input and output')
    return {name: _price(name, price) for name, price in value.items()}


def _price(name: str, price: Any) -> Price:
    known = {"input", "output", "cached_input", "training"}
    if not isinstance(price, dict) or not {"input", "output"} <= price.keys() <= known:
        raise ValueError(
            f'[prices."{name}"] needs input and output, dollars per million tokens, and may have '
            "cached_input and training"
        )
    read = {key: convert(value, float) for key, value in price.items()}
    for value in read.values():
        check(value, 0, None)
    return Price(**read)


def _stages(value: Any) -> dict[str, dict[str, Any]]:
    if not isinstance(value, dict) or not all(isinstance(v, dict) for v in value.values()):
        raise ValueError("write [stages.NAME] with the stage's settings")
    return value


def _collections(value: Any) -> Mapping[str, Mapping[str, Any]]:
    from tailor.retrieval.collection import collections

    collections(value)
    read: Mapping[str, Mapping[str, Any]] = value
    return read


def _sources(value: Any) -> Mapping[str, Mapping[str, Any]]:
    from tailor.documents.sources import checked

    return checked(value)


def _enrich(value: Any) -> Mapping[str, Mapping[str, Any]]:
    from tailor.documents.enrichers.enricher import enrichers

    enrichers(value)
    read: Mapping[str, Mapping[str, Any]] = value
    return read


_TABLES: Mapping[str, Callable[[Any], Any]] = {
    "prices": _prices,
    "goal": _goal,
    "items": _items,
    "serve": read_serve,
    "stages": _stages,
    "collections": _collections,
    "sources": _sources,
    "enrich": _enrich,
    "builds_on": _builds_on,
    "trusted_code": _trusted_code,
}
"""What a table of tailor.toml is read by; each raises a ValueError."""
