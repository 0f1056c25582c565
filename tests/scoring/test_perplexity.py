from __future__ import annotations

import math
import runpy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.messages import HumanMessage

from tailor.benchmark import Evidence, Question
from tailor.models.likelihood import losses
from tailor.models.local import LocalChat
from tailor.scoring.perplexity import Surprise, pooled
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Command

PROMPTS = ("How many days?", "Kho lạnh giữ ở bao nhiêu độ?", "Who?")
REPLIES = ("12 days", "âm 18 độ", "the guest network is called Blue Heron")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Llama of random weights, as the tests of local models make it."""
    tests = Path(__file__).parents[1]
    made = runpy.run_path(str(tests / "models" / "test_local.py"))
    save: Callable[..., Path] = made["save_model"]
    return save(tmp_path_factory.mktemp("model"))


def asked(*texts: str) -> list[Any]:
    return [[HumanMessage(text)] for text in texts]


def test_every_token_of_the_reply_counts_and_none_of_the_prompt(folder: Path) -> None:
    """Against the likelihood of each token by itself, without batches or padding."""
    import torch

    local = LocalChat(path=str(folder))
    tokenizer, model = local.load()
    for loss, prompt, reply in zip(losses(local, asked(*PROMPTS), REPLIES), PROMPTS, REPLIES,
                                   strict=True):  # fmt: skip
        before = tokenizer.apply_chat_template(
            [{"role": "user", "content": prompt}], tokenize=False, add_generation_prompt=True
        )
        ids = tokenizer(before, add_special_tokens=False)["input_ids"]
        nats = 0.0
        # This template has a space before a reply, which the model writes.
        own = tokenizer(f" {reply}", add_special_tokens=False)["input_ids"]
        for token in own:
            with torch.inference_mode():
                logits = model(torch.tensor([ids])).logits[0, -1]
            nats -= float(torch.log_softmax(logits, -1)[token])
            ids.append(token)
        assert loss is not None
        assert (loss.tokens, loss.nats) == (len(own), pytest.approx(nats, rel=1e-4))


def test_batches_change_nothing(folder: Path) -> None:
    local = LocalChat(path=str(folder))
    one, many = (losses(local, asked(*PROMPTS), REPLIES, batch) for batch in (1, 3))
    for a, b in zip(one, many, strict=True):
        assert a is not None
        assert b is not None
        assert a.nats == pytest.approx(b.nats, rel=1e-5)


def test_what_does_not_fit_has_no_loss(folder: Path) -> None:
    local = LocalChat(path=str(folder))
    assert losses(local, asked("word " * 600, "Who?"), ["12 days", ""]) == [None, None]


def test_pooled_by_tokens() -> None:
    found = {"a": Surprise(2.0, 1, 8), "b": Surprise(3.0, 9, 72)}
    told = pooled(found, [Question(id, f"{id}?", ("x",)) for id in ("a", "b", "c")])
    value = told["perplexity"]
    assert value is not None
    assert value.mean == pytest.approx(math.exp(5 / 10)), "not the mean of e² and e^(1/3)"
    assert value.low <= value.mean <= value.high
    assert value.n == 2
    bits = told["bits_per_byte"]
    assert bits is not None
    assert bits.mean == pytest.approx(5 / math.log(2) / 80)
    assert pooled({}, []) == {"perplexity": None, "bits_per_byte": None}


def test_answers_from_one_document_are_drawn_together() -> None:
    """As every other measure: what one document's answers share is seen only so often."""
    found = {str(n): Surprise(1.0 + n // 6 % 5, 2, 9) for n in range(120)}
    evidence = [(Evidence(f"{n // 6}.md", "x"),) for n in range(120)]
    apart = [Question(str(n), f"{n}?", ("x",)) for n in range(120)]
    together = [replace(q, evidence=own) for q, own in zip(apart, evidence, strict=True)]
    alone, grouped = (pooled(found, q)["perplexity"] for q in (apart, together))
    assert alone is not None
    assert grouped is not None
    assert grouped.mean == alone.mean
    assert grouped.high - grouped.low > 2 * (alone.high - alone.low)


def test_asked_for_it_is_measured_once_and_shown_from_then_on(
    workspace: Workspace, folder: Path, tailor: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    (workspace.root / "tailor.toml").write_text(
        f'model = "huggingface:{folder}"\nmax_tokens = 4\nladder = ["baseline", "prompting"]\n'
    )
    workspace.ingest()
    tailor("run", "all", "-w", workspace.root)

    def rows(*options: str) -> list[dict[str, Any]]:
        ended = tailor("compare", *options, "--json", "-w", workspace.root)
        assert ended.code == 0, ended.err
        return [dict(stage["metrics"]) for stage in ended.json["stages"]]

    assert "perplexity" not in rows()[1]
    baseline, prompting = rows("--metrics", "similarity,perplexity")
    assert "perplexity" not in baseline, "it is no language model"
    assert prompting["perplexity"]["n"] == 5, "one question of six has no answer"
    assert prompting["perplexity"]["mean"] > 1
    assert prompting["bits_per_byte"]["mean"] > 0
    assert 0 <= prompting["similarity"]["mean"] <= 1
    assert prompting["similarity"]["n"] == 6
    monkeypatch.setattr("tailor.models.likelihood.losses", None)
    assert rows("--metrics", "similarity,perplexity") == rows() == [baseline, prompting]
    assert "no metric" in tailor("compare", "--metrics", "bertscore", "-w", workspace.root).sentence
