"""Embedders by name: loaded late, equal to the library they stand for, clear when they fail."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tailor.config import Config
from tailor.errors import TailorError, UsageError
from tailor.models.embedder import embeddings
from tailor.models.provider import SHIPPED, embedder_receiver, receiver
from tailor.models.static_encoder import StaticEncoder
from tailor.models.token_counts import token_count
from tailor.testing import OpenAIServer
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Command

ENCODER = SHIPPED / "encoder"
TEXTS = ["Paid leave is 12 days.", "Nghỉ phép năm là 12 ngày.", "PolarLog 2 Pro, 3.950.000 đồng"]


def test_shipped_gives_unit_vectors() -> None:
    shipped = embeddings("shipped")
    vectors = np.array(shipped.embed_documents([*TEXTS, ""]))
    assert np.linalg.norm(vectors[:-1], axis=1) == pytest.approx(1)
    assert not vectors[-1].any()
    assert shipped.embed_query(TEXTS[0]) == pytest.approx(vectors[0])
    assert vectors[0] @ shipped.embed_query("How many days of paid leave?") > 0.3


def test_shipped_equals_sentence_transformers() -> None:
    other = embeddings(f"huggingface:{ENCODER}")
    ours = StaticEncoder.load(ENCODER).embed_documents(TEXTS)
    # The table is stored in half precision, in which sentence-transformers also computes.
    assert np.array(ours) == pytest.approx(np.array(other.embed_documents(TEXTS)), abs=2e-3)
    assert np.array(ours[0]) == pytest.approx(np.array(other.embed_query(TEXTS[0])), abs=2e-3)


def test_words_are_counted_alike_by_either_loader() -> None:
    words = ["employees", "nghỉ", "Keilehaven", "|", "12,5"]
    shipped = token_count(embeddings("shipped"))(words)
    assert shipped == token_count(embeddings(f"huggingface:{ENCODER}"))(words) == [1, 1, 4, 0, 2]


def test_nothing_is_loaded_before_the_first_text() -> None:
    late = embeddings("huggingface:no/such/folder")
    with pytest.raises(TailorError, match="There is no folder no/such/folder"):
        late.embed_query("x")


def test_errors_name_the_next_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(UsageError, match="has no provider"):
        embeddings("minilm")
    with pytest.raises(TailorError, match="OPENAI_API_KEY"):
        embeddings("openai:text-embedding-3-small").embed_query("x")
    with pytest.raises(UsageError, match="cannot be used"):
        embeddings("nowhere:model").embed_query("x")


def test_an_openai_compatible_server_needs_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    late = embeddings("openai:bge", "http://127.0.0.1:9/v1", Config(retries=0))
    with pytest.raises(TailorError, match=r"openai:bge failed \(APIConnectionError"):
        late.embed_query("x")


def test_the_embedder_has_a_server_of_its_own(tmp_path: Path) -> None:
    def embed(texts: object) -> list[list[float]]:
        return [[1.0, 0.0]]

    with (
        OpenAIServer(lambda messages: "12 days") as chats,
        OpenAIServer(lambda messages: "", embed=embed) as embeds,
    ):
        settings = {"model": "openai:m", "base_url": chats.url, "embedder": "openai:e"}
        workspace = Workspace(tmp_path, {**settings, "embedder_url": embeds.url})
        assert workspace.embeddings.embed_query("leave") == [1.0, 0.0]
        assert workspace.root_assistant().answer("How many days?").text == "12 days"
        assert (chats.count, embeds.count) == (1, 1)
        # Without it, both are asked at base_url, and this server embeds nothing.
        with pytest.raises(TailorError, match="openai:e failed"):
            Workspace(tmp_path, settings).embeddings.embed_query("leave")


def test_who_gets_the_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OLLAMA_HOST", raising=False)
    here, away = "http://127.0.0.1:8000/v1", "https://models.example/v1"
    assert embedder_receiver(Config()) == ""
    assert embedder_receiver(Config(embedder="openai:e")) == "openai"
    assert embedder_receiver(Config(embedder="openai:e", base_url=away)) == "models.example"
    assert embedder_receiver(Config(embedder="openai:e", base_url=away, embedder_url=here)) == ""
    apart = Config(model="openai:m", embedder="openai:e", base_url=here, embedder_url=away)
    assert (receiver(apart.model, apart), embedder_receiver(apart)) == ("", "models.example")
    assert receiver("ollama:qwen3", Config()) == ""
    assert receiver("ollama:qwen3-coder:480b-cloud", Config()) == "ollama.com"
    monkeypatch.setenv("OLLAMA_HOST", "gpu.acme.example:11434")
    assert receiver("ollama:qwen3", Config()) == "gpu.acme.example"
    monkeypatch.setenv("OLLAMA_HOST", "0.0.0.0")
    assert receiver("ollama:qwen3", Config()) == ""


@pytest.mark.filterwarnings("ignore:.langchain-community.:DeprecationWarning")
def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "langchain_ollama", None)
    with pytest.raises(TailorError, match=r"needs a package.*langchain-ollama"):
        embeddings("ollama:bge-m3").embed_query("x")


def test_a_run_says_who_embeds_the_questions(
    configure: Callable[..., Workspace], tailor: Command
) -> None:
    away = {"embedder": "openai:e", "embedder_url": "https://vectors.example/v1"}
    workspace = configure(**away)
    ended = tailor("run", "prompting", "-w", workspace.root)
    assert ended.code == 0
    assert "Sent to vectors.example, which embeds them: the questions" in ended.err
    assert "which embeds them" not in tailor("run", "prompting", "-w", configure().root).err


def test_an_embedder_that_is_refused_without_a_word_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise ValueError

    monkeypatch.setenv("OPENAI_API_KEY", "none")
    monkeypatch.setattr("langchain.embeddings.init_embeddings", refused)
    with pytest.raises(UsageError, match="cannot be used: ValueError"):
        embeddings("openai:m").embed_query("How many days?")
