"""Other descriptions of a crystal: in subgroups of its space group, with other axes, origins and points of its orbits.

Each is the crystal itself under a transformation of the axes and the origin, (a', b', c') = (a, b, c) P and
x = P x' + p, and `deviations` proves it from the numbers alone: the atoms are made again from the table's row on one
side, from the source and (P, p) on the other, and compared one by one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from legocryst.crystal import cell as cells
from legocryst.crystal.crystals import Crystals
from legocryst.crystal.symmetry.normalizers import all_ways, improper, polar_axes
from legocryst.crystal.symmetry.orbits import Atoms, Positions, chosen, deviation, distinct, in_cell, placed, sites_of
from legocryst.crystal.symmetry.projection import wrapped
from legocryst.crystal.symmetry.subgroups import Subgroups, reduced
from legocryst.crystal.symmetry.wyckoff import N_GROUPS, primitive, wyckoff
from legocryst.infra.compiled import compiled

SAME = 1e-4
"""Angstrom within which two descriptions of one atom agree."""


@dataclass(frozen=True, slots=True)
class Descriptions:
    """n crystals, each one of some sources under its own transformation."""

    crystals: Crystals
    source: np.ndarray  # (n,) number of the source
    P: np.ndarray  # (n, 3, 3); negative determinant: the mirror image of the source
    p: np.ndarray  # (n, 3)

    def take(self, which: np.ndarray | Sequence[int]) -> "Descriptions":
        """Return those of an index array, in that order."""
        return Descriptions(self.crystals.take(which), self.source[which], self.P[which], self.p[which])

    @staticmethod
    def concatenate(parts: Sequence["Descriptions"]) -> "Descriptions":
        """Return all of several, in order."""
        source, P, p = (np.concatenate([getattr(part, name) for part in parts]) for name in ("source", "P", "p"))
        return Descriptions(Crystals.concatenate([part.crystals for part in parts]), source, P, p)


def atoms_of(crystals: Crystals) -> Atoms:
    """Return the atoms of the primitive cell of every crystal."""
    atoms = crystals.atoms()
    basis = np.array([primitive(int(group)) for group in crystals.group]).reshape(-1, 3, 3)
    kept = np.concatenate(
        [
            distinct(atoms.fractional[begin:end], atoms.site[begin:end], np.linalg.inv(basis[k]))
            for k, (begin, end) in enumerate(zip(atoms.first[:-1], atoms.first[1:], strict=True))
        ]
    )
    count = np.bincount(crystals.crystal_of_site[atoms.site[kept]], minlength=len(crystals))
    first = np.concatenate([[0], np.cumsum(count)])
    return Atoms(first, atoms.fractional[kept], atoms.site[kept], basis)


def written(source: Crystals, subgroups: Subgroups, *, max_sites: int, max_atoms: int) -> tuple[Crystals, Subgroups]:
    """Return a crystal (a batch of one) in those subgroups of its space group in which it is within limits, and these.

    Cells are reduced. Raises ValueError for subgroups of another group, and for a crystal whose atoms coincide.
    """
    if subgroups.parent != source.group[0]:
        raise ValueError(f"the subgroups are those of group {subgroups.parent}, and the crystal has {source.group[0]}")
    table = wyckoff()
    size = np.rint(source.atom_count[0] * np.linalg.det(subgroups.P)).astype(np.int64)
    fits = (size <= max_atoms) & (size <= max_sites * table.multiplicity[table.first[subgroups.group]])
    lattice = source.lattice[0]
    subgroups, size = reduced(subgroups.take(fits), lattice), size[fits]
    position = np.empty((len(subgroups), max_sites), np.int64)
    owner, count = np.empty_like(position), np.empty(len(subgroups), np.int64)
    point = np.empty((len(subgroups), max_sites, 3))
    inverse = np.linalg.inv(subgroups.P)
    _write(
        Positions.of(table),
        atoms_of(source),
        subgroups.group,
        inverse,
        subgroups.p,
        size,
        position,
        point,
        owner,
        count,
    )
    if (count == -2).any():
        group = subgroups.group[np.argmax(count == -2)]
        raise ValueError(
            f"a crystal cannot be written in space group {group}: two of its atoms coincide, or one stands on a more "
            "special Wyckoff position than it is given; correct or remove it"
        )
    kept = np.flatnonzero(count > 0)
    used = np.arange(max_sites) < count[kept, None]
    subgroups = subgroups.take(kept)
    crystals = Crystals(
        group=subgroups.group,
        cell=cells.symmetrized(subgroups.group, cells.cell_of(subgroups.P.swapaxes(-1, -2) @ lattice)),
        first_site=np.concatenate([[0], np.cumsum(count[kept])]),
        species=source.species[owner[kept][used]],
        position=position[kept][used],
        coordinates=wrapped(point[kept][used]),
    )
    return crystals, subgroups


def redescribed(
    crystals: Crystals, subgroups: Subgroups, which: np.ndarray, way: np.ndarray, chance: np.ndarray
) -> Descriptions:
    """Return what `written` gave of source 0, described again in n rows.

    Row r is crystal `which[r]` after the way numbered `way[r]` among those of its group (see `normalizers.all_ways`),
    with any point of each orbit, drawn by `chance` (n, at least its sites) in [0, 1). Sites are in the order of their
    Wyckoff position, then coordinates. P keeps the hand where the source has an operation that changes it.
    """
    first, ways = all_ways()
    way = first[crystals.group[which]] + way
    rows, target = crystals.take(which), ways.target[way]
    position, point = np.empty(len(rows.species), np.int64), np.empty((len(rows.species), 3))
    order = np.empty(len(rows.species), np.int64)
    sites = (rows.first_site, rows.multiplicity, rows.coordinates)
    change = (target, np.linalg.inv(ways.W[way]), ways.w[way])
    _describe(Positions.of(wyckoff()), sites, change, chance, (position, point, order))
    P = subgroups.P[which] @ ways.W[way]
    p = np.einsum("nij,nj->ni", subgroups.P[which], ways.w[way]) + subgroups.p[which]
    if (turn := improper(subgroups.parent)) is not None:
        left = np.linalg.det(P) < 0
        P[left], p[left] = turn[0] @ P[left], p[left] @ turn[0].T + turn[1]
    cell = cells.cell_of(np.einsum("nji,njk->nik", ways.W[way], rows.lattice))
    cell = cells.symmetrized(target, cell)
    out = Crystals(target, cell, rows.first_site, rows.species[order], position, point)
    return settled(Descriptions(out, np.zeros(len(which), np.int64), P, p))


def settled(described: Descriptions) -> Descriptions:
    """Return the same with the origin along polar axes on the first site; coordinates and p in [0, 1)."""
    crystals, P = described.crystals, described.P
    polar = np.array([polar_axes(group) for group in range(1, N_GROUPS + 1)])[crystals.group - 1]
    shift = np.where(polar, -crystals.coordinates[crystals.first_site[:-1]], 0.0)
    coordinates = wrapped(crystals.coordinates + shift[crystals.crystal_of_site])
    p = wrapped(described.p - np.einsum("nij,nj->ni", P, shift))
    return Descriptions(replace(crystals, coordinates=coordinates), described.source, P, p)


def deviations(sources: Crystals, described: Descriptions, *, most: float = SAME) -> np.ndarray:
    """Return angstrom (n,) by which each description differs from its source; inf beyond `most`, or for other atoms.

    That is the largest distance of an atom from the source's atom that it should be, or difference of the cells.
    """
    crystals = described.crystals
    lattice, source = crystals.lattice, sources.lattice[described.source]
    axes = described.P.swapaxes(-1, -2) @ source
    gram = lattice @ lattice.swapaxes(-1, -2)
    cell = np.abs(gram - axes @ axes.swapaxes(-1, -2)).max(axis=(1, 2)) / np.sqrt(np.abs(gram).max(axis=(1, 2)))
    spread = np.sqrt(np.diagonal(np.linalg.inv(gram), axis1=1, axis2=2))
    out = np.empty(len(crystals))
    _deviate(
        Positions.of(wyckoff()),
        atoms_of(sources),
        sources.species,
        (described.source, np.linalg.inv(described.P), described.p),
        (crystals.first_site, crystals.position_id, crystals.coordinates, crystals.species, crystals.atom_count),
        (gram, spread, most),
        out,
    )
    return np.where(np.maximum(out, cell) <= most, np.maximum(out, cell), np.inf)


def row_keys(crystals: Crystals) -> list[bytes]:
    """Return what each crystal's row holds to six decimals, as bytes."""
    point = np.rint(crystals.coordinates * 1e6).astype(np.int64) % 10**6
    sites = np.c_[crystals.species, crystals.position, point]
    heads = np.c_[crystals.group, np.rint(crystals.cell * 1e6).astype(np.int64)]
    first = crystals.first_site.tolist()
    return [head.tobytes() + sites[a:b].tobytes() for head, a, b in zip(heads, first[:-1], first[1:], strict=True)]


@compiled
def _write(
    table: Positions,
    atoms: Atoms,
    group: np.ndarray,
    inverse: np.ndarray,
    origin: np.ndarray,
    size: np.ndarray,
    position: np.ndarray,
    point: np.ndarray,
    owner: np.ndarray,
    count: np.ndarray,
) -> None:
    """Write the sites of the one crystal of `atoms` in each subgroup; `count` as of `orbits.sites_of`."""
    room = size.max() if len(size) else 0
    where, site = np.empty((room, 3)), np.empty(room, np.int64)
    for h in range(len(group)):
        n = in_cell(atoms, 0, inverse[h], origin[h], where, site)
        count[h] = -2
        if n == size[h]:
            count[h] = sites_of(table, group[h], where[:n], site[:n], position[h], point[h], owner[h])


@compiled
def _describe(
    table: Positions,
    sites: tuple[np.ndarray, np.ndarray, np.ndarray],
    ways: tuple[np.ndarray, np.ndarray, np.ndarray],
    chance: np.ndarray,
    out: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    """Run the loop of `redescribed`."""
    begin, size, coordinates = sites
    target, inverse, shift = ways
    position, point, order = out
    x, y = np.empty(3), np.empty(3)
    for r in range(len(target)):
        for s in range(begin[r], begin[r + 1]):
            for i in range(3):
                y[i] = 0.0
                for j in range(3):
                    y[i] += inverse[r, i, j] * (coordinates[s, j] - shift[r, j])
            filled = placed(table, target[r], size[s], y, x)
            chosen(table, table.first[target[r]] + filled, x, chance[r, s - begin[r]], y)
            place = s  # where it belongs among the sites before it
            while place > begin[r] and _before(filled, y, position[place - 1], point[place - 1]):
                position[place], order[place] = position[place - 1], order[place - 1]
                point[place] = point[place - 1]
                place -= 1
            position[place], order[place] = filled, s
            point[place] = y


@compiled
def _before(position: int, x: np.ndarray, other: int, y: np.ndarray) -> bool:
    """Say whether a site comes before another: by position, then by coordinates to six decimals."""
    if position != other:
        return position < other
    for i in range(3):
        a, b = np.rint(1e6 * x[i]) % 1e6, np.rint(1e6 * y[i]) % 1e6
        if a != b:
            return a < b
    return False


@compiled
def _deviate(
    table: Positions,
    atoms: Atoms,
    species: np.ndarray,
    transformation: tuple[np.ndarray, np.ndarray, np.ndarray],
    rows: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    metric: tuple[np.ndarray, np.ndarray, float],
    out: np.ndarray,
) -> None:
    """Run the loop of `deviations`."""
    source, inverse, origin = transformation
    first, position, coordinates, kind, count = rows
    gram, spread, most = metric
    room = count.max() if len(count) else 0
    expected, site = np.empty((room, 3)), np.empty(room, np.int64)
    points, kinds = np.empty((room, 3)), np.empty(room, np.int64)
    for r in range(len(source)):
        out[r] = np.inf
        n = in_cell(atoms, source[r], inverse[r], origin[r], expected, site)
        if n != count[r]:
            continue
        a = 0
        for s in range(first[r], first[r + 1]):
            for o in range(table.op_first[position[s]], table.op_first[position[s] + 1]):
                for i in range(3):
                    points[a, i] = table.translation[o, i]
                    for j in range(3):
                        points[a, i] += table.rotation[o, i, j] * coordinates[s, j]
                kinds[a] = kind[s]
                a += 1
        for b in range(n):
            site[b] = species[site[b]]
        out[r] = deviation(points[:n], kinds[:n], expected[:n], site[:n], gram[r], spread[r], most)
