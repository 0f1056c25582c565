"""The rows of a ladder: in any order, one stage several times, each on the base it names."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tailor import ladder_file
from tailor.config import Config
from tailor.errors import UsageError
from tailor.estimate import estimate
from tailor.ladder import assistant_for, climb
from tailor.rows import Row, path, rows_for
from tailor.run import newest_runs
from tailor.stages import FewShot, Prompting
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Command, Model

    from tailor.testing import Messages

Configure = Callable[..., Workspace]
LADDER = ["baseline", "prompting", "few_shot", "prompting:brief"]


@pytest.fixture
def twice(configure: Configure) -> Workspace:
    """Prompting stands in the ladder twice, with settings and a base of its own."""
    return configure(
        ladder=LADDER,
        stages={"few_shot": {"shots": 1}, "prompting:brief": {"instructions": "Be brief."}},
        builds_on={"prompting:brief": "prompting"},
    )


def told(rows: list[Row]) -> list[tuple[str, bool, str]]:
    return [(row.id, row.scored, row.on) for row in rows]


@pytest.fixture
def configure(configure: Configure) -> Configure:
    """As in tests/conftest.py; tables are written as TOML's inline ones."""

    def inline(value: object) -> str:
        if not isinstance(value, dict):
            return json.dumps(value)
        return "{" + ", ".join(f"{json.dumps(k)} = {inline(v)}" for k, v in value.items()) + "}"

    def write(**settings: object) -> Workspace:
        plain = {key: value for key, value in settings.items() if not isinstance(value, dict)}
        workspace = configure(**plain)
        file = workspace.root / "tailor.toml"
        tables = {key: value for key, value in settings.items() if isinstance(value, dict)}
        more = "".join(f"{key} = {inline(value)}\n" for key, value in tables.items())
        file.write_text(file.read_text("utf-8") + more, "utf-8")
        return Workspace(workspace.root)

    return write


def test_a_row_has_the_settings_of_its_stage_then_its_own(configure: Configure) -> None:
    workspace = configure(
        ladder=["retrieval", "retrieval:wide"],
        stages={"retrieval": {"k": 2, "weight": 0.2}, "retrieval:wide": {"k": 8}},
    )
    settings = workspace.stage("retrieval:wide").settings()
    assert (settings["k"], settings["weight"]) == (8, 0.2)
    assert workspace.stage("retrieval").settings()["k"] == 2
    assert workspace.stage("retrieval:wide", {"k": 3}).settings()["k"] == 3


def test_only_what_a_row_builds_on_is_applied(twice: Workspace) -> None:
    assert told(rows_for(twice, ["prompting:brief"])) == [
        ("prompting", False, "previous"),
        ("prompting:brief", True, "prompting"),
    ]
    assert [row.id for row in rows_for(twice, ["all"])] == LADDER
    both = rows_for(twice, ["prompting:brief", "few_shot"])
    assert [row.id for row in both if row.scored] == ["few_shot", "prompting:brief"]
    every = rows_for(twice, ["all"])
    assert [row.id for row in path(every, "prompting:brief")] == ["prompting", "prompting:brief"]
    assert [row.id for row in path(every, "baseline")] == ["baseline"]


def test_rows_run_in_the_order_given_where_that_is_wanted(twice: Workspace) -> None:
    given = rows_for(twice, ["few_shot", "prompting", "few_shot:2"], "best", in_order=True)
    assert told(given) == [
        ("few_shot", True, "best"),
        ("prompting", True, "best"),
        ("few_shot:2", True, "best"),
    ]
    # Without it a number puts a stage behind the ladder, on all that is in it.
    assert [row.id for row in rows_for(twice, ["few_shot:2"])] == [
        "prompting", "prompting:brief", "few_shot:2",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["prompting:brieff"], "no row 'prompting:brieff' in tailor.toml; did you mean 'promp"),
        (["retrieval:x"], r"put it into ladder, or into \[stages.\"retrieval:x\"\]"),
        (["prompt:2"], "no stage 'prompt'; did you mean 'prompting'"),
    ],
)
def test_an_unknown_row_is_a_sentence(twice: Workspace, names: list[str], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        rows_for(twice, names)


@pytest.mark.parametrize(
    ("base", "says"),
    [
        ("few_shot:2", "which does not come before it"),
        ("baseline", "a reference row that nothing can build on"),
    ],
)
def test_a_base_has_to_come_before(configure: Configure, base: str, says: str) -> None:
    workspace = configure(ladder=[*LADDER, "few_shot:2"], builds_on={"few_shot": base})
    with pytest.raises(UsageError, match=says):
        rows_for(workspace, ["all"])


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"ladder": ["prompting", "prompting"]}, "stands twice; .* like 'prompting:2'"),
        ({"ladder": ["a b"]}, "'a b' is no row; write STAGE, or STAGE:LABEL"),
        ({"builds_on": {"prompting": "prompting"}}, "cannot build on 'prompting'"),
        ({"builds_on": {"prompting": 3}}, r"write \[builds_on\]"),
        ({"builds_on": "best"}, r"write \[builds_on\]"),
    ],
)
def test_config_refuses_what_is_no_ladder(values: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        Config().with_values(values, "tailor.toml")


def test_builds_on_names_rows_of_stages(configure: Configure) -> None:
    workspace = configure(builds_on={"promting": "best"})
    with pytest.raises(UsageError, match=r"\[builds_on\]: there is no stage 'promting'"):
        workspace.stage("prompting")


def test_each_row_builds_on_the_base_it_names(twice: Workspace, model: Model) -> None:
    twice.ingest()
    runs = {run.row: run for run in climb(twice, rows_for(twice, ["all"]))}
    assert {row: run.previous for row, run in runs.items()} == {
        "baseline": None,
        "prompting": None,
        "few_shot": "prompting",
        "prompting:brief": "prompting",
    }
    brief = runs["prompting:brief"]
    assert (brief.on, brief.base) == ("prompting", runs["prompting"].fingerprint)
    assert [step.row for step in brief.lineage] == ["prompting", "prompting:brief"]
    opened = Workspace(twice.root)
    assert [run.row for run in newest_runs(opened)] == LADDER
    again = next(run for run in newest_runs(opened) if run.row == "prompting:brief")
    assert (again.on, again.assistant().fingerprint) == ("prompting", brief.fingerprint)
    asked = model.server.count
    assert assistant_for(opened, "prompting:brief").assistant.fingerprint == brief.fingerprint
    assert model.server.count == asked


def test_the_base_is_the_best_by_dev_also_of_rows_run_before(
    configure: Configure, model: Model
) -> None:
    stages = {"prompting:bad": {"instructions": "Say nonsense."}, "few_shot": {"shots": 1}}
    ladder = ["prompting", "prompting:bad", "few_shot"]
    workspace = configure(ladder=ladder, stages=stages, builds_on={"few_shot": "best"})
    right = model.server.reply

    def reply(messages: Messages) -> str:
        texts = [str(message["content"]) for message in messages]
        return "nonsense" if "Say nonsense." in texts else right(messages)

    model.server.reply = reply
    planned = estimate(workspace, rows_for(workspace, ["all"]))
    assert [row.calls for row in planned.rows] == [10, 10, 10]
    climb(workspace, rows_for(workspace, ["prompting", "prompting:bad"]))
    (run,) = climb(workspace, rows_for(workspace, ["few_shot"]))
    assert (run.previous, run.on, run.notes) == ("prompting", "best", ())
    assert run.chosen_by is not None
    (one,) = estimate(workspace, rows_for(workspace, ["few_shot"])).rows
    assert (one.answered, one.calls) == (10, 0)
    assert assistant_for(workspace, "few_shot").assistant.fingerprint == run.fingerprint


def test_a_row_without_dev_answers_is_not_the_best_and_that_is_said(
    configure: Configure, model: Model
) -> None:
    workspace = configure(ladder=["prompting", "few_shot", "prompting:2"])
    climb(workspace, rows_for(workspace, ["prompting"]))
    (run,) = climb(workspace, rows_for(workspace, ["prompting:2"], "best"))
    assert run.previous == "prompting"
    assert run.notes == (
        "It builds on prompting; few_shot has no complete dev answers, and was not considered for "
        "the best.",
    )


def test_a_row_whose_base_is_left_out_is_left_out_too(configure: Configure, model: Model) -> None:
    workspace = configure(
        ladder=["prompting", "few_shot", "prompting:2"],
        stages={"few_shot": {"shots": 99}},
        builds_on={"prompting:2": "few_shot"},
    )
    left: dict[str, str] = {}

    def note(row: str, step: str, done: int, total: int, note: str = "") -> None:
        if step == "left out":
            left[row] = note

    runs = climb(workspace, rows_for(workspace, ["all"]), progress=note)
    assert [run.row for run in runs] == ["prompting"]
    assert left["prompting:2"] == "prompting:2 builds on few_shot, which was left out."
    found = estimate(workspace, rows_for(workspace, ["all"]))
    assert any("builds on few_shot, which was left out" in reason for reason in found.left_out)


def test_the_command_runs_rows_in_any_order_and_compare_says_on_what(
    twice: Workspace, model: Model, tailor: Command
) -> None:
    root = twice.root
    dry = tailor("run", "few_shot", "prompting", "--in-order", "--dry-run", "--json", "-w", root)
    assert [row["row"] for row in dry.json["rows"]] == ["few_shot", "prompting"]
    ended = tailor("run", "few_shot", "prompting", "--in-order", "--json", "-w", root)
    assert [(row["row"], row["builds_on"]) for row in ended.json["stages"]] == [
        ("few_shot", None), ("prompting", "few_shot"),
    ]  # fmt: skip
    one = "prompting:brief.instructions=Kurz."
    base = "builds_on.few_shot:2=prompting"
    rows = ("prompting", "few_shot", "prompting:brief", "few_shot:2")
    ended = tailor("run", *rows, "--set", one, "--set", base, "--json", "-w", root)
    assert {row["row"]: row["builds_on"] for row in ended.json["stages"]} == {
        "prompting": None, "few_shot": "prompting", "prompting:brief": "prompting",
        "few_shot:2": "prompting",
    }  # fmt: skip
    table = tailor("compare", "-w", root).out
    assert "Builds on" in table
    assert "Dựa trên" in tailor("compare", "-w", root, "--lang", "vi").out
    assert tailor("run", "-w", root).out.count("prompting:brief") == 1
    assert tailor("ask", "How are refunds paid?", "-s", "prompting:brief", "-w", root).code == 0


def test_stages_in_python_are_rows_too(hosted: Workspace, model: Model) -> None:
    runs = hosted.climb([FewShot(shots=1), Prompting(), FewShot(shots=2)], carry="best")
    assert [run.row for run in runs] == ["few_shot", "prompting", "few_shot:2"]
    assert [run.on for run in runs] == ["best"] * 3


def test_the_ladder_in_the_file_is_changed_row_by_row(twice: Workspace) -> None:
    def now() -> Workspace:
        return Workspace(twice.root)

    assert ladder_file.add(twice, "retrieval") == "retrieval"
    assert ladder_file.duplicate(now(), "prompting:brief") == "prompting:2"
    assert now().config.ladder == (*LADDER, "prompting:2", "retrieval")
    assert now().stage("prompting:2").settings()["instructions"] == "Be brief."
    assert now().config.builds_on == {"prompting:brief": "prompting", "prompting:2": "prompting"}
    ladder_file.move(now(), "retrieval", -1)
    ladder_file.build_on(now(), "retrieval", "best")
    assert now().config.ladder == (*LADDER, "retrieval", "prompting:2")
    assert ladder_file.bases(now(), "few_shot") == ("previous", "best", "prompting")
    assert ladder_file.bases(now(), "baseline") == ()
    with pytest.raises(UsageError, match="builds on prompting, which does not come before it"):
        ladder_file.remove(now(), "prompting")
    with pytest.raises(UsageError, match="builds on prompting, which does not come before it"):
        ladder_file.move(now(), "prompting", 9)
    with pytest.raises(UsageError, match="has no row 'x'"):
        ladder_file.move(now(), "x", 1)
    ladder_file.build_on(now(), "retrieval", "previous")
    for row in ("prompting:2", "retrieval"):
        ladder_file.remove(now(), row)
    assert now().config == twice.config


def test_the_last_row_stays(configure: Configure) -> None:
    with pytest.raises(UsageError, match="the only row of the ladder"):
        ladder_file.remove(configure(ladder=["prompting"]), "prompting")


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([Row("a", Prompting()), Row("a", FewShot())], "Two rows are called a"),
        ([Row("a", Prompting(), on="b"), Row("b", FewShot())], "a builds on b, which does not"),
        ([Prompting(), Row("a", FewShot())], "stages or rows, not some of each"),
    ],
)
def test_rows_in_python_have_to_be_a_ladder(hosted: Workspace, rows: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        hosted.climb(rows)


def test_rows_in_python_have_ids_and_bases_of_their_own(hosted: Workspace, model: Model) -> None:
    runs = hosted.climb(
        [
            Row("prompting", Prompting()),
            Row("few_shot", FewShot(shots=1)),
            Row("few_shot:more", FewShot(shots=3), on="prompting"),
        ]
    )
    assert [run.previous for run in runs] == [None, "prompting", "prompting"]
