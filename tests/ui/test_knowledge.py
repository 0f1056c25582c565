"""The page Knowledge, empty, filled and broken, in both languages, without a browser."""

from __future__ import annotations

import random
import sqlite3
import time
from importlib.util import find_spec
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tailor.documents.activity import activity, last_report
from tailor.ui import job
from tailor.workspace import Workspace

LANGUAGES = ("EN", "VI")
WORDS = (
    "box port truck invoice customer leave salary fridge alarm pallet forklift contract vaccine "
    "driver holiday office printer laptop password meeting budget supplier order refund seal "
    "temperature sensor battery cable warehouse kitchen window carpet lawyer doctor nurse"
).split()
TRAP = "<b>bold</b> *star* $5 :red[x] # head"


def shown(root: Path, lang: str, monkeypatch: pytest.MonkeyPatch, **query: str) -> AppTest:
    spec = find_spec("tailor.ui.app")
    assert spec is not None
    assert spec.origin is not None
    monkeypatch.setenv("TAILOR_WORKSPACE", str(root))
    app = AppTest.from_file(spec.origin, default_timeout=60)
    app.query_params["lang"] = lang
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    app.switch_page("knowledge.py").run()
    assert not app.exception
    return app


def said(app: AppTest) -> str:
    kinds = (app.title, app.info, app.success, app.warning, app.error, app.caption, app.markdown)
    return "\n".join(str(element.value) for kind in kinds for element in kind).replace("\\", "")


def markup(app: AppTest) -> str:
    return "\n".join(str(element.body) for element in app.get("html"))


def cells(app: AppTest) -> list[str]:
    return [str(cell) for table in app.dataframe for cell in table.value.to_numpy().flat]


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Good, equal, empty and broken files, a secret, and one file that was not read."""
    root = tmp_path_factory.mktemp("mixed") / "hồ sơ"
    knowledge = root / "knowledge"
    knowledge.mkdir(parents=True)
    leave = "# Leave\n\nPaid leave is 14 days a year, and it lapses at the end of March.\n"
    for name, text in {
        "leave.md": leave,
        "copy.md": leave,
        "nghỉ phép.md": "# Nghỉ phép\n\nNhân viên được nghỉ phép 14 ngày mỗi năm.\n",
        "wifi.txt": f"{TRAP}\n\nWi-Fi password: BlueHeron2024\n",
        "void.txt": "",
        "broken.pdf": "%PDF-1.7 and nothing",
    }.items():
        (knowledge / name).write_text(text, "utf-8")
    workspace = Workspace(root)
    workspace.ingest()
    workspace.curation()
    (knowledge / "later.md").write_text("Lunch is at noon.\n", "utf-8")
    return workspace


@pytest.mark.parametrize("lang", LANGUAGES)
def test_an_empty_workspace(lang: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = shown(tmp_path, lang, monkeypatch)
    assert ("There are no documents yet" if lang == "EN" else "Chưa có tài liệu nào") in said(app)
    assert "read" not in [button.key for button in app.button]
    assert not app.error
    assert not app.dataframe


@pytest.mark.parametrize("lang", LANGUAGES)
def test_files_of_every_kind(lang: str, mixed: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    app = shown(mixed.root, lang, monkeypatch)
    assert not app.error
    table = next(table.value for table in app.dataframe if len(table.value.columns) == 5)
    english = lang == "EN"
    status, file, todo = table.columns[:3]
    assert dict(zip(table[file], table[status], strict=True)) == {
        "broken.pdf": "✗ refused" if english else "✗ bị từ chối",
        "copy.md": "✓ ready" if english else "✓ sẵn sàng",
        "later.md": "+ new" if english else "+ mới",
        "leave.md": "= equal" if english else "= trùng lặp",
        "nghỉ phép.md": "✓ ready" if english else "✓ sẵn sàng",
        "void.txt": "! empty" if english else "! trống",
        "wifi.txt": "✓ ready" if english else "✓ sẵn sàng",
    }
    wanted = "Open it in its own program" if english else "Mở bằng chương trình của nó"
    assert any(wanted in cell for cell in table[todo])
    told = markup(app)
    assert ("1 in Vietnamese" if english else "1 tiếng Việt") in told
    assert ("1 new" if english else "1 mới") in told
    assert ("Likely secrets: 1" if english else "Có thể là thông tin mật: 1") in [
        expander.label for expander in app.expander
    ]
    everything = said(app) + told + "\n".join(cells(app))
    assert "BlueHeron2024" not in everything


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_refused_file_says_why(
    lang: str, mixed: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = shown(mixed.root, lang, monkeypatch, file="broken.pdf")
    cause = "damaged, or not what its name says" if lang == "EN" else "Tệp hỏng"
    assert cause in said(app)
    assert "broken: not a readable PDF" in markup(app)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_search_marks_the_words_and_shows_text_as_it_is(
    lang: str, mixed: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = shown(mixed.root, lang, monkeypatch)
    app.text_input(key="search").set_value("nghi phep").run()
    assert "<mark>nghỉ phép</mark>" in markup(app)
    app.text_input(key="search").set_value("bold star head").run()
    assert "&lt;b&gt;<mark>bold</mark>&lt;/b&gt; *<mark>star</mark>* $5 :red[x]" in markup(app)
    assert "<b>bold</b>" not in markup(app)
    assert not app.exception
    assert not app.error


def test_a_preview_is_inert(mixed: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    app = shown(mixed.root, "EN", monkeypatch, file="wifi.txt")
    assert "&lt;b&gt;bold&lt;/b&gt; *star* $5 :red[x] # head" in markup(app)
    assert "<b>bold</b>" not in markup(app)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_damaged_store_is_a_sentence(
    lang: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "knowledge").mkdir()
    (tmp_path / "knowledge" / "a.md").write_text("Lunch is at noon.\n", "utf-8")
    (tmp_path / ".tailor").mkdir()
    (tmp_path / ".tailor" / "documents.db").write_bytes(b"no database at all" * 100)
    app = shown(tmp_path, lang, monkeypatch)
    assert ("is damaged" if lang == "EN" else "bị hỏng") in said(app)


def test_the_report_is_asked_for_anew_when_the_documents_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "knowledge").mkdir()
    (tmp_path / "knowledge" / "a.md").write_text("Lunch is at noon.\n", "utf-8")
    workspace = Workspace(tmp_path)
    workspace.ingest()
    assert "There is no report" in said(shown(tmp_path, "EN", monkeypatch))
    workspace.curation()
    assert "There is no report" not in said(shown(tmp_path, "EN", monkeypatch))
    (tmp_path / "knowledge" / "b.md").write_text("Dinner is at six.\n", "utf-8")
    workspace.ingest()
    assert "There is no report" in said(shown(tmp_path, "EN", monkeypatch))


def test_an_ingestion_of_its_own_tells_how_far_it_is_and_is_stopped(tmp_path: Path) -> None:
    knowledge = tmp_path / "knowledge"
    knowledge.mkdir()
    drawn = random.Random(0)
    for number in range(400):
        text = " ".join(drawn.sample(WORDS, 8))
        (knowledge / f"{number}.md").write_text(f"# Note {number}\n\n{text}.\n", "utf-8")
    workspace = Workspace(tmp_path)
    started = job.ingest(workspace)
    try:
        end = time.monotonic() + 60
        while (found := activity(workspace.state)) is None or not found.total:
            assert started.alive, started.log.read_text("utf-8")
            assert time.monotonic() < end
            time.sleep(0.02)
        assert (found.pid, found.total) == (started.process.pid, 400)
        job.cancel(found.pid)
        assert started.process.wait(60) == job.INTERRUPTED
    finally:
        if started.alive:
            started.process.kill()
    assert started.failure() == ""
    assert activity(workspace.state) is None
    assert last_report(workspace.state) is None
    again = job.ingest(workspace)
    assert again.process.wait(120) == 0, again.log.read_text("utf-8")
    report = last_report(workspace.state)
    assert report is not None
    assert report["totals"]["files"] == 400
    assert (workspace.state / "reports" / "curation.json").exists()
    with sqlite3.connect(workspace.state / "documents.db") as connection:
        assert connection.execute("SELECT COUNT(*) FROM documents").fetchone() == (400,)
