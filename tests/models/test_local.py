"""Models from a folder: a tiny one is made on the spot, with random weights."""

from __future__ import annotations

import asyncio
import json
import logging
import pickle
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

from tailor.assistant import Ask, Assistant, Prompt
from tailor.documents.passages import Passage
from tailor.models.local import LocalChat, weights_digest
from tailor.models.provider import LOCAL_TOKENS
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Command

TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}[assistant]{% endif %}"
)
TEXTS = (
    "How many days of paid leave do new employees get? Answer in a few words, please.",
    "Kho lạnh giữ ở bao nhiêu độ? Nhân viên mới được nghỉ phép mấy ngày?",
    "[system] [user] [assistant] The guest network is called Blue Heron; 0123456789.",
)


def save_model(folder: Path, template: str | None = TEMPLATE, seed: int = 3) -> Path:
    """A Llama of 60 thousand random weights with a tokenizer of its own."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    parts = Tokenizer(models.BPE())
    parts.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    parts.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=["<s>", "</s>", "<pad>"], show_progress=False
    )
    parts.train_from_iterator(TEXTS, trainer)
    # Like most tokenizers, it adds <s> itself unless told not to; the template has written one.
    parts.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", 0)]
    )
    tokenizer: Any = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=parts, bos_token="<s>", eos_token="</s>", pad_token="<pad>"
    )
    tokenizer.chat_template = template
    torch.manual_seed(seed)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=512,
            initializer_range=0.2,
            bos_token_id=0,
            eos_token_id=1,
            pad_token_id=2,
        )
    )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def local(folder: Path) -> LocalChat:
    return LocalChat(path=str(folder), max_tokens=24)


CONVERSATIONS: list[Any] = [
    [HumanMessage("How many days?")],
    [SystemMessage("Answer in a few words."), HumanMessage("Kho lạnh giữ ở bao nhiêu độ?")],
    [HumanMessage("a")],
    [HumanMessage(TEXTS[0] * 2)],
    [HumanMessage("The guest network is called")],
]


@pytest.fixture(scope="module")
def alone(local: LocalChat) -> list[str]:
    """What each conversation is answered when it is asked alone."""
    replies = [str(local.invoke(messages).content) for messages in CONVERSATIONS]
    assert len(set(replies)) > 2  # else the comparisons below would prove nothing
    assert all(len(reply) > 10 for reply in replies)
    return replies


def test_batch_gives_the_same_text(local: LocalChat, alone: list[str]) -> None:
    assert [reply.content for reply in local.batch(CONVERSATIONS)] == alone


def test_abatch_gives_the_same_text(local: LocalChat, alone: list[str]) -> None:
    replies = asyncio.run(local.abatch(CONVERSATIONS))
    assert [reply.content for reply in replies] == alone


def test_waiting_prompts_are_generated_together(
    local: LocalChat, alone: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    complete = LocalChat._complete

    def counted(self: LocalChat, conversations: list[list[BaseMessage]]) -> Any:
        sizes.append(len(conversations))
        return complete(self, conversations)

    monkeypatch.setattr(LocalChat, "_complete", counted)
    local.batch(CONVERSATIONS * 2, config={"max_concurrency": 10})
    assert sum(sizes) == 10
    assert len(sizes) < 6


def test_prompts_of_like_length_are_generated_together(folder: Path) -> None:
    local = LocalChat(path=str(folder), max_tokens=4, max_batch=2)
    lengths = [10, 300, 12, 290, 11, 280, 13, 310]
    batches: list[list[int]] = []
    running, go_on = threading.Event(), threading.Event()
    complete = local._complete

    def noted(conversations: list[list[BaseMessage]]) -> Any:
        batches.append([len(str(messages[0].text)) for messages in conversations])
        running.set()
        assert go_on.wait(20)
        return complete(conversations)

    local._complete = noted  # type: ignore[method-assign]
    first = local._submit([HumanMessage("first")], None)
    assert running.wait(20)  # so that all the others wait together
    rest = [local._submit([HumanMessage("a" * n)], None) for n in lengths]
    go_on.set()
    for future in (first, *rest):
        future.result(20)
    assert [sorted(batch) for batch in batches] == [
        [5], [10, 11], [290, 300], [12, 13], [280, 310],
    ]  # fmt: skip


def test_streaming_gives_the_same_text_and_usage(local: LocalChat, alone: list[str]) -> None:
    for messages, text in zip(CONVERSATIONS, alone, strict=True):
        chunks = list(local.stream(messages))
        assert sum(bool(chunk.content) for chunk in chunks) > 1
        assert "".join(str(chunk.content) for chunk in chunks) == text
        whole = chunks[0]
        for chunk in chunks[1:]:
            whole += chunk
        assert whole.usage_metadata == local.invoke(messages).usage_metadata


def test_stop_sequences_are_honoured(local: LocalChat, alone: list[str]) -> None:
    for messages, text in zip(CONVERSATIONS[:2], alone[:2], strict=True):
        # Some of these stand in two tokens, or in two pieces of a stream.
        gap = max(text.find(" ", 8), 12)
        for stop in (text[9:11], text[20:22], text[gap - 3 : gap + 3]):
            wanted = text[: text.index(stop)].rstrip()
            assert local.invoke(messages, stop=["absent", stop]).content == wanted
            pieces = local.stream(messages, stop=["absent", stop])
            assert "".join(str(piece.content) for piece in pieces) == wanted


def test_usage_counts_the_rendered_prompt(local: LocalChat) -> None:
    tokenizer, _ = local.load()
    rendered = "<s>[user] How many days?\n[assistant]"
    reply = local.invoke(CONVERSATIONS[0])
    assert reply.usage_metadata is not None
    assert reply.usage_metadata["input_tokens"] == len(
        tokenizer(rendered, add_special_tokens=False)["input_ids"]
    )
    assert 0 < reply.usage_metadata["output_tokens"] <= 24
    assert reply.response_metadata["model_name"] == local.path


def test_usage_in_a_batch_leaves_padding_out(local: LocalChat) -> None:
    alone = [local.invoke(messages).usage_metadata for messages in CONVERSATIONS]
    assert [reply.usage_metadata for reply in local.batch(CONVERSATIONS)] == alone


def test_a_cancelled_caller_does_not_stop_the_others(folder: Path) -> None:
    local = LocalChat(path=str(folder), max_tokens=8)
    local.load()
    running, go_on = threading.Event(), threading.Event()
    complete = local._complete

    def held(conversations: list[list[BaseMessage]]) -> Any:
        running.set()
        go_on.wait(20)
        return complete(conversations)

    local._complete = held  # type: ignore[method-assign]
    local._submit(CONVERSATIONS[0], None)
    assert running.wait(20)
    left = local._submit(CONVERSATIONS[1], None)
    stays = local._submit(CONVERSATIONS[2], None)
    assert left.cancel()
    go_on.set()
    assert stays.result(20).content
    assert local._submit(CONVERSATIONS[0], None).result(20).content


def test_a_failing_generation_ends_the_stream(
    local: LocalChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> Any:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(LocalChat, "_generated", fails)
    with pytest.raises(RuntimeError, match="out of memory"):
        list(local.stream(CONVERSATIONS[0]))
    with pytest.raises(RuntimeError, match="out of memory"):
        local.invoke(CONVERSATIONS[0])


def test_it_answers_through_the_chain(folder: Path, workspace: Workspace) -> None:
    config = workspace.config.with_values({"max_tokens": 12}, "test")
    workspace.config = config
    assistant: Assistant = workspace.root_assistant(f"huggingface:{folder}")
    answer = assistant.answer(Ask("How many days?"))
    assert answer.outcome == "ok"
    assert answer.text
    assert answer.input_tokens > 0
    assert 0 < answer.output_tokens <= 12
    assert answer.cost_usd == 0
    assert workspace.answers.count() == (1, 0)
    assert assistant.answer(Ask("How many days?")).text == answer.text
    assert workspace.answers.count() == (1, 0)


def test_passages_beyond_the_context_are_dropped_from_the_end(
    folder: Path, workspace: Workspace
) -> None:
    passages = tuple(
        Passage(text=f"{TEXTS[1]} {at}", document=f"{at}.md", start=0, end=90) for at in range(30)
    )
    model = workspace.chat(f"huggingface:{folder}")
    reply = model.invoke(Prompt("How many days?", passages=passages))
    assert 0 < reply.dropped < 30
    assert reply.input_tokens + LOCAL_TOKENS <= 512
    call = model.store.call(reply.call)
    assert call is not None
    asked = call.request["messages"][-1]["data"]["content"]
    assert f"[{30 - reply.dropped}] {29 - reply.dropped}.md" in asked
    assert f"[{31 - reply.dropped}]" not in asked
    assert asked.endswith("How many days?")


def test_a_run_over_a_local_model(folder: Path, workspace: Workspace, tailor: Command) -> None:
    arguments = ("run", "prompting", "-w", workspace.root, "-m", f"huggingface:{folder}")
    ended = tailor(*arguments, "--json", "--set", "max_tokens=4")
    assert ended.code == 0
    row = ended.json["stages"][0]
    assert (row["n"], row["scored"], row["errors"]) == (6, 6, 0)
    assert row["tokens"]["output"] > 0
    assert row["cost_usd"] == 0


def test_other_weights_are_another_model(folder: Path, tmp_path: Path) -> None:
    other = save_model(tmp_path / "other", seed=4)
    assert weights_digest(folder) == weights_digest(folder)
    assert weights_digest(other) != weights_digest(folder)


def _no_weights(folder: Path) -> None:
    save_model(folder)
    (folder / "model.safetensors").unlink()


def _no_tokenizer(folder: Path) -> None:
    save_model(folder)
    (folder / "tokenizer.json").unlink()


def _no_config(folder: Path) -> None:
    save_model(folder)
    (folder / "config.json").unlink()


def _torn_weights(folder: Path) -> None:
    save_model(folder)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])


def _torn_config(folder: Path) -> None:
    save_model(folder)
    (folder / "config.json").write_text('{"model_type": "lla', "utf-8")


class _Canary:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.touch, (Path(self.path),)


def _pickle(folder: Path) -> bytes:
    return pickle.dumps({"weight": _Canary(str(folder / "canary"))})


def _pickled_only(folder: Path) -> None:
    _no_weights(folder)
    (folder / "pytorch_model.bin").write_bytes(_pickle(folder))


def _pickle_in_disguise(folder: Path) -> None:
    save_model(folder)
    (folder / "model.safetensors").write_bytes(_pickle(folder))


def _remote_code(folder: Path) -> None:
    save_model(folder)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    config |= {
        "model_type": "strange",
        "architectures": ["Strange"],
        "auto_map": {"AutoConfig": "code.Config", "AutoModelForCausalLM": "code.Strange"},
        "trust_remote_code": True,
    }
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    canary = folder / "canary"
    (folder / "code.py").write_text(f"open({str(canary)!r}, 'w').close()\n", "utf-8")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_no_weights, "no *.safetensors weights"),
        (_pickled_only, "tailor export safetensors"),
        (_pickle_in_disguise, "cannot be loaded"),
        (_torn_weights, "cannot be loaded"),
        (_torn_config, "cannot be loaded"),
        (_no_tokenizer, "cannot be loaded"),
        (_no_config, "cannot be loaded"),
        (_remote_code, "cannot be loaded"),
    ],
)
def test_a_model_that_cannot_be_used_is_one_sentence(
    workspace: Workspace,
    tailor: Command,
    tmp_path: Path,
    spoil: Callable[[Path], None],
    says: str,
) -> None:
    folder = tmp_path / "model"
    spoil(folder)
    ended = tailor("run", "prompting", "-w", workspace.root, "-m", f"huggingface:{folder}")
    assert ended.code == 1
    assert says in ended.sentence
    assert str(folder) in ended.sentence
    assert not (folder / "canary").exists()
    assert workspace.answers.count() == (0, 0)


def test_a_folder_that_is_not_there_is_one_sentence(
    workspace: Workspace, tailor: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    logging.getLogger("transformers").setLevel(logging.ERROR)
    ended = tailor(
        "run", "prompting", "-w", workspace.root, "-m", f"huggingface:{tmp_path / 'none'}"
    )
    assert ended.code == 1
    assert str(tmp_path / "none") in ended.sentence


def test_streams_that_wait_together_are_written_together(
    local: LocalChat, alone: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    complete = LocalChat._complete

    def counted(self: LocalChat, conversations: list[list[BaseMessage]], *told: Any) -> Any:
        sizes.append(len(conversations))
        return complete(self, conversations, *told)

    monkeypatch.setattr(LocalChat, "_complete", counted)

    def streamed(messages: list[BaseMessage]) -> str:
        return "".join(str(chunk.content) for chunk in local.stream(messages))

    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(streamed, CONVERSATIONS * 2)) == alone * 2
    assert sum(sizes) == 10
    assert len(sizes) < 6
