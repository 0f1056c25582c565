"""Hosted training jobs, against a real server that behaves like OpenAI's API."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tailor.config import Config, Price
from tailor.errors import BudgetReached, NotApplicable, TailorError, UsageError
from tailor.prices import price, training_price
from tailor.spending import Spending
from tailor.stages import FineTuning
from tailor.testing import Fault, OpenAIServer, Request, rate_limited, server_error, unauthorized
from tailor.testing_jobs import FineTuning as Service
from tailor.testing_jobs import mistake
from tailor.training.hosted import trained
from tailor.training.hosted import training as hosted
from tailor.training.hosted.openai import OpenAIJobs
from tailor.training.hosted.record import hosted_jobs
from tailor.training.pairs import Pair, PreferencePair
from tailor.workspace import Workspace

COLOURS = "red green blue white black brown grey pink beige gold violet olive".split()
LESSONS = tuple(Pair((("user", f"Which door is {c}?"),), f"The door {c}.") for c in COLOURS)
PREFERENCES = tuple(
    PreferencePair((("user", f"Which door is {c}?"),), f"The door {c}.", "None.") for c in COLOURS
)
KEPT = (Pair((("user", "Which gate is teal?"),), "The gate teal."),)
BASE = "openai:gpt-4o-mini-2024-07-18"
SETTINGS = FineTuning(where="openai", epochs=3, seed=7)

Command = Callable[..., Any]
Fail = Callable[[Request], Fault | None]


@contextmanager
def serving(
    workspace: Workspace, service: Service | None, fault: Fail = lambda request: None
) -> Iterator[OpenAIServer]:
    with OpenAIServer(lambda messages: "The door red.", fault, more=service) as server:
        workspace.config = replace(
            workspace.config, base_url=server.url, retries=2, timeout=20,
            prices={BASE: Price(0.15, 0.6, training=3.0)},
        )  # fmt: skip
        yield server


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosted, "SOONEST", 0.01)
    monkeypatch.setattr("tailor.models.retry._pause", lambda error, attempt: 0.01)


def train(workspace: Workspace) -> str:
    return trained(workspace, BASE, LESSONS, KEPT, SETTINGS)


def test_from_lessons_to_a_model(workspace: Workspace) -> None:
    service, notes, steps = Service(shutdown="2027-01-14"), [], []
    workspace.note = notes.append
    workspace.progress = lambda *told: steps.append(told)
    with serving(workspace, service) as server:
        assert train(workspace) == "openai:ft:gpt-4o-mini-2024-07-18:acme:tailor:0000"
        sent = server.count
        assert train(Workspace(workspace.root, {"base_url": server.url})).endswith("0000")
        assert server.count == sent  # what was made is kept
    (job,) = service.jobs
    assert mistake(service.files[0].data) == ""
    first = json.loads(service.files[0].data.split(b"\n")[0])
    assert first["messages"][-1] == {"role": "assistant", "content": "The door red."}
    assert job.asked["method"]["supervised"] == {"hyperparameters": {"n_epochs": 3}}
    assert (job.asked["seed"], len(job.asked["metadata"]["tailor"])) == (7, 16)
    assert sorted(service.deleted) == ["file-0", "file-1"]  # the data does not stay there
    (record,) = hosted_jobs(workspace.state)
    assert (record.status, record.lessons, record.held_out) == ("succeeded", 12, 1)
    assert [(p.step, p.loss) for p in record.points] == [(1, 1.5), (2, 1.0), (3, 0.75)]
    assert record.points[-1].validation_loss == pytest.approx(0.85)
    assert record.cost_usd == pytest.approx((record.trained_tokens or 0) * 3 / 1e6)
    assert ("train", 3, 3) in steps
    assert "gpt-4o-mini-2024-07-18, and what is made of it, down on 2027-01-14" in notes[0]
    assert f"Sent to {record.host} to train on: 12 lessons and 1 kept back" in notes[1]
    assert any("is queued" in note for note in notes)
    assert workspace.spending.since(0).usd == record.cost_usd
    json.dumps(record.to_json(), allow_nan=False)


class Killed(BaseException):
    pass


@pytest.mark.parametrize(
    ("writes", "marks"), [*((writes, True) for writes in range(6)), (3, False), (4, False)]
)
def test_killed_before_each_write_nothing_is_sent_or_paid_twice(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, writes: int, marks: bool
) -> None:
    service, left, keep = Service(marks=marks), [writes], hosted.keep

    def dying(state: Path, job: hosted.HostedJob) -> hosted.HostedJob:
        if not left[0]:
            raise Killed
        left[0] -= 1
        return keep(state, job)

    with serving(workspace, service):
        monkeypatch.setattr(hosted, "keep", dying)
        with pytest.raises(Killed):
            train(workspace)
        monkeypatch.setattr(hosted, "keep", keep)
        assert train(workspace).endswith(":0000")
    assert [len(service.files), len(service.jobs)] == [2, 1]
    assert [job.status for job in hosted_jobs(workspace.state)] == ["succeeded"]


def test_a_process_that_is_killed_goes_on_with_the_same_job(workspace: Workspace) -> None:
    service = Service(states=["queued"] * 10_000)
    program = (
        "import sys; from pathlib import Path; sys.path.insert(0, str(Path(sys.argv[3]).parent))\n"
        "import test_hosted as t; from dataclasses import replace\n"
        "from tailor.workspace import Workspace\n"
        "t.train(Workspace(sys.argv[1], {'base_url': sys.argv[2]}))"
    )
    with serving(workspace, service) as server:
        process = subprocess.Popen(
            [sys.executable, "-c", program, str(workspace.root), server.url, __file__],
            stderr=subprocess.DEVNULL,
        )
        try:
            until = time.monotonic() + 60
            while not hosted_jobs(workspace.state) or not hosted_jobs(workspace.state)[0].events:
                assert process.poll() is None
                assert time.monotonic() < until
                time.sleep(0.05)
        finally:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        (open_,) = hosted_jobs(workspace.state)
        assert (open_.status, open_.ended) == ("queued", False)
        service.jobs[0].states[:] = ["running", "succeeded"]
        assert train(workspace).endswith(":0000")
    assert [len(service.files), len(service.jobs)] == [2, 1]


def test_ctrl_c_leaves_the_job_running_and_says_so(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pressed(seconds: float) -> None:
        raise KeyboardInterrupt

    notes: list[str] = []
    workspace.note = notes.append
    service = Service()
    with serving(workspace, service):
        with monkeypatch.context() as patched:
            patched.setattr(hosted.time, "sleep", pressed)
            with pytest.raises(KeyboardInterrupt):
                train(workspace)
        (record,) = hosted_jobs(workspace.state)
        assert f"`tailor training cancel {record.id}` ends it" in notes[-1]
        assert service.jobs[0].status == "validating_files"
        assert train(workspace).endswith(":0000")


def test_figures_that_stand_in_words_alone(workspace: Workspace) -> None:
    class Plain(Service):
        def _happened(self, job: Any, message: str, figures: Any = None) -> None:
            super()._happened(job, message)

    with serving(workspace, Plain()):
        train(workspace)
    (record,) = hosted_jobs(workspace.state)
    assert (record.points[0].step, record.points[0].loss, record.steps) == (1, 1.5, 3)


@pytest.mark.parametrize("marks", [True, False], ids=["marks", "no marks"])
def test_answers_that_are_lost(workspace: Workspace, marks: bool) -> None:
    """The server has taken file and job, and the connection breaks before it says so."""
    service, lost = Service(marks=marks), set()

    def cut(request: Request) -> Fault | None:
        name = request.path.partition("?")[0]
        if (
            request.method != "POST"
            or name in lost
            or not str(request.body.get("training_file", "file-0")).startswith("file-0")
        ):
            return None
        lost.add(name)
        return Fault(cut=True)

    with serving(workspace, service, cut):
        assert train(workspace).endswith(":0000")
    assert lost == {"/v1/files", "/v1/fine_tuning/jobs"}
    assert [len(service.files), len(service.jobs)] == [2, 1]


def test_limits_and_errors_that_pass(workspace: Workspace) -> None:
    service = Service()

    def now_and_then(request: Request) -> Fault | None:
        if request.number not in (0, 2, 6, 8, 12, 15, 19, 23, 27):
            return None
        return rate_limited(0) if request.number % 2 else server_error(503)

    with serving(workspace, service, now_and_then):
        assert train(workspace).endswith(":0000")
    assert [len(service.files), len(service.jobs)] == [2, 1]


def test_a_service_that_goes_away_is_waited_for_again(workspace: Workspace) -> None:
    service, gone = Service(), threading.Event()

    def fault(request: Request) -> Fault | None:
        if "/ftjob-" in request.path and not gone.is_set():
            return server_error()
        return None

    with serving(workspace, service, fault):
        with pytest.raises(TailorError, match=r"cannot be reached .* not sent or paid twice"):
            train(workspace)
        gone.set()
        assert train(workspace).endswith(":0000")
    assert len(service.jobs) == 1


def test_states_that_nobody_knows_are_waited_out(workspace: Workspace) -> None:
    states = ["queued"] * 5 + ["pausing", "paused", "warming_up", "running", "succeeded"]
    notes: list[str] = []
    workspace.note = notes.append
    with serving(workspace, Service(states)):
        assert train(workspace).endswith(":0000")
    assert any("is warming_up" in note for note in notes)
    assert sum("is queued" in note for note in notes) == 1


def test_a_job_that_fails_midway(workspace: Workspace) -> None:
    service = Service(["queued", "running", "running", "failed"], failure="Out of capacity")
    with serving(workspace, service):
        with pytest.raises(TailorError, match=r"ended as failed \(Out of capacity\): mend"):
            train(workspace)
        (record,) = hosted_jobs(workspace.state)
        assert (record.error, len(record.points)) == ("Out of capacity", 2)
        assert workspace.spending.spent > 0
        service.states = ["running", "succeeded"]
        assert train(workspace).endswith(":0001")  # a new job, as the command was given again
    assert len(hosted_jobs(workspace.state)) == 2


def test_rows_that_the_service_refuses(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tailor.testing_jobs.FEWEST", 100)
    with serving(workspace, Service()), pytest.raises(TailorError) as told:
        train(workspace)
    assert "must have at least 100 examples (training_file)" in str(told.value)


def test_wrong_rows_are_never_sent(workspace: Workspace) -> None:
    empty = Pair((("user", " "),), "Nothing.")
    asked = Pair((("user", "How many days of paid leave do new employees get?"),), "12 days")
    with serving(workspace, Service()) as server:
        for lessons in (LESSONS[:4], (*LESSONS, empty), (*LESSONS, asked)):
            with pytest.raises(TailorError, match="Nothing was sent: 1 "):
                trained(workspace, BASE, lessons, (), SETTINGS)
        assert server.count == 0


@pytest.mark.parametrize(
    ("service", "fault", "said"),
    [
        (Service(refusal="Fine-tuning is not available"), None, "takes no fine-tuning jobs from t"),
        (Service(trainable=["gpt-4.1"]), None, "does not fine-tune gpt-4o-mini-2024-07-18"),
        (Service(), unauthorized(), "refuses the key"),
        (None, None, "takes no fine-tuning jobs"),
    ],
    ids=["account", "model", "key", "no endpoint"],
)
def test_refused_at_once_with_what_to_do(
    workspace: Workspace, service: Service | None, fault: Fault | None, said: str
) -> None:
    with serving(workspace, service, lambda request: fault):
        with pytest.raises(NotApplicable, match=said) as told:
            train(workspace)
        with pytest.raises(NotApplicable, match=said):
            hosted.probe(workspace, BASE)
    assert "tailor export job" in str(told.value) or "OPENAI_API_KEY" in str(told.value)
    assert service is None or not service.files
    assert hosted_jobs(workspace.state) == ()


def test_the_day_from_which_openai_takes_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    with pytest.raises(NotApplicable, match="since 6 January 2027"):
        OpenAIJobs(Config()).probe("gpt-4o", date(2027, 1, 6))


def test_a_probe_makes_no_job_even_where_files_are_looked_at_late(workspace: Workspace) -> None:
    service = Service()
    create = service._create
    service._create = lambda request: create(  # type: ignore[method-assign]
        replace(request, body={**request.body, "training_file": "file-0"})
    )
    with serving(workspace, service):
        service(Request(0, "/v1/files", {}, {"file": b""}))
        assert hosted.probe(workspace, BASE) == ""
    assert [job.status for job in service.jobs] == ["cancelled"]


def test_cancelled_by_somebody_else(workspace: Workspace) -> None:
    service = Service(states=["running"] * 10_000)
    failed: list[BaseException] = []

    def wait() -> None:
        try:
            train(workspace)
        except TailorError as error:
            failed.append(error)

    with serving(workspace, service) as server:
        with pytest.raises(UsageError, match="those that go on are: none"):
            hosted.cancel(workspace)
        waiting = threading.Thread(target=wait)
        waiting.start()
        server.wait_for(14)
        other = Workspace(workspace.root)
        other.config = workspace.config
        assert hosted.cancel(other).status == "cancelled"
        waiting.join(30)
    assert "ended as cancelled" in str(failed[0])
    (record,) = hosted_jobs(workspace.state)
    assert record.status == "cancelled"
    assert hosted.cancel(workspace, record.id) == record


def test_a_job_that_the_service_has_forgotten(workspace: Workspace) -> None:
    service = Service(states=["queued"] * 100)
    workspace.progress = None

    class Stopped(BaseException):
        pass

    def stop(sentence: str) -> None:
        if "is queued" in sentence:
            raise Stopped

    with serving(workspace, service):
        workspace.note = stop
        with pytest.raises(Stopped):
            train(workspace)
        workspace.note = None
        (record,) = hosted_jobs(workspace.state)
        service.jobs.clear()
        assert hosted.refreshed(workspace, record).status == "failed"
        service.states = ["succeeded"]
        assert train(workspace).endswith(":0000")


def test_limits_of_cost(workspace: Workspace) -> None:
    with serving(workspace, Service()) as server:
        workspace.spending = Spending(0.001)
        with pytest.raises(UsageError, match="What the tuned model will cost is not known"):
            train(workspace)
        both = {**workspace.config.prices, f"openai:ft:{BASE[7:]}": Price(1, 1)}
        workspace.config = replace(workspace.config, prices=both)
        with pytest.raises(BudgetReached):
            train(workspace)
        workspace.config = replace(workspace.config, prices={})
        with pytest.raises(UsageError, match=r"What training openai:gpt-4o-mini-.* is not known"):
            train(workspace)
        assert not any(request.path == "/v1/files" for request in server.requests)


def test_preferences_are_a_dpo_job(workspace: Workspace) -> None:
    service = Service()
    with serving(workspace, service):
        name = trained(workspace, BASE, PREFERENCES, (), replace(SETTINGS, beta=0.3))
    assert name.endswith(":0000")
    told = service.jobs[0].asked["method"]
    assert told == {"type": "dpo", "dpo": {"hyperparameters": {"n_epochs": 3, "beta": 0.3}}}
    assert set(json.loads(service.files[0].data.split(b"\n")[0])) == {
        "input", "preferred_output", "non_preferred_output"
    }  # fmt: skip


def test_a_model_that_lies_here_is_not_trained_there(workspace: Workspace) -> None:
    with pytest.raises(UsageError, match="shipped is no model there"):
        trained(workspace, "shipped", LESSONS, (), SETTINGS)


@pytest.fixture
def company(workspace: Workspace) -> Workspace:
    """With twelve train questions more."""
    with (workspace.knowledge / "benchmark.jsonl").open("a", encoding="utf-8") as file:
        for colour in COLOURS:
            item = {"question": f"Which door is {colour}?", "answer": colour, "split": "train"}
            file.write(json.dumps(item) + "\n")
    return Workspace(workspace.root)


def test_the_stage_says_its_cost_trains_and_asks_the_tuned_model(
    company: Workspace, tailor: Command
) -> None:
    service = Service()
    with OpenAIServer(lambda messages: "12 days", more=service) as server:
        (company.root / "tailor.toml").write_text(
            f'model = "{BASE}"\nbase_url = "{server.url}"\nladder = ["fine_tuning"]\n'
            f'[stages.fine_tuning]\nwhere = "openai"\nshapes = ["closed_book"]\n'
            f'[prices."{BASE}"]\ninput = 0\noutput = 0\ntraining = 1000\n'
            '[prices."openai:ft:gpt-4o-mini-2024-07-18"]\ninput = 1\noutput = 1\n',
            "utf-8",
        )
        here = ("-w", company.root)
        planned = tailor("run", "fine_tuning", "--dry-run", "--json", *here).json
        (row,) = planned["rows"]
        assert row["training_usd"] > 0.1
        assert planned["total"]["cost_usd"] > row["training_usd"]
        assert "would train for about $" in tailor("run", "fine_tuning", "--dry-run", *here).err
        assert service.files == []
        told = tailor("run", "fine_tuning", *here)
        assert told.code == 0, told.err
        asked = {r.body["model"] for r in server.requests if r.path.endswith("/completions")}
        assert asked == {"ft:gpt-4o-mini-2024-07-18:acme:tailor:0000"}
        sent = server.count
        assert tailor("run", "fine_tuning", *here).code == 0
        assert (server.count, len(service.jobs)) == (sent, 1)
        again = tailor("run", "fine_tuning", "--dry-run", "--json", *here).json
        assert again["total"]["cost_usd"] == 0
        listed = tailor("training", "--json", *here).json["hosted"]
        assert [(job["status"], job["job"]) for job in listed] == [("succeeded", "ftjob-0000")]
        assert "ft:gpt-4o-mini" in tailor("training", *here).out.replace("\n", "")
        assert tailor("training", "cancel", *here).code == 2  # nothing goes on
        asked_now = tailor("training", "service", "--json", *here)
        assert (asked_now.code, asked_now.json["takes_jobs"]) == (0, True)
        service.refusal = "Fine-tuning is closed"
        refused = tailor("training", "service", "--json", *here)
        assert (refused.code, refused.json["takes_jobs"]) == (1, False)
        assert "takes no fine-tuning jobs" in tailor("training", "service", *here).sentence


def test_prices_of_training_and_of_tuned_models() -> None:
    config = Config()
    assert training_price("openai:gpt-4o-mini-2024-07-18", config) == 3
    assert training_price("openai:gpt-4o-mini", replace(config, base_url="http://x/v1")) is None
    assert training_price("openai:gpt-5", config) is None
    tuned = price("openai:ft:gpt-4o-2024-08-06:acme::x1", config)
    assert tuned is not None
    assert (tuned.input, tuned.output) == (3.75, 15)
    assert price("openai:ft:gpt-5:acme::x1", config) is None
