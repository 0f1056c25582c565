"""Work on a cluster of two nodes: the same results as without, also where a worker is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tailor.documents.box import Box
from tailor.models.extraction import Extraction
from tailor.models.static_encoder import StaticEncoder
from tailor.run import newest_runs
from tailor.scale.place import Job, Place
from tailor.testing import Messages, rate_limited
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Command, Model, Rows

ray = pytest.importorskip("ray", reason="work on a cluster: pip install 'llm-tailor[scale]'")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="clusters of several nodes")
ASKED = 10
"""Dev and test questions of the workspace."""
FLIGHT = 4
KEY = "sk-test-of-the-driver-0123456789"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two nodes with a core each, on this machine."""
    from ray.cluster_utils import Cluster

    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    told = {"num_cpus": 1, "include_dashboard": False, "object_store_memory": 80 << 20}
    made = Cluster(initialize_head=True, head_node_args=told)
    made.add_node(**told)
    yield made
    ray.shutdown()
    made.shutdown()


@pytest.fixture
def on(cluster: Any) -> str:
    return str(cluster.address)


@pytest.fixture(scope="module")
def place(cluster: Any) -> Iterator[Place]:
    """Connected, for several tests."""
    connected = Place()
    with connected.on(str(cluster.address)):
        yield connected


def not_here(monkeypatch: pytest.MonkeyPatch, kind: Any, name: str) -> None:
    """Fail where this process does what is a worker's to do."""

    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError(f"{kind.__name__}.{name} was called in the driver")

    monkeypatch.setattr(kind, name, forbidden)


def answers(workspace: Workspace) -> dict[str, Any]:
    """What each row answered, without times."""
    return {
        run.row: (
            run.fingerprint,
            {
                id: (own.outcome, own.text, own.passages, own.input_tokens, own.output_tokens)
                for id, own in run.answers().items()
            },
        )
        for run in newest_runs(workspace)
    }


def vectors(workspace: Workspace) -> bytes:
    index = workspace.index()
    return bytes(index.vectors(range(index.count)).tobytes())


def test_documents_are_read_cut_and_embedded_there_alike(
    workspace: Workspace, on: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (workspace.knowledge / "broken.pdf").write_bytes(b"%PDF-1.4 but not really")
    long = "".join(f"Rule {n}: parcels of kind {n} go to hall {n % 7}.\n\n" for n in range(4500))
    (workspace.knowledge / "rules.md").write_text(long)
    here = workspace.ingest()
    expected = here.to_json(), vectors(workspace)
    assert here.totals["refused"] == 1
    assert workspace.index().count > 256, "more than one batch"

    for file in ("documents.db", "embeddings.db", "index"):
        subprocess.run(["rm", "-r", workspace.state / file], check=True)
    away = Workspace(workspace.root)
    not_here(monkeypatch, Box, "read")
    not_here(monkeypatch, StaticEncoder, "embed_documents")
    told: list[tuple[str, int, int]] = []
    report = away.ingest(progress=lambda *step: told.append(step), on=on)
    monkeypatch.undo()
    assert (report.to_json(), vectors(away)) == expected
    assert ("reading", 7, 7) in told
    assert away.place.cluster is None


@pytest.fixture
def keyed(
    configure: Callable[..., Workspace], monkeypatch: pytest.MonkeyPatch, cluster: Any
) -> Workspace:
    """The workspace with a hosted model and its key, ingested."""
    assert cluster
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    opened = configure(concurrency=FLIGHT)
    opened.ingest()
    return opened


def copied(workspace: Workspace, name: str) -> Workspace:
    """The same workspace as it is now, in another folder."""
    to = workspace.root.with_name(name)
    subprocess.run(["cp", "-r", workspace.root, to], check=True)
    return Workspace(to)


def test_a_worker_killed_in_mid_run_changes_no_answer(
    keyed: Workspace, place: Place, model: Model, cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = copied(keyed, "other")
    other.place = place
    rows = [keyed.stage("baseline"), keyed.stage("retrieval")]
    keyed.climb(rows)
    assert model.server.count == ASKED
    assert {dict(request.headers)["authorization"] for request in model.server.requests} == {
        f"Bearer {KEY}"
    }

    not_here(monkeypatch, Extraction, "invoke")
    model.gate.open(3)
    failed: list[BaseException] = []

    def climb() -> None:
        try:
            other.climb(rows)
        except BaseException as error:
            failed.append(error)

    running = threading.Thread(target=climb)
    running.start()
    model.server.wait_for(ASKED + 3 + FLIGHT, timeout=120)
    # Three have their answers, and four are on their way at two workers.
    assert len(other.answers.answers(newest_runs(other)[-1].fingerprint)) == 3
    assert place.cluster is not None
    hosted = [crew for (kind, _), crew in place.cluster._crews.items() if kind == "hosted"]
    victim = max(hosted[0]._ready, key=lambda seat: seat.busy)
    assert victim.busy
    assert victim.hello
    os.kill(victim.hello.pid, signal.SIGKILL)
    model.server.wait_for(ASKED + 3 + FLIGHT + 1, timeout=60)  # at least one is asked again
    model.gate.open()
    running.join(120)
    assert not running.is_alive()
    assert not failed

    again = Counter(model.questions(since=ASKED))
    assert len(again) == ASKED
    assert ASKED < sum(again.values()) <= ASKED + FLIGHT
    assert max(again.values()) == 2
    assert other.answers.count() == keyed.answers.count() == (ASKED, 2 * ASKED)
    assert answers(other) == answers(keyed)
    assert {run.state().status for run in newest_runs(other)} == {"complete"}
    assert {r.headers["authorization"] for r in model.server.requests} == {f"Bearer {KEY}"}

    logs = Path(cluster.head_node.get_session_dir_path())
    held = [path for path in logs.rglob("*") if path.is_file() and KEY.encode() in _bytes(path)]
    assert not held, "Ray has written the key down"


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_tuning_judge_and_a_local_model_say_the_same_there(
    keyed: Workspace, place: Place, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tailor.models.local import LocalChat
    from tailor.retrieval import tuning
    from tailor.scoring import judge_prompts, judging

    def reply(messages: Messages) -> str:
        if "<answer>" not in str(messages[-1]["content"]):
            return right(messages)
        return json.dumps({s: {"reason": "so", "score": 1} for s in judge_prompts.SCALES})

    right = model.gate.reply
    model.gate.reply = reply
    other = copied(keyed, "other")
    small = {"sizes": (90, 150), "headings": (0.0,), "forms": ("both",), "trials": 2}

    def everything(workspace: Workspace) -> Mapping[str, Any]:
        runs = workspace.climb([workspace.stage("retrieval_tuning", small)])
        local = replace(
            workspace.root_assistant("shipped").answer("How are refunds paid?"), seconds=0
        )
        judged = judging.judge(workspace, [runs[-1]], model="openai:judge").to_json()
        searched = sorted((workspace.state / "artifacts").glob("*/search.json"))
        return {
            "answers": answers(workspace),
            "search": [json.loads(file.read_text()) for file in searched],
            "judged": {k: v for k, v in judged.items() if k != "cost_usd"},
            "local": local,
        }

    expected = everything(keyed)
    assert len(expected["search"]) == 1
    not_here(monkeypatch, tuning, "matrix")
    not_here(monkeypatch, LocalChat, "_generate")
    other.place = place
    assert everything(other) == expected


def test_what_fails_there_is_tried_again_here_and_what_kills_workers_is_told(
    keyed: Workspace, place: Place, model: Model
) -> None:
    keyed.place = place
    model.fault = lambda request: rate_limited(0.1) if request.number == 0 else None
    assert keyed.root_assistant().answer("How are refunds paid?").text == "by bank transfer"
    assert model.server.count == 2
    deadly = Job(lambda: lambda number: os.kill(os.getpid(), number))
    with pytest.raises(ConnectionError, match="3 workers in turn were lost over it, on "):
        place.away(deadly, signal.SIGKILL)
    wrong = Job(lambda: lambda value: 1 / value)
    with pytest.raises(ZeroDivisionError):
        place.away(wrong, 0)
    assert place.away(wrong, 4) == 0.25


def test_ctrl_c_pauses_and_goes_on(
    keyed: Workspace, on: str, model: Model, stored: Callable[[], Rows], tailor: Command
) -> None:
    model.gate.open(3)
    code = "from tailor.cli.main import main\nmain()"
    words = ["run", "prompting", "--on", on, "-w", str(keyed.root)]
    child = subprocess.Popen(
        [sys.executable, "-c", code, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "200"},
    )
    try:
        model.server.wait_for(3 + FLIGHT, timeout=120)
        child.send_signal(signal.SIGINT)
        time.sleep(0.5)
        model.gate.open()  # what is in flight is finished
        _, said = child.communicate(timeout=60)
    finally:
        child.kill()
    assert child.returncode == 130, said
    assert f"Ray at {on}: 2 cores." in said
    assert f"Paused: {3 + FLIGHT} answers" in said
    assert "Traceback" not in said
    assert len(stored()) == 3 + FLIGHT
    assert tailor("run", "prompting", "-w", keyed.root).code == 0
    assert model.server.count == ASKED
