"""The kill program: processes killed at the points of `tailor.fault`, and what became of that.

    python tests/faults/kills.py [--kills 1000] [--seed N] [--only NAME...] [--kind enospc] [--json]

Every point of every scenario is killed as often as any other. Exits with 1 where an acknowledged
thing was lost or doubled, or a call was made again more often than kills allow. With another kind
the disk fails there instead, which has to be told in one sentence.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
sys.path.insert(0, str(Path(__file__).parent))

from killed_ingest import Ingestion
from killed_run import Running, server
from killed_training import TINY, Training
from killed_writes import Writing
from killing import Figures, Scenario, Shared, forked, play

SCENARIOS: tuple[type[Scenario], ...] = (Ingestion, Running, Writing, Training)


def plan(
    kills: int, chance: random.Random, only: Sequence[str] = (), failing: bool = False
) -> dict[type[Scenario], list[str]]:
    """Points to kill at by scenario: each as often as any other, in a random order."""
    places = [
        (kind, point) for kind in SCENARIOS for point in kind.points
        if not only or {kind.name, f"{kind.name}.{point.split('.')[0]}"}.intersection(only)
    ]  # fmt: skip
    if failing:
        places = [(kind, point) for kind, point in places if not point.endswith(".after")]
    chosen = [places[at % len(places)] for at in range(kills)]
    found: dict[type[Scenario], list[str]] = {}
    for kind, point in chosen:
        found.setdefault(kind, []).append(point)
    for points in found.values():
        chance.shuffle(points)
    return found


def table(figures: Mapping[str, Figures]) -> str:
    """One line for each scenario."""
    heads = ("scenario", "points", "kills", "unreached", "acknowledged", "silent", "found",
             "opened", "again", "allowed", "lost", "CPU s")  # fmt: skip
    rows = [
        (
            name, len(f.by_point), f.kills, f.unreached, f.acknowledged, f.silent.total(), f.found,
            f.opened, f.again, f.again_most, len(f.lost), round(f.cpu),
        )
        for name, f in figures.items()
    ]  # fmt: skip
    lines = ["".join(f"{value!s:>13}" for value in row) for row in (heads, *rows)]
    for f in figures.values():
        lines += [f"LOST: {lost}" for lost in f.lost]
        early = {point: times for point, times in f.silent.items() if times}
        lines += [f"killed before anything was done: {early}"] if early else []
    return "\n".join((*lines, ""))


def main() -> None:
    """Kill, look, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--only", nargs="*", default=[], help="SCENARIO or SCENARIO.STEP")
    parser.add_argument("--kind", choices=("kill", "enospc", "eio"), default="kill")
    parser.add_argument("--json", action="store_true")
    told = parser.parse_args()
    sys.stderr.write(f"seed {told.seed}\n")
    chance = random.Random(told.seed)
    chosen = plan(told.kills, chance, told.only, told.kind != "kill")
    with tempfile.TemporaryDirectory(prefix="killed-") as home:
        log, base = Path(home) / "asked", Path(home) / "bloom"
        if Training in chosen:
            forked(lambda: str(TINY["build"](base)))
        with server(log) as url:
            shared = Shared(url, log, base, told.kind)
            figures = {}
            for kind, points in chosen.items():
                figures[kind.name] = play(kind, points, chance, shared)
                sys.stderr.write(table({kind.name: figures[kind.name]}))
    if told.json:
        sys.stdout.write(json.dumps({name: vars(own) for name, own in figures.items()}))
    else:
        sys.stdout.write(table(figures))
    sys.exit(not all(own.sound for own in figures.values()))


if __name__ == "__main__":
    main()
