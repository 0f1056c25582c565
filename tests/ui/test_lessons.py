"""What would be learnt from, as the page Stages shows it, in both languages."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

LENGTHS = {"total": 12000, "median": 300, "longest": 1900}
FOUND = {
    "train": 1200, "validation": 40, "questions": 620, "refusals": 7,
    "shapes": {"gold": 640, "refusal": 600}, "languages": {"en": 1000, "vi": 240},
    "tokens": {"prompts": LENGTHS, "completions": {**LENGTHS, "total": 500}},
    "left_out": [
        {"id": f"faq-{n}", "question": "Who *pays*?", "origin": "training", "reason": "near",
         "message": "", "values": {"other": "faq-0", "how": "near"}}
        for n in range(60)
    ],
    "examples": [
        {"prompt": [["system", "Be brief."], ["user", "Question: Who *pays*?"]],
         "completion": "we do", "source": "faq-0", "shape": "gold"},
    ],
}  # fmt: skip


def script(code: str, found: dict) -> None:  # type: ignore[type-arg]
    from unittest.mock import patch

    from tailor.stages import FineTuning
    from tailor.ui import lessons
    from tailor.ui.language import language
    from tailor.ui.stage_settings import Form

    with patch.object(lessons, "_found", return_value=found):
        form = Form({"rank": 4}, True)
        lessons.lessons(None, "fine_tuning", "shipped", FineTuning(), form, language(code))  # type: ignore[arg-type]


@pytest.mark.parametrize(("code", "words"), [
    ("en", ("1,200 lessons to learn from and 40 kept back", "nearly repeated 60", "10 more",
            "asks what faq-0 asks with nearly the same words", "Reply, which is learnt")),
    ("vi", ("1.200 bài học để huấn luyện và 40 bài giữ lại", "gần như lặp lại 60", "Còn 10 câu",
            "hỏi câu faq-0 bằng gần như cùng từ ngữ", "phần được học")),
])  # fmt: skip
def test_lessons_are_shown(code: str, words: tuple[str, ...]) -> None:
    app = AppTest.from_function(script, args=(code, FOUND)).run()
    assert not app.exception
    told = [str(each.value) for kind in (app.markdown, app.caption, app.text) for each in kind]
    told += [table.value.to_string() for table in app.table]
    text = "\n".join(told).replace("\\", "")
    for word in (*words, "Who *pays*?", "we do", "12"):
        assert word in text, told


def test_only_what_lessons_depend_on_is_asked_for() -> None:
    """A changed rank gives no other lessons; preferences are asked for with DPO."""
    from tailor.stages import FineTuning
    from tailor.ui.lessons import words
    from tailor.ui.stage_settings import Form

    form = Form({"rank": 4, "shapes": ("gold", "refusal"), "method": "dpo"}, True)
    assert words("fine_tuning", "shipped", FineTuning(), form) == [
        "--row", "fine_tuning", "--model", "shipped", "--set", "fine_tuning.shapes=gold,refusal",
        "--set", "fine_tuning.method=dpo", "--preferences",
    ]  # fmt: skip
    assert "--preferences" not in words("fine_tuning", "shipped", FineTuning(), Form({}, True))
