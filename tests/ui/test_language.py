"""Both languages say the same things."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import json
import re
import string
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path

import pytest

from tailor import config_file
from tailor.documents.advice import ALL
from tailor.errors import BudgetReached
from tailor.stage import stage_types
from tailor.ui import refusal
from tailor.ui.language import Language, language, literal
from tailor.workspace import Workspace

FOLDER = Path(inspect.getfile(Language)).parent
ERRORS: dict[str, str] = json.loads((FOLDER / "vi_errors.json").read_text("utf-8"))
PHRASES: dict[str, str] = json.loads((FOLDER / "vi_phrases.json").read_text("utf-8"))
"""What stands within those sentences."""


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


@cache
def trees() -> dict[str, ast.Module]:
    """The code of the package, of the stages and of the interface, by its path."""
    core, top = Path(inspect.getfile(Workspace)).parent, FOLDER.parent
    return {
        path.relative_to(home).as_posix(): ast.parse(path.read_text("utf-8"))
        for home, folder in ((core, core), (top, top / "stages"), (top, FOLDER))
        for path in folder.rglob("*.py")
    }


def template(node: ast.AST) -> str:
    """A text with {} for each value."""
    if isinstance(node, ast.JoinedStr):
        return "".join(map(template, node.values))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return template(node.left) + template(node.right)
    return str(node.value) if isinstance(node, ast.Constant) else "{}"


def calls(tree: ast.AST, kinds: Collection[str]) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        called = node.func if isinstance(node, ast.Call) and node.args else None
        if getattr(called, "id", getattr(called, "attr", "")) in kinds:
            assert isinstance(node, ast.Call)
            yield node


def sentences(kinds: Collection[str]) -> set[str]:
    """What the code says in these calls, and the texts within."""
    return {
        template(part)
        for tree in trees().values()
        for call in calls(tree, kinds)
        for part in ast.walk(call.args[-1])
    }


@cache
def refusals() -> frozenset[str]:
    """TailorError and all that is made of it."""
    kinds, known = {"TailorError"}, 0
    while known < len(kinds):
        known = len(kinds)
        for node in (node for tree in trees().values() for node in ast.walk(tree)):
            if isinstance(node, ast.ClassDef) and {ast.unparse(b) for b in node.bases} & kinds:
                kinds.add(node.name)
    return frozenset(kinds)


def refused() -> set[str]:
    """The sentence of each refusal, {} for each value; one that is passed on is left out."""
    kinds = refusals()
    found = [call for tree in trees().values() for call in calls(tree, kinds)]
    for node in (node for tree in trees().values() for node in ast.walk(tree)):
        if isinstance(node, ast.ClassDef) and node.name in kinds:
            found += calls(node, ("__init__",))
    told = (call.args[0] for call in found)
    each = ((one.body, one.orelse) if isinstance(one, ast.IfExp) else (one,) for one in told)
    return {text for nodes in each for text in map(template, nodes) if spoken(text)}


def spoken(text: str) -> bool:
    """Whether there are words in it, besides its values."""
    return bool(re.search(r"\w", text.replace("{}", "")))


def test_every_refusal_is_translated() -> None:
    assert {"UsageError", "NotApplicable", "BudgetReached"} <= refusals()
    said = refused()
    assert len(said) > 300
    assert not said - set(ERRORS) - set(PHRASES)


READERS = (
    "config.py", "settings.py", "serving/settings.py", "retrieval/collection.py",
    "documents/sources.py", "documents/enrichers/enricher.py", "documents/remote.py",
)  # fmt: skip
"""What reads keys of tailor.toml; settings.py reads the settings of stages, too."""


def test_every_value_that_does_not_fit_is_told_in_both_languages() -> None:
    for path in READERS:
        told = {template(call.args[0]) for call in calls(trees()[path], ("ValueError",))}
        forms = ("{{}}tailor.toml: {{}}: {}.", "{{}}.{{}}: {}.")[: 1 + (path == "settings.py")]
        for text in filter(spoken, told):
            known = text in PHRASES or all(form.format(text) in ERRORS for form in forms)
            assert known, (path, text)


def test_why_a_line_of_the_benchmark_is_refused_is_told_in_both_languages() -> None:
    told = {template(call.args[0]) for call in calls(trees()["benchmark.py"], ("ValueError",))}
    assert not told - set(PHRASES)
    first = 'a.jsonl holds no usable question. First: line 2, "question" must be a text.'
    assert refusal.told(first, language("vi")) == (
        'a.jsonl không có câu hỏi nào dùng được. Chỗ đầu tiên: dòng 2, "question" phải là văn bản.'
    )


def texts() -> set[str]:
    """Every text of the code, {} for each value."""
    nodes = (node for tree in trees().values() for node in ast.walk(tree))
    found = (template(n) for n in nodes if isinstance(n, ast.Constant | ast.JoinedStr))
    return {text.strip().removeprefix("tailor: ") for text in found}


def test_every_translated_refusal_is_one_that_the_code_makes() -> None:
    said = sentences({*refusals(), "Finding", "note"}) | refused() | texts()
    # A value that a key or a setting may not have is told by two functions, one in the other.
    wrong = sentences(("ValueError",))
    said |= {f"{{}}tailor.toml: {{}}: {text}." for text in wrong}
    said |= {f"{{}}.{{}}: {text}." for text in wrong}
    assert not set(ERRORS) - said


def test_every_translated_phrase_is_one_of_the_code() -> None:
    said = {text.replace("_", " ") for text in texts()} | texts()
    # How many, and the reason's name; the name of a prompt, and its score.
    said |= {f"{{}} {text}" for text in said} | {f"{text} {{}}" for text in said}
    assert not set(PHRASES) - said


@pytest.mark.parametrize("name", ["hồ sơ", "a (b) [c] {0} \\1 $x"])
def test_refusals_keep_their_values(name: str) -> None:
    say = language("vi")
    told = refusal.told(f"There is no folder {name}; make one with `tailor init DIR`.", say)
    assert told == f"Không có thư mục {name}; hãy tạo bằng `tailor init DIR`."
    assert refusal.told(f"Something else happened to {name}.", say) is None
    assert refusal.told(name, language("en")) == name


def test_the_values_of_refusals_are_all_there_in_vietnamese() -> None:
    for english, vietnamese in {**ERRORS, **PHRASES}.items():
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


@pytest.mark.parametrize(
    ("english", "vietnamese"),
    [
        (
            "There is no stage 'few_shots'; did you mean 'few_shot'?",
            "Tailor không có bước 'few_shots'; có phải 'few_shot'?",
        ),
        (
            "few_shot:2: left out. few_shot shows 4 examples but the benchmark has 1 train "
            "questions that may be used (3 give a dev or test question away): share them out "
            'evenly with `tailor benchmark split`, add questions with "split": "train", or set '
            "few_shot.shots lower.",
            "few_shot:2: bỏ qua. few_shot đưa ra 4 ví dụ nhưng bộ câu hỏi chỉ có 1 câu train dùng "
            "được (3 câu làm lộ câu dev hoặc test): hãy chia lại cho đều bằng `tailor benchmark "
            'split`, thêm câu có "split": "train", hoặc giảm few_shot.shots.',
        ),
        (
            "left out of few_shot: l1 asks test question t1 word for word.",
            "Đã bỏ khỏi few_shot: l1 hỏi điều mà câu t1 của tập test hỏi, giống từng chữ.",
        ),
        (
            "left out of fine_tuning: 3 near, 1 wrong language; `tailor lessons` names them.",
            "Đã bỏ khỏi fine_tuning: 3 gần như lặp lại, 1 sai ngôn ngữ; `tailor lessons` nêu từng "
            "câu.",
        ),
        (
            "prompting kept the prompt as set on dev (the prompt as set 0.412, style=steps 0.400).",
            "prompting giữ lại lời nhắc như đã đặt theo tập dev (lời nhắc như đã đặt 0.412, "
            "style=steps 0.400).",
        ),
        (
            "Before and after were not measured: There is no folder a; make one with `tailor init "
            "DIR`.",
            "Chưa đo được trước và sau: Không có thư mục a; hãy tạo bằng `tailor init DIR`.",
        ),
        ("tailor.toml: k: 'x' is not a whole number.", "tailor.toml: k: 'x' không phải số nguyên."),
        ("ask: stage.n: no word", None),
    ],
)
def test_what_stands_within_a_refusal_is_translated_too(
    english: str, vietnamese: str | None
) -> None:
    assert refusal.told(english, language("vi")) == vietnamese


def test_a_paused_run_is_told_with_its_amounts() -> None:
    error = BudgetReached(0.0123, 1.5, 0.004).with_left("Not begun: few_shot, retrieval.")
    told = refusal.told(str(error), language("vi"))
    assert told is not None
    assert told.startswith("Tạm dừng: lệnh này đã chi 0,01 USD trong --max-cost 1,50 USD,")
    assert "0,0040 USD. Chưa bắt đầu: few_shot, retrieval. Cùng lệnh đó" in told
