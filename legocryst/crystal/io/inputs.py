"""What a user offers: each crystal in files, folders, archives and databases, or the reason why it is none.

Nothing is left out silently: every file of a folder or an archive is one offer or more, hidden files apart.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from legocryst.crystal.crystals import Crystals
from legocryst.crystal.io.archives import files
from legocryst.crystal.io.readers import Entry, entries, rows
from legocryst.crystal.io.structures import FileError
from legocryst.crystal.io.table import TableError

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Offer:
    """One crystal that was offered, or a file that could not be read."""

    place: str  # the file, and the number in it where there are several: "set.zip/a.cif#2"
    crystal: Crystals | None = None  # a batch of one in the standard setting of its group
    reason: str = ""  # one sentence, why there is none
    words: Mapping[str, Any] = field(default_factory=dict)  # source, licence, energy, where a table has them
    note: str = ""  # what was chosen when it was read, as the setting of a CIF without operators


def offers(
    source: pd.DataFrame | str | Path | Sequence[str | Path],
    *,
    element: int | None = None,
    symprec: float = 0.01,
    max_atoms: int | None = None,
    progress: Progress | None = None,
) -> list[Offer]:
    """Return each crystal of a table, or of files, folders and archives, in order.

    Crystals come in the standard setting of the group that spglib finds within `symprec` angstrom; those of more than
    `max_atoms` atoms in the conventional cell are refused. Tables without elements are of atomic number `element`, and
    refused where it is None.
    `progress(done, total)` counts crystals; the total grows while files are opened. Raises FileError, or TableError,
    with one sentence where a path does not exist, or where a single file is all that is given and it cannot be read.
    """
    if isinstance(source, pd.DataFrame):
        return list(_made("table", rows(source, element=element), symprec, max_atoms, _Count(1, progress)))
    paths = [Path(path) for path in ([source] if isinstance(source, str | Path) else source)]
    with TemporaryDirectory(prefix="legocryst-") as room:
        listed = [file for path in paths for file in files(path, Path(room))]
        count = _Count(len(listed), progress)
        out = [offer for place, file in listed for offer in _of_file(place, file, element, symprec, max_atoms, count)]
    if len(out) == len(paths) == 1 and out[0].crystal is None and paths[0].is_file():
        raise FileError(_with_name(paths[0].name, out[0].reason))
    return out


class _Count:
    """How many crystals are done, of how many that are known of."""

    def __init__(self, files: int, progress: Progress | None) -> None:
        self.done, self.total, self.progress = 0, files, progress

    def opened(self, crystals: int) -> None:
        """Count the crystals that a file turned out to hold."""
        self.total += crystals - 1

    def tick(self) -> None:
        """Count one more as done."""
        self.done += 1
        if self.progress is not None:
            self.progress(self.done, self.total)


def _of_file(
    place: str, file: Path | FileError, element: int | None, symprec: float, max_atoms: int | None, count: _Count
) -> Iterator[Offer]:
    try:
        if isinstance(file, FileError):
            raise file
        candidates = entries(file, element=element)
    except (FileError, TableError) as error:
        count.tick()
        yield Offer(place, reason=str(error))
        return
    yield from _made(place, candidates, symprec, max_atoms, count)


def _made(place: str, candidates: list[Entry], symprec: float, max_atoms: int | None, count: _Count) -> Iterator[Offer]:
    count.opened(len(candidates))
    for k, entry in enumerate(candidates, 1):
        where = f"{place}#{k}" if len(candidates) > 1 else place
        try:
            crystal, note = entry.make(symprec, max_atoms)
            yield Offer(where, crystal, words=entry.words, note=note)
        except FileError as error:
            yield Offer(where, reason=str(error))
        count.tick()


def _with_name(name: str, sentence: str) -> str:
    return sentence if name in sentence else f"{name}: {sentence}"
