"""Readers of files with crystals: CIF, POSCAR, extended XYZ, ASE database, table.

Each finds what stands in a file and leaves the making of each crystal to its caller, so that one that cannot be made
does not keep the others out.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

import numpy as np
import pandas as pd

from legocryst.crystal.crystals import Crystals
from legocryst.crystal.elements import SYMBOLS
from legocryst.crystal.io.structures import FileError, from_atoms, from_structure, same_crystal
from legocryst.crystal.io.table import TableError, decode, read_table
from legocryst.crystal.symmetry.projection import wrapped

if TYPE_CHECKING:
    from legocryst.crystal.io.cif import Block, Cell

SUFFIXES = {
    ".cif": "CIF",
    **dict.fromkeys((".vasp", ".poscar", ".contcar"), "POSCAR"),
    **dict.fromkeys((".extxyz", ".xyz"), "extended XYZ"),
    ".db": "ASE database",
    **dict.fromkeys((".csv", ".parquet", ".json"), "table"),
}
"""Kind of file by the end of its name; POSCAR and CONTCAR may also stand at its beginning."""
KNOWN = ".cif, POSCAR (.vasp), .extxyz, ASE's .db, a table (.csv, .parquet, .json) or a .zip of them"
WORDS = ("source", "licence", "energy")
"""What is taken over of a table that `curate` wrote, which is known by its `net_key`."""
MAX_ATOMS = 100_000
"""A row of a table with more atoms is not read."""
_FAULTS = (ValueError, IndexError, KeyError, TypeError, AttributeError, ArithmeticError, AssertionError)
"""What pymatgen and ASE raise for files that are not as they should be, besides errors of their own."""


class Read(NamedTuple):
    """A crystal, and what was chosen or left out when it was read, "" where the file left no choice."""

    crystal: Crystals
    note: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One crystal of a file: `make(symprec, max_atoms)` gives it as `from_structure` does, or raises FileError."""

    make: Callable[[float, int | None], Read]
    words: Mapping[str, Any] = field(default_factory=dict)  # those of WORDS that the file has


def entries(path: Path, *, element: int | None) -> list[Entry]:
    """Return the crystals of a file, in order; those of a table without elements are of atomic number `element`.

    Raises FileError with one sentence for a file that is of no known kind, empty, or not what its name says.
    """
    kind = kind_of(path)
    if not kind:
        raise FileError(f"{path.name} is of no known kind: give {KNOWN}")
    if path.stat().st_size == 0:
        raise FileError(f"{path.name} is empty: give a file with at least one crystal")
    candidates = rows(read_table(path), element=element) if kind == "table" else list(_READERS[kind](path))
    if not candidates:
        raise FileError(f"{path.name} holds no crystals: give a file with at least one")
    return candidates


def kind_of(path: Path) -> str:
    """Return kind of a file by its name, "" for one that is not read."""
    named = path.name.upper().startswith(("POSCAR", "CONTCAR"))
    return SUFFIXES.get(path.suffix.lower(), "POSCAR" if named else "")


def rows(table: pd.DataFrame, *, element: int | None) -> list[Entry]:
    """Return the rows of a table in METHOD's columns; raises TableError for another."""
    if element is None and not {"el0", "el_0"} & set(table.columns):
        raise TableError("the table does not name its elements: add the columns el0, el1, ... with atomic numbers")
    decoded = decode(table, mode="strict", element=element or 1, max_atoms=MAX_ATOMS)
    described = [name for name in WORDS if name in table.columns] if "net_key" in table.columns else []
    words = [dict(zip(described, values, strict=True)) for values in table[described].to_numpy(object).tolist()]
    place = np.cumsum(decoded.reason == "") - 1
    return [
        Entry(partial(_refuse, str(reason)) if reason else partial(_of_row, decoded.crystals, int(k)), own)
        for k, reason, own in zip(place, decoded.reason, words, strict=True)
    ]


def _of_row(crystals: Crystals, k: int, symprec: float, max_atoms: int | None) -> Read:
    """Return crystal k in the setting of the group that spglib finds, or as it is written where that is not clear."""
    one = crystals.take([k])
    atoms = one.atoms()
    try:
        return Read(from_atoms(one.lattice[0], wrapped(atoms.fractional), atoms.species, symprec, max_atoms))
    except FileError:
        return Read(one)


def _refuse(sentence: str, symprec: float, max_atoms: int | None) -> Read:
    raise FileError(sentence)


def text_of(path: Path) -> str:
    """Return the text of a file: UTF-8, or UTF-16 as its byte order mark or the zero bytes of plain letters tell."""
    data = path.read_bytes()
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace")
    if len(data) > 1 and 0 in data[:2]:
        return data.decode("utf-16-le" if data[0] else "utf-16-be", errors="replace")
    return data.decode("utf-8-sig", errors="replace")


def _cif(path: Path) -> Iterator[Entry]:
    """Yield each block with atoms; blocks of text about the whole file have none."""
    from legocryst.crystal.io import cif

    try:
        result = cif.blocks(text_of(path))
    except FileError as error:
        raise _not_as_named(path.name, "a CIF", error) from error
    if not result:
        raise FileError(f"{path.name} cannot be read as a CIF: it has no line that begins with data_")
    with_atoms = [block for block in result if cif.has_atoms(block)]
    if not with_atoms:
        raise FileError(f"{path.name} cannot be read as a CIF of a crystal: no block of it lists atoms")
    for block in with_atoms:
        yield Entry(partial(_of_block, block))


def _of_block(block: "Block", symprec: float, max_atoms: int | None) -> Read:
    """Return the crystal that all readings of a block give."""
    from legocryst.crystal.io.cif import ADD, readings
    from legocryst.crystal.io.hall_settings import listed

    first, *others = result = readings(block)
    if not others:
        return Read(_of_reading(first, symprec, max_atoms), first.note)
    try:
        crystals = [_of_reading(cell, symprec, max_atoms) for cell in result]
    except FileError:
        crystals = []  # in one of the settings the atoms are no crystal
    if not crystals or not all(same_crystal(crystals[0], other) for other in crystals[1:]):
        may_be = listed([cell.setting for cell in result])
        raise FileError(f"the setting of the space group may be {may_be}, which give different crystals: {ADD}")
    return Read(crystals[0], first.note)


def _of_reading(cell: "Cell", symprec: float, max_atoms: int | None) -> Crystals:
    from pymatgen.core import Structure

    structure = Structure(cell.lattice, cell.species.tolist(), cell.points)
    return from_structure(structure.get_sorted_structure(), symprec, max_atoms)


def from_cif(text: str) -> Crystals:
    """Return the crystal of a text of one block, as `to_cif` writes it."""
    from legocryst.crystal.io.cif import blocks

    (block,) = blocks(text)
    return _of_block(block, 0.01, None).crystal


def _poscar(path: Path) -> Iterator[Entry]:
    from legocryst.crystal.io.poscar import atoms_of

    yield Entry(partial(_of_cell, *atoms_of(text_of(path), path.name)))


def _of_cell(
    lattice: np.ndarray, points: np.ndarray, species: np.ndarray, symprec: float, max_atoms: int | None
) -> Read:
    """Return a crystal of its lattice (3, 3), fractional coordinates (a, 3) and atomic numbers (a,)."""
    from pymatgen.core import Structure

    return Read(from_structure(Structure(lattice, species.tolist(), points), symprec, max_atoms))


def _extxyz(path: Path) -> Iterator[Entry]:
    """Yield each frame; behind a wrong number of atoms no others are found any more."""
    lines = text_of(path).rstrip().splitlines()
    begin = 0
    while begin < len(lines):
        count = lines[begin].strip()
        end = begin + 2 + int(count) if count.isdecimal() and len(count) < 9 else len(lines) + 1
        if end > len(lines):
            fault = f"{path.name} cannot be read as extended XYZ: line {begin + 1} gives no number of atoms that fits"
            if not begin:
                raise FileError(fault)
            yield Entry(partial(_refuse, f"{fault}; what stands behind is not read"))
            return
        yield Entry(partial(_of_frame, path.name, "\n".join(lines[begin:end])))
        begin = end


def _of_frame(name: str, frame: str, symprec: float, max_atoms: int | None) -> Read:
    from ase.io import read

    try:
        atoms: Any = read(StringIO(frame), index=0, format="extxyz")
    except (*_FAULTS, OSError, RuntimeError) as error:  # ASE's XYZError is an OSError
        raise _not_as_named(name, "extended XYZ", error) from error
    return _of_atoms(atoms.cell.array, atoms.pbc, atoms.numbers, atoms.positions, symprec, max_atoms)


def _database(path: Path) -> Iterator[Entry]:
    """Yield each row of an ASE database (SQLite); another database is refused before ASE could write tables into it."""
    from ase.db import connect

    try:
        with sqlite3.connect(f"file:{quote(str(path.resolve()))}?mode=ro", uri=True) as plain:
            plain.execute("SELECT id, numbers, positions, cell, pbc FROM systems LIMIT 1")
        for row in connect(path, use_lock_file=False).select():
            atoms = (np.array(row.cell), np.array(row.pbc), np.array(row.numbers), np.array(row.positions))
            yield Entry(partial(_of_atoms, *atoms))
    except (*_FAULTS, OSError, sqlite3.Error) as error:
        raise _not_as_named(path.name, "an ASE database", error) from error


def _of_atoms(
    cell: np.ndarray,
    periodic: np.ndarray,
    numbers: np.ndarray,
    positions: np.ndarray,
    symprec: float,
    max_atoms: int | None,
) -> Read:
    """Return a crystal of ASE's arrays: cell (3, 3), periodic (3,) and positions (a, 3) in angstrom."""
    if not (np.isfinite(cell).all() and np.isfinite(positions).all()):
        raise FileError("the structure has coordinates or cell lengths that are not numbers: correct the file")
    if cell.shape != (3, 3) or abs(np.linalg.det(cell)) < 1e-3:
        raise FileError("the atoms have no cell with a volume: give a crystal")
    if not periodic.all():
        flags = " ".join("T" if flag else "F" for flag in periodic)
        raise FileError(
            f"the atoms repeat in {int(periodic.sum())} directions (pbc {flags}), not in three: give a crystal, or set "
            "pbc to T T T where the third direction is a period, too"
        )
    if not ((numbers > 0) & (numbers < len(SYMBOLS))).all():
        raise FileError("the structure has dummy atoms: give real elements only")
    return _of_cell(cell, positions @ np.linalg.inv(cell), numbers, symprec, max_atoms)


def _not_as_named(name: str, what: str, error: BaseException) -> FileError:
    text = " ".join(str(error).split())[:200] or type(error).__name__
    if "nan" in text.lower():
        return FileError(f"{name} has coordinates or cell lengths that are not numbers: correct it")
    return FileError(f"{name} cannot be read as {what} ({text}): correct it")


_READERS: dict[str, Callable[[Path], Iterator[Entry]]] = {
    "CIF": _cif,
    "POSCAR": _poscar,
    "extended XYZ": _extxyz,
    "ASE database": _database,
}
