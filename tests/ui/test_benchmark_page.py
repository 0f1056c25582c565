"""The page Benchmark: empty, with questions, with errors and drafts, in both languages."""

from __future__ import annotations

import json
import re
from importlib.util import find_spec
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tailor.benchmarking import human, waiting
from tailor.benchmarking.check import check
from tailor.workspace import Workspace

LANGUAGES = pytest.mark.parametrize("lang", ["EN", "VI"])


@pytest.fixture
def clean(company: Workspace) -> Workspace:
    """The company with each of its questions once."""
    path = company.knowledge / "benchmark.jsonl"
    lines = path.read_text("utf-8").splitlines()[:6]
    for at, split in enumerate(("test", "test", "dev", "dev", "train", "train")):
        lines[at] = json.dumps({**json.loads(lines[at]), "split": split}, ensure_ascii=False)
    path.write_text("\n".join(lines) + "\n", "utf-8")
    company.forget_benchmark()
    return company


def shown(workspace: Path, lang: str, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    spec = find_spec("tailor.ui.app")
    assert spec is not None
    assert spec.origin is not None
    monkeypatch.setenv("TAILOR_WORKSPACE", str(workspace))
    app = AppTest.from_file(spec.origin, default_timeout=60)
    app.query_params["lang"] = lang
    app.run()
    app.switch_page("benchmark.py").run()
    assert not app.exception
    return app


def said(app: AppTest) -> str:
    kinds = (
        app.info,
        app.success,
        app.warning,
        app.error,
        app.caption,
        app.markdown,
        app.subheader,
    )
    told = "\n".join(str(element.value) for kind in kinds for element in kind)
    html = "\n".join(str(element.proto.body) for element in app.get("html"))
    return re.sub(r"\\(.)", r"\1", f"{told}\n{html}")


@LANGUAGES
def test_without_questions_the_page_says_how_to_get_some(
    lang: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = shown(tmp_path, lang, monkeypatch)
    assert ("There are no questions yet" if lang == "EN" else "Chưa có câu hỏi nào") in said(app)
    assert f"tailor benchmark draft -w {tmp_path}" in [code.value for code in app.code]
    assert not app.error


@LANGUAGES
def test_what_the_check_found(lang: str, clean: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    app = shown(clean.root, lang, monkeypatch)
    report = check(clean)
    assert not app.error
    assert report.power.sentence(lang.lower()) in said(app)
    tables = [set(map(str, t.value.to_numpy().flat)) for t in app.dataframe]
    assert any({"train", "dev", "test"} <= table for table in tables)
    assert any("kho/quy-trinh.md" in table for table in tables)


@LANGUAGES
def test_errors_are_listed_with_their_lines(
    lang: str, clean: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = clean.knowledge / "benchmark.jsonl"
    path.write_text("{<b>broken\n" + path.read_text("utf-8"), "utf-8")
    app = shown(clean.root, lang, monkeypatch)
    assert ("1 errors" if lang == "EN" else "1 lỗi") in app.error[0].value
    assert "<td>1</td>" in said(app)
    path.write_text("{<b>broken\n", "utf-8")
    assert ("no question that counts" if lang == "EN" else "chưa có câu nào được tính") in said(
        shown(clean.root, lang, monkeypatch)
    )


def test_a_draft_is_approved_and_one_is_discarded(
    clean: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    drafts = [
        {"id": f"draft-{at}", "question": f"What is <i>number</i> {at}?", "answer": f"no. {at}",
         "evidence": [{"document": "hr/leave.md", "quote": "six weeks"}], "tags": ["direct"],
         "status": "draft"}
        for at in (1, 2, 3)
    ]  # fmt: skip
    path = clean.knowledge / "drafts.jsonl"
    path.write_text("".join(json.dumps(draft) + "\n" for draft in drafts), "utf-8")
    app = shown(clean.root, "EN", monkeypatch)
    assert "Drafts to approve: 3" in said(app)
    assert "What is &lt;i&gt;number&lt;/i&gt; 1?" in said(app)
    app.button(key="skip draft-1").click().run()
    app.button(key="approve draft-2").click().run()
    assert not app.exception
    app.button(key="discard draft-3").click().run()
    assert [q.id for q in waiting.drafts(clean.knowledge)] == ["draft-1"]
    clean.forget_benchmark()
    ids = [q.id for q in clean.benchmark.questions]
    assert "draft-2" in ids
    assert "draft-3" not in ids


def test_the_form_splits_anew(clean: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    app = shown(clean.root, "VI", monkeypatch)
    app.checkbox[0].check()
    app.number_input(key="share train").set_value(0)
    app.button[-1].click().run()
    assert not app.exception
    assert "Số dòng đã đổi" in said(app)
    clean.forget_benchmark()
    assert not clean.benchmark.split("train")
    assert clean.benchmark.split("dev")


@LANGUAGES
def test_peoples_answers_are_on_the_other_pages(
    lang: str, clean: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blind = tmp_path / "blind.csv"
    human.export(clean, blind)
    filled = blind.read_text("utf-8-sig").replace(",,", ",14 days,")
    blind.write_text(filled, "utf-8")
    for name in ("Ann", "Bình"):
        human.import_answers(clean, blind, name)
    app = shown(clean.root, lang, monkeypatch)
    assert "Ann" in said(app)
    assert "Bình" in said(app)
    app.switch_page("compare.py").run()
    assert not app.exception
    assert not app.error
    cells = [str(cell) for table in app.dataframe for cell in table.value.to_numpy().flat]
    assert "human (Ann)" in cells
    app.switch_page("stages.py").run()
    assert not app.exception
    assert not app.error
