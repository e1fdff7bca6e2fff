"""One contract for every potential, those of plug-ins too."""

import numpy as np
import pytest

from legocryst.crystal.crystals import Crystals
from legocryst.crystal.elements import ATOMIC_NUMBER, SYMBOLS
from legocryst.crystal.io.table import decode
from legocryst.crystal.symmetry.primitive import without_symmetry
from legocryst.environment.target_library import target
from legocryst.potentials.base import potential, refusal
from legocryst.relax.system import System, place, pull_back
from legocryst.stages.curate import shipped
from legocryst.vocabulary.registry import POTENTIALS, PotentialSpec

STEP = 1e-3
"""Of finite differences; potentials may compute in single precision."""


@pytest.fixture(params=POTENTIALS.names())
def name(request: pytest.FixtureRequest) -> str:
    return request.param


def crystals(spec: PotentialSpec) -> Crystals:
    """Diamond and some shipped nets, of an element that the potential knows."""
    table = shipped("sp2-carbon")
    nets = decode(table[table["atoms"] <= 16].iloc[::40], element=6).crystals
    batch = Crystals.concatenate([target("sp3-carbon").reference.crystals(), nets])
    if spec.elements and "C" not in spec.elements.split():
        batch.species[:] = ATOMIC_NUMBER[spec.elements.split()[0]]
    return batch


def test_specification_is_of_this_potential(name: str) -> None:
    spec = POTENTIALS[name]
    assert set(spec.elements.split()) <= set(SYMBOLS) and spec.reach > 0 and min(spec.seconds) >= 0
    assert spec.identity, "energies of two versions could not be told apart"


def test_gradients_are_those_of_the_energy(name: str) -> None:
    batch, rng = crystals(POTENTIALS[name]), np.random.default_rng(1)
    for k in range(len(batch)):
        system, lattice = System.build(batch.take([k])), np.empty((3, 3))
        fractional, gradient = np.empty_like(system.base), np.zeros(len(system.reach))
        energy, direction = potential(name).of(batch, k), rng.normal(size=len(system.reach))
        values = []
        for h in (-STEP, STEP, 0.0):
            place(system, 0, h * direction, lattice, fractional)
            value, over_lattice, over_atoms = energy(lattice, fractional)
            assert over_lattice.shape == (3, 3) and over_atoms.shape == fractional.shape
            values.append(value)
        pull_back(system, 0, over_lattice, over_atoms, gradient)
        scale = float(np.linalg.norm(gradient) * np.linalg.norm(direction))
        assert (values[1] - values[0]) / (2 * STEP) == pytest.approx(gradient @ direction, abs=0.01 * scale + 0.05)


def test_energy_does_not_depend_on_how_a_crystal_is_described(name: str) -> None:
    batch = crystals(POTENTIALS[name])
    for k in range(len(batch)):
        each = []
        for one in (batch.take([k]), without_symmetry(batch.take([k]))):
            energy, _, _ = potential(name).of(one, 0)(one.lattice[0], one.atoms().fractional)
            each.append(energy / int(one.atom_count[0]))
        assert each[0] == pytest.approx(each[1], abs=2e-5)


def test_elements_that_it_does_not_know_are_refused() -> None:
    carbon, known = target("sp3-carbon"), POTENTIALS["7net-0"]
    crystal = carbon.reference.crystals()
    only = PotentialSpec(name="si", loads="None", title="", help="", elements="Si", reach=5.0, seconds=(1.0, 1.0))
    assert refusal(crystal, carbon, 100, only) == "not known to the potential si: C"
    assert refusal(crystal, carbon, 100, known) == refusal(crystal, carbon, 100) == ""


def test_unknown_name_is_refused_with_the_choices() -> None:
    with pytest.raises(ValueError, match="there is no potential 'nonsense': choose one of 7net-l3i5, 7net-0"):
        potential("nonsense")
