"""Potentials by name, and which crystals they can be asked about."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, get_args

import numpy as np

from legocryst.analysis.graphs import connected_parts
from legocryst.analysis.nets import Net, bond_graph
from legocryst.crystal.elements import SYMBOLS
from legocryst.crystal.primitive import primitive_atoms
from legocryst.crystal.representation import Crystals
from legocryst.environment.neighbors import neighbor_list
from legocryst.environment.targets import Target
from legocryst.environment.validity import OVERLAP
from legocryst.extras import require
from legocryst.settings import EnergySettings

if TYPE_CHECKING:
    from legocryst.analysis.sevennet import SevenNet

MODELS: tuple[str, ...] = get_args(EnergySettings.model_fields["model"].annotation)
REACH = 5.0
"""Angstrom beyond which atoms do not feel each other in these potentials."""


@lru_cache(maxsize=2)
def potential(name: str) -> "SevenNet":
    """A potential; raises ValueError for an unknown name."""
    if name not in MODELS:
        raise ValueError(f"there is no energy model {name!r}: choose one of {', '.join(MODELS)}")
    require("energy")
    from legocryst.analysis.sevennet import SevenNet

    return SevenNet(name)


@contextmanager
def one_thread() -> Iterator[None]:
    """Torch on one thread inside: more make small crystals no faster, and results would depend on their number."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def refusal(crystal: Crystals, target: Target, max_atoms: int) -> str:
    """Why the one crystal of a batch gets no energy, "" if it does."""
    if not np.nan_to_num(crystal.volume[0]) > 0:
        return "impossible cell"
    if (crystal.species != target.atomic_number).any():
        others = sorted({SYMBOLS[k] for k in crystal.species} - {target.element})
        return f"it holds {', '.join(others)}, and energies are counted from {target.of_energy.reference.name}"
    if primitive_atoms(crystal)[0] > max_atoms:
        return f"more than {max_atoms} atoms in the primitive cell"
    if len(neighbor_list(crystal, OVERLAP * target.bond).distance):
        return "overlapping atoms"
    return ""


def apart(crystal: Crystals, net: Net, *, relax: bool) -> str:
    """Why nothing holds the one crystal of a batch, with its net, together in all directions; "" if something does.

    To relax it, it must be held together in three directions, else in one.
    """
    if net.components[-1].periodicity == 3:
        return ""
    felt = max((part.periodicity for part in connected_parts(bond_graph(crystal, 0, cutoff=REACH))), default=0)
    if felt == 0:
        return f"a molecule in a box: its copies are more than {REACH:g} angstrom apart"
    return f"its parts are more than {REACH:g} angstrom apart" if relax and felt < 3 else ""
