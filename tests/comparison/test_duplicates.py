"""Duplicates: distorted copies come together, different nets stay apart, each with its reason."""

import numpy as np

from legocryst.comparison.duplicates import TOLERANCE, duplicates, grouped, reason
from legocryst.comparison.pdd import distance, pdds
from legocryst.crystal.crystals import Crystals
from legocryst.crystal.io.table import decode
from legocryst.environment.target_library import target
from legocryst.stages.curate import shipped
from legocryst.topology.nets import nets
from tests.descriptions import crystal_rewritten, larger_cell

TARGET = target("sp2-carbon")


def named(*names: str) -> Crystals:
    table = shipped("sp2-carbon").set_index("name").loc[list(names)].reset_index()
    return decode(table, element=6).crystals


def test_copies_come_together() -> None:
    rng = np.random.default_rng(0)
    few = named("srs", "hcb", "lig", "ths")
    copies = [crystal_rewritten(few.take([k % 4]), larger_cell(1 + k % 3, 3, rng), rng, noise=0.02) for k in range(12)]
    groups = duplicates(Crystals.concatenate([few, *copies]), TARGET)
    assert [(one.crystal, one.same_as) for one in groups] == [(k, k % 4) for k in range(4, 16)]
    assert all(one.reason.startswith("same net, same geometry (0.0") for one in groups)


def test_nearly_equal_distances_of_other_nets_are_told_apart() -> None:
    pair = named("bpc", "bpl")
    assert distance(*pdds(pair, TARGET)) < TOLERANCE
    assert duplicates(pair, TARGET) == []


def test_a_bond_at_the_limit_makes_no_other_crystal() -> None:
    """With keys that differ the distances decide, and StructureMatcher confirms."""
    rng = np.random.default_rng(1)
    one = named("lig")
    both = Crystals.concatenate([one, crystal_rewritten(one, larger_cell(2, 3, rng), rng, noise=0.02)])
    (invariants,) = grouped(["a", "b"], pdds(both, TARGET), both)
    assert (invariants.crystal, invariants.same_as) == (1, 0)
    assert (
        invariants.reason.startswith("another net, same geometry (0.0")
        and "StructureMatcher agrees" in invariants.reason
    )


def test_same_net_of_another_shape() -> None:
    one = named("lig")
    wider = Crystals(one.group, one.cell * [1.1, 1.1, 0.9, 1, 1, 1], *[getattr(one, name) for name in REST])
    both = Crystals.concatenate([one, wider])
    assert len({net.key for net in nets(both, cutoff=TARGET.bond_window[1])}) == 1
    (groups,) = duplicates(both, TARGET)
    assert groups.reason.startswith("same net, another geometry (0.")
    assert duplicates(Crystals.concatenate([]), TARGET) == []


REST = ("first_site", "species", "position", "coordinates")


def test_reasons() -> None:
    near, far = TOLERANCE / 2, TOLERANCE * 2
    assert reason(far, same_net=False) == "another net (0.30 Å apart)"
    assert "does not agree" in reason(near, same_net=False, matched=False)
    assert "not asked" in reason(near, same_net=False)
