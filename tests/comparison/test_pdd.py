"""Distance distributions: invariance, continuity, and agreement with brute force and with SciPy's linear programme."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import linprog

from legocryst.comparison.novelty import SHIPPED, Known, novelty, signature
from legocryst.comparison.pdd import NEIGHBORS, _carried, _clouds, _cost, amds, distance, pdds
from legocryst.crystal.crystals import Crystals
from legocryst.crystal.io.table import decode
from legocryst.crystal.symmetry.wyckoff import wyckoff
from legocryst.environment.target_library import target
from legocryst.stages.curate import known, shipped
from tests.descriptions import crystal_rewritten, larger_cell

TARGET = target("sp2-carbon")


@pytest.fixture(scope="module")
def crystals() -> Crystals:
    table = shipped("sp2-carbon")
    return decode(table[table["atoms"] <= 20].iloc[::5], element=6).crystals


def by_brute_force(crystal: Crystals) -> np.ndarray:
    """Rows (a, NEIGHBORS) of all atoms, in angstrom, from every image within six cells."""
    points = crystal.atoms().fractional
    images = np.stack(np.meshgrid(*[np.arange(-6, 7)] * 3), axis=-1).reshape(-1, 1, 3)
    every = (images + points).reshape(-1, 3) @ crystal.lattice[0]
    centres = points @ crystal.lattice[0]
    return np.sort(np.linalg.norm(every[None] - centres[:, None], axis=2), axis=1)[:, 1 : NEIGHBORS + 1]


def test_simple_cubic_lattice() -> None:
    right, last = np.pi / 2, len(list(wyckoff().positions(221))) - 1
    cube = Crystals.build([221], np.array([[1.5] * 3 + [right] * 3]), [[(6, last, (0.0, 0.0, 0.0))]])
    (invariants,) = pdds(cube, TARGET)
    squares = np.repeat([1, 2, 3, 4, 5, 6, 8], [6, 12, 8, 6, 24, 24, 12])  # sums of three squares, and how often
    assert invariants.rows.shape == (1, NEIGHBORS)
    np.testing.assert_allclose(invariants.rows[0, : len(squares)], TARGET.bond * np.sqrt(squares), atol=1e-6)


def test_brute_force_agrees(crystals: Crystals) -> None:
    seen = 0
    for k, invariants in enumerate(pdds(crystals, TARGET)):
        clouds, scale = _clouds(crystals.take([k]), TARGET)
        if next(clouds)[-1] < 3:  # layers, without their stacking: see below
            continue
        expected = np.unique(np.round(by_brute_force(crystals.take([k])) * scale, 5), axis=0)
        assert all(np.abs(invariants.rows - row).max(axis=1).min() < 2e-5 for row in expected)
        assert all(np.abs(expected - row).max(axis=1).min() < 2e-5 for row in invariants.rows)
        seen += 1
    assert seen >= 5


def test_cell_origin_order_and_supercell_do_not_count(crystals: Crystals) -> None:
    rng = np.random.default_rng(0)
    for k, invariants in enumerate(pdds(crystals, TARGET)):
        for cells in (1, 3):
            other = crystal_rewritten(crystals.take([k]), larger_cell(cells, 3, rng), rng, noise=0.0)
            (again,) = pdds(other, TARGET)
            assert distance(invariants, again) < 5e-6


def test_scale_and_mirror_images_do_not_count(crystals: Crystals) -> None:
    factor = np.array([1.03] * 3 + [1.0] * 3)
    for k, invariants in enumerate(pdds(crystals, TARGET)):
        one = crystals.take([k])
        atoms = one.atoms()
        mirror = Crystals.build([1], one.cell, [[(6, 0, -x) for x in atoms.fractional]])
        for other in (replace(one, cell=one.cell * factor), mirror):
            assert distance(invariants, pdds(other, TARGET)[0]) < 5e-6


def test_stacking_of_layers_does_not_count() -> None:
    table = shipped("sp2-carbon")
    graphite = TARGET.reference.crystals()
    a = graphite.cell[0, 0]
    apart = replace(graphite, cell=graphite.cell * np.array([1, 1, 1.7, 1, 1, 1]))
    sheet = [(6, 0, (0.1, 0.2, 0.5)), (6, 0, (0.1 + 1 / 3, 0.2 + 2 / 3, 0.5))]
    single = Crystals.build([1], np.array([[a, a, 9.0, np.pi / 2, np.pi / 2, 2 * np.pi / 3]]), [sheet])
    hcb = decode(table[table["name"] == "hcb"].reset_index(drop=True), element=6).crystals
    invariants = pdds(Crystals.concatenate([graphite, apart, single, hcb]), TARGET)
    assert max(distance(invariants[0], other) for other in invariants[1:]) < 1e-5
    assert invariants[0].rows[0, 0] == pytest.approx(TARGET.bond) and len(invariants[0].rows) == 1


def test_atoms_that_move_a_little_change_it_little(crystals: Crystals) -> None:
    """By at most twice the move, beside what the mean bond length changes."""
    rng = np.random.default_rng(1)
    before = pdds(crystals, TARGET)
    for k, result in enumerate(before):
        one = crystals.take([k])
        plain = crystal_rewritten(one, np.eye(3, dtype=int), rng, noise=0.0)
        for most in (0.001, 0.01, 0.03):
            step = rng.normal(size=plain.coordinates.shape)
            step *= most / np.linalg.norm(step, axis=1, keepdims=True)
            moved = replace(plain, coordinates=plain.coordinates + step @ np.linalg.inv(plain.lattice[0]))
            scales = [_clouds(crystal, TARGET)[1] for crystal in (plain, moved)]
            slack = abs(scales[1] / scales[0] - 1) * result.rows.max()
            apart = distance(result, pdds(moved, TARGET)[0])
            assert 0 < apart <= 2 * most * max(scales) + slack + 1e-5


def test_linear_programme_agrees() -> None:
    rng = np.random.default_rng(2)
    for _ in range(20):
        r, s = rng.integers(1, 7, 2)
        cost, supply = rng.random((r, s)), rng.integers(1, 9, r)
        demand = rng.multinomial(supply.sum() - s, np.ones(s) / s) + 1 if supply.sum() >= s else None
        if demand is None:
            continue
        rows = [np.repeat(np.eye(r)[i], s) for i in range(r)] + [np.tile(np.eye(s)[j], r) for j in range(s)]
        best = linprog(cost.ravel(), A_eq=np.array(rows), b_eq=np.concatenate([supply, demand]))
        assert _carried(cost, supply, demand) == pytest.approx(best.fun, abs=1e-9)


def test_it_is_a_distance_and_averages_are_never_farther(crystals: Crystals) -> None:
    invariants = pdds(crystals, TARGET)
    apart = np.array([[distance(one, other) for other in invariants] for one in invariants])
    assert (np.diag(apart) == 0).all() and np.allclose(apart, apart.T)
    assert (apart[np.triu_indices(len(invariants), 1)] > 0.05).all()  # they are of different nets
    assert all((apart <= apart[:, [k]] + apart[[k]] + 1e-9).all() for k in range(len(apart)))
    averages = amds(invariants)
    assert (np.abs(averages[:, None] - averages).max(axis=2) <= apart + 1e-9).all()
    assert _cost(invariants[0].rows, invariants[0].rows).diagonal().max() == 0


def test_nearest_is_that_of_all(crystals: Crystals) -> None:
    every = known(shipped("sp2-carbon"), TARGET, of_set=SHIPPED)
    rng = np.random.default_rng(3)
    for k in range(0, len(crystals), 3):
        one = crystal_rewritten(crystals.take([k]), larger_cell(2, 3, rng), rng, noise=0.3)
        (pdd,) = pdds(one, TARGET)
        apart = sorted((distance(pdd, other), number) for number, other in enumerate(every.pdds))
        assert every.nearest(pdd, most=4) == apart[:4]
    assert Known.none().nearest(pdd) == []


def test_what_is_known_survives_a_file(tmp_path: Path, crystals: Crystals) -> None:
    names = ["a", ""] + ["b"] * (len(crystals) - 2)
    kept = Known.of(crystals, TARGET, names=names, keys=names, of_set=SHIPPED)
    kept.write(tmp_path / "known.parquet")
    again = Known.read(tmp_path / "known.parquet")
    assert again.names == kept.names and again.names[1] == "crystal 1" and again.sets == [SHIPPED] * len(crystals)
    assert all(distance(one, other) == 0 for one, other in zip(kept.pdds, again.pdds, strict=True))
    assert len(kept + again) == 2 * len(crystals) and len(signature(kept.pdds[0])) == 20


def test_novelty_in_order() -> None:
    sets = {"training set": {"a"}, "reference set": {"a", "b"}}
    assert novelty("a", "", sets) == "in training set" and novelty("b", "srs", sets) == "in reference set"
    assert novelty("c", "srs", sets) == "known net" and novelty("c", "", sets) == "new"
