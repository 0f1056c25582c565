"""Which token stands how often in which text, counted in runs so that memory stays flat.

Texts are counted some thousands at a time; each run is sorted by token and may be put on the disk.
The runs are then merged a block of tokens at a time (blocked sort-based indexing, Manning et al.
2008, section 4.2), so memory holds one run, one block and the vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from tailor.text import words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Scores = NDArray[np.float32]
    Numbers = NDArray[np.int32]
    Keys = NDArray[np.int64]

_AT_ONCE = 10_000
"""Texts in a run."""
_BLOCK = 2_000_000
"""Postings that are merged together; those of one token are never parted."""


@dataclass(frozen=True)
class Run:
    """The tokens of some neighbouring texts, by token and then by text."""

    first: int
    """The number of the first of these texts."""
    arrays: Callable[[], tuple[Keys, Numbers]]
    """Gives token × 10,000 + text, counted from the first one; and how often it stands there."""


@dataclass(frozen=True)
class Counted:
    """All texts' tokens."""

    tokens: dict[str, int]
    """The number of each token."""
    lengths: Numbers
    """Tokens in each text."""
    holding: Keys
    """Texts that hold each token."""
    runs: Sequence[Run]


def counted(
    texts: Iterable[str],
    forms: Callable[[str], tuple[str, ...]],
    keep: Callable[[int, Keys, Numbers], Run],
) -> Counted:
    """Count the words of texts, each under all its ``forms``; ``keep`` makes a run of arrays."""
    import numpy as np

    tokens: dict[str, int] = {}
    known: dict[str, tuple[int, ...]] = {}
    lengths: list[Numbers] = []
    holding = np.zeros(0, dtype=np.int64)
    runs: list[Run] = []
    rest = iter(texts)
    while some := list(islice(rest, _AT_ONCE)):
        numbers: list[int] = []
        sizes: list[int] = []
        for text in some:
            before = len(numbers)
            for word in words(text):
                if word not in known:
                    known[word] = tuple(tokens.setdefault(f, len(tokens)) for f in forms(word))
                numbers += known[word]
            sizes.append(len(numbers) - before)
        rows = np.repeat(np.arange(len(some)), sizes)
        found, times = np.unique(
            np.array(numbers, dtype=np.int64) * _AT_ONCE + rows, return_counts=True
        )
        here = np.bincount(found // _AT_ONCE, minlength=len(tokens))
        here[: len(holding)] += holding
        holding = here
        runs.append(keep(len(runs) * _AT_ONCE, found, times.astype(np.int32)))
        lengths.append(np.array(sizes, dtype=np.int32))
    every = np.concatenate(lengths) if lengths else np.zeros(0, dtype=np.int32)
    return Counted(tokens, every, holding, runs)


def scored(counted: Counted, k1: float, b: float) -> Iterator[tuple[Scores, Numbers]]:
    """Lucene's BM25 (Kamphuis et al. 2020): scores and texts, token by token, in blocks."""
    import numpy as np

    holding, lengths = counted.holding, counted.lengths
    idf = np.log(1 + (len(lengths) - holding + 0.5) / (holding + 0.5))
    norm = k1 * (1 - b + b * lengths / max(lengths.mean(), 1)) if len(lengths) else lengths
    for start, end in _blocks(holding):
        parts = [_part(run, start, end) for run in counted.runs]
        column, row, count = (np.concatenate(part) for part in zip(*parts, strict=True))
        order = np.argsort(column, kind="stable")
        column, row, count = column[order], row[order], count[order]
        yield (idf[column] * count / (norm[row] + count)).astype(np.float32), row


def _part(run: Run, start: int, end: int) -> tuple[Numbers, Numbers, Numbers]:
    """Tokens, texts and times of a run's postings of tokens from ``start`` to ``end``."""
    import numpy as np

    keys, times = run.arrays()
    low, high = np.searchsorted(keys, [start * _AT_ONCE, end * _AT_ONCE])
    token, text = np.divmod(np.asarray(keys[low:high]), _AT_ONCE)
    rows = (text + run.first).astype(np.int32)
    return token.astype(np.int32), rows, np.array(times[low:high])


def in_memory(first: int, keys: Keys, times: Numbers) -> Run:
    """A run as it is."""
    return Run(first, lambda: (keys, times))


def on_disk(folder: Path, first: int, keys: Keys, times: Numbers) -> Run:
    """A run in two files of this folder, mapped into memory only while a part of it is read."""
    import numpy as np

    files = folder / f"{first}-keys.npy", folder / f"{first}-times.npy"
    np.save(files[0], keys)
    np.save(files[1], times)

    def arrays() -> tuple[Keys, Numbers]:
        return np.load(files[0], mmap_mode="r"), np.load(files[1], mmap_mode="r")

    return Run(first, arrays)


def _blocks(holding: Keys) -> Iterator[tuple[int, int]]:
    """The first and last-plus-one token of blocks of about ``_BLOCK`` postings."""
    import numpy as np

    ends = np.cumsum(holding)
    start = 0
    while start < len(holding):
        before = int(ends[start - 1]) if start else 0
        end = max(start + 1, int(np.searchsorted(ends, before + _BLOCK, side="right")))
        yield start, end
        start = end
