"""Recipes of the descriptors: which radial functions, and which invariants of the expansion."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.polynomial import chebyshev, legendre

from legocryst.environment.descriptors.radial import cosine_cutoff, radial_basis, radial_distribution, radial_functions
from legocryst.environment.target import DescriptorSettings

WIDTH = 0.1
"""Standard deviation (angstrom) of the Gaussians of the radial distribution as an objective."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What makes a descriptor of an expansion.

    Its features are mix @ P, where P holds P_nn'l for all pairs (n, n'), l inside; without pairs they are c_n00.
    """

    radial: Callable[[np.ndarray], np.ndarray]  # (len(r), n_max, l_max + 1) functions of r, smooth on [0, r_cut]
    pairs: list[tuple[int, int]]
    mix: np.ndarray | None = None  # (features, pairs * (l_max + 1)), None for the identity
    by_species: bool = False  # neighbours are weighted by atomic number


def power_spectrum(settings: DescriptorSettings) -> Recipe:
    """Return SO(3) power spectrum, neighbours weighted by atomic number; order (n, n') = 11, 21, 22, ..., l inside."""
    pairs = [(n, m) for n in range(settings.n_max) for m in range(n + 1)]
    factor = _addition(settings)
    return Recipe(lambda r: radial_functions(r, settings) * factor, pairs, by_species=True)


def angular_fourier(settings: DescriptorSettings) -> Recipe:
    """Return AFS_nl = sum_jk g_n(r_j) g_n(r_k) cos(l theta_jk), with the power spectrum's g_n times a cosine cutoff."""
    n_max, levels, factor = settings.n_max, settings.l_max + 1, _addition(settings)

    def radial(r: np.ndarray) -> np.ndarray:
        curves = (radial_basis(r, settings) * cosine_cutoff(r, settings.r_cut)).T
        return curves[:, :, None] * factor

    over_legendre = np.zeros((levels, levels))  # cos(l theta) over Legendre polynomials of cos(theta)
    for level in range(levels):
        row = legendre.poly2leg(chebyshev.cheb2poly(np.eye(levels)[level]))
        over_legendre[level, : len(row)] = row
    return Recipe(radial, [(n, n) for n in range(n_max)], mix=np.kron(np.eye(n_max), over_legendre))


def smeared_distances(settings: DescriptorSettings) -> Recipe:
    """Return Gaussians of standard deviation `WIDTH` at the neighbours' distances, on a grid, times a cosine cutoff."""

    def radial(r: np.ndarray) -> np.ndarray:
        # Y_00 = 1 / sqrt(4 pi) is taken out, the square root of the grid's step makes sums of squares integrals
        curves = radial_distribution(r, radial_grid(settings), width=WIDTH, each=True) * np.sqrt(4 * np.pi * WIDTH)
        return (curves * cosine_cutoff(r, settings.r_cut)[:, None])[:, :, None]

    return Recipe(radial, [])


def radial_grid(settings: DescriptorSettings) -> np.ndarray:
    """Return distances (angstrom) of the features of the radial distribution."""
    return np.arange(0.5, settings.r_cut, WIDTH)


def _addition(settings: DescriptorSettings) -> np.ndarray:
    """Return factor (l_max + 1,) with which P_nn'l = sum_jk h_nl(r_j) h_n'l(r_k) P_l(cos theta_jk) of the Legendre P_l.

    The addition theorem is sum_m Y_lm(a) Y_lm(b) = (2 l + 1) / 4 pi P_l(cos).
    """
    return np.sqrt(4 * np.pi / (2 * np.arange(settings.l_max + 1) + 1))


DESCRIPTORS: dict[str, Callable[[DescriptorSettings], Recipe]] = {
    "power_spectrum": power_spectrum,
    "angular_fourier": angular_fourier,
    "radial_distribution": smeared_distances,
}
