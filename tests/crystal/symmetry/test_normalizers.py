import json
from pathlib import Path

import numpy as np
import pytest
import pyxtal

from legocryst.crystal.symmetry.normalizers import Ways, all_ways, improper, polar_axes, shears
from legocryst.crystal.symmetry.wyckoff import N_GROUPS, wyckoff
from tests.crystal.by_spglib import operation_set


def ways(group: int) -> Ways:
    first, every = all_ways()
    own = slice(first[group], first[group + 1])
    return Ways(every.target[own], every.W[own], every.w[own])


def test_every_way_leads_to_the_operations_of_its_target() -> None:
    for group in range(1, N_GROUPS + 1):
        rotation, translation = wyckoff().general(group)
        for equivalent in (ways(group), shears(group)):
            for target, W, w in zip(equivalent.target, equivalent.W, equivalent.w, strict=True):
                inverse = np.linalg.inv(W)
                moved = (rotation @ w + translation - w) @ inverse.T
                assert operation_set(inverse @ rotation @ W, moved) == operation_set(*wyckoff().general(int(target)))


def test_the_group_as_it_is_comes_first_and_no_way_twice() -> None:
    for group in range(1, N_GROUPS + 1):
        equivalent = ways(group)
        assert (
            equivalent.target[0] == group and np.array_equal(equivalent.W[0], np.eye(3)) and not equivalent.w[0].any()
        )
        assert len({(W.tobytes(), w.tobytes()) for W, w in zip(equivalent.W, equivalent.w, strict=True)}) == len(
            equivalent.W
        )


def test_as_many_ways_as_cosets_of_the_normaliser_in_pyxtals_table() -> None:
    # The table is that of the Bilbao Crystallographic Server. Triclinic and monoclinic groups, whose affine normalisers
    # are infinite, have more ways here: any order and sense of the axes.
    table = json.loads((Path(pyxtal.__file__).parent / "database" / "wyckoff_sets.json").read_text())
    for group in range(16, N_GROUPS + 1):
        own = ways(group).target == group
        assert own.sum() == len(table[str(group)]["Coset Representative"]), group


@pytest.mark.parametrize(
    ("group", "count"),
    # International Tables A, 15.2: translations of the Euclidean normaliser modulo the group's own.
    [(2, 8), (5, 2), (14, 8), (15, 4), (16, 8), (22, 4), (47, 8), (99, 2), (123, 4), (143, 3), (146, 1), (150, 2),
     (166, 2), (191, 2), (194, 2), (196, 4), (206, 1), (216, 4), (221, 2), (225, 2), (227, 2), (229, 1), (230, 1)],
)  # fmt: skip
def test_number_of_equivalent_origins(group: int, count: int) -> None:
    equivalent = ways(group)
    assert (np.abs(equivalent.W - np.eye(3)).max(axis=(1, 2)) == 0).sum() == count


def test_axes_of_pmmm_are_exchanged_and_those_of_pnma_are_not() -> None:
    assert len({W.tobytes() for W in np.abs(ways(47).W)}) == 6
    assert len({W.tobytes() for W in np.abs(ways(62).W)}) == 1


def test_enantiomorphic_partners() -> None:
    for group, partner in ((76, 78), (92, 96), (144, 145), (169, 170), (181, 180), (213, 212)):
        equivalent = ways(group)
        hand = np.linalg.det(equivalent.W) > 0
        assert set(equivalent.target[hand]) == {group} and set(equivalent.target[~hand]) == {partner}
    assert (np.linalg.det(ways(19).W) < 0).any(), "the mirror image of P212121 is P212121"
    assert (np.linalg.det(ways(225).W) > 0).all(), "Fm-3m has reflections itself"


def test_improper_operations() -> None:
    assert improper(19) is None and improper(152) is None
    rotation, _ = improper(194) or (np.eye(3), None)
    assert np.linalg.det(rotation) == pytest.approx(-1)
    assert sum(improper(group) is None for group in range(1, N_GROUPS + 1)) == 65, "the Sohncke groups"


def test_polar_axes() -> None:
    assert polar_axes(1).all() and not polar_axes(2).any()
    assert polar_axes(4).tolist() == [False, True, False] and polar_axes(8).tolist() == [True, False, True]
    for group in (33, 99, 146, 160, 186):
        assert polar_axes(group).tolist() == [False, False, True]
    assert not polar_axes(216).any()
