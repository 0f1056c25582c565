"""The report: one file that says what the command says, opens offline, and shows text as text."""

from __future__ import annotations

import html.parser
import json
import os
import re
import string
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tailor import Workspace, report
from tailor.ladder import climb
from tailor.reporting.facts import gather
from tailor.reporting.sections import tradeoffs
from tailor.reporting.words import WORDS
from tailor.rows import rows_for
from tailor.run import compare
from tailor.testing import Messages, OpenAIServer

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHROMIUM = os.environ.get("TAILOR_CHROMIUM") or "/usr/bin/chromium"

HOSTILE = [
    "<script>document.title='owned'</script>",
    "</td></table></style><script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    "<svg onload=document.title='owned'>",
    "<iframe src=\"javascript:parent.document.title='owned'\"></iframe>",
    "<a href=\"javascript:document.title='owned'\">click</a>",
    '"><b id=owned>x</b>',
    "' onmouseover=document.title='owned' x='",
    "<style>body{display:none}</style>",
    "<link rel=stylesheet href=http://evil.example/x.css>",
    "<meta http-equiv=refresh content='0;url=http://evil.example/'>",
    "<base href=http://evil.example/>",
    "<form action=http://evil.example/><input name=x></form>",
    "{{ 7*7 }}{% for x in [].__class__.__mro__ %}x{% endfor %}",
    "<!-- x --><![CDATA[x]]>&lt;b&gt;&amp;amp;",
    "=HYPERLINK(\"http://evil.example\")",
    "\u202eoliam\u202c @ [link](http://evil.example) ![x](http://evil.example/x.png)",
    "</title></head><body onload=document.title='owned'>",
    "`${document.title='owned'}`",
    "<details open ontoggle=document.title='owned'>x</details>",
]  # fmt: skip


def _fill(root: Path, url: str) -> Workspace:
    """20 hostile document names, questions, answers and tags each, in test and in dev."""
    lines = []
    for number, payload in enumerate(HOSTILE):
        name = f"{number} {payload}".replace("/", "⁄").encode()[:120].decode(errors="ignore")
        path = root / "knowledge" / f"{name}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            f"Item {number} is called {payload} and costs {number + 1} euro.\n", "utf-8"
        )
        for split in ("test", "dev", "train"):
            lines.append(
                {
                    "id": f"{split}-{number}{payload}",
                    "question": f"What does item {number} {payload} cost, {split}?",
                    "answer": f"{payload} {number + 1} euro",
                    "evidence": [{"document": path.name, "quote": f"costs {number + 1} euro"}],
                    "tags": [payload],
                    "split": split,
                    "lang": "vi" if number % 2 else "en",
                }
            )
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    (root / "knowledge" / "benchmark.jsonl").write_text(text, "utf-8")
    (root / "tailor.toml").write_text(
        f'model = "openai:double"\nbase_url = "{url}"\n'
        'ladder = ["prompting", "retrieval"]\n'
        '[prices."openai:double"]\ninput = 1.0\noutput = 2.0\n',
        "utf-8",
    )
    return Workspace(root)


def _reply(messages: Messages) -> str:
    asked = str(messages[-1]["content"]).splitlines()[-1]
    number = int(re.findall(r"item (\d+) ", asked)[0])
    return f"{HOSTILE[number]} {number + 1} euro" if number % 3 == 0 else HOSTILE[-number]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A workspace in which all that people and models write wants to act, with two runs."""
    with OpenAIServer(_reply) as server:
        workspace = _fill(tmp_path_factory.mktemp("reports") / "acme <b>", server.url)
        workspace.ingest()
        climb(workspace, rows_for(workspace, ["all"]))
        yield workspace


class _Page(html.parser.HTMLParser):
    """The elements of a page with their attributes, its tables and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.tables: list[list[list[str]]] = []
        self.text = ""
        self._in = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))
        if tag in ("style", "td", "th"):
            self._in = tag
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == self._in:
            self._in = ""

    def handle_data(self, data: str) -> None:
        if self._in != "style":
            self.text += data
        if self._in in ("td", "th"):
            self.tables[-1][-1][-1] += data

    def rows(self) -> list[list[str]]:
        """The cells of the table of all rows, without its head."""
        ids = [attributes.get("id") for tag, attributes in self.elements if tag == "table"]
        return self.tables[ids.index("rows")][1:]


@pytest.mark.parametrize("lang", ["en", "vi"])
def test_the_numbers_are_those_of_the_command(hostile: Workspace, lang: str) -> None:
    page = _Page(report(hostile, lang=lang))
    result = compare(hostile.runs())
    table = result.table(lang)
    cells = [[str(cell) for cell in column.cells] for column in table.columns]
    assert page.rows() == [list(row) for row in zip(*cells, strict=True)]
    assert result.verdict(lang) in page.text
    for row, line in zip(result.to_json()["stages"], page.rows(), strict=True):
        mean, (low, high) = row["metrics"]["f1"]["mean"], row["metrics"]["f1"]["ci95"]
        told = [f"{100 * x:.1f}" for x in (mean, low, high)]
        if lang == "vi":
            told = [text.replace(".", ",") for text in told]
        assert re.findall(r"\d+[.,]\d", line[1]) == told


def test_both_languages_say_the_same_things() -> None:
    fields = {
        lang: {
            key: {name for _, name, _, _ in string.Formatter().parse(text) if name}
            for key, text in words.items()
        }
        for lang, words in WORDS.items()
    }
    assert fields["en"] == fields["vi"]
    same = {key for key in WORDS["en"] if WORDS["en"][key] == WORDS["vi"][key]}
    assert not same


def test_it_is_told_in_the_chosen_language(hostile: Workspace) -> None:
    english, vietnamese = report(hostile), report(hostile, lang="vi")
    assert '<html lang="en">' in english
    assert '<html lang="vi">' in vietnamese
    text = _Page(vietnamese).text
    for key in ("title", "bars", "all_rows", "changes", "why", "guide", "worst", "measured"):
        assert WORDS["vi"][key] in text
        assert WORDS["en"][key] not in text
    assert re.search(r"\d\d/\d\d/20\d\d \d\d:\d\d UTC", text)
    assert not re.search(r"20\d\d-\d\d-\d\d", text)


def test_it_asks_for_nothing_and_runs_nothing(hostile: Workspace) -> None:
    page = _Page(report(hostile))
    allowed = {"href", "src", "action", "data", "poster", "background", "srcset", "style"}
    for tag, attributes in page.elements:
        assert tag not in ("script", "link", "img", "iframe", "object", "embed", "form", "base")
        assert not allowed & set(attributes), (tag, attributes)
        assert not [name for name in attributes if name.startswith("on")]
        assert attributes.get("http-equiv", "Content-Security-Policy") == "Content-Security-Policy"
    policies = [a["content"] for t, a in page.elements if t == "meta" and "http-equiv" in a]
    assert len(policies) == 1
    assert str(policies[0]).startswith("default-src 'none'; style-src 'sha256-")


def test_every_hostile_text_is_there_as_text(hostile: Workspace) -> None:
    text = _Page(report(hostile, worst=100)).text
    shown = [
        payload
        for number, payload in enumerate(HOSTILE)
        if f"What does item {number} {payload} cost, test?" in text
        and f"{payload} {number + 1} euro" in text
    ]
    assert len(shown) >= 10
    assert sum(payload in text for payload in HOSTILE) >= 18


def test_a_row_that_no_longer_holds_is_marked(hostile: Workspace) -> None:
    benchmark = hostile.knowledge / "benchmark.jsonl"
    before = benchmark.read_text("utf-8")
    try:
        lines = before.splitlines(keepends=True)
        changed = json.loads(lines[0]) | {"answer": "another answer"}
        benchmark.write_text(json.dumps(changed) + "\n" + "".join(lines[1:]), "utf-8")
        page = _Page(report(Workspace(hostile.root)))
        assert WORDS["en"]["stale"] in page.text
        assert WORDS["en"]["stale_benchmark"] in page.text
        assert all("(stale)" in row[0] for row in page.rows())
        assert [a for t, a in page.elements if t == "tr" and a.get("class") == "stale"]
    finally:
        benchmark.write_text(before, "utf-8")


def test_what_made_it_is_told(hostile: Workspace) -> None:
    text = _Page(report(hostile)).text
    for run in hostile.runs():
        assert run.fingerprint in text
        assert run.id in text
        for name, version in run.versions.items():
            assert f"{name} {version}" in text
    assert hostile.benchmark.digest in text
    assert "retrieval.k" in text


def test_the_command_writes_it(tailor, hostile: Workspace, tmp_path: Path) -> None:
    ended = tailor("report", "-w", hostile.root)
    assert ended.code == 0
    path = Path(ended.out.strip())
    assert path == hostile.state / "reports" / "report.html"
    assert path.name in ended.err.splitlines()[-1] or str(path) in ended.err
    assert path.read_text("utf-8").startswith("<!doctype html>")
    wanted = tmp_path / "there" / "báo cáo.html"
    named = tailor("report", "-o", wanted, "--lang", "vi", "--json", "-w", hostile.root)
    assert named.json == {"schema_version": 1, "report": str(wanted)}
    assert '<html lang="vi">' in wanted.read_text("utf-8")
    assert tailor("report", "--lang", "de", "-w", hostile.root).code == 2
    assert "-o" in tailor("report", "-o", "/proc/no/report.html", "-w", hostile.root).sentence


def test_an_unknown_price_is_not_called_equal(hostile: Workspace) -> None:
    facts = gather(hostile, hostile.runs(), "en", "test")
    one, other = (replace(row, spent=None, cost_usd=None) for row in facts.result.rows[:2])
    for rows, told in (
        ((one, other), WORDS["en"]["cost_unknown"]),
        ((replace(one, cost_usd=1.0), other), ""),
    ):
        found = tradeoffs(replace(facts, result=replace(facts.result, rows=rows)))
        assert found[0]["told"] == told


def test_nothing_was_run_yet(tailor, workspace: Workspace) -> None:
    assert "tailor run" in tailor("report", "-w", workspace.root).sentence


@pytest.mark.browser
@pytest.mark.skipif(
    not Path(CHROMIUM).exists(), reason=f"no Chromium at {CHROMIUM}; set TAILOR_CHROMIUM"
)
def test_nothing_acts_in_a_browser(hostile: Workspace, tmp_path: Path) -> None:
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    files = {}
    for lang in ("en", "vi"):
        files[lang] = tmp_path / f"{lang}.html"
        files[lang].write_text(report(hostile, lang=lang, worst=100), "utf-8")
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=arguments)
        try:
            for lang, file in files.items():
                for width in (400, 1280):
                    _visit(browser.new_page(viewport={"width": width, "height": 900}), file, lang)
        finally:
            browser.close()


def _visit(page: Page, file: Path, lang: str) -> None:
    """Open a report, and see that it stays as it is and asks for nothing."""
    told: list[str] = []
    page.on("request", lambda request: told.append(request.url))
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on("dialog", lambda dialog: told.append(dialog.message))
    page.goto(file.as_uri())
    assert page.title().startswith(WORDS[lang]["title"])
    assert told == [file.as_uri()]
    assert page.locator("#owned, a, iframe, img, form").count() == 0
    assert page.get_by_text(HOSTILE[0]).first.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.close()
