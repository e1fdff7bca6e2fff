"""Functions compiled by Numba when they are first called, and kept on disk.

Numba notices a change of the module that holds a function, but not of the functions that this one calls in others. So
the compiled code stands in a folder named after the sources of all modules that have such functions: a change of any
compiles all of them anew.
"""

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar, cast

import numba

_PACKAGE = Path(__file__).parents[1]
_Function = TypeVar("_Function", bound=Callable[..., object])


def _folder() -> Path | None:
    """Make a folder beside the sources where one may write, else in the user's cache: nobody else may put code there.

    None where neither is possible: each process then compiles what it calls.
    """
    texts = (path.read_bytes() for path in sorted(_PACKAGE.rglob("*.py")))
    sources = [text for text in texts if b"from legocryst.infra.compiled import" in text]  # this one, too
    digest = hashlib.sha256(b"".join(sources)).hexdigest()[:16]
    for place in (_PACKAGE / "__pycache__", Path("~/.cache/legocryst")):
        with suppress(OSError, RuntimeError):  # RuntimeError: the user has no home
            folder = place.expanduser() / f"numba-{digest}"
            folder.mkdir(parents=True, exist_ok=True)
            if os.access(folder, os.W_OK):
                return folder
    return None


_KEPT = _folder()
setattr(numba.config, "CACHE_DIR", str(_KEPT or ""))  # noqa: B010 - Numba makes its settings when it is imported


def compiled(function: _Function) -> _Function:
    """Return the function as machine code; it may call others that are compiled, and lets other threads run meanwhile.

    Every operation is done as it is written. With sums in the order that is fastest, results would depend on whether
    the code was compiled just now or read from the disk, and the gain is four per cent.
    """
    return cast(_Function, numba.njit(cache=_KEPT is not None, nogil=True, error_model="numpy")(function))
