"""Crystals as arrays over their symmetry-free variables.

The variables of a crystal are the strain components its crystal system leaves free and the free coordinates of its
sites, scaled so that one unit moves atoms by about one angstrom in all, whatever the multiplicity. Symmetry is exact by
construction: no step can leave the space group or a special position.
"""

from typing import NamedTuple

import numpy as np

from legocryst.crystal import cell as cells
from legocryst.crystal.crystals import Crystals
from legocryst.crystal.symmetry.projection import wrapped
from legocryst.crystal.symmetry.wyckoff import wyckoff
from legocryst.infra.compiled import compiled

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


class System(NamedTuple):
    """n crystals with s sites, a atoms and v variables, those of one crystal together, as compiled functions read them.

    The variables of a crystal are first those of its cell, then those of its sites.
    """

    lattice: np.ndarray  # (n, 3, 3) rows a, b, c at variables 0
    first_variable: np.ndarray  # (n + 1,)
    first_site: np.ndarray  # (n + 1,)
    first_atom: np.ndarray  # (s + 1,)
    strain: np.ndarray  # (v, 3, 3) for one unit of a cell variable, 0 for others
    reach: np.ndarray  # (v,) angstrom that an atom moves, at most, for one unit
    cell_variables: np.ndarray  # (n,)
    variable: np.ndarray  # (s, 3) that moves the site's coordinate x, y, z; 0, with scale 0, where none does
    scale: np.ndarray  # (s, 3) that the coordinate moves for one unit
    rotation: np.ndarray  # (a, 3, 3) from the site's coordinates to the atom's
    base: np.ndarray  # (a, 3) fractional coordinates at variables 0, not wrapped
    species: np.ndarray  # (a,) atomic numbers, float

    @staticmethod
    def build(crystals: Crystals) -> "System":
        """Return the system of a batch; all cells must be possible."""
        table, atoms = wyckoff(), crystals.atoms()
        multiplicity, crystal = crystals.multiplicity, crystals.crystal_of_site
        owner, strain, reach = _strain_variables(crystals)
        cell_variables = np.bincount(owner, minlength=len(crystals))
        free = table.free[crystals.position_id]
        site, axis = np.nonzero(free)
        lattice, op = crystals.lattice, table.op_first[crystals.position_id]
        arm = np.einsum("vi,vij->vj", table.rotation[op[site], :, axis], lattice[crystal[site]])
        root = np.sqrt(multiplicity[site])

        every_owner = np.concatenate([owner, crystal[site]])
        order = np.argsort(every_owner, kind="stable")
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order))
        variable, scale = np.zeros((len(free), 3), np.int64), np.zeros((len(free), 3))
        variable[site, axis], scale[site, axis] = place[len(owner) :], 1 / (np.linalg.norm(arm, axis=1) * root)
        strains = np.zeros((len(order), 3, 3))
        strains[place[: len(owner)]] = strain
        return System(
            lattice=lattice,
            first_variable=np.concatenate([[0], np.cumsum(np.bincount(every_owner, minlength=len(crystals)))]),
            first_site=crystals.first_site,
            first_atom=np.concatenate([[0], np.cumsum(multiplicity)]),
            strain=strains,
            reach=np.concatenate([reach, 1 / root])[order],
            cell_variables=cell_variables,
            variable=variable,
            scale=scale,
            rotation=table.rotation[atoms.operation].astype(float),
            base=atoms.fractional,
            species=atoms.species.astype(float),
        )


def moved_to(system: System, x: np.ndarray, like: Crystals) -> Crystals:
    """Return the crystals at variables x (v,); `like` is the batch that the system was built from."""
    lattice, points = np.empty((len(like), 3, 3)), np.empty((len(like.species), 3))
    _place_all(system, x, lattice, np.empty_like(system.base), points)
    return Crystals(
        like.group,
        cells.symmetrized(like.group, cells.cell_of(lattice)),
        like.first_site,
        like.species,
        like.position,
        wrapped(points),
    )


@compiled
def place(system: System, k: int, x: np.ndarray, lattice: np.ndarray, fractional: np.ndarray) -> None:
    """Put crystal k at its variables x: fills lattice (3, 3) and fractional (a, 3), by the crystal's own atoms."""
    begin, site = system.first_variable[k], system.first_site[k]
    for i in range(3):
        for j in range(3):
            lattice[i, j] = system.lattice[k, i, j]
    for v in range(system.cell_variables[k]):
        for i in range(3):
            for j in range(3):
                for m in range(3):
                    lattice[i, j] += system.lattice[k, i, m] * system.strain[begin + v, m, j] * x[v]
    start = system.first_atom[site]
    for s in range(site, system.first_site[k + 1]):
        dx = system.scale[s, 0] * x[system.variable[s, 0] - begin] if system.scale[s, 0] > 0 else 0.0
        dy = system.scale[s, 1] * x[system.variable[s, 1] - begin] if system.scale[s, 1] > 0 else 0.0
        dz = system.scale[s, 2] * x[system.variable[s, 2] - begin] if system.scale[s, 2] > 0 else 0.0
        for a in range(system.first_atom[s], system.first_atom[s + 1]):
            for i in range(3):
                turned = system.rotation[a, i, 0] * dx + system.rotation[a, i, 1] * dy + system.rotation[a, i, 2] * dz
                fractional[a - start, i] = system.base[a, i] + turned


@compiled
def pull_back(
    system: System,
    k: int,
    lattice_pull: np.ndarray,
    fractional_pull: np.ndarray,
    gradient: np.ndarray,
) -> None:
    """Pull gradients over the lattice (3, 3) and atoms (a, 3) of crystal k back to its variables."""
    begin, site = system.first_variable[k], system.first_site[k]
    gradient[: system.first_variable[k + 1] - begin] = 0.0
    for v in range(system.cell_variables[k]):
        for i in range(3):
            for j in range(3):
                for m in range(3):
                    gradient[v] += system.lattice[k, i, m] * system.strain[begin + v, m, j] * lattice_pull[i, j]
    start = system.first_atom[site]
    for s in range(site, system.first_site[k + 1]):
        x, y, z = 0.0, 0.0, 0.0
        for a in range(system.first_atom[s], system.first_atom[s + 1]):
            for i in range(3):
                pull = fractional_pull[a - start, i]
                x += system.rotation[a, i, 0] * pull
                y += system.rotation[a, i, 1] * pull
                z += system.rotation[a, i, 2] * pull
        for i, each in enumerate((x, y, z)):
            if system.scale[s, i] > 0:
                gradient[system.variable[s, i] - begin] += system.scale[s, i] * each


@compiled
def _place_all(system: System, x: np.ndarray, lattice: np.ndarray, fractional: np.ndarray, points: np.ndarray) -> None:
    """Place lattices (n, 3, 3), all atoms (a, 3) and the first atom of each site (s, 3)."""
    for k in range(len(lattice)):
        place(
            system, k, x[system.first_variable[k] :], lattice[k], fractional[system.first_atom[system.first_site[k]] :]
        )
    for s in range(len(points)):
        points[s] = fractional[system.first_atom[s]]


def _strain_variables(crystals: Crystals) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return crystal (c,), strain (c, 3, 3) and reach (c,) of the cell variables; crystals in order."""
    system = cells.system_index(crystals.group)
    count = np.array([len(strains) for strains in STRAINS])[system]
    owner = np.repeat(np.arange(len(crystals)), count)
    rank = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    padded = np.zeros((len(STRAINS), 6, 3, 3))
    for k, strains in enumerate(STRAINS):
        padded[k, : len(strains)] = strains
    # a strain e changes each of the N atoms' bonds by about e * bond: the Hessian is O(N bond^2), an atom's O(1)
    scale = 1.5 * np.sqrt(crystals.atom_count[owner])
    size = np.abs(np.linalg.det(crystals.lattice)) ** (1 / 3)
    return owner, padded[system[owner], rank] / scale[:, None, None], np.minimum(size[owner], 3.0) / scale
