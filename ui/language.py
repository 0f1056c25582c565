"""What the interface says, in English and Vietnamese."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

LANGUAGES = ("EN", "VI")
"""As the switch and the URL (``?lang=VI``) write them."""

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Language:
    """The sentences of one language, called by key: ``say("stages.title")``."""

    code: str
    """``en`` or ``vi``, as the formatter of numbers takes it."""
    sentences: Mapping[str, str]
    meanings: Mapping[str, str]
    """What stages and their settings mean, by the English text that stands in the code."""

    def __call__(self, key: str, **values: object) -> str:
        """The sentence with its placeholders filled in."""
        return self.sentences[key].format(**values)

    def meaning(self, text: str) -> str:
        """A stage's or a setting's meaning; as it stands in the code where not translated."""
        return self.meanings.get(text, text)


@cache
def language(code: str) -> Language:
    """The language of a code, ``en`` or ``vi``."""
    meanings = {} if code == "en" else _read(f"{code}_meanings.json")
    return Language(code, _read(f"{code}.json"), meanings)


def literal(text: str) -> str:
    """Text as Markdown that shows exactly these characters."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)


def _read(name: str) -> dict[str, str]:
    read: dict[str, str] = json.loads((_HERE / name).read_text("utf-8"))
    return read
