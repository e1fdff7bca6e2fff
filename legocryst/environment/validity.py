"""Is every atom in the target environment? The strict and the published criterion, with the reason for a failure."""

from dataclasses import dataclass

import numpy as np

from legocryst.crystal.crystals import Crystals
from legocryst.environment.descriptors import descriptor, features, reference
from legocryst.environment.neighbors import Edges, neighbor_list
from legocryst.environment.target import Target
from legocryst.environment.vertex_figure import fit

REASONS = (
    "impossible cell",
    "overlapping atoms",
    "too few bonds",
    "too many bonds",
    "bond too short",
    "atom in the gap",
    "angle too small",
    "shape differs",
)
OVERLAP = 0.7
"""Atoms nearer than this share of the ideal bond length overlap."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One entry a crystal; the reason is the first of `REASONS` that holds, "" where strictly valid."""

    valid: np.ndarray  # (n,) bool, strict criterion
    published: np.ndarray  # (n,) bool, published criterion
    reason: np.ndarray  # (n,) object
    loss: np.ndarray  # (n,) descriptor loss per atom


def environment_loss(crystals: Crystals, edges: Edges, species: np.ndarray, target: Target) -> np.ndarray:
    """Return descriptor loss (n,): sum over sites of multiplicity x |P - P_ref|^2, divided by the number of atoms."""
    spectrum = features(descriptor("power_spectrum", target.descriptor), edges, species, len(crystals.species))
    distance = ((spectrum - reference(target)) ** 2).sum(axis=1) * crystals.multiplicity
    total = np.bincount(crystals.crystal_of_site, weights=distance, minlength=len(crystals))
    return total / np.maximum(crystals.atom_count, 1)


def judge(crystals: Crystals, target: Target) -> Verdict:
    """Return strict and published validity of every crystal of a batch against a target."""
    sound = np.nan_to_num(crystals.volume) > 1e-3
    if not sound.all():
        return _scatter(judge(crystals.take(sound), target), sound)
    atoms = crystals.atoms()
    edges = neighbor_list(crystals, max(target.gap, target.descriptor.r_cut), atoms=atoms)
    sites, r, site = len(crystals.species), edges.distance, edges.site
    shortest, longest = target.bond_window
    bonds = _count(site[r <= longest], sites)
    failures = {
        "overlapping atoms": _count(site[r < OVERLAP * target.bond], sites) > 0,
        "too few bonds": bonds < target.coordination,
        "too many bonds": bonds > target.coordination,
        "bond too short": _count(site[r < shortest], sites) > 0,
        "atom in the gap": _count(site[(r > longest) & (r < target.gap)], sites) > 0,
        "angle too small": _small_angle(edges, sites, target),
        "shape differs": _other_shape(edges, bonds, target),
    }
    loss = environment_loss(crystals, edges, atoms.species, target)
    reason = np.full(len(crystals), "", object)
    for name in reversed(failures):
        reason[crystals.crystal_of_site[failures[name]]] = name
    return Verdict(reason == "", _published(crystals, edges, target), reason, loss)


def _count(site: np.ndarray, sites: int) -> np.ndarray:
    return np.bincount(site, minlength=sites)


def _published(crystals: Crystals, edges: Edges, target: Target) -> np.ndarray:
    """Say whether every site has exactly the target's number of neighbours within the published cutoff."""
    near = edges.site[edges.distance <= target.published_cutoff]
    right = _count(near, len(crystals.species)) == target.coordination
    return np.bincount(crystals.crystal_of_site, weights=~right, minlength=len(crystals)) == 0


def _small_angle(edges: Edges, sites: int, target: Target) -> np.ndarray:
    """Return (sites,) bool: two bonds enclose less than the smallest angle."""
    bond = np.flatnonzero(edges.distance <= target.bond_window[1])
    site, unit = edges.site[bond], edges.vector[bond] / np.maximum(edges.distance[bond], 1e-9)[:, None]
    j, k = _pairs(site, sites)
    small = (unit[j] * unit[k]).sum(axis=1) > np.cos(np.radians(target.min_angle))
    return _count(site[j[small]], sites) > 0


def _other_shape(edges: Edges, bonds: np.ndarray, target: Target) -> np.ndarray:
    """Return (sites,) bool: a site has the right number of bonds, in other directions than the target's figure."""
    other = np.zeros(len(bonds), bool)
    if target.vertex_figure is not None:
        complete = bonds == target.coordination
        bonded = (edges.distance <= target.bond_window[1]) & complete[edges.site]
        vectors = edges.vector[bonded].reshape(-1, target.coordination, 3)
        figure = np.array(target.vertex_figure.directions)
        other[complete] = fit(vectors, figure).rmsd > target.vertex_figure.limit
    return other


def _pairs(site: np.ndarray, sites: int) -> tuple[np.ndarray, np.ndarray]:
    """Return all j < k with edges j and k at the same site; `site` (e,) sorted."""
    count = _count(site, sites)
    rank = np.arange(len(site)) - np.repeat(np.cumsum(count) - count, count)
    second = np.repeat(np.arange(len(site)), rank)
    first = np.arange(len(second)) - np.repeat(np.cumsum(rank) - rank, rank)
    return second - rank[second] + first, second


def _scatter(verdict: Verdict, sound: np.ndarray) -> Verdict:
    """Return the verdict on the sound crystals, with "impossible cell" for the others."""
    n = len(sound)
    valid, published = np.zeros(n, bool), np.zeros(n, bool)
    reason, loss = np.full(n, "impossible cell", object), np.full(n, np.nan)
    valid[sound], published[sound], reason[sound], loss[sound] = (
        verdict.valid,
        verdict.published,
        verdict.reason,
        verdict.loss,
    )
    return Verdict(valid, published, reason, loss)
