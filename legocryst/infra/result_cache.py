"""Results that jobs leave for themselves and for others, so that nothing is computed twice in a workspace."""

import json
import time
from collections.abc import Iterable, Iterator, MutableMapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pandas as pd

from legocryst.infra.files import write_parquet

SECONDS = 10.0
"""Rows wait at most so long before they are written."""


class ResultCache(MutableMapping[str, dict[str, Any]]):
    """Rows by key, read from the Parquet files of some folders; new ones are written to the first, some at a time.

    A context manager, which writes what is left at its end.
    """

    def __init__(self, folder: Path, others: Iterable[Path] = ()) -> None:
        self._folder, self._rows, self._new = folder, dict[str, dict[str, Any]](), list[str]()
        for path in sorted(path for place in {folder, *others} for path in place.glob("*.parquet")):
            for key, text in pd.read_parquet(path).itertuples(index=False):
                self._rows[key] = json.loads(text)
        self._last = time.monotonic()

    def __getitem__(self, key: str) -> dict[str, Any]:
        return self._rows[key]

    def __setitem__(self, key: str, row: dict[str, Any]) -> None:
        self._rows[key] = row
        self._new.append(key)
        if time.monotonic() - self._last >= SECONDS:
            self.write()

    def __delitem__(self, key: str) -> None:
        raise TypeError("what is kept stays")

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.write()

    def write(self) -> None:
        """Write the new rows as a file that appears only when it is whole."""
        if self._new:
            rows = [(key, json.dumps(self._rows[key])) for key in self._new]
            number = sum(1 for _ in self._folder.glob("*.parquet"))
            write_parquet(pd.DataFrame(rows, columns=["key", "row"]), self._folder / f"{number:05d}.parquet")
        self._new, self._last = [], time.monotonic()
