"""A batch of crystals as tensors over its symmetry-free variables.

The variables of a crystal are the strain components its crystal system leaves free and the free coordinates of its
sites, scaled so that one unit moves atoms by about one angstrom in all, whatever the multiplicity. Symmetry is exact by
construction: no step can leave the space group or a special position.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from legocryst.crystal import cell as cells
from legocryst.crystal.representation import Crystals
from legocryst.crystal.wyckoff import wyckoff
from legocryst.environment.neighbors import find_edges

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


def times(matrix: Tensor, vector: Tensor) -> Tensor:
    """Products (e, 3) of matrices (e, 3, 3) and vectors (e, 3); faster than einsum for such small ones."""
    out = matrix[:, :, 0] * vector[:, 0:1]
    out.addcmul_(matrix[:, :, 1], vector[:, 1:2])
    return out.addcmul_(matrix[:, :, 2], vector[:, 2:3])


def transposed_times(matrix: Tensor, vector: Tensor) -> Tensor:
    """Products (e, 3) of the transposed matrices and vectors, that is of row vectors and matrices."""
    out = matrix[:, 0] * vector[:, 0:1]
    out.addcmul_(matrix[:, 1], vector[:, 1:2])
    return out.addcmul_(matrix[:, 2], vector[:, 2:3])


@dataclass(frozen=True, slots=True)
class Bonds:
    """A neighbour list with what is fixed while it holds."""

    site: Tensor  # (e,)
    atom: Tensor  # (e,)
    crystal: Tensor  # (e,)
    neighbor: Tensor  # (e,) site of the neighbouring atom
    rotation: Tensor  # (e, 3, 3) of the neighbouring atom
    offset: Tensor  # (e, 3) its translation and image

    def replaced(self, new: "Bonds", sites: Tensor) -> "Bonds":
        """With the bonds of some sites, given as a mask (s,), replaced by new ones."""
        old = torch.nonzero(~sites[self.site]).squeeze(1)
        order = torch.argsort(torch.cat([self.site[old], new.site]), stable=True)
        columns = ((getattr(self, name)[old], getattr(new, name)) for name in self.__slots__)
        return Bonds(*(torch.cat(pair)[order] for pair in columns))


@dataclass(frozen=True, slots=True)
class System:
    """n crystals, s sites, a atoms, v variables; float64."""

    lattice: Tensor  # (n, 3, 3) unstrained
    coordinates: Tensor  # (s, 3) at variables 0
    crystal: Tensor  # (s,) of each site
    species: Tensor  # (a,) atomic numbers
    multiplicity: Tensor  # (s,) float
    atoms: Tensor  # (n,) float
    first_rotation: Tensor  # (s, 3, 3) first operation of the site's position
    first_translation: Tensor  # (s, 3)
    own: Tensor  # (s,) atom made by the first operation
    atom_first: Tensor  # (n + 1,)
    atom_site: Tensor  # (a,)
    rotation: Tensor  # (a, 3, 3)
    translation: Tensor  # (a, 3)
    owner: Tensor  # (v,) crystal of each variable
    strain: Tensor  # (c, 9) strain of the first c variables
    moved: Tensor  # (v - c,) flat index into coordinates of the other variables
    stretch: Tensor  # (v - c,) fraction of a cell for one unit
    reach: Tensor  # (v,) angstrom that an atom moves, at most, for one unit

    def __len__(self) -> int:
        return len(self.lattice)

    @staticmethod
    def build(crystals: Crystals, *, device: str = "cpu") -> "System":
        """The system of a batch; all cells must be possible."""
        table, atoms = wyckoff(), crystals.atoms()
        first_op = table.op_first[crystals.position_id]
        multiplicity, count = crystals.multiplicity, crystals.atom_count
        owner, strain, reach = _strain_variables(crystals)
        free = table.free[crystals.position_id]
        site, axis = np.nonzero(free)
        arm = np.einsum("vi,vij->vj", table.rotation[first_op[site], :, axis], crystals.lattice[_of(crystals, site)])
        length = np.linalg.norm(arm, axis=1) * np.sqrt(multiplicity[site])

        def tensor(array: np.ndarray) -> Tensor:
            return torch.from_numpy(np.ascontiguousarray(array)).to(device)

        return System(
            lattice=tensor(crystals.lattice),
            coordinates=tensor(crystals.coordinates),
            crystal=tensor(crystals.crystal_of_site),
            species=tensor(atoms.species),
            multiplicity=tensor(multiplicity.astype(float)),
            atoms=tensor(count.astype(float)),
            first_rotation=tensor(table.rotation[first_op]),
            first_translation=tensor(table.translation[first_op]),
            own=tensor(np.cumsum(multiplicity) - multiplicity),
            atom_first=tensor(atoms.first),
            atom_site=tensor(atoms.site),
            rotation=tensor(table.rotation[atoms.operation]),
            translation=tensor(table.translation[atoms.operation]),
            owner=tensor(np.concatenate([owner, _of(crystals, site)])),
            strain=tensor(strain),
            moved=tensor(site * 3 + axis),
            stretch=tensor(1 / length),
            reach=tensor(np.concatenate([reach, 1 / np.sqrt(multiplicity[site])])),
        )

    def unfold(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Deformation (n, 3, 3), lattice (n, 3, 3) and coordinates (s, 3) at variables x (v,)."""
        c = len(self.strain)
        deformation = x.new_zeros((len(self), 9)).index_add_(0, self.owner[:c], self.strain * x[:c, None])
        deformation = deformation.view(-1, 3, 3) + torch.eye(3, dtype=x.dtype, device=x.device)
        coordinates = self.coordinates.flatten().clone()
        coordinates[self.moved] += x[c:] * self.stretch
        return deformation, self.lattice @ deformation, coordinates.view(-1, 3)

    def bonds(self, x: Tensor, cutoff: float, sites: Tensor) -> Bonds:
        """The neighbour list of some sites at variables x, cutoff in angstrom, sorted by site."""
        _, lattice, coordinates = self.unfold(x)
        fractional = times(self.rotation, coordinates[self.atom_site]) + self.translation
        own, crystal = self.own[sites], self.crystal[sites]
        edges = find_edges(lattice, fractional, self.atom_first, own, crystal, cutoff=cutoff)
        site = sites[edges.site]
        return Bonds(
            site=site,
            atom=edges.atom,
            crystal=self.crystal[site],
            neighbor=self.atom_site[edges.atom],
            rotation=self.rotation[edges.atom],
            offset=self.translation[edges.atom] + edges.image - self.first_translation[site],
        )

    def shrinks(self, x: Tensor, y: Tensor, distance: float) -> Tensor:
        """Least distances (n,) at y, at worst, of two atoms `distance` apart at x.

        A vector d at x becomes d F + u - v with displacements u and v, so it keeps |d| (1 - |F - 1|) - 2 max |u|.
        """
        before, lattice, old = self.unfold(x)
        after, _, new = self.unfold(y)
        eye = torch.eye(3, dtype=x.dtype, device=x.device)
        change = torch.linalg.norm((torch.linalg.solve(before, after) - eye).flatten(1), dim=1)
        # orbits are made by operations that keep lengths: the first point's displacement is that of all of them
        shift = times(self.first_rotation, new - old)
        length = torch.linalg.norm(transposed_times(lattice[self.crystal], shift), dim=1)
        furthest = length.new_zeros(len(self)).scatter_reduce_(0, self.crystal, length, "amax")
        return distance * (1 - change) - 2 * furthest * (1 + change)

    def vectors(self, x: Tensor, bonds: Bonds) -> tuple[Tensor, Tensor, Tensor]:
        """Bond vectors (e, 3) in angstrom, the same unstrained, and the lattice at variables x."""
        deformation, lattice, coordinates = self.unfold(x)
        point = times(self.first_rotation, coordinates)
        fractional = times(bonds.rotation, coordinates[bonds.neighbor])
        fractional += bonds.offset
        fractional -= point[bonds.site]
        relaxed = transposed_times(self.lattice[bonds.crystal], fractional)
        return transposed_times(deformation[bonds.crystal], relaxed), relaxed, lattice

    def pull_back(self, bonds: Bonds, force: Tensor, relaxed: Tensor, lattice: Tensor) -> Tensor:
        """Gradient (v,) over the variables of a function whose gradient over the bond vectors is `force` (e, 3)."""
        c = len(self.strain)
        outer = (relaxed[:, :, None] * force[:, None, :]).view(-1, 9)
        virial = force.new_zeros((len(self), 9)).index_add_(0, bonds.crystal, outer)
        pulled = times(lattice[bonds.crystal], force)
        at_centre = force.new_zeros(self.coordinates.shape).index_add_(0, bonds.site, pulled)
        gradient = -transposed_times(self.first_rotation, at_centre)
        gradient.index_add_(0, bonds.neighbor, transposed_times(bonds.rotation, pulled))
        return torch.cat([(self.strain * virial[self.owner[:c]]).sum(1), gradient.flatten()[self.moved] * self.stretch])

    def dot(self, a: Tensor, b: Tensor) -> Tensor:
        """Scalar products (n,) of two vectors over the variables, crystal by crystal."""
        return a.new_zeros(len(self)).index_add_(0, self.owner, a * b)

    def per_crystal(self, site_values: Tensor) -> Tensor:
        """Sums (n,) over all atoms of values (s,) of one atom of each site."""
        return site_values.new_zeros(len(self)).index_add_(0, self.crystal, site_values * self.multiplicity)

    def crystals(self, x: Tensor, like: Crystals) -> Crystals:
        """The batch at variables x; `like` is the batch that the system was built from."""
        _, lattice, coordinates = self.unfold(x)
        point = times(self.first_rotation, coordinates) + self.first_translation
        cell = cells.symmetrized(like.group, cells.cell_of(lattice.cpu().numpy()))
        wrapped = point.cpu().numpy() % 1.0
        wrapped[wrapped >= 1.0] = 0.0
        return Crystals(like.group, cell, like.first_site, like.species, like.position, wrapped)


def _of(crystals: Crystals, site: np.ndarray) -> np.ndarray:
    return crystals.crystal_of_site[site]


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
