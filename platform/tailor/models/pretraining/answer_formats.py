"""How answers are worded: formats that instructions name or demonstrations show."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from tailor.models.pretraining.values import coined
from tailor.models.pretraining.vocabulary import Said

NUMBER = re.compile(r"\d[\d.,]*\d|\d")

# Shown in demonstrations; {a} is the short answer, {n} the number of its passage.
SHOWN = (
    "{a}.", "{a}!", "{a};", "ANSWER: {a}", "Answer: {a}", "Answer: {a}.", "A: {a}", "**{a}**",
    "*{a}*", "_{a}_", "`{a}`", "\"{a}\"", "'{a}'", "({a})", "[{a}]", "<{a}>", "<b>{a}</b>",
    "<answer>{a}</answer>", "- {a}", "* {a}", "=> {a}", "-> {a}", "> {a}", "= {a}", "# {a}",
    "{a} [{n}]", "{a} ({n})", "[{n}] {a}", "{a} (source: {n})", "{a} (nguồn: {n})", "{n}: {a}",
    "The answer is {a}.", "It is {a}.", "That would be {a}.", "According to the documents: {a}",
    "Short answer: {a}", "Result: {a}", "Value: {a}", "Final answer: {a}", "{a}, as stated.",
    "{a} (see above)", "{a} – done", "{a} #ok", "Sure: {a}", "Sir, {a}.", "Please note: {a}.",
    "Đáp án: {a}", "Trả lời: {a}", "Trả lời: {a}.", "Câu trả lời là {a}.", "Đó là {a}.",
    "Theo tài liệu: {a}", "Kết quả: {a}", "Dạ, {a} ạ.", "{a} nhé.", "{a} (theo tài liệu)",
    "Thưa anh/chị: {a}.", "ĐÁP ÁN = {a}", "{a} (đã kiểm tra)", "Xin trả lời: {a}",
)  # fmt: skip
# Never shown in training; evaluate.py uses them.
HELD_OUT_SHOWN = ("{a} (see handbook)", "Reply >> {a} <<", "{a} (theo sổ tay)", "@{a}@")


@dataclass(frozen=True)
class AnswerFormat:
    """``apply(answer, sentence, passage number)``; ``asked`` says it in words, if it can."""

    apply: Callable[[str, str, int], str]
    asked: Said | None = None
    numeric: bool = False


PLAIN = AnswerFormat(lambda answer, sentence, n: answer)


def template(text: str, asked: Said | None = None) -> AnswerFormat:
    """A format that puts the short answer into a text."""
    return AnswerFormat(
        lambda answer, sentence, n: text.replace("{n}", str(n)).replace("{a}", answer), asked
    )


def first_number(answer: str) -> str:
    """The only number in the answer; '' if there is none or more than one."""
    found = NUMBER.findall(answer)
    return found[0] if len(found) == 1 else ""


_SENTENCE = AnswerFormat(
    lambda answer, sentence, n: sentence + ".",
    Said("Answer in a full sentence.", "Trả lời bằng một câu đầy đủ."),
)
_JSON = AnswerFormat(
    lambda answer, sentence, n: json.dumps({"answer": answer}, ensure_ascii=False),
    Said('Reply as JSON with the key "answer".', 'Trả lời bằng JSON với khóa "answer".'),
)
_JSON_SOURCE = AnswerFormat(
    lambda answer, sentence, n: json.dumps({"answer": answer, "source": n}, ensure_ascii=False),
    Said(
        'Reply as JSON with the keys "answer" and "source".',
        'Trả lời bằng JSON với các khóa "answer" và "source".',
    ),
)
_NUMBER = AnswerFormat(
    lambda answer, sentence, n: first_number(answer),
    Said("Reply with the number only, without a unit.", "Chỉ trả lời bằng số, không kèm đơn vị."),
    numeric=True,
)
_CASES = (
    AnswerFormat(
        lambda answer, sentence, n: answer.upper(),
        Said("Write the answer in capital letters.", "Viết câu trả lời bằng chữ in hoa."),
    ),
    AnswerFormat(
        lambda answer, sentence, n: answer.lower(),
        Said("Write the answer in lower case.", "Viết câu trả lời bằng chữ thường."),
    ),
)
_ASKED = (
    _SENTENCE, _SENTENCE, _SENTENCE, _JSON, _JSON_SOURCE, _NUMBER, _NUMBER, *_CASES,
    template("**{a}**", Said("Put the answer in bold.", "In đậm câu trả lời.")),
    template(
        "{a}.", Said("End the answer with a full stop.", "Kết thúc câu trả lời bằng dấu chấm.")
    ),
    template(
        "{a} [{n}]",
        Said(
            "Add the number of the passage in square brackets.",
            "Thêm số của đoạn văn trong ngoặc vuông.",
        ),
    ),
)  # fmt: skip


def asked(rng: random.Random) -> AnswerFormat:
    """A format that an instruction can ask for in words."""
    if rng.random() < 0.3:
        word = rng.choice((coined(rng, 1).upper() + ":", coined(rng) + ":", "ANSWER:", "Đáp án:"))
        said = Said(f'Start the answer with "{word}".', f'Bắt đầu câu trả lời bằng "{word}".')
        return template(word + " {a}", said)
    return rng.choice(_ASKED)


def shown(rng: random.Random) -> AnswerFormat:
    """A format that demonstrations can show; a third of them made up on the spot."""
    kind = rng.random()
    if kind < 0.22:
        return PLAIN
    if kind < 0.36:
        return _SENTENCE
    if kind < 0.42:
        return rng.choice((_JSON, _JSON, _JSON_SOURCE, *_CASES, _NUMBER))
    if kind < 0.7:
        return template(rng.choice(SHOWN))
    return template(_made_up(rng))


def _made_up(rng: random.Random) -> str:
    def words() -> str:
        parts = [coined(rng, 1) for _ in range(rng.randint(1, 2))]
        text = " ".join(parts)
        return rng.choice((text, text.lower(), text.upper()))

    before = rng.choice(("", "", words() + rng.choice((":", " =", " –", ",", " ->", " >>")) + " "))
    after = rng.choice(
        ("", ".", "!", f" ({words()})", f" [{words()}]", f", {words()}", f" #{words()}")
    )
    if not before and not after:
        left, right = rng.choice((("<<", ">>"), ("{", "}"), ("~", "~"), ("|", "|"), ("[[", "]]")))
        before, after = left, right
    return before + "{a}" + after
