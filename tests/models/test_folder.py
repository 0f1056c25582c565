"""Folders of weights as people have them, and base models without a chat template; a tiny Bloom."""

from __future__ import annotations

import json
import pickle
import runpy
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.messages import HumanMessage

from tailor.models.chat_template import templated
from tailor.models.folder import content_digest, loadable
from tailor.models.local import LocalChat, weights_digest

if TYPE_CHECKING:
    from conftest import Command

TINY = runpy.run_path(str(Path(__file__).parents[1] / "tiny_bloom.py"))
ASKED = [HumanMessage("Which printer takes A3 paper?")]


@pytest.fixture(scope="module")
def bloom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = TINY["build"](tmp_path_factory.mktemp("bloom"))
    return folder


@pytest.fixture(scope="module")
def reply(bloom: Path) -> str:
    text = str(LocalChat(path=str(bloom), max_tokens=8).invoke(ASKED).text)
    assert text
    return text


def test_a_base_model_is_asked_in_our_template(bloom: Path) -> None:
    tokenizer, _ = LocalChat(path=str(bloom)).load()
    said = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "One?"},
        {"role": "assistant", "content": "Two."},
        {"role": "user", "content": "Three?"},
    ]
    whole = tokenizer.apply_chat_template(said, tokenize=False, add_generation_prompt=True)
    assert whole == (
        "Be brief.\n\nHuman: One?\n\nAssistant: Two.</s>\n\nHuman: Three?\n\nAssistant:"
    )
    tokenizer.chat_template = "{{ messages[0].content }}"
    assert not templated(tokenizer)
    assert tokenizer.chat_template == "{{ messages[0].content }}"


def test_one_safetensors_file_of_any_name_loads(bloom: Path, reply: str, tmp_path: Path) -> None:
    folder = tmp_path / "any name"
    shutil.copytree(bloom, folder)
    (folder / "model.safetensors").rename(folder / "weights-final (2).safetensors")
    before = set(Path(tempfile.gettempdir()).glob("tailor-model-*"))
    assert LocalChat(path=str(folder), max_tokens=8).invoke(ASKED).text == reply
    assert set(Path(tempfile.gettempdir()).glob("tailor-model-*")) == before
    assert content_digest(folder) == content_digest(bloom)
    assert weights_digest(folder) != weights_digest(bloom)
    with loadable(bloom) as given:
        assert given == str(bloom)
    with loadable("owner/name") as given:
        assert given == "owner/name"


def _as_pickle(bloom: Path, folder: Path, shards: int = 1) -> Path:
    """The folder as such models were published: pickled, and nothing else."""
    import torch
    from safetensors.torch import load_file

    shutil.copytree(bloom, folder)
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    tensors["lm_head.weight"] = tensors["transformer.word_embeddings.weight"]
    names = sorted(tensors)
    if shards == 1:
        torch.save(tensors, folder / "pytorch_model.bin")
        return folder
    files = [f"pytorch_model-{n + 1:05}-of-{shards:05}.bin" for n in range(shards)]
    where = {name: files[at % shards] for at, name in enumerate(names)}
    for file in files:
        torch.save({n: t for n, t in tensors.items() if where[n] == file}, folder / file)
    index = {"metadata": {"total_size": 1}, "weight_map": where}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index), "utf-8")
    return folder


@pytest.mark.parametrize("shards", [1, 2])
def test_pickled_weights_are_converted_once_on_request(
    bloom: Path, reply: str, tailor: Command, tmp_path: Path, shards: int
) -> None:
    folder = _as_pickle(bloom, tmp_path / "model", shards)
    ended = tailor("export", "safetensors", folder, "--json")
    assert ended.code == 0, ended.err
    assert ended.json["files"] == [str(folder / "model.safetensors")]
    assert LocalChat(path=str(folder), max_tokens=8).invoke(ASKED).text == reply
    assert not list(folder.glob("converting-*"))
    assert "already" in tailor("export", "safetensors", folder).sentence


class _Canary:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.touch, (Path(self.path),)


def _hostile(folder: Path) -> None:
    code = pickle.dumps({"weight": _Canary(str(folder / "canary"))})
    (folder / "pytorch_model.bin").write_bytes(code)


def _hostile_archive(folder: Path) -> None:
    import torch

    torch.save({"weight": _Canary(str(folder / "canary"))}, folder / "pytorch_model.bin")


def _lacking(folder: Path) -> None:
    import torch

    tensors = torch.load(folder / "pytorch_model.bin", weights_only=True)
    del tensors["transformer.h.0.self_attention.query_key_value.weight"]
    torch.save(tensors, folder / "pytorch_model.bin")


def _none(folder: Path) -> None:
    (folder / "pytorch_model.bin").unlink()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_hostile, "cannot be read as tensors only"),
        (_hostile_archive, "cannot be read as tensors only"),
        (_lacking, "transformer.h.0.self_attention.query_key_value.weight among them"),
        (_none, "nothing to convert"),
    ],
)
def test_pickles_that_hold_anything_else_are_refused(
    bloom: Path, tailor: Command, tmp_path: Path, spoil: Callable[[Path], None], says: str
) -> None:
    folder = _as_pickle(bloom, tmp_path / "model")
    spoil(folder)
    ended = tailor("export", "safetensors", folder)
    assert ended.code == 1
    assert says in ended.sentence
    assert not (folder / "canary").exists()
    assert not list(folder.glob("*.safetensors"))
