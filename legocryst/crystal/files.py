"""Crystals from and to pymatgen structures and files: CIF with its space group, POSCAR, tables."""

import warnings
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from legocryst.crystal import cell as cells
from legocryst.crystal.elements import SYMBOLS
from legocryst.crystal.projection import project, wrapped
from legocryst.crystal.representation import Crystals
from legocryst.crystal.table import TableError, decode, read_table
from legocryst.crystal.wyckoff import symbol, wyckoff

if TYPE_CHECKING:
    from pymatgen.core import Structure

OVERLAP = 0.3  # angstrom: no two atoms of a real crystal are nearer
TABLE_SUFFIXES = (".csv", ".parquet", ".json")
POSCAR_SUFFIXES = (".vasp", ".poscar", ".contcar")


class FileError(ValueError):
    """A file or structure that cannot be read as a crystal; the message is one sentence: why, and what to do."""


def to_structure(crystals: Crystals, i: int = 0) -> "Structure":
    """Conventional cell of crystal i as a pymatgen Structure, coordinates wrapped into [0, 1)."""
    from pymatgen.core import Structure

    atoms = crystals.take([i]).atoms()
    return Structure(crystals.lattice[i], atoms.species.tolist(), wrapped(atoms.fractional))


def from_structure(structure: "Structure", symprec: float = 0.01) -> Crystals:
    """One crystal in the standard setting of its space group, which spglib finds within `symprec` angstrom.

    Raises FileError for partial occupancy, dummy atoms, coordinates that are not numbers and overlapping atoms.
    """
    return from_atoms(*_checked(structure), symprec)


def from_atoms(lattice: np.ndarray, points: np.ndarray, species: np.ndarray, symprec: float = 0.01) -> Crystals:
    """One crystal, as `from_structure`, of lattice (3, 3), fractional coordinates (a, 3) and atomic numbers (a,)."""
    standard = _standardized(lattice, points, species, symprec)
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
    """Wyckoff index of a point whose orbit has `multiplicity` members, and its place on the first operation."""
    table = wyckoff()
    ids = np.array([p for p in table.positions(group) if table.multiplicity[p] == multiplicity])
    if not len(ids):
        raise FileError(f"no Wyckoff position of {symbol(group)} has {multiplicity} members: try another tolerance")
    metric = np.broadcast_to(lattice, (len(ids), 3, 3))
    coordinates, displacement = project(ids, np.broadcast_to(point, (len(ids), 3)), metric)
    nearest = int(np.argmin(np.linalg.norm(displacement @ lattice, axis=1)))
    return int(ids[nearest] - table.first[group]), coordinates[nearest]


def to_cif(crystals: Crystals, i: int = 0, *, name: str = "") -> str:
    """CIF text of crystal i: space group, symmetry operations, and one atom row for each Wyckoff site."""
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


def crystal_files(path: str | Path) -> list[Path]:
    """The CIFs, POSCARs and tables of a folder in order of name, or the file itself; FileError for none."""
    path = Path(path)
    files = sorted(p for p in path.iterdir() if _kind(p)) if path.is_dir() else [path]
    if not files:
        raise FileError(f"the folder {path} holds no CIF, POSCAR or table: add one")
    return files


def read_crystals(path: str | Path) -> Crystals:
    """All crystals of a CIF (any number of blocks), a POSCAR, a table, or of all such files in a folder.

    Raises FileError with one sentence when anything in it cannot be read: nothing is left out silently.
    """
    path = Path(path)
    if path.is_dir():
        return Crystals.concatenate([read_crystals(file) for file in crystal_files(path)])
    kind = _kind(path)
    if not path.is_file():
        raise FileError(f"there is no file {path}: check its name")
    if not kind:
        raise FileError(f"{path.name} is of no known kind: give a .cif, a POSCAR (.vasp) or a table (.csv, .parquet)")
    if path.stat().st_size == 0:
        raise FileError(f"{path.name} is empty: give a file with at least one crystal")
    try:
        if kind == "table":
            return _from_table(path)
        return Crystals.concatenate([from_structure(structure) for structure in _structures(path, kind)])
    except (FileError, TableError) as error:
        raise FileError(f"{path.name}: {error}" if path.name not in str(error) else str(error)) from error


def _kind(path: Path) -> str:
    suffix, name = path.suffix.lower(), path.name.upper()
    if suffix == ".cif":
        return "cif"
    if suffix in TABLE_SUFFIXES:
        return "table"
    return "poscar" if suffix in POSCAR_SUFFIXES or name.startswith(("POSCAR", "CONTCAR")) else ""


def _from_table(path: Path) -> Crystals:
    table = read_table(path)
    decoded = decode(table, mode="strict")
    if len(decoded.rows) < len(table):
        bad = np.flatnonzero(decoded.reason != "")
        first = f"row {bad[0] + 1} ({decoded.reason[bad[0]]})"
        raise FileError(
            f"{len(bad)} of its {len(table)} rows cannot be read, the first is {first}: correct or remove them"
        )
    return decoded.crystals


def _structures(path: Path, kind: str) -> list["Structure"]:
    from pymatgen.io.cif import CifParser
    from pymatgen.io.vasp import Poscar

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # rounded coordinates, guessed elements: the second is refused below
        try:
            if kind == "cif":
                return CifParser(path).parse_structures(primitive=False, on_error="raise")
            poscar = Poscar.from_file(path, check_for_potcar=False)
        except (ValueError, IndexError, KeyError, TypeError, AttributeError) as error:
            if "nan" in str(error).lower():
                raise FileError(
                    f"{path.name} has coordinates or cell lengths that are not numbers: correct it"
                ) from error
            what = "a CIF" if kind == "cif" else "a POSCAR"
            raise FileError(f"{path.name} cannot be read as {what}: {_one_line(error)}") from error
    if not poscar.true_names:
        raise FileError(f"{path.name} does not name its elements: add their symbols in line 6, as VASP 5 does")
    return [poscar.structure]


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def _checked(structure: "Structure") -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lattice, fractional coordinates and atomic numbers of a structure that makes sense."""
    from pymatgen.core import DummySpecies

    if not structure.is_ordered:
        raise FileError("the structure has sites of partial occupancy: give an ordered structure")
    if any(isinstance(site.specie, DummySpecies) for site in structure):
        raise FileError("the structure has dummy atoms: give real elements only")
    lattice, points = structure.lattice.matrix, structure.frac_coords
    if not len(points):
        raise FileError("the structure has no atoms: give one with at least one")
    if not (np.isfinite(lattice).all() and np.isfinite(points).all()):
        raise FileError("the structure has coordinates or cell lengths that are not numbers: correct the file")
    if abs(np.linalg.det(lattice)) < 1e-3:
        raise FileError("the cell of the structure has no volume: correct the file")
    first, second, _, distance = structure.get_neighbor_list(OVERLAP)
    if len(distance):
        pair = f"{first[0] + 1} and {second[0] + 1}"
        raise FileError(f"atoms {pair} of the structure overlap ({distance[0]:.2f} angstrom apart): remove one of them")
    return lattice, points, np.array([site.specie.Z for site in structure])


@cache
def _hall_number(group: int) -> int:
    """Hall number, as spglib counts, of the setting whose operations are those of `wyckoff()`; there is exactly one."""
    import spglib

    wanted = _operation_set(*wyckoff().general(group))
    for hall in range(1, 531):
        kind = spglib.get_spacegroup_type(hall)
        operations = spglib.get_symmetry_from_database(hall) if kind and kind.number == group else None
        if operations and _operation_set(operations["rotations"], operations["translations"]) == wanted:
            return hall
    raise LookupError(f"spglib has no setting of space group {group} with our operations")


def _operation_set(rotation: np.ndarray, translation: np.ndarray) -> frozenset[tuple[int, ...]]:
    numbers = np.concatenate([np.rint(rotation).reshape(-1, 9), np.rint(translation * 24) % 24], axis=1)
    return frozenset(map(tuple, numbers.astype(int).tolist()))


def _standardized(lattice: np.ndarray, points: np.ndarray, species: np.ndarray, symprec: float) -> Any:
    import spglib

    cell = (lattice.tolist(), points.tolist(), species.tolist())
    found = spglib.get_symmetry_dataset(cell, symprec=symprec)
    if found is not None and found.hall_number != (hall := _hall_number(int(found.number))):
        found = spglib.get_symmetry_dataset(cell, symprec=symprec, hall_number=hall)
    if found is None:
        raise FileError(f"spglib finds no space group for this structure at {symprec} angstrom: try another tolerance")
    return found


def _orbit(group: int, points: np.ndarray, first: int, lattice: np.ndarray, tolerance: float) -> np.ndarray:
    """Indices of the atoms to which the operations of the group carry atom `first`."""
    rotation, translation = wyckoff().general(group)
    images = rotation @ points[first] + translation
    offset = images[:, None] - points
    distance = np.linalg.norm((offset - np.rint(offset)) @ lattice, axis=-1)
    if distance.min(axis=1).max() > tolerance:
        raise FileError("the structure lacks atoms that its symmetry asks for: try another tolerance")
    return np.unique(distance.argmin(axis=1))


def _xyz(rotation: np.ndarray, translation: np.ndarray) -> str:
    """An operation as in `-x+1/2,y,z`."""
    parts = []
    for row, shift in zip(np.rint(rotation).astype(int), np.rint(translation * 24).astype(int) % 24, strict=True):
        text = "".join(f"{'+' if k > 0 else '-'}{axis}" for k, axis in zip(row, "xyz", strict=True) if k)
        if shift:
            divisor = np.gcd(shift, 24)
            text += f"+{shift // divisor}/{24 // divisor}"
        parts.append(text.lstrip("+"))
    return ",".join(parts)
