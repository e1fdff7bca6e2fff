"""The contract of every potential, how one is had by name, and which crystals they can be asked about.

A potential is a class in a file with its specification (see `legocryst.vocabulary.registry`). It is made with the name
of the specification, since several may share a class.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Protocol

import numpy as np

from legocryst.crystal.crystals import Crystals
from legocryst.crystal.elements import SYMBOLS
from legocryst.crystal.symmetry.primitive import primitive_atoms
from legocryst.environment.neighbors import neighbor_list
from legocryst.environment.target import Target
from legocryst.environment.validity import OVERLAP
from legocryst.potentials.minimize import Energy
from legocryst.topology.graphs import connected_parts
from legocryst.topology.nets import Net, bond_graph
from legocryst.vocabulary.registry import POTENTIALS, PotentialSpec

REACH = 5.0
"""Angstrom beyond which atoms do not feel each other, where no potential is meant."""


class Potential(Protocol):
    """What is asked of a potential."""

    def __init__(self, name: str) -> None:
        """Make the one of a name, which is that of its specification."""

    def of(self, crystals: Crystals, k: int) -> Energy:
        """Return the energy of crystal k as a function of its geometry, for changes that keep its space group."""


@lru_cache(maxsize=2)
def potential(name: str) -> Potential:
    """Return a potential; raises ValueError as `Registry.load` does."""
    made: Potential = POTENTIALS.load(name)(name)
    return made


@contextmanager
def one_thread() -> Iterator[None]:
    """Run Torch on one thread inside: more make small crystals no faster, and results would depend on them."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def refusal(crystal: Crystals, target: Target, max_atoms: int, spec: PotentialSpec | None = None) -> str:
    """Say why the one crystal of a batch gets no energy, by a potential where one is meant; "" if it does."""
    if not np.nan_to_num(crystal.volume[0]) > 0:
        return "impossible cell"
    if (crystal.species != target.atomic_number).any():
        others = sorted({SYMBOLS[k] for k in crystal.species} - {target.element})
        return f"it holds {', '.join(others)}, and energies are counted from {target.of_energy.reference.name}"
    if spec is not None and spec.elements and target.element not in spec.elements.split():
        return f"not known to the potential {spec.name}: {target.element}"
    if primitive_atoms(crystal)[0] > max_atoms:
        return f"more than {max_atoms} atoms in the primitive cell"
    if len(neighbor_list(crystal, OVERLAP * target.bond).distance):
        return "overlapping atoms"
    return ""


def apart(crystal: Crystals, net: Net, *, relax: bool, reach: float = REACH) -> str:
    """Say why nothing holds the one crystal of a batch, with its net, together in all directions; "" if something does.

    Atoms farther than `reach` from each other do not feel each other. To relax it, it must be held together in three
    directions, else in one.
    """
    if net.components[-1].periodicity == 3:
        return ""
    felt = max((part.periodicity for part in connected_parts(bond_graph(crystal, 0, cutoff=reach))), default=0)
    if felt == 0:
        return f"a molecule in a box: its copies are more than {reach:g} angstrom apart"
    return f"its parts are more than {reach:g} angstrom apart" if relax and felt < 3 else ""
