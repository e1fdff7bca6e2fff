import numpy as np
import pytest
from pymatgen.analysis.structure_matcher import StructureMatcher

from legocryst.crystal.files import to_structure
from legocryst.crystal.representation import Crystals
from legocryst.crystal.subgroups import prove, subgroups
from legocryst.crystal.variants import equivalent_points, origins, polar_axes, variants
from legocryst.crystal.wyckoff import wyckoff
from tests.crystals_at_random import random_crystals


@pytest.mark.parametrize(
    ("group", "count"),
    # International Tables A, 15.2: translations of the Euclidean normaliser modulo the group's own.
    [(2, 8), (5, 2), (14, 8), (15, 4), (16, 8), (22, 4), (47, 8), (99, 2), (123, 4), (143, 3), (146, 1), (150, 2),
     (166, 2), (191, 2), (194, 2), (196, 4), (206, 1), (216, 4), (221, 2), (225, 2), (227, 2), (229, 1), (230, 1)],
)  # fmt: skip
def test_number_of_equivalent_origins(group: int, count: int) -> None:
    assert len(origins(group)) == count and not origins(group)[0].any()


def test_polar_axes() -> None:
    assert polar_axes(1).all() and not polar_axes(2).any()
    assert polar_axes(4).tolist() == [False, True, False] and polar_axes(8).tolist() == [True, False, True]
    for group in (33, 99, 146, 160, 186):
        assert polar_axes(group).tolist() == [False, False, True]
    assert not polar_axes(216).any()


def test_equivalent_points() -> None:
    def of(group: int, letter: str) -> int:
        (k,) = (k for k in wyckoff().positions(group) if wyckoff().letter[k] == letter)
        return len(equivalent_points(k))

    assert of(225, "l") == 192 and of(225, "a") == 1
    assert of(2, "i") == 2 and of(191, "e") == 2  # (0, 0, z) and (0, 0, -z)
    assert of(194, "h") == 1, "(x, 2x, 1/4): the others lie on other lines"


def test_variants_are_the_crystal() -> None:
    matcher, rng = StructureMatcher(scale=False), np.random.default_rng(0)
    for group in range(1, 231, 11):
        crystals = random_crystals(1, seed=group, groups=[group], max_sites=3, max_atoms=96)
        drawn, shift = variants(crystals, 0, 8, rng=rng)
        prove(crystals, subgroups(group)[0], drawn, shift)
        assert len(drawn) == 8 and (drawn.group == group).all() and (drawn.site_count == crystals.site_count[0]).all()
        ordered = drawn.position.reshape(8, -1)
        assert (np.diff(ordered, axis=1) >= 0).all()
        if crystals.atom_count[0] <= 12:
            assert matcher.fit(to_structure(crystals), to_structure(drawn, 7))


def test_the_first_site_is_the_origin_along_polar_axes() -> None:
    crystals = random_crystals(5, seed=2, groups=[33, 160, 186], max_sites=3)
    for k in range(5):
        drawn, _ = variants(crystals, k, 6, rng=np.random.default_rng(k))
        assert np.allclose(drawn.coordinates[drawn.first_site[:-1], 2], 0)


def test_variants_differ_and_repeat_from_their_seed() -> None:
    crystals = Crystals.build([47], [[4, 5, 6, *[np.pi / 2] * 3]], [[(6, 0, (0.1, 0.2, 0.3))]])
    first, _ = variants(crystals, 0, 400, rng=np.random.default_rng(3))
    again, _ = variants(crystals, 0, 400, rng=np.random.default_rng(3))
    assert np.array_equal(first.coordinates, again.coordinates)
    # 8 origins and 8 points of the orbit; each coordinate takes four values.
    assert len(np.unique(first.coordinates.round(6), axis=0)) == 64
