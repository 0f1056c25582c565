"""A split, recorded in the benchmark file."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from tailor.benchmark import Split, read
from tailor.benchmarking.duplicates import unrepeated
from tailor.benchmarking.file import edit
from tailor.benchmarking.splitting import By, allot, groups, shares_of
from tailor.errors import TailorError, UsageError
from tailor.task import noun

if TYPE_CHECKING:
    from tailor.workspace import Workspace


@dataclass(frozen=True)
class Assignment:
    """How questions were shared out."""

    path: Path
    shares: Mapping[Split, float]
    """As asked for, adding up to 1."""
    counts: Mapping[Split, int]
    languages: Mapping[Split, Mapping[str, int]]
    loose: int
    """Questions that were to be given a split; all others kept theirs."""
    changed: int
    """Lines that now name another split than before."""
    groups: int
    """Sets of questions that had to stay together."""
    largest: int
    """Questions of the largest one."""
    by: By
    seed: int

    @property
    def off(self) -> float:
        """How far the worst split is from its share."""
        n = sum(self.counts.values())
        return max(abs(self.counts[s] / n - share) for s, share in self.shares.items())

    def to_json(self) -> dict[str, Any]:
        """What ``tailor benchmark split --json`` prints."""
        return {
            "schema_version": 1,
            "path": str(self.path),
            "seed": self.seed,
            "by": self.by,
            "shares": dict(self.shares),
            "counts": dict(self.counts),
            "languages": {name: dict(own) for name, own in self.languages.items()},
            "changed": self.changed,
            "groups": self.groups,
            "largest_group": self.largest,
            "off_by": self.off,
        }


def split(
    workspace: Workspace,
    shares: Mapping[Split, float] | None = None,
    seed: int = 0,
    reassign: bool = False,
    by: By = "document",
) -> Assignment:
    """Write a split into every line that has none, or with ``reassign`` into every line.

    See :func:`tailor.benchmarking.splitting.allot` for what stays together. Drafts and lines that
    do not count are left as they are. The same file, seed and shares give the same split. Without
    ``shares`` they are those of `tailor.benchmarking.splitting.shares_of`.

    Raises:
        TailorError: there is no benchmark, it holds no question, it cannot be written, or the items
            lie elsewhere.
        UsageError: a share is no number or below 0, or all are 0.
    """
    task, path = workspace.config.task, workspace.knowledge / "benchmark.jsonl"
    if task != "answer" and workspace.config.items.elsewhere:
        raise TailorError(
            "The items lie elsewhere, where nothing is written: add a column split with train, dev "
            "and test there."
        )
    shares = shares or shares_of(task)
    total = sum(shares.values())
    if not 0 < total < math.inf or min(shares.values()) < 0:
        raise UsageError("Shares must be 0 or more and not all 0: --shares train=30,dev=20,test=50")
    lines = [line for line in unrepeated(read(path)[0]) if not line.draft]
    if not lines:
        raise TailorError(f"{path} holds no {noun(task)} that counts; there is nothing to split.")
    questions = [line.question for line in lines]
    loose = {line.question.id for line in lines if reassign or not line.has_split}
    placed = allot(questions, loose, shares, seed, by)
    changed = [
        (line, {**line.item, "split": q.split})
        for line, q in zip(lines, placed, strict=True)
        if line.item.get("split") != q.split
    ]
    if changed:
        edit(path, changed)
        workspace.forget_benchmark()
    sizes = Counter(groups(questions, by))
    return Assignment(
        path=path,
        shares={name: shares.get(name, 0.0) / total for name in get_args(Split)},
        counts={name: sum(q.split == name for q in placed) for name in get_args(Split)},
        languages={
            name: Counter(q.lang for q in placed if q.split == name) for name in get_args(Split)
        },
        loose=len(loose),
        changed=len(changed),
        groups=len(sizes),
        largest=max(sizes.values()),
        by=by,
        seed=seed,
    )


def shares(text: str) -> dict[Split, float]:
    """Shares as they are typed: ``train=30,dev=20,test=50``, or ``30,20,50`` in that order.

    Raises:
        UsageError: it is neither.
    """
    names: tuple[Split, ...] = get_args(Split)
    parts = [part.strip() for part in text.split(",")]
    pairs = [part.split("=", 1) for part in parts if "=" in part]
    if not pairs and len(parts) == len(names):
        pairs = [[name, part] for name, part in zip(names, parts, strict=True)]
    try:
        given = {name.strip(): float(value) for name, value in pairs}
    except ValueError:
        given = {}
    if not given or len(pairs) != len(parts) or given.keys() - set(names):
        raise UsageError(f"--shares {text}: write it like train=30,dev=20,test=50.")
    return {name: given.get(name, 0.0) for name in names}
