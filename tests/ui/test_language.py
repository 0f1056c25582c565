"""Both languages say the same things."""

from __future__ import annotations

import dataclasses
import inspect
import re
import string
from pathlib import Path

import pytest

from tailor.documents.advice import ALL
from tailor.stage import stage_types
from tailor.ui.language import Language, language, literal


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def test_the_same_keys_with_the_same_placeholders() -> None:
    english, vietnamese = language("en").sentences, language("vi").sentences
    assert english.keys() == vietnamese.keys()
    differing = [
        key for key in english if placeholders(english[key]) != placeholders(vietnamese[key])
    ]
    assert not differing


def test_no_sentence_is_left_in_english() -> None:
    english, vietnamese = language("en").sentences, language("vi").sentences
    same = {key for key in english if english[key] == vietnamese[key]}
    assert same <= {"stages.n"}


def test_every_key_is_used_and_every_used_key_is_there() -> None:
    folder = Path(inspect.getfile(Language)).parent
    source = "".join(path.read_text("utf-8") for path in folder.glob("*.py"))
    keys = set(language("en").sentences)
    assert set(re.findall(r'say\(\s*"([a-z._]+)"', source)) <= keys
    prefixes = tuple(re.findall(r"say\(f[\"']([a-z._]+)\{", source))
    quoted = set(re.findall(r"[\"']([a-z._]+)[\"']", source))
    unused = {key for key in keys - quoted if not key.startswith(prefixes)}
    assert not unused


def test_every_meaning_of_the_stages_and_every_advice_is_translated() -> None:
    meanings = language("vi").meanings
    said = {sentence for advice in ALL for sentence in (advice.cause, advice.remedy)}
    for stage in stage_types().values():
        said.add((stage.__doc__ or "").strip().split("\n")[0])
        said |= {field.metadata["meaning"] for field in dataclasses.fields(stage)}
    assert said == meanings.keys()


@pytest.mark.parametrize("text", ["a*b*_c_", "$x$ [l](u) <b> `c` :red[r] # h", "1. đo 4 °C | ~x~"])
def test_literal_escapes_every_sign_of_markdown(text: str) -> None:
    escaped = literal(text)
    assert re.sub(r"\\(.)", r"\1", escaped) == text
    assert not re.search(r"(?<!\\)[*_$\[\]<>`:#|~]", escaped)
