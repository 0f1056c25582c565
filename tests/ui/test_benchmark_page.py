"""The page Benchmark: empty, with questions, with errors and drafts, in both languages."""

from __future__ import annotations

import html
import json
import re
from importlib.util import find_spec
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tailor.benchmarking import human, sitting, waiting
from tailor.benchmarking.check import check
from tailor.config_file import change
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


def shown(workspace: Path, lang: str, monkeypatch: pytest.MonkeyPatch, **query: str) -> AppTest:
    spec = find_spec("tailor.ui.app")
    assert spec is not None
    assert spec.origin is not None
    monkeypatch.setenv("TAILOR_WORKSPACE", str(workspace))
    app = AppTest.from_file(spec.origin, default_timeout=60)
    app.query_params["lang"] = lang
    for name, value in query.items():
        app.query_params[name] = value
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
    markup = "\n".join(str(element.proto.body) for element in app.get("html"))
    return re.sub(r"\\(.)", r"\1", f"{told}\n{markup}")


@LANGUAGES
def test_without_questions_the_page_says_how_to_get_some(
    lang: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = shown(tmp_path, lang, monkeypatch)
    assert ("There are no questions yet" if lang == "EN" else "Chưa có câu hỏi nào") in said(app)
    assert f"tailor benchmark draft -w {tmp_path}" in [code.value for code in app.code]
    assert not app.error


@LANGUAGES
def test_what_the_questions_are_made_of(
    lang: str, clean: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = shown(clean.root, lang, monkeypatch, view="split")
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
    app = shown(clean.root, lang, monkeypatch, view="check")
    assert ("Errors: 1," if lang == "EN" else "Lỗi: 1,") in app.error[0].value
    assert "<td>1</td>" in said(app)
    path.write_text("{<b>broken\n", "utf-8")
    assert ("no question that counts" if lang == "EN" else "chưa có câu hỏi nào được tính") in said(
        shown(clean.root, lang, monkeypatch, view="check")
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
    app = shown(clean.root, "EN", monkeypatch, view="drafts")
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
    app = shown(clean.root, "VI", monkeypatch, view="split")
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
    app = shown(clean.root, lang, monkeypatch, view="people")
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


@LANGUAGES
def test_a_changed_row_is_checked_before_it_is_saved(
    lang: str, clean: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (clean.knowledge / "benchmark.jsonl").read_bytes()
    app = shown(clean.root, lang, monkeypatch)
    assert not app.error
    app.session_state["editor 0"] = {"edited_rows": {0: {"answer": None}}}
    app.run()
    assert ("has no answer" if lang == "EN" else "chưa có đáp án") in said(app)
    assert app.button(key="save").disabled
    app.session_state["editor 0"] = {"edited_rows": {0: {"tags": "hr | pay"}}}
    app.run()
    assert (clean.knowledge / "benchmark.jsonl").read_bytes() == before
    app.button(key="save").click().run()
    assert not app.exception
    clean.forget_benchmark()
    assert clean.benchmark.questions[0].tags == ("hr", "pay")


@LANGUAGES
def test_a_person_answers_blind_stops_and_goes_on(
    lang: str, clean: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions = sitting.sitting(clean, "Ánh").questions
    app = shown(clean.root, lang, monkeypatch, answering="Ánh")
    assert html.escape(questions[0].question) in said(app)
    assert not [a for q in questions for a in q.answers if a in said(app)]
    app.text_area[0].set_value("blue")
    (give,) = [b for b in app.button if b.label in ("Save and go on", "Lưu và sang câu sau")]
    give.click().run()
    assert not app.exception
    app = shown(clean.root, lang, monkeypatch, answering="Ánh")
    assert html.escape(questions[1].question) in said(app)
    (nothing,) = [b for b in app.button if "documents" in b.label or "tài liệu" in b.label]
    nothing.click().run()
    given = sitting.sitting(clean, "Ánh").given
    assert [given[q.id].outcome for q in questions] == ["ok", "refused"]
    app.button(key="finish").click().run()
    (person,) = human.people(clean)
    assert (person.model, len(person.answers("test"))) == ("Ánh", 2)


@LANGUAGES
def test_an_import_matches_columns_first(
    lang: str, clean: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = shown(clean.root, lang, monkeypatch, view="import")
    table = "Frage,Antwort\nHow old is the firm?,30 years\n,nothing\n"
    app.file_uploader[0].upload("more.csv", table.encode(), "text/csv").run()
    assert not app.exception
    assert app.button(key="bring").disabled
    app.selectbox(key="column question").set_value("Frage").run()
    app.selectbox(key="column answer").set_value("Antwort").run()
    app.button(key="bring").click().run()
    assert not app.exception
    clean.forget_benchmark()
    assert clean.benchmark.questions[-1].question == "How old is the firm?"
    assert ("1 of 2 rows" if lang == "EN" else "1 câu hỏi từ 2 dòng") in said(app)


def test_a_draft_shows_its_quote_where_it_stands(
    clean: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = {"id": "d", "question": "How cold is it?", "answer": "4 degrees", "status": "draft",
             "evidence": [{"document": "lab/fridge.md", "quote": "kept at 4 degrees"}]}  # fmt: skip
    (clean.knowledge / "drafts.jsonl").write_text(json.dumps(draft) + "\n", "utf-8")
    told = said(shown(clean.root, "EN", monkeypatch, view="drafts"))
    assert "The sample fridge is <mark>kept at 4 degrees</mark>." in told


@LANGUAGES
def test_the_table_of_items_has_no_columns_of_documents(
    lang: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tailor.toml").write_text('task = "number"\n[items]\ncurrency = "USD"\n', "utf-8")
    (tmp_path / "knowledge").mkdir()
    item = {"question": "An oak table.", "answer": 5, "split": "test"}
    (tmp_path / "knowledge" / "benchmark.jsonl").write_text(json.dumps(item) + "\n", "utf-8")
    app = shown(tmp_path, lang, monkeypatch)
    table = app.dataframe[0].proto
    assert list(table.column_order) == ["line", "question", "answer", "split", "lang", "tags", "id"]
    named = {"EN": "number (USD)", "VI": "số (USD)"}[lang]
    assert json.loads(table.columns)["answer"]["label"] == named


def test_questions_are_drafted_and_all_approved_by_clicks(
    clean: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(clean.root / "tailor.toml", {"model": "shipped"})
    rows = "| sản phẩm | giá |\n|---|---|\n| cá hồi | 90.000 đồng |\n| tôm sú | 70.000 đồng |\n"
    (clean.knowledge / "gia.md").write_text(f"# Bảng giá\n\n{rows}", "utf-8")
    clean.ingest()
    before = len(clean.benchmark.questions)
    app = shown(clean.root, "VI", monkeypatch, view="drafts")
    app.button(key="make drafts").click().run()
    made = len(waiting.drafts(clean.knowledge))
    assert made > 0
    assert app.button(key="approve all").label == f"Duyệt cả {made}"
    app.button(key="approve all").click().run()
    assert len(Workspace(clean.root).benchmark.questions) == before + made


@LANGUAGES
def test_the_uploader_of_questions_says_what_its_button_does(
    lang: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {"EN": "Choose files", "VI": "Chọn tệp"}[lang]
    assert f'--upload-button: "{told}"' in said(shown(tmp_path, lang, monkeypatch, view="import"))
