"""Nets: the bond graph of a crystal without its geometry, and a key that equal nets share.

A net's vertices are told apart by their coordination sequence (how many vertices are 1, 2, ... bonds away) and their
vertex symbol (size and number of the shortest rings at each angle); see O'Keeffe & Hyde, "Crystal Structures" (1996),
and Blatov, O'Keeffe & Proserpio, CrystEngComm 12, 44 (2010). The key is a hash of both over all vertices: it does not
depend on cell, supercell, origin, labels or geometry. It is not exact: rare pairs of nets share one.
"""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from math import gcd
from typing import TypeVar

import numpy as np

from legocryst import DATA
from legocryst.analysis.graphs import PeriodicGraph, Quotient, connected_parts
from legocryst.crystal.representation import Crystals

__all__ = ["Component", "Net", "Quotient", "Vertex", "bond_graph", "names", "net", "nets"]

NAMES = DATA / "nets" / "names.json"
KINDS = ("cages", "chains", "layers", "framework")
"""What a net of one kind of component is called, by periodicity; else it is "interpenetrated" or a "mixture"."""
_BATCH = 64
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Vertex:
    """One kind of vertex of a component."""

    coordination_sequence: tuple[int, ...]  # numbers of vertices 1 to 12 bonds away
    angles: tuple[tuple[int, int], ...]  # size and number of the shortest rings at each angle; (0, 0): none
    count: int  # vertices of this kind, in the component's smallest whole-number ratio

    @property
    def symbol(self) -> str:
        """Vertex symbol: 10(5).10(5).10(5) are three angles with five shortest rings each, of ten edges."""
        return ".".join("∞" if not size else str(size) if n == 1 else f"{size}({n})" for size, n in self.angles)


@dataclass(frozen=True, slots=True)
class Component:
    """One kind of connected part of a net."""

    key: str
    name: str  # RCSR's, "" if unknown
    periodicity: int  # 0 to 3
    vertices: tuple[Vertex, ...]
    fraction: float  # of the net's vertices
    copies: int  # interpenetrating parts of this kind, 1 where the periodicity is below 3


@dataclass(frozen=True, slots=True)
class Net:
    """A net: its distinct components, largest periodicity first."""

    key: str
    name: str
    kind: str  # one of KINDS, "interpenetrated" (3-periodic, several copies) or "mixture" (components differ)
    periodicity: int  # the largest of its components'
    components: tuple[Component, ...]
    rings: dict[int, int]  # number of angles by the size of their shortest ring (0: none), smallest ratio


def bond_graph(crystals: Crystals, i: int, *, cutoff: float) -> Quotient:
    """The graph of all bonds up to `cutoff` (angstrom) of crystal i; its vertices are the conventional cell's atoms."""
    return _bond_graphs(crystals.take([i]), cutoff)[0]


def _bond_graphs(crystals: Crystals, cutoff: float) -> list[Quotient]:
    from legocryst.environment.neighbors import neighbor_list

    atoms = crystals.atoms()
    crystal = crystals.crystal_of_site[atoms.site]
    found = neighbor_list(crystals, cutoff, atoms=atoms, every_atom=True)
    rows = np.column_stack([found.site, found.atom, found.image.astype(np.int64)])
    # each bond is found from both its ends: keep one direction
    image = rows[:, 2:]
    leading = np.take_along_axis(image, (image != 0).argmax(axis=1)[:, None], axis=1)[:, 0]
    rows = rows[(rows[:, 0] < rows[:, 1]) | ((rows[:, 0] == rows[:, 1]) & (leading > 0))]
    of = crystal[rows[:, 0]]
    rows[:, :2] -= atoms.first[of][:, None]
    parts = np.split(rows, np.searchsorted(of, np.arange(1, len(crystals))))
    return [Quotient(int(n), part) for n, part in zip(np.diff(atoms.first), parts, strict=True)]


def nets(crystals: Crystals, *, cutoff: float, progress: Callable[[int, int], None] | None = None) -> list[Net]:
    """The net of every crystal of a batch, bonds being pairs up to `cutoff` angstrom; `progress(done, total)`."""
    out: list[Net] = []
    for begin in range(0, len(crystals), _BATCH):
        batch = crystals.take(slice(begin, begin + _BATCH))
        atoms = batch.atoms()
        for k, quotient in enumerate(_bond_graphs(batch, cutoff)):
            out.append(net(quotient, classes=atoms.site[atoms.first[k] : atoms.first[k + 1]].tolist()))
        if progress is not None:
            progress(len(out), len(crystals))
    return out


def net(quotient: Quotient, *, classes: Sequence[int] | None = None) -> Net:
    """The net of a periodic graph.

    `classes` (n,) may give equal numbers to vertices known to be equivalent by symmetry, which saves time.
    Raises ValueError for a graph without vertices.
    """
    if quotient.n == 0:
        raise ValueError("a net needs at least one vertex")
    graph = PeriodicGraph(quotient)
    label = range(quotient.n) if classes is None else classes
    one_of = {name: vertex for vertex, name in enumerate(label)}
    kind = {name: (graph.coordination_sequence(vertex), graph.angles(vertex)) for name, vertex in one_of.items()}
    size: Counter[tuple[int, tuple[Vertex, ...]]] = Counter()
    copies: Counter[tuple[int, tuple[Vertex, ...]]] = Counter()
    for members, periodicity, copied in connected_parts(quotient):
        content = _smallest_ratio(Counter(kind[label[vertex]] for vertex in members))
        part = periodicity, tuple(Vertex(*what, count) for what, count in sorted(content.items()))
        size[part] += len(members)
        copies[part] += copied
    components = [_component(*part, size[part] / quotient.n, copies[part]) for part in size]
    components.sort(key=lambda component: (-component.periodicity, component.key))
    rings = Counter(ring for name in label for ring, _ in kind[name][1])
    return _net(tuple(components), dict(sorted(_smallest_ratio(rings).items())))


def _smallest_ratio(count: Counter[_T]) -> dict[_T, int]:
    divisor = gcd(*count.values())
    return {what: number // divisor for what, number in count.items()}


def _component(periodicity: int, vertices: tuple[Vertex, ...], fraction: float, copies: int) -> Component:
    content = [(vertex.coordination_sequence, vertex.angles, vertex.count) for vertex in vertices]
    key = f"{periodicity}p-{_digest(content)}"
    return Component(key, names().get(key, ""), periodicity, vertices, fraction, copies if periodicity == 3 else 1)


def _net(components: tuple[Component, ...], rings: dict[int, int]) -> Net:
    first = components[0]
    if len(components) > 1:
        kind = "mixture"
        key = "mix-" + _digest([(part.key, part.copies, round(part.fraction, 6)) for part in components])
        name = " + ".join(part.name for part in components) if all(part.name for part in components) else ""
    elif first.copies > 1:
        key, kind = f"{first.copies}x{first.key}", "interpenetrated"
        name = f"{first.copies} x {first.name}" if first.name else ""
    else:
        key, kind, name = first.key, KINDS[first.periodicity], first.name
    return Net(key, name, kind, first.periodicity, components, rings)


def _digest(content: object) -> str:
    return sha256(repr(content).encode()).hexdigest()[:16]


@lru_cache(maxsize=1)
def names() -> dict[str, str]:
    """RCSR names by component key, from `data/nets/names.json`."""
    return json.loads(NAMES.read_text(encoding="utf-8")) if NAMES.exists() else {}
