"""How often the comparison calls one of two equal rows better or worse: an A/A test.

    python tests/benchmarks/false_alarms.py [WORKSPACE] [--rounds 2000]

Every figure is from 2,000 resamples of stored answers, of the rows of a workspace or, without
one, of three rows of the sample company that are run first (a few minutes). Each resample draws
documents with their questions and takes two rows whose true difference is 0:

- swapped: two rows, with the answers to half of the documents exchanged;
- repeated: each of two repeats takes, question by question, either row's answer;
- unpaired: one row's answers to two different draws of documents;
- tilted: two rows as they are, documents drawn with weights that make the mean difference 0
  (Efron 1981), so that the differences are not symmetric.

"grouped" keeps the questions of a document together; "single" takes one question of each. The
last lines are for two rows that do differ: how often that is told, and how often it is called a
tie although the difference is beyond the margin. Ends with 1 when a rate of false alarms is above
5 % beyond its 95 % interval (Wilson).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from tailor import Workspace
from tailor.initialize import initialize
from tailor.scoring.scored import Scored
from tailor.scoring.statistics import MARGIN, Paired, differences, interval, verdict
from tailor.scoring.step import Aligned
from tailor.stages import Baseline, FewShot, Prompting

SIZES = (20, 40, 80, 262)
SHAPES = {"0/1": "exact_match", "F1": "f1"}
AT_ONCE = 500
Draw = tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True)
class Pool:
    """Stored scores, document by document; NaN where a document has fewer questions."""

    scores: NDArray[np.float64]
    """(rows, documents, questions)"""
    pairs: list[tuple[int, int]]
    """The rows that do not have the same scores throughout."""
    unequal: list[tuple[int, int]]
    """The rows whose means are farther apart than the margin."""

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """How many questions each document has."""
        return (~np.isnan(self.scores[0])).sum(axis=1)

    def single(self, rng: np.random.Generator) -> Pool:
        """One question of each document."""
        at = rng.integers(self.sizes)
        return replace(self, scores=np.take_along_axis(self.scores, at[None, :, None], axis=2))


def pool(runs: list[Scored], metric: str) -> Pool:
    """The scores of some rows on all their questions."""
    aligned = Aligned.of(runs)
    group = np.array(aligned.groups)
    place = np.array([(group[:at] == own).sum() for at, own in enumerate(group)])
    rows = dict.fromkeys((run.row, run.model) for run in runs)
    scores = np.full((len(rows), group.max() + 1, place.max() + 1), np.nan)
    for row, of_row in enumerate(rows):
        found = {
            id: value
            for run in runs
            if (run.row, run.model) == of_row
            for id, value in run.values(metric).items()
        }
        scores[row, group, place] = [found.get(q.id) for q in aligned.questions]
    scores[:, np.isnan(scores).any(axis=0)] = np.nan  # questions that not all rows have scored
    order = np.argsort(np.isnan(scores), axis=2, kind="stable")
    scores = np.take_along_axis(scores, order, axis=2)
    scores = scores[:, ~np.isnan(scores[0, :, 0])]
    pairs = list(combinations(range(len(rows)), 2))
    means = [float(np.nanmean(row)) for row in scores]
    return Pool(
        scores,
        [(a, b) for a, b in pairs if not np.array_equal(scores[a], scores[b], equal_nan=True)],
        [(a, b) for a, b in pairs if abs(means[a] - means[b]) > MARGIN],
    )


def swapped(pool: Pool, documents: int, rng: np.random.Generator) -> Draw:
    """Two rows, exchanged for half of the documents."""
    both = pool.scores[list(pool.pairs[rng.integers(len(pool.pairs))])]
    both = both[:, rng.integers(len(both[0]), size=documents)]
    swap = rng.random(documents) < 0.5
    return np.where(swap[:, None], both[1], both[0]), np.where(swap[:, None], both[0], both[1])


def repeated(pool: Pool, documents: int, rng: np.random.Generator) -> Draw:
    """Two repeats of an assistant that gives either row's answer."""
    both = pool.scores[list(pool.pairs[rng.integers(len(pool.pairs))])]
    both = both[:, rng.integers(len(both[0]), size=documents)]
    one, other = (np.where(rng.random(both[0].shape) < 0.5, *both) for _ in range(2))
    return one, other


def unpaired(pool: Pool, documents: int, rng: np.random.Generator) -> Draw:
    """One row on two different draws of documents with as many questions."""
    row = pool.scores[rng.integers(len(pool.scores))]
    first = rng.integers(len(row), size=documents)
    alike = [np.flatnonzero(pool.sizes == pool.sizes[at]) for at in first]
    second = np.array([same[rng.integers(len(same))] for same in alike])
    shuffled = np.argsort(np.where(np.isnan(row[second]), 2, rng.random(row[second].shape)), axis=1)
    return row[first], np.take_along_axis(row[second], shuffled, axis=1)


def tilted(pool: Pool, documents: int, rng: np.random.Generator) -> Draw:
    """Two rows whose difference is 0 by the weights with which documents are drawn."""
    both = pool.scores[list(pool.pairs[rng.integers(len(pool.pairs))])]
    total = np.nansum(both[1] - both[0], axis=1)
    low, high = -50.0, 50.0
    for _ in range(60):
        middle = (low + high) / 2
        weight = np.exp(middle * total - (middle * total).max())
        low, high = (middle, high) if weight @ total < 0 else (low, middle)
    drawn = rng.choice(len(total), size=documents, p=weight / weight.sum())
    return both[0, drawn], both[1, drawn]


def differing(pool: Pool, documents: int, rng: np.random.Generator) -> Draw:
    """Two rows as they are, of those that differ by more than the margin."""
    both = pool.scores[list(pool.unequal[rng.integers(len(pool.unequal))])]
    both = both[:, rng.integers(len(both[0]), size=documents)]
    return both[0], both[1]


EQUAL: dict[str, Callable[[Pool, int, np.random.Generator], Draw]] = {
    "swapped": swapped,
    "repeated": repeated,
    "unpaired": unpaired,
    "tilted": tilted,
}


def compared(
    pool: Pool, draw: Callable[[Pool, int, np.random.Generator], Draw], n: int, rounds: int,
    single: bool, seed: int,
) -> Iterator[Paired]:  # fmt: skip
    """The differences in many resamples of about ``n`` questions."""
    rng = np.random.default_rng(seed)
    documents = n if single else max(2, round(n / float(pool.sizes.mean())))
    for done in range(0, rounds, AT_ONCE):
        draws = [
            draw(pool.single(rng) if single else pool, documents, rng)
            for _ in range(min(AT_ONCE, rounds - done))
        ]
        base, candidate = (np.stack([one[side] for one in draws], axis=-1) for side in (0, 1))
        slots = base.shape[1]
        groups = np.repeat(np.arange(documents), slots)
        shape = (documents * slots, len(draws))
        found = differences(base.reshape(shape), candidate.reshape(shape), groups.tolist())
        yield from (one for one in found if one is not None)


def share(hits: list[bool]) -> tuple[float, float, float]:
    """With its interval."""
    found = interval([float(hit) for hit in hits])
    assert found
    return found.mean, found.low, found.high


def shown(hits: list[bool]) -> str:
    """As text."""
    mean, low, high = share(hits)
    return f"{mean:.1%} ({low:.1%} to {high:.1%})"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("workspace", nargs="?", type=Path, help="folder with runs")
    parser.add_argument("--rounds", type=int, default=2000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(given.workspace) if given.workspace else ran(Path(folder) / "sample")
        runs = workspace.runs()
        scored = [run.scored(split) for run in runs for split in ("dev", "test")]
    console = Console(width=140)
    pools = {shape: pool(scored, metric) for shape, metric in SHAPES.items()}
    sizes = pools["F1"].sizes
    console.print(
        f"{len(runs)} rows, {sizes.sum()} questions about {len(sizes)} documents or groups of "
        f"them; {given.rounds} resamples for each line"
    )
    return report(pools, given.rounds, console)


def ran(folder: Path) -> Workspace:
    """A copy of the sample company with three rows that need no training."""
    workspace = initialize(folder, "company")
    workspace.ingest()
    workspace.climb([Baseline(), Prompting(), FewShot()])
    return workspace


def report(pools: dict[str, Pool], rounds: int, console: Console) -> int:
    """Print all figures; 1 when a rate is surely above 5 %."""
    table = Table("rows", "scores", "questions", "n", "better or worse", "p < 0.05",
                  "interval without 0", "tie")  # fmt: skip
    failed = 0
    for seed, (name, draw) in enumerate({**EQUAL, "differing": differing}.items()):
        for shape, pool in pools.items():
            for single in (False, True):
                for n in SIZES:
                    found = list(compared(pool, draw, n, rounds, single, seed))
                    told = [verdict(one) for one in found]
                    alarms = [one in ("better", "worse") for one in told]
                    above = name in EQUAL and share(alarms)[1] > 0.05
                    failed |= above
                    table.add_row(
                        name, shape, "single" if single else "grouped", str(n),
                        shown(alarms) + (" !" if above else ""),
                        f"{np.mean([one.p < 0.05 for one in found]):.1%}",
                        f"{np.mean([not one.low <= 0 <= one.high for one in found]):.1%}",
                        f"{told.count('tie') / len(told):.1%}",
                    )  # fmt: skip
    console.print(table)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
