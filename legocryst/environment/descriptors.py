"""Descriptors of a local environment: SO(3) power spectrum, angular Fourier series, radial distribution.

All three are made of the expansion of the neighbours of a site in radial functions and spherical harmonics,

    c_nlm = sum_j w_j h_nl(r_j) Y_lm(r_j),

and its rotational invariants P_nn'l = sum_m c_nlm c_n'lm, differentiable and linear in the number of neighbours.

Power spectrum: Bartok, Kondor, Csanyi, Phys. Rev. B 87, 184115 (2013), with polynomial radial functions
phi_a(r) = (r_cut - r)^(a + 2) / N_a made orthonormal by S^(-1/2). Angular Fourier series: the same paper, section IV;
cos(l theta) is a polynomial of cos(theta), hence a sum of Legendre polynomials.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.polynomial import chebyshev, legendre

from legocryst.compiled import compiled
from legocryst.crystal.representation import Crystals
from legocryst.environment.harmonics import harmonics
from legocryst.environment.neighbors import Edges, neighbor_list
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


@dataclass(frozen=True, slots=True)
class Recipe:
    """What makes a descriptor of an expansion.

    Its features are mix @ P, where P holds P_nn'l for all pairs (n, n'), l inside; without pairs they are c_n00.
    """

    radial: Callable[[np.ndarray], np.ndarray]  # (len(r), n_max, l_max + 1) functions of r, smooth on [0, r_cut]
    pairs: list[tuple[int, int]]
    mix: np.ndarray | None = None  # (features, pairs * (l_max + 1)), None for the identity
    by_species: bool = False  # neighbours are weighted by atomic number


class Descriptor(NamedTuple):
    """A descriptor as compiled functions read it; made by `descriptor`."""

    cutoff: float
    step: float  # angstrom between the knots of the radial functions
    cubic: (
        np.ndarray
    )  # (intervals, 4, n_max * (l_max + 1)) the functions as piecewise cubics, which differentiate exactly
    n_max: int
    l_max: int
    parent: np.ndarray  # (monomials,) see `Harmonics`
    axis: np.ndarray  # (monomials,)
    row: np.ndarray  # (components + 1,) the harmonics over the monomials as a sparse matrix
    column: np.ndarray  # (entries,)
    entry: np.ndarray  # (entries,)
    pairs: np.ndarray  # (pairs, 2)
    mix: np.ndarray  # (features, pairs * (l_max + 1)), or (features, 0)
    by_species: bool


class Scratch(NamedTuple):
    """Where compiled functions work on one site at a time; room for b neighbours inside the cutoff."""

    inside: np.ndarray  # (b,) which of the edges
    unit: np.ndarray  # (b, 3)
    radial: np.ndarray  # (b, functions) with the neighbour's weight
    slope: np.ndarray  # (b, functions)
    monomial: np.ndarray  # (b, monomials)
    moment: np.ndarray  # (n_max, monomials)
    coefficient: np.ndarray  # (n_max, components) c_nlm
    pull: np.ndarray  # (n_max, components) gradient over c_nlm
    adjoint: np.ndarray  # (monomials,)
    invariant: np.ndarray  # (invariants,)
    feature: np.ndarray  # (features,)


def scratch(descriptors: Sequence[Descriptor], neighbors: int) -> Scratch:
    """Room for any of some descriptors and at most so many neighbours of a site."""
    functions = max(each.cubic.shape[2] for each in descriptors)
    monomials = max(len(each.parent) for each in descriptors)
    n_max = max(each.n_max for each in descriptors)
    components = max(len(each.row) - 1 for each in descriptors)
    invariants = max(each.mix.shape[1] for each in descriptors)
    return Scratch(
        inside=np.zeros(neighbors, np.int64),
        unit=np.zeros((neighbors, 3)),
        radial=np.zeros((neighbors, functions)),
        slope=np.zeros((neighbors, functions)),
        monomial=np.zeros((neighbors, monomials)),
        moment=np.zeros((n_max, monomials)),
        coefficient=np.zeros((n_max, components)),
        pull=np.zeros((n_max, components)),
        adjoint=np.zeros(monomials),
        invariant=np.zeros(invariants),
        feature=np.zeros(max(len(each.mix) for each in descriptors)),
    )


def power_spectrum(settings: DescriptorSettings) -> Recipe:
    """SO(3) power spectrum, neighbours weighted by atomic number; order (n, n') = 11, 21, 22, ..., l inside."""
    pairs = [(n, m) for n in range(settings.n_max) for m in range(n + 1)]
    factor = _addition(settings)
    return Recipe(lambda r: radial_functions(r, settings) * factor, pairs, by_species=True)


def angular_fourier(settings: DescriptorSettings) -> Recipe:
    """AFS_nl = sum_jk g_n(r_j) g_n(r_k) cos(l theta_jk), with the power spectrum's g_n times a cosine cutoff."""
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
    """Gaussians of standard deviation `WIDTH` at the neighbours' distances, on a grid, times a cosine cutoff."""

    def radial(r: np.ndarray) -> np.ndarray:
        # Y_00 = 1 / sqrt(4 pi) is taken out, the square root of the grid's step makes sums of squares integrals
        curves = radial_distribution(r, radial_grid(settings), width=WIDTH, each=True) * np.sqrt(4 * np.pi * WIDTH)
        return (curves * cosine_cutoff(r, settings.r_cut)[:, None])[:, :, None]

    return Recipe(radial, [])


def radial_grid(settings: DescriptorSettings) -> np.ndarray:
    """Distances (angstrom) of the features of the radial distribution."""
    return np.arange(0.5, settings.r_cut, WIDTH)


def _addition(settings: DescriptorSettings) -> np.ndarray:
    """Factor (l_max + 1,) with which P_nn'l = sum_jk h_nl(r_j) h_n'l(r_k) P_l(cos theta_jk) of the Legendre P_l.

    The addition theorem is sum_m Y_lm(a) Y_lm(b) = (2 l + 1) / 4 pi P_l(cos).
    """
    return np.sqrt(4 * np.pi / (2 * np.arange(settings.l_max + 1) + 1))


DESCRIPTORS: dict[str, Callable[[DescriptorSettings], Recipe]] = {
    "power_spectrum": power_spectrum,
    "angular_fourier": angular_fourier,
    "radial_distribution": smeared_distances,
}


@lru_cache
def descriptor(kind: str, settings: DescriptorSettings) -> Descriptor:
    """The descriptor of some settings, its tables made once."""
    recipe, r_cut = DESCRIPTORS[kind](settings), settings.r_cut
    n_max, levels = recipe.radial(np.zeros(1)).shape[1:]
    of = harmonics(levels - 1)
    pairs = np.array(recipe.pairs, np.int64).reshape(-1, 2)
    mix = np.zeros((len(pairs) * levels or n_max, 0)) if recipe.mix is None else recipe.mix
    return Descriptor(
        cutoff=r_cut,
        step=r_cut / _INTERVALS,
        cubic=piecewise_cubics(lambda r: recipe.radial(r).reshape(len(r), -1), r_cut),
        n_max=n_max,
        l_max=levels - 1,
        parent=of.parent,
        axis=of.axis,
        row=of.matrix.indptr.astype(np.int64),
        column=of.matrix.indices.astype(np.int64),
        entry=of.matrix.data,
        pairs=pairs,
        mix=mix,
        by_species=recipe.by_species,
    )


def piecewise_cubics(functions: Callable[[np.ndarray], np.ndarray], r_cut: float) -> np.ndarray:
    """Coefficients (intervals, 4, k) of functions (len(r), k) of r on [0, r_cut], in the interval's share passed."""
    node = np.cos(np.pi * (np.arange(2 * _TERMS) + 0.5) / (2 * _TERMS))
    series = chebyshev.chebfit(node, functions((node + 1) * r_cut / 2), _TERMS - 1)
    knot = np.linspace(-1, 1, _INTERVALS + 1)
    value = chebyshev.chebval(knot, series).T
    slope = chebyshev.chebval(knot, chebyshev.chebder(series)).T * (2 / _INTERVALS)
    rise = value[1:] - value[:-1]
    cubic = [value[:-1], slope[:-1], 3 * rise - 2 * slope[:-1] - slope[1:], slope[:-1] + slope[1:] - 2 * rise]
    return np.stack(cubic, axis=1)


@compiled
def expand(
    d: Descriptor,
    begin: int,
    end: int,
    vector: np.ndarray,
    distance: np.ndarray,
    atom: np.ndarray,
    species: np.ndarray,
    work: Scratch,
) -> int:
    """Expand the edges begin..end - 1 of one site inside the cutoff of descriptor d; returns how many these are.

    `vector` (e, 3), `distance` and `atom` (e,), `species` by atom; c_nlm stand in `work.coefficient`.
    """
    levels, count = d.l_max + 1, 0
    work.moment[: d.n_max, : len(d.parent)] = 0.0
    for e in range(begin, end):
        if distance[e] >= d.cutoff:
            continue
        r = max(distance[e], 1e-6)
        for k in range(3):
            work.unit[count, k] = vector[e, k] / r
        weight = species[atom[e]] if d.by_species else 1.0
        interval = min(int(r / d.step), len(d.cubic) - 1)
        t, cubic = r / d.step - interval, d.cubic[interval]
        for q in range(cubic.shape[1]):
            c1, c2, c3 = cubic[1, q], cubic[2, q], cubic[3, q]
            work.radial[count, q] = weight * (cubic[0, q] + t * (c1 + t * (c2 + t * c3)))
            work.slope[count, q] = weight / d.step * (c1 + t * (2 * c2 + 3 * t * c3))
        work.monomial[count, 0] = 1.0
        for q in range(1, len(d.parent)):
            work.monomial[count, q] = work.monomial[count, d.parent[q]] * work.unit[count, d.axis[q]]
        for n in range(d.n_max):
            for level in range(levels):
                h = work.radial[count, n * levels + level]
                for q in range(_degree(level), _degree(level + 1)):
                    work.moment[n, q] += h * work.monomial[count, q]
        work.inside[count] = e
        count += 1
    for n in range(d.n_max):
        for m in range(len(d.row) - 1):
            total = 0.0
            for q in range(d.row[m], d.row[m + 1]):
                total += d.entry[q] * work.moment[n, d.column[q]]
            work.coefficient[n, m] = total
    return count


@compiled
def _degree(level: int) -> int:
    """The place of the first monomial of a degree."""
    return level * (level + 1) * (level + 2) // 6


@compiled
def make_features(d: Descriptor, work: Scratch) -> None:
    """The features of the site that was expanded, in `work.feature`."""
    if len(d.pairs) == 0:
        for n in range(d.n_max):
            work.feature[n] = work.coefficient[n, 0]
        return
    levels, mixed = d.l_max + 1, d.mix.shape[1] > 0
    out = work.invariant if mixed else work.feature
    for p in range(len(d.pairs)):
        n, other = d.pairs[p]
        for level in range(levels):
            total = 0.0
            for m in range(level * level, (level + 1) * (level + 1)):
                total += work.coefficient[n, m] * work.coefficient[other, m]
            out[p * levels + level] = total
    if mixed:
        for f in range(len(d.mix)):
            total = 0.0
            for q in range(d.mix.shape[1]):
                total += d.mix[f, q] * out[q]
            work.feature[f] = total


@compiled
def pull_to_coefficients(d: Descriptor, work: Scratch) -> None:
    """Gradient over c_nlm, in `work.pull`, of a function whose gradient over the features is in `work.feature`."""
    work.pull[: d.n_max, : len(d.row) - 1] = 0.0
    if len(d.pairs) == 0:
        for n in range(d.n_max):
            work.pull[n, 0] = work.feature[n]
        return
    levels, mixed = d.l_max + 1, d.mix.shape[1] > 0
    if mixed:
        for q in range(d.mix.shape[1]):
            total = 0.0
            for f in range(len(d.mix)):
                total += d.mix[f, q] * work.feature[f]
            work.invariant[q] = total
    slope = work.invariant if mixed else work.feature
    for p in range(len(d.pairs)):
        n, other = d.pairs[p]
        for level in range(levels):
            each = slope[p * levels + level]
            for m in range(level * level, (level + 1) * (level + 1)):
                work.pull[n, m] += each * work.coefficient[other, m]
                work.pull[other, m] += each * work.coefficient[n, m]


@compiled
def pull_to_vectors(d: Descriptor, count: int, work: Scratch, distance: np.ndarray, force: np.ndarray) -> None:
    """Add to `force` (e, 3) the gradient over the edges' vectors, from that over c_nlm in `work.pull`."""
    levels, monomials = d.l_max + 1, len(d.parent)
    work.moment[: d.n_max, :monomials] = 0.0
    for n in range(d.n_max):
        for m in range(len(d.row) - 1):
            for q in range(d.row[m], d.row[m + 1]):
                work.moment[n, d.column[q]] += d.entry[q] * work.pull[n, m]
    for b in range(count):
        work.adjoint[:monomials] = 0.0
        outward = 0.0
        for n in range(d.n_max):
            for level in range(levels):
                h, slope = work.radial[b, n * levels + level], work.slope[b, n * levels + level]
                for q in range(_degree(level), _degree(level + 1)):
                    work.adjoint[q] += h * work.moment[n, q]
                    outward += slope * work.moment[n, q] * work.monomial[b, q]
        x, y, z = 0.0, 0.0, 0.0
        for q in range(monomials - 1, 0, -1):
            parent, axis, here = d.parent[q], d.axis[q], work.adjoint[q]
            work.adjoint[parent] += here * work.unit[b, axis]
            push = here * work.monomial[b, parent]
            if axis == 0:
                x += push
            elif axis == 1:
                y += push
            else:
                z += push
        e = work.inside[b]
        r = max(distance[e], 1e-6)
        ux, uy, uz = work.unit[b]
        outward -= (x * ux + y * uy + z * uz) / r
        force[e, 0] += x / r + outward * ux
        force[e, 1] += y / r + outward * uy
        force[e, 2] += z / r + outward * uz


@compiled
def _features_of_sites(
    d: Descriptor,
    first: np.ndarray,
    vector: np.ndarray,
    distance: np.ndarray,
    atom: np.ndarray,
    species: np.ndarray,
    work: Scratch,
    out: np.ndarray,
) -> None:
    for s in range(len(out)):
        expand(d, first[s], first[s + 1], vector, distance, atom, species, work)
        make_features(d, work)
        out[s] = work.feature[: out.shape[1]]


def features(of: Descriptor, edges: Edges, species: np.ndarray, sites: int) -> np.ndarray:
    """Features (sites, k) of a descriptor; `species` (atoms,) atomic numbers."""
    first = np.searchsorted(edges.site, np.arange(sites + 1))
    out = np.empty((sites, len(of.mix)))
    room = scratch([of], int(np.diff(first).max(initial=0)))
    _features_of_sites(of, first, edges.vector, edges.distance, edges.atom, species.astype(float), room, out)
    return out


def spectra(crystals: Crystals, settings: DescriptorSettings) -> np.ndarray:
    """Power spectrum (s, components) of every site of a batch."""
    return _of_crystals(crystals, descriptor("power_spectrum", settings))


def _of_crystals(crystals: Crystals, of: Descriptor) -> np.ndarray:
    atoms = crystals.atoms()
    edges = neighbor_list(crystals, of.cutoff, atoms=atoms)
    return features(of, edges, atoms.species, len(crystals.species))


@lru_cache
def reference(target: Target, kind: str = "power_spectrum") -> np.ndarray:
    """Features (k,) of the first site of the target's reference crystal."""
    return _of_crystals(target.reference.crystals(), descriptor(kind, target.descriptor))[0]


def radial_distribution(distance: np.ndarray, r: np.ndarray, *, width: float = 0.05, each: bool = False) -> np.ndarray:
    """Sum over neighbours of normalised Gaussians of standard deviation `width` (angstrom), on the grid r.

    With `each`, the Gaussian of each neighbour by itself, (neighbours, len(r)).
    """
    gauss = np.exp(-((r - np.asarray(distance)[:, None]) ** 2) / (2 * width**2)) / (width * np.sqrt(2 * np.pi))
    return gauss if each else gauss.sum(axis=0)


def angular_fourier_series(vectors: np.ndarray, l_max: int) -> np.ndarray:
    """Angular Fourier series (l_max + 1,) of neighbour vectors (k, 3), radial weight 1.

    AFS_l = sum_jk cos(l theta_jk), self terms included.
    """
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    theta = np.arccos(np.clip(unit @ unit.T, -1, 1))
    return np.array([np.cos(level * theta).sum() for level in range(l_max + 1)])
