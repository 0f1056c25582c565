"""What models cost: the dated table that comes with Tailor, and what tailor.toml says instead."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from tailor.config import Price
from tailor.errors import UsageError

if TYPE_CHECKING:
    from tailor.config import Config
    from tailor.spending import Spending

_DATE = r"-\d{4}-\d{2}-\d{2}$"
FREE = Price(0.0, 0.0)
"""Of models whose weights run on this machine: per token they cost nothing."""


@dataclass(frozen=True)
class PriceTable:
    """Prices as they were on one day."""

    date: str
    """ISO 8601."""
    source: str
    """Where they were read, a sentence."""
    prices: Mapping[str, Price]
    """By model name, ``provider:name``."""


@cache
def shipped_prices() -> PriceTable:
    """The table that comes with Tailor, ``prices.toml``."""
    raw = tomllib.loads(files("tailor").joinpath("prices.toml").read_text("utf-8"))
    prices = {name: Price(**price) for name, price in raw["prices"].items()}
    return PriceTable(raw["date"], raw["source"], prices)


def price(model: str, config: Config) -> Price | None:
    """What tailor.toml says of a model, else the shipped table; None where neither knows it.

    Models on this machine are free. The shipped table is not asked about a model behind
    ``base_url``: its server may belong to anybody.
    """
    from tailor.models.provider import is_local

    names = (model, *_tuned(model))
    if named := next((config.prices[name] for name in names if name in config.prices), None):
        return named
    if is_local(model) or (model.startswith("ollama:") and not model.endswith("-cloud")):
        return FREE
    if config.base_url and model.startswith("openai:"):
        return None
    shipped = shipped_prices().prices
    return next((shipped[name] for name in names if name in shipped), None)


def training_price(model: str, config: Config) -> float | None:
    """US dollars for a million tokens that a provider trains a model on; None where not known."""
    known = config.prices.get(model)
    if known is None and not config.base_url:
        known = shipped_prices().prices.get(re.sub(_DATE, "", model))
    return None if known is None else known.training


def _tuned(model: str) -> tuple[str, ...]:
    """The names for all that is made of a model, ``openai:ft:BASE``; none where it is not tuned."""
    named = re.match(r"openai:ft:[^:]+", model)
    return (named[0], re.sub(_DATE, "", named[0])) if named else ()


def price_source(model: str, config: Config) -> str | None:
    """Whose price :func:`price` gives, with its date; empty where it is 0, None where unknown."""
    if any(name in config.prices for name in (model, *_tuned(model))):
        return "tailor.toml"
    known = price(model, config)
    if known in (None, FREE):
        return None if known is None else ""
    return f"Tailor's price table of {shipped_prices().date}"


def spending(model: str, config: Config, max_cost: float | None = None) -> Spending:
    """What a command may spend on a model: ``max_cost`` US dollars, else tailor.toml's limit.

    Raises:
        UsageError: there is a limit, and the model's price is not known.
    """
    from tailor.spending import Spending

    limit = config.max_cost if max_cost is None else max_cost
    if limit is not None and price(model, config) is None:
        raise UsageError(
            f"The price of {model} is not known, so no limit can be kept: write "
            f'[prices."{model}"] with input and output, US dollars per million tokens, into '
            "tailor.toml, or run without --max-cost."
        )
    return Spending(limit)
