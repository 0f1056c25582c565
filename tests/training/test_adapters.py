"""The registry of adapters, merging, the merge gate and what is exported, on a tiny Bloom."""

from __future__ import annotations

import json
import os
import runpy
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.messages import HumanMessage

from tailor.assistant import Answer
from tailor.benchmark import Question
from tailor.errors import TailorError, UsageError
from tailor.models.licence import licence
from tailor.models.local import LocalChat
from tailor.models.provider import SHIPPED
from tailor.training import adapters, before_after, exported, gate, gguf
from tailor.training.adapters import Adapter
from tailor.training.merge import merge
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Command

TINY = runpy.run_path(str(Path(__file__).parents[1] / "tiny_bloom.py"))
DEV = TINY["LESSONS"][:6]
"""What the dev questions ask; the adapter knows them by heart, so that it scores well on them."""
PROMPTS = [(f"Question: {question}", answer) for question, answer in DEV]
PROMPTS[5] = (f"Câu hỏi: {DEV[5][0]}", DEV[5][1])


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = TINY["build"](tmp_path_factory.mktemp("bloom") / "bloom-tiny")
    return folder


@pytest.fixture(scope="module")
def folder(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    found: Path = TINY["save_adapter"](base, tmp_path_factory.mktemp("trained"), PROMPTS)
    return found


@pytest.fixture(scope="module")
def workspace(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    root = tmp_path_factory.mktemp("acme")
    (root / "knowledge").mkdir()
    rows = [
        {"id": f"q{at}", "question": question, "answer": answer, "split": split}
        for split, some in (("dev", DEV), ("test", TINY["LESSONS"][6:8]))
        for at, (question, answer) in enumerate(some)
    ]
    lines = "".join(json.dumps({**row, "id": f"{row['split']}-{row['id']}"}) + "\n" for row in rows)
    (root / "knowledge" / "benchmark.jsonl").write_text(lines, "utf-8")
    (root / "tailor.toml").write_text(
        f'model = {json.dumps(f"huggingface:{base}")}\nladder = ["fine_tuning"]\nmax_tokens = 12\n',
        "utf-8",
    )
    return Workspace(root)


@pytest.fixture(scope="module")
def adapter(workspace: Workspace, folder: Path) -> Adapter:
    return adapters.register(workspace, folder)


@pytest.fixture(scope="module")
def merged(adapter: Adapter, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return merge(adapter, tmp_path_factory.mktemp("merged"))


def test_an_adapter_is_registered_once(
    workspace: Workspace, adapter: Adapter, base: Path, folder: Path, tmp_path: Path
) -> None:
    assert adapter.name == f"bloom-tiny-r4-{adapter.digest[:6]}"
    assert (adapter.base, adapter.lessons) == (str(base), 6)
    assert adapter.licence == "bigscience-bloom-rail-1.0"
    assert [point.get("validation_loss") for point in adapter.curve] == [None, 2.5]
    assert {"peft", "transformers", "llm-tailor"} <= adapter.versions.keys()
    assert adapters.register(workspace, folder) == adapter
    assert adapters.adapters(workspace) == (adapter,)
    assert adapters.adapter(workspace) == adapter
    assert json.loads(json.dumps(adapter.to_json()))["settings"]["rank"] == 4
    other = TINY["save_adapter"](base, tmp_path / "other", rank=2)
    with pytest.raises(TailorError, match="another adapter"):
        adapters.register(workspace, other, adapter.name)
    with pytest.raises(UsageError, match="no name for an adapter"):
        adapters.register(workspace, other, "../other")
    with pytest.raises(UsageError, match=f"there are {adapter.name}"):
        adapters.adapter(workspace, "none")


def test_what_is_not_an_adapter_of_ours_is_refused(
    workspace: Workspace, base: Path, tmp_path: Path
) -> None:
    torn: Path = TINY["save_adapter"](base, tmp_path / "torn", rank=3)
    weights = torn / adapters.WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-4] + b"\0\0\0\1")
    with pytest.raises(TailorError, match=r"not those that its adapter\.json describes"):
        adapters.register(workspace, torn)
    weights.rename(torn / "adapter_model.bin")
    with pytest.raises(TailorError, match="no whole adapter"):
        adapters.register(workspace, torn)
    (torn / adapters.DESCRIPTION).write_text('{"base": 3', "utf-8")
    with pytest.raises(TailorError, match=r"adapter.json cannot be read"):
        adapters.register(workspace, torn)
    with pytest.raises(TailorError, match=r"holds no adapter.json"):
        adapters.register(workspace, tmp_path)
    assert not [one for one in adapters.adapters(workspace) if one.settings["rank"] == 3]


def test_an_adapter_is_used_on_its_own_base_only(
    workspace: Workspace, adapter: Adapter, base: Path, tmp_path: Path
) -> None:
    assert adapters.fitting(workspace, adapter.name, str(base)) == adapter
    other = TINY["build"](tmp_path / "other", seed=6)
    with pytest.raises(UsageError, match=f"trained on {base}, and this model is another"):
        adapters.fitting(workspace, adapter.name, str(other))


def test_the_merged_model_is_base_plus_adapter(
    base: Path, adapter: Adapter, merged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    tokenizer: Any = AutoTokenizer.from_pretrained(merged)
    prompt = tokenizer.apply_chat_template(
        [{"role": "user", "content": PROMPTS[0][0]}], add_generation_prompt=True,
        return_tensors="pt", return_dict=True,
    )  # fmt: skip
    plain: Any = AutoModelForCausalLM.from_pretrained(base)
    with torch.no_grad():
        before = plain(**prompt).logits
        beside = PeftModel.from_pretrained(plain, str(adapter.folder))(**prompt).logits
        whole: Any = AutoModelForCausalLM.from_pretrained(merged)
        assert (whole(**prompt).logits - beside).abs().max() < 1e-4
        assert (beside - before).abs().max() > 0.1
        reply = whole.generate(**prompt, max_new_tokens=12, do_sample=False)
    told = tokenizer.decode(reply[0, prompt["input_ids"].shape[1] :], skip_special_tokens=True)
    assert told.strip() == PROMPTS[0][1]


def test_only_the_base_itself_is_merged_onto(base: Path, adapter: Adapter, tmp_path: Path) -> None:
    other = TINY["build"](tmp_path / "other", seed=6)
    with pytest.raises(TailorError, match="is not the model that adapter"):
        merge(adapter, tmp_path / "out", str(other))
    moved = shutil.copytree(base, tmp_path / "moved")
    config = json.loads((moved / "config.json").read_text("utf-8"))
    config["quantization_config"] = {"quant_method": "bitsandbytes", "load_in_4bit": True}
    (moved / "config.json").write_text(json.dumps(config), "utf-8")
    with pytest.raises(TailorError, match="is itself quantized"):
        merge(adapter, tmp_path / "out", str(moved))
    assert not (tmp_path / "out").exists()


def test_before_and_after_are_measured_on_dev(workspace: Workspace, adapter: Adapter) -> None:
    found = before_after.again(workspace, adapter)
    assert found == before_after.read(adapter)
    assert found.before
    assert found.after
    assert found.questions == found.before.n == 6
    assert found.after.mean < 5 < 50 < found.before.mean
    assert [one.after for one in found.samples] == [answer for _, answer in DEV]
    assert all(one.before != one.after for one in found.samples)


def answers(texts: Sequence[str]) -> list[Answer | Exception]:
    return [Answer("ok", text) if text else TimeoutError() for text in texts]


def many(n: int) -> tuple[Question, ...]:
    return tuple(
        Question(f"q{i}", f"Which is {i}?", ("right",), (), "en", (), "dev") for i in range(n)
    )


@pytest.mark.parametrize(
    ("plain", "tuned", "whole", "limit", "blocked", "verdict"),
    [
        (10, 80, 80, 0.01, False, "undecided"),
        (10, 80, 79, 0.01, False, "undecided"),
        (10, 80, 78, 0.01, True, "undecided"),
        (10, 80, 78, 0.02, False, "undecided"),
        (10, 80, 40, 0.01, True, "worse"),
        (80, 70, 70, 0.01, True, "undecided"),
        (0, 0, 0, 0.0, False, "undecided"),
        (10, 40, 80, 0.0, False, "better"),
    ],
)
def test_what_loses_more_than_the_limit_is_blocked(
    workspace: Workspace, plain: int, tuned: int, whole: int, limit: float, blocked: bool,
    verdict: str,
) -> None:  # fmt: skip
    def told(right: int) -> list[Answer | Exception]:
        return answers(["right"] * right + ["wrong"] * (100 - right))

    forms: dict[gate.Form, Any] = {
        "base": told(plain), "adapter": told(tuned), "merged": told(whole)
    }  # fmt: skip
    found = gate.judged(workspace, "x", many(100), forms, limit=limit)
    assert found.blocked == (("merged",) if blocked else ())
    one = found.of("merged")
    assert one
    assert one.against
    assert one.against.delta == pytest.approx((whole - tuned) / 100)
    assert one.same == 100 - abs(whole - tuned)
    assert one.verdict == verdict


def test_numbers_are_gated_by_what_is_saved_of_the_error(tmp_path: Path) -> None:
    (tmp_path / "knowledge").mkdir()
    rows = [
        {"question": f"Item {at}", "answer": 10 * at, "split": split}
        for at, split in enumerate(["train"] * 10 + ["dev"] * 10 + ["test"] * 2, 1)
    ]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "knowledge" / "benchmark.jsonl").write_text(lines, "utf-8")
    (tmp_path / "tailor.toml").write_text('task = "number"\n', "utf-8")
    workspace = Workspace(tmp_path)
    dev = workspace.benchmark.split("dev")
    right = [float(question.answers[0]) for question in dev]
    forms: dict[gate.Form, Any] = {
        "base": answers([f"{value * 3}" for value in right]),
        "adapter": answers([f"{value + 1}" for value in right]),
        "merged": answers([f"{value + 1.5}" for value in right]),
        "quantized": answers([f"{value * 4}" for value in right]),
    }
    found = gate.judged(workspace, "x", dev, forms, "4bit")
    assert found.metric == "skill"
    assert found.blocked == ("quantized",)
    base, merged = found.of("base"), found.of("merged")
    assert base
    assert merged
    assert base.score
    assert merged.score
    assert base.score.mean < 0 < 0.98 < merged.score.mean < 1


def test_only_what_both_have_scored_counts(workspace: Workspace) -> None:
    forms: dict[gate.Form, Any] = {
        "base": answers(["wrong", "wrong", "right"]),
        "adapter": answers(["right", "right", ""]),
        "merged": answers(["right", "right", "wrong"]),
        "quantized": answers(["", "", "right"]),
    }
    found = gate.judged(workspace, "x", many(3), forms, "4bit")
    # Nothing tells of the quantized one that it holds: it is not let through.
    assert found.blocked == ("quantized",)
    assert [one.errors for one in found.forms] == [0, 1, 0, 2]
    merged = found.of("merged")
    assert merged
    assert merged.against
    assert (merged.against.n, merged.against.delta) == (2, 0)


def test_a_merged_model_is_exported_with_its_card(
    workspace: Workspace, adapter: Adapter, tailor: Command, tmp_path: Path
) -> None:
    target = tmp_path / "out" / "model"
    words = ("export", "merged", adapter.name, "-o", target, "-w", workspace.root)
    ended = tailor(*words, "--json")
    assert ended.code == 0, ended.err
    assert ended.json["folder"] == str(target)
    forms = {one["form"]: one for one in ended.json["gate"]["forms"]}
    assert list(forms) == ["base", "adapter", "merged", "quantized"]
    means = [forms[form]["score"]["mean"] for form in ("base", "adapter", "merged")]
    assert means == [0, 1, 1]
    assert ended.json["gate"]["bits"] == "4bit"
    assert forms["merged"]["same"] == 6
    card = (target / "README.md").read_text("utf-8")
    assert 'license: "bigscience-bloom-rail-1.0"' in card
    assert "| merged | 100.0% |" in card
    assert "Perplexity of the reference answers to 6 dev questions" in card
    assert 'base_model: "bloom-tiny"' in card
    assert str(Path(adapter.base).parent) not in card
    assert "merged" not in json.loads((target / "gate.json").read_text("utf-8"))["blocked"]
    reply = LocalChat(path=str(target), max_tokens=12).invoke([HumanMessage(PROMPTS[1][0])])
    assert reply.text == PROMPTS[1][1]
    assert tailor(*words).sentence.startswith(f"{target} is there already")
    listed = tailor("adapters", "--json", "-w", workspace.root).json["adapters"]
    assert [one["name"] for one in listed] == [adapter.name]
    assert listed[0]["gate"] == ended.json["gate"]


def test_a_merge_that_lost_the_adapter_is_not_exported(
    workspace: Workspace, adapter: Adapter, base: Path, tailor: Command, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def forgetful(_: Adapter, target: Path, __: str = "") -> Path:
        return Path(shutil.copytree(base, target, dirs_exist_ok=True))

    monkeypatch.setattr(exported, "merge", forgetful)
    target = tmp_path / "model"
    words = ("export", "merged", adapter.name, "-o", target, "--quantization", "none")
    ended = tailor(*words, "-w", workspace.root)
    assert ended.code == 3
    assert "loses more than 1.0 points" in ended.err
    assert "merged, blocked" in ended.out
    assert list(tmp_path.iterdir()) == []
    ended = tailor(*words, "-w", workspace.root, "--force", "--json")
    assert ended.code == 0
    assert ended.json["forced"]
    assert "--force" in (target / "README.md").read_text("utf-8")


def test_an_adapter_is_exported_for_peft(
    workspace: Workspace, adapter: Adapter, base: Path, tailor: Command, tmp_path: Path
) -> None:
    from peft import AutoPeftModelForCausalLM

    target = tmp_path / "adapter"
    assert tailor("export", "adapter", "-o", target, "-w", workspace.root).code == 0
    model: Any = AutoPeftModelForCausalLM.from_pretrained(target)
    assert model.peft_config["default"].r == 4
    assert adapters.read(target).digest == adapter.digest
    assert (target / "chat_template.jinja").exists()
    assert "PeftModel.from_pretrained" in (target / "README.md").read_text("utf-8")


CONVERTER = """\
import argparse, pathlib
given = argparse.ArgumentParser()
given.add_argument("model", type=pathlib.Path)
given.add_argument("--outfile", type=pathlib.Path)
given.add_argument("--outtype", choices=["f32", "f16", "bf16", "q8_0"])
given = given.parse_args()
if not (given.model / "config.json").exists():
    raise SystemExit("ERROR: Model is not supported")
given.outfile.write_bytes(b"GGUF" + given.outtype.encode())
"""


def test_gguf_is_written_by_the_converter_of_llama_cpp(
    merged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", os.defpath)
    monkeypatch.delenv(gguf.VARIABLE, raising=False)
    with pytest.raises(TailorError, match=r"there is no convert_hf_to_gguf.py on the PATH: get"):
        gguf.converter()
    monkeypatch.setenv(gguf.VARIABLE, str(tmp_path))
    with pytest.raises(TailorError, match=r"which holds no convert_hf_to_gguf.py"):
        gguf.converter()
    (tmp_path / gguf.CONVERTER).write_text(CONVERTER, "utf-8")
    written = gguf.write(merged, tmp_path / "model.gguf", "q8_0")
    assert written.read_bytes() == b"GGUFq8_0"
    with pytest.raises(TailorError, match="Model is not supported"):
        gguf.write(tmp_path, tmp_path / "other.gguf")
    assert sorted(file.suffix for file in tmp_path.iterdir()) == [".gguf", ".py"]


def test_gguf_in_8_bits_passes_the_gate_in_8_bits(
    workspace: Workspace, adapter: Adapter, tailor: Command, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    (tmp_path / gguf.CONVERTER).write_text(CONVERTER, "utf-8")
    monkeypatch.setenv(gguf.VARIABLE, str(tmp_path))
    words = ("export", "merged", "-w", workspace.root, "--gguf", "q8_0", "--json", "-o")
    ended = tailor(*words, tmp_path / "model")
    assert ended.json["gate"]["bits"] == "8bit"
    lost = "quantized" in ended.json["gate"]["blocked"]
    assert ended.code == (3 if lost else 0)
    assert (tmp_path / "model.gguf").exists() != lost
    assert (tmp_path / "model" / "config.json").exists()


def test_the_licence_is_read_from_the_card(tmp_path: Path) -> None:
    assert licence(SHIPPED / "reader") == "MIT (weights)"
    assert licence(tmp_path) == "unknown"
    card = "---\nlicense: other\nlicense_name: 'acme-1'\n---\n| Licence | wrong |\n"
    (tmp_path / "README.md").write_text(card, "utf-8")
    assert licence(tmp_path) == "acme-1"


def test_no_dev_questions_no_gate(
    workspace: Workspace, adapter: Adapter, merged: Path, tmp_path: Path
) -> None:
    empty = Workspace(workspace.root)
    empty.benchmark = replace(workspace.benchmark, questions=workspace.benchmark.split("test"))
    with pytest.raises(TailorError, match="dev questions, and there are none"):
        gate.gate(empty, adapter, merged)
    with pytest.raises(TailorError, match="dev questions, and there are none"):
        before_after.again(empty, adapter)
