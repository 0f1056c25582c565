"""Trainings at a service on the page Stages, without a browser and without a service."""

from __future__ import annotations

import os
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tailor.training.hosted.record import HostedJob, begun, keep
from tailor.training.hosted.service import Event, Job
from tailor.workspace import Workspace

EVENTS = (
    Event("e1", 1_795_000_000, "The job is running"),
    Event("e2", 1_795_000_060, "Step 3/9", 3, 9, 1.25, 1.5),
)


def shown(workspace: Workspace, monkeypatch: pytest.MonkeyPatch, lang: str) -> tuple[str, AppTest]:
    spec = find_spec("tailor.ui.app")
    assert spec is not None
    assert spec.origin is not None
    monkeypatch.setenv("TAILOR_WORKSPACE", str(workspace.root))
    app = AppTest.from_file(spec.origin, default_timeout=60)
    app.query_params["lang"] = lang
    app.run()
    app.query_params["stage"] = "fine_tuning"
    app.switch_page("stages.py").run()
    assert not app.exception
    kinds = (app.info, app.warning, app.error, app.success, app.caption, app.markdown, app.code)
    said = "\n".join(str(each.value) for kind in kinds for each in kind).replace("\\", "")
    return said + "".join(str(each.proto.body) for each in app.get("html")), app


def job(state: Path) -> HostedJob:
    made = begun(
        state, "k" * 16, host="api.openai.com", base="gpt-4o-mini", method="supervised",
        epochs=3, lessons=120, held_out=12, tokens=54_000, cost_usd=0.16,
    )  # fmt: skip
    return keep(state, replace(made.with_job(Job("ftjob-1", "running")), events=EVENTS))


def test_a_job_in_both_languages_and_its_end(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    (workspace.root / "tailor.toml").write_text(
        'model = "openai:gpt-4o-mini"\nladder = ["fine_tuning"]\n'
        '[stages.fine_tuning]\nwhere = "openai"\n',
        "utf-8",
    )
    said, _ = shown(workspace, monkeypatch, "EN")
    assert "nobody can from 6 January 2027" in said
    made = job(workspace.state)
    said, app = shown(workspace, monkeypatch, "EN")
    assert "At api.openai.com: training." in said
    assert "$0.16" in said
    assert "Step 3/9" in said
    assert f"tailor training cancel {made.id}" in said
    assert {"hosted cancel", "hosted look"} <= {button.key for button in app.button}
    said, _ = shown(workspace, monkeypatch, "VI")
    assert "Tại api.openai.com: đang huấn luyện." in said
    assert "0,16" in said
    ended = replace(made.with_job(Job("ftjob-1", "on_holiday", "", "")), events=EVENTS)
    keep(workspace.state, ended)
    said, _ = shown(workspace, monkeypatch, "EN")
    assert "the service says “on_holiday”" in said
    keep(workspace.state, made.with_job(Job("ftjob-1", "failed", "", "Out of *money*", 10), 3.0))
    said, app = shown(workspace, monkeypatch, "EN")
    assert "The service says: Out of *money*" in said
    assert "hosted cancel" not in {button.key for button in app.button}
    assert os.environ["OPENAI_API_KEY"] not in said
