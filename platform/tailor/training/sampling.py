"""Which lessons share a batch: those of like length, so that little is padded."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence

WINDOW = 50
"""Batches from which lessons of like length are put together; the order across them is random."""


class LengthGrouped:
    """The order of lessons in an epoch; a sampler as `torch.utils.data` takes it.

    Each epoch is shuffled anew by the seed and its number alone, so that a training that goes on
    from a checkpoint sees the same lessons in the same order. The longest batch comes first: where
    memory does not suffice, that is known at once.
    """

    def __init__(
        self, lengths: Sequence[int], batch: int, seed: int, epoch: Callable[[], float]
    ) -> None:
        self.lengths = lengths
        self.batch = batch
        self.seed = seed
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        order = random.Random(f"{self.seed} {int(self.epoch() + 1e-6)}")
        mixed = list(range(len(self.lengths)))
        order.shuffle(mixed)
        window = WINDOW * self.batch
        batches: list[list[int]] = []
        for start in range(0, len(mixed), window):
            # Equal lengths stay in their random order, so that batches differ between epochs.
            near = sorted(mixed[start : start + window], key=self.lengths.__getitem__, reverse=True)
            batches += [near[at : at + self.batch] for at in range(0, len(near), self.batch)]
        # A batch that is not full has to stay the last one, or all after it would be cut anew.
        last = [batches.pop()] if len(batches[-1]) < self.batch else []
        order.shuffle(batches)
        first = max(range(len(batches)), key=lambda at: self.lengths[batches[at][0]], default=0)
        batches = [*batches[first : first + 1], *batches[:first], *batches[first + 1 :], *last]
        return iter([at for own in batches for at in own])
