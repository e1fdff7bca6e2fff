"""Every page under AppTest: an empty workspace, and one with a finished run."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from legocryst import ROOT
from legocryst.jobs import create, work
from legocryst.settings import RunSettings
from legocryst.ui.shell import PAGES, _writer


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a small run of the random generator."""
    folder = tmp_path_factory.mktemp("demo")
    settings = {"train": {"model": "random"}, "sample": {"samples": 60}, "rank": {"energies": False}}
    work(create(folder, "run", RunSettings.model_validate(settings), threads=1))
    return folder


def opened(page: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("LEGOCRYST_WORKSPACE", str(folder))
    test = AppTest.from_file(str(ROOT / "pages" / PAGES[page].file), default_timeout=60)
    test.session_state["routed"] = True
    return test.run()


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("filled", [False, True], ids=["empty", "demo"])
def test_page_draws(page: str, filled: bool, demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = demo if filled else tmp_path
    monkeypatch.setattr("legocryst.ui.shell.link", lambda *_, **__: None)
    test = opened(page, folder, monkeypatch)
    writer = _writer(str(folder))
    writer.store.ingest()
    test.run()
    assert not test.exception
    assert test.title[0].value
    writer.stop()
    _writer.clear()
