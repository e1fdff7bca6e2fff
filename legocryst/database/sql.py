"""A SELECT over a copy of the database, asked in a process that can do nothing else.

The process (`legocryst/database/sql_worker.py`) opens the copy read-only, has no access to files, network, extensions
or other databases, cannot change a setting, takes one SELECT and nothing else, has little memory, and is ended after
some seconds whatever it does.
"""

import json
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Self

from legocryst import ROOT
from legocryst.database.store import Store

if TYPE_CHECKING:
    import pandas as pd

SECONDS = 10.0
ROWS = 1000
TABLES = ("candidates", "crystals", "energies", "bands", "seeds", "reference", "augmented", "training", "jobs")
"""Worth to ask, the most useful first."""


class SqlError(ValueError):
    """A question without an answer; the message says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a SELECT gave."""

    rows: "pd.DataFrame"
    cut: bool  # there were more rows, or longer texts


class Copy:
    """A copy of a store's database in a folder of its own, which goes with it."""

    def __init__(self, store: Store) -> None:
        self._folder = TemporaryDirectory(prefix="legocryst-")
        self.path = Path(self._folder.name) / "copy.duckdb"
        store.copy(self.path)

    def close(self) -> None:
        """Remove the copy."""
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, sql: str, *, seconds: float = SECONDS, rows: int = ROWS) -> Answer:
        """Return the first rows that a SELECT gives; raises SqlError for anything else, and when it takes too long."""
        import pandas as pd

        question = json.dumps({"path": str(self.path), "sql": sql, "rows": rows, "seconds": seconds})
        command = [sys.executable, "-m", "legocryst.database.sql_worker"]
        done = subprocess.run(command, input=question, capture_output=True, text=True, cwd=ROOT)
        if done.returncode in (-signal.SIGALRM, -signal.SIGXCPU):
            raise SqlError(
                f"no answer within {seconds:g} seconds, so it was stopped: ask for less, or narrow it with WHERE"
            )
        if done.returncode:
            raise SqlError("the question used more memory than it may have, so it was stopped: ask for less")
        answer: dict[str, Any] = json.loads(done.stdout)
        if "error" in answer:
            raise SqlError(answer["error"])
        return Answer(pd.DataFrame(answer["rows"], columns=answer["columns"]), answer["cut"])
