"""The page Knowledge shows what enrichers found, and searches only where they found something."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tailor.documents.enrichers.enricher import Finding, enrichers
from tailor.documents.enrichments import FILE, EnrichmentStore
from tailor.documents.store import DocumentStore, database
from tailor.workspace import Workspace

TOML = """
[enrich.people]
task = "entities"
model = "huggingface:/somewhere/names"

[enrich.gist]
task = "summary"
model = "huggingface:/somewhere/gist"

[enrich.broken]
task = "sentiment"
model = "huggingface:/nowhere"
"""
TEXT = "# Visit\n\nHalvorsen came. <b>Halvorsen</b> left.\n"


@pytest.fixture
def enriched(tmp_path: Path) -> Workspace:
    """A document that two enrichers went through, and one could not."""
    (tmp_path / "knowledge").mkdir()
    (tmp_path / "knowledge" / "visit.md").write_text(TEXT, "utf-8")
    (tmp_path / "knowledge" / "other.md").write_text("Lunch is at noon.\n", "utf-8")
    workspace = Workspace(tmp_path)
    workspace.ingest()
    (tmp_path / "tailor.toml").write_text(TOML, "utf-8")
    workspace = Workspace(tmp_path)
    on = [(one, one.fingerprint) for one in enrichers(workspace.config.enrich)]
    with database(workspace.state / "documents.db") as connection:
        records = DocumentStore(connection).records()
    with database(workspace.state / FILE) as connection:
        store = EnrichmentStore(connection)
        for path, record in records.items():
            at = [n for n in range(len(record.text)) if record.text.startswith("Halvorsen", n)]
            names = [Finding(n, n + 9, "Halvorsen", "PER", 0.9) for n in at]
            store.put(on[0][1], record.digest, names)
            gist = Finding(0, len(record.text), "<i>Two visits</i>")
            store.put(on[1][1], record.digest, [gist] if path == "visit.md" else [])
    (failed,) = [one for one in workspace.ingest().enriched if one.failed]
    assert failed.name == "broken"
    return workspace


def shown(workspace: Workspace, lang: str, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    spec = find_spec("tailor.ui.app")
    assert spec is not None
    assert spec.origin is not None
    monkeypatch.setenv("TAILOR_WORKSPACE", str(workspace.root))
    app = AppTest.from_file(spec.origin, default_timeout=60)
    app.query_params["lang"] = lang
    app.query_params["file"] = "visit.md"
    app.run()
    app.switch_page("knowledge.py").run()
    assert not app.exception
    return app


@pytest.mark.parametrize("lang", ["EN", "VI"])
def test_what_enrichers_found(
    lang: str, enriched: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = shown(enriched, lang, monkeypatch)
    english = lang == "EN"
    captions = "\n".join(str(one.value) for one in app.caption).replace("\\", "")
    assert ("people (names, /somewhere/names)" if english else "people (tên riêng,") in captions
    markup = "\n".join(str(one.body) for one in app.get("html"))
    assert ("Halvorsen (2 times)" if english else "Halvorsen (2 lần)") in markup
    assert "&lt;i&gt;Two visits&lt;/i&gt;" in markup
    assert "<i>Two visits</i>" not in markup
    assert "people: Halvorsen" in captions  # below the passage
    waiting = "not gone through this document yet" if english else "Chưa xử lý tài liệu này"
    assert waiting in captions
    failed = "broken failed for 2 documents" if english else "broken không chạy được với 2"
    assert any(failed in one.label for one in app.expander)
    app.text_input(key="search").set_value("visit lunch noon").run()

    def found() -> set[str]:
        parts = [str(one.body) for one in app.get("html")]
        here = [part for part in parts if 'class="passage"' in part and " · " in part]
        return {path for path in ("visit.md", "other.md") if any(path in part for part in here)}

    assert found() == {"visit.md", "other.md"}
    app.text_input(key="search where").set_value("people=halvorsen").run()
    assert found() == {"visit.md"}
    app.text_input(key="search where").set_value("tone=good").run()
    wrong = "There is no enricher" if english else "Không có pipeline"
    assert any(wrong in str(one.value) for one in app.error)


def test_without_enrichers_nothing_is_asked_for(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.ingest()
    app = shown(workspace, "EN", monkeypatch)
    assert [one.key for one in app.text_input if one.key == "search where"] == []
    assert "Found by pipelines" not in [tab.label for tab in app.tabs]
