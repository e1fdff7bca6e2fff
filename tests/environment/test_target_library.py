"""Targets are data: the shipped ones load and hold together, a wrong one is refused."""

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from legocryst.environment.derive import derive
from legocryst.environment.neighbors import neighbor_list
from legocryst.environment.target import Target, shipped_names
from legocryst.environment.target_library import delete, save, target, target_names
from legocryst.jobs.create import create
from legocryst.settings import CurateSettings, RunSettings


@pytest.mark.parametrize("name", shipped_names())
def test_the_reference_crystal_shows_the_wanted_environment(name: str) -> None:
    goal = target(name)
    edges = neighbor_list(goal.reference.crystals(), goal.gap)
    for site in range(len(goal.reference.sites)):
        bonds = edges.distance[edges.site == site]
        assert len(bonds) == goal.coordination
        assert np.allclose(bonds, goal.bond, atol=0.01)


def test_unknown_target_is_one_sentence_with_the_choices() -> None:
    with pytest.raises(ValueError, match="no target 'sp4'; choose one of sp2-carbon"):
        target("sp4")


def test_lengths_out_of_order_are_refused() -> None:
    values = target("sp2-carbon").model_dump() | {"gap": 1.5}
    with pytest.raises(ValidationError, match="ordered"):
        Target.model_validate(values)


def own_target(**changes: object) -> Target:
    return derive(target("sp2-carbon").reference.crystals(), 1, name="mine").model_copy(update=changes)


def test_a_saved_target_belongs_to_its_workspace(tmp_path: Path) -> None:
    save(own_target(), tmp_path)
    assert target("mine", tmp_path) == own_target() and target_names(tmp_path)[-1] == "mine"
    for place in (None, tmp_path / "other"):
        with pytest.raises(ValueError, match="no target 'mine'"):
            target("mine", place)
    delete("mine", tmp_path)
    with pytest.raises(ValueError, match="no target 'mine'"):
        target("mine", tmp_path)
    with pytest.raises(ValueError, match="shipped ones cannot be deleted"):
        delete("sp2-carbon", tmp_path)


def test_a_name_stands_for_one_target(tmp_path: Path) -> None:
    save(own_target(), tmp_path)
    for name in ("mine", "sp2-carbon"):
        with pytest.raises(ValueError, match="is taken by another target"):
            save(own_target(name=name), tmp_path)
    for name in ("../mine", "Mine", "a b", "", "-a"):
        with pytest.raises(ValueError, match="cannot be the name"):
            save(own_target(name=name), tmp_path)
    job = create(tmp_path, "run", RunSettings(curate=CurateSettings(target="mine")), threads=1)
    delete("mine", tmp_path)
    assert target("mine", tmp_path) == own_target() and target_names(tmp_path) == shipped_names()
    with pytest.raises(ValueError, match="jobs were made with another target of the name mine"):
        save(own_target(gap=1.95), tmp_path)
    save(own_target(), tmp_path)
    assert target("mine", job.folder) == own_target()
    child = create(tmp_path, "run", RunSettings(curate=CurateSettings(target="mine")), threads=1)
    assert (child.folder / "targets" / "mine.json").read_text() == (job.folder / "targets" / "mine.json").read_text()


def test_a_file_that_is_no_target_is_told(tmp_path: Path) -> None:
    (tmp_path / "targets").mkdir()
    for name, text in {"a": "{}", "b": own_target().model_dump_json(), "c": "no JSON"}.items():
        (tmp_path / "targets" / f"{name}.json").write_text(text)
    for name, message in {"a": "a.json is no target", "b": "holds the target mine", "c": "c.json is no t"}.items():
        with pytest.raises(ValueError, match=message):
            target(name, tmp_path)


def test_energies_are_counted_from_a_shipped_target_or_the_own() -> None:
    own = own_target(energy_reference="")
    assert target("sp3-carbon").of_energy == own_target().of_energy == target("sp2-carbon") and own.of_energy == own
    with pytest.raises(ValidationError, match="'glass' is no shipped target"):
        Target.model_validate(own_target().model_dump() | {"energy_reference": "glass"})
