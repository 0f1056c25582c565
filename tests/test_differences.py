"""What two runs do not have in common."""

from __future__ import annotations

from pathlib import Path

from tailor.differences import Difference, differences
from tailor.run import Run, Step
from tailor.workspace import Workspace


def run(root: Path, *steps: Step, **values: str) -> Run:
    return Run(
        id="r", row=steps[-1].row, previous=None, base=None, lineage=steps, fingerprint="f",
        benchmark="b", position=0, sequence=1, started="", workspace=Workspace(root),
        versions={"llm-tailor": values.get("version", "1")},
        model=values.get("model", "shipped"), generation=values.get("generation"),
    )  # fmt: skip


def test_only_what_differs_is_named(tmp_path: Path) -> None:
    prompting = Step("prompting", "prompting", {"role": "clerk", "language": "vi"})
    base = run(tmp_path, prompting, generation=None)
    more = Step("retrieval", "retrieval", {"k": 5})
    tuned = Step("prompting", "prompting", {"role": "clerk", "language": "en"})
    candidate = run(tmp_path, tuned, more, version="2", generation="g")
    assert differences(base, candidate) == (
        Difference("prompting", "language", "vi", "en"),
        Difference("retrieval", "stage", None, "retrieval"),
        Difference("retrieval", "k", None, 5),
        Difference("run", "llm-tailor", "1", "2"),
    )
    assert differences(base, base) == ()


def test_a_stage_that_comes_again_is_held_against_its_step_before(tmp_path: Path) -> None:
    narrow = Step("retrieval", "retrieval", {"k": 4, "weight": 0.5})
    wide = Step("retrieval:wide", "retrieval", {"k": 8, "weight": 0.5})
    told = Step("prompting", "prompting", {"language": "vi"})
    k = Difference("retrieval:wide", "k", 4, 8)
    # In place of it, and upon it.
    assert differences(run(tmp_path, told, narrow), run(tmp_path, told, wide)) == (k,)
    assert differences(run(tmp_path, told, narrow), run(tmp_path, told, narrow, wide)) == (
        Difference("retrieval:wide", "stage", None, "retrieval"),
        k,
    )
    # What only the base has is told as gone.
    assert differences(run(tmp_path, told, narrow, wide), run(tmp_path, told, narrow)) == (
        Difference("retrieval:wide", "stage", "retrieval", None),
        Difference("retrieval:wide", "k", 8, None),
        Difference("retrieval:wide", "weight", 0.5, None),
    )
