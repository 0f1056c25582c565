"""What a training would take, before it begins: memory, time and tokens."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import fmean
from time import perf_counter
from typing import Any

from tailor.errors import TailorError
from tailor.scoring import format
from tailor.training import encoding
from tailor.training.encoding import Row
from tailor.training.progress import trainings
from tailor.training.settings import Settings

SAMPLE = 500
"""Lessons whose tokens are counted; where there are more, evenly spread ones."""
_RUNTIME = 0.6e9
"""Bytes of the libraries themselves in a process that trains."""
_CUDA_RUNTIME = 0.8e9
"""Bytes of a CUDA context and its workspaces."""
_LOGITS_ROWS = 4096
"""Rows of logits that TRL's fused output layer holds at once, at most."""
_SLACK, _SLACK_CUDA = 1.4, 1.1
"""What allocators hold beyond the activations themselves; measured with the shipped reader."""
_STEP = 0.01
"""Seconds that a batch takes besides its products; measured with a model of 30,000 weights."""
_SHARE = 0.3
"""Of the measured rate of matrix products, what a training of LoRA reaches; a rule of thumb."""


@dataclass(frozen=True)
class Forecast:
    """What a training would take."""

    lessons: int
    tokens: int
    """Of all lessons in all epochs, padding left out."""
    longest: int
    """Tokens of the longest row that is computed: a lesson, or several that are packed."""
    steps: int
    memory_bytes: int
    """At most, about: weights, adapter, optimizer and activations."""
    available_bytes: int
    """Free now, on the GPU or in this machine."""
    seconds: float | None
    """None where it could not be told."""
    measured: bool
    """Whether the time is by an earlier training of this model; else by the machine's speed."""
    device: str
    instead: str = ""
    """Settings with which it would fit, where it does not; empty where none would."""
    instead_bytes: int = 0
    """What it would need then."""

    @property
    def fits(self) -> bool:
        """Whether the memory suffices."""
        return self.memory_bytes <= self.available_bytes

    def to_json(self) -> dict[str, Any]:
        """The fields as JSON values."""
        return asdict(self)


def tell(found: Forecast, note: Callable[[str], None]) -> None:
    """Say it in a sentence, for a terminal or among a run's notes."""
    time, guess = format.seconds(found.seconds), "" if found.measured else " (a guess)"
    note(
        f"Training on {format.count(found.lessons)} lessons ({format.count(found.tokens)} tokens "
        f"in {format.count(found.steps)} steps) takes about {format.memory(found.memory_bytes)} "
        f"of {format.memory(found.available_bytes)} free memory and about {time}{guess}."
    )


@dataclass(frozen=True)
class Shape:
    """What of a model decides how much memory it takes."""

    parameters: int
    linear: int
    """Of them, in linear layers, which alone are quantized."""
    adapted: int
    """Sum of inputs and outputs of all adapted layers: times the rank, an adapter's parameters."""
    layers: int
    hidden: int
    inner: int
    """Width of the feed-forward layers."""
    heads: int
    vocabulary: int


def forecast(
    base: str,
    settings: Settings,
    train: Sequence[Row],
    state: Path,
    device: str = "",
    available: int | None = None,
) -> Forecast:
    """What training ``base`` on these lessons would take.

    Memory counts weights, gradients and optimizer exactly, and activations in the way of
    Korthikanti et al. 2022, arXiv:2205.05198, for attention that keeps no scores. ``available`` and
    ``device`` stand in for what this machine has.

    Raises:
        TailorError: the base or its tokenizer cannot be read.
    """
    import torch

    tokenizer = encoding.tokenizer_of(base)
    cuda = torch.cuda.is_available()
    shape = shape_of(base, settings.target_modules)
    rows, longest, whole = _rows(tokenizer, base, settings, train)
    tokens = whole * settings.epochs
    per_step = settings.batch * settings.accumulation * settings.processes
    device = device or (torch.cuda.get_device_name(0) if cuda else "cpu")
    pace = _pace(state, base, device)
    steps = settings.epochs * math.ceil(rows / per_step)
    found = Forecast(
        lessons=len(train),
        tokens=tokens,
        longest=longest,
        steps=steps,
        memory_bytes=memory(shape, _at_most(settings, rows), longest, cuda),
        available_bytes=free(cuda) if available is None else available,
        seconds=tokens / pace if pace else _seconds(shape, settings, tokens, steps, cuda),
        measured=pace is not None,
        device=device,
    )
    if found.fits:
        return found
    return _with_way_out(found, shape, _at_most(settings, rows), cuda)


def _rows(
    tokenizer: Any, base: str, settings: Settings, train: Sequence[Row]
) -> tuple[int, int, int]:
    """How many rows an epoch computes, tokens of the longest one, and of all together."""
    from tailor.training.trainer import most_tokens

    some = train[:: max(1, len(train) // SAMPLE)]
    lengths = [encoding.length(tokenizer, row) for row in some] or [1]
    longest = max((encoding.longest(tokenizer, row) for row in some), default=1)
    longest = min(longest, settings.max_length or longest)
    whole = round(fmean(lengths) * len(train))
    if settings.batching != "packed" or settings.method != "sft":
        return len(train), longest, whole
    row = encoding.row_length(most_tokens(base, settings), settings.max_length, longest)
    return math.ceil(whole / row), row, whole


def _at_most(settings: Settings, rows: int) -> Settings:
    """The settings with no larger batches than there are rows."""
    return replace(settings, batch=max(1, min(settings.batch, rows)))


def _with_way_out(found: Forecast, shape: Shape, settings: Settings, cuda: bool) -> Forecast:
    for told, smaller in _smaller(settings, found.longest):
        most = min(found.longest, smaller.max_length or found.longest)
        need = memory(shape, smaller, most, cuda)
        if need <= found.available_bytes:
            return replace(found, instead=told, instead_bytes=need)
    return found


def check(
    base: str, settings: Settings, train: Sequence[Row], state: Path, available: int | None = None
) -> Forecast:
    """The forecast of a training that fits into memory.

    Raises:
        TailorError: it does not fit; the sentence names the setting with which it would.
    """
    found = forecast(base, settings, train, state, available=available)
    if found.fits:
        return found
    need, free = format.memory(found.memory_bytes), format.memory(found.available_bytes)
    if found.instead:
        raise TailorError(
            f"fine_tuning needs about {need} of memory and {free} are free: set {found.instead}, "
            f"which needs about {format.memory(found.instead_bytes)}."
        )
    raise TailorError(
        f"fine_tuning needs about {need} of memory and {free} are free, and no setting makes it "
        "fit: take a smaller model, or a larger machine, for which `tailor export job` prepares it."
    )


def _smaller(settings: Settings, longest: int) -> Iterator[tuple[str, Settings]]:
    """Settings that need less and less memory, with what they are called; quality suffers late."""
    told: list[str] = []
    now = settings
    changes: list[dict[str, Any]] = [{"gradient_checkpointing": "on"}]
    if settings.batch > 1:
        whole = settings.batch * settings.accumulation
        changes += [
            {"batch": batch, "accumulation": math.ceil(whole / batch)}
            for batch in (settings.batch // 2, settings.batch // 4, 1)
            if batch
        ]
    changes += [{"quantization": "8bit"}, {"quantization": "4bit"}]
    changes += [{"max_length": longest // 2}, {"max_length": longest // 4}]
    for change in changes:
        if all(getattr(now, name) == value for name, value in change.items()):
            continue
        if change.get("quantization") == "8bit" and now.quantization == "4bit":
            continue
        told = [t for t in told if t.partition(" ")[0].partition(".")[2] not in change]
        told += [f"fine_tuning.{name} = {_typed(value)}" for name, value in change.items()]
        now = replace(now, **change)
        yield " and ".join(told), now


def _typed(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def memory(shape: Shape, settings: Settings, longest: int, cuda: bool) -> int:
    """Bytes that a training holds at most, about; ``longest`` is its longest lesson in tokens."""
    wide = 2 if cuda else 4
    # Of a weight: its own bits, and per block of 64 a scale that is quantized itself (NF4).
    each = {"none": wide, "8bit": 1.01, "4bit": 0.52}[settings.quantization]
    weights = shape.linear * each + (shape.parameters - shape.linear) * wide
    rank = settings.rank if isinstance(settings.rank, int) else 32
    moments = 2 if "8bit" in settings.optimizer_on(cuda) else 8
    adapter = shape.adapted * rank * (4 + 4 + moments)
    tokens = settings.batch * longest * (2 if settings.method == "dpo" else 1)
    # Kept for the backward pass: norms, projections, rotations and products of a layer, and the
    # inputs of adapted layers, which frozen ones need not keep.
    width = shape.layers * (16 * shape.hidden + 4 * shape.inner) + shape.adapted / 2
    whole = tokens * width * wide * (_SLACK_CUDA if cuda else _SLACK)
    if settings.checkpointing_on(cuda):
        activations = shape.layers * tokens * shape.hidden * wide + 2 * whole / shape.layers
    else:
        activations = whole
    logits = 3 * min(tokens, _LOGITS_ROWS) * shape.vocabulary * 4
    return round(weights + adapter + activations + logits + (_CUDA_RUNTIME if cuda else _RUNTIME))


def shape_of(base: str, targets: Sequence[str]) -> Shape:
    """The model's shape, found without loading its weights.

    Raises:
        TailorError: the folder holds no model that is known, or it has no such layers.
    """
    from tailor.models.loading import empty_model
    from tailor.training.trainer import linear_layers, target_layers

    config, model = empty_model(base)
    sizes = {name: model.get_submodule(name).weight.shape for name in linear_layers(model)}
    text = config.get_text_config()
    hidden = int(text.hidden_size)
    return Shape(
        parameters=model.num_parameters(),
        linear=sum(rows * columns for rows, columns in sizes.values()),
        adapted=sum(sum(sizes[name]) for name in target_layers(model, targets)),
        layers=int(text.num_hidden_layers),
        hidden=hidden,
        inner=int(getattr(text, "intermediate_size", None) or 4 * hidden),
        heads=int(text.num_attention_heads),
        vocabulary=int(text.vocab_size),
    )


def free(cuda: bool) -> int:
    """Bytes that are free: on the GPU, or in this machine or the container it is confined to."""
    import psutil
    import torch

    if cuda:
        return int(torch.cuda.mem_get_info()[0])
    found = int(psutil.virtual_memory().available)
    group = Path("/sys/fs/cgroup")
    try:
        limit = int((group / "memory.max").read_text())
        return min(found, limit - int((group / "memory.current").read_text()))
    except (OSError, ValueError):  # no such limit
        return found


def _pace(state: Path, base: str, device: str) -> float | None:
    """Tokens per second of the newest complete training of this base on this device."""
    for training in trainings(state):
        if (training.base, training.device, training.status) == (base, device, "complete"):
            last = training.points[-1] if training.points else None
            if last and last.seconds and training.tokens and last.step == training.steps:
                return training.tokens / last.seconds
    return None


def _seconds(shape: Shape, settings: Settings, tokens: int, steps: int, cuda: bool) -> float:
    """By a matrix product measured now; a forward and a backward pass, frozen weights."""
    passes = 3 if settings.checkpointing_on(cuda) else 2
    products = 2 * passes * shape.linear * tokens / (_SHARE * settings.processes * _rate(cuda))
    return products + _STEP * settings.accumulation * steps


def _rate(cuda: bool) -> float:
    """Floating-point operations per second in a matrix product of the width that is trained in."""
    import torch

    size, device = (4096, "cuda") if cuda else (512, "cpu")
    one = torch.ones(size, size, device=device, dtype=torch.bfloat16 if cuda else torch.float32)
    for _ in range(2):
        one @ one
    times = 20
    if cuda:
        torch.cuda.synchronize()
    began = perf_counter()
    for _ in range(times):
        one @ one
    if cuda:
        torch.cuda.synchronize()
    return 2 * size**3 * times / (perf_counter() - began)
