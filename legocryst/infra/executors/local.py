"""Work in this process, or spread over processes of one thread each on this computer."""

import os
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from math import inf
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import Any

from legocryst.infra.executors.base import IN_FLIGHT, ExecutorError, Part, Result

START_SECONDS = 8.0
"""Until a process has loaded what it needs."""


@dataclass(frozen=True, slots=True)
class LocalProcesses:
    """Up to a number of processes for each `map`, which end with it; little work is done in this process."""

    processes: int = 1

    @property
    def cpu_seconds(self) -> float:
        """None: the operating system counts those of child processes."""
        return 0.0

    def at_once(self, parts: int, seconds: float = inf) -> int:
        """Return 1 where this process is done before others have begun, see `Executor.at_once`."""
        most = min(self.processes, parts)
        return most if most > 1 and seconds * (1 - 1 / most) > START_SECONDS else 1

    def map(
        self,
        work: Callable[..., Result],
        parts: Sequence[Part],
        *,
        shared: Mapping[str, Any] | None = None,
        seconds: float = inf,
    ) -> Generator[Result, None, None]:
        """See `Executor.map`."""
        options = dict(shared or {})
        processes = self.at_once(len(parts), seconds)
        if processes == 1:
            for part in parts:
                yield work(part, **options)
            return
        spawn = get_context("spawn")
        with ProcessPoolExecutor(processes, mp_context=spawn, initializer=_begin, initargs=(work, options)) as pool:
            rest, waiting = iter(parts), deque[Future[Result]]()
            try:
                while True:
                    room = IN_FLIGHT * processes - len(waiting)
                    waiting.extend(pool.submit(_do, part) for part in islice(rest, room))
                    if not waiting:
                        return
                    yield waiting.popleft().result()
            except BrokenProcessPool as error:
                raise ExecutorError(
                    "a process that did part of the work was killed, perhaps because memory ran out: use fewer cores, "
                    "or free memory, and start again; a job is resumed where it was"
                ) from error
            finally:
                pool.shutdown(cancel_futures=True)


SERIAL = LocalProcesses(1)
"""All work in this process."""

_given: tuple[Callable[..., Any], dict[str, Any]]
"""In a worker process: the work, and what all parts share."""


def _begin(work: Callable[..., Any], options: dict[str, Any]) -> None:
    """Take the work over; a worker whose parent is killed would wait for parts forever, so end with it."""
    global _given
    _given = work, options
    parent = parent_process()
    assert parent is not None, "only started as a worker"

    def watch() -> None:
        parent.join()
        os._exit(1)

    Thread(target=watch, daemon=True).start()


def _do(part: Any) -> Any:
    work, options = _given
    return work(part, **options)
