"""Every page of an empty, a prepared and a broken workspace, in both languages."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tailor.ui.language import language
from tailor.workspace import Workspace

PAGES = (
    "overview", "knowledge", "benchmark", "models", "stages", "compare", "playground", "serve",
    "monitor", "settings",
)  # fmt: skip
Open = Callable[[str, str, str], AppTest]


@pytest.fixture(scope="module")
def folders(with_runs: Workspace, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A workspace of each kind."""
    root = tmp_path_factory.mktemp("pages")
    for name in ("empty", "error"):
        (root / name).mkdir()
    (root / "error" / "tailor.toml").write_text("passage_size = -3\n", "utf-8")
    return {"empty": root / "empty", "sample": with_runs.root, "error": root / "error"}


@pytest.fixture(scope="module")
def opened() -> dict[tuple[str, str], AppTest]:
    """One tab for each kind of workspace and language: its first page costs the most."""
    return {}


@pytest.fixture
def show(
    folders: dict[str, Path],
    opened: dict[tuple[str, str], AppTest],
    monkeypatch: pytest.MonkeyPatch,
) -> Open:
    def show(page: str, kind: str, lang: str) -> AppTest:
        monkeypatch.setenv("TAILOR_WORKSPACE", str(folders[kind]))
        if (kind, lang) not in opened:
            spec = find_spec("tailor.ui.app")
            assert spec is not None
            assert spec.origin is not None
            app = AppTest.from_file(spec.origin, default_timeout=60)
            app.query_params["lang"] = lang
            opened[kind, lang] = app.run()
        return opened[kind, lang].switch_page(f"{page}.py").run()

    return show


def plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


@pytest.mark.parametrize("lang", ["EN", "VI"])
@pytest.mark.parametrize("kind", ["empty", "sample", "error"])
@pytest.mark.parametrize("page", PAGES)
def test_a_page(page: str, kind: str, lang: str, show: Open, folders: dict[str, Path]) -> None:
    app = show(page, kind, lang)
    assert not app.exception
    if kind == "error":
        wrong = "-3 is below 0" if lang == "EN" else "-3 nhỏ hơn 0"
        told = f"{folders['error'] / 'tailor.toml'}: passage_size: {wrong}."
        assert [plain(error.value) for error in app.error] == [told]
        return
    if (page, kind) != ("benchmark", "sample"):  # whose questions repeat each other, as it says
        assert not app.error
    assert [title.value for title in app.title] == [language(lang.lower())(f"{page}.title")]


@pytest.mark.parametrize("kind", ["empty", "sample"])
def test_the_overview_has_one_primary_button(kind: str, show: Open) -> None:
    app = show("overview", kind, "EN")
    assert [b.label for b in app.button if b.proto.type == "primary"] == [
        {"empty": "Load the sample company", "sample": "See every figure"}[kind]
    ]


def test_the_overview_says_what_compare_says(show: Open, with_runs: Workspace) -> None:
    from tailor.run import compare

    app = show("overview", "sample", "VI")
    told = compare(with_runs.runs()).verdict("vi")
    assert plain((app.success or app.info)[0].value) == told


def test_the_language_may_be_typed_in_small_letters(show: Open) -> None:
    assert [title.value for title in show("overview", "empty", "vi").title] == ["Tổng quan"]
