"""The search box of the page Knowledge asks only some of the documents."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from streamlit.testing.v1 import AppTest

from tailor.workspace import Workspace


@pytest.mark.parametrize("lang", ["EN", "VI"])
def test_filters_of_the_search_box(
    lang: str, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.ingest()
    spec = find_spec("tailor.ui.app")
    assert spec is not None
    assert spec.origin is not None
    monkeypatch.setenv("TAILOR_WORKSPACE", str(workspace.root))
    app = AppTest.from_file(spec.origin, default_timeout=60)
    app.query_params["lang"] = lang
    app.run()
    app.switch_page("knowledge.py").run()
    app.text_input(key="search").set_value("paid leave days").run()
    assert not app.exception

    def found() -> set[str]:
        shown = [str(part.proto.body) for part in app.get("html")]
        paths = ("hr/leave.md", "hr/nghi-phep.md", "kho/lanh.txt", "it/laptops.txt")
        return {p for p in paths if any('class="passage"' in s and p in s for s in shown)}

    assert "hr/leave.md" in found()
    app.text_input(key="search folder").set_value("hr").run()
    assert found() == {"hr/leave.md", "hr/nghi-phep.md"}
    app.selectbox(key="search language").set_value("vi").run()
    assert found() == {"hr/nghi-phep.md"}
    app.text_input(key="search since").set_value("someday").run()
    wrong = "is no date" if lang == "EN" else "không phải là ngày"
    assert any(wrong in str(error.value) for error in app.error)
