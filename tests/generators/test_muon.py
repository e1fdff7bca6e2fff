"""Muon: steps are orthogonal, as large as AdamW's, and equal to torch's, which are in less precision."""

import pytest
import torch

from legocryst.generators.muon import Muon, orthogonal


@pytest.mark.parametrize("shape", [(8, 8), (8, 32), (48, 16)])
def test_singular_values_come_near_one(shape: tuple[int, int]) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    result = orthogonal(matrix)
    values = torch.linalg.svdvals(result)
    assert float(values.min()) > 0.4 and float(values.max()) < 1.3
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    cosine = (result * (u @ v)).sum() / result.norm() / (u @ v).norm()
    assert float(cosine) > 0.95


def test_steps_are_those_of_torch() -> None:
    """To its bfloat16, over some steps with other gradients."""
    noise = torch.Generator().manual_seed(1)
    start = torch.randn(16, 24, generator=noise)
    ours, theirs = torch.nn.Parameter(start.clone()), torch.nn.Parameter(start.clone())
    own = Muon([ours], lr=0.01, weight_decay=0.01)
    other = torch.optim.Muon([theirs], lr=0.01, weight_decay=0.01, adjust_lr_fn="match_rms_adamw")
    for _ in range(5):
        ours.grad = torch.randn(16, 24, generator=noise)
        theirs.grad = ours.grad.clone()
        own.step()
        other.step()
    moved = (theirs - start).norm()
    assert float((ours - theirs).norm()) < 0.02 * float(moved)
    assert float((ours - start).square().mean().sqrt()) > 0.001
