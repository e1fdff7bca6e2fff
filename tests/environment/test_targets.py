"""Targets are data: the shipped ones load and hold together, a wrong one is refused."""

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from legocryst.environment.derive import derive
from legocryst.environment.neighbors import neighbor_list
from legocryst.environment.targets import Target, delete, save, shipped_names, target, target_names
from legocryst.jobs import create
from legocryst.settings import CurateSettings, RunSettings
from legocryst.workspace import targets_of


@pytest.mark.parametrize("name", shipped_names())
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


def mine(**changes: object) -> Target:
    return derive(target().reference.crystals(), 1, name="mine").model_copy(update=changes)


def test_a_saved_target_is_found_where_its_workspace_is_meant(tmp_path: Path) -> None:
    save(mine(), tmp_path)
    with pytest.raises(ValueError, match="no target 'mine'"):
        target("mine")
    with targets_of(tmp_path):
        assert target("mine") == mine() and target_names()[-1] == "mine"
        with targets_of(tmp_path / "other"), pytest.raises(ValueError, match="no target 'mine'"):
            target("mine")
        delete("mine", tmp_path)
        with pytest.raises(ValueError, match="no target 'mine'"):
            target("mine")
    with pytest.raises(ValueError, match="shipped ones cannot be deleted"):
        delete("sp2-carbon", tmp_path)


def test_a_name_stands_for_one_target(tmp_path: Path) -> None:
    save(mine(), tmp_path)
    for name in ("mine", "sp2-carbon"):
        with pytest.raises(ValueError, match="is taken by another target"):
            save(mine(name=name), tmp_path)
    for name in ("../mine", "Mine", "a b", "", "-a"):
        with pytest.raises(ValueError, match="cannot be the name"):
            save(mine(name=name), tmp_path)
    with targets_of(tmp_path):
        job = create(tmp_path, "run", RunSettings(curate=CurateSettings(target="mine")), threads=1)
        delete("mine", tmp_path)
        assert target("mine") == mine() and target_names() == shipped_names()
        with pytest.raises(ValueError, match="jobs were made with another target of the name mine"):
            save(mine(gap=1.95), tmp_path)
        save(mine(), tmp_path)
    with targets_of(job.folder):
        assert target("mine") == mine()
    child = create(tmp_path, "run", RunSettings(curate=CurateSettings(target="mine")), threads=1)
    assert (child.folder / "targets" / "mine.json").read_text() == (job.folder / "targets" / "mine.json").read_text()


def test_a_file_that_is_no_target_is_told(tmp_path: Path) -> None:
    (tmp_path / "targets").mkdir()
    for name, text in {"a": "{}", "b": mine().model_dump_json(), "c": "no JSON"}.items():
        (tmp_path / "targets" / f"{name}.json").write_text(text)
    with targets_of(tmp_path):
        for name, message in {"a": "a.json is no target", "b": "holds the target mine", "c": "c.json is no t"}.items():
            with pytest.raises(ValueError, match=message):
                target(name)
