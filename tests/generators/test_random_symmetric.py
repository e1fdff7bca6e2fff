import numpy as np
import pandas as pd
import pytest

from legocryst.crystal import cell as cells
from legocryst.crystal.crystals import Crystals
from legocryst.crystal.symmetry.wyckoff import wyckoff
from legocryst.generators.random_symmetric import RandomSymmetric, random_cells
from legocryst.settings import TrainSettings


@pytest.fixture(scope="module")
def yardstick(one_crystal: pd.DataFrame) -> RandomSymmetric:
    return RandomSymmetric(volume_per_atom=(6.0, 12.0)).fit(one_crystal, TrainSettings())


@pytest.fixture(scope="module")
def rows(yardstick: RandomSymmetric) -> pd.DataFrame:
    return yardstick.sample(3000, seed=0)


def crystals_of(rows: pd.DataFrame) -> Crystals:
    sites = [
        [(6, int(row[f"wp{i}"]), (row[f"x{i}"], row[f"y{i}"], row[f"z{i}"])) for i in range(8) if row[f"wp{i}"] >= 0]
        for row in rows.to_dict("records")
    ]
    return Crystals.build(rows["spg"].to_numpy(), rows[["a", "b", "c", "alpha", "beta", "gamma"]].to_numpy(), sites)


def test_rows_are_crystals_with_the_promised_limits(rows: pd.DataFrame) -> None:
    crystals = crystals_of(rows)
    assert crystals.site_count.min() >= 1 and crystals.site_count.max() <= 5
    assert crystals.atom_count.max() <= 128
    volume = cells.volume(crystals.cell) / crystals.atom_count
    assert volume.min() > 6 - 1e-6 and volume.max() < 12 + 1e-6
    assert np.allclose(cells.symmetrized(crystals.group, crystals.cell), crystals.cell)
    assert len(np.unique(crystals.group)) > 220


def test_points_lie_on_their_positions(rows: pd.DataFrame) -> None:
    crystals, table = crystals_of(rows), wyckoff()
    first = table.op_first[crystals.position_id]
    moved = np.einsum("sij,sj->si", table.rotation[first], crystals.coordinates) + table.translation[first]
    shift = moved - crystals.coordinates
    assert np.abs(shift - shift.round()).max() < 1e-9


def test_fixed_positions_are_used_once(rows: pd.DataFrame) -> None:
    crystals, table = crystals_of(rows), wyckoff()
    fixed = ~table.free[crystals.position_id].any(axis=1)
    pairs = np.stack([crystals.crystal_of_site, crystals.position], axis=1)[fixed]
    assert len(np.unique(pairs, axis=0)) == len(pairs) > 100


def test_spglib_finds_the_group_or_a_supergroup(rows: pd.DataFrame) -> None:
    import spglib

    crystals = crystals_of(rows)
    general = np.bincount(crystals.crystal_of_site, crystals.position == 0)
    for k in np.flatnonzero((general >= 2) & (crystals.atom_count < 80))[:60]:
        one = crystals.take([k])
        atoms = one.atoms()
        cell = (one.lattice[0], atoms.fractional, atoms.species)
        dataset = spglib.get_symmetry_dataset(cell, symprec=1e-5)  # type: ignore[arg-type]
        assert dataset is not None and dataset.number == one.group[0]


def test_volume_range_of_the_table_is_the_default(one_crystal: pd.DataFrame) -> None:
    fitted = RandomSymmetric().fit(one_crystal, TrainSettings())
    graphite = 2.46**2 * np.sqrt(3) / 2 * 6.7 / 4
    assert fitted.describe()["volume_per_atom"] == pytest.approx([graphite, graphite])


def test_cells_of_every_system_are_possible() -> None:
    group = np.arange(1, 231)
    volume = cells.volume(random_cells(group, np.full(230, 50.0), np.random.default_rng(0)))
    assert np.allclose(volume, 50.0)
