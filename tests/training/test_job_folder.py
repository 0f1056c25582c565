"""A training as a folder for another machine, and its result brought back."""

from __future__ import annotations

import ast
import json
import os
import runpy
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tailor.errors import TailorError, UsageError
from tailor.models.provider import SHIPPED
from tailor.training.adapters import WEIGHTS, adapters
from tailor.training.job_folder import SCRIPT, export, sha256, write
from tailor.training.job_result import bring_back
from tailor.training.local import Rows
from tailor.training.pairs import Pair, PreferencePair, conversational, preferential
from tailor.training.settings import Settings
from tailor.workspace import Workspace

COLOURS = "red green blue white black brown grey pink".split()
LESSONS = [Pair((("user", f"Which door is {c}?"),), f"The door {c}.") for c in COLOURS]
ROWS = Rows(conversational(LESSONS[:6]), conversational(LESSONS[6:]))
SETTINGS = Settings(epochs=1, batch=3, rank=4, optimizer="adamw", learning_rate=1e-3)
READER = str(SHIPPED / "reader")
ALONE = (
    "import sys; sys.modules['tailor'] = None\n"
    "import runpy; sys.argv = ['train.py', *sys.argv[1:]]\n"
    "runpy.run_path('train.py', run_name='__main__')"
)


def run(folder: Path, *options: str) -> None:
    """The exported script, in this process."""
    given, sys.argv = sys.argv, ["train.py", *options]
    try:
        runpy.run_path(str(folder / "train.py"), run_name="__main__")
    finally:
        sys.argv = given


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A workspace's ``.tailor`` and the folder of a job that has run."""
    place = tmp_path_factory.mktemp("elsewhere")
    write(place / ".tailor", place / "job", READER, ROWS, SETTINGS)
    run(place / "job")
    return place / ".tailor", place / "job"


@pytest.fixture
def back(done: tuple[Path, Path], workspace: Workspace) -> tuple[Workspace, Path]:
    """A workspace that has exported the job, and a result that can be spoilt."""
    shutil.copytree(done[0], workspace.state)
    return workspace, Path(shutil.copytree(done[1] / "result", workspace.root / "result"))


def test_the_folder_has_all_that_is_needed(done: tuple[Path, Path]) -> None:
    _, folder = done
    names = {path.name for path in folder.iterdir()}
    assert {"README.md", "base", "data", "job.json", "requirements.txt", "settings.json",
            "train.ipynb", "train.py"} <= names  # fmt: skip
    notebook = json.loads((folder / "train.ipynb").read_text("utf-8"))
    code = ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "code"]
    for cell in code:
        ast.parse("\n".join(line.replace("!", "#").replace("%", "#") for line in cell.split("\n")))
    assert any("python train.py --check" in cell for cell in code)
    assert "torch>=2.6" in (folder / "requirements.txt").read_text("utf-8")
    assert "bitsandbytes" not in (folder / "requirements.txt").read_text("utf-8")


def test_the_script_needs_no_tailor() -> None:
    tree = ast.parse(SCRIPT.read_text("utf-8"))
    modules = {
        name
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [str(node.module)]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    public = {"torch", "transformers", "peft", "trl", "datasets"}
    found = {name.partition(".")[0] for name in modules}
    assert found - public - {"huggingface_hub"} <= set(sys.stdlib_module_names)
    assert public <= found


def test_the_result_comes_back_as_an_adapter(back: tuple[Workspace, Path]) -> None:
    workspace, result = back
    found = bring_back(workspace, result, "doors")
    told = json.loads((result / "result.json").read_text("utf-8"))
    assert (found.name, found.base, found.lessons, found.method) == ("doors", READER, 6, "sft")
    assert found.settings["rank"] == 4
    assert list(found.curve) == told["curve"]
    assert sum("validation_loss" in point for point in found.curve) >= 2
    assert all(sample["before"] != "" for sample in told["samples"])
    assert not any(path.suffix in (".bin", ".pt", ".py") for path in found.folder.iterdir())
    assert bring_back(workspace, result.parent) == found  # the folder around it, again
    assert [one.name for one in adapters(workspace)] == ["doors"]
    chat = workspace.chat("shipped", adapter=found.folder)
    assert chat.model.invoke("Which door is red?").text != ""


def changed(result: Path, **values: Any) -> None:
    told = json.loads((result / "result.json").read_text("utf-8"))
    (result / "result.json").write_text(json.dumps({**told, **values}), "utf-8")


def resealed(result: Path, name: str) -> None:
    files = json.loads((result / "result.json").read_text("utf-8"))["files"]
    changed(result, files={**files, name: sha256(result / name)})


def nan_weights(result: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    weights = load_file(str(result / WEIGHTS))
    name = next(iter(weights))
    save_file({**weights, name: torch.full_like(weights[name], torch.nan)}, result / WEIGHTS)
    resealed(result, WEIGHTS)


def other_weights(result: Path) -> None:
    shutil.copyfile(SHIPPED / "reader" / "model.safetensors", result / WEIGHTS)
    resealed(result, WEIGHTS)


def pickled(result: Path) -> None:
    (result / WEIGHTS).rename(result / "adapter_model.bin")
    files = json.loads((result / "result.json").read_text("utf-8"))["files"]
    files["adapter_model.bin"] = files.pop(WEIGHTS)
    changed(result, files=files)


def code(result: Path) -> None:
    told = json.loads((result / "adapter_config.json").read_text("utf-8"))
    told["auto_mapping"] = {"base_model_class": "Evil", "parent_library": "evil"}
    (result / "adapter_config.json").write_text(json.dumps(told), "utf-8")
    resealed(result, "adapter_config.json")


def flatter(result: Path) -> None:
    curve = json.loads((result / "result.json").read_text("utf-8"))["curve"]
    changed(result, curve=[*curve[:-1], {**curve[-1], "validation_loss": 0.001}])


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda r: (r / "tokenizer.json").unlink(), "is not the file that was trained"),
        (lambda r: (r / WEIGHTS).write_bytes(b"x"), "is not the file that was trained"),
        (pickled, "pickled files and code are not taken in"),
        (lambda r: changed(r, files={"../x.json": ""}), "is no file of an adapter"),
        (lambda r: changed(r, files={}), "pickled weights are not loaded"),
        (nan_weights, "weights that are no numbers"),
        (other_weights, "holds no LoRA adapter"),
        (code, "names classes to be loaded from elsewhere"),
        (flatter, "is not the one that the trainer noted"),
        (lambda r: changed(r, data={}), "on other lessons or with other settings"),
        (lambda r: changed(r, settings={"rank": 4}), "on other lessons or with other settings"),
        (lambda r: changed(r, base_digest="0"), "was not trained on"),
        (lambda r: changed(r, job="0"), "was not exported from this workspace"),
        (lambda r: (r / "result.json").write_text("{", "utf-8"), "cannot be read"),
        (lambda r: (r / "result.json").write_text("[]", "utf-8"), "something is missing"),
        (lambda r: (r / "result.json").unlink(), "holds no result.json"),
    ],
)
def test_what_is_not_the_result_is_refused(
    back: tuple[Workspace, Path], spoil: Callable[[Path], object], said: str
) -> None:
    workspace, result = back
    spoil(result)
    with pytest.raises(TailorError, match=said):
        bring_back(workspace, result)
    assert adapters(workspace) == ()


def test_files_that_changed_on_the_way_are_told(done: tuple[Path, Path], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(done[1], tmp_path / "job"))
    (folder / "data" / "train.jsonl").write_text("", "utf-8")
    with pytest.raises(SystemExit, match=r"data/train\.jsonl changed since"):
        run(folder, "--check")


def test_what_cannot_be_exported(workspace: Workspace, tmp_path: Path) -> None:
    state = tmp_path / ".tailor"
    with pytest.raises(UsageError, match="trains one rank"):
        write(state, tmp_path / "job", READER, ROWS, replace(SETTINGS, rank="sweep"))
    with pytest.raises(TailorError, match="nothing to learn from"):
        write(state, tmp_path / "job", READER, Rows([], []), SETTINGS)
    with pytest.raises(TailorError, match="is there already"):
        write(state, tmp_path, READER, ROWS, SETTINGS)
    with pytest.raises(UsageError, match="has no weights to train elsewhere"):
        export(workspace, tmp_path / "job", model="openai:gpt-4o")
    with pytest.raises(UsageError, match="trains no model"):
        export(workspace, tmp_path / "job", "retrieval")
    assert list(tmp_path.glob("*job*")) == []


@pytest.mark.slow
def test_killed_it_goes_on_without_tailor(tmp_path: Path) -> None:
    many = Rows(conversational(LESSONS * 10), conversational(LESSONS[:2]))
    folder = tmp_path / "job"
    write(tmp_path / ".tailor", folder, READER, many, replace(SETTINGS, epochs=3))
    process = subprocess.Popen([sys.executable, "-c", ALONE], cwd=folder)
    until = time.monotonic() + 200
    while not list(folder.glob("checkpoints/*/trainer_state.json")):
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    again = subprocess.run(
        [sys.executable, "-c", ALONE], cwd=folder, capture_output=True, text=True, check=True
    )
    assert "Going on from checkpoint-" in again.stdout
    told = json.loads((folder / "result" / "result.json").read_text("utf-8"))
    steps = [point["step"] for point in told["curve"] if "loss" in point]
    assert steps == list(range(1, 82))
    shutil.copytree(tmp_path / ".tailor", tmp_path / "acme" / ".tailor")
    assert bring_back(Workspace(tmp_path / "acme"), folder).lessons == 80


@pytest.mark.slow
@pytest.mark.parametrize("quantization", ["none", "4bit"])
def test_preferences_and_quantized_weights(tmp_path: Path, quantization: Any) -> None:
    better = [PreferencePair(p.prompt, p.completion, "None.") for p in LESSONS]
    rows = Rows(preferential(better[:6]), preferential(better[6:]))
    settings = replace(SETTINGS, method="dpo", quantization=quantization)
    folder = tmp_path / "job"
    write(tmp_path / ".tailor", folder, READER, rows, settings)
    subprocess.run([sys.executable, "-c", ALONE], cwd=folder, check=True)
    shutil.copytree(tmp_path / ".tailor", tmp_path / "acme" / ".tailor")
    assert bring_back(Workspace(tmp_path / "acme"), folder).method == "dpo"


def test_the_commands(
    workspace: Workspace, tailor: Callable[..., Any], tmp_path: Path, done: tuple[Path, Path]
) -> None:
    with (workspace.knowledge / "benchmark.jsonl").open("a", encoding="utf-8") as file:
        for colour in COLOURS:
            item = {"question": f"Which door is {colour}?", "answer": colour, "split": "train"}
            file.write(json.dumps(item) + "\n")
    here, folder = ("-w", workspace.root), tmp_path / "job"
    shape = ("--set", "fine_tuning.shapes=closed_book", "--set", "ladder=fine_tuning")
    told = tailor("export", "job", "-o", folder, "--zip", "--json", *shape, *here).json
    assert (told["lessons"] + told["held_out"], told["included"]) == (12, True)
    assert Path(told["zip"]).exists()
    assert "holds no result.json" in tailor("import", "adapter", folder, *here).sentence
    shutil.copytree(
        done[0] / "exported_jobs", workspace.state / "exported_jobs", dirs_exist_ok=True
    )
    ended = tailor("import", "adapter", done[1], "--name", "doors", *here)
    assert ended.code == 0
    assert "fine_tuning.adapter=doors" in ended.err
    again = tailor("import", "adapter", done[1], "--json", *here).json
    assert again["adapter"]["name"] == "doors"
