"""The relaxer: gradients, symmetry, known crystals found again, and verdicts that do not depend on the batch."""

import numpy as np
import pytest
import torch

from legocryst.crystal.representation import Crystals
from legocryst.crystal.wyckoff import wyckoff
from legocryst.environment.targets import target
from legocryst.environment.validity import judge
from legocryst.relax import relax
from legocryst.relax.minimize import Evaluator
from legocryst.relax.objective import Coordination, Objective, Spectrum
from legocryst.relax.system import System
from legocryst.settings import RelaxSettings
from tests.crystals_at_random import random_crystals

SP2 = target()
# one group of each crystal system, rhombohedral included
SYSTEM_GROUPS = [1, 2, 5, 15, 19, 62, 80, 136, 148, 161, 166, 176, 194, 199, 225]


@pytest.mark.parametrize("objective", [Coordination(SP2), Spectrum(SP2)], ids=["coordination", "spectrum"])
def test_gradient_agrees_with_finite_differences(objective: Objective) -> None:
    crystals = random_crystals(60, seed=11, max_atoms=48, groups=SYSTEM_GROUPS)
    system, rng = System.build(crystals), np.random.default_rng(1)
    x = torch.from_numpy(0.05 * rng.normal(size=len(system.owner)))
    evaluate = Evaluator(system, objective, x)
    _, gradient = evaluate(x)
    direction = torch.from_numpy(rng.normal(size=len(x)))
    h = 1e-4
    ahead = [evaluate(x + k * h * direction)[0] for k in (-2, -1, 1, 2)]
    numeric = (ahead[0] - 8 * ahead[1] + 8 * ahead[2] - ahead[3]) / (12 * h)
    size = system.dot(gradient, gradient).sqrt() * system.dot(direction, direction).sqrt()
    error = (numeric - system.dot(gradient, direction)).abs() / (size + 1e-3)
    assert error.median() < 1e-8
    # where a fourth neighbour changes places with a third or an atom enters the cutoff, the slope has a kink
    assert (error < 1e-5).double().mean() > 0.9


def test_neighbour_lists_kept_over_steps_equal_fresh_ones() -> None:
    crystals = random_crystals(30, seed=8, max_atoms=48)
    system, rng = System.build(crystals), np.random.default_rng(2)
    x = torch.zeros(len(system.owner), dtype=torch.float64)
    evaluate = Evaluator(system, Coordination(SP2), x)
    for _ in range(15):
        x = x + torch.from_numpy(0.08 * rng.normal(size=len(x))) / system.reach * 0.5
        kept, fresh = evaluate(x), Evaluator(system, Coordination(SP2), x)(x)
        assert torch.allclose(kept[0], fresh[0], rtol=1e-10)
        assert torch.allclose(kept[1], fresh[1], rtol=1e-8, atol=1e-8)


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
    settings = RelaxSettings.model_validate({"optimizer": method})
    result = relax(crystals, SP2, settings)
    assert result.valid.sum() >= 4
    assert np.array_equal(result.crystals.group, crystals.group)
    assert np.array_equal(result.crystals.position, crystals.position)
    assert (result.evaluations[result.reason != "impossible cell"] > 0).all()
    assert np.array_equal(result.valid, result.reason == "")


def test_special_positions_stay_special() -> None:
    crystals = random_crystals(40, seed=6)
    moved = relax(crystals, SP2, RelaxSettings()).crystals
    table, ids = wyckoff(), moved.position_id
    op = table.op_first[ids]
    again = np.einsum("sij,sj->si", table.rotation[op], moved.coordinates) + table.translation[op]
    difference = again - moved.coordinates
    assert np.abs(difference - np.round(difference)).max() < 1e-9


def test_alone_and_in_a_batch_the_verdict_is_the_same() -> None:
    crystals = random_crystals(60, seed=9, max_atoms=48)
    together = relax(crystals, SP2, RelaxSettings())
    chosen = range(0, 60, 4)
    alone = [relax(crystals.take([k]), SP2, RelaxSettings()).reason[0] for k in chosen]
    assert np.mean(np.array(alone) == together.reason[list(chosen)]) >= 0.9


def test_chunks_give_the_same_result_and_report_progress() -> None:
    crystals = random_crystals(80, seed=12)
    calls: list[tuple[int, int]] = []
    small = RelaxSettings(batch_atoms=1000)
    chunked = relax(crystals, SP2, small, progress=lambda done, total, **_: calls.append((done, total)))
    assert [done for done, _ in calls] == sorted({done for done, _ in calls}) and calls[-1] == (80, 80)
    assert len(calls) > 1
    assert (chunked.reason == relax(crystals, SP2, RelaxSettings()).reason).mean() >= 0.95


def test_stopping_keeps_the_rest_with_a_reason() -> None:
    crystals = random_crystals(80, seed=12)
    flags = iter([False] + [True] * 100)
    result = relax(crystals, SP2, RelaxSettings(batch_atoms=1000), should_stop=lambda: next(flags))
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
    result = relax(random_crystals(200, seed=21), sp3, RelaxSettings())
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
