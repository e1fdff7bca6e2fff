"""Descriptors of a local environment: SO(3) power spectrum, angular Fourier series, radial distribution.

All three are made of the expansion of the neighbours of a site in radial functions and spherical harmonics,

    c_nlm = sum_j w_j h_nl(r_j) Y_lm(r_j),

and its rotational invariants P_nn"l = sum_m c_nlm c_n"lm, differentiable and linear in the number of neighbours.

Power spectrum: Bartok, Kondor, Csanyi, Phys. Rev. B 87, 184115 (2013), with polynomial radial functions
phi_a(r) = (r_cut - r)^(a + 2) / N_a made orthonormal by S^(-1/2). Angular Fourier series: the same paper, section IV;
cos(l theta) is a polynomial of cos(theta), hence a sum of Legendre polynomials.
"""

from legocryst.environment.descriptors.expansion import (
    Descriptor,
    Scratch,
    descriptor,
    expand,
    make_features,
    pull_to_coefficients,
    pull_to_vectors,
    scratch,
)
from legocryst.environment.descriptors.radial import (
    cosine_cutoff,
    piecewise_cubics,
    radial_basis,
    radial_distribution,
    radial_functions,
    radial_overlap,
)
from legocryst.environment.descriptors.recipes import (
    DESCRIPTORS,
    WIDTH,
    Recipe,
    angular_fourier,
    power_spectrum,
    radial_grid,
    smeared_distances,
)
from legocryst.environment.descriptors.spectra import angular_fourier_series, features, reference, spectra

__all__ = [
    "DESCRIPTORS",
    "WIDTH",
    "Descriptor",
    "Recipe",
    "Scratch",
    "angular_fourier",
    "angular_fourier_series",
    "cosine_cutoff",
    "descriptor",
    "expand",
    "features",
    "make_features",
    "piecewise_cubics",
    "power_spectrum",
    "pull_to_coefficients",
    "pull_to_vectors",
    "radial_basis",
    "radial_distribution",
    "radial_functions",
    "radial_grid",
    "radial_overlap",
    "reference",
    "scratch",
    "smeared_distances",
    "spectra",
]
