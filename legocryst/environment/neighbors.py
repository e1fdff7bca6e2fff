"""Neighbour lists: complete for cells shorter than the cutoff and for skewed ones."""

from dataclasses import dataclass
from math import ceil, floor, sqrt

import numpy as np

from legocryst.crystal.crystals import Atoms, Crystals
from legocryst.infra.compiled import compiled


@dataclass(frozen=True, slots=True)
class Edges:
    """Directed neighbour pairs, sorted by site: centre `site`, neighbour `atom` moved by `image` cells."""

    site: np.ndarray  # (e,)
    atom: np.ndarray  # (e,)
    image: np.ndarray  # (e, 3) float whole numbers, to be added to the unwrapped fractional coordinates of the atom
    vector: np.ndarray  # (e, 3) angstrom, from centre to neighbour
    distance: np.ndarray  # (e,) angstrom


@compiled
def find_neighbors(
    lattice: np.ndarray,
    fractional: np.ndarray,
    first: int,
    last: int,
    centre: int,
    cutoff: float,
    at: int,
    atom: np.ndarray,
    image: np.ndarray,
    distance: np.ndarray,
) -> int:
    """Write the neighbours of one atom from place `at` on; returns the place after them, or -1 for no room or volume.

    `lattice` (3, 3) rows a, b, c; `fractional` (a, 3), not wrapped; atoms first..last - 1 and their images are looked
    at. `atom` (e,), `image` (e, 3) and `distance` (e,) are filled. An atom is no neighbour of itself, but overlapping
    atoms are neighbours at distance 0.
    """
    ax, ay, az = lattice[0, 0], lattice[0, 1], lattice[0, 2]
    bx, by, bz = lattice[1, 0], lattice[1, 1], lattice[1, 2]
    cx, cy, cz = lattice[2, 0], lattice[2, 1], lattice[2, 2]
    # a vector of length d has a fractional component of at most d |b x c| / V along a
    ux, uy, uz = by * cz - bz * cy, bz * cx - bx * cz, bx * cy - by * cx
    vx, vy, vz = cy * az - cz * ay, cz * ax - cx * az, cx * ay - cy * ax
    volume = abs(ax * ux + ay * uy + az * uz)
    if not volume > 1e-4:
        return -1
    reach_a = cutoff * sqrt(ux * ux + uy * uy + uz * uz) / volume
    reach_b = cutoff * sqrt(vx * vx + vy * vy + vz * vz) / volume
    cc, square = cx * cx + cy * cy + cz * cz, cutoff * cutoff
    for j in range(first, last):
        da = fractional[j, 0] - fractional[centre, 0]
        db = fractional[j, 1] - fractional[centre, 1]
        dc = fractional[j, 2] - fractional[centre, 2]
        for i in range(ceil(-reach_a - da), floor(reach_a - da) + 1):
            for k in range(ceil(-reach_b - db), floor(reach_b - db) + 1):
                x = (da + i) * ax + (db + k) * bx + dc * cx
                y = (da + i) * ay + (db + k) * by + dc * cy
                z = (da + i) * az + (db + k) * bz + dc * cz
                # the images along c within the cutoff are those between the roots of a quadratic
                along = (x * cx + y * cy + z * cz) / cc
                room = along * along - (x * x + y * y + z * z - square) / cc
                if room < 0:
                    continue
                width = sqrt(room)
                for m in range(ceil(-along - width), floor(width - along) + 1):
                    if j == centre and i == 0 and k == 0 and m == 0:
                        continue
                    if at >= len(atom):
                        return -1
                    atom[at] = j
                    image[at, 0], image[at, 1], image[at, 2] = i, k, m
                    distance[at] = sqrt((x + m * cx) ** 2 + (y + m * cy) ** 2 + (z + m * cz) ** 2)
                    at += 1
    return at


@compiled
def _find_all(
    lattice: np.ndarray,
    fractional: np.ndarray,
    atom_first: np.ndarray,
    centre: np.ndarray,
    crystal: np.ndarray,
    cutoff: float,
    first: np.ndarray,
    atom: np.ndarray,
    image: np.ndarray,
    distance: np.ndarray,
) -> bool:
    """Find neighbours of all centres; fills first (centres + 1,) and returns False where there is no room."""
    first[0] = 0
    for s in range(len(centre)):
        k = crystal[s]
        begin, end = atom_first[k], atom_first[k + 1]
        at = find_neighbors(lattice[k], fractional, begin, end, centre[s], cutoff, first[s], atom, image, distance)
        if at < 0:
            return False
        first[s + 1] = at
    return True


def neighbor_list(crystals: Crystals, cutoff: float, *, atoms: Atoms | None = None, every_atom: bool = False) -> Edges:
    """Return neighbours within `cutoff` angstrom of the first point of every site of a batch, or of every atom."""
    atoms = crystals.atoms() if atoms is None else atoms
    if every_atom:
        centre, crystal = np.arange(len(atoms.site)), crystals.crystal_of_site[atoms.site]
    else:
        multiplicity = crystals.multiplicity
        centre, crystal = np.cumsum(multiplicity) - multiplicity, crystals.crystal_of_site
    lattice, first = crystals.lattice, np.zeros(len(centre) + 1, np.int64)
    room, complete = 16 * len(centre), False
    while not complete:
        room = 2 * room + 64
        atom, image, distance = np.empty(room, np.int64), np.empty((room, 3)), np.empty(room)
        complete = _find_all(
            lattice, atoms.fractional, atoms.first, centre, crystal, cutoff, first, atom, image, distance
        )
    end = first[-1]
    site = np.repeat(np.arange(len(centre)), np.diff(first))
    atom, image, distance = atom[:end], image[:end], distance[:end]
    offset = atoms.fractional[atom] - atoms.fractional[centre[site]] + image
    vector = np.einsum("ei,eij->ej", offset, lattice[crystal[site]])
    return Edges(site, atom, image, vector, distance)
