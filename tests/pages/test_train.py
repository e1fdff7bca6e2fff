"""The page Train over jobs that are finished: trainings beside each other."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from legocryst import ROOT
from legocryst.settings import RunSettings, preset
from legocryst.ui.shell.shell import _writer
from tests.workspaces import finished


def test_trainings_are_compared_by_names_that_tell_them_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = preset("smoke").model_dump()
    for model in ("cvae", "cvae", "transformer"):
        finished(tmp_path, RunSettings.model_validate(values | {"train": values["train"] | {"model": model}}), busy=2)
    monkeypatch.setenv("LEGOCRYST_WORKSPACE", str(tmp_path))
    monkeypatch.setattr("legocryst.ui.shell.shell.link", lambda *_, **__: None)  # AppTest has one page only
    test = AppTest.from_file(str(ROOT / "pages" / "train.py"), default_timeout=60)
    test.session_state["routed"] = True
    test.run()
    assert not test.exception
    compared = test.multiselect(key="compared")
    compared.set_value(compared.options).run()
    table = test.dataframe[-1].value
    assert sorted(name.split(",")[0] for name in table["Training"]) == ["cvae", "cvae", "transformer"]
    assert table["Training"].is_unique and table["CPU-s"].tolist() == [6, 6, 6]
    _writer(str(tmp_path.resolve())).stop()
    _writer.clear()
