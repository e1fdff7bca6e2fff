"""CIF text to atoms in a cell: the grammar, the symmetry that a block states, and the images of its atoms.

Operators count before everything else that a block says of its symmetry. Without them its Hall symbol, its
Hermann-Mauguin names, number and setting have to leave one crystal, else the block is refused: nothing is guessed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from legocryst.crystal.elements import ATOMIC_NUMBER
from legocryst.crystal.io.hall_settings import Setting, fits, is_coded, listed, named, numbered, of_hall_symbol
from legocryst.crystal.io.structures import FileError
from legocryst.crystal.io.table import possible
from legocryst.crystal.symmetry.projection import wrapped

MERGE = 0.1  # angstrom: images of a site that are nearer are one atom on a special position, rounded
AS_WRITTEN = 1e-6  # angstrom: a point that is this near to its special position stays where it is
MAX_ATOMS = 100_000
MAX_OPERATORS = 600
LARGEST = 3  # factor of x, y or z in an operator
LOOSE = (0.02, 1.0)
"""Operators that a cell fits only beyond this share of its lengths and so many degrees contradict it."""
ADD = "add the symmetry operators (_space_group_symop_operation_xyz) or the Hall symbol"

_TOKEN = re.compile(r"#.*|'.*?'(?=\s|$)|\".*?\"(?=\s|$)|'.*|\".*|\S+")
_NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?:\(\d+\))?")
_TERM = re.compile(r"([+-]?)(?:(\d+\.?\d*|\.\d+)(?:/(\d+))?\*?)?([xyz]?)")
_CELL = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
_POINT = tuple(f"_atom_site_fract_{axis}" for axis in "xyz")
_OPERATORS = ("_space_group_symop_operation_xyz", "_symmetry_equiv_pos_as_xyz")
_NAMES = tuple(
    f"_{start}_name_h-m{end}" for end in ("_alt", "", "_full") for start in ("space_group", "symmetry_space_group")
)
_HALL = ("_space_group_name_hall", "_symmetry_space_group_name_hall")
_NUMBERS = ("_space_group_it_number", "_symmetry_int_tables_number")
_CODES = ("_space_group_it_coordinate_system_code",)
_CRYSTAL = (
    "_atom_site_",
    "_atom_type_",
    "_cell_length",
    "_cell_angle",
    "_space_group",
    "_symmetry",
    "_chemical_formula",
)
_ABOUT_ATOM = ("label", "type_symbol", "occupancy")
_TYPE = re.compile(r"([A-Za-z]{1,2})(?:\d*\.?\d*[+-]?|[+-]\d*\.?\d*)?(?:_.*)?")
_NOT_GIVEN = (".", "?", "")
_NO_ATOMS = ("va", "du")  # vacancies and dummies, which would be vanadium and deuterium by their first letter
FAULTS = "faults"

Block = dict[str, list[str]]
"""Values by data name, in small letters and with underscores for dots."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Atoms of one way to read a block."""

    lattice: np.ndarray  # (3, 3)
    points: np.ndarray  # (a, 3) fractional
    species: np.ndarray  # (a,) atomic numbers
    setting: str  # the one that was chosen, "" where the file lists operators
    copies: int  # atoms left out, which are images of others

    @property
    def note(self) -> str:
        """What was chosen and left out, "" where the file left no choice."""
        parts = [f"read in the setting {self.setting}"] if self.setting else []
        parts += [f"{self.copies} listed atoms are images of others"] if self.copies else []
        return "; ".join(parts)


def blocks(text: str) -> list[Block]:
    """Return all data blocks of a text, in order; raises FileError where it breaks the grammar.

    What is wrong with the names that count for a crystal is kept under `FAULTS`, so that it does not hurt other blocks.
    """
    results: list[Block] = []
    names: list[str] = []  # those of the open loop, or the one that waits for its value
    values: list[str] = []
    in_loop = False
    for word, bare in _tokens(text):
        key = word.lower()
        if bare and key.startswith(("data_", "loop_", "save_", "stop_", "global_")):
            _close(results, names, values, in_loop)
            names, values, in_loop = [], [], key == "loop_"
            if key.startswith("data_"):
                results.append({FAULTS: []})
        elif bare and key.startswith("_"):
            if values or not in_loop:
                _close(results, names, values, in_loop)
                names, values, in_loop = [], [], False
            names.append(key.replace(".", "_"))
        elif in_loop or not values:
            values.append(word)
        elif names:
            _fault(
                results, names, f"{word[:40]!r} stands behind the value of {names[0]}: put several words into quotes"
            )
    _close(results, names, values, in_loop)
    return results


def _close(result: list[Block], names: list[str], values: list[str], in_loop: bool) -> None:
    """Keep what a loop or a single name has gathered, in the last block."""
    if not result or not names:
        return
    if in_loop and len(values) % len(names):
        words = f"the loop of {names[0]} has {len(values)} values for {len(names)} names: correct or complete it"
        _fault(result, names, words)
    for k, name in enumerate(names):
        column = values[k :: len(names)]
        if result[-1].setdefault(name, column) != column:
            _fault(result, [name], f"{name} is given twice with different values: remove one of them")


def _fault(result: list[Block], names: list[str], sentence: str) -> None:
    if result and any(name.startswith(_CRYSTAL) for name in names):
        result[-1][FAULTS].append(sentence)


def _tokens(text: str) -> Iterator[tuple[str, bool]]:
    """Yield words of a CIF and whether they are bare, that is neither quoted nor a text field."""
    field: list[str] | None = None
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if field is not None:
            if not line.startswith(";"):
                field.append(line)
                continue
            yield "\n".join(field), False
            field, line = None, line[1:]
        elif line.startswith(";"):
            field = [line[1:]]
            continue
        for word in _TOKEN.findall(line):
            if word[0] in "'\"":
                yield (word[1:-1] if len(word) > 1 and word[-1] == word[0] else word[1:]), False
            elif word[0] != "#":
                yield word, True
    if field is not None:
        raise FileError("a text field that begins with a semicolon has no end: close it with a semicolon")


def has_atoms(block: Block) -> bool:
    """Say whether a block lists atoms; those about text or displacements do not."""
    return any(name in block for name in (*_POINT, "_atom_site_label", "_atom_site_type_symbol", "_atom_site_cartn_x"))


def readings(block: Block) -> list[Cell]:
    """Return the ways to read a block that its symmetry allows, mostly one; raises FileError where there is none."""
    if block[FAULTS]:
        raise FileError(block[FAULTS][0])
    lattice, sites = _lattice(block), _sites(block)
    operators = _operators(block)
    if operators is not None:
        _check_group(*operators)
        if not fits(operators[0], lattice, *LOOSE):
            raise FileError("the cell does not fit the symmetry operators: correct one of them")
        return [_expanded(lattice, *sites, *operators, "")]
    candidates = _candidates(block)
    fitting = [setting for setting in candidates if setting.fits(lattice)]
    if not fitting:
        raise FileError(f"the cell does not fit the space group ({listed(candidates)}): correct one of them, or {ADD}")
    return [_expanded(lattice, *sites, setting.rotation, setting.translation, str(setting)) for setting in fitting]


def _first(block: Block, names: tuple[str, ...]) -> list[str]:
    """Return the values of the first of some names that has any."""
    for name in names:
        values = [value for value in block.get(name, []) if not _missing(value)]
        if values:
            return values
    return []


def _candidates(block: Block) -> list[Setting]:
    """Return the settings that a block without operators may mean: what each of its statements allows."""
    stated: list[tuple[str, list[Setting]]] = []
    for text in _first(block, _HALL)[:1]:
        setting = of_hall_symbol(text)
        if setting is None:
            raise FileError(f"the Hall symbol {text[:40]!r} is not in the table of 530 settings: add the operators")
        stated.append((f"the Hall symbol {text}", [setting]))
    for text in dict.fromkeys(text for name in _NAMES for text in _first(block, (name,))[:1]):
        allowed = named(text)
        if not allowed and not stated:
            raise FileError(f"the space group {text[:40]!r} is not in the table of 530 settings: {ADD}")
        if allowed:
            stated.append((f"the name {text}", allowed))
    for text in _first(block, _NUMBERS)[:1]:
        allowed = numbered(int(text)) if text.isdecimal() and len(text) < 4 else []
        if not allowed:
            raise FileError(f"{text[:40]!r} is no number of a space group: give 1 to 230")
        stated.append((f"the number {text}", allowed))
    if not stated:
        raise FileError(f"the symmetry is not given: {ADD}, or the name P 1 where all atoms are listed")
    candidates = stated[0][1]
    for words, allowed in stated[1:]:
        both = [setting for setting in candidates if setting in allowed]
        if not both:
            raise FileError(f"{words} contradicts {stated[0][0]}: correct one of them, or add the symmetry operators")
        candidates = both
    for code in _first(block, _CODES)[:1]:
        coded = [setting for setting in candidates if is_coded(setting, code)]
        if not coded:
            raise FileError(f"the setting {code[:40]!r} is none of {listed(candidates)}: correct it, or {ADD}")
        candidates = coded
    return candidates


def _operators(block: Block) -> tuple[np.ndarray, np.ndarray] | None:
    """Return rotations (g, 3, 3) and translations (g, 3) that a block lists."""
    texts = _first(block, _OPERATORS)
    if not texts:
        return None
    if len(texts) > MAX_OPERATORS:
        raise FileError(
            f"the file lists {len(texts)} symmetry operators, more than {MAX_OPERATORS}: give a smaller cell"
        )
    parsed = np.array([_operator(text) for text in texts])
    return parsed[:, :, :3], parsed[:, :, 3]


def _operator(text: str) -> list[list[float]]:
    """Return the matrix (3, 4) of an operator as in `-x+1/2,y,z`."""
    rows = [_component(part) for part in text.lower().replace(" ", "").split(",")]
    rotation = np.array([row[:3] for row in rows if row])
    if len(rows) != 3 or len(rotation) != 3 or np.any(rotation % 1) or np.abs(rotation).max() > LARGEST:
        raise FileError(f"the symmetry operator {text[:60]!r} cannot be read: write it as in -x+1/2,y,z")
    if abs(abs(np.linalg.det(rotation)) - 1) > 1e-6:
        raise FileError(f"the symmetry operator {text[:60]!r} does not keep the volume: correct it")
    return rows


def _component(text: str) -> list[float]:
    """Return factors of x, y and z and the shift of a part of an operator; empty where it is none."""
    row, end = [0.0] * 4, 0
    while end < len(text):
        term = _TERM.match(text, end)
        if term is None or not (term[2] or term[4]) or not float(term[3] or 1):
            return []
        size = float(term[2] or 1) / float(term[3] or 1)
        row["xyz".index(term[4]) if term[4] else 3] += -size if term[1] == "-" else size
        end = term.end()
    return row


def _check_group(rotation: np.ndarray, translation: np.ndarray) -> None:
    """Refuse operators that are no group: some are missing, twice, or wrong."""
    n = len(rotation)
    product = np.einsum("aij,bjk->abik", rotation, rotation)
    code = np.concatenate([rotation.reshape(-1, 9), product.reshape(-1, 9)]).astype(np.int64) @ 64 ** np.arange(9)
    kinds, kind = np.unique(code, return_inverse=True)
    size = np.bincount(kind[:n], minlength=len(kinds))
    closed = bool((size == size[0]).all())
    if closed:
        shifts = translation[np.argsort(kind[:n], kind="stable")].reshape(len(kinds), size[0], 3)
        moved = np.einsum("aij,bj->abi", rotation, translation) + translation[:, None]
        offset = moved.reshape(-1, 1, 3) - shifts[kind[n:]]
        closed = bool(np.all(np.abs(offset - np.rint(offset)).max(axis=2).min(axis=1) < 2e-3))
    if not closed:
        raise FileError(f"the {n} symmetry operators are no group, some are missing, twice or wrong: correct them")


def _lattice(block: Block) -> np.ndarray:
    values = []
    for key in _CELL:
        inputs = _first(block, (f"_cell_{key}",))
        if not inputs:
            raise FileError(f"the file gives no _cell_{key}: add it")
        values.append(_number(inputs[0], f"_cell_{key}"))
    cell = np.r_[values[:3], np.radians(values[3:])]
    if not possible(cell[None])[0]:
        raise FileError("the cell of the structure is impossible (its edges, angles or volume): correct the file")
    from pymatgen.core import Lattice

    return np.array(Lattice.from_parameters(*values).matrix)


def _number(text: str, what: str) -> float:
    """Return a number as CIFs write it, perhaps with its uncertainty in parentheses."""
    match = _NUMBER.fullmatch(text.strip())
    if match is None or not np.isfinite(value := float(match[1])):
        raise FileError(
            f"the structure has coordinates or cell lengths that are not numbers ({what} is {text[:40]!r}): correct it"
        )
    return value


def _sites(block: Block) -> tuple[np.ndarray, np.ndarray]:
    """Return coordinates (s, 3) and atomic numbers (s,) of the listed atoms that are there."""
    if not all(block.get(name) for name in _POINT):
        raise FileError("the atoms have no fractional coordinates (_atom_site_fract_x, y, z): add them")
    if (count := len(block[_POINT[0]])) > MAX_ATOMS:
        raise FileError(f"the file lists more than {MAX_ATOMS} atoms: give a smaller cell")
    texts = [block[name] for name in _POINT]
    labels, types, shares = (block.get(f"_atom_site_{key}", ["?"] * count) for key in _ABOUT_ATOM)
    if {count} != {len(column) for column in (*texts, labels, types, shares)}:
        raise FileError("the list of atoms is in parts of different length: give one loop")
    for label, hydrogens in zip(labels, block.get("_atom_site_attached_hydrogens", []), strict=False):
        if not _missing(hydrogens) and _number(hydrogens, f"the hydrogens of {label}"):
            raise FileError(f"the atom {label} stands for hydrogens, too, that are not listed: list them as atoms")
    known = _known_elements(block)
    points, species = [], []
    for k, (label, kind, share) in enumerate(zip(labels, types, shares, strict=True)):
        occupancy = 1.0 if _missing(share) else _number(share, f"the occupancy of {label}")
        if occupancy == 0:
            continue  # an empty site
        if abs(occupancy - 1) > 1e-3:
            raise FileError(f"the atom {label} has partial occupancy: give an ordered structure")
        if any(_missing(column[k]) for column in texts):
            raise FileError(f"the atom {label} has no coordinates: add them, or remove its row")
        points.append([_number(column[k], f"a coordinate of {label}") for column in texts])
        species.append(_of_label(label, known) if _missing(kind) else _of_type(kind))
        if not species[-1]:
            raise FileError(f"the structure has dummy atoms ({kind[:40]}): give real elements only")
    if not points:
        raise FileError("the structure has no atoms: give one with at least one")
    return np.array(points), np.array(species)


def _missing(text: str) -> bool:
    return text.strip() in _NOT_GIVEN


def _known_elements(block: Block) -> set[int]:
    """Return the elements that the formula names, or else the list of types; empty where there is neither."""
    text = " ".join(_first(block, ("_chemical_formula_sum",)) or _first(block, ("_atom_type_symbol",)))
    return {element for word in re.findall("[A-Za-z]+", text) if (element := _of_type(word))}


def _of_type(text: str) -> int:
    """Return atomic number of a type such as `Fe`, `FE3+` or `C_sp2`; 0 for none. Deuterium is hydrogen."""
    match = _TYPE.fullmatch(text.strip())
    symbol = match[1].capitalize() if match else ""
    return ATOMIC_NUMBER.get("H" if symbol == "D" else symbol, 0)


def _of_label(label: str, known: set[int]) -> int:
    """Atomic number of a label such as `C1`, `CA` or `Csp2`, in a crystal of known elements if the file names them."""
    match = re.match("[A-Za-z]+", label.strip())
    letters = match[0] if match else ""
    choice = {element for end in (1, 2) if len(letters) >= end and (element := _of_type(letters[:end]))}
    if len(letters) == 2 and letters[1].islower() and _of_type(letters):
        choice = {_of_type(letters)}  # written as a symbol: Ca1 is calcium
    if not choice:
        raise FileError(f"the structure has dummy atoms ({letters or label[:40]}): give real elements only")
    if known:
        choice &= known
    elif len(letters) > 2 or letters.lower() in _NO_ATOMS:
        choice = set()
    if len(choice) != 1:
        raise FileError(f"the label {label[:40]!r} does not say which element it is: add _atom_site_type_symbol")
    return choice.pop()


def _expanded(
    lattice: np.ndarray,
    points: np.ndarray,
    species: np.ndarray,
    rotation: np.ndarray,
    translation: np.ndarray,
    setting: str,
) -> Cell:
    """Return all atoms of the cell: the images of each site, each atom once however often it is listed."""
    images, owner = list[np.ndarray](), list[np.ndarray]()
    total = 0
    for k, point in enumerate(points):
        images.append(_orbit(lattice, point, rotation, translation))
        owner.append(np.full(len(images[-1]), k))
        total += len(images[-1])
        if total > MAX_ATOMS + len(points):
            raise FileError(f"the crystal has more than {MAX_ATOMS} atoms in its cell: give a smaller one")
    cell, site = np.concatenate(images), np.concatenate(owner)
    kept = ~_copies(lattice, points, species, cell, site)
    chosen = kept[site]
    return Cell(lattice, cell[chosen], species[site[chosen]], setting, int((~kept).sum()))


def _orbit(lattice: np.ndarray, point: np.ndarray, rotation: np.ndarray, translation: np.ndarray) -> np.ndarray:
    """Return images (m, 3) of a point, those within `MERGE` as one; the point first moves onto its special position."""
    for _ in range(9):
        images = rotation @ point + translation
        offset = images - point
        offset -= np.rint(offset)
        distance = np.linalg.norm(offset @ lattice, axis=1)
        fixing = distance < MERGE
        if distance[fixing].max(initial=0.0) < AS_WRITTEN:
            break
        point = point + offset[fixing].mean(axis=0)
    first = list[int]()
    left = np.ones(len(images), bool)
    while left.any():
        k = int(left.argmax())
        apart = images - images[k]
        left &= np.linalg.norm((apart - np.rint(apart)) @ lattice, axis=1) >= MERGE
        first.append(k)
    if len(first) * int(fixing.sum()) != len(images):
        raise FileError(
            f"an atom lies between two special positions, {MERGE} angstrom or less from both: correct its coordinates"
        )
    return wrapped(images[first])


def _copies(
    lattice: np.ndarray, points: np.ndarray, species: np.ndarray, images: np.ndarray, site: np.ndarray
) -> np.ndarray:
    """Return (s,) bool: sites that are images of sites before them, of the same element."""
    from scipy.spatial import KDTree

    tree = KDTree(images, boxsize=1.0)
    reach = MERGE * float(np.linalg.norm(np.linalg.inv(lattice), 2))
    first = np.searchsorted(site, np.arange(len(points)))  # the image of each site that is the site itself
    copy = np.zeros(len(points), bool)
    for k, near in enumerate(tree.query_ball_point(images[first], reach)):
        before = [j for j in near if site[j] < k and not copy[site[j]] and species[site[j]] == species[k]]
        apart = images[before] - images[first[k]]
        copy[k] = bool(np.any(np.linalg.norm((apart - np.rint(apart)) @ lattice, axis=1) < MERGE))
    return copy
