"""Functions compiled by Numba when they are first called, and kept on disk.

Numba notices a change of the module that holds a function, but not of the functions that this one calls in others. So
the compiled code stands in a folder named after all their sources: a change of any compiles all of them anew.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

import numba

_HERE = Path(__file__).parent
_ROOMS = ("environment", "relax", "analysis")
"""Folders in which functions are compiled."""
_Function = TypeVar("_Function", bound=Callable[..., object])


def _folder() -> Path:
    """Beside the sources where one may write, else in the user's own cache: nobody else may put code there."""
    paths = sorted(path for room in _ROOMS for path in (_HERE / room).glob("*.py"))
    sources = [source for path in [Path(__file__), *paths] if b"compiled" in (source := path.read_bytes())]
    digest = hashlib.sha256(b"".join(sources)).hexdigest()[:16]
    if os.access(_HERE, os.W_OK):
        return _HERE / "__pycache__" / f"numba-{digest}"
    return Path.home() / ".cache" / "legocryst" / f"numba-{digest}"


setattr(numba.config, "CACHE_DIR", str(_folder()))  # noqa: B010 - Numba makes its settings when it is imported


def compiled(function: _Function) -> _Function:
    """The function as machine code; it may call others that are compiled, and lets other threads run meanwhile.

    Sums may be added in the order that is fastest, the same for equal sources and processors.
    """
    loose = {"contract", "reassoc", "arcp", "nsz"}
    return cast(_Function, numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=loose)(function))
