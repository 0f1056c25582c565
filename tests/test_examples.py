"""Every script in examples/ runs as it stands, and shows what it promises."""

from __future__ import annotations

import re
import runpy
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tailor.assistant import Ask
from tailor.workspace import Workspace

EXAMPLES = Path(__file__).parents[1] / "examples"
Run = Callable[[str], str]


@pytest.fixture
def example(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Runs a script where the workspace is called acme, and gives what it printed."""
    monkeypatch.chdir(workspace.root.parent)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("OPENAI_API_KEY", "any")

    def run(name: str) -> str:
        runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
        return capsys.readouterr().out.replace("\\_", "_")  # Markdown

    return run


def scores(table: str) -> dict[str, float]:
    """The score of each row, in percent."""
    return {
        row: float(score) for row, score in re.findall(r"^\| (.+?) \| ([\d.]+)% \(", table, re.M)
    }


def test_each_is_in_the_list_and_tested() -> None:
    listed = re.findall(r"^- \[(\w+)\.py\]\(\1\.py\): ", (EXAMPLES / "README.md").read_text(), re.M)
    tested = {name.removeprefix("test_the_example_") for name in globals()}
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(listed)
    assert set(listed) <= tested


@pytest.mark.usefixtures("hosted")
def test_the_example_ladder(example: Run) -> None:
    assert len((EXAMPLES / "ladder.py").read_text("utf-8").splitlines()) <= 15
    told = example("ladder")
    found = scores(told)
    assert list(found) == ["baseline", "prompting", "few_shot", "retrieval"]
    assert found["baseline"] < found["prompting"] == 100
    assert "on 6 test questions" in told.splitlines()[-1]


@pytest.mark.usefixtures("hosted")
def test_the_example_own_retriever(example: Run) -> None:
    told = example("own_retriever")
    assert scores(told) == {"prompting": 100, "retrieval": 100, "own_retriever": 100}
    (line,) = (line for line in told.splitlines() if line.startswith("| own_retriever"))
    assert line.split(" | ")[3] == "100.0%", "its passages hold the evidence, by their spans"


def test_the_own_retriever_is_a_stage_of_a_workspace(workspace: Workspace) -> None:
    (workspace.root / "stages").mkdir()
    shutil.copy(EXAMPLES / "own_retriever.py", workspace.root / "stages")
    (workspace.root / "tailor.toml").write_text("workspace_stages = true\n", "utf-8")
    workspace = Workspace(workspace.root)
    workspace.ingest()
    root, fingerprints = workspace.root_assistant(), set()
    for k in ("2", "3"):
        fitted = workspace.stage("own_retriever", {"k": k}).apply(root, workspace)
        found = fitted.prompt(Ask("How long is the warranty? Goods may be returned")).passages
        assert [len(found), found[0].document] == [int(k), "sales/refunds.md"]
        fingerprints.add(fitted.fingerprint)
    assert len(fingerprints) == 2


def test_the_example_two_providers(example: Run) -> None:
    found = scores(example("two_providers"))
    reads, knows = (found[f"retrieval (openai:{m})"] for m in ("copies-a-line", "knows-one-answer"))
    assert len(found) == 4
    assert reads != knows
    assert found["prompting (openai:knows-one-answer)"] == knows, "it does not read passages"
    assert found["prompting (openai:copies-a-line)"] < reads, "without any it has nothing to copy"


@pytest.mark.usefixtures("hosted")
def test_the_example_export_and_reload(example: Run) -> None:
    written, answered = example("export_and_reload").splitlines()
    assert written == "acme_assistant holds 5 passages and asks openai:double."
    assert answered.startswith("12 days ['hr/leave.md'")
