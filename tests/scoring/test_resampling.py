import os
import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

from tailor.scoring import resampling


def columns(values):
    values = np.asarray(values, dtype=float)
    return values, np.ones_like(values)


@pytest.mark.parametrize(("degrees", "within"), [(5, 2e-3), (9, 1e-4), (29, 1e-5), (500, 1e-6)])
def test_students_t(degrees, within):
    assert resampling.student(degrees) == pytest.approx(stats.t.ppf(0.975, degrees), abs=within)


def test_the_interval_is_scipys_but_for_its_widening():
    x = np.random.default_rng(1).beta(0.4, 1.2, 200)
    low, high = resampling.bca(*columns(x[:, None]), seed=0)[:, 0]
    theirs = stats.bootstrap((x,), np.mean, n_resamples=20_000, method="BCa", rng=0)
    assert low == pytest.approx(theirs.confidence_interval.low, abs=0.004)
    assert high == pytest.approx(theirs.confidence_interval.high, abs=0.004)


def test_a_group_that_no_resample_draws_is_no_division_by_zero():
    totals, counts = np.zeros((40, 1)), np.zeros((40, 1))
    totals[:2, 0], counts[:2, 0] = (0.2, 0.9), 1
    low, high = resampling.bca(totals, counts, seed=0)[:, 0]
    assert 0.2 <= low < 0.55 < high <= 0.9


def test_more_groups_than_are_kept_are_drawn_in_blocks(monkeypatch):
    values, counts = columns(np.random.default_rng(3).random((50, 3)))
    kept = resampling.bca(values, counts, 0), resampling.sign_flip(values - 0.5, 0)
    monkeypatch.setattr(resampling, "_SHARED", 10)
    again = resampling.bca(values, counts, 0), resampling.sign_flip(values - 0.5, 0)
    assert again[0] == pytest.approx(kept[0], abs=1e-12)
    assert again[1] == kept[1]


def test_the_p_value_is_near_the_t_tests_where_that_is_right():
    d = np.random.default_rng(8).normal(0.1, 0.4, (60, 1))
    found = resampling.sign_flip(d, 0)[0]
    assert found == pytest.approx(stats.ttest_1samp(d[:, 0], 0).pvalue, abs=0.015)


def test_sums_by_group():
    values = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    assert resampling.by_group(values, np.array([1, 0, 1])).tolist() == [[3, 4], [6, 8]]
    assert resampling.by_group(values, np.array([2, 0, 1])).tolist() == [[3, 4], [5, 6], [1, 2]]


def test_intervals_are_the_same_in_every_process():
    program = (
        "import numpy as np; from tailor.scoring.statistics import intervals, differences\n"
        "v = np.random.default_rng(0).beta(1, 2, (90, 4)); g = [i // 3 for i in range(90)]\n"
        "print(intervals(v, g), differences(v, v[:, ::-1], g))"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True,
            env={**os.environ, "OMP_NUM_THREADS": threads, "PYTHONHASHSEED": threads},
        ).stdout
        for threads in ("1", "2")
    }  # fmt: skip
    assert len(seen) == 1
