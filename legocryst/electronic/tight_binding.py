"""Tight binding with one p orbital an atom, along the normal of its three bonds.

Slater and Koster (Phys. Rev. 94, 1498, 1954): two orbitals along unit vectors n, m, a distance r apart along the unit
vector u, have the matrix element ((n.m) - (n.u)(m.u)) V_pi(r) + (n.u)(m.u) V_sigma(r). The normal of an atom makes
equal angles with its bonds (Haddon, Acc. Chem. Res. 21, 243, 1988). The distances enter as Trambly de Laissardiere,
Mayou and Magaud have them for graphene and between its layers (Nano Lett. 10, 804, 2010, equations 2-4), f after
their later paper (Phys. Rev. B 86, 125413, 2012):

    V_pi(r) = v_pi exp(-decay (r - r_pi)) f(r),   V_sigma(r) = v_sigma exp(-decay (r - r_sigma)) f(r),
    f(r) = 1 / (1 + exp((r - r_cut) / smooth))

That V_sigma holds from the distance of layers on; at a bond it would be 35 eV. Nearer than r_sigma its decay is
`decay_near`, which leads to the 7.0 eV at a bond of Xu, Wang, Chan and Ho (J. Phys.: Condens. Matter 4, 6047, 1992).
The numbers belong to the target (`Orbitals` in `environment.target`).
"""

from dataclasses import dataclass

import numpy as np

from legocryst.crystal.cell import cell_of
from legocryst.crystal.crystals import Crystals
from legocryst.electronic.brillouin import Primitive
from legocryst.environment.neighbors import neighbor_list
from legocryst.environment.target import Orbitals

BONDS = 3
"""Bonds of an atom that has a normal."""


@dataclass(frozen=True, slots=True)
class Hamiltonian:
    """Matrix elements between an atom of the cell and one of another cell."""

    image: np.ndarray  # (r, 3) cells
    blocks: np.ndarray  # (r, n, n) eV

    def levels(self, kpoints: np.ndarray) -> np.ndarray:
        """Return energies (k, n) in eV, ascending, at k-points (k, 3) in the basis of the reciprocal lattice."""
        return np.linalg.eigvalsh(self.at(kpoints))

    def at(self, kpoints: np.ndarray) -> np.ndarray:
        """Return the matrix (k, n, n) at k-points (k, 3)."""
        n = self.blocks.shape[1]
        phase = np.exp(2j * np.pi * (np.asarray(kpoints, float) @ self.image.T))
        flat = self.blocks.reshape(len(self.image), n * n)
        return (phase.real @ flat + 1j * (phase.imag @ flat)).reshape(-1, n, n)


def as_crystal(cell: Primitive) -> Crystals:
    """Return the primitive cell as a batch of one without symmetry."""
    sites = [(int(kind), 0, point) for kind, point in zip(cell.species, cell.fractional, strict=True)]
    return Crystals.build([1], cell_of(cell.lattice)[None], [sites])


def normals(crystal: Crystals, *, cutoff: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return for every atom of the one crystal of a batch: normal (a, 3), bonds (a,) and degrees (a,) off planar.

    The degrees are those between a bond and the plane at right angles to the normal. Normal and degrees are NaN where
    an atom has other than three bonds, which are those up to `cutoff` angstrom.
    """
    bonds = neighbor_list(crystal, cutoff, every_atom=True)
    number = np.bincount(bonds.site, minlength=int(crystal.atom_count[0]))
    normal = np.full((len(number), 3), np.nan)
    three = number == BONDS
    unit = (bonds.vector / bonds.distance[:, None])[three[bonds.site]].reshape(-1, 3, 3)
    across = np.cross(unit[:, 0] - unit[:, 1], unit[:, 1] - unit[:, 2])
    normal[three] = across / np.linalg.norm(across, axis=1, keepdims=True)
    degrees = np.full(len(number), np.nan)
    degrees[three] = np.degrees(np.arcsin(np.clip(np.abs((unit[:, 0] * normal[three]).sum(axis=1)), 0, 1)))
    return normal, number, degrees


def hamiltonian(cell: Primitive, orbitals: Orbitals, *, cutoff: float) -> Hamiltonian:
    """Make the Hamiltonian of a crystal whose atoms all have three bonds, which are those up to `cutoff` angstrom."""
    crystal = as_crystal(cell)
    normal, _, _ = normals(crystal, cutoff=cutoff)
    near = neighbor_list(crystal, orbitals.reach, every_atom=True)
    unit = near.vector / near.distance[:, None]
    one, other = ((normal[which] * unit).sum(axis=1) for which in (near.site, near.atom))
    cosine = (normal[near.site] * normal[near.atom]).sum(axis=1)
    v_pi, v_sigma = elements(near.distance, orbitals)
    value = (cosine - one * other) * v_pi + one * other * v_sigma
    image, place = np.unique(near.image.astype(int), axis=0, return_inverse=True)
    blocks = np.zeros((len(image), len(normal), len(normal)))
    np.add.at(blocks, (place.ravel(), near.site, near.atom), value)
    return Hamiltonian(image.astype(float), blocks)


def elements(distance: np.ndarray, orbitals: Orbitals) -> tuple[np.ndarray, np.ndarray]:
    """Return V_pi and V_sigma (eV) at distances (e,) in angstrom."""
    o = orbitals
    end = 1 / (1 + np.exp((distance - o.r_cut) / o.smooth))
    v_pi = o.v_pi * np.exp(-o.decay * (distance - o.r_pi))
    beyond = distance - o.r_sigma
    v_sigma = o.v_sigma * np.exp(-np.where(beyond < 0, o.decay_near, o.decay) * beyond)
    return v_pi * end, v_sigma * end
