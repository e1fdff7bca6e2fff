"""What runs on a worker of Dask distributed; imported only where distributed is at hand."""

import pickle
import sys
import time
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from threading import Lock
from typing import Any

from distributed import WorkerPlugin, get_worker

from legocryst import __version__
from legocryst.infra.executors.base import ExecutorError

PACKAGES = ("numpy", "scipy", "numba", "pandas", "torch", "spglib", "sevenn", "dftd3", "cloudpickle", "distributed")
"""What results depend on, and the pickles between client and workers."""


class Inputs(WorkerPlugin):
    """Work and shared inputs as a worker has them: unpickled at its first part, since that may take time."""

    def __init__(self, content: bytes, made_with: dict[str, str]) -> None:
        self._content, self._made_with = content, made_with
        self._loaded: tuple[Callable[..., Any], dict[str, Any]] | None = None
        self._lock = Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        return Inputs, (self._content, self._made_with)

    def load(self) -> tuple[Callable[..., Any], dict[str, Any]]:
        """Return work and keyword arguments; raises ExecutorError where packages differ from the client's."""
        with self._lock:
            if self._loaded is None:
                if words := differences(self._made_with, versions()):
                    raise ExecutorError(
                        f"a worker has other versions than this computer ({words}): install the same where workers run"
                    )
                self._loaded = pickle.loads(self._content)
            return self._loaded


def do(name: str, content: bytes) -> tuple[bytes, float]:
    """Do a pickled part; returns the pickled result, and CPU-s."""
    start = time.thread_time()
    inputs = get_worker().plugins[name]
    assert isinstance(inputs, Inputs)
    work, shared = inputs.load()
    result = pickle.dumps(work(pickle.loads(content), **shared), pickle.HIGHEST_PROTOCOL)
    return result, time.thread_time() - start


def versions() -> dict[str, str]:
    """Return the versions that client and workers must share; "none" of a package that is not installed."""
    installed = {"python": ".".join(map(str, sys.version_info[:2])), "legocryst": __version__}
    for name in PACKAGES:
        try:
            installed[name] = version(name)
        except PackageNotFoundError:
            installed[name] = "none"
    return installed


def differences(here: Mapping[str, str], there: Mapping[str, str]) -> str:
    """Return in words which versions differ, "" where none does."""
    names = [name for name, value in here.items() if there.get(name) != value]
    return ", ".join(f"{name} {there.get(name, 'none')} instead of {here[name]}" for name in names)
