from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import spglib
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Structure

from legocryst.crystal.crystals import Crystals
from legocryst.crystal.io.structures import to_structure
from legocryst.crystal.symmetry.normalizers import all_ways, polar_axes
from legocryst.crystal.symmetry.redescription import Descriptions, deviations, redescribed, row_keys, written
from legocryst.crystal.symmetry.subgroups import Subgroups, subgroups
from legocryst.crystal.symmetry.wyckoff import N_GROUPS, wyckoff
from tests.crystals_at_random import random_crystals, separated_crystal

RIGHT, HEX = np.pi / 2, 2 * np.pi / 3
GRAPHITE = Crystals.build([194], [[2.46, 2.46, 6.7, RIGHT, RIGHT, HEX]],
                          [[(6, 10, (0, 0, 0.25)), (6, 9, (1 / 3, 2 / 3, 0.25))]])  # fmt: skip
DIAMOND = Crystals.build([227], [[3.567] * 3 + [RIGHT] * 3], [[(6, 8, (0.125, 0.125, 0.125))]])


def in_group(crystal: Crystals, group: int, *, k_index: int = 1) -> tuple[Crystals, Subgroups]:
    """A crystal in all its subgroups of one type and index of the translations."""
    table = subgroups(int(crystal.group[0]))
    chosen = table.take((table.group == group) & (table.k_index == k_index))
    return written(crystal, chosen, max_sites=200, max_atoms=10**4)


def as_written(crystals: Crystals, table: Subgroups) -> Descriptions:
    return Descriptions(crystals, np.zeros(len(crystals), np.int64), table.P, table.p)


def drawn(crystal: Crystals, n: int, *, seed: int, most_atoms: int = 200) -> Descriptions:
    """n random descriptions of a crystal in random subgroups."""
    rng = np.random.default_rng(seed)
    every = subgroups(int(crystal.group[0]))
    some = every.take(np.r_[0, rng.choice(len(every), min(n, len(every)), replace=False)])
    crystals, table = written(crystal, some, max_sites=200, max_atoms=most_atoms)
    which = rng.integers(len(table), size=n)
    way = (rng.random(n) * np.diff(all_ways()[0])[table.group[which]]).astype(int)
    return redescribed(crystals, table, which, way, rng.random((n, int(crystals.site_count.max()))))


def smallest(crystals: Crystals, i: int) -> Structure:
    """The primitive cell as spglib finds it; pymatgen's own search takes atoms 0.25 angstrom apart for one."""
    structure = to_structure(crystals, i)
    cell: Any = (structure.lattice.matrix, structure.frac_coords, structure.atomic_numbers)
    dataset: Any = spglib.find_primitive(cell, symprec=1e-4)
    return Structure(dataset[0], dataset[2].tolist(), dataset[1])


def test_diamond_becomes_zincblende() -> None:
    crystals, result = in_group(DIAMOND, 216)
    assert result.index.tolist() == [2] and crystals.multiplicity.tolist() == [4, 4]
    assert crystals.cell[0] == pytest.approx(DIAMOND.cell[0])


def test_graphite_in_orthorhombic_axes() -> None:
    crystals, _ = in_group(GRAPHITE, 63)
    assert sorted(crystals.cell[0, :3]) == pytest.approx(sorted([2.46, 2.46 * 3**0.5, 6.7]))
    assert crystals.atom_count[0] == 8
    assert StructureMatcher(scale=False).fit(to_structure(GRAPHITE), to_structure(crystals))


def test_a_klassengleiche_subgroup_has_a_larger_cell() -> None:
    crystals, result = in_group(GRAPHITE, 194, k_index=3)
    assert len(result) == 1 and crystals.atom_count.tolist() == [12] and crystals.cell[0, 2] == pytest.approx(3 * 6.7)
    double, _ = in_group(GRAPHITE, 194, k_index=4)
    assert (double.atom_count == 16).all() and np.allclose(double.cell[:, 0], 2 * 2.46)


def test_each_row_is_its_crystal_in_all_230_groups() -> None:
    """A property of every description; beside our own proof pymatgen's StructureMatcher judges one row a group."""
    matcher, matched, proved = StructureMatcher(scale=False, primitive_cell=False), 0, 0
    for group in range(1, N_GROUPS + 1):
        crystal = separated_crystal(group, max_atoms=24)
        rows = drawn(crystal, 40, seed=group)
        proved += int((deviations(crystal, rows) < 1e-9).sum())
        matched += matcher.fit(smallest(crystal, 0), smallest(rows.crystals, group % 40))
    assert proved == 40 * N_GROUPS and matched == N_GROUPS


def test_all_positions_of_all_groups_are_proved_in_all_subgroups() -> None:
    done = 0
    for group in range(1, N_GROUPS + 1, 2):
        crystal = random_crystals(1, seed=group, groups=[group], max_sites=3, max_atoms=300)
        crystals, table = written(crystal, subgroups(group), max_sites=100, max_atoms=400)
        assert (deviations(crystal, as_written(crystals, table)) < 1e-9).all(), group
        done += len(crystals)
    assert done > 10_000


def test_sites_are_in_order_and_the_first_is_the_origin_along_polar_axes() -> None:
    for group in (33, 62, 160, 186):
        rows = drawn(random_crystals(1, seed=2, groups=[group], max_sites=3), 60, seed=group).crystals
        for k in range(len(rows)):
            sites = slice(rows.first_site[k], rows.first_site[k + 1])
            assert (np.diff(rows.position[sites]) >= 0).all()
            polar = polar_axes(int(rows.group[k]))
            assert np.allclose(rows.coordinates[sites.start][polar], 0)
        assert rows.coordinates.min() >= 0 and rows.coordinates.max() < 1


def test_points_and_origins_of_pmmm() -> None:
    # 8 origins, 6 orders of the axes, 8 points of the orbit: each coordinate takes 4 values on each of 6 cells.
    crystal = Crystals.build([47], [[4, 5, 6, RIGHT, RIGHT, RIGHT]], [[(6, 0, (0.1, 0.2, 0.3))]])
    crystals, table = written(crystal, subgroups(47).take([0]), max_sites=8, max_atoms=500)
    rng = np.random.default_rng(3)
    rows = redescribed(crystals, table, np.zeros(6000, int), rng.integers(48, size=6000), rng.random((6000, 1)))
    assert len(set(row_keys(rows.crystals))) == 6 * 64
    assert (deviations(crystal, rows) < 1e-9).all()


def test_only_a_chiral_crystal_has_a_mirror_image() -> None:
    quartz = random_crystals(1, seed=1, groups=[152], max_sites=2, max_atoms=24)
    crystals, table = written(quartz, subgroups(152).take([0]), max_sites=8, max_atoms=500)
    rng = np.random.default_rng(0)
    way = rng.integers(np.diff(all_ways()[0])[152], size=200)
    rows = redescribed(crystals, table, np.zeros(200, int), way, rng.random((200, 2)))
    mirrored = np.linalg.det(rows.P) < 0
    assert 40 < mirrored.sum() < 160 and (deviations(quartz, rows) < 1e-9).all()
    assert not mirrored[rows.crystals.group == 152].any() and mirrored[rows.crystals.group == 154].all()
    assert (np.linalg.det(drawn(DIAMOND, 200, seed=0).P) > 0).all()


def test_crystals_beyond_the_limits_are_left_out() -> None:
    crystal = random_crystals(1, seed=5, groups=[139], max_sites=2, max_atoms=64)
    crystals, table = written(crystal, subgroups(139), max_sites=4, max_atoms=70)
    assert 0 < len(table) < len(subgroups(139))
    assert crystals.site_count.max() <= 4 and crystals.atom_count.max() <= 70


def test_another_groups_subgroups_are_refused() -> None:
    with pytest.raises(ValueError, match="those of group 227, and the crystal has 194"):
        written(GRAPHITE, subgroups(227), max_sites=8, max_atoms=500)


def test_atoms_that_coincide_are_refused() -> None:
    twice = Crystals.build([47], [[4, 5, 6, RIGHT, RIGHT, RIGHT]], [[(6, 0, (0.1, 0.2, 0.0))]])
    with pytest.raises(ValueError, match="two of its atoms coincide, or one stands on a more special"):
        written(twice, subgroups(47), max_sites=8, max_atoms=500)


@pytest.mark.parametrize("what", ["coordinates", "cell", "species", "p", "P", "source"])
def test_what_is_not_the_source_is_noticed(what: str) -> None:
    both = Crystals.concatenate([GRAPHITE, DIAMOND])
    rows = drawn(GRAPHITE, 30, seed=4)
    assert (deviations(both, rows) < 1e-9).all()
    crystals = rows.crystals
    free = wyckoff().free[crystals.position_id]
    moved = np.bincount(crystals.crystal_of_site, weights=free.any(axis=1), minlength=len(rows.source)) > 0
    other = {
        "coordinates": replace(crystals, coordinates=crystals.coordinates + 1e-3 * free),
        "cell": replace(crystals, cell=crystals.cell * 1.001),
        "species": replace(crystals, species=np.where(np.arange(len(crystals.species)) == 0, 7, crystals.species)),
    }
    changed = {
        "p": replace(rows, p=rows.p + 0.01),
        "P": replace(rows, P=2 * rows.P),
        "source": replace(rows, source=rows.source + 1),
    }.get(what) or replace(rows, crystals=other[what])
    result = deviations(both, changed)
    expected = {"coordinates": moved, "species": np.arange(30) == 0}.get(what, np.ones(30, bool))
    assert expected.any() and np.isinf(result[expected]).all()
    if what == "coordinates":
        assert np.isfinite(deviations(both, changed, most=0.1)).all(), "a wider limit tells how far it is"
