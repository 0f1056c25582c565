"""What the pages Overview and Settings do, without a browser."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tailor.config import Config, Goal
from tailor.errors import TailorError
from tailor.initialize import copy_sample
from tailor.scoring.goal import sentence
from tailor.ui import started
from tailor.workspace import Workspace

Show = Callable[[Path, str], AppTest]


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch) -> Show:
    def show(root: Path, page: str) -> AppTest:
        monkeypatch.setenv("TAILOR_WORKSPACE", str(root))
        spec = find_spec("tailor.ui.app")
        assert spec is not None
        assert spec.origin is not None
        app = AppTest.from_file(spec.origin, default_timeout=60).run()
        return app if page == "overview" else app.switch_page(f"{page}.py").run()

    return show


def button(app: AppTest, label: str) -> AppTest:
    return next(one for one in app.button if one.label == label).click().run()


def plain(app: AppTest) -> str:
    kinds = (app.markdown, app.info, app.success, app.warning, app.error, app.caption, app.text)
    return "\n".join(str(element.value) for kind in kinds for element in kind).replace("\\", "")


def test_the_sample_is_loaded_and_read_by_one_click(tmp_path: Path, show: Show) -> None:
    app = button(show(tmp_path, "overview"), "Load the sample company")
    assert not app.exception
    try:
        assert (tmp_path / "knowledge" / "benchmark.jsonl").stat().st_size > 0
        assert "Load the sample company" not in [one.label for one in app.button]
        end = time.monotonic() + 60
        while (tmp_path / ".tailor" / "ingest.json").exists() is False:
            assert time.monotonic() < end, "nothing is read"
            assert started.ingestions()[-1].alive or (tmp_path / ".tailor" / "index").exists()
            time.sleep(0.1)
    finally:
        for job in started.ingestions():
            job.process.kill()
            job.process.wait()


def test_the_sample_does_not_mix_with_documents(tmp_path: Path) -> None:
    (tmp_path / "knowledge").mkdir()
    (tmp_path / "knowledge" / "own.md").write_text("Ours.\n", "utf-8")
    with pytest.raises(TailorError, match="holds files already"):
        copy_sample(Workspace(tmp_path))
    assert [path.name for path in (tmp_path / "knowledge").iterdir()] == ["own.md"]


def test_the_next_step_is_one_after_the_other(tmp_path: Path, show: Show) -> None:
    (tmp_path / "knowledge").mkdir()
    (tmp_path / "knowledge" / "note.md").write_text("The door code is 4711.\n", "utf-8")
    assert primary(show(tmp_path, "overview")) == ["Read the documents"]
    Workspace(tmp_path).ingest()
    assert primary(show(tmp_path, "overview")) == ["Add questions"]
    line = {"question": "What is the door code?", "answer": "4711", "split": "test"}
    (tmp_path / "knowledge" / "benchmark.jsonl").write_text(json.dumps(line) + "\n", "utf-8")
    assert primary(show(tmp_path, "overview")) == ["Run all stages"]


def primary(app: AppTest) -> list[str]:
    assert not app.exception
    assert not app.error
    return [one.label for one in app.button if one.proto.type == "primary"]


def test_the_goal_is_kept_in_the_file_and_told(with_runs: Workspace, show: Show) -> None:
    file = with_runs.root / "tailor.toml"
    before = file.read_bytes()
    try:
        app = show(with_runs.root, "overview")
        app.text_area[0].set_value("Answer *new* colleagues")
        app.number_input[0].set_value(50.0)
        app.number_input[2].set_value(9.5)
        app = button(app, "Save the goal")
        assert not app.exception
        goal = Goal("Answer *new* colleagues", 0.5, None, 9.5)
        assert Config.load(file).goal == goal
        from tailor.run import compare

        told = sentence(compare(with_runs.runs()).rows, goal, "en")
        assert told
        assert told in plain(app)
        assert "Answer *new* colleagues" in [text.value for text in app.text]
    finally:
        file.write_bytes(before)


def test_settings_are_saved_where_they_differ(tmp_path: Path, show: Show) -> None:
    file = tmp_path / "tailor.toml"
    file.write_text("# ours\nretries = 2  # enough\n", "utf-8")
    app = show(tmp_path, "settings")
    field = {one.label: one for one in (*app.text_input, *app.number_input, *app.selectbox)}
    field["model"].set_value("ollama:qwen3")
    field["passage_size"].set_value(100)
    field["temperature"].set_value(None)
    app = button(app, "Save")
    assert not app.exception
    assert "Saved: model, temperature, passage_size." in plain(app)
    assert "Passages are made anew" in plain(app)
    config = Config.load(file)
    assert (config.model, config.temperature, config.passage_size) == ("ollama:qwen3", None, 100)
    assert file.read_text("utf-8").startswith("# ours\nretries = 2  # enough\n")


def test_a_setting_that_config_refuses_is_a_sentence(tmp_path: Path, show: Show) -> None:
    app = show(tmp_path, "settings")
    {one.label: one for one in app.text_input}["base_url"].set_value("nowhere")
    app = button(app, "Save")
    assert "'nowhere' is no address" in app.error[0].value.replace("\\", "")
    assert not (tmp_path / "tailor.toml").exists()


def test_keys_are_named_and_never_shown(
    tmp_path: Path, show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "very-secret-value")
    monkeypatch.delenv("GROQ_API_KEY", raising=False)
    app = show(tmp_path, "settings")
    rows = app.dataframe[-1].value.to_numpy().tolist()
    states = {row[1]: row[2] for row in rows}
    assert states["OPENAI_API_KEY"] == "✓ set"
    assert states["GROQ_API_KEY"] == "– not set"
    assert "very-secret-value" not in str(app.main)
