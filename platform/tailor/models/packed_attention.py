"""What new tokens of several rows see of the keys and values in these rows' memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, dtype

_FEW = 8
"""New tokens; rows that have no more are worked out side by side."""


@dataclass(frozen=True)
class Span:
    """New tokens of a row: the place of the first, and how many they are."""

    row: int
    start: int
    count: int

    @property
    def end(self) -> int:
        """The place behind the last."""
        return self.start + self.count


class Attention:
    """Causal attention of some spans, each in another row; the same in every layer.

    Args:
        spans: one at least.
        grouped: whether several heads share their keys and values.
        dtype: of these.
    """

    def __init__(self, spans: Sequence[Span], grouped: bool, dtype: dtype) -> None:
        import torch

        self.spans = spans
        self._grouped = grouped
        counts = torch.tensor([span.count for span in spans])
        starts = torch.tensor([span.start for span in spans])
        self.rows = torch.tensor([span.row for span in spans]).repeat_interleave(counts)
        self._own = torch.cat([torch.arange(span.count) for span in spans])
        self.places = starts.repeat_interleave(counts) + self._own
        """Of each token, in its row."""
        # Rows between them are worked out in vain, and nothing is copied.
        self._upto, self._most = max(span.row for span in spans) + 1, int(counts.max())
        self._beside = len(spans) > 1 and self._most <= _FEW and self._upto <= 2 * len(spans)
        self._width = max(span.end for span in spans)
        self._masks: list[Tensor | None]
        if self._beside:
            seen = torch.ones(self._upto, self._most, dtype=torch.long)
            seen[self.rows, self._own] = self.places + 1
            self._masks = [_mask(seen, self._width, dtype)[:, None]]
        else:
            several = [span.count > 1 and span.start > 0 for span in spans]
            self._masks = [
                _mask(torch.arange(span.start, span.end) + 1, span.end, dtype) if one else None
                for span, one in zip(spans, several, strict=True)
            ]

    def __call__(self, query: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """What each token sees, shape (tokens, heads, width).

        Args:
            query: shape (tokens, heads, width).
            keys: shape (rows, places, heads, width), those of the new tokens among them.
            values: likewise.
        """
        from torch.nn.functional import scaled_dot_product_attention

        if self._beside:
            asked = query.new_zeros(self._upto, self._most, *query.shape[1:])
            asked[self.rows, self._own] = query
            seen = scaled_dot_product_attention(
                asked.transpose(1, 2),
                keys[: self._upto, : self._width].transpose(1, 2),
                values[: self._upto, : self._width].transpose(1, 2),
                attn_mask=self._masks[0],
                enable_gqa=self._grouped,
            )
            found: Tensor = seen.transpose(1, 2)[self.rows, self._own]
            return found
        return self._one_by_one(query, keys, values)

    def _one_by_one(self, query: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        import torch
        from torch.nn.functional import scaled_dot_product_attention

        found, begin = torch.empty_like(query), 0
        for span, mask in zip(self.spans, self._masks, strict=True):
            own = slice(begin, begin + span.count)
            found[own] = scaled_dot_product_attention(
                query[own].transpose(0, 1)[None],
                keys[span.row, : span.end].transpose(0, 1)[None],
                values[span.row, : span.end].transpose(0, 1)[None],
                attn_mask=mask,
                is_causal=mask is None and span.count > 1,
                enable_gqa=self._grouped,
            )[0].transpose(0, 1)
            begin = own.stop
        return found


def _mask(seen: Tensor, width: int, dtype: dtype) -> Tensor:
    """Minus infinity from the place on up to which each token sees, shape (..., width)."""
    import torch

    hidden = torch.arange(width) >= seen[..., None]
    return torch.zeros(hidden.shape, dtype=dtype).masked_fill_(hidden, float("-inf"))
