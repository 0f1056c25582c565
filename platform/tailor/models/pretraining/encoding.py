"""Episodes as token batches: questions side by side after one beginning, masked from each other."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, NamedTuple

from tailor.models.pretraining.episodes import Episode
from tailor.models.pretraining.tokenizer import ASSISTANT, END, USER, render

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerBase

LONGEST = 960  # tokens of one encoded episode, all of its questions included


class Encoded(NamedTuple):
    """``segments``: 0 = shared beginning, k = k-th question; ``learned``: answer tokens."""

    ids: list[int]
    positions: list[int]
    segments: list[int]
    learned: list[bool]


@dataclass(frozen=True)
class Batch:
    """Tensors of shape (examples, tokens); ``visible`` is (examples, 1, tokens, tokens)."""

    ids: torch.Tensor
    positions: torch.Tensor
    visible: torch.Tensor
    learned: torch.Tensor
    segments: torch.Tensor

    def to(self, device: torch.device | str) -> Batch:
        """The same batch on another device."""
        return Batch(*(getattr(self, field.name).to(device) for field in fields(self)))


def encode(tokenizer: PreTrainedTokenizerBase, episodes: Sequence[Episode]) -> list[Encoded]:
    """Token ids exactly as the chat template gives them, question by question."""
    pieces: list[str] = []
    for episode in episodes:
        # A blank line is two tokens before a word but one at the end of a piece: cut within it.
        opening = episode.opening.lstrip()
        gap = "\n" if opening.endswith("\n\n") else ""
        pieces.append(render(episode.turns) + USER + opening.removesuffix(gap))
        for branch in episode.branches:
            pieces.append(f"{gap}{branch.question.strip()}{END}{ASSISTANT}")
            pieces.append(f"{branch.answer.strip()}{END}")
    cut = iter(tokenizer(pieces, add_special_tokens=False)["input_ids"] if pieces else ())
    found = []
    for episode in episodes:
        shared = next(cut)
        encoded = Encoded(
            list(shared), list(range(len(shared))), [0] * len(shared), [False] * len(shared)
        )
        for number in range(1, len(episode.branches) + 1):
            asked, answer = next(cut), next(cut)
            length = len(asked) + len(answer)
            if len(encoded.ids) + length > LONGEST:
                continue
            encoded.ids.extend(asked + answer)
            encoded.positions.extend(range(len(shared), len(shared) + length))
            encoded.segments.extend([number] * length)
            encoded.learned.extend([False] * len(asked) + [True] * len(answer))
        if any(encoded.learned):
            found.append(encoded)
    return found


def in_batches(
    encoded: Iterable[Encoded], tokens: int, rng: random.Random | None = None
) -> list[list[Encoded]]:
    """Examples of similar length together, at most ``tokens`` per batch, in random order."""
    batches: list[list[Encoded]] = []
    for example in sorted(encoded, key=lambda e: len(e.ids)):
        if not batches or (len(batches[-1]) + 1) * len(example.ids) > tokens:
            batches.append([])
        batches[-1].append(example)
    if rng:
        rng.shuffle(batches)
    return batches


def collate(examples: Sequence[Encoded]) -> Batch:
    """Pad to the longest example; a padded place sees only itself."""
    import torch

    length = max(len(e.ids) for e in examples)

    def padded(rows: Iterable[Sequence[int]], value: int) -> torch.Tensor:
        return torch.tensor([[*row, *[value] * (length - len(row))] for row in rows])

    ids = padded((e.ids for e in examples), 0)
    positions = padded((e.positions for e in examples), 0)
    segments = padded((e.segments for e in examples), -1)
    learned = padded((e.learned for e in examples), 0).bool()
    key, query = segments[:, None, :], segments[:, :, None]
    causal = torch.ones(length, length, dtype=torch.bool).tril()
    visible = causal & ((key == 0) | (key == query))
    visible |= torch.eye(length, dtype=torch.bool)
    return Batch(ids, positions, visible[:, None], learned, segments)
