"""Symmetric SevenNet against SevenNet's own calculator, which knows no symmetry, and against finite differences."""

import copy
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
import torch
from ase import Atoms

from legocryst.crystal.crystals import Crystals
from legocryst.crystal.elements import SYMBOLS
from legocryst.crystal.io.table import decode
from legocryst.potentials.sevennet import SevenNet
from legocryst.relax.system import System, place, pull_back
from legocryst.stages.curate import shipped
from legocryst.vocabulary.registry import POTENTIALS
from tests.crystals_at_random import spaced_crystals

GROUPS = [1, 2, 4, 5, 9, 12, 19, 36, 43, 62, 80, 88, 98, 141, 146, 155, 161, 166, 176, 182, 194, 198, 214, 220, 227]


def crystals() -> Crystals:
    """Crystals of all systems and centrings, at random and of the shipped set."""
    made = spaced_crystals(9, seed=7, distance=1.1, max_atoms=16, groups=GROUPS)
    table = shipped("sp2-carbon")
    return Crystals.concatenate([made, decode(table[table["atoms"] <= 16].iloc[::12], element=6).crystals])


@lru_cache(maxsize=2)
def loaded(model: str) -> SevenNet:
    return SevenNet(model)


@lru_cache(maxsize=2)
def calculator(model: str) -> Any:
    from sevenn.calculator import SevenNetCalculator

    return SevenNetCalculator(model=model, device="cpu")


def of_calculator(model: str, crystal: Crystals, lattice: np.ndarray, fractional: np.ndarray) -> dict[str, Any]:
    cell = Atoms(crystal.atoms().species, cell=lattice, scaled_positions=fractional, pbc=True)
    calculator(model).calculate(cell)
    return dict(calculator(model).results)


@pytest.mark.parametrize(("model", "step"), [("7net-0", 1), ("7net-l3i5", 4)])
def test_energy_and_gradient_are_those_of_all_atoms(model: str, step: int) -> None:
    batch, rng, nodes, atoms = crystals(), np.random.default_rng(0), 0, 0
    for k in range(0, len(batch), step):
        one = batch.take([k])
        system, lattice = System.build(one), np.empty((3, 3))
        fractional, own, other = np.empty_like(system.base), *np.zeros((2, len(system.reach)))
        place(system, 0, 0.05 * rng.normal(size=len(system.reach)), lattice, fractional)
        symmetric = loaded(model).of(batch, k)
        energy, over_lattice, over_atoms = symmetric(lattice, fractional)
        pull_back(system, 0, over_lattice, over_atoms, own)

        result = of_calculator(model, one, lattice, fractional)
        xx, yy, zz, yz, xz, xy = result["stress"].astype(float) * abs(np.linalg.det(lattice))
        virial = np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
        pull_back(system, 0, np.linalg.solve(lattice.T, virial), -result["forces"].astype(float) @ lattice.T, other)
        assert energy == pytest.approx(result["energy"], abs=5e-6 * len(fractional))
        assert np.allclose(own, other, atol=2e-5 * np.abs(other).max() + 1e-3)
        nodes, atoms = nodes + len(symmetric.centre), atoms + len(fractional)
    assert nodes < atoms / 2


def test_gradient_agrees_with_finite_differences() -> None:
    model, rng = double(loaded("7net-0")), np.random.default_rng(1)
    batch = crystals().take(slice(0, None, 3))
    for k in range(len(batch)):
        system, lattice = System.build(batch.take([k])), np.empty((3, 3))
        fractional, gradient = np.empty_like(system.base), np.zeros(len(system.reach))
        energy, direction = model.of(batch, k), rng.normal(size=len(system.reach))
        values = []
        for h in (-1e-4, 1e-4, 0.0):
            place(system, 0, h * direction, lattice, fractional)
            value, over_lattice, over_atoms = energy(lattice, fractional)
            values.append(value)
        pull_back(system, 0, over_lattice, over_atoms, gradient)
        assert (values[1] - values[0]) / 2e-4 == pytest.approx(gradient @ direction, rel=1e-5, abs=1e-4)


def double(model: SevenNet) -> SevenNet:
    """The model in double precision."""
    other = copy.copy(model)
    other.network = copy.deepcopy(model.network).double()

    def widened(module: Any, arguments: Any, data: Any) -> Any:
        for name in ("x", "node_attr"):
            data[name] = data[name].double()
        return data

    other.network.get_submodule("onehot_idx_to_onehot").register_forward_hook(widened)
    return other


def test_mirror_images_differ_but_turned_crystals_do_not() -> None:
    """Why only rotations make atoms equal: these models do tell left from right."""
    table = shipped("sp2-carbon")
    utg = decode(table[table["name"] == "utg"], element=6).crystals
    lattice, fractional = utg.lattice[0], utg.atoms().fractional
    left = of_calculator("7net-0", utg, lattice, fractional)["energy"]
    right = of_calculator("7net-0", utg, -lattice, fractional)["energy"]
    assert 1e-3 < abs(left - right) / len(fractional) < 1e-2
    turn = np.linalg.qr(np.random.default_rng(2).normal(size=(3, 3)))[0]
    turn *= np.linalg.det(turn)
    turned = of_calculator("7net-0", utg, lattice @ turn, fractional)["energy"]
    assert turned == pytest.approx(left, abs=5e-6 * len(fractional))


def test_models_reach_as_far_and_know_the_elements_that_their_specifications_say() -> None:
    for name in ("7net-0", "7net-l3i5"):
        model, spec = loaded(name), POTENTIALS[name]
        assert model.cutoff == spec.reach
        assert [SYMBOLS[number] for number in sorted(model.elements)] == spec.elements.split()
        assert next(model.network.parameters()).dtype == torch.float32
