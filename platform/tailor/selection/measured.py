"""How a model does here: load time, speed, memory, and its score on a sample of dev questions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailor.errors import NotApplicable, TailorError
from tailor.scoring.statistics import Interval, Paired

if TYPE_CHECKING:
    from tailor.assistant import Assistant
    from tailor.benchmark import Question
    from tailor.models.local import LocalChat
    from tailor.task import Task
    from tailor.workspace import Workspace

QUESTIONS = 40
"""Dev questions that are asked, unless told otherwise."""
PROMPT = "Write a long story about a lighthouse keeper and the sea."
"""What speed is measured by: the same for all models."""
WRITTEN = 64
"""Tokens that are written for it."""
SPEEDS = 3
"""Times it is written; the median counts."""


@dataclass(frozen=True)
class Measured:
    """One model, measured in a process of its own; None for what only models here have."""

    name: str
    quantization: str
    row: str
    """Whose prompts it answered."""
    load_s: float | None
    tokens_per_s: float | None
    """Written by one request alone."""
    weights_bytes: int | None
    peak_bytes: int | None
    """The most the process held, libraries included; on a GPU, the most allocated there."""
    scores: tuple[float | None, ...]
    """Of each question; None where it ended in an error."""
    score: Interval | None
    perplexity: Interval | None
    """Of the reference answers."""
    seconds: float
    """Of the questions, asked together."""
    problem: str = ""
    """Why it could not be measured, a sentence; then all else is empty."""

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class Against:
    """A measurement beside the first one, question by question."""

    measured: Measured
    paired: Paired | None
    """None for the first one, and where nothing is scored in both."""

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {**self.measured.to_json(), "paired": self.paired and asdict(self.paired)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Against:
        """What :meth:`to_json` wrote."""
        own = {name: kept for name, kept in value.items() if name != "paired"}
        return cls(_read(own), value["paired"] and Paired(**value["paired"]))


def measure(
    workspace: Workspace,
    models: Sequence[tuple[str, str]],
    row: str = "retrieval",
    n: int = QUESTIONS,
) -> tuple[Against, ...]:
    """Measure models, each a name and a quantization, and hold all against the first.

    Each in a process of its own, so that one's memory is not the other's. Answers are kept in the
    workspace's store: measured again, the questions cost nothing.

    Raises:
        TailorError: there are no dev questions.
    """
    if not workspace.benchmark.split("dev"):
        raise TailorError(
            'There are no dev questions to measure by: give some questions "split": "dev", or run '
            "`tailor benchmark split`."
        )
    found = [_in_a_process(workspace.root, *model, row, n) for model in models]
    asked, task = _sample(workspace, n), workspace.benchmark.task
    return tuple(
        Against(one, None if one is found[0] else _paired(found[0], one, asked, task))
        for one in found
    )


def _paired(
    base: Measured, other: Measured, questions: Sequence[Question], task: Task
) -> Paired | None:
    import numpy as np

    from tailor.scoring.groups import groups
    from tailor.scoring.statistics import differences

    if base.problem or other.problem:
        return None
    one, another = (np.array([side.scores], dtype=float).T for side in (base, other))
    return differences(one, another, groups(questions), free=_free(task))[0]


def _free(task: Task) -> tuple[int, ...]:
    """The columns that are no shares: the skill of a number has no lower bound."""
    return (0,) if task == "number" else ()


def _in_a_process(root: Path, name: str, quantization: str, row: str, n: int) -> Measured:
    from tailor.models.provider import local_path

    # The shipped model is used in full alone; as a model in a folder it can be had in fewer bits.
    few = quantization != "none" and name == "shipped"
    used = f"huggingface:{local_path(name)}" if few else name
    asked = json.dumps([str(root), used, quantization, row, n])
    done = subprocess.run(
        [sys.executable, "-P", "-m", "tailor.selection.measured"],
        input=asked, capture_output=True, text=True, env={**os.environ, "PYTHONUTF8": "1"},
    )  # fmt: skip
    try:
        value = json.loads(done.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        lines = done.stderr.strip().splitlines()
        return _failed(
            name, quantization, row, lines[-1] if lines else f"It ended with {done.returncode}."
        )
    return replace(_read(value), name=name)


def _failed(name: str, quantization: str, row: str, problem: str) -> Measured:
    return Measured(name, quantization, row, None, None, None, None, (), None, None, 0.0, problem)


def _read(value: Mapping[str, Any]) -> Measured:
    intervals = {k: value[k] and Interval(**value[k]) for k in ("score", "perplexity")}
    return Measured(**{**value, **intervals, "scores": tuple(value["scores"])})


def measured(root: Path, name: str, quantization: str, row: str, n: int) -> Measured:
    """Measure one model, in this process."""
    from tailor.ladder import assistant_for
    from tailor.models.chat import Chat
    from tailor.models.local import LocalChat
    from tailor.trial import try_on
    from tailor.workspace import Workspace

    workspace = Workspace(root, {"quantization": quantization})
    assistant = assistant_for(workspace, row, name).assistant
    chat = assistant.model
    if not isinstance(chat, Chat):
        raise NotApplicable(f"Row {row} asks no language model: choose another one with --stage.")
    load_s = speed = weights = None
    if isinstance(chat.model, LocalChat):
        load_s, speed, weights = _local(chat.model)
    questions = _sample(workspace, n)
    began = time.monotonic()
    trial = try_on(assistant, questions, "measure", workspace.target)
    seconds = time.monotonic() - began
    return Measured(
        name, quantization, row, load_s, speed, weights,
        _peak() if load_s is not None else None,
        trial.scores, _interval(trial.scores, questions, workspace.benchmark.task),
        _perplexity(assistant, questions),
        seconds,
    )  # fmt: skip


def _interval(
    scores: Sequence[float | None], questions: Sequence[Question], task: Task
) -> Interval | None:
    """Of the mean, as a run has it."""
    import numpy as np

    from tailor.scoring.groups import groups
    from tailor.scoring.statistics import intervals

    values = np.array([scores], dtype=float).T
    return intervals(values, groups(questions), free=_free(task))[0]


def _sample(workspace: Workspace, n: int) -> tuple[Question, ...]:
    """So many dev questions, evenly spread."""
    dev = workspace.benchmark.split("dev")
    count = min(n, len(dev))
    return tuple(dev[at * len(dev) // count] for at in range(count))


def _local(chat: LocalChat) -> tuple[float, float, int]:
    """Seconds to load, tokens written per second, bytes of the weights."""
    import statistics

    import torch

    began = time.monotonic()
    tokenizer, model = chat.load()
    load_s = time.monotonic() - began
    text = tokenizer.apply_chat_template(
        [{"role": "user", "content": PROMPT}], tokenize=False, add_generation_prompt=True
    )
    given = tokenizer(text, return_tensors="pt", add_special_tokens=False).to(model.device)
    speeds = []
    for _ in range(SPEEDS + 1):  # the first one warms up
        began = time.monotonic()
        with torch.inference_mode():
            model.generate(
                input_ids=given["input_ids"],
                attention_mask=given["attention_mask"],
                min_new_tokens=WRITTEN,
                max_new_tokens=WRITTEN,
                do_sample=False,
                pad_token_id=tokenizer.pad_token_id,
            )
        speeds.append(WRITTEN / (time.monotonic() - began))
    return load_s, statistics.median(speeds[1:]), int(model.get_memory_footprint())


def _peak() -> int:
    import torch

    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    try:
        import resource
    except ImportError:  # Windows
        import psutil

        return int(getattr(psutil.Process().memory_info(), "peak_wset", 0))
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _perplexity(assistant: Assistant, questions: Sequence[Question]) -> Interval | None:
    from tailor.scoring.perplexity import pooled, surprises

    return pooled(surprises(assistant, questions), questions)["perplexity"]


def main() -> None:
    """Measure what standard input names, and print it as JSON."""
    root, name, quantization, row, n = json.loads(sys.stdin.read())
    try:
        found = measured(Path(root), name, quantization, row, n)
    except TailorError as error:
        found = _failed(name, quantization, row, str(error))
    print(json.dumps(found.to_json()))  # noqa: T201


if __name__ == "__main__":
    main()
