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
from tailor.models import packed as packed_module
from tailor.models.continuous import Continuous, Row
from tailor.models.local import LocalChat, weights_digest
from tailor.models.packed import Packed, is_packable
from tailor.models.prompt_lookup import Lookup
from tailor.models.provider import LOCAL_TOKENS, local_path
from tailor.models.waiting import WaitingRoom
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


def save_model(
    folder: Path, template: str | None = TEMPLATE, seed: int = 3, plain: bool = True
) -> Path:
    """A Llama of 60 thousand random weights with a tokenizer of its own.

    Where it is not plain, its settings ask for more than the most likely token.
    """
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
    if not plain:
        model.generation_config.repetition_penalty = 1.05
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module", params=["continuous", "batches"])
def local(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> LocalChat:
    """One that Tailor writes with itself, and one that is left to ``generate``."""
    plain = request.param == "continuous"
    folder = save_model(tmp_path_factory.mktemp("asked"), plain=plain)
    local = LocalChat(path=str(folder), max_tokens=24)
    assert is_packable(local.load()[1]) is plain
    return local


CONVERSATIONS: list[Any] = [
    [HumanMessage("How many days?")],
    [SystemMessage("Answer in a few words."), HumanMessage("Kho lạnh giữ ở bao nhiêu độ?")],
    [HumanMessage("a")],
    [HumanMessage(TEXTS[0] * 2)],
    [HumanMessage("The guest network is called")],
]


@pytest.fixture(scope="module")
def alone(local: LocalChat) -> list[str]:
    """What transformers' own ``generate`` writes to each conversation alone."""
    replies = [str(local._complete([messages])[0].content) for messages in CONVERSATIONS]
    assert len(set(replies)) > 2  # else the comparisons below would prove nothing
    assert all(len(reply) > 10 for reply in replies)
    return replies


def test_batch_gives_the_same_text(local: LocalChat, alone: list[str]) -> None:
    assert [reply.content for reply in local.batch(CONVERSATIONS)] == alone


def test_abatch_gives_the_same_text(local: LocalChat, alone: list[str]) -> None:
    replies = asyncio.run(local.abatch(CONVERSATIONS))
    assert [reply.content for reply in replies] == alone


def noted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many prompts were answered together, each time that some were."""
    sizes: list[int] = []
    complete, read = LocalChat._complete, Packed.read

    def completed(self: LocalChat, conversations: list[list[BaseMessage]], *told: Any) -> Any:
        sizes.append(len(conversations))
        return complete(self, conversations, *told)

    def reading(self: Packed, rows: Any, tokens: Any, asked: Any) -> Any:
        if list(map(len, tokens)) != asked:  # prompts, not replies
            sizes.append(len(rows))
        return read(self, rows, tokens, asked)

    monkeypatch.setattr(LocalChat, "_complete", completed)
    monkeypatch.setattr(Packed, "read", reading)
    return sizes


def test_waiting_prompts_are_generated_together(
    local: LocalChat, alone: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = noted(monkeypatch)
    asked = [[*m[:-1], HumanMessage(f"{i}{m[-1].text}")] for i in (1, 2) for m in CONVERSATIONS]
    local.batch(asked, config={"max_concurrency": 10})
    assert sum(sizes) == 10
    assert len(sizes) < 10  # who comes while others are answered, joins them


def test_the_tokenizer_is_never_set_while_threads_read_with_it(local: LocalChat) -> None:
    tokenizer, _ = local.load()
    assert tokenizer.backend_tokenizer.padding is None
    local.batch(CONVERSATIONS)
    local._complete(CONVERSATIONS[:2])
    assert tokenizer.backend_tokenizer.padding is None  # setting it raises "Already borrowed"
    assert tokenizer.backend_tokenizer.truncation is None


def test_prompts_of_like_length_are_generated_together(tmp_path: Path) -> None:
    local = LocalChat(path=str(save_model(tmp_path, plain=False)), max_tokens=4, max_batch=2)
    lengths = [10, 300, 12, 290, 11, 280, 13, 310]
    batches: list[list[int]] = []
    running, go_on = threading.Event(), threading.Event()
    complete = local._complete

    def held(conversations: list[list[BaseMessage]]) -> Any:
        batches.append([len(str(messages[0].text)) for messages in conversations])
        running.set()
        assert go_on.wait(20)
        return complete(conversations)

    local._complete = held  # type: ignore[method-assign]
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


def test_a_cancelled_caller_does_not_stop_the_others(
    local: LocalChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    running, go_on = threading.Event(), threading.Event()
    wait = WaitingRoom._gather

    def held(self: WaitingRoom) -> None:
        wait(self)
        running.set()
        go_on.wait(20)

    monkeypatch.setattr(WaitingRoom, "_gather", held)
    local = LocalChat(path=local.path, max_tokens=24)
    first = local._submit(CONVERSATIONS[0], None)
    assert running.wait(20)
    left = local._submit(CONVERSATIONS[1], None)
    stays = local._submit(CONVERSATIONS[2], None)
    assert left.cancel()
    go_on.set()
    assert first.result(20).content
    assert stays.result(20).content
    assert local._submit(CONVERSATIONS[0], None).result(20).content


def test_a_failing_generation_ends_the_stream(
    local: LocalChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> Any:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(LocalChat, "_generated", fails)
    monkeypatch.setattr(Packed, "read", fails)
    with pytest.raises(RuntimeError, match="out of memory"):
        list(local.stream(CONVERSATIONS[0]))
    with pytest.raises(RuntimeError, match="out of memory"):
        local.invoke(CONVERSATIONS[0])


def test_what_fails_together_is_answered_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = LocalChat(path=str(folder), max_tokens=24)
    alone = [str(local._complete([messages])[0].content) for messages in CONVERSATIONS]
    read, times = Packed.read, []

    def fails_once(self: Packed, rows: Any, tokens: Any, asked: Any) -> Any:
        times.append(len(rows))
        if len(times) == 7:  # in the midst of writing
            raise RuntimeError("out of memory")
        return read(self, rows, tokens, asked)

    monkeypatch.setattr(Packed, "read", fails_once)
    assert [reply.content for reply in local.batch(CONVERSATIONS)] == alone
    assert len(times) == 7
    assert [reply.content for reply in local.batch(CONVERSATIONS)] == alone
    assert len(times) > 7


def test_a_common_beginning_is_read_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    local = LocalChat(path=str(folder), max_tokens=8, max_batch=4)
    beginning = SystemMessage(TEXTS[0] + TEXTS[1])
    asked: list[Any] = [[beginning, HumanMessage(f"{n}: How many days?")] for n in range(100, 110)]
    alone = [str(local._complete([messages])[0].content) for messages in asked]
    tokenizer, _ = local.load()
    whole = [len(local._ids(tokenizer, messages)) for messages in asked]
    read, count = Packed.read, []

    def counted(self: Packed, rows: Any, tokens: Any, asked: Any) -> Any:
        count.extend(len(own) for own, n in zip(tokens, asked, strict=True) if len(own) > n)
        assert len(rows) <= 4
        return read(self, rows, tokens, asked)

    monkeypatch.setattr(Packed, "read", counted)
    assert [reply.content for reply in local.batch(asked)] == alone
    assert sum(count) < 0.35 * sum(whole)
    # A longer prompt makes the memory grow; a shorter one then does not find another's tokens.
    longer: list[Any] = [[HumanMessage(TEXTS[0] * 3)], [HumanMessage("a")], asked[3]]
    wanted = [str(local._complete([messages])[0].content) for messages in longer]
    assert [reply.content for reply in local.batch(longer)] == wanted


def test_memory_for_what_was_read_is_bounded(folder: Path) -> None:
    _, model = LocalChat(path=str(folder)).load()
    one = 2 * 2 * 2 * 8 * 4 * 128  # keys and values, layers, heads, width, bytes, tokens
    packed = Packed(model, 8, 3 * one)
    packed.reserve(100)
    assert packed.rows == 3
    packed.reserve(500)
    assert packed.rows == 1  # as many as one row needs


@pytest.mark.parametrize("block", [16, 256])
@pytest.mark.parametrize("heads", [(4, 4), (4, 1)])
def test_logits_are_those_of_transformers(
    monkeypatch: pytest.MonkeyPatch, heads: tuple[int, int], block: int
) -> None:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    monkeypatch.setattr(packed_module, "_BLOCK", block)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=90, hidden_size=32, intermediate_size=48, num_hidden_layers=3,
        num_attention_heads=heads[0], num_key_value_heads=heads[1], attention_bias=True,
        rope_parameters={
            "rope_type": "llama3", "rope_theta": 10000.0, "factor": 4.0, "low_freq_factor": 1.0,
            "high_freq_factor": 4.0, "original_max_position_embeddings": 64,
        },
    )  # fmt: skip
    model = LlamaForCausalLM(config).eval()
    assert is_packable(model)
    texts = [torch.randint(0, 90, (n,)).tolist() for n in (7, 60, 1)]
    with torch.inference_mode():
        wanted = torch.cat([model(torch.tensor([text])).logits[:, -1] for text in texts])
    packed = Packed(model, 5, 2**30)
    packed.reserve(80)
    assert torch.allclose(packed.read([4, 0, 2], texts), wanted, atol=1e-4)
    for cut in (5, 50):  # behind a few tokens, and behind most of them
        packed.copy(0, 3, cut)
        assert torch.allclose(packed.read([3], [texts[1][cut:]])[0], wanted[1], atol=1e-4)
    packed.copy(0, 1, 59)
    packed.copy(4, 3, 6)
    assert torch.allclose(packed.read([3, 1], [texts[0][6:], texts[1][59:]]), wanted[:2], atol=1e-4)
    with torch.inference_mode():
        every = model(torch.tensor([texts[1]])).logits[0]
    packed.copy(4, 2, 0)
    # Behind more than one token, and again after some of them are taken back.
    some = packed.read([2, 1], [texts[1][:20], [5]], [6, 1])
    assert torch.allclose(some[:6], every[14:20], atol=1e-4)
    packed.forget(2, 3)
    assert torch.allclose(packed.read([2], [texts[1][17:30]], [13]), every[17:30], atol=1e-4)


def test_a_guess_is_what_followed_the_longest_match() -> None:
    lookup = Lookup([7, 1, 2, 9, 3, 1, 2, 8, 4, 4, 5])
    assert lookup.guess(4) == []
    for token in (1, 2):
        lookup.add(token)
    assert lookup.guess(4) == [9, 3, 1, 2]
    assert lookup.guess(2) == [9, 3]
    assert lookup.guess(0) == []
    lookup.add(8)
    assert lookup.guess(3) == [4, 4, 5]
    lookup.judged(right=False)
    lookup.judged(right=False)
    assert lookup.guess(3) == [4, 4, 5]  # three tokens long
    lookup.add(4)
    lookup.add(9)
    assert lookup.guess(3) == []  # only one is
    lookup.judged(right=True)
    assert lookup.guess(3) == [3, 1, 2]
    assert Lookup([0, 256, 1]).guess(1) == []  # bytes alike that are no token
    assert Lookup([3, 3]).guess(4) == [3]


def test_a_reply_that_quotes_is_written_several_tokens_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    local = LocalChat(path=local_path("shipped"), max_tokens=16)
    told = "Answer from the documents only. If they do not say, reply: Not in the documents."
    asked: list[Any] = [
        [SystemMessage(told), HumanMessage(f"Question: What is the name of guest {at}?")]
        for at in range(4)
    ]
    read, reads = Packed.read, list[int]()

    def counted(self: Packed, rows: Any, tokens: Any, asked: Any) -> Any:
        reads.append(len(rows))
        return read(self, rows, tokens, asked)

    monkeypatch.setattr(Packed, "read", counted)
    replies = [local.invoke(messages) for messages in asked]
    assert {reply.content for reply in replies} == {"Not in the documents."}
    tokens = sum(reply.usage_metadata["output_tokens"] for reply in replies)  # type: ignore[index]  # always told
    assert len(reads) < 0.7 * tokens
    monkeypatch.setattr(Lookup, "guess", lambda self, most: [])
    reads.clear()
    assert [local.invoke(messages).content for messages in asked] == [r.content for r in replies]
    assert len(reads) == tokens


def test_other_models_are_left_to_generate(tmp_path: Path) -> None:
    import torch
    from transformers import MistralConfig, MistralForCausalLM

    small = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "vocab_size": 9,
             "num_attention_heads": 2, "num_key_value_heads": 2}  # fmt: skip
    assert not is_packable(MistralForCausalLM(MistralConfig(**small)))
    _, model = LocalChat(path=str(save_model(tmp_path))).load()
    assert is_packable(model)
    model.lm_head = torch.nn.Sequential(model.lm_head)
    assert not is_packable(model)


def test_a_prompt_that_comes_later_joins_those_being_answered(folder: Path) -> None:
    _, model = LocalChat(path=str(folder)).load()
    writer: Continuous[int] = Continuous(model, 4, 6)
    first, left, later = (Row(of, ids) for of, ids in ((1, [5, 6, 7]), (2, [5, 8]), (3, [5, 6, 7])))
    left.begins = lambda: False  # nobody waits for it any more
    later.told = lambda token: joined.append(len(first.written))
    joined: list[int] = []
    groups = [[first, left], [], [later]]
    done = list(writer.replies(lambda: groups.pop(0) if groups else []))
    assert {row.of for row in done} == {1, 3}
    assert 1 < joined[0] < 6 or len(first.written) < 3
    assert first.written == later.written


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


def test_the_shipped_reader_answers_many_as_it_answers_one() -> None:
    local = LocalChat(path=local_path("shipped"), max_tokens=16)
    told = SystemMessage("Answer from the documents only, as briefly as possible.")
    asked: list[Any] = []
    for at in range(30):
        passages = "\n\n".join(
            f"[{n}] site-{at + n}.md\nEmployees of site {at + n} get {n + 2 * at} days of leave."
            for n in range(1, 2 + at % 4)
        )
        question = f"Question: How many days of leave do employees of site {at + 1} get?"
        asked.append([told, HumanMessage(f"{passages}\n\n{question}")])
    alone = [str(local._complete([messages])[0].content) for messages in asked]
    assert len(set(alone)) > 10
    # Two tokens as likely as one another could part them: of these replies, none does.
    assert [reply.content for reply in local.batch(asked)] == alone


def test_streams_that_wait_together_are_written_together(
    local: LocalChat, alone: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = noted(monkeypatch)

    def streamed(messages: list[BaseMessage]) -> str:
        return "".join(str(chunk.content) for chunk in local.stream(messages))

    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(streamed, CONVERSATIONS * 2)) == alone * 2
    assert len(sizes) < 20
