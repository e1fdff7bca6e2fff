"""What commands read, write and say."""

import json
import resource
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from legocryst.infra.files import write_parquet

if TYPE_CHECKING:
    import pandas as pd

Result = dict[str, Any]
"""What `--json` prints."""


def say(text: str) -> None:
    """Print a line for the reader, on standard error."""
    print(text, file=sys.stderr, flush=True)


def refuse(sentence: str) -> int:
    """Say in one line what is wrong; returns the exit code."""
    say(f"legocryst: {' '.join(sentence.split())}")
    return 2


def print_json(result: Mapping[str, Any]) -> None:
    """Print the result as one line on standard output; what JSON does not know becomes text."""
    print(json.dumps(result, default=str), flush=True)


class Clock:
    """Processor seconds of this process and the children it has waited for, since the clock was made."""

    def __init__(self) -> None:
        self._start = self._now()

    @staticmethod
    def _now() -> float:
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return time.process_time() + children.ru_utime + children.ru_stime

    def seconds(self, elsewhere: float = 0.0) -> float:
        """Return CPU-s so far, with those that workers spent elsewhere (see `Executor.cpu_seconds`)."""
        return round(self._now() - self._start + elsewhere, 3)


def read(path: Path) -> "pd.DataFrame":
    """Return a table in METHOD's columns from CSV, Parquet or JSON."""
    from legocryst.crystal.io.table import TableError, read_table

    try:
        return read_table(path)
    except TableError as error:
        named = path.name in str(error)
        raise error if named else TableError(f"{path.name}: {error}") from error


def write(table: "pd.DataFrame", path: Path) -> None:
    """Write a table to CSV or Parquet by the ending; the file appears only when it is complete."""
    if path.suffix == ".parquet":
        write_parquet(table, path)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    table.to_csv(part, index=False)
    part.replace(path)


class Ticker:
    """A progress callback that prints at most one line a second, and none in the first `after` seconds of reports."""

    def __init__(self, what: str, *, after: float = 0.0) -> None:
        self._what, self._start, self._last = what, time.monotonic(), 0.0
        self._after, self._from = after, 0.0

    def __call__(self, done: int, total: int, *, seconds_left: float | None = None, **numbers: Any) -> None:
        """Say how much is done and how long the rest will take: as is said, else as the part that is done took."""
        now = time.monotonic()
        self._from = self._from or now + self._after
        if now < self._from or (done < total and now - self._last < 1):
            return
        self._last = now
        spent = max(now - self._start, 1e-3)
        left = spent / max(done, 1) * (total - done) if seconds_left is None else seconds_left
        extra = "".join(f", {name} {value}" for name, value in numbers.items())
        say(f"{self._what}: {done} of {total}{extra}, {done / spent:.0f} a second, {left:.0f} s left")

    def epoch(self, numbers: Mapping[str, Any]) -> None:
        """Report an epoch of training in the same way."""
        say(f"{self._what}: " + ", ".join(f"{name} {_short(value)}" for name, value in numbers.items()))


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
