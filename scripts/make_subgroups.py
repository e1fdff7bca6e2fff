"""Write data/subgroups.npz: the subgroups of all 230 space groups whose primitive cell is at most four times as large.

By Hermann's theorem a subgroup H of a space group G is a klassengleiche subgroup of exactly one translationengleiche
subgroup M of G. So for each class of subgroups U of the point group, the rotations of M, all lattices T of index k that
U keeps are tried, and for each all ways to give the rotations of U translations, modulo T, under which they close. That
finds every H; of those conjugate in G one is kept. Its type and transformation to the setting of data/wyckoff.npz are
found by spglib from a crystal made of three general orbits, and verified here: the operations of that type, carried
into the parent's axes, must be exactly those of H. Takes 130 CPU-s. Run from the repository root:

    python -m scripts.make_subgroups
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import spglib
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from legocryst.crystal.cell import HEXAGONAL, RIGHT, lattice, system_index
from legocryst.crystal.io.structures import hall_number
from legocryst.crystal.symmetry.wyckoff import N_GROUPS, wyckoff
from legocryst.topology.graphs import lattice_basis

OUT = Path(__file__).resolve().parents[1] / "data" / "subgroups.npz"
CELLS = 4
"""Most primitive cells of the parent in one of a subgroup."""
WHOLE = 24
"""Translations of operations are multiples of 1/24; kept as integers in what follows."""
_POINTS = np.sqrt([[0.0184, 0.0739, 0.1716], [0.3141, 0.0271, 0.1007], [0.0553, 0.2063, 0.4127]])
"""Points on no symmetry element by accident."""


class SpaceGroup:
    """A space group in a primitive basis: rotations by number, their translations in 24ths, their products."""

    def __init__(self, group: int) -> None:
        rotation, translation = wyckoff().general(group)
        unit = np.abs(rotation - np.eye(3)).max(axis=(1, 2)) < 1e-6
        centring = [tuple(row) for row in np.rint(6 * translation[unit]).astype(int).tolist()]
        self.group = group
        self.basis = lattice_basis(np.array([*centring, (6, 0, 0), (0, 6, 0), (0, 0, 6)])).T / 6  # columns
        inverse = np.linalg.inv(self.basis)
        turned = np.rint(inverse @ rotation @ self.basis).astype(int)
        _, chosen = np.unique(turned.reshape(-1, 9), axis=0, return_index=True)
        self.rotation = turned[chosen]
        self.translation = np.rint(translation @ inverse.T * WHOLE).astype(int)[chosen] % WHOLE
        self.order = len(chosen)
        number = {tuple(r.ravel().tolist()): k for k, r in enumerate(self.rotation)}

        def find(r: np.ndarray) -> int:
            return number[tuple(r.ravel().tolist())]

        self.product = np.array([[find(a @ b) for b in self.rotation] for a in self.rotation])
        self.unit = find(np.eye(3, dtype=int))
        self.inverse = np.argmax(self.product == self.unit, axis=1)
        self.conjugate = np.array([self.product[self.product[g], self.inverse[g]] for g in range(self.order)])

    def closed(self, members: set[int]) -> frozenset[int]:
        """Return the subgroup of rotations that some generate."""
        members_of, new = {self.unit}, set(members)
        while new:
            members_of |= new
            rows = sorted(members_of)
            new = set(self.product[np.ix_(rows, rows)].ravel().tolist()) - members_of
        return frozenset(members_of)

    def subgroups(self) -> list[list[int]]:
        """Return one subgroup of the rotations for each class of conjugates, the largest first."""
        queue = [self.closed(set())]
        seen = set(queue)
        while queue:
            members = queue.pop()
            for extra in set(range(self.order)) - members:
                larger = self.closed({*members, extra})
                if larger not in seen:
                    seen.add(larger)
                    queue.append(larger)
        names = {min(map(tuple, np.sort(self.conjugate[:, sorted(u)], axis=1).tolist())) for u in seen}
        return [list(name) for name in sorted(names, key=lambda name: (-len(name), name))]

    def generators(self, members: list[int]) -> list[int]:
        """Return few rotations that generate a subgroup."""
        chosen: list[int] = []
        while len(closure := self.closed(set(chosen))) < len(members):
            rest = [x for x in members if x not in closure]
            chosen.append(max(rest, key=lambda x: len(self.closed({*chosen, x}))))
        return chosen

    def normalizer(self, members: list[int]) -> list[int]:
        """Return rotations that carry a subgroup onto itself."""
        return [g for g in range(self.order) if set(self.conjugate[g, members]) == set(members)]


@cache
def sublattices(k: int) -> list[np.ndarray]:
    """List bases (rows, upper triangular, Hermite's normal form) of all sublattices of index k of whole numbers."""
    return [
        np.array([[a, b, c], [0, d, e], [0, 0, k // (a * d)]])
        for a in range(1, k + 1)
        for d in range(1, k // a + 1)
        if k % (a * d) == 0
        for b, c, e in product(range(d), range(k // (a * d)), range(k // (a * d)))
    ]


def coset(vectors: np.ndarray, lattice_rows: np.ndarray) -> np.ndarray:
    """Return numbers from 0 to k - 1 of the cosets of a lattice of index k in which whole vectors (..., 3) lie."""
    rest = vectors.copy()
    for i in range(3):
        rest -= (rest[..., i] // lattice_rows[i, i])[..., None] * lattice_rows[i]
    a, d, _ = np.diagonal(lattice_rows)
    return rest[..., 0] + a * (rest[..., 1] + d * rest[..., 2])


@dataclass(frozen=True, slots=True)
class Complements:
    """All subgroups with rotations `members` and one lattice of translations."""

    lattice: np.ndarray  # (3, 3) rows
    code: np.ndarray  # (n,) the cosets of the generators' translations as one number
    translation: np.ndarray  # (n, members, 3) in 24ths


def complements(space: SpaceGroup, members: list[int], generators: list[int], rows: np.ndarray) -> Complements:
    """Return every way to give the generators translations, modulo a lattice, so that the rotations close."""
    a, d, f = np.diagonal(rows).tolist()
    k, place = a * d * f, {member: i for i, member in enumerate(members)}
    steps = np.array([(x, y, z) for z in range(f) for y in range(d) for x in range(a)])
    choice = np.array(list(product(range(k), repeat=len(generators))), int).reshape(
        k ** len(generators), len(generators)
    )
    shift = {g: space.translation[g] + WHOLE * steps[choice[:, i]] for i, g in enumerate(generators)}
    vectors = np.zeros((len(choice), len(members), 3), int)
    inverse, good = np.linalg.inv(rows), np.ones(len(choice), bool)
    queue = [space.unit]
    seen = set(queue)
    for number in queue:
        for g in generators:
            both = int(space.product[g, number])
            value = shift[g] + vectors[:, place[number]] @ space.rotation[g].T
            if both not in seen:
                seen.add(both)
                queue.append(both)
                vectors[:, place[both]] = value
            else:
                whole = (value - vectors[:, place[both]]) / WHOLE @ inverse
                good &= np.abs(whole - np.rint(whole)).max(axis=1) < 1e-6
    return Complements(rows, choice[good] @ k ** np.arange(len(generators)), vectors[good])


def classes(space: SpaceGroup, members: list[int], k: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield lattice (rows) and translations of the members, one for each class of conjugate subgroups."""
    generators = space.generators(members)
    kept = [rows for rows in sublattices(k) if all(_keeps(space.rotation[g], rows) for g in generators)]
    families = [complements(space, members, generators, rows) for rows in kept]
    first = np.concatenate([[0], np.cumsum([len(family.code) for family in families])])
    number = {rows.tobytes(): i for i, rows in enumerate(kept)}
    pairs = [np.empty((2, 0), int)]
    unit = np.eye(3, dtype=int)
    acting = [(space.unit, WHOLE * step) for step in unit]
    acting += [(g, space.translation[g]) for g in space.generators(space.normalizer(members))]
    for i, family in enumerate(families):
        for g, shift in acting:
            rows = lattice_basis(family.lattice @ space.rotation[g].T)
            j = number[rows.tobytes()]
            code = _conjugate(space, members, generators, family, rows, (g, shift))
            order = np.argsort(families[j].code)
            there = order[np.searchsorted(families[j].code[order], code)]
            pairs.append(np.stack([first[i] + np.arange(len(code)), first[j] + there]))
    here, there = np.concatenate(pairs, axis=1)
    total = int(first[-1])
    graph = coo_array((np.ones(len(here)), (here, there)), shape=(total, total))
    _, label = connected_components(graph, directed=False)
    for one in np.unique(label, return_index=True)[1]:
        i = int(np.searchsorted(first, one, side="right")) - 1
        yield families[i].lattice, families[i].translation[one - first[i]]


def _keeps(rotation: np.ndarray, rows: np.ndarray) -> bool:
    whole = rows @ rotation.T @ np.linalg.inv(rows)
    return bool(np.abs(whole - np.rint(whole)).max() < 1e-6)


def _conjugate(
    space: SpaceGroup,
    members: list[int],
    generators: list[int],
    family: Complements,
    rows: np.ndarray,
    by: tuple[int, np.ndarray],
) -> np.ndarray:
    """Return codes (n,) of a family's subgroups conjugated by an operation, which gives them the lattice `rows`."""
    g, shift = by
    k, code = round(np.linalg.det(rows)), np.zeros(len(family.code), int)
    for i, generator in enumerate(generators):
        before = members.index(space.product[space.product[space.inverse[g], generator], g])
        moved = shift + family.translation[:, before] @ space.rotation[g].T - space.rotation[generator] @ shift
        code += coset((moved - space.translation[generator]) // WHOLE, rows) * k**i
    return code


def standard(
    space: SpaceGroup, members: list[int], rows: np.ndarray, translation: np.ndarray
) -> tuple[int, np.ndarray, np.ndarray]:
    """Find type, P and p of a subgroup: (a', b', c') = (a, b, c) P, x = P x' + p in the parent's conventional axes."""
    to_cell = np.linalg.inv(rows.T)
    rotation = np.rint(to_cell @ space.rotation[members] @ rows.T).astype(int)
    shift = translation / WHOLE @ to_cell.T
    cell = [5.0, 5.0, 5.0, RIGHT, RIGHT, HEXAGONAL if system_index(space.group) in (4, 5) else RIGHT]
    basis = space.basis @ rows.T
    points = np.concatenate([rotation @ point + shift for point in _POINTS])
    crystal: Any = ((basis.T @ lattice(np.array(cell))), points, np.repeat([1, 2, 3], len(members)))
    dataset = spglib.get_symmetry_dataset(crystal, symprec=1e-4)
    assert dataset is not None, (space.group, members, rows)
    group = int(dataset.number)
    if dataset.hall_number != (hall := hall_number(group)):
        dataset = spglib.get_symmetry_dataset(crystal, symprec=1e-4, hall_number=hall)
        assert dataset is not None, (space.group, members, rows)
    polar = np.abs(wyckoff().general(group)[0].mean(axis=0)).max(axis=1) > 1e-6
    origin = np.where(polar, 0.0, dataset.origin_shift)  # along polar axes spglib's choice is an atom's
    matrix = np.linalg.inv(dataset.transformation_matrix)
    _verify(group, (matrix, -matrix @ origin), (rotation, shift))
    return group, basis @ matrix, -basis @ matrix @ origin


def _verify(group: int, transformation: tuple[np.ndarray, np.ndarray], expected: tuple[np.ndarray, np.ndarray]) -> None:
    """Check that a type's operations, in the axes of a subgroup's primitive cell, are those of the subgroup."""
    matrix, origin = transformation
    rotation, translation = wyckoff().general(group)
    turned = matrix @ rotation @ np.linalg.inv(matrix)
    moved = translation @ matrix.T + origin - turned @ origin
    carried, own = _numbers(turned, moved), _numbers(*expected)
    volume = np.linalg.det(matrix)
    centred = len(rotation) / len(np.unique(rotation.reshape(-1, 9), axis=0))
    assert carried == own and abs(volume - centred) < 1e-6, (group, matrix, origin)


def _numbers(rotation: np.ndarray, translation: np.ndarray) -> set[tuple[int, ...]]:
    """Return operations as whole numbers, translations modulo the lattice."""
    shift = np.rint(translation * 48 * WHOLE).astype(int) % (48 * WHOLE)
    assert np.abs(rotation - np.rint(rotation)).max() < 1e-6
    return set(map(tuple, np.c_[np.rint(rotation).astype(int).reshape(-1, 9), shift].tolist()))


def of_group(group: int) -> list[tuple[int, int, int, np.ndarray, np.ndarray]]:
    """List type, index of rotations and of translations, P and p of each subgroup of a space group but itself."""
    space = SpaceGroup(group)
    listed = []
    for members in space.subgroups():
        for k in range(1, CELLS + 1):
            if len(members) < space.order or k > 1:
                for rows, translation in classes(space, members, k):
                    number, matrix, origin = standard(space, members, rows, translation)
                    listed.append((number, space.order // len(members), k, matrix, origin % 1.0))
    return sorted(listed, key=lambda entry: (entry[1] * entry[2], entry[2], -entry[0]))


def main() -> None:
    """Make and write the file."""
    rows = []
    for parent in range(1, N_GROUPS + 1):
        listed = of_group(parent)
        rows += [(parent, *entry) for entry in listed]
        print(f"{parent}: {len(listed)} classes of subgroups", file=sys.stderr, flush=True)
    parents, groups, t_index, k_index, matrices, origins = zip(*rows, strict=True)
    matrix, origin = np.array(matrices) * 6, np.array(origins) * 2 * WHOLE
    assert np.abs(matrix - np.rint(matrix)).max() < 1e-6 and np.abs(origin - np.rint(origin)).max() < 1e-6
    np.savez_compressed(
        OUT,
        parent=np.array(parents, np.uint8),
        group=np.array(groups, np.uint8),
        t_index=np.array(t_index, np.uint8),
        k_index=np.array(k_index, np.uint8),
        matrix6=np.rint(matrix).astype(np.int8),
        origin48=np.rint(origin).astype(np.int8) % 48,
    )
    print(f"{len(rows)} classes of subgroups -> {OUT} ({OUT.stat().st_size / 1e3:.0f} kB)")


if __name__ == "__main__":
    main()
