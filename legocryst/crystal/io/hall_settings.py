"""Settings of space groups as files name them: spglib's Hall table of all 530, its names, and those of old tables.

A name, a number or a Hall symbol stands for every setting that it may mean; which of them a crystal is in, its cell or
its file has to say (`legocryst.crystal.io.cif`).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from legocryst.crystal import cell as cells

LENGTHS, ANGLES = 1e-3, 0.02
"""A cell fits a setting within this share of its lengths and so many degrees."""
_OLD = {39: "A b m 2", 41: "A b a 2", 64: "C m c a", 67: "C m m a", 68: "C c c a"}
"""Names of the groups that have an e today, before 1992."""
_NEW = {39: "A e m 2", 41: "A e a 2", 64: "C m c e", 67: "C m m e", 68: "C c c e"}
_TRAILING = {"rs": "r", "s": "1", "z": "2", "r": "r", "h": "h"}
"""What databases write behind a name, as the code of the setting: origin choice 1 or 2 (centre), kind of axes."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of the Hall table, with its operations on fractional coordinates."""

    hall: int  # as spglib counts
    number: int
    codes: tuple[str, ...]  # origin choice, axes, cell choice: "2", "h", "-b1", "cab"; "" for the only or first one
    name: str  # Hermann-Mauguin symbol of this setting: "P 1 21/n 1"
    symbol: str  # Hall symbol
    names: frozenset[str]  # all that it is called, without blanks, in small letters
    rotation: np.ndarray  # (g, 3, 3) integers
    translation: np.ndarray  # (g, 3)

    def __str__(self) -> str:
        code = self.codes[0].upper() if self.codes[0] in ("h", "r") else self.codes[0]
        return f"{self.name}:{code}" if code else self.name

    def fits(self, lattice: np.ndarray) -> bool:
        """Say whether the operations carry the lattice (3, 3) onto itself."""
        return fits(self.rotation, lattice, LENGTHS, ANGLES)


def fits(rotation: np.ndarray, lattice: np.ndarray, lengths: float, angles: float) -> bool:
    """Say whether rotations (g, 3, 3) of coordinates keep a cell within a share of its lengths and so many degrees."""
    turned = cells.cell_of(np.swapaxes(rotation, 1, 2) @ lattice)
    cell = cells.cell_of(lattice)
    in_lengths = np.abs(turned[:, :3] / cell[:3] - 1) < lengths
    return bool(np.all(in_lengths) and np.all(np.abs(np.degrees(turned[:, 3:] - cell[3:])) < angles))


def listed(candidates: Sequence[object]) -> str:
    """Return some settings in words, of many the first."""
    words = [str(setting) for setting in candidates]
    return ", ".join(words[:6]) + (f" and {len(words) - 6} more" if len(words) > 6 else "")


@cache
def settings() -> tuple[Setting, ...]:
    """Return all settings, in the order of the Hall table.

    Of those with the same operations the first has all names.
    """
    import spglib

    results: dict[frozenset, Setting] = {}
    for hall in range(1, 531):
        kind, operations = spglib.get_spacegroup_type(hall), spglib.get_symmetry_from_database(hall)
        assert kind is not None and operations is not None, "spglib's table has 530 lines"
        rotation, translation = operations["rotations"], operations["translations"]
        codes: tuple[str, ...] = (kind.choice.lower(),)
        number = int(kind.number)
        name = kind.international.split(" = ")[1 if 3 <= number <= 15 else 0].replace("_", "")
        names = frozenset(map(_packed, _names(number, codes[0], name, kind.international_full)))
        numbers = np.concatenate([rotation.reshape(-1, 9), np.rint(translation * 24) % 24], axis=1).astype(int)
        key = frozenset(map(tuple, numbers.tolist()))
        if key in results:
            first = results[key]
            hall, codes, name, names = first.hall, first.codes + codes, first.name, first.names | names
        results[key] = Setting(hall, number, codes, name, kind.hall_symbol, names, rotation, translation)
    return tuple(results.values())


def _names(number: int, code: str, name: str, full: str) -> list[str]:
    """Return what a setting is called: short, full, without ones, with letters of old tables."""
    names = [name, full]
    if 3 <= number <= 15:
        names.append(" ".join(part for part in name.split() if part != "1"))
    names += [_turned(table[number], code.lstrip("12")) for table in (_OLD, _NEW) if number in table]
    if 200 <= number <= 206 or number >= 221:
        names += [text.replace("-3", "3") for text in names]
    return names


def _turned(name: str, axes: str) -> str:
    """Return a symbol of an orthorhombic group after a change of axes as in `ba-c`: new axes by old ones."""
    old = (axes or "abc").replace("-", "")
    rename = {letter: "abc"[old.index(letter)] for letter in "abc"}
    centring, *parts = name.split()
    turned = [parts["abc".index(letter)] for letter in old]
    return " ".join([rename[centring.lower()].upper(), *(rename.get(part, part) for part in turned)])


def _packed(text: str) -> str:
    """Return a name without what dialects add or leave out: blanks, underscores, subscripts, case."""
    return re.sub(r"</?sub>|[\s_()]", "", text.lower())


def named(text: str) -> list[Setting]:
    """The settings that a Hermann-Mauguin symbol may mean, with or without `:2`, `:R` or a trailing S, Z, R, H, RS."""
    packed, _, code = _packed(text).partition(":")
    results = [setting for setting in settings() if packed in setting.names]
    if not results and not code:
        end = next((end for end in _TRAILING if packed.endswith(end)), None)
        if end is None:
            return []
        code, packed = end, packed.removesuffix(end)
        results = [setting for setting in settings() if packed in setting.names]
    return [setting for setting in results if is_coded(setting, code)] if code else results


def is_coded(setting: Setting, code: str) -> bool:
    """Say whether a setting has this code, as `1`, `R`, `b1`, `-cba` or `2cab`."""
    code = _packed(code)
    code = _TRAILING.get(code, code)
    if code in ("1", "2"):
        return setting.codes[0].startswith(code)
    return code.replace("abc", "") in setting.codes


def numbered(number: int) -> list[Setting]:
    """Return all settings of a space group."""
    return [setting for setting in settings() if setting.number == number]


@cache
def _hall_symbols() -> dict[str, int]:
    """Place in `settings` by Hall symbol, as written and without blanks where that is still one setting."""
    full = {_hall(setting.symbol): k for k, setting in enumerate(settings())}
    packed: dict[str, int] = {}
    for text, k in full.items():
        short = text.replace(" ", "")
        packed[short] = -1 if short in packed else k
    return full | {text: k for text, k in packed.items() if k >= 0 and text not in full}


def _hall(text: str) -> str:
    return " ".join(text.replace("_", " ").lower().split())


def of_hall_symbol(text: str) -> Setting | None:
    """Return the setting of a Hall symbol; None for one that the table does not have."""
    k = _hall_symbols().get(_hall(text))
    return None if k is None else settings()[k]
