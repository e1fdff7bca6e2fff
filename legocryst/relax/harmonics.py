"""Real spherical harmonics of unit vectors as polynomials, with their gradients.

On the unit sphere Y_lm is a homogeneous polynomial of degree l; all of them up to l_max, and their derivatives, are one
matrix times the monomials x^i y^j z^k with i + j + k <= l_max. The matrix is fitted once, exactly, to SciPy's values.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Harmonics:
    """Y_lm for l = 0..l_max, l slowest; `level[k]` is the l of component k."""

    powers: tuple[tuple[int, int, int], ...]
    matrix: Tensor  # (monomials, 4 * components): Y, dY/dx, dY/dy, dY/dz
    level: Tensor  # (components,)

    def __call__(self, unit: Tensor) -> Tensor:
        """Values and gradients (e, 4, components) at unit vectors (e, 3)."""
        top = max(sum(power) for power in self.powers)
        powers = [[torch.ones_like(unit[:, k])] for k in range(3)]
        for _ in range(top):
            for k in range(3):
                powers[k].append(powers[k][-1] * unit[:, k])
        monomials = torch.stack([powers[0][i] * powers[1][j] * powers[2][k] for i, j, k in self.powers], dim=1)
        return (monomials @ self.matrix.to(unit.device)).view(len(unit), 4, self.matrix.shape[1] // 4)


@lru_cache
def harmonics(l_max: int) -> Harmonics:
    """The harmonics up to l_max, orthonormal on the sphere."""
    from scipy.special import sph_harm_y

    degrees = range(l_max + 1)
    powers = tuple((i, j, n - i - j) for n in degrees for i in range(n + 1) for j in range(n + 1 - i))
    points = np.random.default_rng(0).normal(size=(4 * len(powers), 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    theta, phi = np.arccos(points[:, 2]), np.arctan2(points[:, 1], points[:, 0])
    columns = []
    for level in degrees:
        mine = [k for k, power in enumerate(powers) if sum(power) == level]
        monomials = np.prod(points[:, None] ** np.array(powers)[mine], axis=2)
        for m in range(-level, level + 1):
            complex_values = sph_harm_y(level, abs(m), theta, phi)
            values = complex_values.real if m >= 0 else complex_values.imag
            column = np.zeros(len(powers))
            column[mine] = np.linalg.lstsq(monomials, values * (np.sqrt(2) if m else 1.0), rcond=None)[0]
            columns.append(column)
    matrix = np.array(columns).T
    blocks = [matrix, *(_derivative(powers, matrix, axis) for axis in range(3))]
    levels = np.repeat(list(degrees), [2 * n + 1 for n in degrees])
    return Harmonics(powers, torch.from_numpy(np.hstack(blocks)), torch.from_numpy(levels))


def _derivative(powers: tuple[tuple[int, int, int], ...], matrix: np.ndarray, axis: int) -> np.ndarray:
    index = {power: k for k, power in enumerate(powers)}
    out = np.zeros_like(matrix)
    for power, row in zip(powers, matrix, strict=True):
        if power[axis]:
            lower = tuple(p - (k == axis) for k, p in enumerate(power))
            out[index[lower]] += power[axis] * row  # type: ignore[index]
    return out
