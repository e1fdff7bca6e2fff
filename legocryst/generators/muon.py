"""Muon: momentum whose matrix is made orthogonal before each step.

Jordan et al., kellerjordan.github.io/posts/muon; scaled as in Liu et al., arXiv 2502.16982, eq. 4, so that the learning
rate and decay of AdamW suit it. torch's own works in bfloat16, which takes forty times as long on processors without
it.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

MOMENTUM = 0.95
STEPS = 5
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the polynomial that moves singular values towards 1."""
SIZE = 0.2
"""Root mean square of a step's entries, in learning rates: that of AdamW."""


class Muon(torch.optim.Optimizer):
    """For matrices only."""

    def __init__(self, matrices: Iterable[Tensor], *, lr: float, weight_decay: float) -> None:
        super().__init__(matrices, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Take one step; there is no closure."""
        for group in self.param_groups:
            for matrix in group["params"]:
                mean = self.state[matrix].setdefault("momentum", torch.zeros_like(matrix))
                mean.lerp_(matrix.grad, 1 - MOMENTUM)
                step = orthogonal(torch.lerp(matrix.grad, mean, MOMENTUM)) * SIZE * max(matrix.shape) ** 0.5
                matrix.mul_(1 - group["lr"] * group["weight_decay"]).sub_(group["lr"] * step)


def orthogonal(matrix: Tensor) -> Tensor:
    """Return nearly the orthogonal matrix next to a matrix (m, n): its singular values come to 0.7 to 1.2.

    Newton and Schulz's iteration with Jordan's coefficients.
    """
    a, b, c = COEFFICIENTS
    wide = matrix.shape[0] <= matrix.shape[1]
    x = matrix if wide else matrix.T
    x = x / x.norm().clamp(min=1e-7)
    for _ in range(STEPS):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return x if wide else x.T
