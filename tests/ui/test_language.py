"""Both languages say the same things."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import json
import re
import string
from pathlib import Path

import pytest

from tailor import config_file
from tailor.documents.advice import ALL
from tailor.stage import stage_types
from tailor.ui import refusal
from tailor.ui.language import Language, language, literal
from tailor.workspace import Workspace

FOLDER = Path(inspect.getfile(Language)).parent


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
    said |= set(config_file.meanings().values())
    assert said == meanings.keys()


def sentences(*kinds: str) -> set[str]:
    """What the code says in these exceptions, and in findings of the check; {} for each value."""
    folder = Path(inspect.getfile(Workspace)).parent
    places = [
        *folder.rglob("*.py"),
        *Path(inspect.getfile(Language)).parents[1].glob("stages/*.py"),
    ]
    found = set()
    for path in places:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            called = node.func if isinstance(node, ast.Call) else None
            name = getattr(called, "id", getattr(called, "attr", ""))
            if name in kinds and node.args:
                found |= {template(part) for part in ast.walk(node.args[-1])}
    return found


def template(node: ast.AST) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(template(value) for value in node.values)
    return str(node.value) if isinstance(node, ast.Constant) else "{}"


def test_every_translated_refusal_is_one_that_the_code_makes() -> None:
    kinds = ("TailorError", "UsageError", "NotApplicable", "RowsMissing", "Finding", "note",
             "NewerVersion", "Unreachable")  # fmt: skip
    said = sentences(*kinds)
    # A value that a key or a setting may not have is told by two functions, one in the other.
    wrong = sentences("ValueError")
    said |= {f"{{}}tailor.toml: {{}}: {text}." for text in wrong}
    said |= {f"{{}}.{{}}: {text}." for text in wrong}
    assert not set(json.loads((FOLDER / "vi_errors.json").read_text("utf-8"))) - said


@pytest.mark.parametrize("name", ["hồ sơ", "a (b) [c] {0} \\1 $x"])
def test_refusals_keep_their_values(name: str) -> None:
    say = language("vi")
    told = refusal.told(f"There is no folder {name}; make one with `tailor init DIR`.", say)
    assert told == f"Không có thư mục {name}; hãy tạo bằng `tailor init DIR`."
    assert refusal.told(f"Something else happened to {name}.", say) is None
    assert refusal.told(name, language("en")) == name


def test_the_values_of_refusals_are_all_there_in_vietnamese() -> None:
    for english, vietnamese in json.loads((FOLDER / "vi_errors.json").read_text("utf-8")).items():
        values = set(re.findall(r"\{(\d)\}", vietnamese))
        assert values <= {str(n) for n in range(english.count("{}"))}, english


@pytest.mark.parametrize("text", ["a*b*_c_", "$x$ [l](u) <b> `c` :red[r] # h", "1. đo 4 °C | ~x~"])
def test_literal_escapes_every_sign_of_markdown(text: str) -> None:
    escaped = literal(text)
    assert re.sub(r"\\(.)", r"\1", escaped) == text
    assert not re.search(r"(?<!\\)[*_$\[\]<>`:#|~]", escaped)


def test_amounts_in_a_note_are_written_as_the_language_does() -> None:
    note = (
        "Training on 1,336 lessons (440,676 tokens in 334 steps) takes about 1007 MiB of 13.6 GiB "
        "free memory and about 4 min 7 s (a guess)."
    )
    told = refusal.told(note, language("vi"))
    assert told == (
        "Huấn luyện trên 1.336 bài học (440.676 token trong 334 bước) cần khoảng 1007 MiB trong "
        "13,6 GiB bộ nhớ trống và khoảng 4 phút 7 giây (ước đoán)."
    )
    setting = refusal.told("tailor.toml: temperature: 0.5 is above 0.4.", language("vi"))
    assert setting is None or "0.5" in setting
