"""What is wrong with a file to train on, told in English and Vietnamese."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tailor.benchmarking.finding import Level, Sentences, sentence


@dataclass(frozen=True)
class Problem:
    """Something about one line of a file, or about the whole of it."""

    kind: str
    """A key of ``KINDS``."""
    line: int | None = None
    """From 1; None where it is about the whole file."""
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def level(self) -> Level:
        """With errors the file is refused, or scores would be wrong; warnings are to be judged."""
        return KINDS[self.kind][0]

    def message(self, lang: str = "en") -> str:
        """What is wrong and what to do, without file and line."""
        return sentence(KINDS[self.kind], self.values, lang)

    def told(self, path: Path | str, lang: str = "en") -> str:
        """With file and line, as compilers write it."""
        where = f"{path}:{self.line}" if self.line else str(path)
        return f"{where}: {self.level}: {self.message(lang)}"

    def to_json(self) -> dict[str, Any]:
        """As ``tailor export check --json`` lists it."""
        return {
            "kind": self.kind,
            "level": self.level,
            "line": self.line,
            "message": self.message(),
            "values": dict(self.values),
        }


KINDS: Mapping[str, Sentences] = {
    "not_utf8": (
        "error",
        "not UTF-8; save the file as UTF-8.",
        "không phải UTF-8; hãy lưu tệp dạng UTF-8.",
    ),
    "bom": (
        "error",
        "begins with a byte order mark; save the file as UTF-8 without it.",
        "bắt đầu bằng dấu BOM; hãy lưu tệp dạng UTF-8 không BOM.",
    ),
    "blank": ("error", "is empty; delete the line.", "dòng trống; hãy xóa dòng này."),
    "not_json": (
        "error",
        "not JSON ({message}); mend the line.",
        "không phải JSON ({message}); hãy sửa dòng này.",
    ),
    "not_object": (
        "error",
        "not a JSON object; write one lesson a line.",
        "không phải đối tượng JSON; hãy ghi mỗi bài học một dòng.",
    ),
    "missing": (
        "error",
        'has no "{key}", or not as a list with something in it.',
        'thiếu "{key}", hoặc không phải danh sách có nội dung.',
    ),
    "unknown_key": (
        "error",
        'has the key "{key}", which the service does not know; delete it.',
        'có khóa "{key}" mà dịch vụ không biết; hãy xóa khóa này.',
    ),
    "not_message": (
        "error",
        "message {number} is not an object with role and content.",
        "tin nhắn {number} không phải đối tượng có role và content.",
    ),
    "role": (
        "error",
        'message {number} has the role "{role}"; there are {roles}.',
        'tin nhắn {number} có role "{role}"; chỉ có {roles}.',
    ),
    "empty": (
        "error",
        "message {number} ({role}) is empty; write its content, or delete the lesson.",
        "tin nhắn {number} ({role}) trống; hãy viết nội dung hoặc xóa bài học này.",
    ),
    "weight": (
        "error",
        "message {number} has the weight {weight}; only assistant messages have one, 0 or 1.",
        "tin nhắn {number} có weight {weight}; chỉ tin nhắn assistant có weight, bằng 0 hoặc 1.",
    ),
    "last": (
        "error",
        "ends with a message of the {role}; the last one must be the assistant's, which is learnt.",
        "kết thúc bằng tin nhắn của {role}; tin cuối phải của assistant, vì đó là phần được học.",
    ),
    "weightless": (
        "error",
        "has no assistant message with a weight other than 0, so that nothing is learnt.",
        "không có tin nhắn assistant nào có weight khác 0, nên không có gì để học.",
    ),
    "input_last": (
        "error",
        "its input ends with a message of the {role}; the last one must be the user's.",
        "phần input kết thúc bằng tin nhắn của {role}; tin cuối phải của user.",
    ),
    "output": (
        "error",
        '"{key}" must hold exactly one assistant message with text.',
        '"{key}" phải có đúng một tin nhắn assistant có chữ.',
    ),
    "same_outputs": (
        "error",
        "the preferred and the other output are the same, so that nothing is learnt.",
        "hai câu trả lời giống nhau nên không có gì để học.",
    ),
    "no_user": (
        "warning",
        "has no user message.",
        "không có tin nhắn của user.",
    ),
    "late_system": (
        "warning",
        "message {number} is a system message, but not the first one.",
        "tin nhắn {number} là tin hệ thống nhưng không đứng đầu.",
    ),
    "signs": (
        "warning",
        "message {number} holds signs of a chat template, or characters nobody sees.",
        "tin nhắn {number} có ký hiệu của khuôn hội thoại hoặc ký tự ẩn.",
    ),
    "long": (
        "error",
        "has about {tokens} tokens; {most} fit.",
        "dài khoảng {tokens} token; chỉ chứa được {most}.",
    ),
    "duplicate": (
        "warning",
        "is the same as line {other}; delete one.",
        "giống hệt dòng {other}; hãy xóa một dòng.",
    ),
    "contradiction": (
        "warning",
        "has the prompt of line {other} but another reply; see which is right.",
        "cùng câu hỏi với dòng {other} nhưng trả lời khác; hãy xem dòng nào đúng.",
    ),
    "leak": (
        "error",
        "asks the {split} question {id} ({how}), so that its score would mean nothing; delete it.",
        "hỏi câu {split} {id} ({how}), khiến điểm số vô nghĩa; hãy xóa dòng này.",
    ),
    "leak_meaning": (
        "warning",
        "may ask the {split} question {id} in other words; if so, delete it.",
        "có thể hỏi câu {split} {id} bằng lời khác; nếu vậy hãy xóa dòng này.",
    ),
    "few": (
        "error",
        "{n} lessons; the service takes {least} or more.",
        "chỉ có {n} bài học; dịch vụ cần ít nhất {least}.",
    ),
}
