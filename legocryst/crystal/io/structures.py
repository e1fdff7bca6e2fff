"""Crystals from structures in any setting, and to structures and CIFs with their space group."""

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from legocryst.crystal import cell as cells
from legocryst.crystal.crystals import Crystals
from legocryst.crystal.elements import SYMBOLS
from legocryst.crystal.io.table import LENGTHS, possible
from legocryst.crystal.symmetry.projection import project, wrapped
from legocryst.crystal.symmetry.wyckoff import symbol, wyckoff

if TYPE_CHECKING:
    from pymatgen.core import Structure

OVERLAP = 0.3  # angstrom: no two atoms of a real crystal are nearer


class FileError(ValueError):
    """A file or structure that cannot be read as a crystal; the message is one sentence: why, and what to do."""


def to_structure(crystals: Crystals, i: int = 0) -> "Structure":
    """Return conventional cell of crystal i as a pymatgen Structure, coordinates wrapped into [0, 1)."""
    from pymatgen.core import Structure

    atoms = crystals.take([i]).atoms()
    return Structure(crystals.lattice[i], atoms.species.tolist(), wrapped(atoms.fractional))


def from_structure(structure: "Structure", symprec: float = 0.01, max_atoms: int | None = None) -> Crystals:
    """Return one crystal in the standard setting of its space group, which spglib finds within `symprec` angstrom.

    Raises FileError for partial occupancy, dummy atoms, coordinates that are not numbers, overlapping atoms, and more
    than `max_atoms` atoms in the conventional cell.
    """
    return from_atoms(*_checked(structure), symprec, max_atoms)


def from_atoms(
    lattice: np.ndarray,
    points: np.ndarray,
    species: np.ndarray,
    symprec: float = 0.01,
    max_atoms: int | None = None,
) -> Crystals:
    """Make one crystal, as `from_structure`, of lattice (3, 3), fractional coordinates (a, 3), atomic numbers (a,)."""
    if max_atoms is not None and len(points) > max_atoms:  # spglib would take long to say the same
        _check_size(len(points) // _translations(lattice, points, species, 2 * symprec), max_atoms)
    standard = _standardized(lattice, points, species, symprec)
    if max_atoms is not None:
        _check_size(len(standard.std_types), max_atoms)
    group = int(standard.number)
    cell = cells.symmetrized(np.array([group]), cells.cell_of(standard.std_lattice)[None])
    points, species = standard.std_positions, standard.std_types
    sites, left = [], np.ones(len(points), bool)
    while left.any():
        first = int(np.argmax(left))
        members = _orbit(group, points, first, cells.lattice(cell)[0], 2 * symprec)
        if not left[members].all() or np.any(species[members] != species[first]):
            raise FileError(f"the symmetry of this structure is not clear at {symprec} angstrom: try another tolerance")
        left[members] = False
        position, point = assign(group, points[first], len(members), cells.lattice(cell)[0])
        sites.append((int(species[first]), position, point.tolist()))
    return Crystals.build([group], cell, [sites])


def assign(group: int, point: np.ndarray, multiplicity: int, lattice: np.ndarray) -> tuple[int, np.ndarray]:
    """Return Wyckoff index of a point whose orbit has `multiplicity` members, and its place on the first operation."""
    table = wyckoff()
    ids = np.array([p for p in table.positions(group) if table.multiplicity[p] == multiplicity])
    if not len(ids):
        raise FileError(f"no Wyckoff position of {symbol(group)} has {multiplicity} members: try another tolerance")
    metric = np.broadcast_to(lattice, (len(ids), 3, 3))
    coordinates, displacement = project(ids, np.broadcast_to(point, (len(ids), 3)), metric)
    nearest = int(np.argmin(np.linalg.norm(displacement @ lattice, axis=1)))
    return int(ids[nearest] - table.first[group]), coordinates[nearest]


def to_cif(crystals: Crystals, i: int = 0, *, name: str = "") -> str:
    """Return CIF text of crystal i: space group, symmetry operations, and one atom row for each Wyckoff site."""
    crystal = crystals.take([i])
    group, table = int(crystal.group[0]), wyckoff()
    label = "".join(c if c.isalnum() or c in "-_." else "_" for c in name) or f"crystal_{i}"
    rotation, translation = table.general(group)
    values = np.r_[crystal.cell[0, :3], np.degrees(crystal.cell[0, 3:])]
    keys = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
    lines = [
        f"data_{label}",
        f"_symmetry_space_group_name_H-M   '{symbol(group)}'",
        f"_symmetry_Int_Tables_number   {group}",
        *(f"_cell_{key}   {value:.8f}" for key, value in zip(keys, values, strict=True)),
        f"_cell_volume   {crystal.volume[0]:.8f}",
        "loop_",
        "_symmetry_equiv_pos_as_xyz",
        *(f"'{_xyz(r, t)}'" for r, t in zip(rotation, translation, strict=True)),
        "loop_",
        *(f"_atom_site_{key}" for key in ("label", "type_symbol", "symmetry_multiplicity", "Wyckoff_symbol")),
        *(f"_atom_site_{key}" for key in ("fract_x", "fract_y", "fract_z", "occupancy")),
    ]
    op = table.op_first[crystal.position_id]
    points = np.einsum("sij,sj->si", table.rotation[op], crystal.coordinates) + table.translation[op]
    for k, (number, letter, count) in enumerate(
        zip(crystal.species, crystal.letters, crystal.multiplicity, strict=True), 1
    ):
        element = SYMBOLS[number]
        # Adding zero turns "-0.0" into "0.0"; rounding first keeps 0.999999999 from being written as 1.
        x, y, z = wrapped(np.round(points[k - 1], 8)) + 0.0
        lines.append(f"{element}{k} {element} {count} {letter} {x:.8f} {y:.8f} {z:.8f} 1")
    return "\n".join(lines) + "\n"


def same_crystal(one: Crystals, other: Crystals) -> bool:
    """Say whether two crystals in standard settings are one, its mirror image included.

    Where it is not clear, False.
    """
    from pymatgen.analysis.structure_matcher import StructureMatcher

    counts = [sorted(zip(crystal.species, crystal.multiplicity, strict=True)) for crystal in (one, other)]
    if one.group[0] != other.group[0] or counts[0] != counts[1] or not np.allclose(one.cell, other.cell, 1e-3, 1e-3):
        return False
    matcher = StructureMatcher(ltol=0.005, stol=0.01, angle_tol=0.1, scale=False)
    return bool(matcher.fit(to_structure(one), to_structure(other)))


def _check_size(atoms: int, max_atoms: int) -> None:
    if atoms > max_atoms:
        raise FileError(
            f"the crystal has {atoms} atoms in its conventional cell, and {max_atoms} are the most: give a smaller one"
        )


def _translations(lattice: np.ndarray, points: np.ndarray, species: np.ndarray, tolerance: float) -> int:
    """Bound the translations of a crystal in the given cell by those that carry some atoms onto others."""
    from scipy.spatial import KDTree

    tree = KDTree(wrapped(points), boxsize=1.0)
    reach = tolerance * float(np.linalg.norm(np.linalg.inv(lattice), 2))
    shift = points[species == species[0]] - points[0]
    for probe in np.linspace(0, len(points) - 1, 12).astype(int):
        shift = shift[tree.query(wrapped(points[probe] + shift), distance_upper_bound=reach)[0] <= reach]
    return max(len(shift), 1)


def _checked(structure: "Structure") -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return lattice, fractional coordinates and atomic numbers of a structure that makes sense."""
    from pymatgen.core import DummySpecies, Structure

    if not structure.is_ordered:
        raise FileError("the structure has sites of partial occupancy: give an ordered structure")
    if any(isinstance(site.specie, DummySpecies) for site in structure):
        names = sorted({site.specie.symbol for site in structure if isinstance(site.specie, DummySpecies)})
        raise FileError(f"the structure has dummy atoms ({', '.join(names)}): give real elements only")
    lattice, points = structure.lattice.matrix, structure.frac_coords
    if not len(points):
        raise FileError("the structure has no atoms: give one with at least one")
    if not (np.isfinite(lattice).all() and np.isfinite(points).all()):
        raise FileError("the structure has coordinates or cell lengths that are not numbers: correct the file")
    if not possible(cells.cell_of(lattice)[None])[0]:
        raise FileError(
            f"the cell of the structure is impossible (edges of {LENGTHS[0]:g} to {LENGTHS[1]:g} angstrom and a volume "
            "are needed): correct the file"
        )
    points = wrapped(points)  # pymatgen looks at every image between an atom and the cell
    first, second, _, distance = Structure(lattice, structure.species, points).get_neighbor_list(OVERLAP)
    if len(distance):
        pair = f"{first[0] + 1} and {second[0] + 1}"
        raise FileError(f"atoms {pair} of the structure overlap ({distance[0]:.2f} angstrom apart): remove one of them")
    return lattice, points, np.array([site.specie.Z for site in structure])


@cache
def hall_number(group: int) -> int:
    """Return the Hall number, as spglib counts, of the one setting whose operations are those of `wyckoff()`."""
    import spglib

    expected = _operation_set(*wyckoff().general(group))
    for hall in range(1, 531):
        kind = spglib.get_spacegroup_type(hall)
        operations = spglib.get_symmetry_from_database(hall) if kind and kind.number == group else None
        if operations and _operation_set(operations["rotations"], operations["translations"]) == expected:
            return hall
    raise LookupError(f"spglib has no setting of space group {group} with our operations")


def _operation_set(rotation: np.ndarray, translation: np.ndarray) -> frozenset[tuple[int, ...]]:
    numbers = np.concatenate([np.rint(rotation).reshape(-1, 9), np.rint(translation * 24) % 24], axis=1)
    return frozenset(map(tuple, numbers.astype(int).tolist()))


def _standardized(lattice: np.ndarray, points: np.ndarray, species: np.ndarray, symprec: float) -> Any:
    import spglib

    cell = (lattice.tolist(), points.tolist(), species.tolist())
    dataset = spglib.get_symmetry_dataset(cell, symprec=symprec)
    if dataset is not None and dataset.hall_number != (hall := hall_number(int(dataset.number))):
        dataset = spglib.get_symmetry_dataset(cell, symprec=symprec, hall_number=hall)
    if dataset is None:
        raise FileError(f"spglib finds no space group for this structure at {symprec} angstrom: try another tolerance")
    return dataset


def _orbit(group: int, points: np.ndarray, first: int, lattice: np.ndarray, tolerance: float) -> np.ndarray:
    """Return indices of the atoms to which the operations of the group carry atom `first`."""
    rotation, translation = wyckoff().general(group)
    images = rotation @ points[first] + translation
    offset = images[:, None] - points
    distance = np.linalg.norm((offset - np.rint(offset)) @ lattice, axis=-1)
    if distance.min(axis=1).max() > tolerance:
        raise FileError("the structure lacks atoms that its symmetry asks for: try another tolerance")
    return np.unique(distance.argmin(axis=1))


def _xyz(rotation: np.ndarray, translation: np.ndarray) -> str:
    """Return an operation as in `-x+1/2,y,z`."""
    parts = []
    for row, shift in zip(np.rint(rotation).astype(int), np.rint(translation * 24).astype(int) % 24, strict=True):
        text = "".join(f"{'+' if k > 0 else '-'}{axis}" for k, axis in zip(row, "xyz", strict=True) if k)
        if shift:
            divisor = np.gcd(shift, 24)
            text += f"+{shift // divisor}/{24 // divisor}"
        parts.append(text.lstrip("+"))
    return ",".join(parts)
