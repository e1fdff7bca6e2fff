"""The face that every way to spread work has."""

from collections.abc import Callable, Generator, Mapping, Sequence
from math import inf
from typing import Any, Protocol, TypeVar

Part = TypeVar("Part")
Result = TypeVar("Result")
IN_FLIGHT = 4
"""Parts for each worker that are handed out at a time: enough that none waits, few enough to close soon."""


class ExecutorError(ValueError):
    """Work cannot be spread, or its workers were lost; the message says what to do."""


class Executor(Protocol):
    """A way to do the same work on many parts; what comes out depends on the work and the parts only."""

    @property
    def cpu_seconds(self) -> float:
        """CPU-s of workers so far that no child process of this one will account for."""
        ...

    def at_once(self, parts: int, seconds: float = inf) -> int:
        """Return how many parts of a number with some CPU-s together are worked on at the same time."""
        ...

    def map(
        self,
        work: Callable[..., Result],
        parts: Sequence[Part],
        *,
        shared: Mapping[str, Any] | None = None,
        seconds: float = inf,
    ) -> Generator[Result, None, None]:
        """Yield `work(part, **shared)` of each part, in order; close the generator to end early.

        Work and `shared` travel once to each worker, parts as they are needed; all must be fit to be pickled, and so
        must the results. `seconds` estimates the CPU-s of all parts together. An exception of the work is raised here.
        Raises ExecutorError when workers were lost.
        """
        ...
