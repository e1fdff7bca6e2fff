"""Nets: the bond graph of a crystal without its geometry, and a key that equal nets share.

A net's vertices are distinguished by their coordination sequence (how many vertices are 1, 2, ... bonds away) and their
vertex symbol (size and number of the shortest rings at each angle); see O'Keeffe & Hyde, "Crystal Structures" (1996),
and Blatov, O'Keeffe & Proserpio, CrystEngComm 12, 44 (2010). The key of a component is a hash of its canonical form
(canonical_form.py): equal components, and no others, share it, whatever the cell, supercell, origin, labels or
geometry. Where there is no form (cages, and nets with collisions) the key is a hash of both invariants over all
vertices, which rare pairs of different components may share; such keys begin with `0i` to `3i` instead of `1p` to `3p`.
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
from legocryst.crystal.crystals import Crystals
from legocryst.topology.canonical_form import canonical_form
from legocryst.topology.graphs import PeriodicGraph, Quotient, connected_parts, one_direction

__all__ = ["Component", "Net", "Quotient", "Vertex", "bond_graph", "names", "net", "nets"]

NAMES = DATA / "nets" / "names.json"
KINDS = ("cages", "chains", "layers", "framework")
"""What a net of one kind of component is called, by periodicity; else it is "interpenetrated" or a "mixture"."""
_BATCH = 64
_T = TypeVar("_T")
_Kind = tuple[tuple[int, ...], tuple[tuple[int, int], ...]]
"""Coordination sequence and angles of a vertex."""


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
    form: str  # the edges, as `canonical_form.canonical_form` writes them; "" if the key is one of invariants
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


_Part = tuple[int, str, tuple[Vertex, ...]]
"""Periodicity, form and vertices of a component."""


def bond_graph(crystals: Crystals, i: int, *, cutoff: float) -> Quotient:
    """Make the graph of crystal i's bonds up to `cutoff` (angstrom); vertices are the conventional cell's atoms."""
    return _bond_graphs(crystals.take([i]), cutoff)[0]


def _bond_graphs(crystals: Crystals, cutoff: float) -> list[Quotient]:
    from legocryst.environment.neighbors import neighbor_list

    atoms = crystals.atoms()
    crystal = crystals.crystal_of_site[atoms.site]
    near = neighbor_list(crystals, cutoff, atoms=atoms, every_atom=True)
    # each bond is found from both its ends
    rows = one_direction(np.column_stack([near.site, near.atom, near.image.astype(np.int64)]))
    of = crystal[rows[:, 0]]
    rows[:, :2] -= atoms.first[of][:, None]
    parts = np.split(rows, np.searchsorted(of, np.arange(1, len(crystals))))
    return [Quotient(int(n), part) for n, part in zip(np.diff(atoms.first), parts, strict=True)]


def nets(crystals: Crystals, *, cutoff: float, progress: Callable[[int, int], None] | None = None) -> list[Net]:
    """Find the net of every crystal of a batch, bonds being pairs up to `cutoff` angstrom; `progress(done, total)`."""
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
    """Return the net of a periodic graph.

    `classes` (n,) may give equal numbers to vertices known to be equivalent by symmetry, which saves time.
    Raises ValueError for a graph without vertices.
    """
    if quotient.n == 0:
        raise ValueError("a net needs at least one vertex")
    graph = PeriodicGraph(quotient)
    label = range(quotient.n) if classes is None else classes
    kind: dict[int, _Kind] = {}
    size: Counter[_Part] = Counter()
    copies: Counter[_Part] = Counter()
    rings: Counter[int] = Counter()
    for part in connected_parts(quotient):
        form, equivalent = canonical_form(part.quotient, [label[vertex] for vertex in part.members])
        content: Counter[_Kind] = Counter()
        for name, count in Counter(equivalent).items():
            vertex = part.members[equivalent.index(name)]
            if label[vertex] not in kind:
                kind[label[vertex]] = graph.coordination_sequence(vertex), graph.angles(vertex)
            content[kind[label[vertex]]] += count
        vertices = tuple(Vertex(*what, count) for what, count in sorted(_smallest_ratio(content).items()))
        same = part.periodicity, form, vertices
        size[same] += len(part.members)
        copies[same] += part.copies
        for (_, angles), count in content.items():
            for ring, _ in angles:
                rings[ring] += count
    components = [_component(*same, size[same] / quotient.n, copies[same]) for same in size]
    components.sort(key=lambda component: (-component.periodicity, component.key))
    return _net(tuple(components), dict(sorted(_smallest_ratio(rings).items())))


def _smallest_ratio(count: Counter[_T]) -> dict[_T, int]:
    divisor = gcd(*count.values())
    return {what: number // divisor for what, number in count.items()}


def _component(periodicity: int, form: str, vertices: tuple[Vertex, ...], fraction: float, copies: int) -> Component:
    invariants = [(vertex.coordination_sequence, vertex.angles, vertex.count) for vertex in vertices]
    key = f"{periodicity}p-{_digest(form)}" if form else f"{periodicity}i-{_digest(invariants)}"
    copies = copies if periodicity == 3 else 1
    return Component(key, names().get(key, ""), form, periodicity, vertices, fraction, copies)


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
    """Return RCSR names by component key, from `data/nets/names.json`."""
    entries = json.loads(NAMES.read_text(encoding="utf-8")) if NAMES.exists() else {}
    return {key: entry["name"] for key, entry in entries.items()}
