"""Traits: the same for every description of a crystal, and what twist says of known environments."""

import numpy as np
import pytest

from legocryst.active_learning.crystal_features import GROUPS, crystal_features
from legocryst.crystal.crystals import Crystals
from legocryst.crystal.io.structures import to_structure
from legocryst.crystal.io.table import decode
from legocryst.environment.target_library import target
from legocryst.stages.curate import shipped

CARBON = target("sp2-carbon")
TWIST = GROUPS[3]


def test_no_trait_depends_on_cell_and_origin() -> None:
    crystals = decode(shipped("sp2-carbon").iloc[:6], element=6).crystals
    for k in range(len(crystals)):
        larger = to_structure(crystals.take([k])).copy()
        larger.make_supercell([[1, 1, 0], [0, 1, 0], [0, 0, 2]])
        larger.translate_sites(range(len(larger)), [0.13, 0.29, 0.37])
        plain = Crystals.build(
            [1],
            [[*larger.lattice.abc, *np.radians(larger.lattice.angles)]],
            [[(6, 0, site.frac_coords.tolist()) for site in larger]],
        )
        np.testing.assert_allclose(
            crystal_features(plain, CARBON), crystal_features(crystals.take([k]), CARBON), atol=1e-6
        )


def test_flat_layers_are_not_twisted_and_diamond_is_staggered() -> None:
    graphite, diamond = (target(name) for name in ("sp2-carbon", "sp3-carbon"))
    flat = crystal_features(graphite.reference.crystals(), graphite)[0]
    assert flat[TWIST] == pytest.approx([1, 0, 1, 1], abs=1e-9)
    assert flat[GROUPS[1]] == pytest.approx([2.46 / 3**0.5 / 1.42 - 1, 0, *[2.46 / 3**0.5 / 1.42 - 1] * 2], abs=1e-9)
    assert crystal_features(diamond.reference.crystals(), diamond)[0][TWIST] == pytest.approx([-1, 0, -1, -1], abs=1e-9)


def test_no_traits_without_the_wanted_bonds() -> None:
    pair = Crystals.concatenate([target(name).reference.crystals() for name in ("sp3-carbon", "sp2-carbon")])
    assert np.isnan(crystal_features(pair, CARBON)).all(axis=1).tolist() == [True, False]
    assert crystal_features(pair.take(slice(0)), CARBON).shape == (0, GROUPS[-1].stop)
