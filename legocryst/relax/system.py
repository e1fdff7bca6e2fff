"""A batch of crystals as tensors over its symmetry-free variables.

The variables of a crystal are the strain components its crystal system leaves free and the free coordinates of its
sites, scaled so that one unit moves atoms by about one angstrom in all, whatever the multiplicity. Symmetry is exact by
construction: no step can leave the space group or a special position.

Deformation and fractional coordinates are linear in the variables, so one sparse matrix makes them and, transposed,
brings gradients back. Components come first in every tensor, (3, e) and not (e, 3). Sums are added up in a crystal's
own order, never by dense matrix products: its numbers are the same, to the last bit, alone and in any batch.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from legocryst.crystal import cell as cells
from legocryst.crystal.projection import wrapped
from legocryst.crystal.representation import Crystals
from legocryst.crystal.wyckoff import wyckoff
from legocryst.environment.neighbors import find_edges, gathered, length, ranges, row_times

_XX, _YY, _ZZ = np.diag([1.0, 0, 0]), np.diag([0, 1.0, 0]), np.diag([0, 0, 1.0])
_XY, _XZ, _YZ = (np.zeros((3, 3)) for _ in range(3))
_XY[0, 1] = _XY[1, 0] = _XZ[0, 2] = _XZ[2, 0] = _YZ[1, 2] = _YZ[2, 1] = 0.5
STRAINS = (
    (_XX, _YY, _ZZ, _XY, _XZ, _YZ),
    (_XX, _YY, _ZZ, _XZ),
    (_XX, _YY, _ZZ),
    (_XX + _YY, _ZZ),
    (_XX + _YY, _ZZ),
    (_XX + _YY, _ZZ),
    (_XX + _YY + _ZZ,),
)
"""Strains that keep the metric of each crystal system, in the orientation of `cell.lattice` (b along y if unique)."""


def summed(columns: Tensor, index: Tensor, size: int) -> Tensor:
    """Columns (k, e) added up where their index (e,) is the same, in their order: (k, size)."""
    return columns.new_zeros((len(columns), size)).scatter_add_(1, index.expand_as(columns), columns)


def multiplied(a: Tensor, b: Tensor) -> Tensor:
    """Products (3, 3, n) of matrices (3, 3, n)."""
    out = a[:, 0, None] * b[0]
    out.addcmul_(a[:, 1, None], b[1])
    return out.addcmul_(a[:, 2, None], b[2])


@dataclass(frozen=True, slots=True)
class Bonds:
    """A neighbour list; the bonds of one site stand together, nearest first."""

    site: Tensor  # (e,)
    centre: Tensor  # (e,) the site's first atom
    atom: Tensor  # (e,) the neighbour
    crystal: Tensor  # (e,)
    image: Tensor  # (3, e) cells to be added to the neighbour
    rank: Tensor  # (e,) 0 for the neighbour of its site that was nearest when the list was made

    def chosen(self, index: Tensor) -> "Bonds":
        """Some of the bonds, by index."""
        return Bonds(*(getattr(self, name).index_select(-1, index) for name in self.__slots__))

    def renumbered(self, *, site: Tensor, atom: Tensor, crystal: Tensor) -> "Bonds":
        """With new numbers for sites, atoms and crystals, given for each old one."""
        return Bonds(site[self.site], atom[self.centre], atom[self.atom], crystal[self.crystal], self.image, self.rank)

    def joined(self, other: "Bonds") -> "Bonds":
        """With other bonds after these."""
        return Bonds(*(torch.cat([getattr(self, name), getattr(other, name)], dim=-1) for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class Place:
    """Where the variables put a batch."""

    lattice: Tensor  # (3, 3, n) rows a, b, c
    fractional: Tensor  # (3, a) not wrapped


@dataclass(frozen=True, slots=True)
class Geometry:
    """The bonds of a batch in space."""

    bonds: Bonds
    fractional: Tensor  # (3, e)
    lattice: Tensor  # (3, 3, e) of each bond's crystal
    vector: Tensor  # (3, e) angstrom, from centre to neighbour
    distance: Tensor  # (e,) angstrom


@dataclass(frozen=True, slots=True)
class System:
    """n crystals, s sites, a atoms, v variables, those of one crystal together; float64."""

    lattice: Tensor  # (3, 3, n) unstrained
    base: Tensor  # (9 n + 3 a,) deformations and fractional coordinates at variables 0
    row: Tensor  # (entries,) of the sparse matrix (9 n + 3 a, v) that makes them from the variables
    column: Tensor  # (entries,)
    entry: Tensor  # (entries,)
    owner: Tensor  # (v,) crystal of each variable
    reach: Tensor  # (v,) angstrom that an atom moves, at most, for one unit
    crystal: Tensor  # (s,) of each site
    centre: Tensor  # (s,) first atom of each site
    multiplicity: Tensor  # (s,) float
    species: Tensor  # (a,) atomic numbers, float
    atoms: Tensor  # (n,) float
    atom_first: Tensor  # (n + 1,)
    owner_of_atom: Tensor  # (a,) crystal of each atom

    def __len__(self) -> int:
        return self.lattice.shape[2]

    @staticmethod
    def build(crystals: Crystals, *, device: torch.device | str = "cpu") -> "System":
        """The system of a batch; all cells must be possible."""
        table, atoms = wyckoff(), crystals.atoms()
        n, multiplicity = len(crystals), crystals.multiplicity
        owner, strain, reach = _strain_variables(crystals)
        free = table.free[crystals.position_id]
        site, axis = np.nonzero(free)
        crystal = crystals.crystal_of_site
        first_op = table.op_first[crystals.position_id]
        lattice = crystals.lattice
        arm = np.einsum("vi,vij->vj", table.rotation[first_op[site], :, axis], lattice[crystal[site]])
        one_angstrom = 1 / (np.linalg.norm(arm, axis=1) * np.sqrt(multiplicity[site]))
        every_owner = np.concatenate([owner, crystal[site]])
        order = np.argsort(every_owner, kind="stable")
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order))

        strain_value = strain.T.ravel()  # entries of component i, j in row (3 i + j) n + crystal
        strain_row = (np.arange(9)[:, None] * n + owner).ravel()
        strain_column = np.tile(place[: len(owner)], 9)
        scale, column = np.zeros(free.shape), np.zeros(free.shape, np.int64)
        scale[site, axis], column[site, axis] = one_angstrom, place[len(owner) :]
        moved = np.transpose(table.rotation[atoms.operation] * scale[atoms.site][:, None], (1, 0, 2))
        used = np.flatnonzero(moved.ravel())
        atom_row, atom_axis = np.divmod(used, 3)
        keep = np.flatnonzero(strain_value)
        of_atom = column[atoms.site[atom_row % len(atoms.site)], atom_axis]
        base = np.concatenate([np.repeat(np.eye(3).ravel(), n), atoms.fractional.T.ravel()])

        def tensor(array: np.ndarray) -> Tensor:
            return torch.from_numpy(np.ascontiguousarray(array)).to(device)

        return System(
            lattice=tensor(np.transpose(lattice, (1, 2, 0))),
            base=tensor(base),
            row=tensor(np.concatenate([strain_row[keep], 9 * n + atom_row])),
            column=tensor(np.concatenate([strain_column[keep], of_atom])),
            entry=tensor(np.concatenate([strain_value[keep], moved.ravel()[used]])),
            owner=tensor(every_owner[order]),
            reach=tensor(np.concatenate([reach, 1 / np.sqrt(multiplicity[site])])[order]),
            crystal=tensor(crystal),
            centre=tensor(np.cumsum(multiplicity) - multiplicity),
            multiplicity=tensor(multiplicity.astype(float)),
            species=tensor(atoms.species.astype(float)),
            atoms=tensor(crystals.atom_count.astype(float)),
            atom_first=tensor(atoms.first),
            owner_of_atom=tensor(crystal[atoms.site]),
        )

    def place(self, x: Tensor) -> Place:
        """Lattices and atoms at variables x (v,)."""
        flat = self.base.scatter_add(0, self.row, self.entry * x.index_select(0, self.column))
        n = len(self)
        return Place(multiplied(self.lattice, flat[: 9 * n].view(3, 3, n)), flat[9 * n :].view(3, -1))

    def bonds(self, place: Place, cutoff: float, sites: Tensor) -> Bonds:
        """The neighbour list of some sites, cutoff in angstrom."""
        edges = find_edges(
            place.lattice,
            place.fractional,
            self.atom_first,
            self.centre[sites],
            self.crystal[sites],
            cutoff=cutoff,
        )
        # whole numbers, so that equal distances keep their order wherever in the batch the site stands
        order = torch.argsort((edges.site << 32) + (edges.distance * 2.0**24).to(torch.int64), stable=True)
        local = edges.site[order]
        count = torch.bincount(local, minlength=len(sites))
        site = sites[local]
        image = edges.image.index_select(1, order)
        return Bonds(site, self.centre[site], edges.atom[order], self.crystal[site], image, ranges(count))

    def geometry(self, place: Place, bonds: Bonds) -> Geometry:
        """The bonds' vectors."""
        fractional = gathered(place.fractional, bonds.atom)
        fractional -= gathered(place.fractional, bonds.centre)
        fractional += bonds.image
        lattice = gathered(place.lattice.reshape(9, -1), bonds.crystal).view(3, 3, -1)
        vector = row_times(fractional, lattice)
        return Geometry(bonds, fractional, lattice, vector, length(vector))

    def pull_back(self, geometry: Geometry, force: Tensor) -> Tensor:
        """Gradient (v,) over the variables of a function whose gradient over the bond vectors is `force` (3, e)."""
        bonds, n = geometry.bonds, len(self)
        pulled = row_times(force, geometry.lattice.transpose(0, 1))
        atoms = summed(pulled, bonds.atom, len(self.species))
        atoms.scatter_add_(1, bonds.centre.expand_as(pulled), pulled.neg_())
        outer = (geometry.fractional[:, None] * force).view(9, -1)
        virial = summed(outer, bonds.crystal, n).view(3, 3, n)
        deformation = multiplied(self.lattice.transpose(0, 1), virial)
        flat = torch.cat([deformation.flatten(), atoms.flatten()])
        return torch.zeros_like(self.reach).scatter_add_(0, self.column, self.entry * flat.index_select(0, self.row))

    def dot(self, a: Tensor, b: Tensor) -> Tensor:
        """Scalar products (n,) of two vectors over the variables, crystal by crystal."""
        return a.new_zeros(len(self)).scatter_add_(0, self.owner, a * b)

    def per_crystal(self, site_values: Tensor) -> Tensor:
        """Sums (n,) over all atoms of values (s,) of one atom of each site."""
        return site_values.new_zeros(len(self)).scatter_add_(0, self.crystal, site_values * self.multiplicity)

    def crystals(self, x: Tensor, like: Crystals) -> Crystals:
        """The batch at variables x; `like` is the batch that the system was built from."""
        place = self.place(x)
        lattice = np.ascontiguousarray(np.transpose(place.lattice.cpu().numpy(), (2, 0, 1)))
        cell = cells.symmetrized(like.group, cells.cell_of(lattice))
        points = wrapped(place.fractional[:, self.centre].cpu().numpy().T)
        return Crystals(like.group, cell, like.first_site, like.species, like.position, points)


def _strain_variables(crystals: Crystals) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Crystal (c,), strain (c, 9) and reach (c,) of the cell variables; crystals in order."""
    system = cells.system_index(crystals.group)
    count = np.array([len(strains) for strains in STRAINS])[system]
    owner = np.repeat(np.arange(len(crystals)), count)
    rank = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    padded = np.zeros((len(STRAINS), 6, 9))
    for k, strains in enumerate(STRAINS):
        padded[k, : len(strains)] = np.reshape(strains, (len(strains), 9))
    # a strain e changes each of the N atoms' bonds by about e * bond: the Hessian is O(N bond^2), an atom's O(1)
    scale = 1.5 * np.sqrt(crystals.atom_count[owner])
    size = np.abs(np.linalg.det(crystals.lattice)) ** (1 / 3)
    return owner, padded[system[owner], rank] / scale[:, None], np.minimum(size[owner], 3.0) / scale
