"""POSCAR text to atoms in a cell, as VASP reads it: one scale, a negative one as the volume, or three."""

import re

import numpy as np

from legocryst.crystal.elements import ATOMIC_NUMBER
from legocryst.crystal.io.structures import FileError


def atoms_of(text: str, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lattice (3, 3), fractional coordinates (a, 3) and atomic numbers (a,) of a POSCAR; `name` is its file's."""
    lines = [line.split("!")[0].split() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    try:
        scale, vectors = _numbers(lines[1]), np.array([_numbers(lines[k][:3]) for k in (2, 3, 4)])
        symbols = [] if lines[5][0].isdecimal() else lines[5]
        head = 6 if symbols else 5
        counts = [int(word) for word in lines[head] if word.isdecimal()]
        if sum(counts) > len(lines):
            raise FileError(f"{name} names more atoms in line 6 or 7 than it has lines: correct it")
        if not counts or (symbols and len(symbols) != len(counts)):
            raise ValueError(f"{len(symbols)} symbols for {len(counts)} numbers of atoms")
        head += 2 if lines[head + 1][0][0] in "sS" else 1
        cartesian, rows = lines[head][0][0] in "cCkK", lines[head + 1 : head + 1 + sum(counts)]
        points = np.array([_numbers(row[:3]) for row in rows]).reshape(-1, 3)
        if len(points) != sum(counts):
            raise ValueError(f"{len(points)} atoms of {sum(counts)}")
        factor = _factor(scale, vectors)
    except FileError:
        raise
    except (ValueError, IndexError) as error:
        raise FileError(f"{name} cannot be read as a POSCAR ({_words(error)}): correct it") from error
    words = [symbol for symbol, count in zip(symbols, counts, strict=True) for _ in range(count)] if symbols else None
    species = _species(words or [row[-1] for row in rows], name)
    lattice = vectors * factor
    if not (np.isfinite(points).all() and np.isfinite(lattice).all()):
        raise FileError(f"{name} has coordinates or cell lengths that are not numbers: correct it")
    if abs(np.linalg.det(lattice)) < 1e-3:
        raise FileError(f"{name} has a cell without a volume: correct it")
    return lattice, points * factor @ np.linalg.inv(lattice) if cartesian else points, species


def _factor(scale: list[float], vectors: np.ndarray) -> np.ndarray:
    """What Cartesian x, y and z (3,) are multiplied by."""
    if len(scale) >= 3 and min(scale[:3]) > 0:
        return np.array(scale[:3])
    volume = abs(np.linalg.det(vectors))
    if len(scale) == 1 and scale[0] < 0 < volume:
        return np.full(3, (-scale[0] / volume) ** (1 / 3))
    if len(scale) == 1 and not scale[0] <= 0:
        return np.full(3, scale[0])
    raise ValueError("line 2 is no scale: one number but 0, or three above 0, are needed")


def _numbers(words: list[str]) -> list[float]:
    """The numbers at the beginning of a line, at least one."""
    found = []
    for word in words:
        try:
            found.append(float(word))
        except ValueError:
            break
    if not found:
        raise ValueError("a line without numbers" if not words else f"{words[0][:20]!r} for a number")
    return found


def _species(words: list[str], name: str) -> np.ndarray:
    """Atomic numbers of symbols, which may carry the name of a potential: `Fe_pv`, `C/1f2e`."""
    symbols = [re.split("[_/.]", word)[0] for word in words]
    if not all(symbol in ATOMIC_NUMBER for symbol in symbols):
        raise FileError(f"{name} does not name its elements: add their symbols in line 6, as VASP 5 does")
    return np.array([ATOMIC_NUMBER[symbol] for symbol in symbols])


def _words(error: Exception) -> str:
    return "it ends too early" if isinstance(error, IndexError) else str(error)
