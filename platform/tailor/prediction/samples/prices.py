"""The sample of products: descriptions in English and Vietnamese, and what each costs.

All is invented, and the same for the same seed. A price is the product of what the description
may tell (category, product, brand, model line, material, size, features, condition, pieces in the
pack) and of chance; a description leaves some of that out, as sellers do.
"""

from __future__ import annotations

import math
import random
import re
import statistics
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Literal

SIZES: Mapping[str, int] = {"train": 1400, "dev": 150, "test": 250}
"""Products by split."""
SEED = 20
NOISE = 0.16
"""Standard deviation of the logarithm of chance."""
PACK_POWER = 0.88
"""Six cost 6 ** 0.88 times as much as one."""
_CONDITIONS = {"new": 1.0, "open": 0.86, "refurbished": 0.7, "used": 0.52, "broken": 0.2}
_SHARES = {"new": 60, "open": 8, "refurbished": 10, "used": 17, "broken": 5}
_VOICES = ("prose", "lines", "short")
_LEAST, _MOST = 0.5, 1500.0
_ENDS = (0.99, 0.99, 0.95, 0.5, 0.0, 0.0, 0.49)

Lang = Literal["en", "vi"]
Words = Mapping[str, Any]


@dataclass(frozen=True)
class _Product:
    """What decides a price, in one language."""

    product: str
    brand: str
    line: str
    material: str
    says: Literal["material", "grade"]
    """What the seller calls the material."""
    size: str
    features: tuple[str, ...]
    use: str
    condition: str
    count: int
    price: float


def prices(seed: int = SEED, sizes: Mapping[str, int] = SIZES) -> list[dict[str, Any]]:
    """Products as lines of a benchmark: the description is the question, the price the answer."""
    words = tomllib.loads((files(__package__) / "prices.toml").read_text("utf-8"))
    brands = {group["group"]: group["names"] for group in words["brands"]}
    chance = random.Random(seed)
    made = _distinct(words, brands, chance)
    items = []
    for split, size in sizes.items():
        for number in range(1, size + 1):
            category, lang, text, price = next(made)
            items.append(
                {
                    "id": f"{split}-{number:04}",
                    "question": text,
                    "answer": price,
                    "lang": lang,
                    "tags": [category],
                    "split": split,
                }
            )
    return items


def _distinct(
    words: Words, brands: Mapping[str, Any], chance: random.Random
) -> Iterator[tuple[str, Lang, str, float]]:
    """Products without end; none is described as another is, and none tells its price."""
    seen: set[str] = set()
    while True:
        category = chance.choice(words["category"])
        lang: Lang = chance.choice(("en", "vi"))
        one = _product(category, words["lines"], brands, lang, chance)
        text = _described(one, words[lang], chance)
        allowed = _LEAST <= one.price <= _MOST
        if allowed and text not in seen and not tells(text, one.price):
            seen.add(text)
            yield category["name"], lang, text, one.price


def tells(text: str, price: float) -> bool:
    """Whether a number in the text is the price, or its whole part."""
    numbers = {n.replace(",", "").replace(".", "") for n in re.findall(r"\d+(?:[.,]\d+)*", text)}
    return bool(numbers & {f"{price:.2f}".replace(".", ""), str(int(price)), str(round(price))})


def _product(
    category: Words, lines: Words, brands: Mapping[str, Any], lang: Lang, chance: random.Random
) -> _Product:
    at = 0 if lang == "en" else 1
    place = chance.randrange(len(category["products"]))
    english, vietnamese, base, size = category["products"][place]
    brand, brand_factor = chance.choice([*brands[category["group"]], ["", 0.62]])
    line, line_factor = chance.choice(lines[category["group"]]) if brand else ("", 1.0)
    *material, material_factor = chance.choice(_fitting(category["materials"], place))
    value = chance.choice(size[2])
    known = _fitting(category["features"], place)
    features = chance.sample(known, min(len(known), chance.choice((0, 1, 1, 2, 2, 3))))
    condition = "new"
    if category["used"]:
        (condition,) = chance.choices(list(_SHARES), list(_SHARES.values()))
    count = chance.choice(category["packs"])
    factors = (
        brand_factor,
        line_factor,
        material_factor,
        (value / statistics.median(size[2])) ** size[3],
        math.prod(factor for factor, _, _ in features),
        _CONDITIONS[condition],
        count**PACK_POWER,
        math.exp(chance.gauss(0, NOISE)),
    )
    return _Product(
        product=(english, vietnamese)[at],
        brand=brand,
        line=line,
        material=material[at],
        says=category["says"],
        size=size[at].format(n=value),
        features=tuple(chance.choice(texts[at]) for _, *texts in features),
        use=chance.choice(_fitting(category["uses"], place))[at],
        condition=condition,
        count=count,
        price=_rounded(base * math.prod(factors), chance),
    )


def _fitting(entries: Sequence[Sequence[Any]], place: int) -> list[Sequence[Any]]:
    """What the product at this place may have, without the places."""
    return [entry[:-1] for entry in entries if place in entry[-1]]


def _rounded(price: float, chance: random.Random) -> float:
    """A price as shops write it."""
    if price < 3:
        return round(price, 2)
    if price > 400 and chance.random() < 0.5:
        return float(round(price / 10) * 10)
    return round(math.floor(price) + chance.choice(_ENDS), 2)


def _described(one: _Product, say: Words, chance: random.Random) -> str:
    """A title and what the seller says, in one of three manners; some of it is left out."""
    title = _title(one, say, chance)
    parts = []
    if one.material not in title and chance.random() < 0.88:
        parts.append(chance.choice(say[one.says]).format(material=one.material))
    if chance.random() < 0.88:
        parts.append(chance.choice(say["size"]).format(size=one.size))
    parts += [chance.choice(say["feature"]).format(feature=own) for own in one.features]
    if chance.random() < 0.7:
        parts.append(chance.choice(say["use"]).format(use=one.use))
    chance.shuffle(parts)
    if one.count > 1:
        parts.insert(0, chance.choice(say["pack"]).format(count=one.count))
    parts.append(chance.choice(say["condition"][one.condition]))
    if chance.random() < 0.6:
        parts.append(chance.choice(say["close"]))
    return _joined(title, [_capital(part) for part in parts if part], chance)


def _title(one: _Product, say: Words, chance: random.Random) -> str:
    form = chance.choice(say["title" if one.brand else "unbranded"])
    said = form.format(brand=one.brand, line=one.line, product=one.product, material=one.material)
    return _capital(re.sub(r" (?=[:),])|(?<=\() ", "", " ".join(said.split())))


def _joined(title: str, parts: Sequence[str], chance: random.Random) -> str:
    voice = chance.choice(_VOICES)
    if voice == "prose":
        return f"{title}. {' '.join(parts)}"
    if voice == "lines":
        return "\n".join([title, *(f"- {part.rstrip('.')}" for part in parts)])
    return f"{title}\n{' '.join(parts[: max(3, len(parts) - 1)])}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
