"""What can be asked for, and the masks that see to it."""

from itertools import combinations_with_replacement

import numpy as np
import pytest

from legocryst.generators.conditions import OPEN, Conditions, Reach
from legocryst.generators.variables import choices
from legocryst.settings import SampleSettings, group_numbers


def test_settings_as_conditions() -> None:
    assert Conditions.of(SampleSettings()) == OPEN and OPEN.open and SampleSettings().conditions == []
    settings = SampleSettings(groups="190, 194-196", system="hexagonal", min_sites=3, lowest_energies=0.25)
    conditions = Conditions.of(settings)
    assert conditions.groups == {190, 194} and conditions.sites == (3, 8) and conditions.lowest == 0.25
    assert not conditions.open and settings.conditions == ["space groups", "a number of sites", "low energy"]
    assert Conditions.of(SampleSettings(max_atoms=40)).open and SampleSettings(max_atoms=40).conditions == []


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"groups": "12, x"}, "'12, x' is no list of space groups: write it as 194, 200-230"),
        ({"groups": "0-3"}, "they run from 1 to 230"),
        ({"groups": "231"}, "they run from 1 to 230"),
        ({"groups": "9-3"}, "there are no space groups 9-3"),
        ({"groups": "1-5", "system": "cubic"}, "none of the space groups 1-5 is cubic"),
        ({"min_sites": 5, "max_sites": 2}, "at least 5 and at most 2 sites"),
        ({"min_atoms": 50, "max_atoms": 20}, "at least 50 and at most 20 atoms"),
    ],
)
def test_contradictions_get_one_sentence(settings: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Conditions.of(SampleSettings.model_validate(settings))


def test_list_of_groups() -> None:
    assert group_numbers("194") == {194} and group_numbers(" 1 , 3-5") == {1, 3, 4, 5}


def lists(group: int, sites: int) -> list[tuple[int, ...]]:
    """All Wyckoff lists of a number of sites, letter a first."""
    table = choices()
    index = np.flatnonzero(table.exists[group])[::-1]
    every = combinations_with_replacement(index.tolist(), sites)
    return [k for k in every if all(k.count(i) == 1 for i in k if table.fixed[group, i])]


@pytest.mark.parametrize("group", [1, 2, 62, 194, 225, 227])
@pytest.mark.parametrize(("sites", "atoms"), [((2, 3), (8, 12)), ((3, 3), (24, 24)), ((1, 1), (1, 500))])
def test_choices_left_open_are_those_that_can_be_completed(
    group: int, sites: tuple[int, int], atoms: tuple[int, int]
) -> None:
    """Against all lists written out, step by step along each of them."""
    reach, size = Reach(Conditions(sites=sites, atoms=atoms), sites=8), choices().multiplicity[group]
    good = [
        k for n in range(sites[0], sites[1] + 1) for k in lists(group, n) if atoms[0] <= size[list(k)].sum() <= atoms[1]
    ]
    assert reach.groups()[group] == bool(good)
    begun = {k[:n] for k in good for n in range(sites[1] + 1)}
    for head in sorted(begun)[:300]:
        last = np.array([head[-1] if head else 27])
        count, sum_ = np.array([len(head)]), np.array([size[list(head)].sum() if head else 0])
        following = {k[len(head)] for k in good if k[: len(head)] == head and len(k) > len(head)}
        assert set(np.flatnonzero(reach.allowed(np.array([group]), last, count, sum_)[0])) == following
        assert reach.ended(count, sum_)[0] == (head in good)


def test_more_sites_than_a_row_holds_are_refused() -> None:
    with pytest.raises(ValueError, match="room for 1 sites"):
        Reach(Conditions(sites=(3, 8)), sites=1)
