"""Dispersion by DFT-D3 with Becke-Johnson damping for PBE, two-body: what holds layers, chains and cages together.

Grimme, Antony, Ehrlich & Krieg, J. Chem. Phys. 132, 154104 (2010); Grimme, Ehrlich & Goerigk, J. Comput. Chem. 32,
1456 (2011). Computed by s-dftd3.
"""

import numpy as np
from ase.units import Bohr, Hartree
from dftd3.interface import DispersionModel, RationalDampingParam

from legocryst.crystal.crystals import Crystals
from legocryst.crystal.symmetry.primitive import in_primitive_cell
from legocryst.crystal.symmetry.wyckoff import primitive

FUNCTIONAL = "pbe"
PAIRS, COORDINATION, FADE = 60.0, 40.0, 10.0
"""Bohr within which pairs give energy and neighbours are counted, and over which pairs fade, for a smooth energy."""


class Dispersion:
    """D3 energy of one crystal, for any geometry with its space group and Wyckoff positions."""

    def __init__(self, crystals: Crystals, k: int) -> None:
        crystal = crystals.take([k])
        self._basis = primitive(int(crystal.group[0])).T
        self._copies = round(1 / np.linalg.det(self._basis))
        self._chosen = in_primitive_cell(crystal)
        self._species = crystal.atoms().species[self._chosen]
        self._damping = RationalDampingParam(method=FUNCTIONAL, atm=False)

    def __call__(self, lattice: np.ndarray, fractional: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Return energy (eV) of the conventional cell, and its gradients over the lattice (3, 3) and the atoms (a, 3).

        Computed in the primitive cell of the space group's centring; see `sevennet.Energy` for the arguments. Of atoms
        that a centring translation makes equal one carries the gradient of all.
        """
        positions = fractional[self._chosen] @ lattice
        cell, periodic = self._basis @ lattice, np.ones(3, bool)
        model = DispersionModel(self._species, positions / Bohr, cell / Bohr, periodic)
        model.set_realspace_cutoff(PAIRS, COORDINATION, COORDINATION, width2=FADE)
        result = model.get_dispersion(self._damping, grad=True)
        scale = self._copies * Hartree
        pull = np.zeros_like(fractional)
        pull[self._chosen] = scale / Bohr * result["gradient"] @ lattice.T
        return scale * float(result["energy"]), scale * np.linalg.solve(lattice.T, result["virial"]), pull
