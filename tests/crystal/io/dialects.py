"""Small crystals in every setting of spglib's Hall table, and CIFs of them in the dialects in which files name it.

What is right is decided without the project's own symmetry: operators come from spglib, names of old tables from
International Tables A of 1983, and distances between atoms say whether two crystals are one.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import spglib
from pymatgen.core import Lattice, Structure

from legocryst.crystal.io.inputs import offers
from legocryst.crystal.io.structures import to_structure
from tests.crystal import by_spglib

HALLS = 530
OLD = {
    39: "A b m 2, B m a 2, B 2 c m, C 2 m b, C m 2 a, A c 2 m",
    41: "A b a 2, B b a 2, B 2 c b, C 2 c b, C c 2 a, A c 2 a",
    64: "C m c a, C c m b, A b m a, A c a m, B b c m, B m a b",
    67: "C m m a, C m m b, A b m m, A c m m, B m c m, B m a m",
    68: "C c c a, C c c b, A b a a, A c a a, B b c b, B b a b",
}
"""Names before 1992, in the order of spglib's table: abc, ba-c, cab, -cba, bca, a-cb."""
AXES = ("", "ba-c", "cab", "-cba", "bca", "a-cb")
NEIGHBOURS = 30
NEAR = 2e-3  # angstrom


@dataclass(frozen=True)
class Example:
    """A crystal of carbon in one setting: its sites, and all its atoms."""

    kind: Any  # spglib's line of the table
    sites: np.ndarray  # (s, 3)
    structure: Structure
    operators: tuple[str, ...]

    def cif(self, *symmetry: str, digits: int = 8) -> str:
        """A CIF with these lines for its symmetry."""
        names = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
        values = (*self.structure.lattice.abc, *self.structure.lattice.angles)
        return "\n".join(
            [
                "data_x",
                *symmetry,
                *(f"_cell_{name} {value:.8f}" for name, value in zip(names, values, strict=True)),
                "loop_\n_atom_site_label\n_atom_site_type_symbol",
                "_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z",
                *(f"C{k} C {x:.{digits}f} {y:.{digits}f} {z:.{digits}f}" for k, (x, y, z) in enumerate(self.sites)),
                "",
            ]
        )


def example(hall: int, *, seed: int = 0, general: bool = True) -> Example:
    """A crystal in a setting: two sites, on special positions where the group is large; no atoms nearer than 0.7 A."""
    kind, dataset = spglib.get_spacegroup_type(hall), spglib.get_symmetry_from_database(hall)
    assert kind is not None and dataset is not None
    rotation, translation = dataset["rotations"], dataset["translations"]
    rng = np.random.default_rng((seed, hall))
    for _ in range(1000):
        sites = np.array([_site(rng, rotation, translation, most=48 if general else 32) for _ in range(2)])
        lattice = _lattice(rng, rotation, sum(len(_images(site, rotation, translation)) for site in sites))
        points = np.concatenate([_images(site, rotation, translation) for site in sites])
        structure = Structure(lattice, ["C"] * len(points), points)
        if _rows(structure, 1).min() > 0.7:
            return Example(kind, sites, structure, tuple(map(_text, rotation, translation)))
    raise AssertionError(f"no crystal for the setting {hall}")


def _lattice(rng: np.random.Generator, rotation: np.ndarray, atoms: int) -> Lattice:
    """A cell without more symmetry than the operators ask for."""
    free = np.diag(rng.uniform(0.8, 1.25, 3)) + rng.uniform(-0.15, 0.15, (3, 3))
    metric = np.einsum("gji,jk,gkl->il", rotation, free @ free.T, rotation) / len(rotation)
    matrix = np.linalg.cholesky(metric)
    lengths = np.linalg.norm(matrix, axis=1)
    cosines = (metric / lengths / lengths[:, None])[[1, 0, 0], [2, 2, 1]]
    edge = (atoms * rng.uniform(8, 11) / np.linalg.det(matrix)) ** (1 / 3)
    return Lattice.from_parameters(*(lengths * edge), *np.degrees(np.arccos(np.round(cosines, 12))))


def _site(rng: np.random.Generator, rotation: np.ndarray, translation: np.ndarray, most: int) -> np.ndarray:
    """A random point whose orbit has at most so many members, fixed by operations where it has to be."""
    while True:
        point = rng.random(3)
        for k in rng.permutation(len(rotation)):
            if len(_images(point, rotation, translation)) <= most:
                return point
            path = [point]
            for _ in range(11):
                path.append(rotation[k] @ path[-1] + translation[k])
            moved = np.mean([place - np.rint(place - point) for place in path], axis=0)
            image = rotation[k] @ moved + translation[k] - moved
            if np.abs(image - np.rint(image)).max() < 1e-9:
                point = moved


def _images(point: np.ndarray, rotation: np.ndarray, translation: np.ndarray) -> np.ndarray:
    images = (rotation @ point + translation) % 1
    offset = images[:, None] - images
    same = np.abs(offset - np.rint(offset)).max(axis=2) < 1e-6
    return images[same.argmax(axis=1) == np.arange(len(images))]


def _text(rotation: np.ndarray, translation: np.ndarray) -> str:
    rows = []
    for row, shift in zip(rotation, np.rint(translation * 12).astype(int), strict=True):
        axes = "".join(f"{'+' if k > 0 else '-'}{axis}" for k, axis in zip(row, "xyz", strict=True) if k)
        rows.append(axes + (f"+{shift}/12" if shift else ""))
    return ",".join(rows)


def dialects(case: Example) -> Iterator[tuple[str, tuple[str, ...]]]:
    """How files may state the setting of a crystal, without operators unless it is said: dialect, lines."""
    kind = case.kind
    number, code = int(kind.number), kind.choice
    underscored = kind.international.split(" = ")[1 if 3 <= number <= 15 else 0]
    name = underscored.replace("_", "")
    short = " ".join(part for part in name.split() if part != "1") if 3 <= number <= 15 else name

    def called(text: str) -> str:
        return f"_symmetry_space_group_name_H-M '{text}'"

    it = f"_symmetry_Int_Tables_number {number}"
    hall = f"_space_group_name_Hall '{kind.hall_symbol}'"
    yield "operators, P 1 as name", (called("P 1"), "loop_", "_symmetry_equiv_pos_as_xyz", *map(repr, case.operators))
    yield "Hall symbol", (hall,)
    yield "Hall symbol without blanks", (hall.replace(kind.hall_symbol, kind.hall_symbol.replace(" ", "")),)
    yield "Hall symbol, name, number", (hall, called(name), it)
    yield "number", (it,)
    yield "name", (called(name),)
    yield "name and number", (called(name), it)
    yield "name without blanks", (called(name.replace(" ", "")),)
    yield "name in small letters", (called(name.lower()),)
    yield "name with screw axes as 2_1", (called(underscored),)
    yield "name with screw axes as 2(1)", (called(re.sub(r"_(\d)", r"(\1)", underscored)),)
    yield "long name", (called(kind.international_full.replace("_", "")),)
    yield "short name", (called(short),)
    yield "short name without blanks, number", (called(short.replace(" ", "")), it)
    yield "dotted names", (f"_space_group.name_H-M_alt '{name}'", f"_space_group.IT_number {number}")
    if code:
        yield "name :code", (called(f"{name} :{code}"),)
        yield "short name:code without blanks", (called(f"{short}:{code}".replace(" ", "")),)
        yield "number, coordinate system code", (it, f"_space_group_IT_coordinate_system_code {code}")
    if code[:1] in ("1", "2") and code:
        yield "name :1 :2", (called(f"{name} :{code[0]}"), it)
        yield "name S Z", (called(f"{name} {'SZ'[int(code[0]) - 1]}"), it)
        yield "name S Z without blanks", (called(f"{name.replace(' ', '')}{'SZ'[int(code[0]) - 1]}"),)
    if code in ("R", "H"):
        yield "name R H", (called(f"{name} {code}"), it)
        yield "name R H without blanks", (called(f"{name.replace(' ', '')}{code}"),)
    if code == "R":
        yield "name RS", (called(f"{name} RS"), it)
    if number in OLD:
        old = OLD[number].split(", ")[AXES.index(code.lstrip("12"))]
        yield "old name with e", (called(old),)
        yield "old name with e, number", (called(old.replace(" ", "")), it)
        yield "old name with e :code", (called(f"{old} :{code[:1]}" if code[:1] in ("1", "2") and code else old),)
    if 200 <= number <= 206 or number >= 221:
        yield "old cubic name", (called(name.replace("-3", "3")), it)
        yield "old cubic name :1 :2", (called(name.replace("-3", "3") + (f" :{code}" if code else "")),)


def outcome(case: Example, symmetry: tuple[str, ...], folder: Path) -> tuple[str, str]:
    """What becomes of a CIF of this crystal, and the words that were said."""
    path = folder / "x.cif"
    path.write_text(case.cif(*symmetry))
    try:
        (offer,) = offers(path)
    except ValueError as error:
        return "refused", str(error)
    assert offer.crystal is not None
    made = to_structure(offer.crystal)
    same = np.abs(fingerprint(made) - fingerprint(case.structure)).max() < NEAR
    group = int(offer.crystal.group[0])
    return ("right" if same and group == by_spglib.group(case.structure, 0.01) else "wrong"), f"group {group}"


def fingerprint(structure: Structure) -> np.ndarray:
    """Moments of the distances of each atom to its nearest ones: equal for equal crystals, whatever their cell."""
    rows = _rows(structure, NEIGHBOURS)
    return np.concatenate([(rows**power).mean(axis=0) ** (1 / power) for power in (1, 2, 4)])


def _rows(structure: Structure, count: int) -> np.ndarray:
    """Distances (a, count) of each atom to its nearest ones, ascending."""
    radius = 1.6 * (3 / (4 * np.pi) * (count + 10) * structure.volume / len(structure)) ** (1 / 3)
    while True:
        centre, _, _, distance = structure.get_neighbor_list(radius)
        if np.bincount(centre, minlength=len(structure)).min() >= count:
            break
        radius *= 1.3
    order = np.lexsort((distance, centre))
    first = np.searchsorted(centre[order], np.arange(len(structure)))
    return distance[order][first[:, None] + np.arange(count)]
