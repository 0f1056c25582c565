"""What a fine-tuning learns from, in figures, and what was left out and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tailor.benchmarking.finding import HOW

Origin = Literal["benchmark", "training", "preferences"]
"""The train questions of ``benchmark.jsonl``; ``training.jsonl``: approved drafts and imports;
``preferences.jsonl``: what people found better."""
Reason = Literal[
    "leak", "empty", "format", "wrong_language", "duplicate", "near", "contradiction", "long",
    "unshaped", "same_answers", "revoked", "voted_again",
]  # fmt: skip


@dataclass(frozen=True)
class LeftOut:
    """A question that no lesson is made of, or one whose lesson is too long."""

    id: str
    question: str
    origin: Origin
    reason: Reason
    values: Mapping[str, Any]
    """What the reason's sentence names: ``other`` question, ``how`` alike, ``tokens``, …"""

    def message(self, lang: str = "en") -> str:
        """Why, in a sentence."""
        values = dict(self.values)
        if "how" in values:
            values["how"] = HOW[values["how"]][lang == "vi"]
        for name in _NAMED.intersection(values):
            values[name] = _NAMES[values[name]][lang == "vi"]
        return REASONS[self.reason][lang == "vi"].format(**values)

    def to_json(self) -> dict[str, Any]:
        """As ``tailor lessons --json`` lists it."""
        return {
            "id": self.id,
            "question": self.question,
            "origin": self.origin,
            "reason": self.reason,
            "message": self.message(),
            "values": dict(self.values),
        }


@dataclass(frozen=True)
class Lengths:
    """Tokens, about: by the model's own tokenizer where it lies on this machine."""

    total: int
    median: int
    longest: int


@dataclass(frozen=True)
class LessonsReport:
    """What there is to learn from, after curation."""

    found: Mapping[Origin, int]
    """Questions before anything was left out."""
    questions: int
    """Of which lessons are made."""
    shapes: Mapping[str, int]
    """Lessons by shape, train and validation together."""
    refusals: int
    """Lessons whose reply is that the documents do not say."""
    languages: Mapping[str, int]
    """Lessons by the language of their question."""
    prompts: Lengths
    completions: Lengths
    train: int
    validation: int
    groups: int
    """Groups of questions on one fact, or worded alike: each is on one side of the validation."""
    left_out: tuple[LeftOut, ...] = ()

    @property
    def reasons(self) -> Mapping[str, int]:
        """How many were left out, by reason, the most frequent first."""
        return dict(Counter(one.reason for one in self.left_out).most_common())

    def to_json(self) -> dict[str, Any]:
        """As ``tailor lessons --json`` prints it."""
        return {
            "found": dict(self.found),
            "questions": self.questions,
            "lessons": self.train + self.validation,
            "train": self.train,
            "validation": self.validation,
            "groups": self.groups,
            "shapes": dict(self.shapes),
            "refusals": self.refusals,
            "languages": dict(self.languages),
            "tokens": {
                "prompts": dict(self.prompts.__dict__),
                "completions": dict(self.completions.__dict__),
            },
            "reasons": dict(self.reasons),
            "left_out": [one.to_json() for one in self.left_out],
        }


_NAMED = frozenset(("wanted", "found", "part"))
_NAMES = {
    "en": ("English", "tiếng Anh"),
    "vi": ("Vietnamese", "tiếng Việt"),
    "question": ("question", "câu hỏi"),
    "answer": ("answer", "đáp án"),
}
"""What stands in the values of a wrong language, in both languages."""

REASONS: Mapping[Reason, tuple[str, str]] = {
    "leak": (
        "gives away the {split} question {other} ({how}).",
        "làm lộ câu {split} {other} ({how}).",
    ),
    "empty": (
        'has the answer "{answer}", in which there is nothing to learn.',
        'có đáp án "{answer}", không có gì để học.',
    ),
    "format": (
        'has the answer "{answer}", which does not keep the format {pattern}.',
        'có đáp án "{answer}" không theo định dạng {pattern}.',
    ),
    "wrong_language": (
        "is meant to be in {wanted}, but its {part} is in {found}.",
        "lẽ ra phải bằng {wanted}, nhưng {part} lại bằng {found}.",
    ),
    "duplicate": (
        "asks what {other} asks {how}, and has the same answer.",
        "hỏi lại câu {other} ({how}) và cùng đáp án.",
    ),
    "near": (
        "asks what {other} asks with nearly the same words, and has the same answer.",
        "hỏi câu {other} bằng gần như cùng từ ngữ và cùng đáp án.",
    ),
    "contradiction": (
        'asks what {other} asks, but one says "{answer}" and the other "{theirs}"; see which is '
        "right, and delete the wrong one.",
        'hỏi câu mà {other} đã hỏi, nhưng bên này nói "{answer}", bên kia nói "{theirs}"; hãy xem '
        "câu nào đúng và xóa câu sai.",
    ),
    "long": (
        "gives a lesson ({shape}) of about {tokens} tokens; {most} fit.",
        "cho bài học ({shape}) dài khoảng {tokens} token; chỉ chứa được {most}.",
    ),
    "unshaped": (
        "has no evidence, which the chosen shapes need ({shapes}).",
        "không có bằng chứng mà các dạng đã chọn cần ({shapes}).",
    ),
    "same_answers": (
        "has the same answer on both sides.",
        "có hai câu trả lời giống nhau.",
    ),
    "revoked": (
        "was decided the other way later, in {other}.",
        "sau đó đã được chọn ngược lại, ở {other}.",
    ),
    "voted_again": (
        "was decided in the same way again, in {other}.",
        "đã được chọn lại như cũ, ở {other}.",
    ),
}
"""English and Vietnamese sentence of each reason; the question's id stands before it."""
