"""Files of one crystal each, for commands that answer for every file."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from legocryst import settings as s

if TYPE_CHECKING:
    from legocryst.crystal.representation import Crystals

LATTICE_POINTS = 4
"""A conventional cell has at most so many times the atoms of the primitive one."""
Stage = TypeVar("Stage", bound=s.Settings)


def read_one(path: Path, *, element: int, max_atoms: int) -> "Crystals | str":
    """The one crystal of a file, or what is wrong with it; `max_atoms` are those of the primitive cell."""
    from legocryst.crystal.files import FileError
    from legocryst.crystal.sources import offers

    if path.is_dir():
        return f"{path.name} is a folder: name its files"
    try:
        found = offers(path, element=element, max_atoms=LATTICE_POINTS * max_atoms)
    except FileError as error:
        return " ".join(str(error).split())
    if len(found) != 1:
        return f"{path.name} holds {len(found)} crystals: give files of one crystal each"
    return found[0].reason if found[0].crystal is None else found[0].crystal


def settings_of(options: argparse.Namespace, model: type[Stage]) -> Stage:
    """Settings of a class with what was named on the command line."""
    given = vars(options)
    return model(**{name: given[name] for name in model.model_fields if name in given})
