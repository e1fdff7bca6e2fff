"""Stars and notes that a reader gives to crystals: a JSON file of the workspace, from which the database takes them."""

import fcntl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from legocryst.infra.files import read_json, write_json

FILE = "marks.json"
NOTE = 2000
"""Most characters of a note."""


def marks(workspace: Path) -> dict[str, dict[str, Any]]:
    """Return `starred` and `note` of each crystal that has one of them, by its name."""
    return read_json(workspace / FILE)


def mark(workspace: Path, names: Sequence[str], *, starred: bool | None = None, note: str | None = None) -> None:
    """Change star, note or both of some crystals; None leaves as it is. Raises ValueError for too long a note."""
    if note is not None and len(note) > NOTE:
        raise ValueError(f"this note has {len(note)} characters, and {NOTE} are the most: shorten it")
    changed = {"starred": starred, "note": None if note is None else note.strip()}
    changed = {key: value for key, value in changed.items() if value is not None}
    with _alone(workspace):
        kept = marks(workspace)
        for name in names:
            kept[name] = {"starred": False, "note": ""} | kept.get(name, {}) | changed
        kept = {name: one for name, one in kept.items() if one["starred"] or one["note"]}
        write_json(workspace / FILE, kept)


@contextmanager
def _alone(workspace: Path) -> Iterator[None]:
    """Keep two programs, or two threads, from losing each other's change."""
    with (workspace / f"{FILE}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
