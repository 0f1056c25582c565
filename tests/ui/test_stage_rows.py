"""The ladder edited on the page Stages, and settings of every kind in its form; no browser."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tailor.config import Config
from tailor.ladder import climb
from tailor.rows import rows_for
from tailor.ui.language import language
from tailor.workspace import Workspace

LANGUAGES = pytest.mark.parametrize("lang", ["EN", "VI"])


@pytest.fixture
def copied(with_runs: Workspace, tmp_path: Path) -> Workspace:
    shutil.copytree(with_runs.root, tmp_path / "acme")
    return Workspace(tmp_path / "acme")


def opened(
    root: Path, monkeypatch: pytest.MonkeyPatch, lang: str, page: str = "stages", **query: str
) -> AppTest:
    spec = find_spec("tailor.ui.app")
    assert spec is not None
    assert spec.origin is not None
    monkeypatch.setenv("TAILOR_WORKSPACE", str(root))
    app = AppTest.from_file(spec.origin, default_timeout=60)
    app.query_params["lang"] = lang
    app.run()
    for name, value in query.items():
        app.query_params[name] = value
    app.switch_page(f"{page}.py").run()
    assert not app.exception
    return app


def press(app: AppTest, key: str) -> None:
    next(button for button in app.button if button.key == key).click().run()
    assert not app.exception


def config(workspace: Workspace) -> Config:
    return Config.load(workspace.root / "tailor.toml")


@LANGUAGES
def test_rows_are_added_moved_duplicated_and_removed(
    copied: Workspace, lang: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    say = language(lang.lower())
    app = opened(copied.root, monkeypatch, lang, stage="retrieval")
    assert any(say("ladder.edit") in box.label for box in app.expander)
    next(box for box in app.selectbox if box.key == "ladder stage").select("few_shot").run()
    press(app, "ladder add")
    assert config(copied).ladder == ("prompting", "retrieval", "few_shot")
    assert app.query_params["stage"] in ("few_shot", ["few_shot"])
    press(app, "ladder up")
    assert config(copied).ladder == ("prompting", "few_shot", "retrieval")
    press(app, "ladder duplicate")
    assert config(copied).ladder == ("prompting", "few_shot", "few_shot:2", "retrieval")
    shots = next(field for field in app.number_input if "few_shot:2" in str(field.key))
    shots.set_value(2).run()
    assert any("--set few_shot:2.shots=2" in code.value for code in app.code)
    told = [text.value.replace("\\", "") for text in app.markdown]
    assert say("compare.no_difference") in told  # the same again, as it is saved so far
    press(app, "save few_shot:2")
    assert "`shots` 4 → 2" in [text.value.replace("\\", "") for text in app.markdown]
    assert config(copied).stages == {"few_shot:2": {"shots": 2}}
    press(app, "ladder remove")
    assert config(copied).ladder == ("prompting", "few_shot", "retrieval")
    assert config(copied).stages == {}


@LANGUAGES
def test_what_a_row_builds_on_is_chosen(
    copied: Workspace, lang: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    say = language(lang.lower())

    def box(app: AppTest) -> Any:
        return next(b for b in app.selectbox if str(b.key).startswith("ladder base retrieval"))

    app = opened(copied.root, monkeypatch, lang, stage="retrieval")
    assert box(app).label == say("ladder.builds_on")
    assert box(app).options == [say("ladder.previous"), say("ladder.best"), "prompting"]
    box(app).select("best").run()
    assert config(copied).builds_on == {"retrieval": "best"}
    box(app).select("prompting").run()
    assert config(copied).builds_on == {"retrieval": "prompting"}
    next(b for b in app.button if b.key == "ladder up").click().run()
    assert config(copied).ladder == ("prompting", "retrieval")  # refused, and said
    refused = "does not come before it" if lang == "EN" else "không đứng trước nó"
    assert any(refused in str(each.value) for each in app.error)
    box(app).select("previous").run()
    assert config(copied).builds_on == {}
    assert not app.exception


@LANGUAGES
def test_compare_says_on_what_rows_build_where_they_branch(
    copied: Workspace, lang: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    say = language(lang.lower())
    app = opened(copied.root, monkeypatch, lang, "compare")
    assert all(say("compare.builds_on") not in frame.value.columns for frame in app.dataframe)
    file = copied.root / "tailor.toml"
    text = file.read_text("utf-8").replace('"retrieval"]', '"retrieval", "prompting:2"]')
    file.write_text(text + '[builds_on]\n"prompting:2" = "prompting"\n', "utf-8")
    workspace = Workspace(copied.root)
    climb(workspace, rows_for(workspace, ["prompting:2"]))
    app = opened(copied.root, monkeypatch, lang, "compare")
    frame = next(f.value for f in app.dataframe if say("compare.builds_on") in f.value.columns)
    assert list(frame[say("compare.builds_on")]) == ["–", "prompting", "prompting"]


FORM = '''
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import streamlit as st

from tailor.settings import setting
from tailor.stage import Stage
from tailor.ui.language import language
from tailor.ui.stage_settings import form
from tailor.workspace import Workspace


@dataclass(frozen=True)
class EveryKind(Stage):
    """A setting of every kind."""

    switch: bool = setting(True, "a switch")
    choice: Literal["a", "b"] = setting("b", "a choice")
    text: str = setting("short", "a text")
    prompt: str = setting("long " * 20, "a long text")
    file: str | None = setting(None, "a text or none")
    limit: int | None = setting(None, "a number or none", low=1)
    share: float | None = setting(0.5, "a share or none", low=0, high=1)
    rate: float = setting(5e-4, "a rate", low=0, high=1)
    sizes: tuple[int, ...] = setting((), "sizes or none", low=1, empty=True)
    ways: tuple[Literal["x", "y"], ...] = setting(("x",), "ways")
    maybe: tuple[Literal["x", "y"], ...] = setting((), "ways or none", empty=True)

    def apply(self, assistant, workspace):
        return assistant


workspace = Workspace(ROOT)
stage = EveryKind.with_settings(workspace.config.stages.get("every_kind", {}))
held = form(workspace, stage, "every_kind", language(LANG))
st.json({"values": dict(held.values), "valid": held.valid, "sets": held.sets("every_kind")})
'''


@LANGUAGES
def test_a_new_setting_of_any_kind_appears_by_itself(tmp_path: Path, lang: str) -> None:
    (tmp_path / "knowledge").mkdir()
    code = f"ROOT, LANG = {str(tmp_path)!r}, {lang.lower()!r}\n{FORM}"
    app = AppTest.from_string(code, default_timeout=60).run()

    def field(kind: str, name: str) -> Any:
        return next(f for f in app.get(kind) if f.label.startswith(f"`{name}`"))

    def held() -> Any:
        import json

        assert not app.exception
        return json.loads(app.json[0].value)

    assert held() == {"values": {}, "valid": True, "sets": []}
    assert len(app.text_area) == 1
    changes: dict[str, tuple[str, Any, Any]] = {
        "switch": ("toggle", False, False),
        "choice": ("selectbox", "a", "a"),
        "text": ("text_input", "other", "other"),
        "file": ("text_input", "prompts/x.md", "prompts/x.md"),
        "limit": ("text_input", "7", 7),
        "share": ("text_input", "none", None),
        "rate": ("number_input", 0.01, 0.01),
        "sizes": ("text_input", "3, 5", [3, 5]),
        "ways": ("multiselect", ["x", "y"], ["x", "y"]),
        "maybe": ("multiselect", ["y"], ["y"]),
    }
    for name, (kind, entered, _) in changes.items():
        field(kind, name).set_value(entered)
    app.run()
    assert held()["values"] == {name: value for name, (_, _, value) in changes.items()}
    assert "every_kind.sizes=3,5" in held()["sets"]
    assert "every_kind.share=none" in held()["sets"]

    for name, kind, wrong in (
        ("limit", "text_input", "0"), ("sizes", "text_input", "0"), ("ways", "multiselect", []),
        ("limit", "text_input", "many"),
    ):  # fmt: skip
        field(kind, name).set_value(wrong)
        app.run()
        assert not held()["valid"], name
        field(kind, name).set_value(changes[name][1])
        app.run()
    field("text_input", "sizes").set_value("")
    app.run()
    assert held()["valid"]
    assert "sizes" not in held()["values"]  # as it was
    field("text_input", "sizes").set_value("4")
    app.run()
    next(button for button in app.button if button.key == "save every_kind").click().run()
    saved = Config.load(tmp_path / "tailor.toml").stages["every_kind"]
    assert saved["share"] == "none"
    assert saved["sizes"] == [4]
    assert held() == {"values": {}, "valid": True, "sets": []}


CALLS = """
from tailor.explain import Exchange, Message
from tailor.ui.exchanged import show
from tailor.ui.language import language

sent = Message("system", "Be <b>brief</b>."), Message("human", "How?"), Message("tool", "7*6=42")
stored = Exchange(sent, "42 $x$", {"type": "ai"}, 1.5, 1200, 34)
show([stored, Exchange(sent[1:2], "twelve")], language(LANG))
"""


@pytest.mark.parametrize(
    ("lang", "took", "roles"),
    [
        ("en", "Call 1 of 2: 1.5 s, 1,234 tokens", ["Instructions", "Question to the model"]),
        ("vi", "Lượt gọi 1 trên 2: 1,5 giây, 1.234 token", ["Kết quả của công cụ"]),
    ],
)
def test_every_call_is_shown_letter_by_letter(lang: str, took: str, roles: list[str]) -> None:
    app = AppTest.from_string(f"LANG = {lang!r}\n{CALLS}").run()
    assert not app.exception
    told = [caption.value.replace("\\", "") for caption in app.caption]
    assert told[0] == took
    assert set(roles) <= set(told)
    assert told.count(language(lang)("answer.rebuilt")) == 1
    shown = [html.proto.body for html in app.get("html")]
    assert "Be &lt;b&gt;brief&lt;/b&gt;." in shown[0]
    assert [text for text in shown if "42 $x$" in text]
    assert len(shown) == 6
