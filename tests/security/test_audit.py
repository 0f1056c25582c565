"""The audit of dependencies: what is known, what is accepted and why, and when nothing is known."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

AUDIT = Path(__file__).resolve().parents[2] / ".ci" / "audit"
TODAY = date(2026, 11, 21)
judged = runpy.run_path(str(AUDIT))["judged"]


def package(name: str, *vulnerable: str) -> dict[str, Any]:
    found = [{"id": id, "aliases": ["GHSA-1"], "fix_versions": ["9"]} for id in vulnerable]
    return {"name": name, "version": "1", "vulns": found}


def skipped(name: str) -> dict[str, Any]:
    return {"name": name, "skip_reason": "not found on PyPI"}


def accepted(id: str, days: int = 1) -> dict[str, Any]:
    given = TODAY - timedelta(days=days)
    return {"id": id, "package": "a", "date": given, "reason": "not used"}


@pytest.mark.parametrize(
    ("packages", "acceptances", "code", "says"),
    [
        ([package("a"), package("b")], [], 0, "2 packages looked up: nothing to act on."),
        ([package("a", "CVE-1")], [], 1, "a 1: CVE-1, fixed in 9"),
        ([package("a", "CVE-1")], [accepted("CVE-1")], 0, "is accepted: not used"),
        ([package("a", "CVE-1")], [accepted("GHSA-1")], 0, "is accepted: not used"),
        ([package("b", "CVE-1")], [accepted("CVE-1")], 1, "b 1: CVE-1, fixed in 9"),
        ([package("a", "CVE-1")], [accepted("CVE-1", 181)], 1, "think it over again"),
        ([package("a")], [accepted("CVE-1")], 0, "not found any more"),
        ([package("a"), skipped("torch")], [], 0, "torch was not looked up: not found on PyPI"),
        ([skipped("a"), skipped("b"), package("c")], [], 3, "of 3 packages 1 were looked up"),
        ([skipped("a")], [], 3, "nothing is known"),
    ],
)
def test_what_a_report_means(
    packages: list[Any], acceptances: list[Any], code: int, says: str
) -> None:
    found, told = judged({"dependencies": packages}, acceptances, TODAY)
    assert found == code
    assert any(says in line for line in told), told


def test_the_command_judges_a_report(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    vulnerable = package("chromadb", "CVE-2026-45829")
    for packages, code in (([vulnerable], 0), ([package("a", "CVE-1")], 1), ([skipped("a")], 3)):
        report.write_text(json.dumps({"dependencies": packages}), "utf-8")
        done = subprocess.run(
            [sys.executable, AUDIT, "--report", report], capture_output=True, text=True, check=False
        )
        expired = "think it over again" in done.stdout  # as time goes by
        assert done.returncode == (1 if expired else code), done.stdout + done.stderr


def test_every_acceptance_has_a_reason_and_a_day() -> None:
    import tomllib

    for one in tomllib.loads(AUDIT.with_name("audit.toml").read_text("utf-8"))["accepted"]:
        assert one.keys() == {"id", "package", "date", "reason"}
        assert isinstance(one["date"], date)
        assert len(one["reason"]) > 20
