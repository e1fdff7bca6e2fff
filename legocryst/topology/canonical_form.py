"""Canonical form of a net: a list of edges that two nets share if, and only if, they are the same.

After Delgado-Friedrichs & O'Keeffe, Acta Cryst. A 59, 351 (2003): the net is reduced to its smallest cell, walked
through from a vertex, breadth first, in the order of coordinates along a frame of edges, and of all frames the one with
the smallest list is taken. Coordinates are residues (see placement.py), so that numbers of vertices follow another
order than in the Systre program, and forms cannot be compared with its keys.
"""

from collections.abc import Sequence

import numpy as np

from legocryst.infra.compiled import compiled
from legocryst.topology.graphs import Quotient, lattice_basis
from legocryst.topology.placement import eliminate, minimal_net, placement

__all__ = ["canonical_form"]


def canonical_form(quotient: Quotient, classes: Sequence[int]) -> tuple[str, list[int]]:
    """Return the canonical form of a connected net whose loops span all its translations, and classes of its vertices.

    The form is the number of translations, then i, j, n1, ..., nd for each edge of the smallest cell: vertex i is
    joined with vertex j in cell (n1, ..., nd). It is "" for nets without one: finite graphs, and nets where two
    neighbours of a vertex, or vertices that an automorphism of finite order exchanges, have one barycentric place.

    Vertices of one class are equivalent. With the classes (n,) that are known beforehand only one vertex of each is
    walked from; the classes returned are larger where the net has more symmetry.
    """
    if quotient.edges.shape[1] == 2:
        return "", list(classes)
    placed = placement(quotient)
    reduced = minimal_net(quotient, placed) if placed.locally_stable else None
    if reduced is None:
        return "", list(classes)
    smallest, stands_for = reduced
    if smallest.n < quotient.n:
        placed = placement(smallest)
    one_of = dict(zip(classes, stands_for.tolist(), strict=True))
    starts = np.array(sorted(set(one_of.values())))
    walk, shift, number = _smallest_walk(placed.first, placed.target, placed.shift, placed.vector, starts, placed.prime)
    equivalent = {name: int(number[vertex]) for name, vertex in one_of.items()}
    return _written(walk[:, :2], lattice_basis(shift.T).T), [equivalent[name] for name in classes]


def _written(ends: np.ndarray, shift: np.ndarray) -> str:
    """Return the edges of a walk through all arcs, each once; their vertices are counted from 1."""
    edges = []
    for (i, j), cell in zip((ends + 1).tolist(), shift.tolist(), strict=True):
        if i < j or (i == j and cell > [0] * len(cell)):
            edges.append((i, j, *cell))
    return " ".join(map(str, [shift.shape[1], *(x for edge in sorted(edges) for x in edge)]))


@compiled
def _smallest_walk(
    first: np.ndarray, target: np.ndarray, shift: np.ndarray, vector: np.ndarray, starts: np.ndarray, prime: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find the smallest walk of all frames: steps (2m, 2 + d), as of `_walk`, and shifts (2m, d) of the arcs.

    Also, for each vertex (n,), the smallest number that it has in any walk with these steps: vertices that share it are
    equivalent.
    """
    arcs, d = shift.shape
    steps, best = np.empty((arcs, 2 + d), np.int64), np.empty((arcs, 2 + d), np.int64)
    best[0, 0] = prime  # larger than any
    cells, cells_of_best = np.empty((arcs, d), np.int64), np.empty((arcs, d), np.int64)
    number, smallest = np.empty(len(first) - 1, np.int64), np.empty(len(first) - 1, np.int64)
    for start in starts:
        frames = _frames(first, target, vector, start, prime)
        for k in range(len(frames)):
            order = _walk(first, target, shift, vector, start, frames[k], prime, best, steps, cells, number)
            if order < 0:
                steps, best = best, steps
                cells, cells_of_best = cells_of_best, cells
                smallest[:] = number
            elif order == 0:
                smallest = np.minimum(smallest, number)
    return best, cells_of_best, smallest


@compiled
def _frames(first: np.ndarray, target: np.ndarray, vector: np.ndarray, start: int, prime: int) -> np.ndarray:
    """Return matrices (k, d, d) that give coordinates along each frame of a vertex.

    A frame is d independent vectors of arcs, such that each begins where the one before ends or, if none there is
    independent, as few edges from there as possible. (The vectors at a three-connected vertex span a plane only.)
    """
    d = vector.shape[1]
    frames, ends = np.zeros((1, d, d), np.int64), np.full(1, start)
    for rank in range(d):
        arcs = [_independent(first, target, vector, frames[k], rank, ends[k], prime) for k in range(len(frames))]
        total = 0
        for starts in arcs:
            total += len(starts)
        longer, ends = np.zeros((total, d, d), np.int64), np.empty(total, np.int64)
        total = 0
        for k in range(len(frames)):
            for arc in arcs[k]:
                longer[total] = frames[k]
                longer[total, rank] = vector[arc]
                ends[total] = target[arc]
                total += 1
        frames = longer
    both = np.zeros((d, 2 * d), np.int64)
    for k in range(len(frames)):
        both[:, :d] = frames[k]
        both[:, d:] = np.eye(d)
        eliminate(both, d, prime)
        frames[k] = both[:, d:]
    return frames


@compiled
def _independent(
    first: np.ndarray, target: np.ndarray, vector: np.ndarray, frame: np.ndarray, rank: int, start: int, prime: int
) -> np.ndarray:
    """Return the arcs nearest to a vertex that are independent of the first vectors of a frame."""
    chosen, count = np.empty(len(target), np.int64), 0
    seen = np.zeros(len(first) - 1, np.bool_)
    queue, length = np.empty(len(first) - 1, np.int64), 1
    queue[0] = start
    seen[start] = True
    begin, end = 0, 1
    while count == 0 and begin < end:
        for vertex in queue[begin:end]:
            for arc in range(first[vertex], first[vertex + 1]):
                trial = frame[: rank + 1].copy()
                trial[rank] = vector[arc]
                if eliminate(trial, trial.shape[1], prime) > rank:
                    chosen[count] = arc
                    count += 1
                if not seen[target[arc]]:
                    seen[target[arc]] = True
                    queue[length] = target[arc]
                    length += 1
        begin, end = end, length
    return chosen[:count]


@compiled
def _walk(
    first: np.ndarray,
    target: np.ndarray,
    shift: np.ndarray,
    vector: np.ndarray,
    start: int,
    frame: np.ndarray,
    prime: int,
    best: np.ndarray,
    steps: np.ndarray,
    cells: np.ndarray,
    number: np.ndarray,
) -> int:
    """Walk along all arcs in the order of a frame; fills steps, cells (shifts) and number (of each vertex, as met).

    A step is the numbers of its ends and the residues, along the frame, of its shift between the places where the ends
    were first met. Returns -1, 0 or 1: smaller than the best steps, equal, or larger, where the walk stops.
    """
    n, d = len(first) - 1, shift.shape[1]
    queue = np.empty(n, np.int64)
    number[:] = -1
    offset = np.zeros((n, d), np.int64)
    number[start], queue[0] = 0, start
    count, length, order = 1, 0, 0
    for place in range(n):
        vertex = queue[place]
        for arc in _in_order(vector, first[vertex], first[vertex + 1], frame, prime):
            end = target[arc]
            new = number[end] < 0
            if new:
                number[end], queue[count] = count, end
                count += 1
            for axis in range(d):
                cell = offset[vertex, axis] + shift[arc, axis]
                if new:
                    offset[end, axis] = cell
                cells[length, axis] = cell - offset[end, axis]
            steps[length, 0], steps[length, 1] = place, number[end]
            _along(cells[length], frame, prime, steps[length, 2:])
            if order == 0:
                order = _compared(steps[length], best[length])
                if order > 0:
                    return order
            length += 1
    return order


@compiled
def _in_order(vector: np.ndarray, begin: int, end: int, frame: np.ndarray, prime: int) -> np.ndarray:
    """Return the arcs from begin to end by their coordinates along a frame (few: sorted by insertion)."""
    count = end - begin
    key, order = np.empty((count, vector.shape[1]), np.int64), np.empty(count, np.int64)
    for k in range(count):
        _along(vector[begin + k], frame, prime, key[k])
        place = k
        while place > 0 and _compared(key[k], key[order[place - 1] - begin]) < 0:
            order[place] = order[place - 1]
            place -= 1
        order[place] = begin + k
    return order


@compiled
def _along(vector: np.ndarray, frame: np.ndarray, prime: int, out: np.ndarray) -> None:
    """Compute residues of a vector's coordinates along a frame."""
    for axis in range(len(out)):
        total = 0
        for k in range(len(vector)):
            total += vector[k] % prime * frame[k, axis] % prime
        out[axis] = total % prime


@compiled
def _compared(one: np.ndarray, other: np.ndarray) -> int:
    """Return -1, 0 or 1: the sign of the first difference of two rows."""
    for k in range(len(one)):
        if one[k] != other[k]:
            return -1 if one[k] < other[k] else 1
    return 0
