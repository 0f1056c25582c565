"""Adapters on the page Stages: before and after, the merge gate and the export, in both languages.

What is shown is written by hand, as nothing is trained or loaded for it.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tailor.run import write_json
from tailor.scoring.statistics import Interval, Paired
from tailor.training import adapters, before_after, gate
from tailor.training.before_after import BeforeAfter, Sample
from tailor.training.gate import Gate, Scored
from tailor.workspace import Workspace

MEASURED = BeforeAfter(
    12,
    Interval(1624.5, 1500, 1700, 12),
    Interval(3.25, 3, 4, 12),
    (Sample("Who signs *orders*?", "Mr Binh", "::::", "Mr Binh"),),
)
PLAIN = Interval(0.1, 0, 0.2, 12)
WHOLE, LOST = Interval(0.8, 0.7, 0.9, 12), Interval(0.75, 0.6, 0.85, 12)
GATE = Gate(
    "acme-r8", "f1", 0.01, 12, "4bit",
    (
        Scored("base", PLAIN, 0, 0, Paired(-0.7, -0.8, -0.6, 0.001, 12), "worse"),
        Scored("adapter", WHOLE, 0, 12, None, None),
        Scored("merged", WHOLE, 0, 12, Paired(0, -0.01, 0.01, 1, 12), "tie"),
        Scored("quantized", LOST, 0, 9, Paired(-0.05, -0.1, 0.0, 0.04, 12), "undecided"),
    ),
    ("quantized",),
)  # fmt: skip


def script(code: str, root: str) -> None:
    import streamlit as st

    from tailor.ui import adapters
    from tailor.workspace import Workspace

    st.session_state["lang"] = code.upper()
    adapters.part(Workspace(root))


@pytest.fixture
def acme(tmp_path: Path) -> Path:
    """A workspace with one adapter whose weights are a few bytes."""
    root, made = tmp_path / "acme", tmp_path / "made"
    for folder in (root, made):
        folder.mkdir()
    (made / adapters.WEIGHTS).write_bytes(b"weights")
    (made / "adapter_config.json").write_text(json.dumps({"r": 8}), "utf-8")
    adapters.describe(
        made, base="owner/model", data_digest="d", lessons=1480, settings={"rank": 8}, curve=()
    )
    adapters.register(Workspace(root), made, "acme-r8")
    return root


def shown(code: str, root: Path) -> str:
    app = AppTest.from_function(script, args=(code, str(root))).run()
    assert not app.exception
    kinds = (app.markdown, app.caption, app.code, app.button, app.error, app.warning, app.success)
    told = [str(getattr(each, "label", "") or each.value) for kind in kinds for each in kind]
    told += [table.value.to_string() for table in app.table]
    return "\n".join(told).replace("\\", "")


def measured(root: Path, told: Gate) -> None:
    place = adapters.adapter(Workspace(root)).place
    write_json(place / before_after.FILE, {"schema_version": 1, **MEASURED.to_json()})
    write_json(place / gate.FILE, {"schema_version": 1, **told.to_json()})


def test_what_is_written_is_read_back(acme: Path) -> None:
    measured(acme, GATE)
    adapter = adapters.adapter(Workspace(acme))
    assert before_after.read(adapter) == MEASURED
    assert gate.read(adapter) == GATE


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("en", ("1,480 lessons", "1,624.50 before, 3.25 after", "80.0% (70.0% to 90.0%)", "≈ tie",
                "Merge and export", "its folder does not say", "9 of 12",
                "In 4bit it loses more than 1.0 points")),
        ("vi", ("1.480 bài học", "trước 1.624,50, sau 3,25", "80,0% (70,0% đến 90,0%)",
                "Gộp và xuất", "thư mục của nó không ghi", "9 trên 12",
                "Ở 4bit nó mất hơn 1,0 điểm")),
    ],
)  # fmt: skip
def test_an_adapter_is_shown(acme: Path, code: str, words: tuple[str, ...]) -> None:
    measured(acme, GATE)
    told = shown(code, acme)
    for word in words:
        assert word in told, told
    assert "Who signs *orders*?" in told
    assert f"tailor export merged acme-r8 -o {acme}/exports/acme-r8-merged -w {acme}" in told


def test_what_was_not_measured_names_the_command(acme: Path) -> None:
    told = shown("en", acme)
    assert f"tailor adapters acme-r8 --measure -w {acme}" in told
    measured(acme, replace(GATE, blocked=("merged", "quantized")))
    assert "loses more than 1.0 points against its adapter or its base" in shown("en", acme)
