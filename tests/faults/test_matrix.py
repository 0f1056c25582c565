"""Every fault of the matrix has tests, and the default run has them."""

from __future__ import annotations

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
ROW = re.compile(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \| ((?:`[\w/]+\.py::test_\w+` ?)+)\|$")
ROWS = [
    match
    for line in (TESTS / "faults" / "README.md").read_text("utf-8").splitlines()
    if line.startswith("| ") and (match := ROW.match(line))
]
ELSEWHERE = ("mark.slow", "mark.gpu", "mark.skip(")
"""Marks of what the default run leaves out, anywhere."""
PERHAPS = ("mark.browser", "geteuid")
"""Marks of what it leaves out without Chromium, or for root."""


def test_all_38_are_there() -> None:
    assert [int(row[1]) for row in ROWS] == list(range(1, 39))
    whole = (TESTS / "faults" / "README.md").read_text("utf-8")
    assert len(re.findall(r"^\| \d+ \|", whole, re.MULTILINE)) == 38


def test_the_default_run_has_all_but_slow_ones() -> None:
    settings = tomllib.loads((TESTS.parent / "pyproject.toml").read_text("utf-8"))
    options = settings["tool"]["pytest"]["ini_options"]
    assert options["testpaths"] == ["tests"]
    assert re.findall(r"-m '([^']*)'|(--ignore|--deselect|-k)", options["addopts"]) == [
        ("not slow", "")
    ]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[1]}-{row[2].strip()}")
def test_a_row_has_tests_that_run(row: re.Match[str]) -> None:
    surely = 0
    for named in re.findall(r"`([\w/]+\.py)::(test_\w+)`", row[4]):
        marks = _marks(TESTS / named[0]).get(named[1])
        assert marks is not None, f"there is no {named[0]}::{named[1]}"
        assert not [mark for mark in ELSEWHERE if mark in marks], f"{named} is not in the run"
        surely += not any(mark in marks for mark in PERHAPS)
    assert surely, "every test of it may be skipped"


@cache
def _marks(file: Path) -> dict[str, str]:
    """The marks of each test of a file, those of the whole file with it."""
    assert file.name.startswith("test_")
    tree = ast.parse(file.read_text("utf-8"))
    shared = " ".join(
        ast.unparse(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark"
    )
    return {
        node.name: f"{shared} {' '.join(map(ast.unparse, node.decorator_list))}"
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
    }
