import numpy as np
import pytest

from legocryst.crystal.io.table import decode, encode
from legocryst.environment.target_library import target
from legocryst.environment.validity import judge
from legocryst.infra.run_context import RunContext
from legocryst.settings import AugmentSettings
from legocryst.stages.augment import DESCRIPTION, augment
from legocryst.stages.curate import shipped
from legocryst.stages.variants import MOVED, perturbed
from legocryst.topology.nets import nets

SP2 = target("sp2-carbon")

SEEDS = shipped("sp2-carbon").query("atoms <= 24").head(5).reset_index(drop=True)


def test_variants_are_valid_crystals_near_their_source_in_their_subgroup() -> None:
    exact, moved = (augment(SEEDS, SP2, AugmentSettings(rows=150, variants=variants)) for variants in (False, True))
    table, expected = moved.table, SP2
    assert table["variant"].all() and len(table) + sum(moved.lost.values()) == len(exact.table)
    assert len(table) > 75 and all(moved.lost)
    crystals = decode(table, mode="strict", element=6).crystals
    assert judge(crystals, expected).valid.all()
    assert table["deviation"].max() < MOVED and table["deviation"].max() > 1e-4
    assert not table.drop(columns=list(DESCRIPTION)).round(6).duplicated().any()
    keys = [net.key for net in nets(crystals, cutoff=expected.bond_window[1])]
    assert np.mean(np.array(keys) == SEEDS["net_key"].to_numpy()[table["label"]]) > 0.95


def test_variants_repeat_from_their_seed() -> None:
    settings = AugmentSettings(rows=20, variants=True)
    one, again = (augment(SEEDS, SP2, settings, RunContext(seed=4)).table for _ in range(2))
    assert one.equals(again)


@pytest.mark.parametrize("size", [0.0, 5e-4, 0.02])
def test_a_perturbation_is_bounded_and_keeps_the_symmetry(size: float) -> None:
    crystals = decode(SEEDS, element=6).crystals
    moved = perturbed(crystals, size, np.random.default_rng(0))
    change = moved.coordinates - crystals.coordinates
    assert np.abs(change - np.rint(change)).max() <= 2 * size + 1e-12  # (x, 2x, z) moves twice as far along b
    assert np.abs(moved.cell / crystals.cell - 1).max() <= size + 1e-12
    assert (np.abs(moved.cell / crystals.cell - 1).max() > 0.2 * size) or size == 0
    assert decode(encode(moved), mode="strict", element=6).shift.max() < 1e-9
