"""What long work is given beside its data: seed, executor, cache, where progress goes, and whether to stop."""

from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from legocryst.infra.executors import SERIAL, Executor

Cache = MutableMapping[str, dict[str, Any]]
"""Rows that were computed, by key (see `result_cache.ResultCache`)."""
Progress = Callable[..., None]
"""Called as `progress(done, total, **numbers)`; of training, with one mapping after each epoch."""


class Stopped(Exception):
    """Raised where work ends because it was asked to stop."""


def _ignore(*_: Any, **__: Any) -> None:
    """Take progress nowhere."""


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """How a piece of work is done, which changes none of its results but by the seed."""

    seed: int = 0
    executor: Executor = SERIAL
    cache: Cache | None = None
    progress: Progress = _ignore
    should_stop: Callable[[], bool] = _never

    def rng(self, *extra: int) -> np.random.Generator:
        """Return random numbers of the seed and of further numbers that tell parts of the work apart."""
        return np.random.default_rng([self.seed, *extra])

    def with_progress(self, progress: Progress) -> "RunContext":
        """Return the same with progress going elsewhere."""
        return replace(self, progress=progress)


SILENT = RunContext()
"""Seed 0, in this process, nothing kept, nothing reported, never stopped."""
