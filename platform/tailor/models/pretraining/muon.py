"""Muon (Jordan et al. 2024) in float32, matrices of one shape at a time.

torch.optim.Muon orthogonalises in bfloat16, matrix by matrix; on a CPU without bfloat16
instructions that took a fifth of a training step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch

_A, _B, _C = 3.4445, -4.7750, 2.0315  # quintic Newton-Schulz coefficients of the reference


def orthogonalised(matrices: torch.Tensor, steps: int = 5) -> torch.Tensor:
    """The nearest semi-orthogonal matrices, roughly; shape (batch, rows <= columns)."""
    x: torch.Tensor = matrices / (matrices.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = _A * x + (_B * gram + _C * gram @ gram) @ x
    return x


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, orthogonalised; update size matched to AdamW (0.2 * sqrt(max side))."""

    def __init__(
        self,
        params: Iterable[torch.nn.Parameter],
        lr: float,
        weight_decay: float = 0.05,
        momentum: float = 0.95,
    ) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One update of all matrices; ``closure`` is not supported."""
        for group in self.param_groups:
            by_shape: dict[tuple[int, ...], list[tuple[torch.nn.Parameter, torch.Tensor]]] = {}
            for matrix in group["params"]:
                if matrix.grad is None:
                    continue
                update = self._with_momentum(matrix, group["momentum"])
                if update.shape[0] > update.shape[1]:
                    update = update.mT
                by_shape.setdefault(tuple(update.shape), []).append((matrix, update))
            for shape, pairs in by_shape.items():
                directions = orthogonalised(torch.stack([update for _, update in pairs]))
                size = group["lr"] * 0.2 * max(shape) ** 0.5
                for (matrix, _), direction in zip(pairs, directions, strict=True):
                    matrix.mul_(1 - group["lr"] * group["weight_decay"])
                    turned = direction if direction.shape == matrix.shape else direction.mT
                    matrix.add_(turned, alpha=-size)

    def _with_momentum(self, matrix: torch.nn.Parameter, momentum: float) -> torch.Tensor:
        state: dict[str, Any] = self.state[matrix]
        grad = matrix.grad
        assert grad is not None
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(grad)
        state["momentum"].lerp_(grad, 1 - momentum)
        return grad.lerp(state["momentum"], momentum)
