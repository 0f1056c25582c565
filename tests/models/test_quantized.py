"""Local weights in 8 or 4 bits."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from langchain_core.messages import HumanMessage

from tailor.answers import AnswerStore
from tailor.config import Config
from tailor.errors import TailorError
from tailor.models.local import LocalChat
from tailor.models.provider import SHIPPED, chat
from tailor.models.quantized import Quantization

READER = f"huggingface:{SHIPPED / 'reader'}"
ASKED = HumanMessage(
    "[1] leave.md\nNew employees get 12 days of paid leave.\n\n"
    "Question: How many days of paid leave do new employees get?"
)


@pytest.mark.parametrize(("bits", "layer"), [("4bit", "Linear4bit"), ("8bit", "Linear8bitLt")])
def test_weights_are_loaded_in_few_bits(tmp_path: Path, bits: Quantization, layer: str) -> None:
    pytest.importorskip("bitsandbytes")
    store = AnswerStore(tmp_path / "answers.db")
    whole, small = (chat(READER, Config(quantization=q), store) for q in ("none", bits))
    assert whole.fingerprint != small.fingerprint
    assert isinstance(small.model, LocalChat)
    assert isinstance(whole.model, LocalChat)
    _, loaded = small.model.load()
    assert layer in {type(module).__name__ for module in loaded.modules()}
    assert loaded.get_memory_footprint() < whole.model.load()[1].get_memory_footprint() / 2
    assert "12" in str(small.model.invoke([ASKED]).text)
    store.close()


def test_the_shipped_model_is_left_as_it_is(tmp_path: Path) -> None:
    store = AnswerStore(tmp_path / "answers.db")
    fingerprints = {
        chat("shipped", Config(quantization=q), store).fingerprint for q in ("none", "4bit")
    }
    assert len(fingerprints) == 1
    store.close()


def test_what_cannot_be_quantized_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    model = LocalChat(path=str(SHIPPED / "reader"), quantization="4bit")
    with pytest.raises(TailorError, match=r"quantization = '4bit' .*set quantization = \"none\""):
        model.load()
