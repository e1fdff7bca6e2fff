"""The server's process: what it ends with."""

import subprocess
import sys
from pathlib import Path

from legocryst import ROOT
from scripts.browser import App


def test_server_that_is_told_to_end_ends_well(tmp_path: Path) -> None:
    app = App(tmp_path / "workspace")
    app.start()
    assert app.process is not None
    app.process.terminate()
    assert app.process.wait(60) == 0


def test_server_that_cannot_start_says_so() -> None:
    command = [sys.executable, "-m", "legocryst.ui.shell.server", "--server.port", "none"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1 and "'none' is not a valid integer" in done.stderr
