"""Commands that a sentence names work as they stand: they name the workspace that was given."""

import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from tailor.cli.hints import COMMANDS, with_workspace
from tailor.cli.main import app
from tailor.workspace import Workspace


def commands(one: Any, path: str = "") -> dict[str, set[str]]:
    """Every command with its options."""
    found = {path: {name for option in one.params for name in option.opts}}
    for name, below in getattr(one, "commands", {}).items():
        found |= commands(below, f"{path} {name}".strip())
    return found


def test_all_commands_that_take_a_workspace_are_known() -> None:
    takes = {name for name, options in commands(typer.main.get_command(app)).items()
             if "--workspace" in options}  # fmt: skip
    assert takes - {"demo", "playground"} == set(COMMANDS)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["ask", "x", "-w", "my acme"], "run `tailor ingest -w 'my acme'` first"),
        (["ask", "x", "--workspace=acme"], "run `tailor ingest -w acme` first"),
        (["ask", "x"], "run `tailor ingest` first"),
        (["ask", "x", "-w", "."], "run `tailor ingest` first"),
    ],
)
def test_the_workspace_is_the_one_that_was_given(
    monkeypatch: pytest.MonkeyPatch, given: list[str], told: str
) -> None:
    monkeypatch.setattr(sys, "argv", ["tailor", *given])
    assert with_workspace("run `tailor ingest` first") == told


def test_what_has_no_workspace_or_one_of_its_own_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["tailor", "ask", "x", "-w", "acme"])
    for sentence in (
        "make one with `tailor init DIR`", "Next: tailor demo", "tailor export safetensors DIR",
        "Next: tailor ui -w other", "For instance: tailor run all -w other --max-cost 2",
        "a tailor runs the shop", "llm-tailor[scale]",
    ):  # fmt: skip
        assert with_workspace(sentence) == sentence


@pytest.mark.parametrize(
    ("sentence", "told"),
    [
        ("`tailor run a` says why.", "`tailor run a -w acme` says why."),
        (
            "Next: tailor compare, or tailor report",
            "Next: tailor compare -w acme, or tailor report -w acme",
        ),
        (
            "Run it: tailor run x:2 --set a=b,c. Then",
            "Run it: tailor run x:2 --set a=b,c -w acme. Then",
        ),
        (
            "tailor benchmark approve ID... (or --all)",
            "tailor benchmark approve ID... -w acme (or --all)",
        ),
        (
            "`tailor training` lists all; tailor training resume",
            "`tailor training -w acme` lists all; tailor training resume -w acme",
        ),
        ("`tailor benchmark human import FILE`", "`tailor benchmark human import FILE -w acme`"),
    ],
)
def test_the_workspace_stands_behind_the_command(
    monkeypatch: pytest.MonkeyPatch, sentence: str, told: str
) -> None:
    monkeypatch.setattr(sys, "argv", ["tailor", "ask", "x", "-w", "acme"])
    assert with_workspace(sentence) == told


def test_hints_of_commands_and_of_errors_work_as_they_stand(
    tailor: Any, workspace: Workspace, tmp_path: Path
) -> None:
    root = workspace.root
    assert f"run `tailor ingest -w {root}`" in tailor("search", "leave", "-w", root).sentence
    assert f"tailor run all -w {root}" in tailor("compare", "-w", root).sentence
    assert f"Next: tailor search QUESTION -w {root}, or" in tailor("ingest", "-w", root).err
    assert f"then tailor ingest -w {tmp_path}" in tailor("init", tmp_path / "new").err
