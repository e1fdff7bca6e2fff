"""Descriptors of a local environment: SO(3) power spectrum, radial distribution, angular Fourier series.

Power spectrum: Bartok, Kondor, Csanyi, Phys. Rev. B 87, 184115 (2013), with polynomial radial functions
phi_a(r) = (r_cut - r)^(a + 2) / N_a made orthonormal by S^(-1/2). The sum over m is done by the addition theorem,

    P_nn'l = sum_jk H_nl(r_j) H_n'l(r_k) P_l(cos theta_jk),

so that no harmonics are needed, and H is a Chebyshev series of the distance.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.polynomial import chebyshev
from torch import Tensor

from legocryst.crystal.representation import Crystals
from legocryst.environment.neighbors import Edges, neighbor_list, ranges
from legocryst.environment.targets import DescriptorSettings, Target

_TERMS = 20


def radial_overlap(n_max: int, r_cut: float) -> np.ndarray:
    """Overlap (n_max, n_max) of the normalised phi_a with weight r^2.

    The integral of r^2 (r_cut - r)^p over [0, r_cut] is 2 r_cut^(p + 3) / ((p + 1)(p + 2)(p + 3)).
    """

    def integral(power: np.ndarray) -> np.ndarray:
        return 2 * r_cut ** (power + 3.0) / ((power + 1) * (power + 2) * (power + 3))

    a = np.arange(1, n_max + 1) + 2
    norm = np.sqrt(integral(2 * a))
    return integral(a[:, None] + a[None, :]) / np.outer(norm, norm)


def radial_functions(r: np.ndarray, settings: DescriptorSettings) -> np.ndarray:
    """H_nl (len(r), n_max, l_max + 1) at distances r (angstrom) for a neighbour of atomic number 1, by quadrature."""
    from scipy.special import ive

    n_max, l_max, r_cut, alpha = settings.n_max, settings.l_max, settings.r_cut, settings.alpha
    node, weight = np.polynomial.legendre.leggauss(120)
    x, weight = (node + 1) * r_cut / 2, weight * r_cut / 2
    a = np.arange(1, n_max + 1) + 2
    norm = np.sqrt(2 * r_cut ** (2 * a + 3.0) / ((2 * a + 1) * (2 * a + 2) * (2 * a + 3)))
    values, vectors = np.linalg.eigh(radial_overlap(n_max, r_cut))
    g = (vectors / np.sqrt(values)) @ vectors.T @ ((r_cut - x) ** a[:, None] / norm[:, None])
    level = np.arange(l_max + 1)
    argument = 2 * alpha * np.maximum(r, 1e-9)[:, None] * x
    # modified spherical Bessel function of the first kind, times exp(-argument)
    bessel = np.sqrt(np.pi / (2 * argument)) * ive(level[:, None, None] + 0.5, argument)
    gauss = np.exp(-alpha * (x - r[:, None]) ** 2) * x**2 * weight
    integral = np.einsum("nx,lrx,rx->rnl", g, bessel, gauss)
    cutoff = 0.5 * (np.cos(np.pi * r / r_cut) + 1)
    norm_l = np.sqrt(2 * np.sqrt(2) * np.pi / np.sqrt(2 * level + 1))
    return integral * cutoff[:, None, None] * norm_l * 4 * np.pi * np.sqrt((2 * level + 1) / (4 * np.pi))


@dataclass(frozen=True, slots=True)
class RadialTable:
    """Chebyshev series of H_nl and of its derivative on [0, r_cut]."""

    coefficients: Tensor  # (terms, 2 * n_max * (l_max + 1)): values, then derivatives
    r_cut: float

    def __call__(self, r: Tensor) -> tuple[Tensor, Tensor]:
        """Values and derivatives (e, n_max * (l_max + 1)) at distances below r_cut."""
        x = 2 * r / self.r_cut - 1
        terms = [torch.ones_like(x), x]
        for _ in range(len(self.coefficients) - 2):
            terms.append(torch.addcmul(-terms[-2], x, terms[-1], value=2))
        both = torch.stack(terms, dim=1) @ self.coefficients.to(x.device)
        half = both.shape[1] // 2
        return both[:, :half], both[:, half:]


@lru_cache
def radial_table(settings: DescriptorSettings) -> RadialTable:
    """The table for a descriptor; exact to better than 1e-9 of the largest value."""
    node = np.cos(np.pi * (np.arange(4 * _TERMS) + 0.5) / (4 * _TERMS))
    values = radial_functions((node + 1) * settings.r_cut / 2, settings).reshape(len(node), -1)
    series = chebyshev.chebfit(node, values, _TERMS - 1)
    slope = np.vstack([chebyshev.chebder(series) * 2 / settings.r_cut, np.zeros((1, series.shape[1]))])
    return RadialTable(torch.from_numpy(np.hstack([series, slope])), settings.r_cut)


def legendre(cosine: Tensor, l_max: int) -> tuple[Tensor, Tensor]:
    """P_l and dP_l/dx (p, l_max + 1)."""
    values = [torch.ones_like(cosine), cosine]
    slopes = [torch.zeros_like(cosine), torch.ones_like(cosine)]
    for level in range(1, l_max):
        values.append(((2 * level + 1) * cosine * values[level] - level * values[level - 1]) / (level + 1))
        slopes.append((2 * level + 1) * values[level] + slopes[level - 1])
    return torch.stack(values[: l_max + 1], dim=1), torch.stack(slopes[: l_max + 1], dim=1)


def neighbor_pairs(site: Tensor, sites: int) -> tuple[Tensor, Tensor]:
    """All j < k with edges j and k at the same site; `site` (e,) sorted."""
    count = torch.bincount(site, minlength=sites)
    rank = ranges(count)
    first = torch.repeat_interleave(torch.arange(len(site), device=site.device), rank)
    return torch.arange(len(site), device=site.device)[first] - rank[first] + ranges(rank), first


def power_spectrum(edges: Edges, species: Tensor, sites: int, settings: DescriptorSettings) -> Tensor:
    """Power spectrum (sites, 15 for the default) of every site; `species` (atoms,) atomic numbers.

    Order: (n, n') = 11, 21, 22, ..., l inside.
    """
    inside = torch.nonzero(edges.distance < settings.r_cut).squeeze(1)
    site, r, vector = edges.site[inside], edges.distance[inside], edges.vector[inside]
    levels = settings.l_max + 1
    h = radial_table(settings)(r)[0].view(-1, settings.n_max, levels)
    h = h * species[edges.atom[inside]].to(h.dtype)[:, None, None]
    j, k = neighbor_pairs(site, sites)
    unit = vector / r.clamp(min=1e-9)[:, None]
    angular = legendre((unit[j] * unit[k]).sum(1), settings.l_max)[0]
    blocks = []
    for n in range(settings.n_max):
        for m in range(n + 1):
            block = r.new_zeros((sites, levels))
            block.index_add_(0, site, h[:, n] * h[:, m])
            block.index_add_(0, site[j], (h[j, n] * h[k, m] + h[j, m] * h[k, n]) * angular)
            blocks.append(block)
    return torch.cat(blocks, dim=1)


def spectra(crystals: Crystals, settings: DescriptorSettings) -> np.ndarray:
    """Power spectrum (s, components) of every site of a batch."""
    atoms = crystals.atoms()
    edges = neighbor_list(crystals, settings.r_cut, atoms=atoms)
    return power_spectrum(edges, torch.from_numpy(atoms.species), len(crystals.species), settings).numpy()


@lru_cache
def reference_spectrum(target: Target) -> np.ndarray:
    """Power spectrum (components,) of the first site of the target's reference crystal."""
    return spectra(target.reference.crystals(), target.descriptor)[0]


def radial_distribution(distance: np.ndarray, r: np.ndarray, *, width: float = 0.05) -> np.ndarray:
    """Sum over neighbours of normalised Gaussians of standard deviation `width` (angstrom), on the grid r."""
    gauss = np.exp(-((r - np.asarray(distance)[:, None]) ** 2) / (2 * width**2))
    return gauss.sum(axis=0) / (width * np.sqrt(2 * np.pi))


def angular_fourier(vectors: np.ndarray, l_max: int) -> np.ndarray:
    """Angular Fourier series (l_max + 1,) of neighbour vectors (k, 3), radial weight 1.

    AFS_l = sum_jk cos(l theta_jk), self terms included.
    """
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    theta = np.arccos(np.clip(unit @ unit.T, -1, 1))
    return np.array([np.cos(level * theta).sum() for level in range(l_max + 1)])
