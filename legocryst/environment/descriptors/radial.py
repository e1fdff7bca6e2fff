"""Radial functions of the descriptors, and their approximation by piecewise cubics."""

from collections.abc import Callable

import numpy as np
from numpy.polynomial import chebyshev

from legocryst.environment.target import DescriptorSettings

_INTERVALS, _TERMS = 512, 100


def radial_overlap(n_max: int, r_cut: float) -> np.ndarray:
    """Return overlap (n_max, n_max) of the normalised phi_a with weight r^2.

    The integral of r^2 (r_cut - r)^p over [0, r_cut] is 2 r_cut^(p + 3) / ((p + 1)(p + 2)(p + 3)).
    """

    def integral(power: np.ndarray) -> np.ndarray:
        return 2 * r_cut ** (power + 3.0) / ((power + 1) * (power + 2) * (power + 3))

    a = np.arange(1, n_max + 1) + 2
    norm = np.sqrt(integral(2 * a))
    return integral(a[:, None] + a[None, :]) / np.outer(norm, norm)


def radial_basis(r: np.ndarray, settings: DescriptorSettings) -> np.ndarray:
    """Return orthonormal radial functions g_n (n_max, len(r)) at distances r (angstrom) below r_cut."""
    n_max, r_cut = settings.n_max, settings.r_cut
    a = np.arange(1, n_max + 1) + 2
    norm = np.sqrt(2 * r_cut ** (2 * a + 3.0) / ((2 * a + 1) * (2 * a + 2) * (2 * a + 3)))
    values, vectors = np.linalg.eigh(radial_overlap(n_max, r_cut))
    return (vectors / np.sqrt(values)) @ vectors.T @ ((r_cut - r) ** a[:, None] / norm[:, None])


def radial_functions(r: np.ndarray, settings: DescriptorSettings) -> np.ndarray:
    """Compute h_nl (len(r), n_max, l_max + 1) at distances r (angstrom) for atomic number 1, by quadrature.

    The power spectrum is P_nn'l = sum_jk H_nl(r_j) H_n'l(r_k) P_l(cos theta_jk).
    """
    from scipy.special import ive

    l_max, r_cut, alpha = settings.l_max, settings.r_cut, settings.alpha
    node, weight = np.polynomial.legendre.leggauss(120)
    x, weight = (node + 1) * r_cut / 2, weight * r_cut / 2
    level = np.arange(l_max + 1)
    argument = 2 * alpha * np.maximum(r, 1e-9)[:, None] * x
    # modified spherical Bessel function of the first kind, times exp(-argument)
    bessel = np.sqrt(np.pi / (2 * argument)) * ive(level[:, None, None] + 0.5, argument)
    gauss = np.exp(-alpha * (x - r[:, None]) ** 2) * x**2 * weight
    integral = np.einsum("nx,lrx,rx->rnl", radial_basis(x, settings), bessel, gauss)
    norm_l = np.sqrt(2 * np.sqrt(2) * np.pi / np.sqrt(2 * level + 1))
    cutoff = cosine_cutoff(r, r_cut)[:, None, None]
    return integral * cutoff * norm_l * 4 * np.pi * np.sqrt((2 * level + 1) / (4 * np.pi))


def cosine_cutoff(r: np.ndarray, r_cut: float) -> np.ndarray:
    """Return 1 at r = 0, 0 with zero slope at r_cut."""
    return 0.5 * (np.cos(np.pi * r / r_cut) + 1)


def piecewise_cubics(functions: Callable[[np.ndarray], np.ndarray], r_cut: float) -> np.ndarray:
    """Fit coefficients (intervals, 4, k) of functions (len(r), k) of r on [0, r_cut], by the interval's share."""
    node = np.cos(np.pi * (np.arange(2 * _TERMS) + 0.5) / (2 * _TERMS))
    series = chebyshev.chebfit(node, functions((node + 1) * r_cut / 2), _TERMS - 1)
    knot = np.linspace(-1, 1, _INTERVALS + 1)
    value = chebyshev.chebval(knot, series).T
    slope = chebyshev.chebval(knot, chebyshev.chebder(series)).T * (2 / _INTERVALS)
    rise = value[1:] - value[:-1]
    cubic = [value[:-1], slope[:-1], 3 * rise - 2 * slope[:-1] - slope[1:], slope[:-1] + slope[1:] - 2 * rise]
    return np.stack(cubic, axis=1)


def radial_distribution(distance: np.ndarray, r: np.ndarray, *, width: float = 0.05, each: bool = False) -> np.ndarray:
    """Return sum over neighbours of normalised Gaussians of standard deviation `width` (angstrom), on the grid r.

    With `each`, the Gaussian of each neighbour by itself, (neighbours, len(r)).
    """
    gauss = np.exp(-((r - np.asarray(distance)[:, None]) ** 2) / (2 * width**2)) / (width * np.sqrt(2 * np.pi))
    return gauss if each else gauss.sum(axis=0)
