"""The result of an exported job: checked against what was sent, then registered.

Nothing that could run code is loaded or copied: weights as safetensors only, texts as JSON.
"""

from __future__ import annotations

import json
import math
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailor.assistant import digest
from tailor.errors import TailorError
from tailor.models.folder import content_digest
from tailor.training.adapters import WEIGHTS, Adapter, describe, register
from tailor.training.job_folder import ABOUT, KEPT, sha256

if TYPE_CHECKING:
    from tailor.workspace import Workspace

RESULT = "result.json"
_STATE = "trainer_state.json"
_SUFFIXES = (".json", ".jinja", ".model", ".safetensors", ".txt")
_AGAIN = "bring the folder `result` of the training back again, whole."


def bring_back(workspace: Workspace, folder: Path, name: str = "") -> Adapter:
    """Take the folder ``result`` (or the job's folder with it inside) as an adapter.

    Raises:
        TailorError: it is no result of a job of this workspace, or not whole, or its weights,
            curves or data are not those it tells of.
    """
    folder = folder if (folder / RESULT).exists() else folder / "result"
    told = _told(folder)
    home = workspace.state / KEPT / str(told["job"])
    about = _about(home, told)
    _same_files(folder, told)
    base = str(about["base_path"])
    _same_base(base, told, about)
    _weights(folder / WEIGHTS)
    curve = _curve(folder, told)
    part = Path(tempfile.mkdtemp(prefix="tailor-result-"))
    try:
        for file in told["files"]:
            shutil.copyfile(folder / file, part / file)
        _configuration(part / "adapter_config.json", base, told)
        describe(
            part,
            base=base,
            data_digest=digest([_lessons(home, "train"), _lessons(home, "validation")])[:16],
            lessons=int(about["lessons"]),
            settings=json.loads((home / "settings.json").read_text("utf-8")),
            curve=curve,
            method="dpo" if about["method"] == "dpo" else "sft",
        )
        return register(workspace, part, name)
    except (OSError, ValueError) as error:
        raise TailorError(f"{folder} cannot be taken in ({error}): {_AGAIN}") from None
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _told(folder: Path) -> dict[str, Any]:
    """What the training says of itself."""
    try:
        read: Any = json.loads((folder / RESULT).read_text("utf-8"))
        told: dict[str, Any] = read if isinstance(read, dict) else {}
        wanted = {"job": str, "files": dict, "data": dict, "settings": dict, "curve": list}
        if not all(isinstance(told.get(key), kind) for key, kind in wanted.items()):
            raise ValueError("something is missing in it")
        if not re.fullmatch(r"[\w-]+", told["job"]):
            raise ValueError("its job has no name of a job")  # one that leads elsewhere
        return told
    except FileNotFoundError:
        raise TailorError(
            f"{folder.parent if folder.name == 'result' else folder} holds no {RESULT}: give the "
            "folder `result` that the train.py of `tailor export job` has written."
        ) from None
    except (OSError, ValueError) as error:
        raise TailorError(f"{folder / RESULT} cannot be read ({error}): {_AGAIN}") from None


def _about(home: Path, told: Mapping[str, Any]) -> dict[str, Any]:
    """What was sent, where the result is that of it."""
    try:
        about: dict[str, Any] = json.loads((home / ABOUT).read_text("utf-8"))
        settings = json.loads((home / "settings.json").read_text("utf-8"))
    except (OSError, ValueError):
        raise TailorError(
            f"The job {told['job']} was not exported from this workspace: name the one it was "
            "exported from with -w."
        ) from None
    data = {name: own for name, own in about["files"].items() if name.startswith("data/")}
    if told["data"] != data or told["settings"] != settings:
        raise TailorError(
            f"The result of job {told['job']} was trained on other lessons or with other settings "
            "than were exported: export the job with the changes, and train that."
        )
    return about


def _same_files(folder: Path, told: Mapping[str, Any]) -> None:
    for name, wanted in told["files"].items():
        if "/" in name or "\\" in name or Path(name).suffix not in _SUFFIXES:
            raise TailorError(
                f"{folder / RESULT} names {name}, which is no file of an adapter: pickled files "
                "and code are not taken in."
            )
        file = folder / name
        if file.is_symlink() or not file.is_file() or sha256(file) != wanted:
            raise TailorError(f"{file} is not the file that was trained: {_AGAIN}")
    if WEIGHTS not in told["files"]:
        raise TailorError(
            f"{folder} holds no {WEIGHTS}: pickled weights are not loaded because they can run "
            f"code; {_AGAIN}"
        )


def _same_base(base: str, told: Mapping[str, Any], about: Mapping[str, Any]) -> None:
    trained, sent, here = told.get("base_digest"), about["base_digest"], content_digest(base)
    if Path(base).is_dir() and not trained == sent == here:
        raise TailorError(
            f"The adapter was not trained on {base} as it is now (weights {trained} there, {here} "
            "here): train it on the same model, or export the job anew."
        )


def _weights(file: Path) -> None:
    """Refuse weights that are no LoRA adapter's, or no numbers."""
    import torch
    from safetensors import safe_open

    try:
        with safe_open(str(file), framework="pt") as opened:
            names = list(opened.keys())
            strange = [n for n in names if "lora_" not in n and "modules_to_save" not in n]
            broken = [n for n in names if not bool(torch.isfinite(opened.get_tensor(n)).all())]
    except Exception as error:  # whatever the library raises over a broken file
        raise TailorError(f"{file} cannot be read ({error}): {_AGAIN}") from None
    if strange or not names:
        raise TailorError(f"{file} holds no LoRA adapter ({(strange or ['nothing'])[0]}).")
    if broken:
        raise TailorError(
            f"{file} holds weights that are no numbers ({broken[0]}): train again with a lower "
            "fine_tuning.learning_rate."
        )


def _curve(folder: Path, told: Mapping[str, Any]) -> list[dict[str, float]]:
    """The losses, which must be numbers and those that the trainer noted itself."""
    try:
        curve = [{str(k): float(v) for k, v in point.items()} for point in told["curve"]]
        history = json.loads((folder / _STATE).read_text("utf-8"))["log_history"]
        noted = [
            (float(line["step"]), name, float(line[key]))
            for line in history
            for key, name in (("loss", "loss"), ("eval_loss", "validation_loss"))
            if key in line
        ]
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise TailorError(f"{folder} holds no curve that can be read ({error}): {_AGAIN}") from None
    said = [
        (point["step"], name, point[name])
        for point in curve
        for name in ("loss", "validation_loss")
        if name in point
    ]
    if not said or not all(math.isfinite(value) for _, _, value in said):
        raise TailorError(f"The curve in {folder / RESULT} holds no numbers: {_AGAIN}")
    if sorted(set(said)) != sorted(set(noted)):
        raise TailorError(
            f"The curve in {folder / RESULT} is not the one that the trainer noted in {_STATE}: "
            f"{_AGAIN}"
        )
    return curve


def _configuration(file: Path, base: str, told: Mapping[str, Any]) -> None:
    """Refuse a configuration that is no LoRA of the job's rank; name the base as it is here."""
    found = json.loads(file.read_text("utf-8"))
    if (
        not isinstance(found, dict)
        or found.get("peft_type") != "LORA"
        or found.get("r") != told["settings"].get("rank")
    ):
        raise TailorError(
            f"{file.name} is not that of a LoRA adapter of rank {told['settings'].get('rank')}: "
            f"{_AGAIN}"
        )
    if found.get("auto_mapping"):
        raise TailorError(f"{file.name} names classes to be loaded from elsewhere: {_AGAIN}")
    found["base_model_name_or_path"] = base
    file.write_text(json.dumps(found, indent=2), "utf-8")


def _lessons(home: Path, side: str) -> list[Any]:
    """As they were sent."""
    text = (home / "data" / f"{side}.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.split("\n") if line]
