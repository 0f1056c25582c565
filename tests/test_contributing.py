"""What CONTRIBUTING.md and CHANGELOG.md say of the repository is so."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)", GUIDE)
    assert len(links) > 15
    assert not [link for link in links if not (ROOT / link).exists()]


@pytest.mark.parametrize("house", re.findall(r"^(?:  )?([\w.]+(?:/\w*)*/)(?= )", GUIDE, re.M))
def test_every_folder_of_the_house_is_there(house: str) -> None:
    assert (ROOT / house).is_dir() or (ROOT / "platform" / "tailor" / house).is_dir()


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("FORMATS", "platform/tailor/documents/readers/__init__.py"),
        ("ANSWER_METRICS", "platform/tailor/scoring/score.py"),
        ("METRIC_VERSION", "platform/tailor/scoring/score.py"),
        ("PLAIN", "tests/scoring/test_score.py"),
        ("STEPS", "ui/app.py"),
        ("PAGES", "tests/ui/test_every_page.py"),
        ("PAGES", "tests/ui/screenshots.py"),
    ],
)
def test_the_names_to_extend_are_there(name: str, path: str) -> None:
    assert f"`{name}`" in GUIDE
    assert re.search(rf"^{name}\b.* = ", (ROOT / path).read_text("utf-8"), re.M)


def test_the_set_up_brings_what_the_hooks_run() -> None:
    (line,) = re.findall(r"^python3 -m venv .*$", GUIDE, re.M)
    assert "-e '.[test]'" in line
    brought = " ".join(PROJECT["project"]["optional-dependencies"]["test"])
    hooks = (ROOT / ".pre-commit-config.yaml").read_text("utf-8")
    assert re.findall(r"^ +entry: (\S+)", hooks, re.M) == ["ruff", "ruff", ".ci/types"]
    assert all(name in brought for name in ("pre-commit", "ruff", "mypy", "build"))


def test_the_programs_named_are_there() -> None:
    program = r"(?:python |`|^)(\.ci/\w+|(?:tests|docs)/[\w/]+\.py)"
    shown = set(re.findall(program, GUIDE, re.M))
    assert {".ci/run", ".ci/release", "tests/faults/kills.py"} <= shown
    assert not [name for name in shown if not (ROOT / name).is_file()]


def test_the_version_has_its_notes_and_versions_go_down() -> None:
    told = (ROOT / "CHANGELOG.md").read_text("utf-8")
    found = re.findall(r"^## \[(\d+\.\d+\.\d+)\] - (unreleased|\d{4}-\d\d-\d\d)$", told, re.M)
    versions = [tuple(map(int, version.split("."))) for version, _ in found]
    assert found[0][0] == PROJECT["project"]["version"]
    assert versions == sorted(set(versions), reverse=True)
    assert all(date != "unreleased" for _, date in found[1:])
    assert len(re.findall(r"^## ", told, re.M)) == len(found)
