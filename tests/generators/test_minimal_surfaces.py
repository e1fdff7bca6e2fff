"""Random crystals on minimal surfaces: what is asked for is there, and what cannot be is refused."""

import numpy as np
import pandas as pd
import pytest

from legocryst.crystal.cell import crystal_system
from legocryst.crystal.io.table import decode
from legocryst.crystal.minimal_surfaces import FRAMES
from legocryst.generators.conditions import Conditions
from legocryst.generators.minimal_surfaces import FEWEST, SEVERAL, OnSurfaces
from legocryst.settings import TrainSettings


@pytest.fixture
def fitted(families: pd.DataFrame) -> OnSurfaces:
    return OnSurfaces().fit(families, TrainSettings(model="surfaces"))


def test_rows_are_crystals_with_what_was_asked_for(fitted: OnSurfaces) -> None:
    conditions = Conditions(groups=frozenset(range(195, 231)), sites=(2, 4), atoms=(96, 200))
    result = decode(fitted.sample(30, seed=1, conditions=conditions), element=6, max_atoms=500)
    assert (result.reason == "").all() and (result.shift < 1e-6).all()
    crystals = result.crystals
    assert (crystals.group >= 195).all() and len(set(crystals.group.tolist())) > 3
    assert ((crystals.site_count >= 2) & (crystals.site_count <= 4)).all()
    assert ((crystals.atom_count >= 96) & (crystals.atom_count <= 200)).all()


def test_left_open_it_draws_large_cells_few_of_them_cubic(fitted: OnSurfaces) -> None:
    crystals = decode(fitted.sample(120, seed=0), element=6, max_atoms=500).crystals
    assert {crystal_system(group) for group in crystals.group.tolist()} == set(FRAMES)
    assert crystals.atom_count.min() >= FEWEST and crystals.site_count.min() >= SEVERAL
    assert 0.02 < np.mean(crystals.group >= 195) < 0.5
    few = decode(fitted.sample(40, seed=0, conditions=Conditions(sites=(1, 3))), element=6, max_atoms=500).crystals
    assert set(few.site_count.tolist()) == {1, 2, 3}


@pytest.mark.parametrize(
    "asked",
    [
        Conditions(groups=frozenset({16})),  # too few atoms for many sites
        Conditions(groups=frozenset({227})),  # too many
        Conditions(groups=frozenset({221}), atoms=(1, 100)),
        Conditions(atoms=(1, 60)),
    ],
)
def test_many_sites_are_a_wish_only(asked: Conditions, fitted: OnSurfaces) -> None:
    crystals = decode(fitted.sample(5, seed=0, conditions=asked), element=6, max_atoms=500).crystals
    assert len(crystals) == 5 and crystals.atom_count.max() <= asked.atoms[1]
    assert asked.groups == Conditions().groups or set(crystals.group.tolist()) == set(asked.groups)


@pytest.mark.parametrize("asked", [Conditions(groups=frozenset({194})), Conditions(sites=(1, 1), atoms=(193, 500))])
def test_what_no_crystal_on_a_surface_has_is_refused(asked: Conditions, fitted: OnSurfaces) -> None:
    with pytest.raises(ValueError, match="orthorhombic, tetragonal, trigonal or cubic"):
        fitted.sample(3, seed=0, conditions=asked)


def test_elements_are_those_of_the_table(families: pd.DataFrame) -> None:
    used = families[[f"wp{i}" for i in range(8)]].to_numpy() >= 0
    silicon = families.assign(**{f"el{i}": np.where(used[:, i], 14, -1) for i in range(8)})
    rows = OnSurfaces().fit(silicon, TrainSettings(model="surfaces")).sample(5, seed=0)
    assert set(np.unique(rows.filter(regex=r"^el\d+$"))) == {-1, 14}
    both = silicon.assign(el0=np.where(np.arange(len(silicon)) % 2, 14, 32))
    with pytest.raises(ValueError, match="one element, not 2"):
        OnSurfaces().fit(both, TrainSettings(model="surfaces"))


def test_cells_go_with_the_bond(families: pd.DataFrame) -> None:
    """The area of each atom is that of a honeycomb, so lengths are proportional to the bond."""
    settings = TrainSettings(model="surfaces")
    one, two = (OnSurfaces(bond=bond).fit(families, settings).sample(20, seed=0) for bond in (1, 2))
    assert np.allclose(two[["a", "b", "c"]], 2 * one[["a", "b", "c"]]) and two["wp0"].equals(one["wp0"])
