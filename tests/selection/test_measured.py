"""Models measured on dev questions, held against the first one question by question."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tailor.benchmark import Evidence, Question
from tailor.errors import TailorError
from tailor.selection import wording
from tailor.selection.kept import keep, kept
from tailor.selection.measured import Against, Measured, measure, measured
from tailor.workspace import Workspace

_MEASURED = Measured("a", "none", "prompting", None, None, None, None, (), None, None, 0.0)


@pytest.fixture
def small(workspace: Workspace) -> Workspace:
    (workspace.root / "tailor.toml").write_text("max_tokens = 8\n", "utf-8")
    workspace.ingest()
    return workspace


def test_a_model_here_is_timed_weighed_and_scored(small: Workspace) -> None:
    found = measured(small.root, "shipped", "none", "prompting", 3)
    assert found.weights_bytes == 13_791_232  # 3.4 M parameters in 32 bits, and buffers
    assert found.load_s is not None
    assert found.tokens_per_s is not None
    assert found.tokens_per_s > 0
    assert found.peak_bytes is not None
    assert found.peak_bytes > found.weights_bytes
    assert len(found.scores) == 3
    assert found.score is not None
    assert found.score.n == 3
    assert found.perplexity is not None
    again = Against.from_json(json.loads(json.dumps(Against(found, None).to_json())))
    assert again.measured == found
    keep(small.state, [], [again])
    keep(small.state, [], [])  # facts alone leave it as it is
    assert kept(small.state).measured == (again,)


def test_one_that_cannot_be_loaded_is_said_beside_the_others(small: Workspace) -> None:
    (broken,) = measure(small, [("huggingface:/nowhere", "none")], n=2)
    assert "There is no folder /nowhere" in broken.measured.problem
    assert broken.paired is None
    _, lines = wording.was_measured([broken], "vi")
    assert lines == []
    assert list(wording.problems((), [broken])) == [broken.measured.problem]


def test_without_dev_questions_there_is_nothing_to_measure_by(small: Workspace) -> None:
    path = small.knowledge / "benchmark.jsonl"
    path.write_text(path.read_text("utf-8").replace('"dev"', '"test"'), "utf-8")
    with pytest.raises(TailorError, match="no dev questions"):
        measure(Workspace(small.root), [("shipped", "none")])


def test_the_skill_of_a_number_may_lie_below_nothing() -> None:
    from tailor.selection import measured as of

    scores = [-3.0, 0.5, -0.2, 0.9, 0.1, -1.4, 0.3, 0.7, -0.6, 0.2]
    asked = [Question(f"q{n}", f"{n}?", (n,)) for n in range(10)]
    skill = of._interval(scores, asked, "number")
    assert skill is not None
    assert skill.mean == pytest.approx(-0.25)
    assert skill.low < skill.mean < skill.high
    with pytest.raises(ValueError, match="between 0 and 1"):
        of._interval(scores, asked, "answer")
    one, other = (replace(_MEASURED, scores=tuple(s + by for s in scores)) for by in (0, 1))
    paired = of._paired(one, other, asked, "number")
    assert paired is not None
    assert paired.delta == pytest.approx(1)


def test_questions_about_one_document_count_less() -> None:
    from tailor.selection import measured as of

    apart = [Question(f"q{n}", f"{n}?", ("x",)) for n in range(60)]
    together = [replace(q, evidence=(Evidence(f"{n // 4}.md", "x"),)) for n, q in enumerate(apart)]
    one, other = (
        replace(_MEASURED, scores=tuple(float(n // 4 % 3 > least) for n in range(60)))
        for least in (1, 0)
    )
    for found in (
        [of._interval(other.scores, asked, "answer") for asked in (apart, together)],
        [of._paired(one, other, asked, "answer") for asked in (apart, together)],
    ):
        alone, grouped = ((each.low, each.high) for each in found if each is not None)
        assert grouped[1] - grouped[0] > 1.5 * (alone[1] - alone[0])
