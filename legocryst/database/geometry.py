"""The crystals of rows of `candidates`, and their files; every file of a crystal lists its atoms in one order."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from legocryst.crystal.crystals import Crystals
from legocryst.crystal.elements import SYMBOLS
from legocryst.crystal.io.readers import from_cif
from legocryst.crystal.io.table import decode
from legocryst.crystal.symmetry.projection import wrapped
from legocryst.crystal.symmetry.wyckoff import wyckoff
from legocryst.environment.target_library import target
from legocryst.vocabulary.quantities import CRYSTAL_COLUMNS

if TYPE_CHECKING:
    import pandas as pd


def crystals_of(
    rows: "pd.DataFrame", workspace: Path, *, relaxed: bool = False
) -> Iterator[tuple[int, Crystals, bool]]:
    """Place in `rows`, the crystal, and whether it is the one relaxed with the potential, for each row that has one.

    Targets of the rows are those of the workspace. With `relaxed` that one is taken where there is one. Undecodable
    rows are passed over: they are no crystals.
    """
    cif = rows["relaxed_cif"].fillna("").to_numpy()
    own = np.flatnonzero((rows["status"] != "undecodable").to_numpy() & ~(relaxed & (cif != "")))
    places: dict[int, tuple[Crystals, int]] = {}
    for name in rows["target"].iloc[own].unique():
        part = own[(rows["target"].iloc[own] == name).to_numpy()]
        table = rows.iloc[part][list(CRYSTAL_COLUMNS)].astype(float)
        decoded = decode(table, element=target(name, workspace).atomic_number, max_atoms=10**9)
        if len(decoded.rows) < len(part):
            lost = rows["id"].iloc[part[np.flatnonzero(decoded.reason != "")[0]]]
            raise ValueError(f"the crystal {lost} of the database cannot be read again: report this as a fault")
        places |= {int(k): (decoded.crystals, i) for i, k in enumerate(part)}
    for k in range(len(rows)):
        if relaxed and cif[k]:
            yield k, from_cif(cif[k]), True
        elif k in places:
            batch, i = places[k]
            yield k, batch.take([i]), False


def order(crystal: Crystals) -> np.ndarray:
    """Return the order (atoms,) in which readers expand the CIF of a single crystal, as indices of `Crystals.atoms`.

    They apply the operations of the space group to each site in turn and leave out what has been there; the list of a
    special position in the tables is ordered otherwise.
    """
    table, atoms = wyckoff(), crystal.atoms()
    first = table.op_first[crystal.position_id]
    points = np.einsum("sij,sj->si", table.rotation[first], crystal.coordinates) + table.translation[first]
    rotation, translation = table.general(int(crystal.group[0]))
    parts: list[np.ndarray] = []
    for k, point in enumerate(points):
        members = np.flatnonzero(atoms.site == k)
        offset = (rotation @ point + translation)[:, None] - atoms.fractional[members]
        nearest = ((offset - np.rint(offset)) ** 2).sum(axis=-1).argmin(axis=1)
        _, seen = np.unique(nearest, return_index=True)
        parts.append(members[nearest[np.sort(seen)]])
    return np.concatenate(parts)


def to_poscar(crystal: Crystals, *, name: str) -> str:
    """Return POSCAR text of a single crystal, fractional coordinates, atoms in `order`."""
    atoms, which = crystal.atoms(), order(crystal)
    species = atoms.species[which]
    starts = np.flatnonzero(np.r_[True, species[1:] != species[:-1]])
    counts = np.diff(np.r_[starts, len(species)])
    lines = [name, "1.0", *(" ".join(f"{x:.10f}" for x in row) for row in crystal.lattice[0])]
    lines += [" ".join(SYMBOLS[z] for z in species[starts]), " ".join(map(str, counts)), "Direct"]
    lines += [" ".join(f"{x:.10f}" for x in point) for point in wrapped(atoms.fractional[which])]
    return "\n".join(lines) + "\n"


def to_extxyz(crystal: Crystals, *, name: str) -> str:
    """Write a single crystal as a frame of extended XYZ, angstrom, atoms in `order` with site and Wyckoff letter."""
    atoms, which = crystal.atoms(), order(crystal)
    positions = wrapped(atoms.fractional[which]) @ crystal.lattice[0]
    lattice = " ".join(f"{x:.10f}" for x in crystal.lattice[0].ravel())
    head = f'Lattice="{lattice}" Properties=species:S:1:pos:R:3:site:I:1:wyckoff:S:1 id="{name}" '
    lines = [str(len(which)), f'{head}space_group={int(crystal.group[0])} pbc="T T T"']
    sites, letters = atoms.site[which], crystal.letters
    for z, point, site in zip(atoms.species[which], positions, sites, strict=True):
        lines.append(f"{SYMBOLS[z]} " + " ".join(f"{x:.10f}" for x in point) + f" {site + 1} {letters[site]}")
    return "\n".join(lines) + "\n"
