"""Folders of models: what is whole is read, and what is not, or asks for code, is refused."""

from __future__ import annotations

import json
import runpy
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from tailor.config import Config
from tailor.errors import TailorError, UsageError
from tailor.models import hub, loading, room, trusted_code
from tailor.models.local import LocalChat, weights_digest
from tailor.models.sentence_encoder import SentenceEncoder

TINY = runpy.run_path(str(Path(__file__).parents[1] / "tiny_bloom.py"))
COMMIT = "a" * 40
ASKED = [HumanMessage("Which printer takes A3 paper?")]


@pytest.fixture(scope="module")
def bloom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = TINY["build"](tmp_path_factory.mktemp("bloom"))
    return folder


@pytest.fixture
def copy(bloom: Path, tmp_path: Path) -> Path:
    return shutil.copytree(bloom, tmp_path / "copy")


def _set(file: Path, **values: Any) -> None:
    told = json.loads(file.read_text("utf-8")) if file.exists() else {}
    file.write_text(json.dumps({**told, **values}), "utf-8")


def _said(folder: Path) -> str:
    return str(LocalChat(path=str(folder), max_tokens=8).invoke(ASKED).text)


def test_shards_and_tied_weights_are_the_same_model(bloom: Path, tmp_path: Path) -> None:
    whole = loading.causal_model(str(bloom))
    assert whole.config.tie_word_embeddings
    shutil.copytree(bloom, tmp_path / "shards", ignore=shutil.ignore_patterns("*.safetensors"))
    whole.save_pretrained(tmp_path / "shards", max_shard_size="20KB")
    assert _said(tmp_path / "shards") == _said(bloom)
    next((tmp_path / "shards").glob("model-00002*")).unlink()
    with pytest.raises(TailorError, match=r"its shard model-00002.* is missing"):
        loading.causal_model(str(tmp_path / "shards"))


def test_an_adapter_alone_is_a_model_with_its_base(bloom: Path, tmp_path: Path) -> None:
    pairs = [("Which printer takes A3 paper?", "the blue one")]
    adapter: Path = TINY["save_adapter"](bloom, tmp_path / "adapter", pairs)
    beside = LocalChat(path=str(bloom), adapter=str(adapter), max_tokens=8)
    assert _said(adapter) == str(beside.invoke(ASKED).text) != _said(bloom)
    assert loading.base_of(str(adapter)) == str(bloom)
    before = weights_digest(adapter)
    _set(adapter / "adapter_config.json", base_model_name_or_path="gone/away/base")
    with pytest.raises(TailorError, match="its base gone/away/base is not there"):
        loading.causal_model(str(adapter))
    moved = shutil.copytree(bloom, adapter / "base")
    _set(adapter / "adapter_config.json", base_model_name_or_path="base")
    assert loading.base_of(str(adapter)) == str(moved)
    assert weights_digest(adapter) != before
    (adapter / "adapter_model.safetensors").rename(adapter / "other.safetensors")
    (adapter / "adapter_model.bin").write_bytes(b"pickle")  # what PEFT would take instead
    with pytest.raises(TailorError, match=r"holds no adapter_model\.safetensors"):
        loading.causal_model(str(adapter))


def _cut(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])


def _fewer(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    tensors.pop(next(name for name in tensors if "mlp" in name))
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})


def _no_tokenizer(folder: Path) -> None:
    for file in folder.glob("*token*"):
        file.unlink()


def _no_settings(folder: Path) -> None:
    (folder / "config.json").unlink()


def _unknown(folder: Path) -> None:
    _set(folder / "config.json", model_type="strange", architectures=["Strange"])


def _no_writer(folder: Path) -> None:
    _set(folder / "config.json", model_type="t5", architectures=["T5EncoderModel"])


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_cut, r"model\.safetensors is broken or cut short"),
        (_fewer, "its weights lack 1 that config.json asks for"),
        (_no_tokenizer, "it has no tokenizer"),
        (_no_settings, "it has no config.json"),
        (_unknown, "does not know its architecture"),
        (_no_writer, "no language model that writes text"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    copy: Path, spoil: Callable[[Path], None], says: str
) -> None:
    spoil(copy)
    with pytest.raises(TailorError, match=says) as raised:
        LocalChat(path=str(copy)).load()
    assert str(raised.value).startswith(f"The model {copy} cannot be loaded: ")
    assert "\n" not in str(raised.value)


def test_too_large_for_the_memory_says_what_would_fit(
    bloom: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, empty = loading.empty_model(str(bloom))
    size = room.memory_of(empty, config)
    few, full = size["4bit"], size["fp32"]
    assert few < full

    def with_free(amount: int) -> str:
        monkeypatch.setattr("tailor.training.forecast.free", lambda cuda: amount)
        with pytest.raises(TailorError) as raised:
            room.check_room("acme", str(bloom), "none", 4, lambda: (config, empty))
        return str(raised.value)

    assert 'quantization = "4bit" in tailor.toml' in with_free(few)
    assert "take a model of at most about" in with_free(few - 1)
    monkeypatch.setattr("tailor.training.forecast.free", lambda cuda: full)
    room.check_room("acme", str(bloom), "none", 4, lambda: (config, empty))


def _own_class(folder: Path) -> None:
    _set(
        folder / "config.json",
        model_type="strange",
        auto_map={"AutoConfig": "code.C", "AutoModelForCausalLM": "code.M"},
    )


def _nested(folder: Path) -> None:
    _set(folder / "config.json", text_config={"model_type": "x", "auto_map": {"AutoConfig": "a.B"}})


def _claimed(folder: Path) -> None:
    _set(folder / "config.json", detector={"trust_remote_code": True})


def _module(folder: Path) -> None:
    modules = [{"idx": 0, "name": "0", "path": "", "type": "code.Transformer"}]
    (folder / "modules.json").write_text(json.dumps(modules), "utf-8")


@pytest.mark.parametrize("spoil", [_own_class, _nested, _claimed, _module])
def test_code_of_its_own_is_never_run(copy: Path, spoil: Callable[[Path], None]) -> None:
    spoil(copy)
    canary = copy / "canary"
    (copy / "code.py").write_text(f"open({str(canary)!r}, 'w').close()\n", "utf-8")
    for load in (loading.causal_model, loading.tokenizer, loading.settings, SentenceEncoder.load):
        with pytest.raises(TailorError, match="asks for code of its own, which is not run"):
            load(str(copy))
    assert not canary.exists()


def test_a_known_kind_is_loaded_by_transformers_own_class(copy: Path, bloom: Path) -> None:
    _set(copy / "config.json", auto_map={"AutoModelForCausalLM": "code.M"})
    (copy / "code.py").write_text("raise SystemExit\n", "utf-8")
    assert _said(copy) == _said(bloom)


OWN = """
from transformers import BloomConfig, BloomForCausalLM
class C(BloomConfig):
    model_type = "strange"
class M(BloomForCausalLM):
    config_class = C
"""


def test_code_runs_at_the_very_commit_that_the_workspace_allows(
    copy: Path, bloom: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _own_class(copy)
    (copy / "code.py").write_text(OWN, "utf-8")
    asked: list[bool] = []

    def fetch(named: hub.HubId, *, code: bool, **_: Any) -> Path:
        asked.append(code)
        return copy

    monkeypatch.setattr(loading, "fetch", fetch)
    path = f"acme/strange@{COMMIT}"
    for trusted in ({}, {"acme/strange": "b" * 40}, {"acme/other": COMMIT}):
        with pytest.raises(TailorError, match=rf'\[trusted_code\], "acme/strange" = "{COMMIT}"'):
            loading.causal_model(path, trusted=trusted)
    assert not any(asked)
    model = loading.causal_model(path, trusted={"acme/strange": COMMIT})
    assert asked[-1]
    assert type(model).__name__ == "M"
    assert model.num_parameters() == loading.causal_model(str(bloom)).num_parameters()
    _set(copy / "config.json", auto_map={"AutoConfig": "other/repo--code.C"})
    with pytest.raises(TailorError, match=r"other/repo--code\.C lies in another repository"):
        loading.causal_model(path, trusted={"acme/strange": COMMIT})


@pytest.mark.parametrize("values", [{"a/b": "main"}, {"a/b": 1}, "a/b"])
def test_trusted_code_takes_whole_commits_only(values: Mapping[str, object]) -> None:
    assert Config().with_values({"trusted_code": {"a/b": COMMIT}}, "x").trusted_code
    assert trusted_code.trusts({"a/b": COMMIT}, hub.HubId("a/b"), COMMIT)
    with pytest.raises(UsageError, match="trusted_code"):
        Config().with_values({"trusted_code": values}, "x")
