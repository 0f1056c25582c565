"""A training as a job on disk, which a process of its own carries out.

``.tailor/training/ID/`` holds what is trained (``job.json``, the lessons as JSON lines), its
checkpoints, a file ``ask`` that stops it, and in the end the adapter. Its record lies beside it.
The same base, settings and lessons are the same job, so that the same command goes on with it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tailor.assistant import digest
from tailor.errors import TailorError
from tailor.fault import hit
from tailor.moment import moment
from tailor.newer import of_json
from tailor.training import settings as of
from tailor.training.encoding import Row
from tailor.training.progress import RESUMABLE, Training, read
from tailor.training.settings import Settings

Stop = Literal["pause", "cancel"]
Told = Callable[[str, int, int], None]
"""Told what is done, how many steps are done, of how many."""
_LAUNCH = (
    "--multi_gpu", "--mixed_precision=no", "--num_machines=1", "--dynamo_backend=no",
    "--main_process_port=0",
)  # fmt: skip
"""So that `accelerate launch` looks for no file of settings; ``--multi_gpu`` means processes of one
machine, also where it has no GPU, and the precision is the trainer's own."""
_ABOUT, _ASK = "job.json", "ask"
VERSION = 1
"""Of ``job.json``; raised when an older Tailor would misread it."""


@dataclass(frozen=True)
class Job:
    """What is trained, and where."""

    folder: Path
    base: str
    settings: Settings

    @property
    def id(self) -> str:
        """Its name, and that of its record."""
        return self.folder.name

    @property
    def record(self) -> Path:
        """The file that says how it goes; see `tailor.training.progress`."""
        return self.folder.with_name(f"{self.id}.jsonl")

    @property
    def checkpoints(self) -> Path:
        """Where its checkpoints lie."""
        return self.folder / "checkpoints"

    @property
    def adapter(self) -> Path:
        """Where the adapter lies when it is complete."""
        return self.folder / "adapter"

    def rows(self, side: Literal["train", "validation"]) -> list[Row]:
        """The lessons to learn from, or those kept back."""
        text = (self.folder / f"{side}.jsonl").read_text("utf-8")
        return [json.loads(line) for line in text.split("\n") if line]

    @property
    def asked(self) -> str:
        """``pause`` or ``cancel`` where somebody asked for it; else empty."""
        try:
            said = (self.folder / _ASK).read_text("utf-8").strip()
        except (OSError, ValueError):
            return ""
        return said if said in ("pause", "cancel") else ""


def job(
    home: Path, base: str, settings: Settings, train: Sequence[Row], validation: Sequence[Row]
) -> Job:
    """The job in ``home`` for this base, these settings and these lessons, new or begun before.

    Raises:
        TailorError: it cannot be written.
    """
    key = _key(base, settings, train, validation)
    for folder in _folders(home, key):
        if (folder / _ABOUT).exists():
            (folder / _ASK).unlink(missing_ok=True)
            return Job(folder, base, settings)
        shutil.rmtree(folder, ignore_errors=True)  # a kill came before it was written
    made = Job(home / f"{moment(path.name for path in home.glob('*'))}-{key}", base, settings)
    try:
        made.folder.mkdir(parents=True)
        for side, rows in (("train", train), ("validation", validation)):
            lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            (made.folder / f"{side}.jsonl").write_text("".join(lines), "utf-8")
        about = {"schema_version": VERSION, "base": base, "settings": of.values(settings)}
        hit("job.before")
        (made.folder / _ABOUT).write_text(json.dumps(about), "utf-8")
        hit("job.after")
    except OSError as error:
        shutil.rmtree(made.folder, ignore_errors=True)
        raise TailorError(
            f"{made.folder} cannot be written ({error.strerror}); free disk space or permissions, "
            "then run the same command again."
        ) from None
    return made


def forget(
    home: Path, base: str, settings: Settings, train: Sequence[Row], validation: Sequence[Row]
) -> None:
    """Delete the lessons and the checkpoints of a training whose adapter is kept elsewhere."""
    for folder in _folders(home, _key(base, settings, train, validation)):
        shutil.rmtree(folder, ignore_errors=True)


def _key(base: str, settings: Settings, train: Sequence[Row], validation: Sequence[Row]) -> str:
    from tailor.models.local import weights_digest

    return digest([base, weights_digest(base), of.values(settings), train, validation])[:10]


def _folders(home: Path, key: str) -> list[Path]:
    return sorted(path for path in home.glob(f"*-{key}") if path.is_dir())


def opened(folder: Path) -> Job:
    """The job in a folder.

    Raises:
        TailorError: there is none.
    """
    try:
        file = folder / _ABOUT
        about = of_json(json.loads(file.read_text("utf-8")), VERSION, file)
        return Job(folder, about["base"], of.read(about["settings"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise TailorError(
            f"{folder} holds no training to go on with: run `tailor run fine_tuning`."
        ) from None


def jobs(state: Path) -> list[Job]:
    """The jobs that are not over, the newest first; ``state`` is the workspace's ``.tailor``."""
    folders = sorted((state / "training").glob(f"*/{_ABOUT}"), reverse=True)
    return [opened(file.parent) for file in folders]


def ask(job: Job, stop: Stop) -> Training:
    """Have a training paused, so that it can go on later, or cancelled.

    Raises:
        TailorError: it does not go on, and there is nothing to stop.
    """
    training = read(job.record)
    if training is None or training.status not in ("running", *RESUMABLE):
        raise TailorError(f"The training {job.id} is over: there is nothing to {stop}.")
    if training.status == "running":
        (job.folder / _ASK).write_text(stop, "utf-8")
    elif stop == "cancel":
        _record(job, "cancelled")
        shutil.rmtree(job.folder, ignore_errors=True)
    else:
        raise TailorError(f"The training {job.id} does not go on: there is nothing to pause.")
    return training


def finished(job: Job) -> bool:
    """Whether the adapter is there; its record says so, also where a kill came before it did."""
    if not job.adapter.is_dir():
        return False
    training = read(job.record)
    if training is not None and training.status in ("running", *RESUMABLE):
        _record(job, "complete")
    return True


def _record(job: Job, status: str) -> None:
    with job.record.open("a", encoding="utf-8") as file:
        file.write(f'\n{{"status": "{status}", "message": ""}}\n')


def run(job: Job, told: Told | None = None) -> Path:
    """Carry the job out, or go on with it, in a process of its own; returns the adapter's folder.

    Ctrl+C pauses it: it keeps a checkpoint, and the same command goes on from there.

    Raises:
        TailorError: it failed, was paused or was cancelled by somebody else, or was killed.
        KeyboardInterrupt: after its checkpoint has been kept.
    """
    if finished(job):
        return job.adapter
    (job.folder / _ASK).unlink(missing_ok=True)
    with (job.folder / "log").open("ab") as log, _started(job, log) as process:
        try:
            ended = _followed(process, told)
        except KeyboardInterrupt:
            (job.folder / _ASK).write_text("pause", "utf-8")
            _followed(process, None)
            raise
    if job.adapter.is_dir() and process.returncode == 0:
        return job.adapter
    raise _failure(job, process.returncode, *ended)


def _started(job: Job, log: Any) -> subprocess.Popen[str]:
    # -P: no file of the folder this was started in may take the place of a module.
    command = [sys.executable, "-P", "-m"]
    if (count := job.settings.processes) > 1:
        command += ["accelerate.commands.launch", f"--num_processes={count}", *_LAUNCH, "-m"]
    return subprocess.Popen(
        [*command, "tailor.training.worker", str(job.folder)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,  # Ctrl+C must not end it before it has kept a checkpoint
    )


def _followed(process: subprocess.Popen[str], told: Told | None) -> tuple[str, str]:
    """Pass on how far it has come until it ends; returns how and why it ended early."""
    status = reason = ""
    assert process.stdout
    for line in process.stdout:
        try:
            said = json.loads(line)
        except ValueError:
            continue
        if not isinstance(said, dict):
            continue
        reason, status = str(said.get("error", reason)), str(said.get("ended", status))
        if told and "step" in said:
            told("train", said["step"], said["steps"])
    process.wait()
    return status, reason


def _failure(job: Job, code: int, status: str, reason: str) -> TailorError:
    if reason:
        return TailorError(reason)
    if status == "paused":
        return TailorError(
            "The training is paused and its checkpoint kept: `tailor training resume` or the same "
            "command goes on with it."
        )
    if status == "cancelled":
        return TailorError(
            "The training was cancelled and nothing of it is kept: the same command begins it anew."
        )
    if code in (-9, 137):
        return TailorError(
            "The training was killed, most likely because the memory was full: a smaller "
            "fine_tuning.batch needs less; the same command goes on from its last checkpoint."
        )
    return TailorError(
        f"The training ended with code {code}, and {job.folder / 'log'} says why; the same command "
        "goes on from its last checkpoint."
    )
