"""What a model is told, in English and Vietnamese, and the marks by which its replies are read.

An instruction may be written in both languages, each under a line ``[en]`` or ``[vi]``; what
stands before the first of them is for both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

Language = Literal["en", "vi"]
Style = Literal["brief", "sentence", "steps"]
LANGUAGES: tuple[Language, ...] = ("en", "vi")

_RULES: Mapping[Language, str] = {
    "en": (
        "Answer from the documents only, {style}, in the language of the question. "
        "If the documents do not say, reply: Not in the documents. "
        "(in Vietnamese: Không có trong tài liệu.)"
    ),
    "vi": (
        "Chỉ trả lời theo tài liệu, {style}, bằng ngôn ngữ của câu hỏi. "
        "Nếu tài liệu không nói, hãy trả lời: Không có trong tài liệu. "
        "(bằng tiếng Anh: Not in the documents.)"
    ),
}
_STYLES: Mapping[Language, Mapping[Style, str]] = {
    "en": {
        "brief": "as briefly as possible",
        "sentence": "in one full sentence",
        "steps": "in numbered steps, one on each line",
    },
    "vi": {
        "brief": "thật ngắn gọn",
        "sentence": "bằng một câu đầy đủ",
        "steps": "thành các bước đánh số, mỗi bước một dòng",
    },
}
REASONING: Mapping[Language, str] = {
    "en": "First think it through in a few short sentences. Then write the answer alone on a last "
    "line that begins with `Answer:`.",
    "vi": "Trước hết hãy suy luận trong vài câu ngắn. Sau đó chỉ viết câu trả lời ở dòng cuối, bắt "
    "đầu bằng `Trả lời:`.",
}
MARKS: Mapping[Language, str] = {"en": "Answer:", "vi": "Trả lời:"}
STRUCTURED: Mapping[Language, str] = {
    "en": "Reply with JSON alone: {form}. The quote is copied word for word from the documents; "
    "it is empty where they do not say.",
    "vi": "Chỉ trả lời bằng JSON: {form}. Trích dẫn (quote) được chép nguyên văn từ tài liệu; để "
    "trống nếu tài liệu không nói.",
}
_FORMS: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "pattern": "The whole answer must match this regular expression: {0}",
        "number": "Reply with the number alone.",
        "label": "Reply with one of these, and nothing else: {0}.",
    },
    "vi": {
        "pattern": "Toàn bộ câu trả lời phải khớp biểu thức chính quy này: {0}",
        "number": "Chỉ trả lời bằng con số.",
        "label": "Chỉ trả lời bằng một trong các nhãn sau: {0}.",
    },
}
QUESTION: Mapping[Language, str] = {"en": "Question", "vi": "Câu hỏi"}
ITEM: Mapping[Language, str] = {"en": "Item", "vi": "Nội dung"}
"""What stands before the text of an item whose number or label is asked for."""
ABSTAIN: Mapping[Language, str] = {"en": "Unsure.", "vi": "Không rõ."}
"""What the model replies when it cannot tell the label."""
_ESTIMATE: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "money": "Estimate the price in {0} of the item described.",
        "number": "Estimate the number{0} that belongs to the item described.",
        "unit": " of {0}",
        "form": "Reply with one number alone, such as {0}: no words, no sign of a currency, no "
        "range, and a point only before decimals. If you are not sure, give your best guess.",
        "label": "Say which label fits the text best. Reply with the label alone, as it is "
        "written here: {0}. If you cannot tell, reply: Unsure. (in Vietnamese: Không rõ.)",
    },
    "vi": {
        "money": "Hãy ước lượng giá bằng {0} của mặt hàng được mô tả.",
        "number": "Hãy ước lượng con số{0} ứng với nội dung được mô tả.",
        "unit": " ({0})",
        "form": "Chỉ trả lời bằng một con số, ví dụ {0}: không thêm chữ, không ký hiệu tiền tệ, "
        "không đưa ra khoảng, và chỉ dùng dấu chấm trước phần thập phân. Nếu không chắc, hãy đoán "
        "sát nhất có thể.",
        "label": "Hãy cho biết nhãn nào hợp nhất với nội dung. Chỉ trả lời bằng nhãn, viết đúng "
        "như sau: {0}. Nếu không xác định được, hãy trả lời: Không rõ. (bằng tiếng Anh: Unsure.)",
    },
}
TOOLS: Mapping[Language, str] = {
    "en": "You have two tools. Where a calculation is needed, reply with this line alone: "
    "CALCULATE: an expression of numbers without units, such as (1200 + 350) * 12. Where rows of "
    "tables in the documents must be counted or added up, reply with this line alone: "
    "TABLE: sum(COLUMN) where COLUMN = VALUE and COLUMN > NUMBER (sum, average, min, max, count or "
    "list). You then get the result, and answer.",
    "vi": "Bạn có hai công cụ. Khi cần tính toán, chỉ trả lời bằng một dòng: "
    "TÍNH: một biểu thức gồm các số không kèm đơn vị, ví dụ (1200 + 350) * 12. Khi cần đếm hoặc "
    "cộng các hàng trong bảng của tài liệu, chỉ trả lời bằng một dòng: "
    "BẢNG: sum(CỘT) where CỘT = GIÁ TRỊ and CỘT > SỐ (sum, average, min, max, count hoặc list). "
    "Sau đó bạn nhận được kết quả rồi trả lời.",
}
RESULT: Mapping[Language, str] = {
    "en": "Result: {0}\nNow answer the question: {1}",
    "vi": "Kết quả: {0}\nBây giờ hãy trả lời câu hỏi: {1}",
}
USED_UP: Mapping[Language, str] = {
    "en": "No more tools for this question: answer with what you have.",
    "vi": "Không còn lượt dùng công cụ cho câu hỏi này: hãy trả lời với những gì đã có.",
}

_SECTION = re.compile(r"^[ \t]*\[(en|vi)\][ \t]*$", re.MULTILINE)
_MARK = re.compile(
    r"^[ \t\r\f\v\xa0*#>_`-]*(?:final answer|answer|câu trả lời|trả lời|đáp án)[*_`]*\s*:"
    r"[*_`]*[ \t]*",
    re.IGNORECASE | re.MULTILINE,
)
_THOUGHT = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)


def instructions(style: Style, language: Language) -> str:
    """Tailor's own instructions."""
    return _RULES[language].format(style=_STYLES[language][style])


def prediction(labels: tuple[str, ...], currency: str, unit: str, language: Language) -> str:
    """Tailor's own instructions where a label, or without ``labels`` a number, is asked for."""
    parts = _ESTIMATE[language]
    if labels:
        return parts["label"].format(", ".join(labels))
    what = parts["money"] if currency else parts["number"]
    named = currency or (parts["unit"].format(unit) if unit else "")
    return f"{what.format(named)} {parts['form'].format(1250 if currency else 12.5)}"


def form(kind: str, pattern: str | None, labels: tuple[str, ...], language: Language) -> str:
    """The form of an answer in words; empty where there is none to keep."""
    parts = _FORMS[language]
    if kind == "label":
        return parts["label"].format(", ".join(labels))
    said = [parts["number"]] if kind == "number" else []
    return " ".join([*said, *([parts["pattern"].format(pattern)] if pattern else [])])


def structured(reasoning: bool, language: Language) -> str:
    """That the reply is JSON, and of what form."""
    names = ("reasoning", "answer", "quote") if reasoning else ("answer", "quote")
    form = ", ".join(f'"{name}": "..."' for name in names)
    return STRUCTURED[language].format(form=f"{{{form}}}")


def both(each: Mapping[Language, str]) -> str:
    """A text with a section for each language; just the text where there is but one."""
    texts = list(dict.fromkeys(each.values()))
    if len(texts) == 1:
        return texts[0]
    return "\n".join(f"[{language}]\n{each[language]}" for language in each)


def in_language(text: str, language: str) -> str:
    """What of a text with sections is for one language; all of a text without any."""
    head, *rest = _SECTION.split(text)
    if not rest:
        return text
    sections = dict(zip(rest[::2], rest[1::2], strict=True))
    own = sections.get(language, sections.get("en", ""))
    return "\n\n".join(part.strip() for part in (head, own) if part.strip())


def unsectioned(text: str) -> str:
    """A text in which a line ``[en]`` or ``[vi]`` begins no section: for what others wrote."""
    return _SECTION.sub(r"(\1)", text)


def without_thought(reply: str) -> str:
    """A reply without the thinking that some models write before it, between ``<think>`` tags."""
    return _THOUGHT.sub("", reply, count=1)


def final(reply: str) -> str | None:
    """The answer at the end of a reply that reasons first, after the last mark.

    A reply of one line without a mark is the answer itself; a longer one has none (None).
    """
    marks = list(_MARK.finditer(reply))
    if marks:
        return reply[marks[-1].end() :].strip(" \t\r\n*`") or None
    return reply if len(reply.split("\n")) == 1 else None


def before_mark(reply: str) -> str:
    """What stands before the answer of a reply that reasons first; empty without a mark."""
    marks = list(_MARK.finditer(reply))
    return reply[: marks[-1].start()].strip() if marks else ""
