"""Distributions that show an environment: distances of neighbours, and angles between bonds, averaged over atoms."""

import numpy as np

from legocryst.crystal.crystals import Crystals
from legocryst.environment.descriptors import angular_fourier_series, radial_distribution
from legocryst.environment.neighbors import neighbor_list


def mean_radial(crystals: Crystals, r: np.ndarray, *, i: int = 0, width: float = 0.05) -> np.ndarray:
    """Count neighbours per angstrom (len(r),) at distances r (angstrom) of an atom of crystal i, mean over atoms.

    Every neighbour is a Gaussian of standard deviation `width`: the integral over a peak is the number of neighbours.
    """
    one = crystals.take([i])
    edges = neighbor_list(one, float(r.max()) + 5 * width)
    share = one.multiplicity / one.multiplicity.sum()
    curves = radial_distribution(edges.distance, r, width=width, each=True)
    return share[edges.site] @ curves


def mean_angular(crystals: Crystals, *, i: int = 0, cutoff: float, l_max: int) -> np.ndarray:
    """Return angular Fourier series (l_max + 1,) of the bonds of an atom of crystal i, the mean of its atoms.

    Pairs up to `cutoff` angstrom are bonds; see `descriptors.angular_fourier_series`.
    """
    one = crystals.take([i])
    edges = neighbor_list(one, cutoff)
    share = one.multiplicity / one.multiplicity.sum()
    each = [angular_fourier_series(edges.vector[edges.site == site], l_max) for site in range(len(share))]
    return share @ np.array(each)


def first_radial(crystals: Crystals, r: np.ndarray, *, width: float = 0.05) -> np.ndarray:
    """Return neighbours per angstrom (len(r),) at distances r (angstrom) of the first site of the first crystal."""
    edges = neighbor_list(crystals.take([0]), float(r.max()) + 5 * width)
    return radial_distribution(edges.distance[edges.site == 0], r, width=width)


def first_angular(crystals: Crystals, *, cutoff: float, l_max: int) -> np.ndarray:
    """Return angular Fourier series (l_max + 1,) of the bonds, up to `cutoff` angstrom, of the first site."""
    edges = neighbor_list(crystals.take([0]), cutoff)
    return angular_fourier_series(edges.vector[edges.site == 0], l_max)
