"""POSCAR text to atoms in a cell, as VASP reads it: one scale, a negative one as the volume, or three."""

import re
from itertools import takewhile

import numpy as np

from legocryst.crystal.elements import ATOMIC_NUMBER
from legocryst.crystal.io.structures import FileError


def atoms_of(text: str, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return lattice (3, 3), fractional coordinates (a, 3) and atomic numbers (a,) of a POSCAR.

    `name` is its file's.
    """
    lines = [line.split("!")[0].split() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    try:
        scale, vectors = _numbers(lines[1]), np.array([_numbers(lines[k][:3]) for k in (2, 3, 4)])
        symbols = [] if lines[5][0].isdecimal() else lines[5]
        head = 6 if symbols else 5
        counts = [int(word) for word in lines[head]]
        if sum(counts) > len(lines):
            raise FileError(f"{name} names more atoms in line 6 or 7 than it has lines: correct it")
        if symbols and len(symbols) != len(counts):
            raise ValueError(f"{len(symbols)} symbols for {len(counts)} numbers of atoms")
        head += 2 if lines[head + 1][0][0] in "sS" else 1
        mode, first, end = lines[head][0][0].lower(), head + 1, head + 1 + sum(counts)
        if mode not in "dck":
            raise ValueError(f"line {head + 1} is neither Direct nor Cartesian")
        rows = lines[first:end]
        points = np.array([_numbers(row[:3]) for row in rows]).reshape(-1, 3)
        if len(points) != sum(counts) or (lines[end:] and lines[end] and _is_number(lines[end][0])):
            raise ValueError(f"the list of atoms is not of {sum(counts)} lines")
        factor = _factor(scale, vectors)
    except FileError:
        raise
    except (ValueError, IndexError) as error:
        raise FileError(f"{name} cannot be read as a POSCAR ({_words(error)}): correct it") from error
    words = [symbol for symbol, count in zip(symbols, counts, strict=bool(symbols)) for _ in range(count)]
    if not symbols:
        words = [row[-1] for row in rows]
        if not all(word in ATOMIC_NUMBER for word in words):
            raise FileError(f"{name} does not name its elements: add their symbols in line 6, as VASP 5 does")
    lattice = vectors * factor
    if mode != "d" and abs(np.linalg.det(lattice)) > 0:
        points = points * factor @ np.linalg.inv(lattice)
    return lattice, points, np.array([_atomic_number(word) for word in words])


def _factor(scale: list[float], vectors: np.ndarray) -> np.ndarray:
    """Return what Cartesian x, y and z (3,) are multiplied by."""
    if len(scale) == 3 and min(scale) > 0:
        return np.array(scale)
    volume = abs(np.linalg.det(vectors))
    if len(scale) == 1 and scale[0] < 0 < volume:
        return np.full(3, (-scale[0] / volume) ** (1 / 3))
    if len(scale) == 1 and not scale[0] <= 0:
        return np.full(3, scale[0])
    raise ValueError("line 2 is no scale: one number but 0, or three above 0, are needed")


def _numbers(words: list[str]) -> list[float]:
    """Return the numbers at the beginning of a line, at least one."""
    results = [float(word) for word in takewhile(_is_number, words)]
    if not results:
        raise ValueError(f"{words[0][:20]!r} stands for a number" if words else "a line lacks its numbers")
    return results


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _atomic_number(word: str) -> int:
    """Return atomic number of a symbol, which may carry the name of a potential: `Fe_pv`, `C/1f2e`."""
    number = ATOMIC_NUMBER.get(re.split("[_/.]", word)[0], 0)
    if not number:
        raise FileError(f"the structure has dummy atoms ({word[:20]}): give real elements only")
    return number


def _words(error: Exception) -> str:
    return "it ends too early" if isinstance(error, IndexError) else str(error)
