"""Barycentric placement: every vertex of a net at the mean of its neighbours, in exact arithmetic.

Once a vertex is fixed, the placement of a connected periodic graph is unique, its coordinates are rational, and every
symmetry of the net moves it as a whole (Delgado-Friedrichs & O'Keeffe, Acta Cryst. A 59, 351, 2003; Delgado-Friedrichs,
Lect. Notes Comput. Sci. 3393, 178, 2005). All that is asked here of two vectors is whether they are equal, and which
comes first in an order that does not depend on how the net was written. Residues of the coordinates modulo a prime
answer both: equal vectors have equal residues, and the order of the residues is as good as any. Different coordinates
share a residue with a chance of 1 in 2^31; it would be the same for all descriptions of the smallest cell.
"""

from dataclasses import dataclass
from math import lcm

import numpy as np

from legocryst.infra.compiled import compiled
from legocryst.topology.graphs import Quotient, coordinates, lattice_basis, one_direction

__all__ = ["PRIMES", "Placement", "eliminate", "minimal_net", "placement"]

PRIMES = (2147483647, 2147483629, 2147483587, 2147483579, 2147483563, 2147483549)
"""The largest primes below 2^31. The first that does not divide the determinant of a net's equations is used."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Both directions of every edge of a net, as arcs, with their vectors in the barycentric placement.

    Arcs are in order of the vertex where they start and, at a vertex, of their vectors.
    """

    prime: int
    first: np.ndarray  # (n + 1,) the arcs of vertex v are first[v] to first[v + 1]
    target: np.ndarray  # (2m,) vertex where an arc ends
    shift: np.ndarray  # (2m, d) cell where it ends
    vector: np.ndarray  # (2m, d) residues of its coordinates

    @property
    def source(self) -> np.ndarray:
        """Vertex (2m,) where each arc starts."""
        return np.repeat(np.arange(len(self.first) - 1), np.diff(self.first))

    @property
    def locally_stable(self) -> bool:
        """Whether no vertex has two neighbours at one place."""
        equal = (self.vector[1:] == self.vector[:-1]).all(axis=1)
        return not (equal & (self.source[1:] == self.source[:-1])).any()


def placement(quotient: Quotient) -> Placement:
    """Return the barycentric placement of a connected net whose loops span all its translations."""
    i, j, shift = quotient.edges[:, 0], quotient.edges[:, 1], quotient.edges[:, 2:]
    source, target, shift = np.concatenate([i, j]), np.concatenate([j, i]), np.concatenate([shift, -shift])
    n, d = quotient.n, shift.shape[1]
    equations = np.zeros((n, n + d), np.int64)
    np.add.at(equations, (source, source), 1)
    np.add.at(equations, (source, target), -1)
    np.add.at(equations[:, n:], source, shift)
    for prime in PRIMES:
        reduced = equations[1:, 1:] % prime  # vertex 0 is at the origin
        if eliminate(reduced, n - 1, prime) == n - 1:
            place = np.concatenate([np.zeros((1, d), np.int64), reduced[:, n - 1 :]])
            vector = (place[target] + shift - place[source]) % prime
            order = np.lexsort((*vector.T[::-1], source))
            first = np.searchsorted(source[order], np.arange(n + 1))
            return Placement(prime, first, target[order], shift[order], vector[order])
    raise ArithmeticError(f"the equations of a net of {n} vertices have no solution modulo any of {PRIMES}")


def minimal_net(quotient: Quotient, placed: Placement) -> tuple[Quotient, np.ndarray] | None:
    """Return the net with all translations that it has, and for each vertex (n,) the one that stands for it there.

    A translation of the net keeps all vectors; at a locally stable net it is therefore known when the image of vertex 0
    is. None if an automorphism of finite order keeps all vectors: it exchanges vertices at one place, and the net's
    translations are not defined.
    """
    image, offset = _automorphisms(placed.first, placed.target, placed.shift, placed.vector)
    if not len(image):
        return quotient, np.arange(quotient.n)
    repeats = [_repeated(one, move) for one, move in zip(image, offset, strict=True)]
    if any((total % order == 0).all() for order, total in repeats):
        return None
    # from here on translations are counted in units of 1 / unit
    unit = lcm(*(order for order, _ in repeats))
    translation = np.array([total * (unit // order) for order, total in repeats])
    basis = lattice_basis(np.concatenate([translation, unit * np.eye(translation.shape[1], dtype=int)]))
    stands_for, away = np.full(quotient.n, -1), np.zeros((quotient.n, translation.shape[1]), int)
    count = 0
    for vertex in range(quotient.n):
        if stands_for[vertex] < 0:
            stands_for[vertex] = stands_for[image[:, vertex]] = count
            away[image[:, vertex]] = translation - unit * offset[:, vertex]
            count += 1
    representatives = np.unique(stands_for, return_index=True)[1]
    arcs = np.isin(placed.source, representatives)
    i, j = stands_for[placed.source[arcs]], stands_for[placed.target[arcs]]
    shift = coordinates(unit * placed.shift[arcs] + away[placed.target[arcs]], basis)
    return Quotient(count, one_direction(np.column_stack([i, j, shift]))), stands_for


def _repeated(image: np.ndarray, offset: np.ndarray) -> tuple[int, np.ndarray]:
    """Return how often an automorphism is repeated until vertex 0 is its own image, and in which cell that is."""
    here, order, total = image[0], 1, offset[0].copy()
    while here != 0:
        total += offset[here]
        here, order = image[here], order + 1
    return order, total


@compiled
def eliminate(matrix: np.ndarray, columns: int, prime: int) -> int:
    """Eliminate (Gauss-Jordan), in place, the first columns of a matrix of residues; returns its rank there.

    If the rank is the number of rows, the other columns hold the solutions afterwards.
    """
    rows, width = matrix.shape
    rank = 0
    for column in range(columns):
        pivot = rank
        while pivot < rows and matrix[pivot, column] == 0:
            pivot += 1
        if pivot == rows:
            continue
        for k in range(column, width):
            matrix[rank, k], matrix[pivot, k] = matrix[pivot, k], matrix[rank, k]
        inverse = _inverse(matrix[rank, column], prime)
        for k in range(column, width):
            matrix[rank, k] = matrix[rank, k] * inverse % prime
        for row in range(rows):
            factor = matrix[row, column]
            if row != rank and factor != 0:
                for k in range(column, width):
                    matrix[row, k] = (matrix[row, k] + (prime - factor) * matrix[rank, k]) % prime
        rank += 1
    return rank


@compiled
def _inverse(number: int, prime: int) -> int:
    """Return the number's inverse modulo a prime, by Euclid's algorithm."""
    before, after, one, other = prime, number, 0, 1
    while after > 1:
        quotient = before // after
        before, after = after, before - quotient * after
        one, other = other, one - quotient * other
    return other % prime


@compiled
def _automorphisms(
    first: np.ndarray, target: np.ndarray, shift: np.ndarray, vector: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return automorphisms but the identity that keep all vectors, each known by the image of vertex 0.

    Returns the image (k, n) of each vertex in cell 0 and the cell (k, n, d) that it is in.
    """
    n, d = len(first) - 1, shift.shape[1]
    images, offsets = np.empty((n - 1, n), np.int64), np.zeros((n - 1, n, d), np.int64)
    queue = np.zeros(n, np.int64)
    count = 0
    for candidate in range(1, n):
        image, offset = images[count], offsets[count]
        image[:] = -1
        image[0] = candidate
        offset[0] = 0
        if _extended(first, target, shift, vector, queue, image, offset):
            count += 1
    return images[:count], offsets[:count]


@compiled
def _extended(
    first: np.ndarray,
    target: np.ndarray,
    shift: np.ndarray,
    vector: np.ndarray,
    queue: np.ndarray,
    image: np.ndarray,
    offset: np.ndarray,
) -> bool:
    """Say whether vertex 0's image extends to all vertices and their arcs; fills queue (0 first), image, offset."""
    d = shift.shape[1]
    count = 1
    for place in range(len(queue)):
        vertex = queue[place]
        there = image[vertex]
        if first[vertex + 1] - first[vertex] != first[there + 1] - first[there]:
            return False
        for k in range(first[vertex + 1] - first[vertex]):
            a, b = first[vertex] + k, first[there] + k
            end = target[a]
            new = image[end] < 0
            if new:
                image[end] = target[b]
                queue[count] = end
                count += 1
            if image[end] != target[b]:
                return False
            for axis in range(d):
                if vector[a, axis] != vector[b, axis]:
                    return False
                cell = offset[vertex, axis] + shift[b, axis] - shift[a, axis]
                if new:
                    offset[end, axis] = cell
                elif offset[end, axis] != cell:
                    return False
    return True
