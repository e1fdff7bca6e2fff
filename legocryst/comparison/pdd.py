"""Pointwise distance distributions: how far the atoms of a crystal are from each other, whatever its cell or origin.

After Widdowson & Kurlin, "Resolving the data ambiguity for periodic crystals", NeurIPS 2022, and, for the average,
Widdowson, Mosca, Pulido, Cooper & Kurlin, MATCH 87, 529 (2022). Each atom has a row, the distances to its k nearest
atoms in order; a row counts as often as atoms have it. Two crystals are as far apart as the earth mover has to carry
their rows, where two rows are as far apart as their most different distances. If every atom of a crystal moves by at
most e, it comes at most 2 e away. Elements and mirror images are not distinguished.

Two rules make distances depend on the crystal, and not on the method that gave its geometry:

- Every crystal is scaled until its bonds are on average as long as the target's.
- Where a component of the net is no framework, only atoms of one component have distances: how layers are stacked, and
  how far layers, chains or cages are from each other, does not count.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import pi

import numpy as np

from legocryst.crystal.crystals import Crystals
from legocryst.crystal.symmetry.projection import wrapped
from legocryst.environment.neighbors import find_neighbors
from legocryst.environment.target import Target
from legocryst.infra.compiled import compiled
from legocryst.topology.graphs import connected_parts
from legocryst.topology.nets import bond_graph

__all__ = ["NEIGHBORS", "PDD", "amds", "distance", "pdds"]

NEIGHBORS = 100
"""Distances of a row."""
_BALL = (1.0, 2.0, pi, 4 / 3 * pi)
"""Content of a ball of radius 1 by dimension."""
_FAR = 1e4
"""Angstrom between the images of a component along directions in which it does not go on."""
_SAME = 6
"""Digits behind the point (angstrom) to which rows that are one agree."""


@dataclass(frozen=True, slots=True)
class PDD:
    """The distance distribution of a crystal, scaled to the target's bonds."""

    rows: np.ndarray  # (r, NEIGHBORS) angstrom, each ascending, all different
    count: np.ndarray  # (r,) whole number of atoms that have the row, of all atoms of some cell

    @property
    def amd(self) -> np.ndarray:
        """Average minimum distances (NEIGHBORS,): the average row, in angstrom."""
        return self.count @ self.rows / self.count.sum()


def pdds(crystals: Crystals, target: Target) -> list[PDD]:
    """Return the distance distribution of each crystal; atoms that symmetry makes equal are computed once."""
    return [_pdd(crystals.take([k]), target) for k in range(len(crystals))]


def amds(invariants: Sequence[PDD]) -> np.ndarray:
    """Return the average minimum distances (n, NEIGHBORS) of some crystals, angstrom.

    Their largest difference is never more than the distance of the two crystals, and much faster to compute.
    """
    return np.array([pdd.amd for pdd in invariants]).reshape(len(invariants), NEIGHBORS)


def distance(one: PDD, other: PDD) -> float:
    """Return how far apart two crystals are, in angstrom: 0 if equal, at most 2 e if one is the other moved by e."""
    common = int(np.lcm(one.count.sum(), other.count.sum()))
    supply = one.count * (common // one.count.sum())
    demand = other.count * (common // other.count.sum())
    return float(_carried(_cost(one.rows, other.rows), supply, demand)) / common


def _pdd(crystal: Crystals, target: Target) -> PDD:
    rows, count = [], []
    clouds, scale = _clouds(crystal, target)
    for lattice, points, centres, atoms, periodic in clouds:
        rows.append(_nearest(lattice, points, centres, NEIGHBORS, *_reach(lattice, len(points), periodic)))
        count.append(atoms)
    table = np.round(np.concatenate(rows) * scale, _SAME)
    distinct, which = np.unique(table, axis=0, return_inverse=True)
    return PDD(distinct, np.bincount(which.ravel(), weights=np.concatenate(count)).astype(np.int64))


def _clouds(
    crystal: Crystals, target: Target
) -> tuple[Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, int]], float]:
    """Return the atoms among which distances count, and the factor that gives the crystal the target's bond length.

    Each cloud is a lattice (3, 3), fractional coordinates (a, 3), those of its points that are computed (c,), how many
    atoms each of these stands for (c,), and in how many directions it goes on.
    """
    atoms, lattice = crystal.atoms(), crystal.lattice[0]
    graph = bond_graph(crystal, 0, cutoff=target.bond_window[1])
    edges = graph.edges
    if not len(edges):
        return iter([_whole(crystal)]), 1.0
    bonds = (atoms.fractional[edges[:, 1]] + edges[:, 2:] - atoms.fractional[edges[:, 0]]) @ lattice
    scale = target.bond / float(np.linalg.norm(bonds, axis=1).mean())
    parts = list(connected_parts(graph))
    if all(part.periodicity == 3 for part in parts):
        return iter([_whole(crystal)]), scale
    return (_of_part(part.members, part.cell, part.basis, crystal) for part in parts), scale


def _whole(crystal: Crystals) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, int]:
    """Return all atoms, the first of each site standing for it."""
    multiplicity = crystal.multiplicity
    first = np.cumsum(multiplicity) - multiplicity
    return *_compact(crystal.lattice[0], crystal.atoms().fractional), first, multiplicity, 3


def _compact(lattice: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the same atoms in the least skewed cell, since neighbours in a skewed one take long to find."""
    from spglib import niggli_reduce

    reduced = niggli_reduce(lattice)
    if reduced is None:  # spglib gives up on some cells; the one that there is will do
        return lattice, points
    return np.ascontiguousarray(reduced), wrapped(points @ lattice @ np.linalg.inv(reduced))


def _of_part(
    members: list[int], cell: np.ndarray, basis: np.ndarray, crystal: Crystals
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, int]:
    """Return a component by itself; directions in which it does not go on have images that are out of reach."""
    atoms, lattice = crystal.atoms(), crystal.lattice[0]
    own = basis @ lattice
    across = np.linalg.svd(own, full_matrices=True)[2][len(own) :] if len(own) else np.eye(3)
    padded = np.concatenate([own, _FAR * across])
    points = (atoms.fractional[members] + cell) @ lattice @ np.linalg.inv(padded)
    _, first, count = np.unique(atoms.site[members], return_index=True, return_counts=True)
    return padded, points, first, count, len(own)


def _reach(lattice: np.ndarray, atoms: int, periodic: int) -> tuple[float, bool]:
    """Return a radius within which about NEIGHBORS atoms are expected, and whether there are that many at all."""
    own = lattice[:periodic]
    content = float(np.sqrt(np.linalg.det(own @ own.T))) if periodic else 1.0
    if not periodic:
        return _FAR / 10, atoms > NEIGHBORS
    return 1.1 * float((NEIGHBORS * content / atoms / _BALL[periodic]) ** (1 / periodic)), True


@compiled
def _nearest(
    lattice: np.ndarray, points: np.ndarray, centres: np.ndarray, number: int, radius: float, enough: bool
) -> np.ndarray:
    """Return distances (c, number) from each centre to its nearest atoms; with too few atoms the last is repeated."""
    out = np.zeros((len(centres), number))
    room = 4 * number
    atom, image, length = np.empty(room, np.int64), np.empty((room, 3)), np.empty(room)
    for k in range(len(centres)):
        count = -1
        while count < 0 or (enough and count < number):
            count = find_neighbors(lattice, points, 0, len(points), centres[k], radius, 0, atom, image, length)
            if count < 0:
                room *= 2
                atom, image, length = np.empty(room, np.int64), np.empty((room, 3)), np.empty(room)
            elif enough and count < number:
                radius *= 1.15
        sorted_lengths = np.sort(length[:count])
        filled = min(count, number)
        out[k, :filled] = sorted_lengths[:filled]
        if 0 < filled < number:
            out[k, filled:] = sorted_lengths[filled - 1]
    return out


@compiled
def _cost(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the largest difference (r, s) of every row of one with every row of the other."""
    out = np.zeros((len(one), len(other)))
    for i in range(len(one)):
        for j in range(len(other)):
            most = 0.0
            for k in range(one.shape[1]):
                most = max(most, abs(one[i, k] - other[j, k]))
            out[i, j] = most
    return out


@compiled
def _carried(cost: np.ndarray, supply: np.ndarray, demand: np.ndarray) -> float:
    """Return least cost of carrying whole supplies (r,) to demands (s,) of the same sum; cost (r, s) for each unit.

    Shortest augmenting paths, one after another, with potentials that keep reduced costs from being negative
    (Edmonds & Karp, J. ACM 19, 248, 1972).
    """
    r, s = cost.shape
    left, open_, flow = supply.copy(), demand.copy(), np.zeros((r, s), np.int64)
    high, low = np.zeros(r), np.zeros(s)  # potentials: cost + high - low is never negative, and 0 where flow is
    for j in range(s):
        low[j] = cost[:, j].min()
    near_row, near_column = np.empty(r), np.empty(s)
    done_row, done_column = np.empty(r, np.bool_), np.empty(s, np.bool_)
    from_row, from_column = np.empty(s, np.int64), np.empty(r, np.int64)
    while left.sum() > 0:
        near_row[:], near_column[:] = np.inf, np.inf
        done_row[:], done_column[:] = False, False
        for i in range(r):
            if left[i] > 0:
                near_row[i], from_column[i] = 0.0, -1
        end = -1
        while end < 0:
            least, row, column = np.inf, -1, -1
            for i in range(r):
                if not done_row[i] and near_row[i] < least:
                    least, row = near_row[i], i
            for j in range(s):
                if not done_column[j] and near_column[j] < least:
                    least, row, column = near_column[j], -1, j
            if row >= 0:
                done_row[row] = True
                for j in range(s):
                    if not done_column[j]:
                        way = least + max(cost[row, j] + high[row] - low[j], 0.0)
                        if way < near_column[j]:
                            near_column[j], from_row[j] = way, row
                continue
            done_column[column] = True
            if open_[column] > 0:
                end = column
                break
            for i in range(r):
                if not done_row[i] and flow[i, column] > 0 and least < near_row[i]:
                    near_row[i], from_column[i] = least, column
        reach = near_column[end]
        for i in range(r):
            high[i] += min(near_row[i], reach)
        for j in range(s):
            low[j] += min(near_column[j], reach)
        carried, column = open_[end], end
        while True:
            row = from_row[column]
            if from_column[row] < 0:
                carried = min(carried, left[row])
                break
            carried, column = min(carried, flow[row, from_column[row]]), from_column[row]
        open_[end] -= carried
        column = end
        while True:
            row = from_row[column]
            flow[row, column] += carried
            if from_column[row] < 0:
                left[row] -= carried
                break
            flow[row, from_column[row]] -= carried
            column = from_column[row]
    return float((flow * cost).sum())
