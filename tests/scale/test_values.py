"""What travels to workers and back, without a cluster."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tailor.errors import BudgetReached, TailorError
from tailor.models.local import LocalChat
from tailor.models.provider import environment, local_path
from tailor.models.retry import error_kind, is_transient, retry_after
from tailor.scale.carried import Carried
from tailor.scale.mapped import mapped
from tailor.scale.place import Place
from tailor.testing import OpenAIServer, in_order, rate_limited
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Command


def carried(error: BaseException) -> BaseException:
    return pickle.loads(pickle.dumps(Carried.of(error))).error()  # type: ignore[no-any-return]


def test_an_error_of_a_provider_arrives_without_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    import openai

    key = "sk-0123456789"
    with OpenAIServer(lambda _: "", in_order(rate_limited(7))) as server:
        client = openai.OpenAI(base_url=server.url, api_key=key, max_retries=0)
        with pytest.raises(openai.RateLimitError) as raised:
            client.chat.completions.create(model="m", messages=[])
    assert key in str(raised.value.response.request.headers.get("authorization"))
    packed = pickle.dumps(Carried.of(raised.value))
    assert key.encode() not in packed
    arrived = pickle.loads(packed).error()
    assert isinstance(arrived, openai.RateLimitError)
    assert str(arrived) == str(raised.value)
    assert error_kind(arrived) == "rate_limit"
    assert retry_after(arrived) == 7.0


def test_errors_keep_their_class_their_fields_and_their_cause() -> None:
    paused = carried(BudgetReached(1.0, 2.0, 3.0))
    assert isinstance(paused, BudgetReached)
    assert (paused.spent, paused.limit, paused.most) == (1.0, 2.0, 3.0)
    outer = TailorError("It failed.")
    outer.__cause__ = TimeoutError("too late")
    arrived = carried(outer)
    assert str(arrived) == "It failed."
    assert is_transient(arrived.__cause__ or arrived)


def test_an_error_of_an_unknown_class_keeps_its_name() -> None:
    class RateLimitExceeded(Exception):
        pass

    assert error_kind(carried(RateLimitExceeded("slowly"))) == "rate_limit"


def test_values_side_by_side_keep_their_order_and_are_taken_when_needed() -> None:
    taken: list[int] = []
    both = threading.Barrier(2, timeout=20)

    def values() -> Iterator[int]:
        for n in range(10):
            taken.append(n)
            yield n

    def do(n: int) -> int:
        both.wait()  # nobody gets on alone
        return n * n

    found = mapped(do, values(), 2)
    assert next(found) == (0, 0)
    assert len(taken) == 4
    assert list(found) == [(n, n * n) for n in range(1, 10)]
    assert list(mapped(lambda n: -n, [1, 2], 1)) == [(1, -1), (2, -2)]


def test_side_by_side_the_first_failure_ends_it() -> None:
    def do(n: int) -> int:
        if n == 3:
            raise ValueError(n)
        return n

    with pytest.raises(ValueError, match="3"):
        list(mapped(do, range(100), 4))


def test_a_local_model_travels_as_settings_and_refuses_other_weights(tmp_path: Path) -> None:
    shipped = LocalChat(path=local_path("shipped"), max_tokens=7)
    packed = pickle.dumps(shipped)
    assert len(packed) < 2000
    assert local_path("shipped").encode() not in packed, "it may be installed elsewhere"
    arrived = pickle.loads(packed)
    assert (arrived.path, arrived.max_tokens) == (shipped.path, 7)

    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "config.json").write_text("{}")
    packed = pickle.dumps(LocalChat(path=str(tmp_path / "own")))
    (tmp_path / "own" / "config.json").write_text('{"other": 1}')
    with pytest.raises(TailorError, match="has other weights at"):
        pickle.loads(packed)
    (tmp_path / "own").rename(tmp_path / "elsewhere")
    with pytest.raises(TailorError, match="put the folder on a file system that all machines"):
        pickle.loads(packed)


def test_a_worker_gets_the_variables_of_the_model_s_provider_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "AWS_SECRET_ACCESS_KEY", "GEMINI_API_KEY"):
        monkeypatch.setenv(name, "sk-something")
    assert "OPENAI_API_KEY" in environment("openai:m")
    assert all(name.startswith("OPENAI_") for name in environment("openai:m"))
    assert environment("anthropic:m") == ("ANTHROPIC_API_KEY",)
    assert "AWS_SECRET_ACCESS_KEY" in environment("bedrock_converse:m")
    assert "GEMINI_API_KEY" in environment("google_genai:m")
    assert environment("shipped") == environment("huggingface:a/b") == ()


def test_without_ray_one_sentence_names_the_package(
    workspace: Workspace, tailor: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    ended = tailor("ingest", "--on", "ray", "-w", workspace.root)
    assert ended.code == 1
    assert "pip install 'llm-tailor[scale]'" in ended.sentence
    with pytest.raises(TailorError, match="needs Ray"):
        workspace.climb([workspace.stage("baseline")], on="ray")
    assert not (workspace.state / "documents.db").exists()


def test_without_an_address_nothing_of_ray_is_loaded() -> None:
    code = (
        "import sys\n"
        "from tailor.scale.place import Place\n"
        "import tailor.models.chat, tailor.models.lazy_embeddings, tailor.running\n"
        "with Place().on(''): pass\n"
        "print('ray' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
    assert Place().cluster is None


@pytest.mark.parametrize("address", ["127.0.0.1:9", "ray://127.0.0.1:9"])
def test_a_cluster_that_is_not_there_is_one_sentence(workspace: Workspace, address: str) -> None:
    pytest.importorskip("ray", reason="work on a cluster: pip install 'llm-tailor[scale]'")
    with pytest.raises(TailorError, match=f"The Ray cluster {address} cannot be reached"):
        workspace.ingest(on=address)
    assert workspace.place.cluster is None
