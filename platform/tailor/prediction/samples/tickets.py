"""The sample of customer requests: what people write to a shop, and where it belongs.

All is invented, and the same for the same seed. Requests tell more than what they are about, some
are hasty (no capitals, no diacritics, two letters swapped), a third of the wordings in dev and
test never stand in train, and a few could be filed under either of two labels.
"""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from typing import Any

from tailor.text import fold

SIZES: Mapping[str, int] = {"train": 600, "dev": 100, "test": 200}
"""Requests by split."""
SEED = 20
UNSEEN = 3
"""Wordings of each label and language that train does not hold."""
AMBIGUOUS = 0.05
"""Share of requests that could be filed under two labels."""
_HASTY = 0.25
_CHOICE = re.compile(r"\[([^\]]+)\]")


def tickets(seed: int = SEED, sizes: Mapping[str, int] = SIZES) -> list[dict[str, Any]]:
    """Requests as lines of a benchmark: the text is the question, its label the answer."""
    words = tomllib.loads((files(__package__) / "tickets.toml").read_text("utf-8"))
    chance = random.Random(seed)
    seen: set[str] = set()
    items = []
    for split, size in sizes.items():
        requests = _requests(words, split != "train", chance)
        made = (one for one in requests if fold(one[2]) not in seen)
        for number in range(1, size + 1):
            label, lang, text = next(made)
            seen.add(fold(text))
            items.append(
                {
                    "id": f"{split}-{number:04}",
                    "question": text,
                    "answer": label,
                    "lang": lang,
                    "split": split,
                }
            )
    return items


def _requests(
    words: Mapping[str, Any], unseen: bool, chance: random.Random
) -> Iterator[tuple[str, str, str]]:
    """Label, language and text, without end."""
    while True:
        lang = chance.choice(("en", "vi"))
        if chance.random() < AMBIGUOUS:
            core = chance.choice(words["ambiguous"])
            label, sentence = chance.choice(core["labels"]), core[lang]
        else:
            kind = chance.choice(words["label"])
            known, new = kind[lang][:-UNSEEN], kind[lang][-UNSEEN:]
            label, sentence = kind["name"], chance.choice(known + new if unseen else known)
        text = _told(sentence, words["say"][lang], chance)
        yield label, lang, _hasty(_filled(text, words[f"things_{lang}"], chance), chance)


def _told(sentence: str, say: Mapping[str, Sequence[str]], chance: random.Random) -> str:
    """The request among what people write around it."""
    parts = [sentence]
    for _ in range(chance.choice((0, 0, 1, 1, 2))):
        parts.insert(chance.choice((0, len(parts))), chance.choice(say["asides"]))
    opener = chance.choice(say["openers"]) if chance.random() < 0.6 else ""
    if chance.random() < 0.5:
        parts.append(chance.choice(say["closings"]))
    told = " ".join(dict.fromkeys(parts))
    return f"{opener}\n{told}" if opener.endswith(",") else f"{opener} {told}".strip()


def _filled(text: str, things: Sequence[str], chance: random.Random) -> str:
    """One of each choice; one product and one order number all through the text."""
    number = f"{chance.choice('ABKT')}{chance.randrange(10_000, 99_999)}"
    chosen = _CHOICE.sub(lambda match: chance.choice(match[1].split("|")), text)
    return _sentences(chosen.format(thing=chance.choice(things), number=number))


def _sentences(text: str) -> str:
    """With a capital letter where a sentence begins."""
    return re.sub(r"(?:^|(?<=[.!?:] ))\w", lambda match: match[0].upper(), text, flags=re.MULTILINE)


def _hasty(text: str, chance: random.Random) -> str:
    """As it is written in a hurry, now and then."""
    if chance.random() >= _HASTY:
        return text
    manner = chance.choice(("lower", "plain", "slip"))
    if manner == "lower":
        return text.lower().rstrip(".")
    if manner == "plain":
        return fold(text)
    at = chance.randrange(1, len(text) - 2)
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
