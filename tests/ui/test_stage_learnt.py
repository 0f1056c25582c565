"""What a baseline learnt, as the page shows it, in both languages."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest


def script(code: str, kind: str) -> None:
    from tailor.prediction.estimators import Weight
    from tailor.prediction.learnt import Learnt
    from tailor.ui.language import language
    from tailor.ui.stage_learnt import learnt

    shown = {
        "features": Learnt("features", 1400, True, (Weight("pack count", 0.1, 0.5),)),
        "bag_of_words": Learnt("bag_of_words", 600, words={"refund": ("money", "tiền")}),
        "neighbours": Learnt("neighbours", 90, True, k=10, weight=0.25),
    }

    class Fitted:
        def learnt(self) -> Learnt:
            return shown[kind]

    learnt(Fitted(), language(code))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        ("en", "features", ("1,400 train items", "pack count", "+10.5%")),
        ("vi", "features", ("1.400 mục train", "số lượng trong gói", "+10,5%")),
        ("vi", "bag_of_words", ("refund", "money, tiền")),
        ("en", "neighbours", ("90 train items", "Neighbours: 10", "25.0%")),
    ],
)
def test_what_was_learnt_is_shown(code: str, kind: str, words: tuple[str, ...]) -> None:
    app = AppTest.from_function(script, args=(code, kind)).run()
    assert not app.exception
    told = [str(each.value) for each in app.markdown]
    told += [table.value.to_string() for table in app.table]
    for word in words:
        assert word in "\n".join(told).replace("\\", ""), told
