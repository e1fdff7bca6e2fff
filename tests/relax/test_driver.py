"""The relaxer: gradients, symmetry, known crystals found again, and verdicts that do not depend on the batch."""

import numpy as np
import pytest

from legocryst.crystal.crystals import Crystals
from legocryst.crystal.symmetry.wyckoff import wyckoff
from legocryst.environment.target_library import target
from legocryst.environment.validity import judge
from legocryst.infra.run_context import RunContext
from legocryst.relax import relax
from legocryst.relax.minimize import Workspace, evaluate, workspace
from legocryst.relax.objective import OBJECTIVES, Objectives
from legocryst.relax.starts import RESTART, merged, moved, scaled
from legocryst.relax.system import System
from legocryst.settings import RelaxSettings
from tests.crystals_at_random import random_crystals

SP2 = target("sp2-carbon")
OF_SP2 = Objectives.of(SP2, 2)
ONCE = RelaxSettings(restarts=0, merge=0)
# one group of each crystal system, rhombohedral included
SYSTEM_GROUPS = [1, 2, 5, 15, 19, 62, 80, 136, 148, 161, 166, 176, 194, 199, 225]


def _evaluate(
    system: System, x: np.ndarray, weight: np.ndarray, kept: list[Workspace]
) -> tuple[np.ndarray, np.ndarray]:
    """Values (n,) and gradient (v,) of all crystals; `kept` holds their neighbour lists, or none yet."""
    values, gradient = np.empty(len(system.lattice)), np.empty(len(x))
    if not kept:
        kept += [workspace(system, OF_SP2) for _ in values]
        for work in kept:
            work.listed_lattice[:] = np.nan
    for k, work in enumerate(kept):
        own = slice(*system.first_variable[k : k + 2])
        cutoff = OF_SP2.coordination.cutoff
        values[k] = evaluate(system, k, OF_SP2, weight, cutoff, work, x[own], gradient[own])
    assert np.isfinite(values).all()
    return values, gradient


def _per_crystal(system: System, each: np.ndarray) -> np.ndarray:
    return np.add.reduceat(each, system.first_variable[:-1])


@pytest.mark.parametrize("objective", range(len(OBJECTIVES)), ids=OBJECTIVES)
def test_gradient_agrees_with_finite_differences(objective: int) -> None:
    crystals = random_crystals(100, seed=11, max_atoms=48, groups=SYSTEM_GROUPS)
    system, rng, weight = System.build(crystals), np.random.default_rng(1), np.eye(len(OBJECTIVES))[objective]
    x = 0.05 * rng.normal(size=len(system.reach))
    kept: list[Workspace] = []
    _, gradient = _evaluate(system, x, weight, kept)
    direction = rng.normal(size=len(x))
    h = 1e-4
    ahead = [_evaluate(system, x + k * h * direction, weight, kept)[0] for k in (-2, -1, 1, 2)]
    numeric = (ahead[0] - 8 * ahead[1] + 8 * ahead[2] - ahead[3]) / (12 * h)
    size = np.sqrt(_per_crystal(system, gradient**2) * _per_crystal(system, direction**2))
    off = np.abs(numeric - _per_crystal(system, gradient * direction))
    # a difference carries the rounding of its values, which are summed in another order on another processor
    rounding = 1e-13 * (1 + ahead[0]) / h
    assert (off <= 1e-6 * size + rounding).all()
    seen = 1e-6 * size > rounding  # where a gradient off by a millionth would be seen
    assert seen.sum() >= 60


@pytest.mark.parametrize("objective", range(len(OBJECTIVES)), ids=OBJECTIVES)
def test_neighbour_lists_kept_over_steps_equal_fresh_ones(objective: int) -> None:
    crystals = random_crystals(30, seed=8, max_atoms=48)
    system, rng, weight = System.build(crystals), np.random.default_rng(2), np.eye(len(OBJECTIVES))[objective]
    x = np.zeros(len(system.reach))
    kept: list[Workspace] = []
    compared = 0
    for _ in range(15):
        x = x + 0.04 * rng.normal(size=len(x)) / system.reach
        new: list[Workspace] = []
        old, fresh = _evaluate(system, x, weight, kept), _evaluate(system, x, weight, new)
        # which neighbours are the nearest belongs to the list itself
        same = np.array([_nearest(a) == _nearest(b) for a, b in zip(kept, new, strict=True)])
        same |= OBJECTIVES[objective] != "coordination"
        compared += same.sum()
        variables = np.repeat(same, np.diff(system.first_variable))
        assert np.allclose(old[0][same], fresh[0][same], rtol=1e-10)
        assert np.allclose(old[1][variables], fresh[1][variables], rtol=1e-8, atol=1e-8)
    assert compared > 300


def _nearest(work: Workspace) -> list[set[tuple[float, ...]]]:
    """The bonds of each site that count as nearest."""
    rows = np.column_stack([work.atom, work.image])
    return [{tuple(row) for row in rows[first : first + SP2.coordination]} for first in work.first[:-1]]


CARBONS: dict[str, tuple[int, tuple[float, ...], list[tuple[int, tuple[float, ...]]], float]] = {
    # name: (group, cell (degrees), sites, edge a wanted)
    "graphite": (194, (2.6, 2.6, 6.4, 90, 90, 120), [(9, (1 / 3, 2 / 3, 0.25)), (10, (0, 0, 0.25))], 2.4595),
    "srs, cubic": (214, (4.3, 4.3, 4.3, 90, 90, 90), [(8, (1 / 8, 1 / 8, 1 / 8))], 4.0164),
    "ths, tetragonal": (141, (2.4, 2.4, 8.9, 90, 90, 90), [(4, (0, 0.25, 0.29))], 2.46),
    "graphene, triclinic": (2, (2.5, 2.4, 7.0, 92, 88, 118), [(0, (0.32, 0.68, 0.01))], 2.46),
    "graphene, monoclinic": (12, (4.4, 2.4, 7.0, 90, 91, 90), [(1, (0.16, 0, 0.02))], 4.26),
    "graphene, rhombohedral": (166, (2.55, 2.55, 10.0, 90, 90, 120), [(6, (0, 0, 0.165))], 2.4595),
    "graphene, orthorhombic": (65, (4.4, 2.4, 7.0, 90, 90, 90), [(11, (0.16, 0, 0))], 4.26),
}


@pytest.mark.parametrize("method", ["lbfgs", "adam"])
def test_random_crystals_become_valid_and_keep_their_group(method: str) -> None:
    crystals = random_crystals(150, seed=5)
    settings = RelaxSettings.model_validate({"optimizer": method, "restarts": 0, "merge": 0})
    result = relax(crystals, SP2, settings)
    assert result.valid.sum() >= 4
    assert np.array_equal(result.crystals.group, crystals.group)
    assert np.array_equal(result.crystals.position, crystals.position)
    assert (result.evaluations[result.reason != "impossible cell"] > 0).all()
    assert np.array_equal(result.valid, result.reason == "")


def test_special_positions_stay_special() -> None:
    crystals = random_crystals(40, seed=6)
    moved = relax(crystals, SP2, ONCE).crystals
    table, ids = wyckoff(), moved.position_id
    op = table.op_first[ids]
    again = np.einsum("sij,sj->si", table.rotation[op], moved.coordinates) + table.translation[op]
    difference = again - moved.coordinates
    assert np.abs(difference - np.round(difference)).max() < 1e-9


def test_alone_and_in_a_batch_the_crystals_are_the_same_to_the_last_bit() -> None:
    crystals = random_crystals(60, seed=9, max_atoms=48)
    settings = RelaxSettings(restarts=1)
    together = relax(crystals, SP2, settings)
    chosen = list(range(0, 60, 8))
    alone = [relax(crystals.take([k]), SP2, settings) for k in chosen]
    assert [a.reason[0] for a in alone] == together.reason[chosen].tolist()
    assert np.array_equal([a.evaluations[0] for a in alone], together.evaluations[chosen])
    assert np.array_equal(np.concatenate([a.crystals.cell for a in alone]), together.crystals.cell[chosen])


def test_lots_change_nothing_and_progress_is_reported() -> None:
    crystals = random_crystals(80, seed=12)
    calls: list[tuple[int, int]] = []
    small = RelaxSettings(batch_atoms=200, restarts=0, merge=0)
    result = relax(crystals, SP2, small, RunContext(progress=lambda done, total, **_: calls.append((done, total))))
    assert [done for done, _ in calls] == sorted(done for done, _ in calls) and calls[-1] == (80, 80)
    assert len({done for done, _ in calls}) > 2
    at_once = relax(crystals, SP2, ONCE)
    assert np.array_equal(result.crystals.cell, at_once.crystals.cell)
    assert result.reason.tolist() == at_once.reason.tolist()


def test_restarts_begin_near_the_row_and_only_help() -> None:
    crystals = random_crystals(60, seed=5)
    once, again = relax(crystals, SP2, ONCE), relax(crystals, SP2, RelaxSettings(restarts=2, merge=0))
    assert (again.valid | ~once.valid).all() and again.valid.sum() > once.valid.sum()
    assert (once.restarts == 0).all() and (again.restarts[again.valid & ~once.valid] > 0).all()
    assert np.array_equal(again.crystals.position, crystals.position)
    other = moved(crystals, 1)
    shift = other.coordinates - crystals.coordinates
    shift -= np.round(shift)
    far = np.linalg.norm(np.einsum("si,sij->sj", shift, crystals.lattice[crystals.crystal_of_site]), axis=1)
    assert far.max() <= RESTART + 1e-9 and far.max() > 0.1


def test_sites_near_a_special_position_are_merged_onto_it_and_only_help() -> None:
    # general points of Pm-3m: one 0.2 angstrom from the cell's corner, one nowhere near anything
    near, far = (0.02, 0.03, 0.035), (0.11, 0.21, 0.37)
    crystals = Crystals.build([221], [[5.0] * 3 + [np.pi / 2] * 3], [[(6, 0, near), (6, 0, far)]])
    onto, sites = merged(crystals, 0.35)
    assert wyckoff().letter[onto.position_id].tolist() == ["a", "n"] and sites.tolist() == [1]
    assert np.allclose(onto.coordinates[0], 0) and np.array_equal(onto.coordinates[1], far)
    # a position without free coordinates is taken once
    twice = Crystals.build([221], [[5.0] * 3 + [np.pi / 2] * 3], [[(6, 0, near), (6, 0, near)]])
    onto, sites = merged(twice, 0.35)
    assert sorted(onto.multiplicity)[0] == 1 and sorted(onto.multiplicity)[1] > 1
    crystals = random_crystals(200, seed=5)
    without, with_merges = relax(crystals, SP2, ONCE), relax(crystals, SP2, RelaxSettings(restarts=0, merge=0.35))
    assert (with_merges.valid | ~without.valid).all() and with_merges.valid.sum() > without.valid.sum()
    other = np.repeat(with_merges.merged > 0, crystals.site_count)
    assert np.array_equal(with_merges.crystals.position[~other], crystals.position[~other])
    assert np.array_equal(with_merges.crystals.group, crystals.group)


def test_cells_start_at_the_targets_volume_and_more_become_valid() -> None:
    crystals = random_crystals(300, seed=5)
    as_rows = relax(crystals, SP2, RelaxSettings(restarts=0, start_volume="row"))
    grown = relax(crystals, SP2, ONCE)
    assert grown.valid.sum() > as_rows.valid.sum() > 0
    start = scaled(crystals, np.where(np.arange(300) % 2, SP2.start_volume, np.nan))
    assert np.allclose((start.volume / start.atom_count)[1::2], SP2.start_volume)
    assert np.array_equal(start.cell[::2], crystals.cell[::2]) and np.array_equal(
        start.cell[:, 3:], crystals.cell[:, 3:]
    )


def test_stopping_keeps_the_rest_with_a_reason() -> None:
    crystals = random_crystals(80, seed=12)
    flags = iter([False] * 2 + [True] * 100)
    crystals.cell[-1, 3:] = np.radians([20, 20, 160])
    calls: list[int] = []
    result = relax(
        crystals,
        SP2,
        RelaxSettings(batch_atoms=200, restarts=0, merge=0),
        RunContext(should_stop=lambda: next(flags), progress=lambda done, total, **_: calls.append(done)),
    )
    assert calls[-1] == 80 - (result.reason == "stopped").sum() - 1 and result.reason[-1] == "impossible cell"
    assert 0 < (result.reason == "stopped").sum() < 80
    assert len(result.crystals) == 80


def test_a_perfect_crystal_stays_where_it_is() -> None:
    graphite = SP2.reference.crystals()
    result = relax(graphite, SP2, RelaxSettings())
    assert np.allclose(result.crystals.cell, graphite.cell, atol=2e-3)
    assert result.valid.all() and result.loss[0] < 1e-2


def test_an_impossible_cell_is_reported_in_its_place() -> None:
    crystals = random_crystals(3, seed=1)
    crystals.cell[1, 3:] = np.radians([20, 20, 160])
    result = relax(crystals, SP2, RelaxSettings())
    assert result.reason[1] == "impossible cell" and "impossible cell" not in (result.reason[0], result.reason[2])
    assert np.array_equal(result.crystals.group, crystals.group)


def test_four_coordination_needs_no_other_code() -> None:
    sp3 = target("sp3-carbon")
    result = relax(random_crystals(200, seed=21), sp3, ONCE)
    assert result.published.sum() >= 3
    assert judge(sp3.reference.crystals(), sp3).valid.all()


@pytest.mark.parametrize("name", CARBONS)
def test_a_known_crystal_is_found_again(name: str) -> None:
    group, cell, sites, edge = CARBONS[name]
    radians = np.r_[cell[:3], np.radians(cell[3:])]
    start = Crystals.build([group], [radians], [[(6, position, point) for position, point in sites]])
    result = relax(start, SP2, RelaxSettings())
    assert result.reason[0] == ""
    assert result.crystals.cell[0, 0] == pytest.approx(edge, rel=0.01)
