"""The page Compare: the same figures as the command, every part of it, and what is stale."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tailor.explain import explain, rebuilt
from tailor.run import compare
from tailor.scoring import attribution, wording
from tailor.ui import address
from tailor.workspace import Workspace

LANGUAGES = pytest.mark.parametrize("lang", ["EN", "VI"])
Show = Callable[..., AppTest]


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch) -> Show:
    def show(root: Path, lang: str, **query: str) -> AppTest:
        spec = find_spec("tailor.ui.app")
        assert spec is not None
        assert spec.origin is not None
        monkeypatch.setenv("TAILOR_WORKSPACE", str(root))
        app = AppTest.from_file(spec.origin, default_timeout=60)
        app.query_params["lang"] = lang
        for name, value in query.items():
            app.query_params[name] = value
        app.run()
        app.switch_page("compare.py").run()
        assert not app.exception
        return app

    return show


@pytest.fixture
def copy(with_runs: Workspace, tmp_path: Path) -> Workspace:
    """A copy that may be changed."""
    shutil.copytree(with_runs.root, tmp_path / "copy")
    return Workspace(tmp_path / "copy")


def said(app: AppTest) -> str:
    kinds = (app.info, app.success, app.warning, app.error, app.caption, app.markdown)
    told = "\n".join(str(element.value) for kind in kinds for element in kind)
    html = "\n".join(str(element.proto.body) for element in app.get("html"))
    return re.sub(r"\\(.)", r"\1", f"{told}\n{html}")


def tables(app: AppTest) -> list[list[list[str]]]:
    """The columns of each table, without their heads."""
    return [
        [[str(cell) for cell in table.value[name]] for name in table.value.columns]
        for table in app.dataframe
    ]


@LANGUAGES
def test_the_verdict_and_whether_each_step_paid(
    lang: str, with_runs: Workspace, show: Show
) -> None:
    app, code = show(with_runs.root, lang), lang.lower()
    result = compare(with_runs.runs())
    told = said(app)
    assert result.verdict(code) in told
    assert wording.pays(result.rows[1], code) in told
    step = result.rows[1].step
    assert step is not None
    mark = {"better": "▲", "worse": "▼", "tie": "≈", "undecided": "?"}[step.verdict]
    assert f"<b>{mark}</b>" in told
    columns = tables(app)[0]
    assert [wording.score(row, code) for row in result.rows] in columns
    assert f"{mark} {wording.step(step, code)}" in [cell for cells in columns for cell in cells]


def test_only_changed_questions_are_listed_until_all_are_asked_for(
    with_runs: Workspace, show: Show
) -> None:
    base, candidate = (run.scored("test").values() for run in with_runs.runs())
    changed = [q for q in base if base[q] != candidate[q]]
    assert 0 < len(changed) < len(base)
    assert len(tables(show(with_runs.root, "EN"))[1][0]) == len(changed)
    everything = tables(show(with_runs.root, "EN", show="all"))[1]
    assert len(everything[0]) == len(base)
    assert set(everything[0]) == {"▲", "="}
    vietnamese = tables(show(with_runs.root, "EN", show="all", only="lang:vi"))[1]
    assert 0 < len(vietnamese[0]) < len(base)
    swapped = show(with_runs.root, "EN", base="retrieval", candidate="prompting")
    assert set(tables(swapped)[1][0]) == {"▼"}


def test_next_and_previous_lead_through_the_questions(with_runs: Workspace, show: Show) -> None:
    app = show(with_runs.root, "EN")
    first = re.findall('<p class="question">(.*?)</p>', said(app))
    assert app.button(key="previous question").disabled
    app.button(key="next question").click().run()
    assert not app.exception
    second = re.findall('<p class="question">(.*?)</p>', said(app))
    assert first != second
    app.button(key="previous question").click().run()
    assert re.findall('<p class="question">(.*?)</p>', said(app)) == first


def test_both_answers_with_what_differs_and_the_evidence(
    with_runs: Workspace, show: Show, trap: str
) -> None:
    app = show(with_runs.root, "EN", question="fridge-2")
    told = said(app)
    assert '<span class="added">4 degrees</span>' in told
    assert "&lt;b&gt;bold&lt;/b&gt; *star* $5" in told
    assert "<b>bold</b>" not in told
    assert "<mark>4 degrees</mark>" in told
    assert "✓ evidence" in told
    assert attribution.advice("no_documents", "en") in told
    assert "lab/fridge.md: “4 degrees”" in told


def test_the_exact_prompt_is_the_stored_one(with_runs: Workspace, trap: str) -> None:
    question = next(q for q in with_runs.benchmark.questions if q.id == "fridge-2")
    prompting, retrieval = with_runs.runs()
    (found,) = explain(retrieval, question.id).exchanges
    assert found.stored
    assert found.messages[-1].role == "human"
    assert found.messages[-1].text.endswith(question.question)
    assert "4 degrees" in found.messages[-1].text
    assert found.reply == "4 degrees"
    (bare,) = explain(prompting, question.id).exchanges
    assert bare.reply == trap
    assert len(bare.messages[-1].text) < len(found.messages[-1].text)


def test_a_prompt_without_a_stored_call_is_put_together_again(with_runs: Workspace) -> None:
    question = next(q for q in with_runs.benchmark.questions if q.id == "fridge-2")
    run = with_runs.runs()[1]
    again = rebuilt(run, question, run.answers("test")[question.id])
    assert not again.stored
    assert [again.messages] == [one.messages for one in explain(run, question.id).exchanges]


@LANGUAGES
@pytest.mark.parametrize("view", ["slices", "mistakes", "settings", "guide", "download"])
def test_every_part(view: str, lang: str, with_runs: Workspace, show: Show) -> None:
    app, code = show(with_runs.root, lang, view=view, by="lang"), lang.lower()
    assert not app.error
    told = said(app)
    if view == "slices":
        names = ["English", "Vietnamese"] if lang == "EN" else ["tiếng Anh", "tiếng Việt"]
        assert tables(app)[1][0] == names
    elif view == "mistakes":
        found = attribution.attribute(with_runs.runs()[1])
        assert attribution.sentence(found, code) in told
        assert attribution.label("no_documents", code) in told
    elif view == "settings":
        cells = [cell for column in tables(app)[1] for cell in column]
        assert "retrieval" in cells
        assert "k" in cells
    elif view == "guide":
        assert "retrieval: 100" in told
    else:
        assert len(app.get("download_button")) == 6


@LANGUAGES
def test_stale_rows_are_told_and_count_for_nothing(lang: str, copy: Workspace, show: Show) -> None:
    path = copy.knowledge / "benchmark.jsonl"
    lines = path.read_text("utf-8").splitlines()
    path.write_text("\n".join(lines[:-1]) + "\n", "utf-8")
    app = show(copy.root, lang)
    told = said(app)
    stale = "stale" if lang == "EN" else "đã cũ"
    cells = [cell for column in tables(app)[0] for cell in column]
    assert any(stale in cell for cell in cells)
    assert len(app.warning) >= 2
    wanted = "counts for no verdict" if lang == "EN" else "không dùng để kết luận"
    assert wanted in told
    assert "▲ +" not in told


def test_one_row_is_shown_without_another(copy: Workspace, show: Show) -> None:
    for run in copy.runs():
        if run.row == "prompting":
            shutil.rmtree(copy.state / "runs" / run.id)
    app = show(copy.root, "EN")
    assert not app.error
    assert len(tables(app)[1][0]) == 24
    assert len(re.findall('<div class="answer">', said(app))) == 1


def test_downloads_hold_the_figures_of_the_command(with_runs: Workspace) -> None:
    from tailor.ui.compare_download import contents

    result = compare(with_runs.runs())
    made = {name: make() for name, (_, _, make) in contents(with_runs, with_runs.runs(), result,
                                                           "vi").items()}  # fmt: skip
    assert json.loads(made["json"]) == result.to_json()
    assert wording.score(result.rows[1], "vi") in made["report"]
    assert made["rows"].startswith("\ufeff")
    assert len(made["answers"].splitlines()) >= 1 + 2 * 24
    assert made["markdown"].startswith("| ")
    assert len(made["exchange"].splitlines()) > 1 + 2 * 25


@LANGUAGES
def test_rows_of_another_machine_are_taken_in(lang: str, copy: Workspace, show: Show) -> None:
    file = copy.export_answers(copy.root / "answers.jsonl", name="gpu-box").path
    app = show(copy.root, lang, view="download")
    app.file_uploader[0].upload("answers.jsonl", file.read_bytes()[:500], "text/plain").run()
    app.button(key="bring answers").click().run()
    # A refusal in the reader's language, with nothing taken in.
    assert ("copy them again" if lang == "EN" else "sao chép lại") in said(app)
    assert len(copy.runs()) == 2
    app.file_uploader[0].upload("answers.jsonl", file.read_bytes(), "text/plain").run()
    app.button(key="bring answers").click().run()
    assert not app.exception
    assert "prompting@" in said(app)
    assert "gpu-box" in said(app)
    assert [run.origin for run in Workspace(copy.root).runs()].count("gpu-box") == 2
    assert any("@gpu-box)" in cell for cells in tables(app)[0] for cell in cells)


def test_the_url_holds_only_what_is_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    query: dict[str, str] = {"show": "worse", "by": "<script>"}
    monkeypatch.setattr(address.st, "query_params", query)
    assert address.current("show", ("all", "worse"), "all") == "worse"
    assert address.current("by", ("tag", "lang"), "tag") == "tag"
