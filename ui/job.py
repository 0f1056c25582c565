"""Runs as processes of their own: they outlive the page, the browser tab and the server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tailor.run import Run
    from tailor.workspace import Workspace

INTERRUPTED = 130


@dataclass
class Job:
    """A ``tailor run``, ``ingest`` or ``doctor`` that this server started."""

    names: tuple[str, ...]
    """The rows of a run, or the options of an ingestion."""
    process: subprocess.Popen[bytes]
    log: Path
    rival: int = 0
    """Process id of the run that went on when this one was refused."""
    cancelled: bool = False

    @property
    def alive(self) -> bool:
        """Whether the process has not ended yet."""
        return self.process.poll() is None

    def failure(self) -> str:
        """The sentence it ended with, where it failed; empty otherwise."""
        if self.alive or self.process.returncode in (0, 4, INTERRUPTED):
            return ""
        return last_line(self.log).removeprefix("tailor: ")


@dataclass(frozen=True)
class Live:
    """The run that goes on in a workspace, whoever started it."""

    pid: int
    rows: tuple[str, ...]
    run: Run | None
    """The row being asked; None while a stage is being prepared."""
    cancelled: bool = False
    preparing: Mapping[str, Any] | None = None
    """What a stage is busy with before questions are asked: row, step, done, total."""


def run(workspace: Workspace, words: Sequence[str]) -> Job:
    """Start the run; whether it may go on is decided by the workspace's run lock."""
    from tailor.run import current_run

    begun = _launch(workspace, ["run", *words], words, _log_name(words[0]))

    def note_rival() -> None:
        if begun.process.wait() not in (0, INTERRUPTED):
            begun.rival = int((current_run(workspace) or {}).get("pid", 0))

    threading.Thread(target=note_rival, daemon=True).start()
    return begun


def estimate(workspace: Workspace, words: Sequence[str]) -> Job:
    """Have it worked out what a run would take; nothing is asked for that."""
    return _launch(workspace, ["run", *words, "--dry-run", "--json"], words, "estimate-")


def lessons(workspace: Workspace, words: Sequence[str]) -> Job:
    """Have it looked up what a row would learn from; nothing is trained for that."""
    return _launch(workspace, ["lessons", *words, "--json"], words)


def export(workspace: Workspace, words: Sequence[str]) -> Job:
    """Have an adapter or its merged model written."""
    return _launch(workspace, ["export", *words], words)


def training(workspace: Workspace, words: Sequence[str]) -> Job:
    """Have a service asked about a training, or told to end it."""
    return _launch(workspace, ["training", *words], words)


def measure(workspace: Workspace, words: Sequence[str]) -> Job:
    """Have models loaded and asked some dev questions, and what is known of them told again."""
    return _launch(workspace, ["models", *words, "--json"], words)


def answer(workspace: Workspace) -> Job:
    """Have the questions of the Playground answered, by a process that stays warm."""
    return _launch(workspace, ["playground"])


def resume(workspace: Workspace, training: str) -> Job:
    """Go on with a training that was paused or killed."""
    return _launch(workspace, ["training", "resume", training], [training])


def serve(workspace: Workspace, row: str, model: str, port: int) -> Job:
    """Serve a row, or the winner, to other programs on this machine."""
    words = ["serve", "--stage", row, "--port", str(port), "--host", "127.0.0.1", "--json"]
    return _launch(workspace, [*words, *(("--model", model) if model else ())], [row])


def ingest(workspace: Workspace, *options: str) -> Job:
    """Have the documents read, and the curation report made."""
    return _launch(workspace, ["ingest", "--report", *options], options)


def doctor(workspace: Workspace) -> Job:
    """Have the installation and the workspace looked at."""
    return _launch(workspace, ["doctor", "--json"])


def said(job: Job) -> Mapping[str, Any] | None:
    """The JSON object that a command printed, among whatever libraries said; None: it has not."""
    text = tail(job.log, 1_000_000)
    try:
        found: Mapping[str, Any] = json.JSONDecoder().raw_decode(text, text.index("{\n"))[0]
    except ValueError:
        return None
    return found


def _launch(
    workspace: Workspace, words: Sequence[str], names: Sequence[str] = (), log_name: str = ""
) -> Job:
    """Start a command of Tailor as a process of its own; what it says goes into a log."""
    logs = workspace.state / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    handle, log = tempfile.mkstemp(dir=logs, prefix=log_name or f"{words[0]}-", suffix=".log")
    # -P: no file of the folder this was started in may take the place of a module.
    python = [sys.executable, "-P", "-m", "tailor.cli.main"]
    with os.fdopen(handle, "wb") as output:
        process = subprocess.Popen(
            [*python, *words, "-w", str(workspace.root)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    # A child that ended but was never waited for still looks alive to everybody.
    threading.Thread(target=process.wait, daemon=True).start()
    return Job(tuple(names), process, Path(log))


def cancel(pid: int) -> None:
    """Ask the run to stop, as Ctrl+C would: it keeps what is in flight, then ends."""
    try:
        os.kill(pid, signal.SIGINT)
    except ProcessLookupError:
        return


def live(workspace: Workspace, jobs: Sequence[Job]) -> Live | None:
    """The run that goes on, or is being started by one of these jobs."""
    from tailor.run import all_runs, current_run

    holder: dict[str, Any] | None = current_run(workspace)
    started = {job.process.pid: job for job in jobs}
    if holder is not None:
        pid = int(holder["pid"])
        asked = [run for run in all_runs(workspace) if run.state().status == "running"]
        own = started.get(pid)
        return Live(
            pid,
            tuple(holder["rows"]),
            asked[-1] if asked else None,
            bool(own and own.cancelled),
            holder.get("preparing"),
        )
    begun = {run.state().pid for run in all_runs(workspace)}
    for job in jobs:
        if job.alive and job.process.pid not in begun:
            return Live(job.process.pid, job.names, None, job.cancelled)
    return None


def last_log(workspace: Workspace, row: str) -> Path | None:
    """The log of the newest run of this row, or of all rows, that any server started."""
    logs = workspace.state / "logs"
    found = [*logs.glob(f"{_log_name(row)}*.log"), *logs.glob(f"{_log_name('all')}*.log")]
    return max(found, key=lambda log: log.stat().st_mtime, default=None)


def left_out(workspace: Workspace, row: str) -> str:
    """Why the newest run passed over this row; empty where it did not."""
    if (log := last_log(workspace, row)) is None:
        return ""
    lines = tail(log, 1_000).split("\n")
    return next((line for line in lines if line.startswith(f"{row}: left out. ")), "")


def tail(log: Path, lines: int) -> str:
    """The last lines of a log."""
    try:
        text = log.read_text("utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join(text.rstrip().split("\n")[-lines:])


def _log_name(row: str) -> str:
    return f"run-{row.replace(':', '-')}-"


def last_line(log: Path) -> str:
    """What a run said last."""
    try:
        lines = log.read_text("utf-8", errors="replace").split("\n")
    except FileNotFoundError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
