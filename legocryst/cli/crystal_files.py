"""Files of one crystal each, for commands that answer for every file."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from legocryst.crystal.crystals import Crystals

LATTICE_POINTS = 4
"""The most times a conventional cell has the atoms of the primitive one."""
ADVICE = {
    "impossible cell": "correct its lengths and angles",
    "overlapping atoms": "correct the file",
    "more than": "allow more with --max-atoms",
}
"""What to do, by how a reason begins that every command may have."""


def read_one(path: Path, *, element: int, max_atoms: int) -> "Crystals | str":
    """Return the one crystal of a file, or what is wrong with it; `max_atoms` are those of the primitive cell."""
    from legocryst.crystal.io.inputs import offers
    from legocryst.crystal.io.structures import FileError

    if path.is_dir():
        return f"{path.name} is a folder: name its files"
    try:
        candidates = offers(path, element=element, max_atoms=LATTICE_POINTS * max_atoms)
    except FileError as error:
        return " ".join(str(error).split())
    if len(candidates) != 1:
        return f"{path.name} holds {len(candidates)} crystals: give files of one crystal each"
    return candidates[0].reason if candidates[0].crystal is None else candidates[0].crystal


def advised(reason: str, advice: Mapping[str, str], *, default: str | None = None) -> str:
    """Return a reason and what to do, by how the reason begins."""
    listed = {**ADVICE, **advice}.items()
    todo = next((words for start, words in listed if reason.startswith(start)), default)
    assert todo is not None, f"no advice for {reason!r}"
    return f"{reason}: {todo}"
