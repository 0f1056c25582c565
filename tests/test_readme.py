"""What the README shows is what runs."""

import re
import tomllib
from pathlib import Path

import pytest

from tailor.benchmark import Benchmark
from tailor.config import Config
from tailor.workspace import Workspace

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_lines_of_the_python_face(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(workspace.root.parent)
    exec(compile(blocks("python")[0], "README.md", "exec"), {})
    out = capsys.readouterr().out
    assert "hr/leave.md" in out
    for row in ("prompting", "few_shot", "retrieval"):
        assert row in out.replace("\\_", "_")  # Markdown


def test_the_stage_of_ones_own(workspace: Workspace) -> None:
    (workspace.root / "stages").mkdir()
    (workspace.root / "stages" / "polite.py").write_text(blocks("python")[1], "utf-8")
    (workspace.root / "tailor.toml").write_text("workspace_stages = true\n", "utf-8")
    opened = Workspace(workspace.root)
    stage = opened.stage("polite", {"word": "kindly"})
    assistant = stage.apply(opened.root_assistant(), opened)
    assert assistant.instructions.endswith("kindly.")


def test_the_benchmark_line(tmp_path: Path) -> None:
    path = tmp_path / "benchmark.jsonl"
    for line in blocks("json"):
        path.write_text(line, "utf-8")
        assert not Benchmark.load(path).problems


def test_the_settings(tmp_path: Path) -> None:
    path = tmp_path / "tailor.toml"
    for text in blocks("toml"):
        path.write_text(text, "utf-8")
        Config.load(path)


def test_the_defaults_of_the_settings() -> None:
    shown = tomllib.loads(blocks("toml")[0])
    for key in ("passage_size", "passage_overlap", "passage_strategy"):
        assert shown[key] == getattr(Config(), key)


def test_every_command_exists() -> None:
    from typer.main import get_command

    from tailor.cli.main import app

    known = set(get_command(app).commands)  # type: ignore[attr-defined]
    verb = re.compile(r"(?:^|/|\s)tailor ([a-z][a-z-]*)")
    shown = {match for block in blocks("sh") for match in verb.findall(block)}
    assert shown <= known
