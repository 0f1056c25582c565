import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tailor.scoring.statistics import (
    FEWEST,
    Paired,
    differences,
    holm,
    interval,
    intervals,
    paired,
    questions_needed,
    verdict,
)

scores = st.floats(0, 1)
samples = st.lists(scores, min_size=1, max_size=25)
pairs = st.lists(st.tuples(scores, scores), min_size=1, max_size=25)


def test_all_zero_or_one_is_wilsons_interval():
    # Newcombe 1998, table I: 81 of 263 and 0 of 20
    some, none = interval([1.0] * 81 + [0.0] * 182), interval([0.0] * 20)
    assert [some.low, some.high] == pytest.approx([0.2553, 0.3662], abs=1e-4)
    assert [none.mean, none.low, none.high] == pytest.approx([0, 0, 0.1611], abs=1e-4)


def test_no_one_and_equal_scores():
    assert interval([]) is None
    one = interval([0.5])
    assert (one.mean, one.n) == (0.5, 1)
    assert one.low < 0.1
    assert one.high > 0.9
    equal = interval([0.5] * 50)
    assert 0.3 < equal.low < 0.4, "equal scores are no certainty"
    assert 0.6 < equal.high < 0.7


def test_the_interval_is_near_students_t_where_that_is_right():
    x = np.random.default_rng(5).beta(4, 4, 60)
    half = 2.001 * x.std(ddof=1) / math.sqrt(60)
    found = interval(x.tolist())
    assert found.low == pytest.approx(x.mean() - half, abs=0.006)
    assert found.high == pytest.approx(x.mean() + half, abs=0.006)


@pytest.mark.parametrize("bad", [[math.nan], [1.2, 0.1], [-0.1]])
def test_what_is_no_score_is_refused(bad):
    with pytest.raises(ValueError, match="between 0 and 1"):
        interval(bad)
    with pytest.raises(ValueError, match="between 0 and 1"):
        paired(bad, bad)
    with pytest.raises(ValueError, match="same questions"):
        paired([0.1], [0.1, 0.2])


@settings(deadline=None)
@given(samples)
def test_an_interval_holds_its_mean_and_stays_within_0_and_1(values):
    found = interval(values)
    assert 0 <= found.low <= found.mean + 1e-12
    assert found.mean - 1e-12 <= found.high <= 1
    assert interval(values) == found, "the same numbers give the same interval"


def test_coverage():
    """About 95 of 100 intervals hold the true mean, of scores and of differences."""
    rng = np.random.default_rng(7)
    n, rounds = 30, 250

    def draw():
        kind, partial = rng.random(n), rng.beta(2, 2, n)
        return np.where(kind < 0.35, 0, np.where(kind < 0.65, 1, partial)).tolist()

    single = both = false_alarms = 0
    for _ in range(rounds):
        a, b = draw(), draw()
        found, difference = interval(a), paired(a, b)
        single += found.low <= 0.475 <= found.high
        both += difference.low <= 0 <= difference.high
        false_alarms += difference.p < 0.05
    assert 0.91 < single / rounds < 0.995
    assert 0.91 < both / rounds < 0.995
    assert false_alarms / rounds < 0.09


def test_identical_scores():
    same = paired([0.2, 1, 0.5] * 10, [0.2, 1, 0.5] * 10)
    assert (same.delta, same.low, same.high, same.p, same.n) == (0, -0.1, 0.1, 1, 30)
    assert verdict(same) == "undecided"
    assert questions_needed(same) == 120


@pytest.mark.parametrize(("n", "expected"), [(6, "undecided"), (149, "undecided"), (150, "tie")])
def test_a_tie_of_identical_scores_needs_150_questions(n, expected):
    # the rule of three: what was never seen in n may still be as frequent as 3 in n
    same = paired([0.0] * n, [0.0] * n)
    assert (same.delta, same.p) == (0, 1)
    assert same.high == -same.low == 3 / n
    assert verdict(same) == expected
    assert questions_needed(same) == 150 - n


@pytest.mark.parametrize(
    ("delta", "n", "low", "high", "expected"),
    [
        (1.0, 2, -1.0, 1.0, "undecided"),
        (0.5, 6, -0.25, 0.75, "undecided"),
        (0.5, 12, 0.125, 0.625, "better"),  # a quarter of the way to -1, and to 1
        (-1.0, 30, -1.0, -0.8, "worse"),
    ],
)
def test_equal_differences_are_no_certainty(delta, n, low, high, expected):
    base, candidate = (0.0, delta) if delta > 0 else (-delta, 0.0)
    found = paired([base] * n, [candidate] * n)
    assert (found.delta, found.low, found.high) == pytest.approx((delta, low, high))
    assert verdict(found) == expected


def test_differences_equal_but_for_rounding_are_equal():
    base = [0.1, 0.2, 0.3, 0.15] * 3
    found = paired(base, [x + 0.1 for x in base])
    assert (found.low, found.high) == pytest.approx((0.1 - 0.25 * 1.1, 0.1 + 0.25 * 0.9))


def test_equal_differences_hold_what_others_could_make_of_the_mean():
    """Where 3 in 30 were of the other sign, the mean would be the end of the interval."""
    found = paired([0.0] * 30, [1.0] * 30)
    assert found.low == pytest.approx(np.mean([1] * 27 + [-1] * 3))
    assert found.high == 1
    needed = questions_needed(paired([0.5] * 3, [1.0] * 3))
    told = paired([0.5] * (3 + needed + 1), [1.0] * (3 + needed + 1))
    assert verdict(told) == "better"
    assert needed > 3, "3 / n of the way to -1 from 0.5 must not reach 0"


def test_no_and_one_question():
    assert paired([], []) is None
    one = paired([0.0], [1.0])
    assert (one.delta, one.low, one.high, one.p) == (1, -1, 1, 1)
    assert verdict(one) == "undecided"
    assert questions_needed(one) >= FEWEST - 1


def test_the_p_value_is_exact_for_few_questions():
    # all of 8 differences positive: 2 of 2**8 sign patterns are as extreme
    base = [0.1, 0.2, 0.3, 0.1, 0.2, 0.3, 0.1, 0.2]
    assert paired(base, [x + 0.5 for x in base]).p == 2 / 2**8
    values = [0.3, -0.1, 0.25, 0.4, -0.05]
    observed = abs(sum(values))
    flips = itertools.product((1, -1), repeat=5)
    extreme = sum(
        abs(sum(s * v for s, v in zip(f, values, strict=True))) >= observed - 1e-9 for f in flips
    )
    assert paired([0.5] * 5, [0.5 + v for v in values]).p == extreme / 2**5


def test_a_p_value_is_never_0():
    assert paired([0.1] * 100, [0.2, 0.3] * 50).p == 1 / 10_001


@settings(deadline=None)
@given(pairs)
def test_swapping_the_rows_changes_the_sign_and_nothing_else(both):
    a, b = ([p[i] for p in both] for i in (0, 1))
    there, back = paired(a, b), paired(b, a)
    close = {"abs": 1e-9}
    assert there.delta == pytest.approx(-back.delta, **close)
    assert there.low == pytest.approx(-back.high, **close)
    assert there.high == pytest.approx(-back.low, **close)
    assert there.p == back.p
    assert 0 < there.p <= 1
    assert there.low - 1e-12 <= there.delta <= there.high + 1e-12


@pytest.mark.parametrize(
    ("low", "high", "p", "n", "expected"),
    [
        (0.01, 0.2, 0.03, 50, "better"),
        (-0.2, -0.01, 0.03, 50, "worse"),
        (0.01, 0.2, 0.06, 50, "undecided"),  # one of the two is not enough
        (-0.01, 0.2, 0.03, 50, "undecided"),
        (0.001, 0.015, 0.06, 50, "tie"),
        (-0.015, 0.02, 0.5, 50, "tie"),
        (-0.015, 0.021, 0.5, 50, "undecided"),
        (0.0, 0.3, 0.01, 50, "undecided"),
        (0.5, 0.9, 0.01, FEWEST - 1, "undecided"),
        (0.0, 0.0, 1.0, FEWEST - 1, "undecided"),
    ],
)
def test_verdicts(low, high, p, n, expected):
    assert verdict(Paired((low + high) / 2, low, high, p, n)) == expected


def test_how_many_more_questions():
    # half-width 0.1 at n = 50, delta 0.05: n * (1.4294 * 0.1 / 0.05)**2 = 408.6, 359 more
    assert questions_needed(Paired(0.05, -0.05, 0.15, 0.3, 50)) == 359
    # no difference: with 90 % on each side, the interval must not reach beyond the margin of 0.02:
    # 50 * ((1.960 + 1.282) / 1.960 * 0.1 / 0.02)**2 - 50
    assert questions_needed(Paired(0.0, -0.1, 0.1, 1.0, 50)) == 3370
    assert questions_needed(Paired(0.2, 0.1, 0.3, 0.01, 50)) == 0
    # among several differences each must be surer: z of 0.05 / 8 instead of 0.05 / 2
    assert questions_needed(Paired(0.05, -0.05, 0.15, 0.3, 50), family=4) > 359
    assert questions_needed(Paired(0.0, -0.1, 0.1, 1.0, 50), margin=0) is None
    wide, narrow = (questions_needed(Paired(d, d - 0.2, d + 0.2, 0.3, 50)) for d in (0.05, 0.15))
    assert wide > narrow


def test_more_questions_do_tell():
    """With as many more questions as were named, most repetitions come to a verdict."""
    rng = np.random.default_rng(3)

    def difference(n):
        base = rng.random(n) < 0.5
        flip = rng.random(n)
        candidate = np.where(flip < 0.2, True, np.where(flip > 0.9, False, base))
        return paired(base.astype(float).tolist(), candidate.astype(float).tolist())

    # true delta 0.05, sd of a difference about 0.38: what is named for exactly that case
    first = Paired(0.05, 0.05 - 1.96 * 0.384 / 10, 0.05 + 1.96 * 0.384 / 10, 0.2, 100)
    n = 100 + questions_needed(first)
    told = sum(verdict(difference(n)) != "undecided" for _ in range(40))
    assert told >= 24


def test_as_many_questions_as_named_tell_a_tie_four_times_in_five():
    rng = np.random.default_rng(8)
    half = 1.96 * 0.08 / math.sqrt(50)
    n = 50 + questions_needed(Paired(0.0, -half, half, 0.5, 50))
    base = np.full((n, 400), 0.5)
    found = differences(base, base + rng.normal(0, 0.08, (n, 400)))
    assert 0.75 < np.mean([verdict(one) == "tie" for one in found]) < 0.85


def test_holm():
    def with_p(p):
        return Paired(0.1, 0.0, 0.2, p, 10)

    adjusted = holm([with_p(0.01), None, with_p(0.04), with_p(0.03), with_p(0.005)])
    assert [d and pytest.approx(d.p) for d in adjusted] == [0.03, None, 0.06, 0.06, 0.02]
    assert holm([]) == []
    assert [d.p for d in holm([with_p(0.9), with_p(0.8)])] == [1, 1]


def grouped(sizes):
    return [group for group, size in enumerate(sizes) for _ in range(size)]


def test_questions_about_one_document_count_less():
    """The same scores are surer when no two questions share a document."""
    rng = np.random.default_rng(2)
    level = np.repeat(rng.beta(0.5, 0.5, 20), 5)
    scores = np.clip(level + rng.normal(0, 0.05, 100), 0, 1).tolist()
    groups = grouped([5] * 20)
    alone, together = interval(scores), interval(scores, groups)
    assert together.mean == alone.mean
    assert 1.8 < (together.high - together.low) / (alone.high - alone.low) < 2.8  # root of 5 = 2.2
    shares = [float(score > 0.5) for score in scores]
    alone, together = interval(shares), interval(shares, groups)
    assert together.high - together.low > 1.5 * (alone.high - alone.low)
    base = [0.5] * 100
    alone, together = paired(base, scores), paired(base, scores, groups)
    assert together.effect > 3 > alone.effect == 1
    assert questions_needed(together) > questions_needed(alone)


def test_coverage_where_questions_share_documents():
    """About 95 of 100 intervals hold the true mean; as if independent, far fewer do."""
    rng = np.random.default_rng(4)
    groups, rounds = grouped([6, 2, 1, 3] * 10), 300
    level = rng.normal(0, 0.25, (40, rounds))[groups] + rng.normal(0, 0.1, (120, rounds))
    values = np.clip(0.5 + level, 0, 1)
    hold = [i.low <= 0.5 <= i.high for i in intervals(values, groups)]
    naive = [i.low <= 0.5 <= i.high for i in intervals(values)]
    assert 0.91 < np.mean(hold) < 0.99
    assert np.mean(naive) < 0.8


def test_no_more_false_alarms_than_5_in_100_where_questions_share_documents():
    rng = np.random.default_rng(5)
    groups, rounds = grouped([4] * 15), 400
    gain = rng.normal(0, 0.2, (15, rounds))[groups] + rng.normal(0, 0.05, (60, rounds))
    base = np.full((60, rounds), 0.5)
    told = [verdict(d) for d in differences(base, np.clip(base + gain, 0, 1), groups)]
    assert np.mean([one in ("better", "worse") for one in told]) < 0.07
    naive = [verdict(d) for d in differences(base, np.clip(base + gain, 0, 1))]
    assert np.mean([one in ("better", "worse") for one in naive]) > 0.15


def test_whole_groups_change_sign():
    # 3 documents, all better: 2 of 2**3 sign patterns are as extreme, however many questions
    found = paired([0.2] * 30, [0.6] * 29 + [0.7], grouped([10] * 3))
    assert found.p == 2 / 2**3
    assert verdict(found) == "undecided"


def test_columns_together_are_as_one_by_one():
    rng = np.random.default_rng(6)
    values = rng.beta(1, 2, (30, 4))
    values[rng.random((30, 4)) < 0.2] = np.nan
    values[:, 3] = np.nan
    groups = grouped([3] * 10)
    together = intervals(values, groups)
    assert together[3] is None
    assert together[:3] == [intervals(values[:, [at]], groups)[0] for at in range(3)]
    assert [one.n for one in together[:3]] == (~np.isnan(values[:, :3])).sum(axis=0).tolist()
    found = differences(values, values[:, ::-1], groups)
    assert found[0] is found[3] is None
    assert found[1] == differences(values[:, [1]], values[:, [2]], groups)[0]


def test_rare_differences_are_no_certainty():
    """One small difference in 80 questions does not make the rows the same."""
    base, candidate = [0.5] * 80, [0.6] + [0.5] * 79
    found = paired(base, candidate)
    assert found.high > 0.02
    assert found.low < -0.02
    assert verdict(found) == "undecided"
    assert questions_needed(found) > 0
    few = interval([1.0] * 79 + [0.9])
    assert few.low < 0.97
    assert few.high <= 1


def test_differences_that_cancel_within_each_document():
    found = paired([0.5] * 40, [0.6, 0.4] * 20, grouped([2] * 20))
    assert (found.delta, found.p) == (pytest.approx(0), 1)
    assert found.low < -0.05
    assert all(map(math.isfinite, (found.low, found.high, found.effect)))


def test_questions_of_one_group_tell_no_more_than_one():
    base, candidate = [0.0, 0.5, 1.0] * 100, [0.1, 0.5, 1.0] * 100
    together = interval(candidate, [0] * 300)
    alone = interval([together.mean])
    assert (together.low, together.high) == pytest.approx((alone.low, alone.high))
    found = paired(base, candidate, [0] * 300)
    assert (found.low, found.high, found.p) == (-1, 1, 1)
    assert verdict(found) == "undecided", "300 of one group once were a tie"


@settings(deadline=None)
@given(st.lists(st.tuples(scores, scores, st.integers(0, 5)), min_size=1, max_size=25))
def test_no_groups_give_what_is_not_finite(rows):
    ids = {group: at for at, group in enumerate(dict.fromkeys(row[2] for row in rows))}
    groups = [ids[row[2]] for row in rows]
    one = interval([row[0] for row in rows], groups)
    two = paired([row[0] for row in rows], [row[1] for row in rows], groups)
    assert 0 <= one.low <= one.high <= 1
    assert -1 <= two.low <= two.high <= 1
    assert 0 < two.p <= 1
    assert two.effect >= 1
    assert verdict(two) in ("better", "worse", "tie", "undecided")
