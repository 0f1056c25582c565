"""Every classical row on a file of prices: its errors with intervals, and what it takes.

    python tests/benchmarks/prices.py PATH/amazon_dev.jsonl [--seed 0] [--scale auto|log|plain]

The file has one ``{"text": ..., "price": ...}`` a line. The split is drawn here, 60/20/20, seeded;
train items that give a dev or test item away are left out. Nothing is chosen on test.

Figures asked for: the best row at least 25 % below the best constant in mean absolute error, and
all rows fitted and scored on 2,000 items within 60 s on 2 cores.
"""

import argparse
import json
import random
import tempfile
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from rich.console import Console

from tailor.rows import Row
from tailor.run import Run
from tailor.scoring.comparison import compare
from tailor.scoring.row import Row as Result
from tailor.scoring.statistics import Interval
from tailor.scoring.step import difference
from tailor.workspace import Workspace

CONSOLE = Console(highlight=False, soft_wrap=True, markup=False)
ENDS = (0.6, 0.8)
"""Where train ends, and dev."""
BELOW, SECONDS = 0.25, 60.0
"""What is asked for."""
PUBLISHED = ("word2vec", "bag_of_words", "word2vec_svr", "word2vec_forest")
"""In the published order, each better than the one before."""


def main() -> None:
    """Print a table for dev and one for test, then the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("path", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scale", choices=("auto", "log", "plain"), default="auto")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        started, worked = time.monotonic(), time.process_time()
        workspace = prepared(Path(folder), given.path, given.seed)
        ids = [row for row in workspace.config.ladder if row.startswith("baseline")]
        rows = [Row(id, workspace.stage(id, {"scale": given.scale})) for id in ids]
        runs = workspace.climb([*rows, Row("ensemble", workspace.stage("ensemble"))])
        for split in ("dev", "test"):
            report(split, runs)
        taken, worked = time.monotonic() - started, time.process_time() - worked
        n = len(workspace.benchmark.questions)
    share = taken / SECONDS * 2000 / n
    CONSOLE.print(
        f"{len(runs)} rows fitted, asked and scored on {n} items in {taken:.1f} s ({worked:.1f} s "
        f"of processor time): {share:.2f} of {SECONDS:.0f} s for 2,000 items"
    )


def prepared(folder: Path, path: Path, seed: int) -> Workspace:
    """A workspace with these items, split by the seed."""
    items = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    random.Random(seed).shuffle(items)
    train, dev = (int(end * len(items)) for end in ENDS)
    (folder / "knowledge").mkdir()
    with (folder / "knowledge" / "benchmark.jsonl").open("w", encoding="utf-8") as file:
        for at, item in enumerate(items):
            split = "train" if at < train else "dev" if at < dev else "test"
            line = {"text": item["text"], "price": item["price"], "split": split}
            file.write(json.dumps({"id": item.get("id", f"item-{at}"), **line}) + "\n")
    (folder / "tailor.toml").write_text('task = "number"\n[items]\ncurrency = "USD"\n', "utf-8")
    return Workspace(folder)


def report(split: str, runs: Sequence[Run]) -> None:
    """Print every row's errors on a split, the best one against the best constant, and steps."""
    scored = {run.row: run.scored("dev" if split == "dev" else "test") for run in runs}
    results = {row.row: row for row in compare(list(scored.values())).rows}
    n = next(iter(results.values())).n
    CONSOLE.print(f"\n{split}, n = {n}")
    CONSOLE.print("| Row | MAE $ (95 %) | median error $ | RMSLE | good | R² | skill (95 %) |")
    CONSOLE.print("|---|---|---|---|---|---|---|")
    for id, row in results.items():
        CONSOLE.print(line(id, row))
    errors = {id: mean(row.metrics["absolute_error"]) for id, row in results.items()}
    constant = min(errors["baseline:mean"], errors["baseline:median"])
    alone = {id: error for id, error in errors.items() if id != "ensemble"}
    best = min(alone, key=lambda id: alone[id])
    below = 1 - alone[best] / constant
    CONSOLE.print(f"best classical row: {best}, {below:.1%} below the best constant")
    CONSOLE.print(f"asked for: {BELOW:.0%}")
    for one, other in pairwise(PUBLISHED):
        step = difference(scored[f"baseline:{one}"], scored[f"baseline:{other}"])
        if step is not None:
            found = step.paired
            CONSOLE.print(f"{other} against {one}: skill {found.delta:+.3f} [{found.low:+.3f}, "
                  f"{found.high:+.3f}], {step.verdict}")  # fmt: skip


def line(id: str, row: Result) -> str:
    """A row of the table."""
    found = row.metrics
    errors, skill = found["absolute_error"], found["skill"]
    shown = [
        id,
        f"{mean(errors):.2f} ({errors.low:.2f}–{errors.high:.2f})" if errors else "–",
        f"{mean(found['median_error']):.2f}",
        f"{mean(found['rmsle']):.3f}",
        f"{mean(found['good']):.1%}",
        f"{mean(found['r2']):.2f}",
        f"{skill.mean:+.3f} ({skill.low:+.3f} to {skill.high:+.3f})" if skill else "–",
    ]
    return f"| {' | '.join(shown)} |"


def mean(interval: Interval | None) -> float:
    """The middle of an interval."""
    return float("nan") if interval is None else interval.mean


if __name__ == "__main__":
    main()
