"""Real spherical harmonics as polynomials.

On the unit sphere Y_lm is a homogeneous polynomial of degree l, so that sums of Y_lm over neighbours are made of sums
of the monomials x^i y^j z^k: once a site, not once a neighbour.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.sparse


@dataclass(frozen=True, slots=True)
class Harmonics:
    """Y_lm for l = 0..l_max, l slowest, over the monomials x^i y^j z^k with i + j + k <= l_max, degree slowest."""

    matrix: scipy.sparse.csr_matrix  # (components, monomials)
    parent: np.ndarray  # (monomials,) each is this one, of a degree less,
    axis: np.ndarray  # (monomials,) times this component of the vector; the first is 1


@lru_cache
def harmonics(l_max: int) -> Harmonics:
    """Return harmonics up to l_max, orthonormal on the sphere; polynomials are fitted, exactly, to SciPy's values."""
    from scipy.special import sph_harm_y

    degrees = range(l_max + 1)
    powers = tuple((i, j, n - i - j) for n in degrees for i in range(n + 1) for j in range(n + 1 - i))
    points = np.random.default_rng(0).normal(size=(4 * len(powers), 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    theta, phi = np.arccos(points[:, 2]), np.arctan2(points[:, 1], points[:, 0])
    rows = []
    for level in degrees:
        of_level = [k for k, power in enumerate(powers) if sum(power) == level]
        monomials = np.prod(points[:, None] ** np.array(powers)[of_level], axis=2)
        for m in range(-level, level + 1):
            complex_values = sph_harm_y(level, abs(m), theta, phi)
            values = complex_values.real if m >= 0 else complex_values.imag
            row = np.zeros(len(powers))
            row[of_level] = np.linalg.lstsq(monomials, values * (np.sqrt(2) if m else 1.0), rcond=None)[0]
            rows.append(np.where(np.abs(row) < 1e-9, 0.0, row))
    axis = np.array([next(k for k in range(3) if power[k] or not any(power)) for power in powers])
    lowered = [tuple(np.array(power) - (np.arange(3) == k)) for power, k in zip(powers, axis, strict=True)]
    parent = np.array([0, *(powers.index(power) for power in lowered[1:])])
    return Harmonics(scipy.sparse.csr_matrix(np.array(rows)), parent, axis)
