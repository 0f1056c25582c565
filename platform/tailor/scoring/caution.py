"""What scores of the model that ships with Tailor do not tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailor.scoring import format

if TYPE_CHECKING:
    from tailor.scoring.comparison import Comparison

_WORDS = {
    "en": {
        "model": "The model here is the small reader that ships with Tailor: its scores do not "
        "tell what a larger model would reach, so run the stages with one before you decide (the "
        "setting model).",
        "search": " What the search finds does not depend on the model: Recall@5 is {recall} for "
        "{row}.",
    },
    "vi": {
        "model": "Mô hình ở đây là mô hình nhỏ đi kèm Tailor: điểm của nó không cho biết mô hình "
        "lớn hơn sẽ đạt bao nhiêu, vì vậy hãy chạy các bước với một mô hình lớn hơn trước khi "
        "quyết định (thiết lập model).",
        "search": " Kết quả tìm kiếm thì không phụ thuộc vào mô hình: Recall@5 của {row} là "
        "{recall}.",
    },
}


def sentence(comparison: Comparison, lang: str) -> str:
    """To read below the verdict; empty where another model answered, too, or none did.

    It names the highest Recall@5 that rows on today's documents reach.
    """
    asked = [row for row in comparison.rows if row.input_tokens + row.output_tokens]
    if comparison.task != "answer" or {row.model for row in asked} != {"shipped"}:
        return ""
    say = _WORDS[lang]
    found = [
        (recall.mean, row.row)
        for row in comparison.rows
        if not row.stale and (recall := row.metrics.get("recall@5"))
    ]
    if not found:
        return say["model"]
    best, row = max(found, key=lambda one: one[0])
    return say["model"] + say["search"].format(recall=format.percent(best, lang), row=row)
