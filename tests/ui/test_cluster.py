"""The field for a cluster, where a run and where an ingestion is started."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tailor.ui.language import language
from tailor.workspace import Workspace


@pytest.mark.parametrize("lang", ["EN", "VI"])
def test_the_cluster_goes_into_the_command_of_the_same(
    workspace: Workspace, lang: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (workspace.root / "tailor.toml").write_text('ladder = ["prompting"]\n', "utf-8")
    workspace.ingest()
    spec = find_spec("tailor.ui.app")
    assert spec is not None
    assert spec.origin is not None
    monkeypatch.setenv("TAILOR_WORKSPACE", str(workspace.root))
    app = AppTest.from_file(spec.origin, default_timeout=60)
    app.query_params["lang"] = lang
    say = language(lang.lower())

    def field(key: str) -> Any:
        return next(each for each in app.text_input if each.key == key)

    def commands() -> list[str]:
        return [str(code.value) for code in app.code if "tailor " in str(code.value)]

    app.run()
    for page, key, verb in (("knowledge.py", "ingest_on", "ingest"), ("stages.py", "on", "run")):
        app.switch_page(page).run()
        assert not app.exception
        assert field(key).label == say("cluster.on")
        assert not any("--on" in command for command in commands())
        field(key).input(" ray://10.0.0.5:10001 ").run()
        assert any(
            f"tailor {verb}" in command and "--on ray://10.0.0.5:10001 " in command
            for command in commands()
        ), commands()
