"""`Crystals`, a ragged batch of crystals in their irreducible representation: the currency between all rooms."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from legocryst.crystal import cell as cells
from legocryst.crystal.symmetry.wyckoff import wyckoff


@dataclass(frozen=True, slots=True)
class Atoms:
    """All atoms of a batch, conventional cells, atoms of one site together in the order of the orbit's operations."""

    first: np.ndarray  # (n + 1,) atoms of crystal k are first[k]:first[k + 1]
    site: np.ndarray  # (atoms,) site of each atom
    operation: np.ndarray  # (atoms,) index into wyckoff().rotation and .translation
    fractional: np.ndarray  # (atoms, 3), not wrapped
    species: np.ndarray  # (atoms,) atomic numbers


@dataclass(frozen=True, slots=True)
class Crystals:
    """A batch of n crystals with s sites in all; sites of crystal k are `first_site[k]:first_site[k + 1]`.

    Conventional standard settings (see `wyckoff`). `position` is the Wyckoff index inside the group, 0 = general,
    and `coordinates` a point on the position's first operation, fractional.
    """

    group: np.ndarray  # (n,) space group number
    cell: np.ndarray  # (n, 6) a, b, c in angstrom, alpha, beta, gamma in radians
    first_site: np.ndarray  # (n + 1,)
    species: np.ndarray  # (s,) atomic number
    position: np.ndarray  # (s,) Wyckoff index in the group
    coordinates: np.ndarray  # (s, 3)

    def __len__(self) -> int:
        return len(self.group)

    @property
    def site_count(self) -> np.ndarray:
        """(n,) sites of each crystal."""
        return np.diff(self.first_site)

    @property
    def crystal_of_site(self) -> np.ndarray:
        """(s,) crystal of each site."""
        return np.repeat(np.arange(len(self)), self.site_count)

    @property
    def position_id(self) -> np.ndarray:
        """(s,) index into the arrays of `wyckoff()`."""
        return wyckoff().first[self.group[self.crystal_of_site]] + self.position

    @property
    def multiplicity(self) -> np.ndarray:
        """(s,) multiplicity of each site in the conventional cell."""
        return wyckoff().multiplicity[self.position_id]

    @property
    def letters(self) -> np.ndarray:
        """(s,) Wyckoff letters."""
        return wyckoff().letter[self.position_id]

    @property
    def atom_count(self) -> np.ndarray:
        """(n,) atoms in each conventional cell."""
        return np.bincount(self.crystal_of_site, weights=self.multiplicity, minlength=len(self)).astype(np.int64)

    @property
    def lattice(self) -> np.ndarray:
        """(n, 3, 3) lattice matrices, rows a, b, c, angstrom."""
        return cells.lattice(self.cell)

    @property
    def volume(self) -> np.ndarray:
        """(n,) cubic angstrom; NaN for an impossible cell."""
        return cells.volume(self.cell)

    def atoms(self) -> Atoms:
        """Return every atom of every conventional cell."""
        table, multiplicity = wyckoff(), self.multiplicity
        site = np.repeat(np.arange(len(self.species)), multiplicity)
        start = np.repeat(np.cumsum(multiplicity) - multiplicity, multiplicity)
        operation = table.op_first[self.position_id][site] + np.arange(len(site)) - start
        fractional = np.einsum("aij,aj->ai", table.rotation[operation], self.coordinates[site])
        return Atoms(
            first=np.concatenate([[0], np.cumsum(self.atom_count)]),
            site=site,
            operation=operation,
            fractional=fractional + table.translation[operation],
            species=self.species[site],
        )

    def take(self, which: np.ndarray | Sequence[int] | slice) -> "Crystals":
        """Return the crystals of an index array, a boolean mask or a slice, in that order."""
        index = np.arange(len(self))[which]
        count = self.site_count[index]
        offset = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        site = np.repeat(self.first_site[index], count) + offset
        return Crystals(
            group=self.group[index],
            cell=self.cell[index],
            first_site=np.concatenate([[0], np.cumsum(count)]),
            species=self.species[site],
            position=self.position[site],
            coordinates=self.coordinates[site],
        )

    @staticmethod
    def build(
        group: Sequence[int] | np.ndarray,
        cell: np.ndarray | Sequence[Sequence[float]],
        sites: Sequence[Sequence[tuple[int, int, Sequence[float]]]],
    ) -> "Crystals":
        """Make a batch from Python lists; `sites[k]` holds (atomic number, Wyckoff index, (x, y, z)) for crystal k."""
        flat = [site for crystal in sites for site in crystal]
        return Crystals(
            group=np.asarray(group, np.int64),
            cell=np.asarray(cell, float).reshape(len(sites), 6),
            first_site=np.concatenate([[0], np.cumsum([len(crystal) for crystal in sites])]).astype(np.int64),
            species=np.array([site[0] for site in flat], np.int64),
            position=np.array([site[1] for site in flat], np.int64),
            coordinates=np.array([site[2] for site in flat], float).reshape(-1, 3),
        )

    @staticmethod
    def concatenate(batches: Sequence["Crystals"]) -> "Crystals":
        """Return one batch of several, in order."""
        counts = np.concatenate([np.zeros(0, np.int64), *[batch.site_count for batch in batches]])
        return Crystals(
            group=np.concatenate([np.zeros(0, np.int64), *[b.group for b in batches]]),
            cell=np.concatenate([np.zeros((0, 6)), *[b.cell for b in batches]]),
            first_site=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            species=np.concatenate([np.zeros(0, np.int64), *[b.species for b in batches]]),
            position=np.concatenate([np.zeros(0, np.int64), *[b.position for b in batches]]),
            coordinates=np.concatenate([np.zeros((0, 3)), *[b.coordinates for b in batches]]),
        )
