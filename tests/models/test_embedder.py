"""Embedders by name: loaded late, equal to the library they stand for, clear when they fail."""

from __future__ import annotations

import numpy as np
import pytest

from tailor.errors import TailorError, UsageError
from tailor.models.embedder import SHIPPED, embeddings
from tailor.models.static_encoder import StaticEncoder
from tailor.models.token_counts import token_count

TEXTS = ["Paid leave is 12 days.", "Nghỉ phép năm là 12 ngày.", "PolarLog 2 Pro, 3.950.000 đồng"]


def test_shipped_gives_unit_vectors() -> None:
    shipped = embeddings("shipped")
    vectors = np.array(shipped.embed_documents([*TEXTS, ""]))
    assert np.linalg.norm(vectors[:-1], axis=1) == pytest.approx(1)
    assert not vectors[-1].any()
    assert shipped.embed_query(TEXTS[0]) == pytest.approx(vectors[0])
    assert vectors[0] @ shipped.embed_query("How many days of paid leave?") > 0.3


def test_shipped_equals_sentence_transformers() -> None:
    other = embeddings(f"huggingface:{SHIPPED}")
    ours = StaticEncoder.load(SHIPPED).embed_documents(TEXTS)
    # The table is stored in half precision, in which sentence-transformers also computes.
    assert np.array(ours) == pytest.approx(np.array(other.embed_documents(TEXTS)), abs=2e-3)
    assert np.array(ours[0]) == pytest.approx(np.array(other.embed_query(TEXTS[0])), abs=2e-3)


def test_words_are_counted_alike_by_either_loader() -> None:
    words = ["employees", "nghỉ", "Keilehaven", "|", "12,5"]
    shipped = token_count(embeddings("shipped"))(words)
    assert shipped == token_count(embeddings(f"huggingface:{SHIPPED}"))(words) == [1, 1, 4, 0, 2]


def test_nothing_is_loaded_before_the_first_text() -> None:
    late = embeddings("huggingface:no/such/folder")
    with pytest.raises(TailorError, match="cannot be loaded"):
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
    late = embeddings("openai:bge", base_url="http://127.0.0.1:9/v1")
    with pytest.raises(TailorError, match=r"openai:bge failed \(APIConnectionError"):
        late.embed_query("x")
