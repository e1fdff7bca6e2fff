"""How near parts of a crystal come to each other that no chain of bonds joins."""

import numpy as np

from legocryst.crystal.crystals import Crystals
from legocryst.environment.neighbors import neighbor_list
from legocryst.topology.graphs import connected_parts, coordinates
from legocryst.topology.nets import bond_graph


def between_parts(crystal: Crystals, *, cutoff: float, reach: float) -> float:
    """Find the shortest distance (angstrom) up to `reach` of atoms that bonds do not join; infinite if there is none.

    Bonds are pairs up to `cutoff` of the one crystal of a batch.
    """
    graph = bond_graph(crystal, 0, cutoff=cutoff)
    parts = list(connected_parts(graph))
    part, cell = np.empty(graph.n, int), np.empty((graph.n, 3), int)
    for number, one in enumerate(parts):
        part[one.members], cell[one.members] = number, one.cell
    near = neighbor_list(crystal, reach, every_atom=True)
    shift = near.image.astype(int) + cell[near.site] - cell[near.atom]
    apart = part[near.site] != part[near.atom]
    for number, one in enumerate(parts):
        own = ~apart & (part[near.site] == number)
        apart[own] = (coordinates(shift[own], one.basis) @ one.basis != shift[own]).any(axis=1)
    return float(near.distance[apart].min(initial=np.inf))
