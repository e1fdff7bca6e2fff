import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from legocryst.cli import main


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `main` sets for the threads goes with the test."""
    for name, value in {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("LEGOCRYST_WORKSPACE", raising=False)


@pytest.fixture
def call(capfd: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    """Run a command on one thread that must succeed; returns the JSON of the last line of its standard output."""

    def run(*arguments: object) -> dict[str, Any]:
        capfd.readouterr()
        code = main([*map(str, arguments), "--threads", "1", "--json"])
        out, said = capfd.readouterr()
        assert code == 0, said
        return dict(json.loads(out.splitlines()[-1]))

    return run


@pytest.fixture
def refused(capfd: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a command that must be refused; returns its one sentence, all that it said."""

    def run(*arguments: object) -> str:
        capfd.readouterr()
        try:
            code = main([*map(str, arguments), "--json"])
        except SystemExit as end:  # argparse
            code = int(end.code or 0)
        out, said = capfd.readouterr()
        assert code == 2 and out == ""
        assert said.startswith("legocryst: ") and said.count("\n") == 1, said
        return said

    return run


@pytest.fixture(scope="session")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of files that are no crystal to work on."""
    from tests.cli import wrong_files

    folder = tmp_path_factory.mktemp("wrong")
    wrong_files.write(folder)
    return folder
