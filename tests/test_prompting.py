"""The prompting stage: what the model is told, how its reply is read, tools, variants on dev."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tailor.assistant import Ask, Assistant, Prompt, Reply
from tailor.documents.passages import Passage
from tailor.errors import UsageError
from tailor.prompting import wording
from tailor.prompting.table import TableError, look_up, read, rows
from tailor.prompting.tools import asked_for
from tailor.stages import FewShot, Prompting
from tailor.stages.prompting import INSTRUCTIONS
from tailor.testing import Fault, Messages, OpenAIServer, Request, tool_call
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Model

ENGLISH, VIETNAMESE = "How many days of paid leave?", "Nhân viên được nghỉ mấy ngày?"


class Script:
    """A chat model that says these replies in turn and remembers the prompts."""

    fingerprint = "script"

    def __init__(self, *replies: str) -> None:
        self.replies = list(replies)
        self.prompts: list[Prompt] = []

    def invoke(self, prompt: Prompt, config: Any = None) -> Reply:
        self.prompts.append(prompt)
        text = self.replies[min(len(self.prompts), len(self.replies)) - 1]
        return Reply(text, input_tokens=10, output_tokens=2, seconds=1.0, cost_usd=0.5)


def scripted(stage: Prompting, workspace: Workspace, *replies: str) -> tuple[Assistant, Script]:
    model = Script(*replies)
    return stage.apply(Assistant(model=model), workspace), model  # type: ignore[arg-type]


def told(assistant: Assistant, question: str = ENGLISH) -> list[tuple[str, str]]:
    messages = assistant.prompt(Ask(question)).messages()
    return [(message.type, str(message.text)) for message in messages]


# --- what the model is told -------------------------------------------------------------------


def test_by_default_it_says_what_the_shipped_reader_learned(workspace: Workspace) -> None:
    assistant, _ = scripted(Prompting(), workspace, "")
    for question, label in ((ENGLISH, "Question"), (VIETNAMESE, "Câu hỏi")):
        assert told(assistant, question) == [
            ("system", INSTRUCTIONS),
            ("human", f"{label}: {question}"),
        ]


def test_instructions_stand_in_the_language_of_the_question(workspace: Workspace) -> None:
    assistant, _ = scripted(
        Prompting(language="question", style="sentence", reasoning=True), workspace, ""
    )
    english, vietnamese = told(assistant)[0][1], told(assistant, VIETNAMESE)[0][1]
    assert english.startswith("Answer from the documents only, in one full sentence")
    assert english.endswith(wording.REASONING["en"])
    assert vietnamese.startswith("Chỉ trả lời theo tài liệu, bằng một câu đầy đủ")
    assert vietnamese.endswith(wording.REASONING["vi"])
    fixed, _ = scripted(Prompting(language="vi"), workspace, "")
    assert told(fixed) == [("system", wording.instructions("brief", "vi")), told(fixed)[1]]


def test_without_a_system_message_they_stand_before_the_first_turn(workspace: Workspace) -> None:
    assistant, _ = scripted(Prompting(placement="user"), workspace, "")
    shown = FewShot(shots=1, pick="fixed").apply(assistant, workspace)
    first, *others = told(shown)
    assert first == ("human", f"{INSTRUCTIONS}\n\nQuestion: Who takes requests for leave?")
    assert [role for role, _ in others] == ["ai", "human"]


def test_a_pattern_is_asked_for_in_words(workspace: Workspace) -> None:
    (workspace.root / "tailor.toml").write_text('answer_pattern = "[0-9]+ days"\n', "utf-8")
    opened = Workspace(workspace.root)
    plain = Prompting().apply(opened.root_assistant(), opened)
    asked = Prompting(form="auto", language="question").apply(opened.root_assistant(), opened)
    assert "[0-9]+ days" not in told(plain)[0][1]
    assert told(asked)[0][1].endswith("must match this regular expression: [0-9]+ days")
    assert told(asked, VIETNAMESE)[0][1].endswith("phải khớp biểu thức chính quy này: [0-9]+ days")


def test_a_prompt_is_a_file_that_people_edit(workspace: Workspace) -> None:
    folder = workspace.root / "prompts"
    folder.mkdir()
    text = "You speak for Acme.\n[en]\nBe brief.\n[vi]\nNgắn gọn thôi.\n"
    (folder / "own.md").write_text(text, "utf-8")
    stage = Prompting(instructions="file:prompts/own.md", language="question")
    assistant, _ = scripted(stage, workspace, "")
    assert told(assistant)[0][1] == "You speak for Acme.\n\nBe brief."
    assert told(assistant, VIETNAMESE)[0][1] == "You speak for Acme.\n\nNgắn gọn thôi."
    recorded = stage.recorded(workspace)
    (folder / "own.md").write_text("Other words.", "utf-8")
    edited, _ = scripted(stage, workspace, "")
    assert told(edited)[0][1] == "Other words."
    assert edited.fingerprint != assistant.fingerprint
    again = recorded.apply(Assistant(model=assistant.model), workspace)
    assert again.fingerprint == assistant.fingerprint  # a run's record keeps the text


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("prompts/none.md", None, "There is no prompt file"),
        ("../outside.md", b"x", "no .md or .txt file of the workspace"),
        ("prompts/own.py", b"x", "no .md or .txt file of the workspace"),
        ("prompts/own.md", b"\xff\xfe\xfa", "is not UTF-8"),
        ("prompts/own.md", b"  \n", "is empty"),
    ],
)
def test_a_prompt_file_that_cannot_be_used_is_one_sentence(
    workspace: Workspace, name: str, content: bytes | None, says: str
) -> None:
    path = workspace.root / name
    path.parent.mkdir(exist_ok=True)
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=says):
        scripted(Prompting(instructions=f"file:{name}"), workspace, "")


# --- how the reply is read --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "outcome", "text"),
    [
        ("They get 12 days a year.\nAnswer: 12 days", "ok", "12 days"),
        ("Answer: maybe 3?\nNo: it is 12.\n**Final answer:** 12 days", "ok", "12 days"),
        ("Theo đoạn [1], là 12 ngày.\nTrả lời: 12 ngày", "ok", "12 ngày"),
        ("12 days", "ok", "12 days"),
        ("Nothing says so.\nAnswer: Not in the documents.", "refused", "Not in the documents."),
        ("One thought.\nAnother thought.", "unparseable", "One thought.\nAnother thought."),
        ("Thinking.\nAnswer:", "unparseable", "Thinking.\nAnswer:"),
        ("<think>Answer: 3</think>\nAnswer: 12 days", "ok", "12 days"),
    ],
)
def test_the_answer_is_taken_out_of_a_reply_that_reasons(
    workspace: Workspace, reply: str, outcome: str, text: str
) -> None:
    assistant, _ = scripted(Prompting(reasoning=True), workspace, reply)
    answer = assistant.answer(ENGLISH)
    assert (answer.outcome, answer.text) == (outcome, text)
    assert answer.output_tokens == 2  # all of the reply counts


def test_thinking_between_tags_is_no_part_of_an_answer(workspace: Workspace) -> None:
    assistant, _ = scripted(Prompting(), workspace, "<think>Hm,\nhm.</think>\n\n12 days")
    assert assistant.answer(ENGLISH).text == "12 days"


def _hosted(workspace: Workspace, server: OpenAIServer) -> Workspace:
    settings = {"base_url": server.url, "model": "openai:double", "retries": 0}
    return Workspace(workspace.root, settings)


SAID = {"answer": "12 days", "quote": "12 days of paid annual leave"}


def test_structured_replies_are_asked_for_by_schema(workspace: Workspace) -> None:
    with OpenAIServer(lambda _: json.dumps(SAID)) as server:
        hosted = _hosted(workspace, server)
        assistant = Prompting(structured=True).apply(hosted.root_assistant(), hosted)
        answer = assistant.answer(ENGLISH)
        assert assistant.answer(ENGLISH).call == answer.call
        assert server.count == 1
        schema = server.requests[0].body["response_format"]["json_schema"]["schema"]
    assert (answer.text, answer.quote, answer.fell_back) == (*SAID.values(), False)
    assert list(schema["properties"]) == ["answer", "quote"]
    assert answer.calls == (answer.call,)
    kept = hosted.answers.call(answer.call)
    assert kept is not None
    assert json.loads(kept.reply["data"]["content"]) == SAID


@pytest.mark.parametrize("reply", [json.dumps(SAID), f"Here: {json.dumps(SAID)}", "12 days"])
def test_a_model_without_schemas_is_asked_in_words(workspace: Workspace, reply: str) -> None:
    def fault(request: Request) -> Fault | None:
        return Fault(400, body='{"error": {}}') if "response_format" in request.body else None

    with OpenAIServer(lambda _: reply, fault) as server:
        hosted = _hosted(workspace, server)
        assistant = Prompting(structured=True).apply(hosted.root_assistant(), hosted)
        answer = assistant.answer(ENGLISH)
        assert server.count == 2
        again = Prompting(structured=True).apply(hosted.root_assistant(), hosted)
        assert again.answer(ENGLISH).text == answer.text == "12 days"
        assert server.count == 2  # what was paid for is known without trying the schema again
        assert '{"answer": "...", "quote": "..."}' in server.requests[1].messages[0]["content"]
    assert answer.fell_back


# --- tools ------------------------------------------------------------------------------------

PRICES = Passage(
    "prices.csv", 0, 99,
    "Item: Desk; Site: Huế; Price: 1,200 USD\nItem: Lamp; Site: Huế; Price: 50.5 USD\n"
    "Item: Chair; Site: Đà Nẵng; Price: 300 USD",
)  # fmt: skip
COSTS = Passage("costs.md", 0, 50, "Costs\n| Item | Cost |\n|---|---|\n| Pen | 3 |\n| Ink | 7 |")


@pytest.mark.parametrize(
    ("query", "result"),
    [
        ("sum(Price) where Site = hue", "1250.5 (of 2 rows)"),
        ("average(Cost)", "5 (of 2 rows)"),
        ("max(Price)", "1200 (of 3 rows)"),
        ("min(price) where Price >= 100 and Site != Huế", "300 (of 1 rows)"),
        ("count(*) where Price > 100", "2"),
        ("count() where Item contains a", "2"),
        ("list() where Item = Lamp", "Item: Lamp; Site: Huế; Price: 50.5 USD"),
        ("tổng(Price) với Site = Huế", "1250.5 (of 2 rows)"),
    ],
)
def test_what_is_looked_up_in_tables(query: str, result: str) -> None:
    assert look_up([PRICES, COSTS], read(query)) == result


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("the price of desks", "is no look-up"),
        ("sum(Weight)", "no column 'Weight'; there are Item, Site, Price"),
        ("sum(Price) where Site", "is no condition"),
        ("sum(Site)", "holds no numbers"),
        ("sum(Price) where Site = Hanoi", "No row"),
    ],
)
def test_what_cannot_be_looked_up_is_one_sentence(query: str, says: str) -> None:
    with pytest.raises(TableError, match=says):
        look_up([PRICES], read(query))


def test_passages_that_overlap_hold_a_row_once() -> None:
    second = PRICES.text.index("\n") + 1
    cut = Passage("prices.csv", second, 99, PRICES.text[second:])
    assert len(rows([PRICES, cut])) == 3


def test_an_empty_cell_at_either_end_of_a_row() -> None:
    text = "|Item|Site|Price|\n|---|---|---|\n|desk|Hue||\n||Hue|50|\n|lamp|Hue|30|"
    table = rows([Passage("prices.md", 0, len(text), text)])
    assert table == [
        {"Item": "desk", "Site": "Hue"},
        {"Site": "Hue", "Price": "50"},
        {"Item": "lamp", "Site": "Hue", "Price": "30"},
    ]


def test_a_tool_is_asked_for_in_words_of_both_languages() -> None:
    assert asked_for("I need this.\nCALCULATE: 3 * 4") == ("calculate", "3 * 4")
    assert asked_for("**TÍNH:** 1.200 / 4") == ("calculate", "1.200 / 4")
    assert asked_for("BẢNG: sum(Giá)") == ("look_up", "sum(Giá)")
    assert asked_for("The table: see below") is None
    assert asked_for("12 days") is None


def test_a_model_without_tools_writes_what_it_wants_calculated(workspace: Workspace) -> None:
    assistant, model = scripted(
        Prompting(tools=True, language="question"), workspace, "TÍNH: 1.200 * 3", "3600 đồng"
    )
    answer = assistant.answer(VIETNAMESE)
    assert (answer.text, answer.input_tokens, answer.cost_usd) == ("3600 đồng", 20, 1.0)
    assert "TÍNH:" in model.prompts[0].messages()[0].text
    roles = [(m.type, str(m.text)) for m in model.prompts[1].messages()][-2:]
    assert roles[0] == ("ai", "TÍNH: 1.200 * 3")
    assert roles[1][1].startswith("Kết quả: 3600\n")


def test_tools_are_used_so_often_and_no_more(workspace: Workspace) -> None:
    assistant, model = scripted(Prompting(tools=True, rounds=2), workspace, "CALCULATE: 1 + 1")
    answer = assistant.answer(ENGLISH)
    assert len(model.prompts) == 4
    assert wording.USED_UP["en"] in str(model.prompts[3].messages()[-1].text)
    assert answer.input_tokens == 40


def test_a_model_with_tools_calls_them(workspace: Workspace) -> None:
    def reply(messages: Messages) -> Any:
        results = [m["content"] for m in messages if m["role"] == "tool"]
        if not results:
            return tool_call("calculate", {"expression": "(1200 + 50.5) * 2"})
        if len(results) == 1:
            return tool_call("look_up", {"how": "count", "where": 7})
        return f"It is {results[0]}"

    with OpenAIServer(reply) as server:
        hosted = _hosted(workspace, server)
        assistant = Prompting(tools=True).apply(hosted.root_assistant(), hosted)
        answer = assistant.answer(ENGLISH)
        assert assistant.answer(ENGLISH).text == answer.text == "It is 2501"
        assert server.count == 3  # each call is paid for once
        offered = server.requests[0].body["tools"]
        failed = server.requests[2].messages[-1]["content"]
    assert [tool["function"]["name"] for tool in offered] == ["calculate", "look_up"]
    assert failed.startswith("how is one of sum")
    assert len(answer.calls) == 3
    assert answer.calls[-1] == answer.call
    stored = [hosted.answers.call(key) for key in answer.calls]
    assert all(stored)
    assert not answer.fell_back


def test_a_tool_call_that_is_no_json_is_told_so_and_made_again(workspace: Workspace) -> None:
    function = {"name": "calculate", "arguments": '{"expression": 1 +'}
    broken = {
        "content": None,
        "tool_calls": [{"id": "1", "type": "function", "function": function}],
    }
    replies = iter([broken, tool_call("calculate", {"expression": "2 * 21"}), "42"])
    with OpenAIServer(lambda _: next(replies)) as server:
        opened = Workspace(workspace.root, {"base_url": server.url, "retries": 0})
        assistant = Prompting(tools=True).apply(opened.root_assistant("openai:x"), opened)
        assert assistant.answer(ENGLISH).text == "42"
        tools = [m for m in server.requests[1].messages if m["role"] == "tool"]
    assert len(tools) == 1


def test_a_server_that_refuses_tools_is_asked_in_words(workspace: Workspace) -> None:
    def fault(request: Request) -> Fault | None:
        return Fault(400, body='{"error": {}}') if "tools" in request.body else None

    def reply(messages: Messages) -> str:
        return "12 days" if "Result: 12" in str(messages[-1]["content"]) else "CALCULATE: 3 * 4"

    with OpenAIServer(reply, fault) as server:
        hosted = _hosted(workspace, server)
        assistant = Prompting(tools=True).apply(hosted.root_assistant(), hosted)
        answer = assistant.answer(ENGLISH)
        assert server.count == 3
        assistant.answer("How many?")
        assert server.count == 5  # tools are offered once
    assert (answer.text, answer.fell_back, len(answer.calls)) == ("12 days", True, 2)


def test_tools_compute_from_the_passages_of_the_question(workspace: Workspace) -> None:
    assistant, model = scripted(Prompting(tools=True), workspace, "TABLE: sum(Price)", "done")
    from tailor.prompting.conversation import Conversation

    prompt = replace(assistant.prompt(Ask(ENGLISH)), passages=(PRICES,))
    reply = Conversation(model).invoke(prompt)  # type: ignore[arg-type]
    assert reply.text == "done"
    assert "Result: 1550.5 (of 3 rows)" in str(model.prompts[1].messages()[-1].text)


# --- variants ---------------------------------------------------------------------------------


def test_the_variant_that_does_best_on_dev_is_kept(hosted: Workspace, model: Model) -> None:
    right = model.gate.reply

    def reply(messages: Messages) -> str:
        told = str(messages[0]["content"])
        return right(messages) if told.startswith("Chỉ") else "no idea at all"

    model.gate.reply = reply
    notes: list[str] = []
    hosted.note = notes.append
    stage = Prompting(variants=("style=steps", "language=vi"))
    chosen = stage.apply(hosted.root_assistant(), hosted)
    assert told(chosen)[0][1] == wording.instructions("brief", "vi")
    dev = {q.question for q in hosted.benchmark.split("dev")}
    asked = [request.question.partition(": ")[2] for request in model.server.requests]
    assert set(asked) == dev  # never test, nor train
    assert len(asked) == stage.calls(hosted) == 12
    stage.apply(hosted.root_assistant(), hosted)
    chosen.answer(sorted(dev)[0])
    assert model.server.count == 12  # chosen once, and the calls are kept
    assert any("kept language=vi" in note for note in notes)
    assert stage.chooses
    assert not Prompting().chooses


def test_in_a_tie_the_prompt_of_fewest_tokens_is_kept(hosted: Workspace) -> None:
    chosen = Prompting(variants=("instructions=Be brief.", "style=steps")).apply(
        hosted.root_assistant(), hosted
    )
    assert told(chosen)[0][1] == "Be brief."


@pytest.mark.parametrize("variant", ["nonsense", "style=loud", "colour=red", "variants=style=x"])
def test_a_variant_that_is_none_is_one_sentence(variant: str) -> None:
    with pytest.raises(UsageError):
        Prompting(variants=(variant,))


def test_a_run_keeps_the_text_of_a_prompt_file(hosted: Workspace, tmp_path: Path) -> None:
    folder = hosted.root / "prompts"
    folder.mkdir()
    (folder / "own.md").write_text("Be brief.", "utf-8")
    (run,) = hosted.climb([Prompting(instructions="file:prompts/own.md")])
    (folder / "own.md").write_text("Be long.", "utf-8")
    assert run.assistant().fingerprint == run.fingerprint


def test_a_run_with_variants_in_words_can_be_made_again(hosted: Workspace) -> None:
    (run,) = hosted.climb([Prompting(variants=("instructions=Be brief.", "style=steps"))])
    assert run.assistant().fingerprint == run.fingerprint
