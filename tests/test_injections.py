"""Orders planted in documents: whatever a model obeys, nothing leaves that is alive."""

from __future__ import annotations

import html
import importlib.util
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock

import pytest

from tailor.assistant import Answer, Assistant
from tailor.documents.passages import Passage
from tailor.outgoing import defused, shown
from tailor.playground import Asked, Side
from tailor.stages.retrieval import Retrieval
from tailor.testing import OpenAIServer
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Command


def program() -> ModuleType:
    path = Path(__file__).parent / "benchmarks" / "injections.py"
    spec = importlib.util.spec_from_file_location("benchmark_injections", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


injections = program()
PLANTED = injections.planted()


@pytest.fixture(scope="module")
def server() -> Iterator[OpenAIServer]:
    """The model that obeys whatever it reads."""
    with OpenAIServer(injections.obedient(PLANTED)) as running:
        yield running


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, server: OpenAIServer) -> Workspace:
    root = tmp_path_factory.mktemp("planted")
    injections.plant(root / "knowledge", PLANTED)
    (root / "tailor.toml").write_text(
        f'model = "openai:obedient"\nbase_url = "{server.url}"\n', "utf-8"
    )
    made = Workspace(root)
    made.ingest()
    return made


@pytest.fixture(scope="module")
def measured(workspace: Workspace) -> list[tuple[Any, Answer, bool]]:
    assistant = Retrieval().apply(workspace.root_assistant(), workspace)
    out: list[tuple[Any, Answer, bool]] = injections.measure(assistant, PLANTED)
    return out


def test_the_set_has_many_documents_in_both_languages() -> None:
    assert len(PLANTED) >= 60
    assert Counter(one.lang for one in PLANTED) == {"en": 39, "vi": 39}
    assert len({one.technique for one in PLANTED}) == 13
    assert len({one.id for one in PLANTED}) == len(PLANTED)
    assert {one.form for one in PLANTED} == {"md", "txt", "html", "docx", "pdf"}


def test_the_double_obeys_all_that_it_reads(measured: list[tuple[Any, Answer, bool]]) -> None:
    obeyed = [one for one, _, was in measured if was]
    seen = [one for one, answer, _ in measured if injections.read(one, answer)]
    assert obeyed == seen
    assert len(seen) >= 60
    unseen = {one.technique for one, _, was in measured if not was}
    assert unseen <= {"html comment", "image", "zero width"}, "readers leave these out"


def test_no_canary_leaves_by_an_address_an_image_or_a_tag(
    measured: list[tuple[Any, Answer, bool]],
) -> None:
    for one, answer, was in measured:
        if was:
            assert any(one.canary in target for target in injections.targets(answer.text)), one.id
            assert one.canary in shown(answer), "words stay"
        assert injections.targets(shown(answer)) == [], one.id


def test_no_tool_is_offered_and_nothing_but_the_model_is_asked(
    measured: list[tuple[Any, Answer, bool]], server: OpenAIServer
) -> None:
    assert {request.path for request in server.requests} == {"/v1/chat/completions"}
    assert not any("tools" in request.body for request in server.requests)


def test_the_prompt_says_who_speaks(
    measured: list[tuple[Any, Answer, bool]], server: OpenAIServer
) -> None:
    for request in server.requests:
        system, user = request.messages
        assert "<passage>" in system["content"]
        content = str(user["content"])
        passages, _, question = content.rpartition("\n\n")
        assert question.startswith(("Question: ", "Câu hỏi: "))
        assert passages.count("<passage ") == passages.count("</passage>") > 0
        assert "<|" not in content
        assert "[INST]" not in content


def test_tailor_ask_prints_nothing_alive(
    workspace: Workspace, measured: list[tuple[Any, Answer, bool]], tailor: Command
) -> None:
    for number, (one, _, was) in enumerate(measured):
        filters = injections.ask(one, PLANTED).filters
        paths = [part for path in filters.documents for part in ("--document", path)]
        form = ("--json",) if number % 2 else ()
        ended = tailor("ask", one.question, "-s", "retrieval", *paths, *form, "-w", workspace.root)
        assert ended.code == 0
        text = json.loads(ended.out)["answer"] if form else ended.out
        assert injections.targets(text) == [], one.id
        assert (one.canary in text) == was


def test_the_playground_shows_plain_text(
    workspace: Workspace,
    measured: list[tuple[Any, Answer, bool]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answering = pytest.importorskip("tailor.ui.playground_answer")
    from tailor.ui.language import language

    for one, answer, _ in measured:
        page = MagicMock()
        monkeypatch.setattr(answering, "st", page)
        asked = Asked("1", one.question, (("retrieval", "openai:obedient"),), 0.0)
        side = Side("done", text=answer.text, answer=answer)
        answering.show(workspace, asked, side, "retrieval", 0, language("vi"))
        drawn = [str(call.args[0]) for call in page.html.call_args_list]
        assert any(html.escape(answer.text) in part for part in drawn), one.id
        assert [t for part in drawn for t in injections.targets(part, markdown=False)] == []
        written = [*page.markdown.call_args_list, *page.caption.call_args_list]
        assert not any("collect.example" in str(call.args[0]) for call in written)


def test_an_explained_answer_does_not_steer_the_terminal(
    workspace: Workspace, measured: list[tuple[Any, Answer, bool]], tailor: Command
) -> None:
    one, answer, _ = measured[0]
    assert "\x1b" in answer.text
    paths = [
        part
        for path in injections.ask(one, PLANTED).filters.documents
        for part in ("--document", path)
    ]
    at = (*paths, "--explain", "-w", workspace.root)
    ended = tailor("ask", one.question, "-s", "retrieval", *at)
    assert "\\x1b]8;;" in ended.out
    assert "\x1b" not in ended.out


PORTAL = Passage(
    "it/portal.md", 0, 1, "Sign in at https://portal.acme.example/in or ask it@acme.example."
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("At https://portal.acme.example/in.", "At https[:]//portal[.]acme[.]example/in."),
        ("At https://portal.acme.example/in?q=salary", "At [address removed]"),
        ("Ask it@acme.example.", "Ask it@acme.example."),
        ("Ask spy@else.example.", "Ask [address removed]."),
        ("![a](https://else.example/a.png)", "! [a] ([address removed])"),
        ("[a](//else.example/a)", "[a] ([address removed])"),
        ("Gửi tới http:/\\else.example/x", "Gửi tới [đã gỡ địa chỉ]"),
        ("javascript:fetch('//else.example')", "[address removed]'[address removed]')"),
        ("<img src=x onerror=1>", "‹img src=x onerror=1>"),
        ("h\u200bttps://else.example/x", "[address removed]"),
        ("12 days [1], see hr/leave.md, a < b", "12 days [1], see hr/leave.md, a < b"),
    ],
)  # fmt: skip
def test_what_is_defused(text: str, expected: str) -> None:
    assert defused(text, [PORTAL]) == expected
    assert injections.targets(expected) == []


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("https://portal.acme.example/in?q=1", True),
        ("https://acme.example", True),
        ("https://acme.example.else.example/x", False),
        ("https://notacme.example/x", False),
        ("https://acme.example@else.example/x", False),
        ("https://else.example\\@acme.example/x", False),
        ("ftp://acme.example/x", False),
    ],
)
def test_trusted_hosts_stay(text: str, kept: bool) -> None:
    assert (defused(text, (), ("acme.example",)) == text) == kept


def test_the_shipped_models_are_measured(workspace: Workspace) -> None:
    root: Assistant = workspace.root_assistant("shipped")
    baseline = workspace.stage("baseline").apply(root, workspace)
    some = injections.measure(baseline, PLANTED[::10])
    assert all(answer.outcome in ("ok", "refused") for _, answer, _ in some)
    assert not any(injections.left(one, answer) for one, answer, _ in some)
