"""What the field says of a net: coordination sequences, vertex and point symbols, rings, interpenetration."""

from collections import Counter
from dataclasses import dataclass
from math import gcd
from typing import Any

from legocryst.crystal.crystals import Crystals
from legocryst.topology.graphs import PeriodicGraph, connected_parts
from legocryst.topology.nets import Net, bond_graph, net


@dataclass(frozen=True, slots=True)
class Topology:
    """The net of a crystal and its point symbol."""

    net: Net
    point_symbol: str  # {4.8^2}; of several kinds of components joined by " + "

    @property
    def interpenetration(self) -> int:
        """How many frameworks there are that do not touch; 0 where none of the components is 3-periodic."""
        return sum(part.copies for part in self.net.components if part.periodicity == 3)

    def entry(self) -> dict[str, Any]:
        """Return it as JSON; sequences, symbols and numbers are of each kind of vertex, component by component."""
        net = self.net
        vertices = [vertex for component in net.components for vertex in component.vertices]
        return {
            "net": net.name or None,
            "key": net.key,
            "kind": net.kind,
            "periodicity": net.periodicity,
            "coordination_sequence": [list(vertex.coordination_sequence) for vertex in vertices],
            "vertex_symbol": [vertex.symbol for vertex in vertices],
            "vertices": [vertex.count for vertex in vertices],
            "point_symbol": self.point_symbol,
            "rings": {str(size): count for size, count in net.rings.items()},
            "interpenetration": self.interpenetration,
            "components": [
                {"net": part.name or None, "key": part.key, "periodicity": part.periodicity, "copies": part.copies}
                for part in net.components
            ],
        }


def topology(crystals: Crystals, i: int = 0, *, cutoff: float) -> Topology:
    """Return net and point symbol of crystal i, bonds being pairs up to `cutoff` angstrom."""
    one = crystals.take([i])
    graph, site = bond_graph(one, 0, cutoff=cutoff), one.atoms().site.tolist()
    walks, cycles = PeriodicGraph(graph), dict[int, tuple[int, ...]]()
    symbols = set()
    for part in connected_parts(graph):
        for atom in part.members:
            if site[atom] not in cycles:
                cycles[site[atom]] = walks.cycles(atom)
        symbols.add(_point_symbol(Counter(cycles[site[atom]] for atom in part.members)))
    return Topology(net(graph, classes=site), " + ".join(sorted(symbols)))


def _point_symbol(vertices: Counter[tuple[int, ...]]) -> str:
    """Return {4.6^2}2{6^3}: for each kind of vertex how many angles have a shortest cycle of which size (*: none)."""
    divisor = gcd(*vertices.values())
    out = []
    for sizes, count in sorted(vertices.items()):
        angles = sorted(Counter(sizes).items(), key=lambda angle: angle[0] or 10**9)
        text = ".".join(f"{size or '*'}" + (f"^{n}" if n > 1 else "") for size, n in angles)
        out.append(f"{{{text}}}" + (str(count // divisor) if count > divisor else ""))
    return "".join(out)
