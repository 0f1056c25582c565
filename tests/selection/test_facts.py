"""What is told of models: computed without loading weights, and right where it can be checked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tailor.selection import wording
from tailor.selection.facts import Facts, facts
from tailor.selection.inspected import Inspected, inspect
from tailor.selection.kept import keep, kept
from tailor.selection.memory import Memory
from tailor.selection.tokenizer import tokenizer
from tailor.workspace import Workspace


@pytest.fixture
def of_llama(workspace: Workspace, llama: Path) -> Facts:
    workspace.ingest()
    return facts(workspace, [f"huggingface:{llama}"])[0]


def test_memory_is_what_loading_takes(of_llama: Facts, llama: Path) -> None:
    from transformers import AutoModelForCausalLM

    loaded = AutoModelForCausalLM.from_pretrained(llama)
    size = of_llama.memory
    assert size is not None
    assert size.parameters == of_llama.parameters == loaded.num_parameters()
    assert size.weights("fp32") == loaded.get_memory_footprint(return_buffers=False)
    # Keys and values of 2 layers, each 2 heads of 8, in 2 bytes.
    assert size.cache_per_token == 2 * 2 * 2 * 2 * 8
    assert size.context == 256
    assert size.total("bf16") == size.weights("bf16") + 256 * size.cache_per_token


@pytest.mark.parametrize(("precision", "bits"), [("8bit", 8), ("4bit", 4)])
def test_few_bits_are_what_bitsandbytes_takes(
    of_llama: Facts, llama: Path, precision: str, bits: int
) -> None:
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    how = BitsAndBytesConfig(
        load_in_8bit=bits == 8, load_in_4bit=bits == 4, bnb_4bit_quant_type="nf4"
    )
    loaded = AutoModelForCausalLM.from_pretrained(
        llama, quantization_config=how, device_map={"": "cpu"}
    )
    assert of_llama.memory is not None
    told = of_llama.memory.weights(precision)  # type: ignore[arg-type]
    # Its footprint leaves out the constants of blocks, 3 % of the weights in 4 bits.
    assert told == pytest.approx(loaded.get_memory_footprint(), rel=0.04)


def test_facts_of_a_folder(of_llama: Facts) -> None:
    assert (of_llama.architecture, of_llama.context) == ("LlamaForCausalLM", 256)
    assert (of_llama.licence, of_llama.tokenizer, of_llama.vocabulary) == ("apache-2.0", "BPE", 317)
    assert of_llama.template
    assert of_llama.fits["fp32"]
    assert not of_llama.problems
    # It learned both languages from a sentence each: neither is close to a token a word.
    rates = {lang: own.tokens_per_word for lang, own in of_llama.text.items()}
    assert rates.keys() == {"en", "vi"}
    assert all(1.5 < rate < 8 for rate in rates.values())
    assert of_llama.text["en"].passages is not None


def test_what_is_not_known_is_said_and_nothing_else_is_lost(
    workspace: Workspace, llama: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "config.json").write_text('{"model_type": "no-such-model"}', "utf-8")
    names = ["openai:gpt-5-mini", "anthropic:none", f"huggingface:{broken}", f"huggingface:{llama}"]
    hosted, unknown, odd, good = facts(workspace, names)
    assert hosted.context == 272000
    assert hosted.inputs == ("text", "image")
    assert hosted.price is not None
    assert hosted.parameters is None
    assert "LangChain's table of models does not know anthropic:none" in unknown.problems[0]
    assert "is not published" in unknown.problems[1]
    assert "does not know its architecture" in odd.problems[0]
    assert odd.memory is None
    assert not good.problems
    assert good.text["vi"].passages is None  # nothing is ingested


def test_kept_facts_are_read_again(of_llama: Facts, workspace: Workspace) -> None:
    assert Facts.from_json(json.loads(json.dumps(of_llama.to_json()))) == of_llama
    keep(workspace.state, [of_llama], [])
    assert kept(workspace.state).models == (of_llama,)
    for lang in ("en", "vi"):
        for heads, lines in wording.tables([of_llama], [], lang):
            assert all(len(line) == len(heads) for line in lines)
    (workspace.state / "reports" / "models.json").write_text('{"models": [1]}', "utf-8")
    assert kept(workspace.state).models == ()


def test_the_cache_of_a_processor_is_twice_as_large() -> None:
    size = Memory(parameters=100, linear=60, cache_per_token=10, context=7, rest_bytes=4)
    assert size.total("fp32") == 400 + 2 * 70
    assert size.weights("8bit") == 60 + 160


def test_every_token_of_a_text_is_shown(llama: Path) -> None:
    text = "Nhân viên được nghỉ 12 ngày 🙂"
    (one,) = inspect(text, [f"huggingface:{llama}"])
    shown = "".join(piece.text for piece in one.pieces)
    whole = [piece for piece in one.pieces if not piece.text.startswith("<")]
    assert "Nhân" in shown
    assert "viên" in shown
    parts = [piece.text for piece in one.pieces if piece.text.startswith("<")]
    assert parts  # the emoji's bytes, none of which is a character
    raw = bytes.fromhex("".join(part.strip("<>") for part in parts))
    assert raw.decode() == "🙂"
    assert len(whole) + len(parts) == len(one.pieces)
    assert one.decomposed > len(one.pieces)  # this tokenizer does not compose accents
    assert one.template == "<|user|>How many days of annual leave do I get?</s><|assistant|>"
    assert "</s>" in one.specials
    assert Inspected.from_json(json.loads(json.dumps(one.to_json()))) == one


def test_tiktoken_shows_bytes_and_an_unknown_encoding_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import tiktoken

    ranks = {bytes([byte]): byte for byte in range(256)} | {b"days": 256, b"da": 257, b"ys": 258}
    own = tiktoken.Encoding(
        "tiny", pat_str=r"\w+|\W", mergeable_ranks=ranks, special_tokens={"<|end|>": 300}
    )
    monkeypatch.setattr(tiktoken, "get_encoding", lambda name: own)
    (one,) = inspect("ngày days", ["tiktoken:tiny"])
    assert [piece.text for piece in one.pieces][:3] == ["n", "g", "<C3>"]
    assert one.template == ""
    monkeypatch.undo()
    (missing,) = inspect("x", ["tiktoken:none"])
    assert "tiktoken knows no tokenizer" in missing.problem


def test_a_folder_without_a_tokenizer_is_said(tmp_path: Path) -> None:
    (one,) = inspect("x", [f"huggingface:{tmp_path}"])
    assert "cannot be loaded" in one.problem
    tokenizer.cache_clear()
