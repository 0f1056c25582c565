"""How an estimate or a label is wrong: what attribution says where no documents are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

from tailor.assistant import Outcome
from tailor.task import Task

Miss = Literal["right", "fair", "far_off", "wrong_label", "unread", "abstained", "error"]
"""``right``: a good estimate, or the label; ``fair``: an estimate that is off, but not by much;
``unread``: the reply holds no number, or names no label; ``abstained``: it was refused."""

MISSES: tuple[Miss, ...] = get_args(Miss)

NEXT: Mapping[str, tuple[str, ...]] = {
    "right": (),
    "fair": ("few_shot", "retrieval"),
    "far_off": ("retrieval", "fine_tuning"),
    "wrong_label": ("retrieval", "fine_tuning"),
    "unread": ("prompting", "few_shot"),
    "abstained": ("prompting", "few_shot"),
    "error": (),
}
"""The stages to try next."""

LABELS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "right": "right",
        "fair": "fair, but not good",
        "far_off": "far off",
        "wrong_label": "another label",
        "unread": "no number or label in the reply",
        "abstained": "refused to say",
        "error": "no answer: error",
    },
    "vi": {
        "right": "đúng",
        "fair": "khá, nhưng chưa tốt",
        "far_off": "lệch xa",
        "wrong_label": "nhãn khác",
        "unread": "câu trả lời không có con số hay nhãn",
        "abstained": "từ chối trả lời",
        "error": "không có câu trả lời: lỗi",
    },
}

ADVICE: Mapping[str, Mapping[str, str]] = {
    "en": {
        "right": "The answer is right; there is nothing to do.",
        "fair": "The estimate is near: similar items in few_shot or retrieval may bring it nearer.",
        "far_off": "The estimate is far off: show similar items with retrieval, or learn from the "
        "train items with fine_tuning.",
        "wrong_label": "The label is another one: show similar items with retrieval, or learn from "
        "the train items with fine_tuning; see in the confusion matrix which labels are mixed up.",
        "unread": "The reply holds no number or names no label: state the form in prompting or "
        "show it with few_shot next.",
        "abstained": "The assistant refused: ask for a best guess in prompting, or show answered "
        "items with few_shot next.",
        "error": "No answer came: run the same command again, which asks only what is missing.",
    },
    "vi": {
        "right": "Câu trả lời đúng; không cần làm gì.",
        "fair": "Ước lượng đã gần đúng: các mục tương tự trong few_shot hoặc retrieval có thể giúp "
        "chính xác hơn.",
        "far_off": "Ước lượng lệch xa: hãy đưa ra các mục tương tự bằng retrieval, hoặc học từ các "
        "mục train bằng fine_tuning.",
        "wrong_label": "Nhãn không đúng: hãy đưa ra các mục tương tự bằng retrieval, hoặc học từ "
        "các mục train bằng fine_tuning; ma trận nhầm lẫn cho biết những nhãn nào bị lẫn.",
        "unread": "Câu trả lời không có con số hoặc không nêu nhãn nào: tiếp theo hãy nêu rõ dạng "
        "trả lời ở prompting hoặc cho ví dụ ở few_shot.",
        "abstained": "Trợ lý từ chối trả lời: tiếp theo hãy yêu cầu đoán sát nhất ở prompting, "
        "hoặc cho ví dụ có câu trả lời ở few_shot.",
        "error": "Không có câu trả lời: hãy chạy lại đúng lệnh đó, chỉ những câu còn thiếu được "
        "hỏi.",
    },
}

MAIN: Mapping[str, Mapping[Task, str]] = {
    "en": {
        "number": "{wrong} of {n} estimates are not good. Most frequent ({count}): {advice}",
        "label": "{wrong} of {n} labels are wrong. Most frequent ({count}): {advice}",
    },
    "vi": {
        "number": "{wrong} trong {n} ước lượng chưa tốt. Thường gặp nhất ({count}): {advice}",
        "label": "{wrong} trong {n} nhãn không đúng. Thường gặp nhất ({count}): {advice}",
    },
}


def miss(task: Task, outcome: Outcome, scores: Mapping[str, float | None]) -> Miss:
    """How an answer ended, by its scores."""
    if outcome == "error":
        return "error"
    if outcome == "refused":
        return "abstained"
    if task == "label":
        if not scores.get("coverage"):
            return "unread"
        return "right" if scores.get("accuracy") else "wrong_label"
    if scores.get("absolute_error") is None:
        return "unread"
    return "right" if scores.get("good") else "fair" if scores.get("fair") else "far_off"
