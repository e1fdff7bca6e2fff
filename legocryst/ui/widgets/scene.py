"""What a 3D view of a crystal shows: atoms with their images at the boundary, bonds across it, the cell's edges."""

from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from legocryst.crystal.crystals import Crystals
from legocryst.crystal.elements import SYMBOLS

MAX_ATOMS = 6000
"""More atoms make a browser slow."""
_ON_FACE = 1e-3  # fraction of the cell within which an atom counts as lying on a face, and is drawn on both
_CORNERS = np.array(list(product((0, 1), repeat=3)))
_EDGES = [(i, j) for i in range(8) for j in range(i + 1, 8) if np.abs(_CORNERS[i] - _CORNERS[j]).sum() == 1]


class SceneError(ValueError):
    """A scene that cannot be drawn; the message is one sentence for the reader."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Drawing of one crystal; lengths in angstrom."""

    positions: np.ndarray  # (n, 3)
    symbols: tuple[str, ...]  # (n,)
    atoms: np.ndarray  # (n,) which atom of the crystal's conventional cell each is, or is an image of
    inside: np.ndarray  # (n,) bool: in the cell (faces included); others end a bond that leaves it
    bonds: np.ndarray  # (m, 2) atoms of each bond
    edges: np.ndarray  # (e, 2, 3) ends of the lines of the cells
    axes: np.ndarray  # (3, 3) rows a, b, c of one cell

    def to_dict(self) -> dict[str, Any]:
        """Return the scene as plain lists, rounded to 0.0001 angstrom, for the browser."""
        return {
            "positions": np.round(self.positions, 4).tolist(),
            "symbols": list(self.symbols),
            "inside": self.inside.tolist(),
            "bonds": self.bonds.tolist(),
            "edges": np.round(self.edges, 4).tolist(),
            "axes": np.round(self.axes, 4).tolist(),
        }


def turned(drawn: Scene, axes: np.ndarray) -> Scene:
    """Return the scene turned, or mirrored, so that its cell has `axes` (3, 3), of the same lengths and angles."""
    turn = np.linalg.solve(drawn.axes, axes)
    return replace(drawn, positions=drawn.positions @ turn, edges=drawn.edges @ turn, axes=axes)


def scene(
    crystals: Crystals, i: int = 0, *, cutoff: float, supercell: tuple[int, int, int] = (1, 1, 1), across: bool = True
) -> Scene:
    """Return the drawing of crystal i: every atom of `supercell` cells, with its images on opposite faces.

    Pairs up to `cutoff` angstrom are bonds. With `across`, a bond that leaves the cells is drawn to the atom outside.
    Raises SceneError for more atoms than a browser can draw.
    """
    from legocryst.topology.nets import bond_graph

    crystal = crystals.take([i])
    atoms = crystal.atoms()
    count = len(atoms.fractional) * int(np.prod(supercell))
    if count > MAX_ATOMS:
        raise SceneError(f"{count} atoms are too many to draw (at most {MAX_ATOMS}): choose a smaller supercell")
    shift = np.floor(atoms.fractional + _ON_FACE).astype(np.int64)  # the cell each atom stands in
    lattice = crystal.lattice[0]
    nodes = _nodes(atoms.fractional - shift, np.asarray(supercell))
    bonded = _bonds(bond_graph(crystals, i, cutoff=cutoff).edges, shift, nodes, across=across)
    index = {node: k for k, node in enumerate(nodes)}
    inside = len(index)
    for pair in bonded:
        for node in pair:
            index.setdefault(node, len(index))
    atom = np.array([node[0] for node in index])
    cell = np.array([node[1:] for node in index])
    return Scene(
        positions=((atoms.fractional - shift)[atom] + cell) @ lattice,
        symbols=tuple(SYMBOLS[z] for z in atoms.species[atom]),
        atoms=atom,
        inside=np.arange(len(index)) < inside,
        bonds=np.array([(index[a], index[b]) for a, b in bonded], np.int64).reshape(-1, 2),
        edges=_cell_edges(lattice, supercell),
        axes=lattice,
    )


Node = tuple[int, ...]
"""An atom and the three numbers of the cell it stands in."""


def _nodes(fractional: np.ndarray, supercell: np.ndarray) -> list[Node]:
    """Return all atoms in the cells, those on a lower face also on the upper one."""
    out: list[Node] = []
    for k, point in enumerate(fractional):
        last = supercell - 1 + (np.abs(point) <= _ON_FACE)
        out += [(k, *cell) for cell in product(*(range(n + 1) for n in last.tolist()))]
    return out


def _bonds(edges: np.ndarray, shift: np.ndarray, nodes: list[Node], *, across: bool) -> list[tuple[Node, Node]]:
    """Return each bond with at least one end among the nodes (both ends, unless `across`), once."""
    steps: dict[int, list[Node]] = {}
    for a, b, *image in edges.tolist():
        x, y, z = (np.array(image) + shift[b] - shift[a]).tolist()
        steps.setdefault(a, []).append((b, x, y, z))
        steps.setdefault(b, []).append((a, -x, -y, -z))
    known = set(nodes)
    out: dict[tuple[Node, Node], None] = {}
    for k, *cell in nodes:
        for other, *step in steps.get(k, []):
            x, y, z = (c + s for c, s in zip(cell, step, strict=True))
            here, there = (k, *cell), (other, x, y, z)
            if across or there in known:
                out[min(here, there), max(here, there)] = None
    return list(out)


def _cell_edges(lattice: np.ndarray, supercell: tuple[int, int, int]) -> np.ndarray:
    """Return the twelve edges of every cell, shared ones once."""
    lines = {
        tuple(sorted((tuple(cell + _CORNERS[i]), tuple(cell + _CORNERS[j]))))
        for cell in np.array(list(product(*map(range, supercell))))
        for i, j in _EDGES
    }
    return np.array(sorted(lines), float) @ lattice
