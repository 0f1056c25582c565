"""Every page, with and without runs, in both languages, without a browser."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tailor.run import compare
from tailor.scoring import wording
from tailor.workspace import Workspace

PAGES = ("stages.py", "compare.py")


def shown(workspace: Path, page: str, lang: str, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    spec = find_spec("tailor.ui.app")
    assert spec is not None
    assert spec.origin is not None
    monkeypatch.setenv("TAILOR_WORKSPACE", str(workspace))
    app = AppTest.from_file(spec.origin, default_timeout=60)
    app.query_params["lang"] = lang
    app.run()
    app.switch_page(page).run()
    assert not app.exception
    return app


def said(app: AppTest) -> str:
    kinds = (app.title, app.info, app.success, app.warning, app.error, app.caption, app.markdown)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


@pytest.mark.parametrize("lang", ["EN", "VI"])
@pytest.mark.parametrize("page", PAGES)
def test_an_empty_workspace_says_what_to_do_next(
    page: str, lang: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = shown(tmp_path, page, lang, monkeypatch)
    assert ("There are no documents yet" if lang == "EN" else "Chưa có tài liệu nào") in said(app)
    assert f"tailor ingest -w {tmp_path}" in [code.value for code in app.code]
    assert not app.error


@pytest.mark.parametrize("lang", ["EN", "VI"])
def test_a_button_opens_the_page_of_the_next_step(
    lang: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = shown(tmp_path, "compare.py", lang, monkeypatch)
    app.button[0].click().run()
    assert not app.exception
    assert not app.error
    assert app.title[0].value == ("Knowledge" if lang == "EN" else "Tài liệu")


def test_a_run_whose_record_is_torn_is_named(
    with_runs: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    torn = with_runs.state / "runs" / "torn-1"
    torn.mkdir()
    try:
        (torn / "record.json").write_text("{", "utf-8")
        assert "torn-1" in said(shown(with_runs.root, "compare.py", "EN", monkeypatch)).replace(
            "\\", ""
        )
    finally:
        shutil.rmtree(torn)


@pytest.mark.parametrize("lang", ["EN", "VI"])
@pytest.mark.parametrize("page", PAGES)
def test_a_workspace_with_runs(
    page: str, lang: str, with_runs: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = shown(with_runs.root, page, lang, monkeypatch)
    assert not app.error
    assert not app.warning
    score = "100.0%" if lang == "EN" else "100,0%"
    cells = [str(cell) for table in app.dataframe for cell in table.value.to_numpy().flat]
    assert any(score in cell for cell in cells)


def test_documents_that_were_not_read_and_a_missing_benchmark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "knowledge").mkdir()
    (tmp_path / "knowledge" / "note.md").write_text("The door code is 4711.\n", "utf-8")
    assert "have not been read" in said(shown(tmp_path, "stages.py", "EN", monkeypatch))
    Workspace(tmp_path).ingest()
    app = shown(tmp_path, "stages.py", "EN", monkeypatch)
    assert "There are no questions yet" in said(app)
    (tmp_path / "knowledge" / "benchmark.jsonl").write_text("{no JSON\n", "utf-8")
    app = shown(tmp_path, "stages.py", "EN", monkeypatch)
    assert "holds no usable question" in said(app).replace("\\", "")
    (tmp_path / "knowledge" / "benchmark.jsonl").write_text(
        '{"question": "What is the door code?", "answer": "4711"}\n', "utf-8"
    )
    assert "There is nothing to compare yet" in said(
        shown(tmp_path, "compare.py", "EN", monkeypatch)
    )


def test_a_broken_setting_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tailor.toml").write_text("modell = 1\n", "utf-8")
    app = shown(tmp_path, "stages.py", "EN", monkeypatch)
    assert "did you mean" in app.error[0].value


def test_compare_says_what_the_command_says(
    with_runs: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = shown(with_runs.root, "compare.py", "VI", monkeypatch)
    told = compare(with_runs.runs())
    assert (app.success or app.info)[0].value.replace("\\", "") == told.verdict("vi")
    table = app.dataframe[0].value
    assert [name.removeprefix("★ ") for name in table["dòng"]] == [r.row for r in told.rows]
    assert list(table["điểm (95%)"]) == [wording.score(row, "vi") for row in told.rows]


def test_a_changed_benchmark_makes_a_run_stale(
    with_runs: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    benchmark = with_runs.knowledge / "benchmark.jsonl"
    before = benchmark.read_bytes()
    try:
        benchmark.write_bytes(before + b'{"question": "Who pays for lunch?", "answer": null}\n')
        app = shown(with_runs.root, "compare.py", "EN", monkeypatch)
        assert "The benchmark changed since the runs of prompting, retrieval" in said(app).replace(
            "\\", ""
        )
        assert f"tailor run prompting retrieval -w {with_runs.root}" in [
            code.value for code in app.code
        ]
    finally:
        benchmark.write_bytes(before)
