"""The page Serve, over a server that runs in this process."""

from __future__ import annotations

import threading
from importlib.util import find_spec
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tailor.serving.server import Started, serve
from tailor.serving.smoke import smoke
from tailor.workspace import Workspace


def shown(workspace: Workspace, lang: str, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    spec = find_spec("tailor.ui.app")
    assert spec is not None
    assert spec.origin is not None
    monkeypatch.setenv("TAILOR_WORKSPACE", str(workspace.root))
    app = AppTest.from_file(spec.origin, default_timeout=60)
    app.query_params["lang"] = lang
    app.run()
    app.switch_page("serve.py").run()
    assert not app.exception
    assert not app.error
    return app


def test_without_documents_it_says_what_to_do(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = shown(workspace, "EN", monkeypatch)
    assert f"tailor ingest -w {workspace.root}" in [code.value for code in app.code]


def test_a_server_is_shown_tested_and_told_how_to_ask(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TAILOR_TOKEN", raising=False)
    workspace.ingest()
    app = shown(workspace, "VI", monkeypatch)
    assert [info.value for info in app.info] == ["Hiện chưa phục vụ gì."]
    found: list[Any] = []
    up = threading.Event()

    def started(one: Started) -> None:
        found.append(one)
        up.set()

    options: dict[str, Any] = {"port": 0, "started": started, "ready": found.append}
    thread = threading.Thread(target=serve, args=(workspace,), kwargs=options, daemon=True)
    thread.start()
    assert up.wait(60)
    listener, about = found
    seen = smoke(about, "Within how many days may goods be returned?")
    assert seen.text.startswith("30 days\n\nSources: [")
    assert "sales/refunds.md" in seen.documents
    app = shown(workspace, "EN", monkeypatch)
    assert any("the winner" in text.value and "baseline" in text.value for text in app.markdown)
    codes = [code.value for code in app.code]
    assert about.url in codes
    assert any(code.startswith(f"curl {about.url}/chat/completions") for code in codes)
    next(button for button in app.button if button.label == "Test").click()
    app.run()
    assert any("The server answered in" in caption.value for caption in app.caption)
    listener.should_exit = True
    thread.join(30)
    app = shown(workspace, "EN", monkeypatch)
    assert [info.value for info in app.info] == ["Nothing is served now."]
