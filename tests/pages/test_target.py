"""The page of targets: pick an atom, change a number, save, use, delete; what is wrong is told."""

import json
from pathlib import Path

import pytest

from legocryst.crystal.io.structures import to_cif
from legocryst.environment.target_library import save, saved_names, target
from tests.pages.test_pages import _close_database, opened

__all__ = ["_close_database"]


def test_a_target_is_made_of_a_shipped_crystal_saved_and_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    test = opened("target", tmp_path, monkeypatch)
    test.segmented_control(key="target.from").set_value("A shipped crystal").run()
    assert not test.exception and not test.error
    assert list(test.dataframe[0].value["Bonds"]) == [3]
    next(field for field in test.number_input if field.label.startswith("End of the gap")).set_value(1.96)
    next(field for field in test.text_input if field.label == "Name").set_value("mine")
    next(button for button in test.button if button.label == "Save target").click().run()
    assert not test.exception and not test.error
    assert [done.value.split(" is saved")[0] for done in test.success] == ["mine"]
    assert test.session_state["settings"]["curate"]["target"] == "mine"
    made = target("mine", tmp_path)
    assert made.gap == 1.96 and made.coordination == 3
    test.button(key="target.delete.mine").click().run()
    assert not test.exception and saved_names(tmp_path) == []
    assert test.session_state["settings"]["curate"]["target"] != "mine"


def test_a_saved_target_with_numbers_beyond_the_usual_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    roomy = target("sp2-carbon").model_copy(update={"name": "roomy", "volume_per_atom": (750.0, 1450.0)})
    save(roomy, tmp_path)
    test = opened("target", tmp_path, monkeypatch)
    next(box for box in test.selectbox if box.label == "Target").set_value("roomy").run()
    assert not test.exception and not test.error
    assert 1450.0 in [field.value for field in test.number_input]


def test_limits_that_make_no_sense_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "targets").mkdir()
    (tmp_path / "targets" / "broken.json").write_text(json.dumps({"name": "broken"}))
    test = opened("target", tmp_path, monkeypatch)
    assert any("broken.json is no target" in text.value for text in test.markdown)
    next(field for field in test.number_input if field.label.startswith("End of the gap")).set_value(1.0).run()
    assert [error.value for error in test.error] == [
        "The target cannot be so: the lengths must be ordered: bond window around the bond, then gap, then second "
        "shell."
    ]


def test_a_name_that_is_taken_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    test = opened("target", tmp_path, monkeypatch)
    next(field for field in test.text_input if field.label == "Name").set_value("sp3-carbon")
    next(button for button in test.button if button.label == "Save target").click().run()
    assert [error.value[:40] for error in test.error] == ["The name sp3-carbon is taken by another "]


def test_an_upload_gives_its_atoms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from legocryst.ui.target.editor import uploaded

    cif = to_cif(target("sp3-carbon").reference.crystals()).encode()
    ((place, crystal, reason),) = uploaded("d.cif", cif)
    assert place == "d.cif" and reason == "" and crystal is not None and crystal.group[0] == 227
    ((_, nothing, sentence),) = uploaded("text.cif", b"no crystal")
    assert nothing is None and sentence.startswith("text.cif cannot be read as a CIF")
