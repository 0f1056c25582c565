"""The page Stages without a browser: the form of the settings, the squares, what is said."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import pytest
from streamlit.testing.v1 import AppTest

from tailor.assistant import Answer, Assistant
from tailor.benchmark import Question
from tailor.config import Config
from tailor.run import all_runs
from tailor.settings import setting
from tailor.stage import Stage, stage_types
from tailor.ui.stage_run import squares
from tailor.ui.stage_settings import arranged, typed
from tailor.workspace import Workspace


@pytest.fixture
def copied(with_runs: Workspace, tmp_path: Path) -> Workspace:
    shutil.copytree(with_runs.root, tmp_path / "acme")
    return Workspace(tmp_path / "acme")


def opened(
    workspace: Workspace, stage: str, monkeypatch: pytest.MonkeyPatch, lang: str = "EN"
) -> AppTest:
    spec = find_spec("tailor.ui.app")
    assert spec is not None
    assert spec.origin is not None
    monkeypatch.setenv("TAILOR_WORKSPACE", str(workspace.root))
    app = AppTest.from_file(spec.origin, default_timeout=60)
    app.query_params["lang"] = lang
    app.run()
    app.query_params["stage"] = stage
    app.switch_page("stages.py").run()
    assert not app.exception
    return app


def commands(app: AppTest) -> str:
    return "\n".join(code.value for code in app.code)


def said(app: AppTest) -> str:
    kinds = (app.info, app.warning, app.error, app.caption, app.markdown)
    return "\n".join(str(each.value) for kind in kinds for each in kind).replace("\\", "")


def test_a_setting_holds_for_one_run_until_it_is_saved(
    copied: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = opened(copied, "retrieval", monkeypatch)
    k = next(field for field in app.number_input if field.label.startswith("`k`"))
    assert (k.value, k.min) == (4, 1)
    k.set_value(2).run()
    assert "tailor run retrieval --set retrieval.k=2 -w" in commands(app)
    assert Config.load(copied.root / "tailor.toml").stages == {}
    assert any("next run" in html.proto.body for html in app.get("html"))

    next(button for button in app.button if button.key == "save retrieval").click().run()
    assert Config.load(copied.root / "tailor.toml").stages == {"retrieval": {"k": 2}}
    assert "--set" not in commands(app)
    assert (copied.root / "tailor.toml").read_text("utf-8").startswith('model = "openai:double"')
    assert not app.exception


def test_a_value_that_the_stage_refuses_is_told_and_nothing_runs(
    copied: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = opened(copied, "prompting", monkeypatch)
    file = copied.root / "tailor.toml"
    file.write_text(file.read_text("utf-8").replace('"retrieval"]', '"retrieval_tuning"]'), "utf-8")
    app = opened(copied, "retrieval_tuning", monkeypatch)
    sizes = next(field for field in app.text_input if field.label.startswith("`sizes`"))
    sizes.set_value("90, many").run()
    assert "retrieval_tuning.sizes: 'many' is not a whole number." in said(app)
    assert next(button for button in app.button if button.key == "run").disabled
    sizes = next(field for field in app.text_input if field.label.startswith("`sizes`"))
    sizes.set_value("90,220").run()
    assert "--set retrieval_tuning.sizes=90,220" in commands(app)


@pytest.mark.parametrize("lang", ["EN", "VI"])
def test_a_stage_that_trains_says_what_it_lacks(
    copied: Workspace, lang: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = copied.root / "tailor.toml"
    file.write_text(file.read_text("utf-8").replace('"retrieval"]', '"fine_tuning"]'), "utf-8")
    app = opened(copied, "fine_tuning", monkeypatch, lang)
    assert ("not on this machine" if lang == "EN" else "không nằm trên máy này") in said(app)
    assert next(button for button in app.button if button.key == "run").disabled
    assert not next(button for button in app.button if button.key == "all").disabled
    file.write_text(file.read_text("utf-8").replace('"openai:double"', '"shipped"'), "utf-8")
    app = opened(copied, "fine_tuning", monkeypatch, lang)
    assert not next(button for button in app.button if button.key == "run").disabled


def test_errors_are_named_and_notes_are_shown(
    copied: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = all_runs(copied)[-1]
    run = replace(run, fingerprint="other", id="other", sequence=99, notes=("2 were left out.",))
    copied.answers.keep_answer(
        "other", copied.benchmark.keys["leave-1"], Answer("error", error="timeout: <b>late</b>")
    )
    run.save(replace(all_runs(copied)[-1].state(), status="failed", message="The key is wrong."))
    app = opened(copied, run.row, monkeypatch)
    shown = "".join(html.proto.body for html in app.get("html"))
    assert "Errors of kind timeout: 1." in shown
    assert "&lt;b&gt;late&lt;/b&gt;" in shown
    assert "2 were left out." in said(app)
    assert "The key is wrong." in said(app)
    assert any("Resume" in button.label for button in app.button)


def test_squares_of_many_questions_stay_light() -> None:
    questions = [Question(f"q{n}", f"Question {n}?", ("yes",)) for n in range(533)]
    scores = {q.id: (None, 0.0, 1.0, 1.0)[n % 4] for n, q in enumerate(questions[:400])}
    shown = squares(questions, scores)
    assert shown.count("■") == 200
    assert shown.count("□") == shown.count("!") == 100
    assert shown.count("·") == 133
    assert len(shown.encode()) < 15_000


@dataclass(frozen=True)
class EveryKind(Stage):
    """A setting of every kind."""

    switch: bool = setting(True, "a switch")
    choice: Literal["a", "b"] = setting("b", "a choice")
    number: int | None = setting(None, "a number or none")
    sizes: tuple[float, ...] = setting((0.5, 1e-6), "sizes")
    rate: float = setting(5e-4, "a rate", low=0, high=1)

    def apply(self, assistant: Assistant, workspace: Workspace) -> Assistant:
        """The same."""
        return assistant


@pytest.mark.parametrize("stage", [EveryKind, *stage_types().values()], ids=lambda s: s.__name__)
def test_what_is_shown_of_a_setting_is_read_back_the_same(stage: type[Stage]) -> None:
    settings = stage().settings()
    again = stage.with_settings({name: typed(value) for name, value in settings.items()})
    assert again == stage()


@pytest.mark.parametrize(
    ("lang", "words"), [("EN", "waiting 12 s, try 3"), ("VI", "đang chờ 12 giây, lần thử thứ 3")]
)
def test_a_run_that_waits_for_the_provider_says_so(
    copied: Workspace, monkeypatch: pytest.MonkeyPatch, lang: str, words: str
) -> None:
    run = all_runs(copied)[-1]
    state = replace(run.state(), status="running", pid=os.getpid(), wait_s=12, attempt=3)
    run.save(state)
    app = opened(copied, run.row, monkeypatch, lang)
    assert words in "".join(html.proto.body for html in app.get("html"))
    run.save(replace(state, wait_s=0))
    app = opened(copied, run.row, monkeypatch, lang)
    assert words not in "".join(html.proto.body for html in app.get("html"))


def test_settings_that_most_people_change_come_first(
    copied: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    for stage in stage_types().values():
        first, rest = arranged(stage())
        assert {f.name for f in (*first, *rest)} == stage().settings().keys()
        assert len(first) <= 10
    app = opened(copied, "retrieval", monkeypatch)
    labels = [each.label for each in app.expander]
    assert {"Settings (6)", "More settings (9)"} <= set(labels)
    assert "Other settings, as they are by default: 9" in said(app)


def test_a_row_whose_stage_is_gone_is_named(
    copied: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in (copied.state / "runs").glob("prompting-*/record.json"):
        record = json.loads(file.read_text("utf-8")) | {"row": "polite"}
        record["lineage"][-1] |= {"row": "polite", "stage": "polite"}
        file.write_text(json.dumps(record), "utf-8")
    app = opened(copied, "retrieval", monkeypatch)
    assert not app.error
    assert "their stage is no longer there: polite." in said(app)


def test_a_row_that_a_run_passed_over_says_why(
    copied: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    (copied.state / "logs").mkdir(exist_ok=True)
    told = (
        "few_shot: left out. few_shot shows 4 examples but the benchmark has 2 train questions: "
        "share them out evenly with `tailor benchmark split`, add questions with "
        '"split": "train", or set few_shot.shots lower.'
    )
    (copied.state / "logs" / "run-all-1.log").write_text(f"prompting: ask 2/2\n{told}\n", "utf-8")
    file = copied.root / "tailor.toml"
    file.write_text(file.read_text("utf-8").replace('"retrieval"]', '"few_shot"]'), "utf-8")
    assert told in said(opened(copied, "few_shot", monkeypatch))
    assert "chỉ có 2 câu train" in said(opened(copied, "few_shot", monkeypatch, "VI"))
    assert "left out" not in said(opened(copied, "prompting", monkeypatch))
