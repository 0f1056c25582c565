"""The process that trains: ``python -m tailor.training.worker FOLDER`` of a `Job`.

Over several GPUs: ``accelerate launch --num_processes N -m tailor.training.worker FOLDER``, which
the setting ``processes`` does by itself. How far it has come is told as JSON lines on stdout.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

from tailor.errors import TailorError
from tailor.fault import hit
from tailor.redaction import redact_tracebacks
from tailor.training.job import Job, opened
from tailor.training.progress import Recorder, read, recorded


def main() -> None:
    """Train what the folder on the command line holds; an error is told as a sentence."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who waits for it asks by a file
    redact_tracebacks()
    try:
        said = {"ended": train(opened(Path(sys.argv[1])))}
    except TailorError as error:
        said = {"error": str(error)}
    except OSError as error:
        said = {"error": str(_unwritten(error))}
    with suppress(OSError):
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()
    sys.exit(said != {"ended": "complete"})


def train(job: Job) -> str:
    """Train, from the newest whole checkpoint where there is one; returns how it ended.

    Raises:
        TailorError: a setting does not fit, a checkpoint cannot be written, the loss is no number,
            or another process trains the same.
    """
    from filelock import FileLock, Timeout

    if _rank():  # of several processes the first one holds the lock, and writes
        return _trained(job)
    try:
        with FileLock(job.folder / "lock", timeout=0):
            return _trained(job)
    except Timeout:
        training = read(job.record)
        raise TailorError(
            f"Another process ({training.pid if training else '?'}) trains this already: wait for "
            "it, or pause it with `tailor training pause`."
        ) from None


def _trained(job: Job) -> str:
    from tailor.models.quiet import quiet_libraries

    quiet_libraries()
    from datasets.utils.logging import disable_progress_bar

    disable_progress_bar()
    from tailor.training import checkpoints
    from tailor.training.encoding import tokenizer_of
    from tailor.training.trainer import fitted, most_tokens

    tokenizer = tokenizer_of(job.base)
    most = most_tokens(job.base, job.settings)
    sides = [fitted(tokenizer, job.rows(side), most) for side in ("train", "validation")]
    last = checkpoints.newest(job.checkpoints)
    from tailor.training.settings import values

    record = job.record if not _rank() else Path(os.devnull)
    with (
        recorded(
            record,
            job.base,
            values(job.settings),
            len(sides[0]),
            len(sides[1]),
            _device(),
            resumed=(checkpoints.step(last) if last else 0) if job.record.exists() else None,
        ) as recorder,
        warnings.catch_warnings(),
    ):
        # TRL warns of what its own next major version will drop.
        warnings.simplefilter("ignore", FutureWarning)
        _run(job, tokenizer, sides, last, recorder)
    if recorder.status == "cancelled" and not _rank():
        shutil.rmtree(job.folder, ignore_errors=True)
    return recorder.status


def _run(job: Job, tokenizer: Any, sides: list[Any], last: Path | None, recorder: Recorder) -> None:
    from transformers import PrinterCallback

    from tailor.training.trainer import look_every, steps_of, trainer_for
    from tailor.training.watching import watching

    train, validation = sides
    trainer = trainer_for(job, tokenizer, train, validation, resumed=last is not None)
    every = look_every(trainer, job.settings)
    recorder.steps(steps_of(trainer, job.settings), _tokens(trainer, job))
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(watching(job, recorder, every))
    trainer.train(resume_from_checkpoint=str(last) if last else None)
    if recorder.status == "complete" and trainer.args.should_save:
        _keep(job, trainer, tokenizer, recorder)


def _tokens(trainer: Any, job: Job) -> int:
    """Of all lessons in all epochs; 0 where it is not counted."""
    rows = trainer.train_dataset
    tokens = sum(map(len, rows["input_ids"])) if "input_ids" in rows.column_names else 0
    return job.settings.epochs * tokens


def _keep(job: Job, trainer: Any, tokenizer: Any, recorder: Recorder) -> None:
    """Write the adapter, with the weights that did best on the lessons kept back."""
    from tailor.training import checkpoints
    from tailor.training.keeping import restore
    from tailor.training.watching import best

    model = trainer.accelerator.unwrap_model(trainer.model)
    step = best(trainer.state)
    if step is not None and step != trainer.state.global_step:
        folder = job.checkpoints / f"step-{step}"
        if step and checkpoints.whole(folder):
            restore(model, folder)
    part = job.folder / "adapter-part"
    hit("adapter.before")
    shutil.rmtree(part, ignore_errors=True)
    model.save_pretrained(str(part))
    tokenizer.save_pretrained(str(part))
    trainer.state.save_to_json(str(part / "trainer_state.json"))
    recorder.write({"best": step})
    hit("adapter.part")
    part.rename(job.adapter)
    hit("adapter.after")


def _unwritten(error: OSError) -> TailorError:
    return TailorError(
        f"{error.filename or 'A file of the training'} cannot be written "
        f"({error.strerror or error}); free disk space or permissions, then run the same command "
        "again: the training goes on from its last checkpoint."
    )


def _rank() -> int:
    return int(os.environ.get("RANK", "0"))


def _device() -> str:
    import torch

    return str(torch.cuda.get_device_name(0)) if torch.cuda.is_available() else "cpu"


if __name__ == "__main__":
    main()
