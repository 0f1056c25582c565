"""What retrieval tuning tried, as the page shows it, in both languages."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

LINE = {"configuration": {"k": 2, "expansion": "section"}, "changes": ["expansion", "k"]}
SEARCHED = {
    "count": 541,
    "plain": {**LINE, "changes": [], "quality": 0.7},
    "chosen": {**LINE, "quality": 0.8},
    "tried": [{**LINE, "quality": 0.8}],
    "matters": {"expansion": {"none": 0.7, "section": 0.8}},
}
ASKED = {
    "plain": {**LINE, "changes": [], "score": 0.5, "n": 40, "complete": True},
    "chosen": {**LINE, "score": 0.6, "n": 40, "complete": True},
    "gain": {"delta": 0.1, "ci95": [0.02, 0.18], "p": 0.01},
    "tried": [{**LINE, "score": 0.6, "n": 40, "complete": True}],
}


def script(code: str, searched: dict, asked: dict) -> None:  # type: ignore[type-arg]
    from tailor.retrieval.tuning import Tuning
    from tailor.ui.language import language
    from tailor.ui.stage_tuning import tuning

    class Tuned:
        def tuning(self) -> Tuning:
            return Tuning(searched, asked)

    tuning(Tuned(), language(code))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("code", "words"),
    [("en", ("541 ways", "80.0%", "nothing: plain retrieval")), ("vi", ("541 cách", "80,0%"))],
)
def test_what_was_tried_is_shown(code: str, words: tuple[str, ...]) -> None:
    app = AppTest.from_function(script, args=(code, SEARCHED, ASKED)).run()
    assert not app.exception
    told = [str(each.value) for kind in (app.markdown, app.caption) for each in kind]
    told += [table.value.to_string() for table in app.table]
    for word in words:
        assert word in "\n".join(told).replace("\\", ""), told
    assert "expansion section, k 2" in "\n".join(told).replace("\\", "")


def noted(code: str, searched: dict[str, object], asked: dict[str, object]) -> None:
    from tailor.retrieval.tuning import Tuning
    from tailor.ui.language import language
    from tailor.ui.stage_run import notes

    class Tuned:
        notes = (
            Tuning(searched, asked).sentence("en"),
            "left out of retrieval_tuning: d1 asks test question t1 in other words.",
        )

        def tuning(self) -> Tuning:
            return Tuning(searched, asked)

    notes(Tuned(), language(code))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("en", ("541 ways of finding", "d1 asks test question t1 in other words")),
        ("vi", ("Đã đo 541 cách", "d1 hỏi điều mà câu t1 của tập test hỏi, bằng lời khác")),
    ],
)
def test_the_notes_of_a_run_are_in_the_readers_language(code: str, words: tuple[str, str]) -> None:
    app = AppTest.from_function(noted, args=(code, SEARCHED, ASKED)).run()
    assert not app.exception
    told = [str(each.value).replace("\\", "") for each in app.caption]
    assert [word in one for word, one in zip(words, told, strict=True)] == [True, True], told


def test_shares_are_written_as_the_language_writes_them() -> None:
    from tailor.retrieval.tuning import Tuning

    line = {"configuration": {"weight": 0.6, "k": 2}, "changes": ["k", "weight"]}
    assert Tuning.changes(line, "en") == "k 2, weight 0.60"
    assert Tuning.changes(line, "vi") == "k 2, weight 0,60"
