"""A training as one folder for a machine elsewhere: data, settings, a script and a notebook.

The folder needs no Tailor there: ``train.py`` checks it, trains with public packages and writes
``result``, which `tailor.training.job_result` takes back. What was sent is kept in
``.tailor/exported_jobs/ID/``, so that the result can be told to be that of these lessons.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailor.errors import TailorError, UsageError
from tailor.training import settings as of
from tailor.training.settings import Settings
from tailor.whole_folder import written

if TYPE_CHECKING:
    from tailor.training.local import Rows
    from tailor.workspace import Workspace

ABOUT = "job.json"
SCRIPT = Path(__file__).with_name("job_script.py")
"""What is copied into the folder as ``train.py``."""
KEPT = "exported_jobs"
"""Below ``.tailor``: what was written into each folder, weights left out."""
_PACKAGES = ("accelerate", "datasets", "peft", "torch", "transformers", "trl")
_BITS = ("8bit", "4bit")


@dataclass(frozen=True)
class JobFolder:
    """A folder that was written."""

    id: str
    """Content hash of base, settings and lessons: the same job has the same."""
    folder: Path
    base: str
    """Folder or hub id, as the workspace names it."""
    included: bool
    """Whether the base model lies in the folder, too."""
    method: str
    lessons: int
    held_out: int
    bytes: int
    """Of the whole folder."""

    def to_json(self) -> dict[str, Any]:
        """As ``tailor export job --json`` prints it."""
        return {"schema_version": 1, **asdict(self), "folder": str(self.folder)}


def export(
    workspace: Workspace,
    folder: Path,
    row: str = "fine_tuning",
    model: str | None = None,
    include: bool = True,
) -> JobFolder:
    """Write the training of a row of the ladder; the rows that it builds on are applied.

    Raises:
        UsageError: there is no such row, it trains nothing, or its model lies elsewhere.
        TailorError: there is too little to learn from, or see :func:`write`.
    """
    from tailor.models.provider import is_local, local_path
    from tailor.training.local import rows
    from tailor.training.row_lessons import row_lessons, row_preferences

    named = model or workspace.config.model
    if not is_local(named):
        raise UsageError(
            f"{named} has no weights to train elsewhere: name a model that does with `--model "
            "huggingface:PATH-or-ID`, or write its lessons with `tailor export openai-jsonl`."
        )
    stage = workspace.stage(row)
    if not isinstance(stage, Settings):
        raise UsageError(f"{row} trains no model; name a row of stage fine_tuning.")
    prepare = row_lessons if stage.method == "sft" else row_preferences
    given = rows(prepare(workspace, row, model))
    return write(workspace.state, folder, local_path(named), given, stage, include)


def write(
    state: Path, folder: Path, base: str, rows: Rows, settings: Settings, include: bool = True
) -> JobFolder:
    """Write the folder, the whole of it or nothing; ``state`` is the workspace's ``.tailor``.

    Args:
        state: where a copy of what was written, without the base, is kept.
        folder: must not be there yet.
        base: folder or hub id of the model.
        rows: what is learnt from and what is kept back.
        settings: of the training; a sweep of ranks is for one machine alone.
        include: put the base model in, where it is a folder.

    Raises:
        UsageError: the rank is a sweep.
        TailorError: there is such a folder already, or it cannot be written.
    """
    if settings.rank == "sweep":
        raise UsageError(
            'An exported job trains one rank, and fine_tuning.rank is "sweep": name one with '
            "`--set fine_tuning.rank=16`."
        )
    if not rows.train:
        raise TailorError(
            "There is nothing to learn from: add train questions to the benchmark, or draft some "
            "with `tailor benchmark draft --training`."
        )

    def fill(part: Path) -> dict[str, Any]:
        about = _filled(part, base, rows, settings, include)
        _kept(state, part, about)
        return about

    about = written(folder, fill)
    return JobFolder(
        about["id"], folder, base, (folder / "base").is_dir(), settings.method, len(rows.train),
        len(rows.validation), sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()),
    )  # fmt: skip


def sha256(path: Path) -> str:
    """Of a whole file."""
    hasher = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(2**20):
            hasher.update(block)
    return hasher.hexdigest()


def _filled(part: Path, base: str, rows: Rows, settings: Settings, include: bool) -> dict[str, Any]:
    """All files of the folder; returns what ``job.json`` says of them."""
    from tailor.assistant import digest
    from tailor.models.chat_template import HUMAN_ASSISTANT
    from tailor.models.folder import content_digest
    from tailor.models.hub import pinned
    from tailor.run import write_json

    (part / "data").mkdir()
    for name, side in (("train", rows.train), ("validation", rows.validation)):
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in side)
        (part / "data" / f"{name}.jsonl").write_text("".join(lines), "utf-8")
    told = {**of.values(settings), "alpha": settings.scale}
    write_json(part / "settings.json", told)
    shutil.copyfile(SCRIPT, part / "train.py")
    (part / "requirements.txt").write_text(_requirements(settings), "utf-8")
    named = ("data/train.jsonl", "data/validation.jsonl", "settings.json", "train.py")
    local = Path(base).is_dir()
    about = {
        "schema_version": 1,
        "id": digest([base, content_digest(base), told, list(rows.train), list(rows.validation)]),
        "base": Path(base).name if local else pinned(base),
        "base_digest": content_digest(base),
        "method": settings.method,
        "chat_template": HUMAN_ASSISTANT,
        "lessons": len(rows.train),
        "held_out": len(rows.validation),
        "files": {name: sha256(part / name) for name in named},
        "tailor": version("llm-tailor"),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    write_json(part / ABOUT, about)
    write_json(part / "train.ipynb", notebook(str(about["id"])))
    (part / "README.md").write_text(_readme(about, local and include, local), "utf-8")
    if local and include:
        _base(base, part / "base")
    return {**about, "base_path": base}


def _base(base: str, target: Path) -> None:
    """The model's folder with its weights under the name that transformers looks for."""
    from tailor.models.folder import loadable

    with loadable(base) as found:
        target.mkdir()
        for file in Path(found).iterdir():
            if file.is_file() and file.suffix in (
                ".json", ".jinja", ".md", ".model", ".safetensors", ".txt"
            ):  # fmt: skip
                shutil.copyfile(file, target / file.name)


def _kept(state: Path, part: Path, about: dict[str, Any]) -> None:
    from tailor.run import write_json

    home = state / KEPT / about["id"]
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(part / "data", home / "data")
    shutil.copyfile(part / "settings.json", home / "settings.json")
    write_json(home / ABOUT, about)


def _requirements(settings: Settings) -> str:
    names = [*_PACKAGES]
    if settings.quantization in _BITS or settings.optimizer not in ("adamw", "adafactor"):
        names.append("bitsandbytes")
    lines = []
    for name in sorted(names):
        have = version(name).split("+")[0].split(".")
        # Torch is there on machines with a GPU, in the build that fits its driver.
        lines.append("torch>=2.6" if name == "torch" else f"{name}~={'.'.join(have[:2])}")
    return "\n".join(lines) + "\n"


def notebook(id: str) -> dict[str, Any]:
    """A notebook that does what the README says, on Colab or beside the folder."""
    cells = [
        ("markdown", f"# Training {id}\n\nChoose a GPU (Runtime → Change runtime type), then run "
         "all cells. On Colab, upload the folder as one zip file when asked."),
        ("code", "import pathlib, sys\n"
         "if not pathlib.Path('job.json').exists() and 'google.colab' in sys.modules:\n"
         "    import os, zipfile\n"
         "    from google.colab import files\n"
         "    name = next(iter(files.upload()))\n"
         "    zipfile.ZipFile(name).extractall('job')\n"
         "    os.chdir(next(pathlib.Path('job').rglob('job.json')).parent)"),
        ("code", "%pip install -q -r requirements.txt"),
        ("code", "!python train.py --check"),
        ("code", "!python train.py"),
        ("code", "import json\n"
         "told = json.load(open('result/result.json'))\n"
         "for sample in told['samples']:\n"
         "    print(sample['asked'][-300:], sample['before'], sample['after'], sep='\\n→ ')\n"
         "told['curve'][-5:], told['device'], told['seconds']"),
        ("code", "import shutil, sys\n"
         "shutil.make_archive('result', 'zip', '.', 'result')\n"
         "if 'google.colab' in sys.modules:\n"
         "    from google.colab import files\n"
         "    files.download('result.zip')"),
        ("markdown", "At home: unzip it, then `tailor import adapter result`."),
    ]  # fmt: skip
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {
            "accelerator": "GPU",
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        },
        "cells": [_cell(at, kind, text) for at, (kind, text) in enumerate(cells)],
    }


def _cell(at: int, kind: str, text: str) -> dict[str, Any]:
    own: dict[str, Any] = {"execution_count": None, "outputs": []} if kind == "code" else {}
    lines = text.splitlines(keepends=True)
    return {"cell_type": kind, "id": f"cell-{at}", "metadata": {}, "source": lines, **own}


def _readme(about: dict[str, Any], included: bool, local: bool) -> str:
    where = (
        "lies in `base/`"
        if included
        else "is not in here: give its folder with `--base`"
        if local
        else "is downloaded from the hub by the script (`huggingface-cli login` where it is gated)"
    )
    return f"""# Training {about["id"]}

{about["lessons"]} lessons and {about["held_out"]} kept back, for a LoRA adapter of \
{about["base"]} ({about["method"]}). The base model {where}.

On Colab: zip this folder and open `train.ipynb`. On any machine with Python 3.10 or newer:

    pip install -r requirements.txt
    python train.py --check
    python train.py

`--check` compares the files with the digests in `job.json`, loads the model, and shows what would
be learnt of the first lesson. A training that was stopped goes on when it is started again.

Bring the folder `result` back, then: `tailor import adapter result`. The lessons are your
documents and questions: delete this folder there when you are done.
"""
