"""What is drawn of numbers and labels, in the report and on the page Compare."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from itertools import pairwise
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tailor.prediction.pictures import Pictures, far_apart, pictures, reach, running
from tailor.reporting.report import report
from tailor.run import Run
from tailor.scoring.statistics import Interval
from tailor.ui import picture_charts
from tailor.workspace import Workspace


def row(workspace: Workspace, name: str) -> Run:
    return next(run for run in workspace.runs() if name in (run.row, run.model))


@pytest.fixture(scope="module")
def ann(numbers: Workspace) -> Pictures:
    return pictures(row(numbers, "Ann").scored("test"))


def test_a_point_for_every_number(numbers: Workspace, ann: Pictures) -> None:
    assert len(ann.points) == 20
    assert ann.grades == {"good": 20, "fair": 0, "poor": 0, "none": 0}
    assert all(p.guess == pytest.approx(1.1 * p.truth, abs=0.01) for p in ann.points)
    assert ann.points[0].text.startswith("thing number")
    other = pictures(row(numbers, "Bình").scored("test"))
    assert (len(other.points), other.without) == (18, 2)
    assert other.grades["none"] == 2
    assert other.grades["poor"] > 5


def test_the_running_mean_ends_at_the_mean(numbers: Workspace, ann: Pictures) -> None:
    errors = [abs(p.guess - p.truth) for p in ann.points]
    last = ann.running[-1]
    assert last.n == 20
    assert last.mean == pytest.approx(sum(errors) / 20)
    spread = (sum((e - last.mean) ** 2 for e in errors) / 19) ** 0.5
    assert last.high - last.mean == pytest.approx(2.093 * spread / 20**0.5, rel=1e-3)
    many = running([float(n % 7) for n in range(5000)])
    assert len(many) == 150
    assert (many[0].n, many[-1].n) == (5, 5000)
    assert all(a.n < b.n for a, b in pairwise(many))
    assert running([1.0]) == ()
    assert [step.n for step in running([1.0, 2.0, 3.0])] == [3]


def test_bands_hold_every_item(numbers: Workspace, ann: Pictures) -> None:
    assert sum(band.n for band in ann.bands) == 20
    assert ann.bands[-1].error is not None
    assert not ann.by_ratio  # the largest is 17 times the smallest
    assert ann.bands[-1].error.mean == pytest.approx(
        sum(abs(p.guess - p.truth) for p in ann.points if p.truth >= (ann.bands[-1].low or 0))
        / ann.bands[-1].n
    )


def test_an_absurd_row_hides_no_other(ann: Pictures) -> None:
    assert reach([Interval(5, 4, 6, 9), None], [10.0]) == 6
    assert reach([Interval(1e30, 1, 1e31, 9), Interval(5, 4, 6, 9)], [10.0]) == 30
    assert reach([Interval(5, 4, 6, 9)], []) == 6
    assert reach([None], [0.0]) == 1
    absurd = replace(ann, running=running([1e12] * 20))
    assert far_apart([ann, absurd])
    assert not far_apart([ann, ann])
    assert ann.bands[-1].constant > 0
    assert ann.bands[0].constant == 0  # no test item is there


def test_labels_are_no_numbers(labels: Workspace) -> None:
    with pytest.raises(ValueError, match="gives no numbers"):
        pictures(row(labels, "Ann").scored("test"))


@pytest.mark.parametrize("lang", ["en", "vi"])
def test_the_report_draws_numbers(numbers: Workspace, lang: str) -> None:
    page = report(numbers, lang=lang)
    title = "Each estimate against the truth" if lang == "en" else "Từng ước lượng so với"
    assert title in page
    assert page.count('<circle class="good"') >= 20
    assert 'class="diagonal"' in page
    assert "<polyline" in page
    assert "human (Ann)" in page
    assert "<script" not in page
    assert "nan" not in re.sub(r"[a-zà-ỹ]{4,}", "", page.lower())


def test_the_report_draws_which_labels_are_mixed_up(labels: Workspace) -> None:
    page = report(labels)
    table = page[page.index('class="confusion"') :]
    assert "Which labels are mixed up" in page
    assert table.count('<rect class="right"') == 3
    assert table.count('<rect class="mixed"') == 9


CHARTS: dict[str, Callable[[str, bool], Any]] = {
    "bars": lambda code, dark: picture_charts.bars(
        [{"row": "a", "mean": 5, "low": 4, "high": 6, "text": "$5", "told": "$5"}], code, dark
    ),
    "shares": lambda code, dark: picture_charts.shares(
        [{"row": "a", "kind": "good", "order": 0, "grade": "good", "share": 1, "text": "100%"}],
        code, dark,
    ),
    "estimates": lambda code, dark: picture_charts.estimates(
        [{"id": "a", "text": "a", "truth": 5, "guess": -2, "kind": "poor", "truth_text": "$5",
          "guess_text": "-$2"}], True, code, dark,
    ),
    "confusion": lambda code, dark: picture_charts.confusion(
        [{"true": "a", "given": "a", "count": 2, "right": True, "share": 1.0, "text": "2"}],
        ["a", "none"], code, dark,
    ),
    "histogram": lambda code, dark: picture_charts.histogram(
        [{"low": 1, "high": 2, "count": 3, "range": "1-2", "text": "3"}], "USD", True, code, dark
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CHARTS)
def test_charts_are_drawn_in_both_themes(name: str) -> None:
    light, dark = CHARTS[name]("en", False).to_dict(), CHARTS[name]("vi", True).to_dict()
    assert light != dark
    assert "url" not in str(light.get("data", ""))


@pytest.mark.parametrize("lang", ["EN", "VI"])
@pytest.mark.parametrize("kind", ["numbers", "labels"])
def test_the_pages_show_pictures(
    kind: str, lang: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace: Workspace = request.getfixturevalue(kind)
    monkeypatch.setenv("TAILOR_WORKSPACE", str(workspace.root))
    spec = find_spec("tailor.ui.app")
    assert spec is not None
    assert spec.origin is not None
    app = AppTest.from_file(spec.origin, default_timeout=60)
    app.query_params["lang"] = lang
    app.run()
    assert not app.exception
    app.switch_page("compare.py").run()
    assert not app.exception
    wanted = {("numbers", "EN"): "Each estimate against the truth",
              ("numbers", "VI"): "Từng ước lượng so với giá trị thật",
              ("labels", "EN"): "Which labels are mixed up",
              ("labels", "VI"): "Nhãn nào bị nhầm"}[kind, lang]  # fmt: skip
    assert wanted in [title.value for title in app.subheader]
    app.query_params["view"] = "curate"
    app.switch_page("benchmark.py").run()
    assert not app.exception
