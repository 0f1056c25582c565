"""Stages of installed packages work like files in stages/; a broken one stops no other."""

from __future__ import annotations

import importlib
import runpy
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import tailor.stages
from tailor.stage import broken_plugins, stage_types
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Command, Model

STAGE = '''
from __future__ import annotations

from dataclasses import dataclass, replace

from tailor.assistant import Assistant
from tailor.settings import setting
from tailor.stage import Stage
from tailor.workspace import Workspace


@dataclass(frozen=True)
class AcmeStyle(Stage):
    """Asks for the style of Acme."""

    style: str = setting("plain", "how answers are written")

    def apply(self, assistant: Assistant, workspace: Workspace) -> Assistant:
        return replace(assistant, instructions=f"Answer in {self.style} style.")
'''


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Puts a package with entry points into a folder, as pip would, and that on Python's path."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))

    def put(name: str, text: str, points: dict[str, str]) -> None:
        (site / f"{name}.py").write_text(text, "utf-8")
        about = site / f"{name}-1.0.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        lines = "".join(f"{key} = {value}\n" for key, value in points.items())
        (about / "entry_points.txt").write_text(f"[tailor.stages]\n{lines}")
        importlib.invalidate_caches()
        monkeypatch.delitem(sys.modules, name, raising=False)

    return put


def test_a_stage_of_a_package_is_one_like_the_others(
    install, hosted: Workspace, model: Model, tailor: Command
) -> None:
    install("acme_stages", STAGE, {"acme_style": "acme_stages:AcmeStyle"})
    assert "acme_style" in stage_types()
    assert hosted.stage("acme_style", {"style": "formal"}).settings() == {"style": "formal"}
    hosted.ingest()
    conforms = runpy.run_path(str(Path(__file__).with_name("test_stage.py")))
    assert "acme_style" in conforms["TYPES"]
    conforms["test_a_stage_is_a_frozen_dataclass_named_like_its_file"]("acme_style")
    conforms["test_every_setting_has_a_default_and_a_meaning"]("acme_style")
    conforms["test_a_stage_says_what_it_does"]("acme_style")
    conforms["test_apply_returns_a_new_assistant"]("acme_style", hosted)
    listed = tailor("run", "-w", hosted.root).out
    assert "Asks for the style of Acme." in listed
    ended = tailor(
        "run", "acme_style", "-w", hosted.root, "--set", "acme_style.style=formal", "--json"
    )
    assert [row["row"] for row in ended.json["stages"]] == ["acme_style"]
    system = model.server.requests[0].messages[0]
    assert str(system["content"]).startswith("Answer in formal style.")


@pytest.mark.parametrize(
    ("text", "target", "says"),
    [
        ("import no_such_module", "AcmeStyle", "cannot be loaded (ModuleNotFoundError"),
        ("raise SystemError('x\\ny')", "AcmeStyle", "cannot be loaded (SystemError: x y)"),
        (STAGE, "Missing", "cannot be loaded (AttributeError"),
        ("AcmeStyle = 3", "AcmeStyle", "acme_broken:AcmeStyle is no subclass of Stage"),
        (STAGE.replace("def apply", "def aply"), "AcmeStyle", "does nothing: define its `apply`"),
        (STAGE.replace("AcmeStyle", "Other"), "Other", "the name of Other is other"),
        (
            STAGE.replace("@dataclass(frozen=True)\n", ""),
            "AcmeStyle",
            "AcmeStyle is no frozen dataclass",
        ),
    ],
    ids=["import", "raises", "missing", "no class", "no apply", "name", "no dataclass"],
)
def test_a_broken_one_is_a_sentence_and_the_others_go_on(
    install, hosted: Workspace, tailor: Command, text: str, target: str, says: str
) -> None:
    install("acme_broken", text, {"acme_style": f"acme_broken:{target}"})
    good = STAGE.replace("AcmeStyle", "GoodStyle")
    install("acme_good", good, {"good_style": "acme_good:GoodStyle"})
    assert {"good_style", "prompting"} <= stage_types().keys()
    assert "acme_style" not in stage_types()
    reason = broken_plugins()["acme_style"]
    assert says in reason
    assert reason.startswith("The stage acme_style of the package acme_broken cannot be used: ")
    assert "\n" not in reason
    ended = tailor("run", "acme_style", "-w", hosted.root)
    assert ended.code == 2
    assert says in ended.sentence
    ended = tailor("run", "good_style", "-w", hosted.root)
    assert ended.code == 0
    assert f"left out: {reason}" in ended.err


def test_no_package_takes_the_name_of_a_stage(install) -> None:
    text = STAGE.replace("AcmeStyle", "Prompting")
    install("acme_prompting", text, {"prompting": "acme_prompting:Prompting"})
    assert stage_types()["prompting"] is tailor.stages.Prompting
    assert "there is a stage of the name prompting already" in broken_plugins()["prompting"]


def test_two_packages_with_one_name_are_told(install) -> None:
    for name in ("acme_one", "acme_two"):
        install(name, STAGE, {"acme_style": f"{name}:AcmeStyle"})
    assert stage_types()["acme_style"].__module__ == "acme_one"
    assert "of the package acme_two" in broken_plugins()["acme_style"]


def test_a_workspace_may_have_its_own_in_place_of_a_packages(install, workspace: Workspace) -> None:
    install("acme_stages", STAGE, {"acme_style": "acme_stages:AcmeStyle"})
    folder = workspace.root / "stages"
    folder.mkdir()
    (folder / "acme_style.py").write_text(STAGE, "utf-8")
    assert stage_types(folder)["acme_style"].__module__ != "acme_stages"
