"""Targets are data: the shipped ones load and hold together, a wrong one is refused."""

import numpy as np
import pytest
from pydantic import ValidationError

from legocryst.environment.neighbors import neighbor_list
from legocryst.environment.targets import Target, target, target_names


@pytest.mark.parametrize("name", target_names())
def test_the_reference_crystal_shows_the_wanted_environment(name: str) -> None:
    wanted = target(name)
    edges = neighbor_list(wanted.reference.crystals(), wanted.gap)
    for site in range(len(wanted.reference.sites)):
        bonds = edges.distance[edges.site == site]
        assert len(bonds) == wanted.coordination
        assert np.allclose(bonds, wanted.bond, atol=0.01)


def test_unknown_target_is_one_sentence_with_the_choices() -> None:
    with pytest.raises(ValueError, match="no target 'sp4'; choose one of sp2-carbon"):
        target("sp4")


def test_lengths_out_of_order_are_refused() -> None:
    values = target().model_dump() | {"gap": 1.5}
    with pytest.raises(ValidationError, match="ordered"):
        Target.model_validate(values)
