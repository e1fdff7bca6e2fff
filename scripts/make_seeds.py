"""Make the shipped training set: three-connected RCSR nets realised as sp2 carbon by our own relaxer.

The nets come from two packages (requirements-seeds.txt): pormake's .cgd files and autografs' topologies.json.gz, which
has the layers. Of these files only names, joined vertices and starting points are read. A net is kept when a relaxed
crystal is strictly valid and its bond graph still has the net's key. Writes data/nets/names.json,
data/energy/references.json and data/seeds/sp2_carbon.parquet. Run from the repository root, 5 to 7 minutes:

    python -m scripts.make_seeds
"""

import gzip
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import spglib
import torch
from pymatgen.core import Structure

from legocryst.analysis import nets as analysis
from legocryst.analysis.energy import energies, write_references
from legocryst.analysis.nets import Net, Quotient, net, nets
from legocryst.crystal import cell as cells
from legocryst.crystal.files import FileError, from_structure, to_structure
from legocryst.crystal.representation import Crystals
from legocryst.crystal.table import encode
from legocryst.crystal.wyckoff import wyckoff
from legocryst.environment.targets import target
from legocryst.environment.validity import judge
from legocryst.relax import relax
from legocryst.settings import RelaxSettings
from legocryst.stages.curate import SHIPPED, described

TARGET = target("sp2-carbon")
COORDINATION = TARGET.coordination
SPACING = 3.4
"""Distance of stacked layers, angstrom."""
MAX_SITES, MAX_ATOMS = 8, 500
MAX_LAYERS = 40
SETTINGS = RelaxSettings(coordination_steps=500, descriptor_steps=500)
TRIALS = [(1.0, 0.0), *((scale, shift) for scale in (1.0, 1.1, 0.95, 1.2) for shift in (0.1, 0.3, 0.6))]
"""Starts that are tried in turn: scale of the cell, and largest random shift of each free coordinate, angstrom."""
ALIASES = {"Cmca": "Cmce", "Ccca:2": "Ccce:2"}
"""Symbols of the files that spglib writes in the newer way."""


@dataclass(frozen=True)
class Blueprint:
    """A net as a file describes it."""

    name: str
    source: str
    lattice: np.ndarray  # (3, 3)
    points: np.ndarray  # (n, 3) fractional
    quotient: Quotient


class Unusable(ValueError):
    """A file's net that is not one we can read or want."""


@cache
def hall_numbers() -> dict[str, int]:
    """Hall numbers of spglib by symbol, with `:choice` where there are several; the first setting wins."""
    found: dict[str, int] = {}
    for hall in range(530, 0, -1):
        kind: Any = spglib.get_spacegroup_type(hall)
        for text in (kind.international_short, kind.international_full):
            symbol = text.split("=")[0].replace(" ", "").replace("_", "")
            found[symbol] = found[f"{symbol}:{kind.choice}"] = hall
    return found


def read_cgd(path: Path) -> Blueprint:
    """A net of a .cgd file with its orbits written out; raises Unusable if it has other than three-connected nodes."""
    words = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.split()]
    entries = {word[0]: word[1:] for word in words}
    nodes = [word[2:] for word in words if word[0] == "NODE"]
    edges = [np.array(word[1:], float).reshape(2, 3) for word in words if word[0] == "EDGE" and len(word) == 7]
    if not nodes or any(node[0] != str(COORDINATION) for node in nodes):
        raise Unusable("other coordination")
    if not edges:
        raise Unusable("no edges in the file")
    symbol = ALIASES.get(entries["GROUP"][0], entries["GROUP"][0])
    operations: Any = spglib.get_symmetry_from_database(hall_numbers()[symbol])
    rotation, translation = operations["rotations"], operations["translations"]
    points: list[np.ndarray] = []
    for node in nodes:
        for point in (rotation @ np.array(node[1:4], float) + translation) % 1:
            if not any(np.abs(rounded(point - other)).max() < 2e-3 for other in points):
                points.append(point)
    every = np.array(points)
    operators = list(zip(rotation, translation, strict=True))
    rows = {edge(every, *(r @ end + t for end in ends)) for ends in edges for r, t in operators}
    values = np.array(entries["CELL"][:6], float)
    lattice = cells.lattice(np.concatenate([values[:3], np.radians(values[3:])]))
    return checked(Blueprint(path.stem, "pormake", lattice, every, Quotient(len(every), np.array(sorted(rows)))))


def rounded(vector: np.ndarray) -> np.ndarray:
    """The vector's shortest image, in fractions of the cell."""
    return vector - np.round(vector)


def edge(points: np.ndarray, start: np.ndarray, end: np.ndarray) -> tuple[int, ...]:
    """The row of a quotient for an edge between two points, in a direction that does not depend on the order."""
    (i, cell_i), (j, cell_j) = (vertex_at(points, point) for point in (start, end))
    image = cell_j - cell_i
    return max((i, j, *image.tolist()), (j, i, *(-image).tolist()))


def vertex_at(points: np.ndarray, point: np.ndarray) -> tuple[int, np.ndarray]:
    """Number and cell of the vertex at a point."""
    offset = np.abs(rounded(points - point)).max(axis=1)
    nearest = int(offset.argmin())
    if offset[nearest] > 3e-3:
        raise Unusable("an edge that ends nowhere")
    return nearest, np.round(point - points[nearest]).astype(int)


def checked(blueprint: Blueprint) -> Blueprint:
    """The blueprint, if every vertex has the wanted number of edges; raises Unusable otherwise."""
    degree = np.bincount(blueprint.quotient.edges[:, :2].ravel(), minlength=blueprint.quotient.n)
    if (degree != COORDINATION).any():
        raise Unusable("edges missing in the file")
    return blueprint


def read_autografs(name: str, entry: dict) -> Blueprint:
    """A net of autografs: its slots are vertices and middles of edges, joined where they carry the same tag."""
    slots = entry["slots"]
    sizes = {len(slot["tags"]) for slot in slots}
    if not {COORDINATION} <= sizes <= {2, COORDINATION}:
        raise Unusable("other coordination")
    lattice = np.array(entry["cell"], float)
    inverse = np.linalg.inv(lattice)
    at: dict[int, dict[int, np.ndarray]] = {}
    for number, slot in enumerate(slots):
        for tag, point in zip(slot["tags"], slot["coords"], strict=True):
            at.setdefault(tag, {})[number] = np.array(point) @ inverse
    vertices = [number for number, slot in enumerate(slots) if len(slot["tags"]) == COORDINATION]
    rows = []
    for middle, slot in enumerate(slots):
        if middle not in vertices:
            (i, cell_i), (j, cell_j) = (vertex_of(at[tag], middle) for tag in slot["tags"])
            rows.append((vertices.index(i), vertices.index(j), *(cell_j - cell_i).tolist()))
    points = np.array([np.mean([at[tag][number] for tag in slots[number]["tags"]], axis=0) for number in vertices])
    return checked(Blueprint(name, "autografs", lattice, points, Quotient(len(points), np.array(rows))))


def vertex_of(places: dict[int, np.ndarray], middle: int) -> tuple[int, np.ndarray]:
    """The vertex that shares a tag with the middle of an edge, and its cell relative to it."""
    (vertex,) = places.keys() - {middle}
    return vertex, np.round(places[middle] - places[vertex]).astype(int)


def folder(package: str) -> Path:
    """Where a package is installed; it is not imported."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise SystemExit(f"the package {package} is not installed: run `pip install -r requirements-dev.txt`")
    return Path(spec.origin).parent


def blueprints() -> tuple[list[tuple[Blueprint, Net]], Counter[str]]:
    """All nets of the sources, one for each key, and how many entries were left out for which reason."""
    found: list[tuple[Blueprint, Net]] = []
    left_out: Counter[str] = Counter()
    names: dict[str, list[str]] = {}
    topologies = folder("pormake") / "database" / "topologies"
    with gzip.open(folder("autografs") / "data" / "topologies.json.gz") as file:
        entries = json.load(file)["topologies"]
    sources: list[tuple[str, Callable[[], Blueprint]]]
    sources = [("pormake", partial(read_cgd, path)) for path in sorted(topologies.glob("*.cgd"))]
    sources += [("autografs", partial(read_autografs, *item)) for item in sorted(entries.items())]
    for package, read in sources:
        try:
            blueprint = read()
        except Unusable as reason:
            left_out[f"{package}: {reason}"] += 1
            continue
        of = net(blueprint.quotient)
        known = names.setdefault(of.key, [])
        if blueprint.name in known:
            left_out[f"{package}: name and net known already"] += 1
        else:
            known.append(blueprint.name)
            if len(known) == 1:
                found.append((blueprint, of))
            else:
                left_out[f"{package}: key of another net"] += 1
    analysis.NAMES.parent.mkdir(exist_ok=True)
    text = json.dumps({key: "/".join(known) for key, known in sorted(names.items())}, indent=0)
    analysis.NAMES.write_text(text + "\n", encoding="utf-8")
    analysis.names.cache_clear()
    return found, left_out


def start(blueprint: Blueprint, of: Net) -> Crystals:
    """The net's own embedding with the wanted mean bond length, layers stacked straight.

    For the net of the target's reference it is the reference itself.
    """
    reference = TARGET.reference.crystals()
    if nets(reference, cutoff=TARGET.bond_window[1])[0].key == of.key:
        return reference
    rows = blueprint.quotient.edges
    bonds = (blueprint.points[rows[:, 1]] + rows[:, 2:] - blueprint.points[rows[:, 0]]) @ blueprint.lattice
    lattice = blueprint.lattice * TARGET.bond / np.linalg.norm(bonds, axis=1).mean()
    if of.periodicity == 2:
        lattice[2] *= SPACING / np.linalg.norm(lattice[2])
    structure = Structure(lattice, [TARGET.element] * len(blueprint.points), blueprint.points)
    return from_structure(structure)


def shifted(crystals: Crystals, scale: float, shift: float, rng: np.random.Generator) -> Crystals:
    """Crystals with scaled cells and with free coordinates moved at random by at most `shift` angstrom."""
    cell = crystals.cell.copy()
    cell[:, :3] *= scale
    free = wyckoff().free[crystals.position_id]
    move = rng.uniform(-shift, shift, free.shape) * free / cell[crystals.crystal_of_site, :3]
    return replace(crystals, cell=cell, coordinates=crystals.coordinates + move)


def realise(starts: Crystals, keys: list[str]) -> tuple[dict[int, Crystals], list[str]]:
    """The first strictly valid crystal with its net unchanged of each start, and the reasons of the last failures."""
    done: dict[int, Crystals] = {}
    reasons = [""] * len(keys)
    rng = np.random.default_rng(0)
    for scale, shift in TRIALS:
        left = np.array([k for k in range(len(keys)) if k not in done])
        result = relax(shifted(starts.take(left), scale, shift, rng), TARGET, SETTINGS)
        bonded = nets(result.crystals, cutoff=TARGET.bond_window[1])
        for place, k in enumerate(left):
            same = bonded[place].key == keys[k]
            reasons[k] = result.reason[place] or ("" if same else "bonds changed")
            if not reasons[k]:
                done[int(k)] = settled(result.crystals.take([place]))
    return done, reasons


def settled(crystal: Crystals) -> Crystals:
    """The crystal in the group it has after relaxation, if it stays strictly valid there."""
    better = from_structure(to_structure(crystal))
    return better if judge(better, TARGET).valid[0] else crystal


def main() -> None:
    """Read, realise, write, and print how many of what."""
    torch.set_num_threads(1)
    began = time.process_time()
    found, left_out = blueprints()
    print(f"{len(found)} nets with {COORDINATION} edges a vertex; entries left out: {dict(left_out)}")
    starts, keys, plans = [], [], []
    failed: Counter[str] = Counter()
    for blueprint, of in found:
        try:
            starts.append(start(blueprint, of))
        except FileError as reason:
            failed[f"no start: {reason}"] += 1
            continue
        keys.append(of.key)
        plans.append((blueprint, of))
    done, reasons = realise(Crystals.concatenate(starts), keys)
    failed.update(reason for k, reason in enumerate(reasons) if k not in done)
    print(f"{len(done)} realised; failed: {dict(failed)}")
    kept = []
    for k, crystal in done.items():
        if crystal.site_count[0] > MAX_SITES:
            failed[f"more than {MAX_SITES} sites"] += 1
        elif crystal.atom_count[0] > MAX_ATOMS:
            failed[f"more than {MAX_ATOMS} atoms"] += 1
        else:
            kept.append(k)
    print(f"{len(kept)} kept; failed: {dict(failed)}")
    print(f"{time.process_time() - began:.0f} CPU-s without energies")
    write(Crystals.concatenate([done[k] for k in kept]), [plans[k][0] for k in kept])
    print(f"{time.process_time() - began:.0f} CPU-s")


def write(crystals: Crystals, plans: list[Blueprint]) -> None:
    """The table of the shipped set, in order of names."""
    write_references()
    bonded = nets(crystals, cutoff=TARGET.bond_window[1])
    energy = energies(crystals, max_atoms=MAX_ATOMS)
    assert not any(energy.reason), energy.reason
    columns = {
        "name": [one.name for one in bonded],
        "source": [f"RCSR net, from {plan.source} {version(plan.source)}" for plan in plans],
        "licence": "MIT",
        "net_key": [one.key for one in bonded],
        "periodicity": [one.periodicity for one in bonded],
        "kind": [one.kind for one in bonded],
        "energy": energy.energy,
        "atoms": crystals.atom_count,
        "loss": judge(crystals, TARGET).loss,
    }
    table = described(pd.concat([encode(crystals, sites=MAX_SITES), pd.DataFrame(columns)], axis=1), TARGET.name)
    assert table["net_key"].is_unique
    table.sort_values("name", ignore_index=True).to_parquet(SHIPPED)
    print(table["kind"].value_counts().to_dict(), table[["energy", "loss", "atoms"]].describe())


if __name__ == "__main__":
    main()
