"""The expansion of a site's neighbours, its invariants, and their derivatives, as compiled functions."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from legocryst.environment.descriptors.radial import _INTERVALS, piecewise_cubics
from legocryst.environment.descriptors.recipes import DESCRIPTORS
from legocryst.environment.harmonics import harmonics
from legocryst.environment.target import DescriptorSettings
from legocryst.infra.compiled import compiled


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
    """Make room for any of some descriptors and at most `neighbours` neighbours of a site."""
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


@lru_cache
def descriptor(kind: str, settings: DescriptorSettings) -> Descriptor:
    """Return the descriptor of some settings, its tables made once."""
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
    """Return the place of the first monomial of a degree."""
    return level * (level + 1) * (level + 2) // 6


@compiled
def make_features(d: Descriptor, work: Scratch) -> None:
    """Compute the features of the site that was expanded, in `work.feature`."""
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
    """Pull a gradient over the features, in `work.feature`, back to one over c_nlm, in `work.pull`."""
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
