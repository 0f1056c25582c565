"""Processes killed, or failed by the disk, at every durable step: nothing is lost or doubled.

Thousands of kills, and those of trainings: ``python tests/faults/kills.py --kills 1000``.
"""

from __future__ import annotations

import ast
import json
import os
import secrets
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import tailor
from tailor import fault
from tailor.errors import UsageError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")

PROGRAM = Path(__file__).with_name("kills.py")
EACH = 3
FIRST = {"artifact.before", "job.before", "checkpoint.before"}
"""Before these a training has done nothing for good in its process."""
FAILING = 34
"""Points at which a disk can fail, those of trainings left out."""


def _killed(kills: int, only: tuple[str, ...], kind: str = "kill") -> dict[str, Any]:
    """The figures of each scenario; where something is wrong, the seed is in the message."""
    seed = secrets.randbelow(10**6)
    done = subprocess.run(
        [
            sys.executable, str(PROGRAM), "--json", "--kills", str(kills), "--seed", str(seed),
            "--kind", kind, "--only", *only,
        ],
        capture_output=True, text=True, timeout=280,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.stdout, done.stderr
    figures: dict[str, Any] = json.loads(done.stdout)
    told = f"seed {seed}: {json.dumps(figures, indent=1)[:8000]}"
    assert done.returncode == 0, told
    for own in figures.values():
        assert own["lost"] == [], told
        assert own["unreached"] == 0, told
        assert own["again"] <= own["again_most"], told
        early = {point for point, times in own["silent"].items() if times}
        assert early <= FIRST, told  # every other one had done something for good
        assert own["acknowledged"] >= own["kills"], told
        assert own["found"] > 0, told
        assert own["opened"] > 0, told
    assert sum(own["kills"] for own in figures.values()) == kills, told
    return figures


def test_forty_points_three_kills_each() -> None:
    """Ingestion, runs, what stages make and exports: rows 1, 2, 3 and 5 of the matrix."""
    figures = _killed(40 * EACH, ("ingestion", "running", "writing.artifact", "writing.folder"))
    times = Counter[str]()
    for own in figures.values():
        times.update(own["by_point"])
    assert len(times) == 40
    assert set(times.values()) == {EACH}


def test_a_failing_disk_is_one_sentence_at_every_point() -> None:
    """Full or broken at each write: it is said, and the next run goes on (row 6)."""
    disk = [name for name in fault.POINTS if not name.endswith(".after")]
    scenarios = ("ingestion", "running", "writing")
    figures = _killed(FAILING, scenarios, secrets.choice(("enospc", "eio")))
    failed = [point for own in figures.values() for point in own["by_point"]]
    assert len(failed) == len(set(failed)) == FAILING
    assert set(failed) <= set(disk)


@pytest.mark.slow
def test_trainings_go_on() -> None:
    figures = _killed(14 * EACH, ("training",))
    assert len(figures["training"]["by_point"]) == 14


def _named() -> Counter[str]:
    """Every point that the source hits."""
    found = Counter[str]()
    for file in Path(tailor.__file__).parent.rglob("*.py"):
        text = file.read_text("utf-8")
        if "hit(" not in text or "tailor.fault" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "hit":
                (name, *_) = node.args
                assert isinstance(name, ast.Constant), file
                found[str(name.value)] += 1
    return found


def test_every_point_is_somewhere_and_every_hit_is_a_point() -> None:
    named = _named()
    assert set(named) == set(fault.POINTS)
    assert len(set(fault.POINTS)) == len(fault.POINTS)


@pytest.mark.parametrize(
    "armed",
    ["answer.befor:1:kill", "answer.before:0:kill", "answer.before:1:die", "answer.before",
     "answer.before:x:kill", "answer.after:1:enospc"],
)  # fmt: skip
def test_a_fault_that_is_none_is_refused(armed: str) -> None:
    with pytest.raises(UsageError, match="names no fault"):
        fault.arm(armed)
    fault.hit("answer.before")  # and nothing is armed


def test_nothing_happens_where_nothing_is_armed() -> None:
    for name in fault.POINTS:
        fault.hit(name)


def test_the_variable_arms_a_process() -> None:
    """A misspelt fault is a sentence of the command, too."""
    for armed, code, said in (("json.before:1:raise", 0, ""), ("x:1:kill", 1, "names no fault")):
        done = subprocess.run(
            [sys.executable, "-c", "from tailor.cli.main import main; main()", "--version"],
            capture_output=True, text=True, env={**os.environ, "TAILOR_FAULT": armed},
        )  # fmt: skip
        assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stderr
        assert said in done.stderr
