"""Readers of files with crystals: CIF, POSCAR, extended XYZ, ASE database, table.

Each finds what stands in a file and leaves the making of each crystal to its caller, so that one that cannot be made
does not keep the others out.
"""

import re
import sqlite3
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd

from legocryst.crystal.crystals import Crystals
from legocryst.crystal.elements import SYMBOLS
from legocryst.crystal.io.structures import FileError, from_atoms, from_structure
from legocryst.crystal.io.table import TableError, decode, read_table
from legocryst.crystal.symmetry.projection import wrapped

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


@dataclass(frozen=True, slots=True)
class Entry:
    """One crystal of a file: `make(symprec, max_atoms)` gives it as `from_structure` does, or raises FileError."""

    make: Callable[[float, int | None], Crystals]
    words: Mapping[str, Any] = field(default_factory=dict)  # those of WORDS that the file tells


def entries(path: Path, *, element: int | None) -> list[Entry]:
    """The crystals of a file, in order; those of a table without elements are of atomic number `element`.

    Raises FileError with one sentence for a file that is of no known kind, empty, or not what its name says.
    """
    kind = kind_of(path)
    if not kind:
        raise FileError(f"{path.name} is of no known kind: give {KNOWN}")
    if path.stat().st_size == 0:
        raise FileError(f"{path.name} is empty: give a file with at least one crystal")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # rounded coordinates, guessed elements: the second is refused below
        found = rows(read_table(path), element=element) if kind == "table" else list(_READERS[kind](path))
    if not found:
        raise FileError(f"{path.name} holds no crystals: give a file with at least one")
    return found


def kind_of(path: Path) -> str:
    """Kind of a file by its name, "" for one that is not read."""
    named = path.name.upper().startswith(("POSCAR", "CONTCAR"))
    return SUFFIXES.get(path.suffix.lower(), "POSCAR" if named else "")


def rows(table: pd.DataFrame, *, element: int | None) -> list[Entry]:
    """The rows of a table in METHOD's columns; raises TableError for another."""
    if element is None and not {"el0", "el_0"} & set(table.columns):
        raise TableError("the table does not name its elements: add the columns el0, el1, ... with atomic numbers")
    decoded = decode(table, mode="strict", element=element or 1, max_atoms=MAX_ATOMS)
    told = [name for name in WORDS if name in table.columns] if "net_key" in table.columns else []
    words = [dict(zip(told, values, strict=True)) for values in table[told].to_numpy(object).tolist()]
    place = np.cumsum(decoded.reason == "") - 1
    return [
        Entry(partial(_refuse, str(reason)) if reason else partial(_of_row, decoded.crystals, int(k)), own)
        for k, reason, own in zip(place, decoded.reason, words, strict=True)
    ]


def _of_row(crystals: Crystals, k: int, symprec: float, max_atoms: int | None) -> Crystals:
    """Crystal k in the setting of the group that spglib finds, or as it is written where that is not clear."""
    one = crystals.take([k])
    atoms = one.atoms()
    try:
        return from_atoms(one.lattice[0], wrapped(atoms.fractional), atoms.species, symprec, max_atoms)
    except FileError:
        return one


def _refuse(sentence: str, symprec: float, max_atoms: int | None) -> Crystals:
    raise FileError(sentence)


def _cif(path: Path) -> Iterator[Entry]:
    """Each block with atoms; blocks of text about the whole file have none."""
    text = path.read_text(encoding="utf-8", errors="replace")
    blocks = re.split(r"^[ \t]*data_", text, flags=re.MULTILINE | re.IGNORECASE)[1:]
    if not blocks:
        raise FileError(f"{path.name} cannot be read as a CIF: it has no line that begins with data_")
    with_atoms = [block for block in blocks if re.search(r"^\s*_atom_site[_.]", block, re.MULTILINE | re.IGNORECASE)]
    for block in with_atoms or blocks[:1]:
        yield Entry(partial(_of_block, path.name, f"data_{block}"))


def _of_block(name: str, block: str, symprec: float, max_atoms: int | None) -> Crystals:
    from pymatgen.io.cif import CifParser

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            (structure,) = CifParser.from_str(block).parse_structures(primitive=False, on_error="raise")
        except _FAULTS as error:
            raise _not_as_named(name, "a CIF", error) from error
    return from_structure(structure, symprec, max_atoms)


def from_cif(text: str) -> Crystals:
    """The crystal of a text that `to_cif` wrote."""
    return _of_block("the text", text, 0.01, None)


def _poscar(path: Path) -> Iterator[Entry]:
    from pymatgen.io.vasp.inputs import BadPoscarWarning, Poscar

    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    if any(word.isdecimal() and int(word[:9]) > len(lines) for line in lines[5:7] for word in line.split()):
        raise FileError(f"{path.name} names more atoms in line 6 or 7 than it has lines: correct it")
    try:
        poscar = Poscar.from_file(path, check_for_potcar=False)
    except (*_FAULTS, BadPoscarWarning) as error:
        raise _not_as_named(path.name, "a POSCAR", error) from error
    if not poscar.true_names:
        raise FileError(f"{path.name} does not name its elements: add their symbols in line 6, as VASP 5 does")
    yield Entry(partial(from_structure, poscar.structure))


def _extxyz(path: Path) -> Iterator[Entry]:
    """Each frame; behind a wrong number of atoms no others are found any more."""
    lines = path.read_text(encoding="utf-8", errors="replace").rstrip().splitlines()
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


def _of_frame(name: str, frame: str, symprec: float, max_atoms: int | None) -> Crystals:
    from ase.io import read

    try:
        atoms: Any = read(StringIO(frame), index=0, format="extxyz")
    except (*_FAULTS, OSError, RuntimeError) as error:  # ASE's XYZError is an OSError
        raise _not_as_named(name, "extended XYZ", error) from error
    return _of_atoms(atoms.cell.array, atoms.numbers, atoms.positions, symprec, max_atoms)


def _database(path: Path) -> Iterator[Entry]:
    """Each row of an ASE database (SQLite); another database is refused before ASE could write tables into it."""
    from ase.db import connect

    try:
        with sqlite3.connect(f"file:{quote(str(path.resolve()))}?mode=ro", uri=True) as plain:
            plain.execute("SELECT id, numbers, positions, cell FROM systems LIMIT 1")
        for row in connect(path, use_lock_file=False).select():
            yield Entry(partial(_of_atoms, np.array(row.cell), np.array(row.numbers), np.array(row.positions)))
    except (*_FAULTS, OSError, sqlite3.Error) as error:
        raise _not_as_named(path.name, "an ASE database", error) from error


def _of_atoms(
    cell: np.ndarray, numbers: np.ndarray, positions: np.ndarray, symprec: float, max_atoms: int | None
) -> Crystals:
    """A crystal of ASE's arrays: cell (3, 3) and positions (a, 3) in angstrom."""
    from pymatgen.core import Structure

    if cell.shape != (3, 3) or abs(np.linalg.det(cell)) < 1e-3:
        raise FileError("the atoms have no cell with a volume: give a crystal")
    if not ((numbers > 0) & (numbers < len(SYMBOLS))).all():
        raise FileError("the structure has dummy atoms: give real elements only")
    symbols = [SYMBOLS[z] for z in numbers]
    return from_structure(Structure(cell, symbols, positions, coords_are_cartesian=True), symprec, max_atoms)


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
