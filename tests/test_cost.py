"""What models cost: prices, what was spent, what running would take, and the limit that is kept."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import pytest
from langchain_core.runnables import RunnableLambda

from tailor.assistant import Ask, Assistant, Prompt, Reply
from tailor.config import Config, Price
from tailor.cost import made, spent
from tailor.errors import BudgetReached, UsageError
from tailor.estimate import Estimate, estimate
from tailor.ladder import climb
from tailor.models.chat import Chat
from tailor.models.usage import Usage
from tailor.prices import FREE, price, price_source, shipped_prices, spending
from tailor.rows import Row, rows
from tailor.run import newest_runs
from tailor.scoring.judge_prompts import SCALES
from tailor.spending import Spending
from tailor.stage import Stage
from tailor.stages import Baseline, FewShot, Prompting, Retrieval
from tailor.testing import Fault, Messages, server_error, slow
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Command, Model

Configure = Callable[..., Workspace]
PRICE = Price(1000.0, 4000.0)
"""A token of the prompt costs a tenth of a cent, one of the reply four tenths."""
ASKED = 10
"""Dev and test questions of the workspace."""


@pytest.fixture
def priced(configure: Configure) -> Configure:
    """Configure the workspace with a price for its model."""

    def make(**settings: Any) -> Workspace:
        workspace = configure(**settings)
        with (workspace.root / "tailor.toml").open("a", encoding="utf-8") as file:
            file.write(
                f'[prices."openai:double"]\ninput = {PRICE.input}\noutput = {PRICE.output}\n'
            )
        return Workspace(workspace.root)

    return make


def billed(model: Model, since: int = 0) -> float:
    """What the server's requests cost by its own count of words, in US dollars."""
    asked = written = 0
    for request in model.server.requests[since:]:
        asked += sum(len(str(message["content"]).split()) for message in request.messages)
        written += len(model.server.reply(request.messages).split())
    return (asked * PRICE.input + written * PRICE.output) / 1e6


def test_the_price_table_is_dated_and_holds_no_free_model() -> None:
    table = shipped_prices()
    assert date.fromisoformat(table.date) > date(2026, 1, 1)
    assert table.source
    for name, listed in table.prices.items():
        assert ":" in name
        assert 0 < listed.input < listed.output
        assert listed.cached_input is None or 0 < listed.cached_input < listed.input


def test_the_price_of_a_model() -> None:
    config = Config()
    assert price("shipped", config) == price("huggingface:x/y", config) == FREE
    assert price("ollama:qwen3", config) == FREE
    assert price("ollama:qwen3-coder:480b-cloud", config) is None
    assert price("openai:gpt-5-mini", config) == Price(0.25, 2.0, 0.025)
    assert price("openai:no-such-model", config) is None
    own = replace(config, prices={"openai:gpt-5-mini": Price(1, 2)})
    assert price("openai:gpt-5-mini", own) == Price(1, 2)
    assert price_source("openai:gpt-5-mini", own) == "tailor.toml"
    tuned = replace(config, prices={"openai:ft:gpt-5-mini": Price(3, 4)})
    assert price("openai:ft:gpt-5-mini:acme::x1", tuned) == Price(3, 4)
    assert price_source("openai:ft:gpt-5-mini:acme::x1", tuned) == "tailor.toml"
    assert price_source("shipped", config) == ""
    assert price_source("openai:no-such-model", config) is None
    assert shipped_prices().date in (price_source("openai:gpt-5-mini", config) or "")
    # Whose server it is, nobody knows: a name alone says nothing of its price.
    behind = replace(config, base_url="http://127.0.0.1:8000/v1")
    assert price("openai:gpt-5-mini", behind) is None


def test_input_the_provider_had_cached_costs_its_own_price(hosted: Workspace) -> None:
    chat = hosted.chat()
    assert chat.cost(Usage(100, 10)) is None
    chat.price = Price(2.0, 10.0, 0.5)
    assert chat.cost(Usage(1_000_000, 0)) == 2.0
    assert chat.cost(Usage(1_000_000, 100_000, 600_000)) == pytest.approx(0.8 + 0.3 + 1.0)
    chat.price = Price(2.0, 10.0)
    assert chat.cost(Usage(1_000_000, 0, 600_000)) == 2.0


def test_tokens_are_counted_where_the_provider_reports_none(
    priced: Configure, model: Model
) -> None:
    workspace = priced()
    reported = workspace.root_assistant().answer("How are refunds paid?")
    assert not reported.counted
    completion = {
        "id": "x",
        "object": "chat.completion",
        "created": 0,
        "model": "double",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "by bank transfer"},
                "finish_reason": "stop",
            }
        ],
    }
    model.fault = lambda request: Fault(body=json.dumps(completion))
    counted = workspace.root_assistant().answer(Ask("How are refunds paid?", repeat=1))
    assert counted.counted
    assert 4 < counted.input_tokens < 40
    assert 2 < counted.output_tokens < 20
    assert counted.cost_usd == pytest.approx(
        (counted.input_tokens * PRICE.input + counted.output_tokens * PRICE.output) / 1e6
    )


def test_what_a_row_cost(priced: Configure, model: Model) -> None:
    workspace = priced()
    (run,) = climb(workspace, [Prompting()], repeats=2)
    found = spent(run)
    assert found.answers == 2 * ASKED
    assert found.answers_usd == pytest.approx(billed(model))
    assert found.per_answer_usd == pytest.approx(billed(model) / (2 * ASKED))
    assert found.per_1000_usd == pytest.approx(1000 * billed(model) / (2 * ASKED))
    assert (found.judge_usd, found.training_usd, found.training_hours) == (0, 0, 0)
    assert found.total_usd == found.answers_usd
    assert run.scored("test").spent == found


def test_a_price_told_later_counts_for_answers_given_without_one(
    configure: Configure, priced: Configure, model: Model
) -> None:
    (run,) = climb(configure(), [Prompting()])
    found = spent(run)
    assert (found.answers_usd, found.per_1000_usd, found.total_usd) == (None, None, None)
    later = newest_runs(priced())[0]
    assert spent(later).answers_usd == pytest.approx(billed(model))
    assert model.server.count == ASKED


def test_errors_cost_nothing_and_count_as_no_answer(priced: Configure, model: Model) -> None:
    workspace = priced(retries=0)
    model.fault = lambda request: server_error() if request.number < 3 else None
    (run,) = climb(workspace, [Prompting()])
    assert spent(run).answers == ASKED - 3
    assert spent(run).answers_usd == pytest.approx(billed(model, since=3))


@dataclass(frozen=True)
class Trains(Stage):
    """Makes something that takes time and asks the model twice."""

    starts_from: ClassVar[Literal["previous", "root"]] = "root"

    def apply(self, assistant: Assistant, workspace: Workspace) -> Assistant:
        def build(folder: Path) -> None:
            threading.Event().wait(0.05)
            (folder / "weights").touch()
            if workspace.config.model != "shipped":
                for question in ("Who takes requests for leave?", "How are refunds paid?"):
                    workspace.root_assistant().answer(question)

        workspace.artifact("adapter", [workspace.config.model], build)
        model: Any = RunnableLambda(lambda prompt: Reply("12 days"))
        object.__setattr__(model, "fingerprint", "copies")
        return replace(assistant, model=model)


def test_what_is_made_for_a_row_is_part_of_its_cost(workspace: Workspace) -> None:
    def hourly(usd: float | None) -> Workspace:
        opened = Workspace(workspace.root)
        opened.config = replace(opened.config, gpu_hour_usd=usd)
        return opened

    (run,) = climb(hourly(None), [Trains()])
    (name,) = run.artifacts or ()
    took = made(workspace.state / "artifacts" / name)
    assert took is not None
    assert took.seconds >= 0.05
    assert took.device
    found = spent(newest_runs(hourly(None))[0])
    assert found.training_hours == pytest.approx(took.seconds / 3600)
    assert found.training_usd is None
    dear = spent(newest_runs(hourly(3600.0))[0])
    assert dear.training_usd == pytest.approx(took.seconds)
    assert dear.answer_hours
    assert dear.answers_usd == pytest.approx(dear.answer_hours * 3600)

    # Made before, it is used again, and still belongs to the cost.
    (again,) = climb(hourly(None), [Trains()])
    assert spent(again).training_hours == found.training_hours
    (workspace.state / "artifacts" / name / "cost.jsonl").unlink()
    assert spent(again).training_hours is None


def test_model_calls_of_a_stage_are_part_of_its_cost(priced: Configure, model: Model) -> None:
    workspace = priced()
    (run,) = climb(workspace, [Trains()])
    assert model.server.count == 2
    found = spent(run)
    assert found.training_usd == pytest.approx(billed(model))
    assert found.training_hours == 0  # the provider's time, not this machine's
    assert found.answers_usd is None or found.answers_usd == 0


def _files(workspace: Workspace) -> dict[str, bytes]:
    found = workspace.root.rglob("*")
    return {
        path.relative_to(workspace.root).as_posix(): path.read_bytes()
        for path in found
        if path.is_file() and not path.name.endswith(("-shm", "-wal"))
    }


def _estimate(workspace: Workspace, stages: Sequence[Stage], repeats: int = 1) -> Estimate:
    planned: list[Row] = rows(stages)
    return estimate(Workspace(workspace.root), planned, repeats=repeats)


def test_an_estimate_asks_nothing_and_changes_nothing(priced: Configure, model: Model) -> None:
    workspace = priced()
    before = _files(workspace)
    found = _estimate(workspace, [Prompting(), FewShot(shots=2)])
    assert _files(workspace) == before
    assert not workspace.state.exists()
    assert model.server.count == 0
    assert [(row.row, row.answered, row.calls, row.basis, row.measured) for row in found.rows] == [
        ("prompting", 0, ASKED, "prompts", False),
        ("few_shot", 0, ASKED, "prompts", False),
    ]
    assert found.seconds is None
    for row in found.rows:
        assert row.cost_usd is not None
        assert row.most_usd is not None
        assert 0 < row.cost_usd < row.most_usd


def test_an_estimate_after_one_row_tells_what_others_take(priced: Configure, model: Model) -> None:
    """The same row again within 5 %, other rows within a third."""
    workspace = priced()
    workspace.ingest()
    stages = [Prompting(), FewShot(shots=2), Retrieval(k=2)]
    (first,) = climb(workspace, stages[:1])
    again = _estimate(workspace, stages[:1], repeats=2).rows[0]
    assert (again.questions, again.answered, again.calls) == (2 * ASKED, ASKED, ASKED)
    assert again.input_tokens == pytest.approx(spent(first).input_tokens, rel=0.05)
    assert again.output_tokens == pytest.approx(spent(first).output_tokens, rel=0.05)
    assert again.cost_usd == pytest.approx(spent(first).answers_usd, rel=0.05)

    planned = _estimate(workspace, stages)
    runs = climb(workspace, stages)
    for row, run in zip(planned.rows[1:], runs[1:], strict=True):
        found = spent(run)
        assert row.calls == ASKED
        assert row.input_tokens == pytest.approx(found.input_tokens, rel=0.34)
        assert row.output_tokens == pytest.approx(found.output_tokens, rel=0.34)
        assert row.cost_usd == pytest.approx(found.answers_usd, rel=0.34)
        assert row.seconds is not None
    assert planned.rows[0].calls == 0
    assert planned.rows[0].cost_usd == 0
    assert _estimate(workspace, stages).calls == 0


def test_calls_that_are_stored_are_not_estimated_again(priced: Configure, model: Model) -> None:
    workspace = priced()
    assistant = Prompting().apply(workspace.root_assistant(), workspace)
    for question in workspace.benchmark.split("dev"):
        assistant.answer(question.question)
    assert _estimate(workspace, [Prompting()]).rows[0].calls == ASKED - 4


def test_rows_that_are_not_prepared_are_estimated_by_what_is_known(
    priced: Configure, model: Model, tailor: Command
) -> None:
    workspace = priced(ladder=["baseline", "prompting", "retrieval", "fine_tuning"])
    workspace.ingest()
    found = estimate(workspace, rows([Baseline(), Trains(), Prompting()]))
    assert [row.basis for row in found.rows] == ["no model", "no model", "prompts"]
    assert found.rows[0].cost_usd == 0
    ended = tailor("run", "all", "--dry-run", "--json", "-w", workspace.root)
    assert ended.code == 0
    assert [row["row"] for row in ended.json["rows"]] == ["baseline", "prompting", "retrieval"]
    assert "weights are on this machine" in ended.json["left_out"][0]
    assert model.server.count == 0


def test_a_dry_run_prints_a_table(priced: Configure, model: Model, tailor: Command) -> None:
    workspace = priced()
    ended = tailor("run", "prompting", "--dry-run", "--repeats", "3", "-w", workspace.root)
    assert ended.code == 0
    assert "prompting" in ended.out
    assert "To be made: 30 model calls, about $" in ended.err
    assert "tailor.toml" in ended.err
    assert "Nothing was asked or changed." in ended.err
    assert model.server.count == 0
    assert not workspace.state.exists()


def test_calls_wait_for_those_in_flight_where_the_limit_leaves_no_room() -> None:
    purse, halt = Spending(1.0), threading.Event()
    begun, ended = threading.Event(), threading.Event()

    def other() -> None:
        with purse.charged(0.6, halt) as charge:
            begun.set()
            charge.usd = 0.6
        ended.set()

    with purse.charged(0.6, halt) as charge:
        thread = threading.Thread(target=other)
        thread.start()
        assert not begun.wait(0.3)  # together they could cost 1.2
        charge.usd = 0.1
    assert ended.wait(10)
    thread.join()
    assert purse.spent == pytest.approx(0.7)
    with pytest.raises(BudgetReached), purse.charged(0.31, halt):
        pass
    with pytest.raises(ValueError, match="lost"), purse.charged(0.3, halt):
        raise ValueError("lost")
    assert purse.spent == pytest.approx(1.0)  # it may have been billed


def test_a_stopped_run_does_not_wait_for_room() -> None:
    purse, halt = Spending(1.0), threading.Event()
    with purse.charged(0.6, halt):
        halt.set()
        with pytest.raises(TimeoutError), purse.charged(0.6, halt):
            pass


@pytest.mark.parametrize("concurrency", [1, 8])
def test_a_run_stops_before_it_passes_its_limit_and_goes_on(
    priced: Configure, model: Model, tailor: Command, concurrency: int
) -> None:
    workspace = priced(concurrency=concurrency, max_tokens=20)
    run = ("run", "prompting", "-w", workspace.root)
    paused = tailor(*run, "--max-cost", "0.3")
    assert paused.code == 130
    first = model.server.count
    assert 0 < first < ASKED
    assert billed(model) <= 0.3
    assert "Traceback" not in paused.err
    assert "--max-cost $0.30" in paused.err
    assert f"{ASKED - first} of 10 answers of prompting are left." in paused.err
    assert "For instance: tailor run prompting -w" in paused.err
    state = newest_runs(workspace)[0].state()
    assert (state.status, state.done, state.total) == ("paused", first, ASKED)
    assert len(newest_runs(workspace)[0].answers()) == first

    whole = tailor(*run, "--max-cost", "5")
    assert whole.code == 0
    assert model.server.count == ASKED
    assert len(set(model.questions())) == ASKED
    assert newest_runs(workspace)[0].state().status == "complete"
    # What is stored costs nothing: any limit will do.
    assert tailor(*run, "--max-cost", "0").code == 0
    assert model.server.count == ASKED


def test_the_limit_of_the_configuration_holds_and_the_command_may_raise_it(
    priced: Configure, model: Model, tailor: Command
) -> None:
    workspace = priced(max_cost=0.0)
    assert tailor("run", "prompting", "-w", workspace.root).code == 130
    assert model.server.count == 0
    with pytest.raises(BudgetReached, match="10 of 10 answers of prompting are left"):
        climb(workspace, [Prompting()])
    climb(workspace, [Prompting()], max_cost=5.0)
    assert model.server.count == ASKED


def test_a_limit_needs_a_price(hosted: Workspace, model: Model, tailor: Command) -> None:
    ended = tailor("run", "prompting", "--max-cost", "1", "-w", hosted.root)
    assert ended.code == 2
    assert '[prices."openai:double"]' in ended.sentence
    assert model.server.count == 0
    with pytest.raises(UsageError, match="not known"):
        spending("openai:double", hosted.config, 1.0)
    assert spending("shipped", hosted.config, 1.0).limit == 1.0


def test_calls_a_stage_makes_keep_to_the_limit(priced: Configure, model: Model) -> None:
    workspace = priced(max_tokens=20)
    with pytest.raises(BudgetReached, match="Not begun: trains"):
        climb(workspace, [Trains()], max_cost=0.0)
    assert model.server.count == 0
    assert not list((workspace.state / "artifacts").glob("adapter-*[!k]"))
    climb(workspace, [Trains()])
    assert model.server.count == 2


def test_a_timed_out_call_counts_as_paid(priced: Configure, model: Model) -> None:
    """The provider may bill it: with room for one call, there is none left for a second."""
    workspace = priced(timeout=0.2, retries=3, max_tokens=20, concurrency=1)
    model.fault = lambda request: slow(5)
    with pytest.raises(BudgetReached):
        climb(workspace, [Prompting()], max_cost=0.2)
    assert model.server.count == 1


def test_the_receiver_is_told_with_the_cost(
    priced: Configure, monkeypatch: pytest.MonkeyPatch, tailor: Command
) -> None:
    workspace = priced()
    monkeypatch.setattr("tailor.models.provider.receiver", lambda model, config: "example.org")
    ended = tailor("run", "prompting", "-w", workspace.root)
    assert "Sent to example.org: the instructions" in ended.err
    assert "To be made: 10 model calls, about $" in ended.err


def test_repeats_are_asked_and_kept_apart(configure: Configure, model: Model) -> None:
    hosted = configure(concurrency=1)
    (run,) = climb(hosted, [Prompting()], repeats=3)
    assert model.server.count == 3 * ASKED
    assert (run.repeats, run.state().done, run.state().total) == (3, 3 * ASKED, 3 * ASKED)
    assert all(len(run.answers(repeat=repeat)) == ASKED for repeat in range(3))
    asked = model.questions()
    assert len(set(asked[:ASKED])) == ASKED  # every question once before any comes again
    (more,) = climb(hosted, [Prompting()], repeats=4)
    assert model.server.count == 4 * ASKED
    # What was paid for stays part of the run, whatever is asked for later.
    (fewer,) = climb(hosted, [Prompting()])
    assert (more.repeats, fewer.repeats) == (4, 4)
    assert newest_runs(hosted)[0].repeats == 4
    assert model.server.count == 4 * ASKED


def test_an_error_in_a_repeat_is_asked_again_alone(
    configure: Configure, model: Model, tailor: Command
) -> None:
    workspace = configure(retries=0, concurrency=1)
    model.fault = lambda request: server_error() if request.number == 15 else None
    ended = tailor("run", "prompting", "--repeats", "2", "-w", workspace.root)
    assert ended.code == 4
    assert "1 answer ended in an error" in ended.err
    assert tailor("run", "prompting", "--repeats", "2", "-w", workspace.root).code == 0
    assert model.server.count == 2 * ASKED + 1


def test_a_chat_of_its_own_adds_up_what_it_spends(priced: Configure, model: Model) -> None:
    chat = priced().chat()
    assert isinstance(chat, Chat)
    chat.invoke(Prompt("How are refunds paid?"))
    chat.invoke(Prompt("How are refunds paid?"))
    assert model.server.count == 1
    assert chat.spending.spent == pytest.approx(billed(model))
    assert chat.spending.since(0).calls == 2


@pytest.fixture
def judged(priced: Configure, model: Model) -> Workspace:
    """A row whose five test answers need a judge, and a server that judges, too."""
    answer = model.server.reply

    def reply(messages: Messages) -> str:
        if "<answer>" not in str(messages[-1]["content"]):
            return answer(messages)
        return json.dumps({scale: {"reason": "As it is.", "score": 2} for scale in SCALES})

    model.server.reply = reply
    workspace = priced(judge="openai:double")
    climb(workspace, [Prompting()])
    return workspace


def test_judging_is_estimated_limited_and_part_of_the_cost(
    judged: Workspace, model: Model, tailor: Command
) -> None:
    judge = ("judge", "-w", judged.root)
    before = model.server.count
    planned = tailor(*judge, "--dry-run", "--json").json
    assert planned["calls"] == 5
    assert planned["cost_usd"] == pytest.approx(
        (planned["input_tokens"] * PRICE.input + planned["output_tokens"] * PRICE.output) / 1e6
    )
    assert "about $" in tailor(*judge, "--dry-run").err
    assert model.server.count == before

    paused = tailor(*judge, "--max-cost", f"{planned['cost_usd']}")
    assert paused.code == 130
    asked = model.server.count - before
    assert asked < 5
    assert billed(model, before) <= planned["cost_usd"]
    assert f"{5 - asked} verdicts left." in paused.err
    assert "For instance: tailor judge -w" in paused.err

    assert tailor(*judge, "--max-cost", "100").code == 0
    assert model.server.count - before == 5
    found = spent(newest_runs(Workspace(judged.root))[0])
    assert found.judge_usd == pytest.approx(billed(model, before))
    assert found.total_usd == pytest.approx(billed(model))
    # Verdicts are known to be as long as the stored ones now.
    more = tailor(*judge, "--repeats", "2", "--dry-run", "--json").json
    assert more["calls"] == 5
    assert more["output_tokens"] == pytest.approx(
        5 * len(model.server.reply(model.server.requests[-1].messages).split()), rel=0.05
    )
