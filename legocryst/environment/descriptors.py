"""Descriptors of a local environment: SO(3) power spectrum, angular Fourier series, radial distribution.

All three are made of the expansion of the neighbours of a site in radial functions and spherical harmonics,

    c_nlm = sum_j w_j h_nl(r_j) Y_lm(r_j),

and its rotational invariants P_nn'l = sum_m c_nlm c_n'lm, differentiable and linear in the number of neighbours.

Power spectrum: Bartok, Kondor, Csanyi, Phys. Rev. B 87, 184115 (2013), with polynomial radial functions
phi_a(r) = (r_cut - r)^(a + 2) / N_a made orthonormal by S^(-1/2). Angular Fourier series: the same paper, section IV;
cos(l theta) is a polynomial of cos(theta), hence a sum of Legendre polynomials.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.sparse
import torch
from numpy.polynomial import chebyshev, legendre
from torch import Tensor

from legocryst.crystal.representation import Crystals
from legocryst.environment.harmonics import harmonics
from legocryst.environment.neighbors import Edges, added, gathered, neighbor_list
from legocryst.environment.sparse import product, sparse
from legocryst.environment.targets import DescriptorSettings, Target

_INTERVALS, _TERMS = 512, 100
WIDTH = 0.1
"""Standard deviation (angstrom) of the Gaussians of the radial distribution as an objective."""


def radial_overlap(n_max: int, r_cut: float) -> np.ndarray:
    """Overlap (n_max, n_max) of the normalised phi_a with weight r^2.

    The integral of r^2 (r_cut - r)^p over [0, r_cut] is 2 r_cut^(p + 3) / ((p + 1)(p + 2)(p + 3)).
    """

    def integral(power: np.ndarray) -> np.ndarray:
        return 2 * r_cut ** (power + 3.0) / ((power + 1) * (power + 2) * (power + 3))

    a = np.arange(1, n_max + 1) + 2
    norm = np.sqrt(integral(2 * a))
    return integral(a[:, None] + a[None, :]) / np.outer(norm, norm)


def radial_basis(r: np.ndarray, settings: DescriptorSettings) -> np.ndarray:
    """Orthonormal radial functions g_n (n_max, len(r)) at distances r (angstrom) below r_cut."""
    n_max, r_cut = settings.n_max, settings.r_cut
    a = np.arange(1, n_max + 1) + 2
    norm = np.sqrt(2 * r_cut ** (2 * a + 3.0) / ((2 * a + 1) * (2 * a + 2) * (2 * a + 3)))
    values, vectors = np.linalg.eigh(radial_overlap(n_max, r_cut))
    return (vectors / np.sqrt(values)) @ vectors.T @ ((r_cut - r) ** a[:, None] / norm[:, None])


def radial_functions(r: np.ndarray, settings: DescriptorSettings) -> np.ndarray:
    """H_nl (len(r), n_max, l_max + 1) at distances r (angstrom) for a neighbour of atomic number 1, by quadrature.

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
    """1 at r = 0, 0 with zero slope at r_cut."""
    return 0.5 * (np.cos(np.pi * r / r_cut) + 1)


class RadialTable:
    """Functions of the distance on [0, r_cut] as piecewise cubics, which are differentiated exactly."""

    def __init__(self, functions: Callable[[np.ndarray], np.ndarray], r_cut: float) -> None:
        """`functions(r)` gives (len(r), k), smooth on [0, r_cut]."""
        self._step = r_cut / _INTERVALS
        node = np.cos(np.pi * (np.arange(2 * _TERMS) + 0.5) / (2 * _TERMS))
        series = chebyshev.chebfit(node, functions((node + 1) * r_cut / 2), _TERMS - 1)
        knot = np.linspace(-1, 1, _INTERVALS + 1)
        value = chebyshev.chebval(knot, series).T
        slope = chebyshev.chebval(knot, chebyshev.chebder(series)).T * (2 / _INTERVALS)
        rise = value[1:] - value[:-1]
        cubic = [value[:-1], slope[:-1], 3 * rise - 2 * slope[:-1] - slope[1:], slope[:-1] + slope[1:] - 2 * rise]
        self._cubic = torch.from_numpy(np.concatenate(cubic, axis=1).T.copy())  # (4 k, intervals)

    def __call__(self, r: Tensor) -> tuple[Tensor, Tensor]:
        """Values and slopes (k, e) at distances (e,) below r_cut."""
        scaled = r / self._step
        interval = scaled.to(torch.int64).clamp_(max=_INTERVALS - 1)
        t = scaled - interval
        c0, c1, c2, c3 = gathered(self._cubic.to(r.device), interval).tensor_split(4)
        slope = torch.addcmul(c1, t, torch.addcmul(2 * c2, t, c3, value=3)).div_(self._step)
        value = c0.addcmul_(t, c1.addcmul_(t, c2.addcmul_(t, c3)))
        return value, slope


@dataclass(frozen=True, slots=True)
class Expanded:
    """The expansion of some sites, and what its gradient needs."""

    sites: Tensor  # (s,) the sites in the order of the coefficients: most neighbours first
    coefficients: Tensor  # (n_max, components, s)
    _edges: Tensor  # (e,) by rank among the neighbours of the site, then in the order of the sites
    _widths: list[int]  # how many sites have a neighbour of each rank
    _unit: Tensor
    _distance: Tensor
    _h: Tensor
    _slope: Tensor
    _monomials: Tensor


class Expansion:
    """c_nlm with radial functions from a table that holds (n_max, l_max + 1) of them, l fastest."""

    def __init__(self, table: RadialTable, *, n_max: int, l_max: int) -> None:
        self.table, self.n_max, self.l_max = table, n_max, l_max
        self.harmonics = harmonics(l_max)
        self._matrix = sparse(self.harmonics.matrix)
        self._transposed = sparse(self.harmonics.matrix.T.tocsr())

    def __call__(self, site: Tensor, vector: Tensor, distance: Tensor, weight: Tensor, sites: int) -> Expanded:
        """Expansion of all sites; edges (e,) inside the cutoff, those of one site together."""
        order, sorted_sites, widths = _by_rank(site, sites)
        r = distance[order].clamp_(min=1e-6)
        unit = gathered(vector, order) / r
        h, slope = (each.mul_(weight[order]) for each in self.table(r))
        monomials = self.harmonics.monomials(unit)
        moments = r.new_zeros((self.n_max, len(monomials), sites))
        products = torch.empty_like(monomials)
        for n in range(self.n_max):
            for level in range(self.l_max + 1):
                degree = self.harmonics.degree(level)
                torch.mul(monomials[degree], h[n * (self.l_max + 1) + level], out=products[degree])
            for width, part in zip(widths, products.split(widths, dim=1), strict=True):
                moments[n, :, :width] += part
        matrix = self._matrix.to(r.device)
        c = torch.stack([product(matrix, each) for each in moments])
        return Expanded(sorted_sites, c, order, widths, unit, r, h, slope, monomials)

    def pull_back(self, expanded: Expanded, slope: Tensor) -> Tensor:
        """Gradient (3, e) over the vectors of a function of the coefficients with gradient (n_max, components, s)."""
        transposed = self._transposed.to(slope.device)
        turn = torch.zeros_like(expanded._monomials)
        along = torch.zeros_like(turn)
        at_edge = torch.empty_like(turn)
        for n in range(self.n_max):
            moments = product(transposed, slope[n])
            for width, part in zip(expanded._widths, at_edge.split(expanded._widths, dim=1), strict=True):
                part.copy_(moments[:, :width])
            for level in range(self.l_max + 1):
                degree, k = self.harmonics.degree(level), n * (self.l_max + 1) + level
                turn[degree].addcmul_(at_edge[degree], expanded._h[k])
                along[degree].addcmul_(at_edge[degree], expanded._slope[k])
        unit, r = expanded._unit, expanded._distance
        outward = torch.zeros_like(r)
        for a, b in zip(along, expanded._monomials, strict=True):
            outward.addcmul_(a, b)
        gradient = self.harmonics.gradient(expanded._monomials, turn) / r
        radial = unit[0] * gradient[0]
        radial.addcmul_(unit[1], gradient[1]).addcmul_(unit[2], gradient[2])
        gradient.addcmul_(outward - radial, unit)
        return torch.empty_like(gradient).index_copy_(1, expanded._edges, gradient)


def _by_rank(site: Tensor, sites: int) -> tuple[Tensor, Tensor, list[int]]:
    """Edges by rank, sites by number of edges, and how many sites have an edge of each rank.

    In this order the edges of one rank belong to the first sites, one each, so that sums over the neighbours are sums
    of slices, always in the same order.
    """
    count = torch.bincount(site, minlength=sites)
    sorted_sites = torch.argsort(count, descending=True, stable=True)
    position = torch.empty_like(sorted_sites)
    position[sorted_sites] = torch.arange(sites, device=site.device)
    every = torch.arange(len(site), device=site.device)
    begins = torch.ones_like(site, dtype=torch.bool)
    begins[1:] = site[1:] != site[:-1]
    first = torch.zeros_like(count)
    first[site[begins]] = every[begins]
    rank = every - first[site]
    width = torch.bincount(rank)
    order = torch.empty_like(site)
    order[(torch.cumsum(width, 0) - width)[rank] + position[site]] = every
    return order, sorted_sites, width.tolist()


class Descriptor:
    """A function of the expansion of a site; `features` of a batch and their gradient.

    `radial(r)` gives the radial functions (len(r), n_max, levels) of the expansion.
    """

    def __init__(self, radial: Callable[[np.ndarray], np.ndarray], r_cut: float) -> None:
        self.cutoff = r_cut
        n_max, levels = radial(np.zeros(1)).shape[1:]
        table = RadialTable(lambda r: radial(r).reshape(len(r), -1), r_cut)
        self.expansion = Expansion(table, n_max=n_max, l_max=levels - 1)

    def features(self, c: Tensor) -> Tensor:
        """Features (k, s) of coefficients (n_max, components, s)."""
        raise NotImplementedError

    def slope(self, c: Tensor, slope: Tensor) -> Tensor:
        """Gradient over the coefficients of a function with gradient (k, s) over the features."""
        raise NotImplementedError

    def weight(self, species: Tensor) -> Tensor:
        """Weight (e,) of neighbours of given atomic numbers."""
        return torch.ones_like(species)

    def __call__(self, edges: Edges, species: Tensor, sites: int) -> Tensor:
        """Features (sites, k); `species` (atoms,) atomic numbers."""
        inside = torch.nonzero(edges.distance < self.cutoff).squeeze(1)
        weight = self.weight(species.to(edges.distance.dtype)[edges.atom[inside]])
        vector = edges.vector.index_select(1, inside)
        expanded = self.expansion(edges.site[inside], vector, edges.distance[inside], weight, sites)
        features = self.features(expanded.coefficients)
        return torch.empty_like(features).index_copy_(1, expanded.sites, features).t()


class _Invariants(Descriptor):
    """P_nn'l for pairs (n, n') of radial functions, of sum_jk radial_nl(r_j) radial_n'l(r_k) P_l(cos theta_jk)."""

    def __init__(
        self, radial: Callable[[np.ndarray], np.ndarray], settings: DescriptorSettings, pairs: list[tuple[int, int]]
    ) -> None:
        # the addition theorem, sum_m Y_lm(a) Y_lm(b) = (2 l + 1) / 4 pi P_l(cos), leaves this factor to the functions
        factor = np.sqrt(4 * np.pi / (2 * np.arange(settings.l_max + 1) + 1))
        super().__init__(lambda r: radial(r) * factor, settings.r_cut)
        self.pairs = pairs

    def features(self, c: Tensor) -> Tensor:
        """See `Descriptor`."""
        levels = range(self.expansion.l_max + 1)
        rows = []
        for n, m in self.pairs:
            both = c[n] * c[m]
            rows += [added(both[level * level : (level + 1) ** 2]) for level in levels]
        return torch.stack(rows)

    def slope(self, c: Tensor, slope: Tensor) -> Tensor:
        """See `Descriptor`."""
        levels = self.expansion.l_max + 1
        out = torch.zeros_like(c)
        for block, (n, m) in enumerate(self.pairs):
            for level in range(levels):
                part, each = slice(level * level, (level + 1) ** 2), slope[block * levels + level]
                out[n, part].addcmul_(c[m, part], each)
                out[m, part].addcmul_(c[n, part], each)
        return out


class PowerSpectrum(_Invariants):
    """SO(3) power spectrum, neighbours weighted by atomic number; order (n, n') = 11, 21, 22, ..., l inside."""

    def __init__(self, settings: DescriptorSettings) -> None:
        pairs = [(n, m) for n in range(settings.n_max) for m in range(n + 1)]
        super().__init__(lambda r: radial_functions(r, settings), settings, pairs)

    def weight(self, species: Tensor) -> Tensor:
        """See `Descriptor`."""
        return species


class AngularFourier(_Invariants):
    """AFS_nl = sum_jk g_n(r_j) g_n(r_k) cos(l theta_jk), with the power spectrum's g_n times a cosine cutoff."""

    def __init__(self, settings: DescriptorSettings) -> None:
        n_max, l_max, r_cut = settings.n_max, settings.l_max, settings.r_cut

        def radial(r: np.ndarray) -> np.ndarray:
            curves = (radial_basis(r, settings) * cosine_cutoff(r, r_cut)).T
            return np.repeat(curves[:, :, None], l_max + 1, axis=2)

        super().__init__(radial, settings, [(n, n) for n in range(n_max)])
        over_legendre = np.zeros((l_max + 1, l_max + 1))  # cos(l theta) over Legendre polynomials of cos(theta)
        for level in range(l_max + 1):
            row = legendre.poly2leg(chebyshev.cheb2poly(np.eye(l_max + 1)[level]))
            over_legendre[level, : len(row)] = row
        matrix = np.kron(np.eye(n_max), over_legendre)
        self._matrix, self._transposed = (sparse(scipy.sparse.csr_matrix(each)) for each in (matrix, matrix.T))

    def features(self, c: Tensor) -> Tensor:
        """See `Descriptor`."""
        return product(self._matrix.to(c.device), super().features(c))

    def slope(self, c: Tensor, slope: Tensor) -> Tensor:
        """See `Descriptor`."""
        return super().slope(c, product(self._transposed.to(c.device), slope))


class RadialDistribution(Descriptor):
    """Gaussians of standard deviation `WIDTH` at the neighbours' distances, on a grid, times a cosine cutoff."""

    def __init__(self, settings: DescriptorSettings) -> None:
        self.grid, r_cut = np.arange(0.5, settings.r_cut, WIDTH), settings.r_cut

        def radial(r: np.ndarray) -> np.ndarray:
            # Y_00 = 1 / sqrt(4 pi) is taken out, the square root of the grid's step makes sums of squares integrals
            curves = radial_distribution(r, self.grid, width=WIDTH, each=True) * np.sqrt(4 * np.pi * WIDTH)
            return (curves * cosine_cutoff(r, r_cut)[:, None])[:, :, None]

        super().__init__(radial, r_cut)

    def features(self, c: Tensor) -> Tensor:
        """See `Descriptor`."""
        return c[:, 0]

    def slope(self, c: Tensor, slope: Tensor) -> Tensor:
        """See `Descriptor`."""
        return slope[:, None]


DESCRIPTORS: dict[str, Callable[[DescriptorSettings], Descriptor]] = {
    "power_spectrum": PowerSpectrum,
    "angular_fourier": AngularFourier,
    "radial_distribution": RadialDistribution,
}


@lru_cache
def descriptor(kind: str, settings: DescriptorSettings) -> Descriptor:
    """The descriptor of some settings, its tables made once."""
    return DESCRIPTORS[kind](settings)


def spectra(crystals: Crystals, settings: DescriptorSettings) -> np.ndarray:
    """Power spectrum (s, components) of every site of a batch."""
    return features(crystals, descriptor("power_spectrum", settings))


def features(crystals: Crystals, of: Descriptor) -> np.ndarray:
    """Features (s, k) of every site of a batch."""
    atoms = crystals.atoms()
    edges = neighbor_list(crystals, of.cutoff, atoms=atoms)
    return of(edges, torch.from_numpy(atoms.species), len(crystals.species)).numpy()


@lru_cache
def reference(target: Target, kind: str = "power_spectrum") -> np.ndarray:
    """Features (k,) of the first site of the target's reference crystal."""
    return features(target.reference.crystals(), descriptor(kind, target.descriptor))[0]


def radial_distribution(distance: np.ndarray, r: np.ndarray, *, width: float = 0.05, each: bool = False) -> np.ndarray:
    """Sum over neighbours of normalised Gaussians of standard deviation `width` (angstrom), on the grid r.

    With `each`, the Gaussian of each neighbour by itself, (neighbours, len(r)).
    """
    gauss = np.exp(-((r - np.asarray(distance)[:, None]) ** 2) / (2 * width**2)) / (width * np.sqrt(2 * np.pi))
    return gauss if each else gauss.sum(axis=0)


def angular_fourier(vectors: np.ndarray, l_max: int) -> np.ndarray:
    """Angular Fourier series (l_max + 1,) of neighbour vectors (k, 3), radial weight 1.

    AFS_l = sum_jk cos(l theta_jk), self terms included.
    """
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    theta = np.arccos(np.clip(unit @ unit.T, -1, 1))
    return np.array([np.cos(level * theta).sum() for level in range(l_max + 1)])
