"""The command `target`: list, make, show, delete; and a run that names a target."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from legocryst.crystal.io.structures import to_cif
from legocryst.environment.target_library import target

Call = Callable[..., dict[str, Any]]
Refused = Callable[..., str]


@pytest.fixture
def diamond(tmp_path: Path) -> Path:
    path = tmp_path / "diamond.cif"
    path.write_text(to_cif(target("sp3-carbon").reference.crystals()))
    return path


def test_a_target_is_made_shown_and_deleted(call: Call, refused: Refused, diamond: Path, tmp_path: Path) -> None:
    place = ("--workspace", tmp_path / "w")
    assert call("target", "make", diamond, *place) == {"atoms": 1, "space_group": 227}
    made = call("target", "make", diamond, "--name", "mine", "--set", "gap=1.95", "--set", "title=Hard", *place)
    assert Path(made["saved"]).is_file() and (made["gap"], made["coordination"], made["title"]) == (1.95, 4, "Hard")
    assert call("target", "list", *place)["targets"][-1] == "mine"
    shown = call("target", "show", "mine", *place)
    assert shown["reference"]["space_group"] == 227 and shown["name"] == "mine"
    assert "the name mine is taken" in refused("target", "make", diamond, "--name", "mine", *place)
    assert call("target", "delete", "mine", *place) == {"deleted": "mine"}
    assert "no target 'mine' was saved" in refused("target", "delete", "mine", *place)


def test_wrong_input_is_one_sentence(refused: Refused, diamond: Path, tmp_path: Path) -> None:
    (tmp_path / "text.cif").write_text("no crystal")
    wrong = {
        ("make", tmp_path / "text.cif", "--name", "a"): "text.cif cannot be read as a CIF",
        ("make", diamond, "--name", "a", "--atom", 9): "the crystal has no atom 9",
        ("make", diamond, "--name", "a", "--set", "gap"): "write FIELD=VALUE",
        ("make", diamond, "--name", "A"): "cannot be the name of a target",
        ("make",): "target make needs a file",
        ("show", "glass"): "there is no target 'glass'",
    }
    for arguments, sentence in wrong.items():
        assert sentence in refused("target", *arguments, "--workspace", tmp_path / "w")
    assert "no target 'glass'" in refused("run", "--target", "glass", "--workspace", tmp_path / "w")
    assert not (tmp_path / "w" / "jobs").exists()
