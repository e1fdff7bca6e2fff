"""Free variables of rows: there and back, whatever the group, and one way to write a row."""

import numpy as np
import pandas as pd
import pytest

from legocryst.crystal.io.table import CELL, decode
from legocryst.crystal.symmetry.wyckoff import wyckoff
from legocryst.generators import variables as v
from legocryst.generators.random_symmetric import RandomSymmetric
from legocryst.settings import TrainSettings


@pytest.fixture(scope="module")
def rows(one_crystal: pd.DataFrame) -> pd.DataFrame:
    """Random crystals of all groups."""
    limits = RandomSymmetric(volume_per_atom=(6.0, 12.0), sites=8).fit(one_crystal, TrainSettings())
    return limits.sample(400, seed=4)


def test_choices_of_pm3m() -> None:
    table = v.choices()
    assert table.exists[221].sum() == 14 and np.flatnonzero(table.fixed[221]).tolist() == [10, 11, 12, 13]  # d, c, b, a
    assert table.exists[1].sum() == 1 and not table.fixed[1].any()
    assert table.multiplicity[221, :2].tolist() == [48, 24] and table.multiplicity[221, 14:].sum() == 0


def test_cells_of_every_group_come_back(rows: pd.DataFrame) -> None:
    group, cell = rows["spg"].to_numpy(), rows[list(CELL)].to_numpy()
    atoms = np.full(len(rows), 7)
    variables = v.cell_variables(group, cell, atoms)
    assert np.allclose(v.cell_of_variables(group, variables, atoms), cell)
    assert (variables[~v.CELL_FREE[v.choices().system[group]]] == 0).all()


def test_any_variables_make_a_possible_cell() -> None:
    rng = np.random.default_rng(0)
    group = rng.integers(1, 231, 3000)
    variables = np.column_stack([rng.uniform(0, 1.5, (3000, 3)), rng.uniform(-1, 5, (3000, 3))])
    cell = v.cell_of_variables(group, v.with_volume(group, variables), np.full(3000, 4))
    assert (v.cells.volume(cell) > 0.02 * cell[:, :3].prod(axis=1)).all()
    assert np.allclose(v.cells.symmetrized(group, cell), cell)


def test_rows_come_back_as_the_same_crystals(rows: pd.DataFrame) -> None:
    """The same cell and the same orbits: points that the group's operations carry onto those that were given."""
    candidates, kept, reason = v.read(rows)
    assert len(kept) == len(rows) and (reason == "").all()
    back = v.write(candidates, list(rows.columns))
    again, _, _ = v.read(back)
    for name in ("group", "position", "species", "point", "cell"):
        assert np.allclose(getattr(candidates, name), getattr(again, name), atol=1e-9), name
    first, second = decode(rows, element=6), decode(back, element=6)
    assert second.shift.max() < 1e-9
    assert np.allclose(first.crystals.cell, second.crystals.cell)
    for k in range(200):
        one, other = (batch.crystals.take([k]).atoms().fractional for batch in (first, second))
        apart = one[:, None] - other
        nearest = np.abs(apart - np.rint(apart)).max(axis=2)
        assert nearest.min(axis=1).max() < 1e-6 and nearest.min(axis=0).max() < 1e-6


def test_one_way_to_write_a_row(rows: pd.DataFrame) -> None:
    """Other points of the orbits and another order of the sites give the same variables."""
    crystals, table, rng = decode(rows, element=6).crystals, wyckoff(), np.random.default_rng(1)
    moved = crystals.coordinates.copy()
    for s, identity in enumerate(crystals.position_id):
        rotation, translation = v._alternatives(int(identity))
        k = int(rng.integers(len(rotation)))
        moved[s] = rotation[k] @ moved[s] + translation[k]
    first = table.op_first[crystals.position_id]
    on_first = np.einsum("sij,sj->si", table.rotation[first], moved) + table.translation[first]
    assert np.allclose((on_first - moved + 0.5) % 1, 0.5)
    sites = rows[[f"{name}{i}" for i in range(8) for name in ("wp", "x", "y", "z")]].to_numpy().reshape(-1, 8, 4)
    for k in range(len(rows)):
        order = rng.permutation(np.arange(*crystals.first_site[k : k + 2]))
        sites[k, : len(order)] = np.c_[crystals.position[order], moved[order] % 1]
    shuffled = rows.copy()
    shuffled.iloc[:, 7:] = sites.reshape(len(rows), -1)
    one, other = v.read(rows)[0], v.read(shuffled)[0]
    assert (one.position == other.position).all()
    apart = one.point - other.point
    assert np.abs(apart - np.rint(apart)).max() < 1e-6


def test_rows_that_are_no_crystals_are_named(rows: pd.DataFrame) -> None:
    broken = rows.head(3).assign(**{edge: [5.0, 0.1, 5.0] for edge in "abc"})
    _, kept, reason = v.read(broken)
    assert kept.tolist() == [0, 2] and reason[1] == "impossible cell"
