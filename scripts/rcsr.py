"""Nets of the Reticular Chemistry Structure Resource, read from two packages (requirements-seeds.txt).

pormake has frameworks as .cgd files, autografs all nets, layers too, in topologies.json.gz. Of these files only names,
joined vertices and starting points are read; the packages are not imported.
"""

import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import spglib

from legocryst.crystal import cell as cells
from legocryst.topology.graphs import Quotient, one_direction

ALIASES = {"Cmca": "Cmce", "Cmma": "Cmme", "Ccca:2": "Ccce:2"}
"""Symbols of the files that spglib writes in the newer way."""

WRONG = {"pti", "tfm", "ydq"}
"""Files of pormake whose net is not RCSR's of that name (by the archive of the Systre program)."""


@dataclass(frozen=True)
class Blueprint:
    """A net as a file describes it."""

    name: str
    source: str
    lattice: np.ndarray  # (3, 3)
    points: np.ndarray  # (n, 3) fractional
    quotient: Quotient
    orbit: list[int]  # (n,) equal where the file says that vertices are equivalent


class Unusable(ValueError):
    """A file's net that is not one we can read or want."""


@cache
def hall_numbers() -> dict[str, int]:
    """Return Hall numbers of spglib by symbol, with `:choice` where there are several; the first setting wins."""
    numbers: dict[str, int] = {}
    for hall in range(530, 0, -1):
        kind: Any = spglib.get_spacegroup_type(hall)
        for text in (kind.international_short, kind.international_full):
            symbol = text.split("=")[0].replace(" ", "").replace("_", "")
            numbers[symbol] = numbers[f"{symbol}:{kind.choice}"] = hall
    return numbers


def read_cgd(path: Path, degrees: set[int]) -> Blueprint:
    """Read a net of a .cgd file with its orbits written out; raises Unusable if a node has another number of edges."""
    if path.stem in WRONG:
        raise Unusable("not the net of its name")
    words = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.split()]
    entries = {word[0]: word[1:] for word in words}
    nodes = [word[2:] for word in words if word[0] == "NODE"]
    edges = [np.array(word[1:], float).reshape(2, 3) for word in words if word[0] == "EDGE" and len(word) == 7]
    if not nodes or not {int(node[0]) for node in nodes} <= degrees:
        raise Unusable("other coordination")
    if not edges:
        raise Unusable("no edges in the file")
    symbol = ALIASES.get(entries["GROUP"][0], entries["GROUP"][0])
    operations: Any = spglib.get_symmetry_from_database(hall_numbers()[symbol])
    rotation, translation = operations["rotations"], operations["translations"]
    orbits = [orbit(np.array(node[1:4], float), rotation, translation) for node in nodes]
    points = np.concatenate(orbits)
    orbit_of = np.repeat(np.arange(len(nodes)), [len(one) for one in orbits]).tolist()
    ends = np.einsum("oij,ekj->eoki", rotation, edges) + translation[:, None]
    rows = joined(points, ends.reshape(-1, 2, 3))
    values = np.array(entries["CELL"][:6], float)
    lattice = cells.lattice(np.concatenate([values[:3], np.radians(values[3:])]))
    blueprint = Blueprint(path.stem, "pormake", lattice, points, Quotient(len(points), rows), orbit_of)
    return checked(blueprint, [int(nodes[k][0]) for k in orbit_of])


def rounded(vector: np.ndarray) -> np.ndarray:
    """Return the vector's shortest image, in fractions of the cell."""
    return vector - np.round(vector)


def orbit(point: np.ndarray, rotation: np.ndarray, translation: np.ndarray) -> np.ndarray:
    """Return the distinct points that operations make of one."""
    every = (rotation @ point + translation) % 1
    equal = np.abs(rounded(every[:, None] - every)).max(axis=2) < 2e-3
    return every[equal.argmax(axis=1) == np.arange(len(every))]


def joined(points: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Return the rows (m, 5) of a quotient for edges between pairs of points (k, 2, 3), each once."""
    offset = np.abs(rounded(ends[:, :, None] - points)).max(axis=3)
    if offset.min(axis=2).max() > 3e-3:
        raise Unusable("an edge that ends nowhere")
    vertex = offset.argmin(axis=2)
    cell = np.round(ends - points[vertex]).astype(int)
    image = cell[:, 1] - cell[:, 0]
    rows = np.concatenate([np.column_stack([vertex, image]), np.column_stack([vertex[:, ::-1], -image])])
    return np.unique(one_direction(rows), axis=0)


def checked(blueprint: Blueprint, degree: Sequence[int]) -> Blueprint:
    """Return the blueprint, if every vertex has the number of edges that the file says; raises Unusable otherwise."""
    degrees = np.bincount(blueprint.quotient.edges[:, :2].ravel(), minlength=blueprint.quotient.n)
    if (degrees != degree).any():
        raise Unusable("edges missing in the file")
    return blueprint


def read_autografs(name: str, entry: dict, degrees: set[int]) -> Blueprint:
    """Read a net of autografs: its slots are vertices and middles of edges, joined where they carry the same tag."""
    slots = entry["slots"]
    sizes = {len(slot["tags"]) for slot in slots} - {2}
    if not sizes or not sizes <= degrees:
        raise Unusable("other coordination")
    lattice = np.array(entry["cell"], float)
    inverse = np.linalg.inv(lattice)
    at: dict[int, dict[int, np.ndarray]] = {}
    for number, slot in enumerate(slots):
        for tag, point in zip(slot["tags"], slot["coords"], strict=True):
            at.setdefault(tag, {})[number] = np.array(point) @ inverse
    vertices = [number for number, slot in enumerate(slots) if len(slot["tags"]) > 2]
    rows = []
    for middle, slot in enumerate(slots):
        if len(slot["tags"]) == 2:
            (i, cell_i), (j, cell_j) = (vertex_of(at[tag], middle) for tag in slot["tags"])
            rows.append((vertices.index(i), vertices.index(j), *(cell_j - cell_i).tolist()))
    points = np.array([np.mean([at[tag][number] for tag in slots[number]["tags"]], axis=0) for number in vertices])
    quotient = Quotient(len(points), np.array(rows))
    blueprint = Blueprint(name, "autografs", lattice, points, quotient, list(range(len(points))))
    return checked(blueprint, [len(slots[vertex]["tags"]) for vertex in vertices])


def vertex_of(places: dict[int, np.ndarray], middle: int) -> tuple[int, np.ndarray]:
    """Return the vertex that shares a tag with the middle of an edge, and its cell relative to it."""
    others = places.keys() - {middle}
    if len(others) != 1:
        raise Unusable("a tag on other than two slots")
    (vertex,) = others
    return vertex, np.round(places[middle] - places[vertex]).astype(int)


def folder(package: str) -> Path:
    """Return where a package is installed; it is not imported."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise SystemExit(f"the package {package} is not installed: run `pip install -r requirements-dev.txt`")
    return Path(spec.origin).parent


def sources(degrees: set[int]) -> Iterator[tuple[str, Callable[[], Blueprint]]]:
    """Yield the package of each net, and what reads it."""
    for path in sorted((folder("pormake") / "database" / "topologies").glob("*.cgd")):
        yield "pormake", partial(read_cgd, path, degrees)
    with gzip.open(folder("autografs") / "data" / "topologies.json.gz") as file:
        entries = json.load(file)["topologies"]
    for name, entry in sorted(entries.items()):
        yield "autografs", partial(read_autografs, name, entry, degrees)


def blueprints(degrees: set[int]) -> tuple[list[Blueprint], Counter[str]]:
    """Find all nets whose vertices have these numbers of edges, and how many entries were left out and why."""
    listed: list[Blueprint] = []
    left_out: Counter[str] = Counter()
    for package, read in sources(degrees):
        try:
            listed.append(read())
        except Unusable as reason:
            left_out[f"{package}: {reason}"] += 1
    return listed, left_out
