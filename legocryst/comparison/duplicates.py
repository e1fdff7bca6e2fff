"""Duplicates: crystals that are the same, and why they are said to be.

Two crystals are the same if their nets are (METHOD counts distinct nets), or if they lie within `TOLERANCE` of each
other (pdd.py) and pymatgen's StructureMatcher agrees: then a bond is a little shorter than the limit in one of them,
and a little longer in the other.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from legocryst.comparison.pdd import PDD, amds, distance, pdds
from legocryst.crystal.crystals import Crystals
from legocryst.crystal.io.structures import to_structure
from legocryst.environment.target import Target
from legocryst.topology.nets import nets

if TYPE_CHECKING:
    from pymatgen.analysis.structure_matcher import StructureMatcher
    from pymatgen.core import Structure

__all__ = ["TOLERANCE", "Duplicate", "duplicates", "grouped", "matcher", "matches", "reason"]

TOLERANCE = 0.15
"""Angstrom. Of the shipped nets' crystals few are as near to another (docs/novelty.md)."""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A crystal that is the same as an earlier one."""

    crystal: int
    same_as: int  # the first crystal of its group
    reason: str


def reason(apart: float, *, same_net: bool, matched: bool | None = None) -> str:
    """Say why two crystals are the same, or not, in words; `apart` in angstrom."""
    near, how_far = apart <= TOLERANCE, f"{apart:.2f} Å apart"
    if same_net:
        return f"same net, {'same' if near else 'another'} geometry ({how_far})"
    if not near:
        return f"another net ({how_far})"
    agrees = {None: "not asked", True: "agrees", False: "does not agree"}[matched]
    return f"another net, {'same' if matched else 'similar'} geometry ({how_far}; StructureMatcher {agrees})"


def duplicates(crystals: Crystals, target: Target) -> list[Duplicate]:
    """Return the crystals of a batch that are the same as an earlier one of it."""
    keys = [net.key for net in nets(crystals, cutoff=target.bond_window[1])]
    return grouped(keys, pdds(crystals, target), crystals)


def grouped(keys: Sequence[str], invariants: Sequence[PDD], crystals: Crystals) -> list[Duplicate]:
    """Return `duplicates` of crystals whose net keys and distance distributions are known.

    Of two nets only the two crystals that are nearest to each other are given to StructureMatcher.
    """
    first = {key: k for k, key in reversed(list(enumerate(keys)))}
    same_as = np.array([first[key] for key in keys], np.int64)
    why = {
        k: reason(distance(invariants[k], invariants[same_as[k]]), same_net=True)
        for k in range(len(keys))
        if same_as[k] != k
    }
    compared: set[frozenset[str]] = set()
    for apart, i, j in sorted(_near(keys, invariants)):
        nets_of = frozenset((keys[i], keys[j]))
        if nets_of in compared or same_as[i] == same_as[j]:
            continue
        compared.add(nets_of)
        if matches(to_structure(crystals, i), to_structure(crystals, j)):
            earlier, later = sorted((int(same_as[i]), int(same_as[j])))
            same_as[same_as == later] = earlier
            why[later] = reason(apart, same_net=False, matched=True)
    return [Duplicate(k, int(same_as[k]), text) for k, text in sorted(why.items())]


def _near(keys: Sequence[str], invariants: Sequence[PDD]) -> Iterator[tuple[float, int, int]]:
    """Yield pairs of crystals with different nets within the tolerance."""
    from scipy.spatial import KDTree

    if not invariants:
        return
    for i, j in KDTree(amds(invariants)).query_pairs(TOLERANCE, p=np.inf):
        if keys[i] != keys[j] and (apart := distance(invariants[i], invariants[j])) <= TOLERANCE:
            yield apart, i, j


def matches(one: "Structure", other: "Structure") -> bool:
    """Say whether StructureMatcher takes them for the same."""
    return bool(matcher().fit(one, other))


def matcher() -> "StructureMatcher":
    """Return StructureMatcher in the published way (METHOD: 0.2, 0.3, 5 degrees)."""
    from pymatgen.analysis.structure_matcher import StructureMatcher

    return StructureMatcher(ltol=0.2, stol=0.3, angle_tol=5)
