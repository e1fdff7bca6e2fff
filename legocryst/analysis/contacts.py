"""How near parts of a crystal come to each other that no chain of bonds joins."""

import numpy as np

from legocryst.analysis.graphs import Quotient, coordinates, lattice_basis
from legocryst.analysis.nets import bond_graph
from legocryst.crystal.representation import Crystals
from legocryst.environment.neighbors import neighbor_list


def between_parts(crystal: Crystals, *, cutoff: float, reach: float) -> float:
    """Shortest distance (angstrom) up to `reach` between atoms that bonds do not join; infinite if there is none.

    Bonds are pairs up to `cutoff` of the one crystal of a batch.
    """
    part, cell, translations = _parts(bond_graph(crystal, 0, cutoff=cutoff))
    near = neighbor_list(crystal, reach, every_atom=True)
    shift = near.image.astype(int) + cell[near.site] - cell[near.atom]
    apart = part[near.site] != part[near.atom]
    for number, basis in enumerate(translations):
        mine = ~apart & (part[near.site] == number)
        apart[mine] = (coordinates(shift[mine], basis) @ basis != shift[mine]).any(axis=1)
    return float(near.distance[apart].min(initial=np.inf))


def _parts(graph: Quotient) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Part (n,) of each vertex; cell (n, 3) where bonds lead to it from the part's first; translations of each part."""
    ways: list[list[tuple[int, np.ndarray]]] = [[] for _ in range(graph.n)]
    for i, j, *shift in graph.edges.tolist():
        ways[i].append((j, np.array(shift)))
        ways[j].append((i, -np.array(shift)))
    part, cell, number = np.full(graph.n, -1), np.zeros((graph.n, 3), int), 0
    while (part < 0).any():
        members = [int(np.flatnonzero(part < 0)[0])]
        part[members] = number
        for vertex in members:
            for other, shift in ways[vertex]:
                if part[other] < 0:
                    part[other], cell[other] = number, cell[vertex] + shift
                    members.append(other)
        number += 1
    i, j, shifts = graph.edges[:, 0], graph.edges[:, 1], graph.edges[:, 2:]
    loops = cell[i] + shifts - cell[j]
    return part, cell, [lattice_basis(loops[part[i] == k]) for k in range(number)]
