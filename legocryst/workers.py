"""Work spread over processes of one thread each."""

import os
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import TypeVar

_Part = TypeVar("_Part")
_Result = TypeVar("_Result")


def spread(
    work: Callable[[_Part], _Result], parts: Iterable[_Part], *, processes: int
) -> Generator[_Result, None, None]:
    """`work` on each part, in order; close the iterator to end early. Work and parts must be fit to be pickled."""
    spawn = get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=spawn, initializer=_end_with_parent) as pool:
        waiting = [pool.submit(work, part) for part in parts]
        try:
            for future in waiting:
                yield future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    """A worker whose parent is killed would wait for work forever; this ends it."""
    parent = parent_process()
    assert parent is not None, "only started as a worker"

    def watch() -> None:
        parent.join()
        os._exit(1)

    Thread(target=watch, daemon=True).start()
