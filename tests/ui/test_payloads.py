"""Text of documents, file names, questions and answers stays text on every page of the browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from tailor.cli.ui import options
from tailor.testing import Messages, OpenAIServer
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

pytestmark = pytest.mark.browser

HOST = "http://evil.example"
RUN = "window.ran=(window.ran||0)+1"
HTML = (
    "<script>{run}</script>",
    "<img src=x onerror='{run}'>",
    "<img src={host}/{n}.png>",
    "<svg onload='{run}'></svg>",
    "<svg><script>{run}</script></svg>",
    "<iframe src='{host}/{n}'></iframe>",
    "<iframe srcdoc='<script>parent.{run}</script>'></iframe>",
    "<body onload='{run}'>",
    "<details open ontoggle='{run}'>x</details>",
    "<video><source onerror='{run}'></video>",
    "<audio src={host}/{n}.mp3 autoplay></audio>",
    "<object data='{host}/{n}'></object>",
    "<embed src='{host}/{n}'>",
    "<link rel=stylesheet href='{host}/{n}.css'>",
    "<style>@import '{host}/{n}.css'; body{{background:url({host}/{n}.png)}}</style>",
    "<style>body {{ display: none }}</style>",
    "<meta http-equiv=refresh content='0;url={host}/{n}'>",
    "<base href='{host}/'>",
    "<form action='{host}/{n}'><input autofocus onfocus='{run}'></form>",
    "<a href='javascript:{run}' id=x>click</a>",
    "<math><mtext><img src=x onerror='{run}'></mtext></math>",
    "<noscript><img src=x onerror='{run}'></noscript>",
    "<input type=image src={host}/{n}.png>",
    "<table background={host}/{n}.png><tr><td>x</td></tr></table>",
    "<marquee onstart='{run}'>x</marquee>",
    '"><script>{run}</script>',
    "'><img src=x onerror='{run}'>",
    "</div></td></table><script>{run}</script>",
    "</style><script>{run}</script>",
    "</script><script>{run}</script>",
    "--><script>{run}</script>",
    "<scr<script>ipt>{run}</scr</script>ipt>",
    "<IMG SRC=x ONERROR={run}>",
    "<img/src=x/onerror={run}>",
    "&lt;script&gt;{run}&lt;/script&gt;",
    "&#60;img src=x onerror={run}&#62;",
    '" onmouseover="{run}" autofocus onfocus="{run}',
    "' onmouseover='{run}' title='",
    "` onmouseover={run} `",
    "{{{{ '{run}' }}}}",
)
MARKDOWN = (
    "![x]({host}/{n}.png)",
    '![x]({host}/{n}.png "title")',
    "[![x]({host}/{n}.png)]({host}/{n})",
    "[click](javascript:{run})",
    "[click]({host}/{n})",
    "<{host}/{n}>",
    "![x][ref]\n\n[ref]: {host}/{n}.png",
    ":material/{n}: :red[x] :blue-background[y]",
    "$\\href{{{host}/{n}}}{{x}}$",
    "$\\includegraphics{{{host}/{n}.png}}$",
    "# head {n}\n\n- item\n- item",
    "| a | b |\n|---|---|\n| ![x]({host}/{n}.png) | c |",
    "```html\n<script>{run}</script>\n```",
    "\n\n<img src={host}/{n}.png>\n\n",
    "**bold** ~~gone~~ <b>b</b>",
    '=HYPERLINK("{host}/{n}")',
    "@import url({host}/{n})",
    "{host}/{n}.png",
    "data:text/html,<script>{run}</script>",
    "%3Cscript%3E{run}%3C/script%3E",
)
PAYLOADS = tuple(
    f"p{n:03} " + pattern.format(run=RUN, host=HOST, n=n)
    for n, pattern in enumerate((*HTML, *MARKDOWN, *(f"[vi] {text}" for text in HTML)))
)
PAGES = (
    "", "knowledge", "benchmark", "models", "stages", "compare", "playground", "serve", "monitor",
    "settings",
)  # fmt: skip
VIEWED = ("benchmark", "compare")


def answer(messages: Messages) -> str:
    """The payload that the question holds, as the answer."""
    question = str(messages[-1]["content"])
    held = [text for text in PAYLOADS if text[:4] in question]
    return held[-1] if held else PAYLOADS[0]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory, serve: Any) -> Iterator[Any]:
    """A workspace that is full of payloads, with two rows that were run on them."""
    from tailor.ladder import climb
    from tailor.rows import rows_for

    root = tmp_path_factory.mktemp("payloads") / "<img src=x onerror='window.ran=1'>"
    knowledge = root / "knowledge"
    knowledge.mkdir(parents=True)
    lines = []
    for n, payload in enumerate(PAYLOADS):
        name = payload.replace("/", "∕").replace("\n", " ")[:80] + ".md"
        (knowledge / name).write_text(f"{payload}\n\nRule {n}: {payload}\n", "utf-8")
        question = {
            "id": f"p{n:03}<b>",
            "question": f"What does {payload} say?",
            "answer": payload if n % 2 else [payload, "x"],
            "evidence": [{"document": name, "quote": f"Rule {n}:"}],
            "tags": [payload[:60]],
            "split": "test" if n % 3 else "dev",
        }
        lines.append(json.dumps(question, ensure_ascii=False) + "\n")
    (knowledge / "benchmark.jsonl").write_text("".join(lines), "utf-8")
    (knowledge / "drafts.jsonl").write_text("".join(lines[:5]).replace('"p0', '"d0'), "utf-8")
    with OpenAIServer(answer) as server:
        purpose = json.dumps(PAYLOADS[1])
        (root / "tailor.toml").write_text(
            f'model = "openai:double"\nbase_url = "{server.url}"\n'
            f'ladder = ["prompting", "retrieval"]\n[goal]\npurpose = {purpose}\nscore = 0.5\n',
            "utf-8",
        )
        workspace = Workspace(root)
        workspace.ingest()
        climb(workspace, rows_for(workspace, ["all"]))
        yield serve(workspace)


def settle(page: Page) -> None:
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
    page.get_by_role("heading", level=1).wait_for()


def untouched(page: Page) -> None:
    """Nothing ran, and nothing of the payloads became an element."""
    assert page.evaluate("window.ran") is None
    made = page.evaluate(
        """() => [...document.querySelectorAll(
            'iframe[srcdoc], object, embed, base, marquee, meta[http-equiv=refresh], audio, '
            + 'video, form[action], math > mtext > img, [onerror], [onload], [onfocus], '
            + '[onmouseover], [ontoggle], [onstart], [href^=javascript], [src*=evil], '
            + '[href*=evil], [background]'
        )].map(element => element.outerHTML.slice(0, 200))"""
    )
    assert made == []


def test_only_this_machine_reaches_the_server(hostile: Any) -> None:
    listening = [
        connection.laddr.ip
        for connection in psutil.Process(hostile.process.pid).net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert set(listening) == {"127.0.0.1"}


def test_streamlit_says_and_sends_nothing_of_its_own() -> None:
    given = options(8501, browser=False)
    assert given["browser.gatherUsageStats"] == "false"
    assert given["client.showErrorDetails"] == "none"
    assert given["server.address"] == "127.0.0.1"


def test_a_hundred_payloads() -> None:
    assert len(PAYLOADS) >= 100


@pytest.mark.parametrize("name", PAGES, ids=lambda name: name or "overview")
def test_nothing_runs_and_nothing_is_asked_for(
    name: str,
    hostile: Any,
    tabs: BrowserContext,
) -> None:
    page = tabs.new_page()
    # Where a page shows one thing at a time, each of these shows another one.
    for asked in range(6) if name in ("knowledge", "compare", "stages") else range(1):
        at = asked * 19 % 100
        file = sorted(path.name for path in hostile.workspace.knowledge.glob("*.md"))[at]
        page.goto(f"{hostile.url}/{name}")
        page.evaluate(
            "([file, question]) => history.replaceState(null, '', location.pathname + '?' + "
            "new URLSearchParams({file, question, show: 'all', stage: 'retrieval'}))",
            [file, f"p{at:03}<b>"],
        )
        page.reload()
        settle(page)
        untouched(page)
    if name == "knowledge":
        box = page.get_by_role("textbox", name="Search the passages")
        box.fill(PAYLOADS[1])
        box.press("Enter")
        page.locator(".passage:visible").first.wait_for()
    shown = page.get_by_test_id("stMain").get_by_role("radio").filter(visible=True)
    views = shown if name in VIEWED else None
    at = 0
    while views and at < views.count():  # another part has other choices of its own
        views.nth(at).click(force=True)
        at += 1
        settle(page)
        untouched(page)
    page.evaluate(
        "document.querySelectorAll('[data-testid=stExpander] > details > summary')"
        ".forEach(summary => summary.click())"
    )
    settle(page)
    page.wait_for_timeout(300)
    untouched(page)
