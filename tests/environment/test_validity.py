"""Each reason of the strict criterion is met by a crystal made for it."""

import dataclasses

import numpy as np
import pytest

from legocryst.crystal.crystals import Crystals
from legocryst.environment.target_library import target
from legocryst.environment.validity import judge
from tests.crystals_at_random import random_crystals

SP2 = target("sp2-carbon")


def _graphene(*, scale: float = 1.0, height: float = 6.7) -> Crystals:
    """Stacked graphene in P1: lengths in the plane times `scale`, layers `height` angstrom apart."""
    points = [(1 / 3, 2 / 3, 0.25), (2 / 3, 1 / 3, 0.25)]
    cell = [2.46 * scale, 2.46 * scale, height, np.pi / 2, np.pi / 2, 2 * np.pi / 3]
    return Crystals.build([1], [cell], [[(6, 0, p) for p in points]])


@pytest.mark.parametrize(
    ("crystal", "reason", "published"),
    [
        (_graphene(), "", True),
        (_graphene(scale=1.005), "", True),
        (_graphene(scale=1.15), "", True),
        (_graphene(scale=1.3), "too few bonds", True),
        (_graphene(scale=1.4), "too few bonds", False),
        (_graphene(height=1.6), "too many bonds", False),
        (_graphene(height=1.8), "atom in the gap", False),
        (_graphene(scale=0.85), "bond too short", True),
        (_graphene(height=0.9), "overlapping atoms", False),
    ],
)
def test_reasons(crystal: Crystals, reason: str, published: bool) -> None:
    verdict = judge(crystal, SP2)
    assert (verdict.reason[0], bool(verdict.valid[0])) == (reason, reason == "")
    assert bool(verdict.published[0]) is published


def test_a_large_loss_is_no_reason() -> None:
    verdict = judge(_graphene(scale=1.18), SP2)
    assert verdict.loss[0] > 20 and verdict.valid[0]


@pytest.mark.parametrize("seed", [0, 1, 4])
def test_the_loss_is_a_mean_over_atoms_not_over_sites(seed: int) -> None:
    """Sites of different multiplicities weigh as many atoms as they are: in P1 each atom is a site."""
    written = random_crystals(1, seed=seed, groups=[164], max_sites=3)
    assert len(set(written.multiplicity)) > 1
    whole = Crystals.build([1], written.cell, [[(6, 0, point) for point in written.atoms().fractional]])
    assert judge(written, SP2).loss[0] == pytest.approx(judge(whole, SP2).loss[0], rel=1e-9)


def test_an_impossible_cell_does_not_disturb_its_neighbours_in_the_batch() -> None:
    pair = Crystals.concatenate([_graphene(), _graphene(), _graphene()])
    broken = dataclasses.replace(pair, cell=pair.cell.copy())
    broken.cell[1, 3:] = np.radians([20, 20, 160])
    verdict = judge(broken, SP2)
    assert verdict.reason.tolist() == ["", "impossible cell", ""]
    assert verdict.loss[0] == verdict.loss[2]
