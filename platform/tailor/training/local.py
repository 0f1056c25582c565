"""Adapters trained on this machine, each made once for its base, its settings and its lessons."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tailor.assistant import digest
from tailor.errors import UsageError
from tailor.scoring import format
from tailor.training import settings as of
from tailor.training.adapters import describe, register
from tailor.training.encoding import Row
from tailor.training.forecast import check, forecast, tell
from tailor.training.job import forget, job, run
from tailor.training.progress import Training, read
from tailor.training.settings import ENOUGH, SWEEP, Settings

if TYPE_CHECKING:
    from tailor.training.lessons import Lessons
    from tailor.training.preference_lessons import PreferenceLessons
    from tailor.workspace import Workspace

RECORD = "training.jsonl"
"""In an adapter's artifact: the record of its training. Its ending keeps it out of the digest."""


@dataclass(frozen=True)
class Rows:
    """What is learnt from, and what is kept back, as TRL's conversational rows."""

    train: Sequence[Row]
    validation: Sequence[Row]


def rows(given: Lessons | PreferenceLessons) -> Rows:
    """Lessons as TRL takes them."""
    from tailor.training.pairs import PreferencePair, conversational, preferential

    sides = []
    for side in (given.train, given.validation):
        better = [pair for pair in side if isinstance(pair, PreferencePair)]
        plain = [pair for pair in side if not isinstance(pair, PreferencePair)]
        sides.append(preferential(better) if better else conversational(plain))
    return Rows(*sides)


def adapter(workspace: Workspace, base: str, lessons: Rows, settings: Settings) -> Path:
    """The folder of an adapter for ``base``; with ``rank = "sweep"`` the best of several.

    Raises:
        UsageError: a sweep has no lessons kept back to choose by.
        TailorError: the training does not fit into memory, or failed.
    """
    if settings.rank != "sweep":
        return _one(workspace, base, lessons, settings)
    if not lessons.validation:
        raise UsageError(
            'fine_tuning.rank = "sweep" chooses by the validation loss, and no example is kept '
            "back: set fine_tuning.validation above 0, or give more train questions."
        )
    return _swept(workspace, base, lessons, settings)


def validation_loss(folder: Path) -> float:
    """The lowest validation loss of the training that made an adapter, in nats per token."""
    training = _training(folder)
    looks = [p.validation_loss for p in training.points if p.validation_loss is not None]
    return min(looks)


def _swept(workspace: Workspace, base: str, lessons: Rows, settings: Settings) -> Path:
    """Larger ranks as long as the validation loss falls by enough."""
    tried: list[tuple[int, float, Path]] = []
    for rank in SWEEP:
        folder = _one(workspace, base, lessons, replace(settings, rank=rank))
        tried.append((rank, validation_loss(folder), folder))
        if len(tried) > 1 and tried[-1][1] > tried[-2][1] * (1 - ENOUGH):
            break
    best = tried[0]
    for each in tried[1:]:
        best = each if each[1] < best[1] * (1 - ENOUGH) else best
    if workspace.note:
        told = ", ".join(f"{rank}: {format.number(loss)}" for rank, loss, _ in tried)
        workspace.note(f"Rank {best[0]} was chosen by the validation loss ({told}).")
    return best[2]


def _one(workspace: Workspace, base: str, lessons: Rows, settings: Settings) -> Path:
    from tailor.models.local import weights_digest

    train, validation = lessons.train, lessons.validation
    key = [weights_digest(base), of.values(settings), train, validation]
    if not workspace.artifact_folder("adapter", key).is_dir() and workspace.forecasts is not None:
        workspace.forecasts.append(forecast(base, settings, train, workspace.state))

    def build(folder: Path) -> None:
        told = check(base, settings, train, workspace.state)
        if workspace.note:
            tell(told, workspace.note)
        begun = job(workspace.state / "training", base, settings, train, validation)
        for file in run(begun, workspace.progress).iterdir():
            shutil.copy2(file, folder / file.name)
        shutil.copy2(begun.record, folder / RECORD)
        learnt = _training(folder).lessons
        if workspace.note and learnt < len(train):
            workspace.note(
                f"{format.count(len(train) - learnt)} lessons were left out: with the chat "
                "template they have more tokens than fine_tuning.max_length or the model allows."
            )
        described = describe(
            folder,
            base=base,
            data_digest=digest([train, validation])[:16],
            lessons=learnt,
            settings=of.values(settings),
            curve=_training(folder).curve,
            method=settings.method,
        )
        register(workspace, described.folder)

    made = workspace.artifact("adapter", key, build)
    # Only now, and after a kill the next time: lessons and checkpoints have done their work.
    forget(workspace.state / "training", base, settings, train, validation)
    return made


def _training(folder: Path) -> Training:
    found = read(folder / RECORD)
    assert found is not None
    return found
