"""Atoms of a crystal sorted into the orbits of a space group, and compared with those of another description of it.

Compiled loops over atoms. An atom is found among n others by a number that its periodic images share,
7x + 11y + 13z modulo 1, in a sorted list of the others' numbers.
"""

from typing import NamedTuple

import numpy as np

from legocryst.crystal.symmetry.wyckoff import Wyckoff
from legocryst.infra.compiled import compiled

NEAR = 1e-5
"""Fractions of a cell within which two points are one."""


class Positions(NamedTuple):
    """The Wyckoff positions as compiled functions read them; see `Wyckoff`."""

    first: np.ndarray
    multiplicity: np.ndarray
    op_first: np.ndarray
    rotation: np.ndarray
    translation: np.ndarray

    @staticmethod
    def of(table: Wyckoff) -> "Positions":
        """Return the arrays of the table."""
        return Positions(table.first, table.multiplicity, table.op_first, table.rotation, table.translation)


class Atoms(NamedTuple):
    """The atoms of the primitive cells of n crystals, and their lattices, all in conventional axes."""

    first: np.ndarray  # (n + 1,) atoms of crystal k are first[k]:first[k + 1]
    point: np.ndarray  # (atoms, 3)
    site: np.ndarray  # (atoms,) site of the crystal, counted over all crystals
    primitive: np.ndarray  # (n, 3, 3) columns are a basis of the translations


@compiled
def _apart(x: float) -> float:
    """Return distance from the nearest whole number."""
    return abs(x - np.rint(x))


@compiled
def _same(a: np.ndarray, b: np.ndarray) -> bool:
    return _apart(a[0] - b[0]) < NEAR and _apart(a[1] - b[1]) < NEAR and _apart(a[2] - b[2]) < NEAR


@compiled
def _apply(rotation: np.ndarray, translation: np.ndarray, x: np.ndarray, out: np.ndarray) -> None:
    """Set `out` to rotation x + translation."""
    for i in range(3):
        out[i] = rotation[i, 0] * x[0] + rotation[i, 1] * x[1] + rotation[i, 2] * x[2] + translation[i]


@compiled
def _determinant(m: np.ndarray) -> float:
    across = m[0, 1] * (m[1, 2] * m[2, 0] - m[1, 0] * m[2, 2]) + m[0, 2] * (m[1, 0] * m[2, 1] - m[1, 1] * m[2, 0])
    return m[0, 0] * (m[1, 1] * m[2, 2] - m[1, 2] * m[2, 1]) + across


@compiled
def distinct(point: np.ndarray, site: np.ndarray, to_primitive: np.ndarray) -> np.ndarray:
    """Return (n,) bool: points (n, 3) of which no earlier one of the same site is a copy by a translation."""
    n, none = len(point), np.zeros(3)
    inside, kept = np.empty((n, 3)), np.ones(n, np.bool_)
    for a in range(n):
        _apply(to_primitive, none, point[a], inside[a])
        for b in range(a):
            if kept[b] and site[a] == site[b] and _same(inside[a], inside[b]):
                kept[a] = False
                break
    return kept


@compiled
def in_cell(atoms: Atoms, k: int, inverse: np.ndarray, origin: np.ndarray, out: np.ndarray, site: np.ndarray) -> int:
    """Fill `out` and `site` with all atoms of crystal k in another cell, x = P x' + origin; returns their number.

    `inverse` is that of P, whose columns are translations of the crystal. Atoms that `out` has no room for are counted.
    """
    begin, end = atoms.first[k], atoms.first[k + 1]
    step = np.zeros((3, 3))
    for i in range(3):
        for j in range(3):
            for m in range(3):
                step[i, j] += inverse[i, m] * atoms.primitive[k, m, j]
    cells = int(np.rint(1 / abs(_determinant(step))))
    if cells * (end - begin) > len(out):
        return cells * (end - begin)
    offset, count, none = np.empty((cells + 1, 3)), 0, np.zeros(3)
    where = np.empty(3)
    for number in range(cells**3):
        where[0], where[1], where[2] = number // cells**2, number // cells % cells, number % cells
        _apply(step, none, where, offset[count])
        new = True
        for other in range(count):
            new = new and not _same(offset[count], offset[other])
        count += new
        if count == cells:
            break
    n = 0
    for a in range(begin, end):
        for i in range(3):
            where[i] = atoms.point[a, i] - origin[i]
        for c in range(cells):
            _apply(inverse, offset[c], where, out[n])
            site[n] = atoms.site[a]
            n += 1
    return n


@compiled
def _number(x: np.ndarray) -> float:
    value = 7 * x[0] + 11 * x[1] + 13 * x[2]
    return value - np.floor(value)


@compiled
def _find(
    points: np.ndarray, numbers: np.ndarray, order: np.ndarray, x: np.ndarray, gram: np.ndarray, reach: float
) -> tuple[int, float]:
    """Find the point nearest to x, and the square of its distance in the metric `gram`; (-1, inf) if none is near.

    `numbers` are those of the points in rising `order`; only points whose number is within `reach` are looked at.
    """
    n, best, nearest = len(points), -1, np.inf
    low = _number(x) - reach
    low -= np.floor(low)
    start = np.searchsorted(numbers, low)
    d = np.empty(3)
    for turn in range(n):
        j = (start + turn) % n
        beyond = numbers[j] - low
        if beyond < 0:
            beyond += 1
        if beyond > 2 * reach:
            break
        for i in range(3):
            d[i] = x[i] - points[order[j], i]
            d[i] -= np.rint(d[i])
        square = 0.0
        for a in range(3):
            for b in range(3):
                square += d[a] * gram[a, b] * d[b]
        if square < nearest:
            best, nearest = order[j], square
    return best, nearest


@compiled
def placed(table: Positions, group: int, size: int, x: np.ndarray, out: np.ndarray) -> int:
    """Return Wyckoff index of a point x whose orbit has `size` members; `out` is its image on the first operation.

    -1 if it is on no position of the group.
    """
    general = table.first[group]
    image = np.empty(3)
    for position in range(general, table.first[group + 1]):
        if table.multiplicity[position] != size:
            continue
        first = table.op_first[position]
        for o in range(table.op_first[general], table.op_first[general + 1]):
            _apply(table.rotation[o], table.translation[o], x, image)
            _apply(table.rotation[first], table.translation[first], image, out)
            if _same(image, out):
                return position - general
    return -1


@compiled
def sites_of(
    table: Positions,
    group: int,
    points: np.ndarray,
    owner: np.ndarray,
    position: np.ndarray,
    point: np.ndarray,
    source: np.ndarray,
) -> int:
    """Fill `position`, `point` and `source` with the orbits of a group into which points (n, 3) fall.

    `owner` (n,) is the site that each point comes from, and `source` that of each orbit. Returns the number of orbits;
    -1 if there are more than `position` has room for, -2 if the group does not carry the points onto each other.
    """
    n, sites = len(points), 0
    numbers = np.empty(n)
    for a in range(n):
        numbers[a] = _number(points[a])
    order = np.argsort(numbers)
    numbers = numbers[order]
    taken, image, unit = np.zeros(n, np.bool_), np.empty(3), np.eye(3)
    general = table.first[group]
    for a in range(n):
        if taken[a]:
            continue
        if sites == len(position):
            return -1
        size = 0
        for o in range(table.op_first[general], table.op_first[general + 1]):
            _apply(table.rotation[o], table.translation[o], points[a], image)
            b, square = _find(points, numbers, order, image, unit, 31 * NEAR)
            if b < 0 or square > NEAR**2:
                return -2
            if not taken[b]:
                taken[b] = True
                size += 1
        position[sites] = placed(table, group, size, points[a], point[sites])
        if position[sites] < 0:
            return -2
        source[sites] = owner[a]
        sites += 1
    return sites


@compiled
def chosen(table: Positions, position: int, x: np.ndarray, chance: float, out: np.ndarray) -> None:
    """Fill `out` with one, by a chance in [0, 1), of the orbit's points on a position's first operation, wrapped."""
    begin, end = table.op_first[position], table.op_first[position + 1]
    kept, image = np.empty(end - begin, np.int64), np.empty(3)
    n = 0
    for o in range(begin, end):
        _apply(table.rotation[o], table.translation[o], x, image)
        _apply(table.rotation[begin], table.translation[begin], image, out)
        if _same(image, out):
            kept[n] = o
            n += 1
    o = kept[int(chance * n)]
    _apply(table.rotation[o], table.translation[o], x, image)
    _apply(table.rotation[begin], table.translation[begin], image, out)
    for i in range(3):
        out[i] -= np.floor(out[i])


@compiled
def deviation(
    points: np.ndarray,
    kind: np.ndarray,
    expected: np.ndarray,
    expected_kind: np.ndarray,
    gram: np.ndarray,
    spread: np.ndarray,
    most: float,
) -> float:
    """Find the largest distance of points (n, 3) from the expected ones, paired one to one; inf where none pair.

    `kind` separates elements. `gram` is the metric in square angstrom, and `spread` (3,) tells how far x, y and z go
    within one angstrom; beyond `most` angstrom no partner is sought.
    """
    n = len(points)
    if len(expected) != n:
        return np.inf
    numbers = np.empty(n)
    for a in range(n):
        numbers[a] = _number(expected[a])
    order = np.argsort(numbers)
    numbers = numbers[order]
    reach = min(0.5, most * (7 * spread[0] + 11 * spread[1] + 13 * spread[2]) + 1e-12)
    taken, largest = np.zeros(n, np.bool_), 0.0
    for a in range(n):
        b, square = _find(expected, numbers, order, points[a], gram, reach)
        if b < 0 or square > most**2 or taken[b] or kind[a] != expected_kind[b]:
            return np.inf
        taken[b] = True
        largest = max(largest, square)
    return np.sqrt(largest)
