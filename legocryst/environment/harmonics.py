"""Real spherical harmonics as polynomials.

On the unit sphere Y_lm is a homogeneous polynomial of degree l, so that sums of Y_lm over neighbours are made of sums
of the monomials x^i y^j z^k: once a site, not once a neighbour.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.sparse
import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Harmonics:
    """Y_lm for l = 0..l_max, l slowest, over the monomials x^i y^j z^k with i + j + k <= l_max, degree slowest."""

    powers: tuple[tuple[int, int, int], ...]
    matrix: scipy.sparse.csr_matrix  # (components, monomials)
    level: np.ndarray  # (components,) l of each component

    def degree(self, l: int) -> slice:  # noqa: E741 - the field's name for it
        """The monomials of degree l."""
        return slice(l * (l + 1) * (l + 2) // 6, (l + 1) * (l + 2) * (l + 3) // 6)

    def monomials(self, unit: Tensor) -> Tensor:
        """Monomials (monomials, e) of vectors (3, e)."""
        out = unit.new_empty((len(self.powers), unit.shape[1]))
        index = {power: k for k, power in enumerate(self.powers)}
        out[0] = 1.0
        for power in self.powers[1:]:
            axis = next(k for k in range(3) if power[k])
            torch.mul(out[index[_lowered(power, axis)]], unit[axis], out=out[index[power]])
        return out

    def gradient(self, monomials: Tensor, weight: Tensor) -> Tensor:
        """Gradient (3, e) over the vectors of the sum of the monomials times a weight (monomials, e)."""
        index = {power: k for k, power in enumerate(self.powers)}
        out = monomials.new_zeros((3, monomials.shape[1]))
        for k, power in enumerate(self.powers):
            for axis in range(3):
                if power[axis]:
                    out[axis].addcmul_(monomials[index[_lowered(power, axis)]], weight[k], value=power[axis])
        return out


def _lowered(power: tuple[int, int, int], axis: int) -> tuple[int, int, int]:
    i, j, k = (p - (n == axis) for n, p in enumerate(power))
    return i, j, k


@lru_cache
def harmonics(l_max: int) -> Harmonics:
    """The harmonics up to l_max, orthonormal on the sphere; the polynomials are fitted, exactly, to SciPy's values."""
    from scipy.special import sph_harm_y

    degrees = range(l_max + 1)
    powers = tuple((i, j, n - i - j) for n in degrees for i in range(n + 1) for j in range(n + 1 - i))
    points = np.random.default_rng(0).normal(size=(4 * len(powers), 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    theta, phi = np.arccos(points[:, 2]), np.arctan2(points[:, 1], points[:, 0])
    rows = []
    for level in degrees:
        mine = [k for k, power in enumerate(powers) if sum(power) == level]
        monomials = np.prod(points[:, None] ** np.array(powers)[mine], axis=2)
        for m in range(-level, level + 1):
            complex_values = sph_harm_y(level, abs(m), theta, phi)
            values = complex_values.real if m >= 0 else complex_values.imag
            row = np.zeros(len(powers))
            row[mine] = np.linalg.lstsq(monomials, values * (np.sqrt(2) if m else 1.0), rcond=None)[0]
            rows.append(np.where(np.abs(row) < 1e-9, 0.0, row))
    levels = np.repeat(list(degrees), [2 * n + 1 for n in degrees])
    return Harmonics(powers, scipy.sparse.csr_matrix(np.array(rows)), levels)
