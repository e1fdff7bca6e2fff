"""What spglib says of a pymatgen structure: the independent code beside our own symmetry."""

from typing import Any

import numpy as np
import spglib
from pymatgen.core import Structure


def dataset(structure: Structure, symprec: float, *, hall_number: int = 0) -> Any:
    """spglib's dataset, which must exist."""
    cell: Any = (structure.lattice.matrix, structure.frac_coords, structure.atomic_numbers)
    dataset = spglib.get_symmetry_dataset(cell, symprec=symprec, hall_number=hall_number)
    assert dataset is not None
    return dataset


def group(structure: Structure, symprec: float) -> int:
    return int(dataset(structure, symprec).number)


def operations(structure: Structure, symprec: float) -> set[tuple[int, ...]]:
    """Symmetry operations in the axes of the structure."""
    result = dataset(structure, symprec)
    return operation_set(result.rotations, result.translations)


def operation_set(rotation: np.ndarray, translation: np.ndarray) -> set[tuple[int, ...]]:
    """Operations as integers, translations in 24ths modulo the lattice."""
    numbers = np.c_[rotation.reshape(-1, 9), np.rint(translation * 24) % 24]
    return set(map(tuple, np.rint(numbers).astype(int).tolist()))
