"""Work spread by Dask distributed: over worker processes of this computer, or over those of any scheduler.

A worker needs this package installed, and nothing else of the client: work, shared inputs, parts and results travel as
pickles. Work and shared inputs are a plugin of the workers, so that each gets them once, also one that joins later or
takes a dead one's place. Of a dead worker's parts those without a result that has arrived are done again.
"""

import logging
import os
import pickle
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from math import inf
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from legocryst import __version__
from legocryst.infra.executors.base import IN_FLIGHT, ExecutorError, Part, Result

if TYPE_CHECKING:
    from distributed import Client, Future

CONNECT_SECONDS = 10
PATIENCE = 300.0
"""Seconds for which work waits without any worker."""
POLL_SECONDS = 15
RETRIES = 2
"""How often a part that failed is tried again, since the fault may be its host's."""
ALLOWED_FAILURES = 1000
"""Dead workers that a part is forgiven: whatever was on a worker that dies grows suspect, whoever was to blame."""
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


class DaskExecutor:
    """Parts as tasks of a scheduler, a bounded number at a time; see `local_cluster` and `connected`."""

    def __init__(self, client: "Client", address: str) -> None:
        self._client, self._address = client, address
        self._seconds = 0.0
        self._threads, self._counted = 0, -inf

    @property
    def cpu_seconds(self) -> float:
        """CPU-s of all parts whose results arrived."""
        return self._seconds

    def at_once(self, parts: int, seconds: float = inf) -> int:
        """Return the number of threads of all workers, or that of parts; however little the work, it is spread."""
        return max(1, min(self._count_threads(), parts))

    def map(
        self,
        work: Callable[..., Result],
        parts: Sequence[Part],
        *,
        shared: Mapping[str, Any] | None = None,
        seconds: float = inf,
    ) -> Generator[Result, None, None]:
        """See `Executor.map`."""
        if not parts:
            return
        name, rest = f"legocryst-{uuid4().hex}", iter(parts)
        waiting: deque[Future] = deque()
        self._install(name, work, shared or {})
        try:
            while True:
                room = IN_FLIGHT * max(1, self._count_threads()) - len(waiting)
                waiting.extend(self._submit(name, part) for part in islice(rest, max(0, room)))
                if not waiting:
                    return
                yield self._result(waiting[0])
                waiting.popleft()
        finally:
            if self._client.status == "running":  # else the scheduler is gone, or was left before this was closed
                with suppress(OSError):  # of a worker that died just now
                    self._client.cancel(list(waiting))
                    self._client.unregister_worker_plugin(name)

    def _install(self, name: str, work: Callable[..., Any], shared: Mapping[str, Any]) -> None:
        """Give the inputs to all workers that are there and, through the scheduler, to those that come."""
        from distributed.protocol.pickle import dumps

        from legocryst.infra.executors.dask_worker import Inputs, versions

        inputs = Inputs(dumps((work, dict(shared))), versions())
        try:
            self._client.register_plugin(inputs, name=name)
        except (ImportError, AttributeError) as error:
            raise ExecutorError(
                f"a worker of {self._address} cannot load LEGO-Cryst ({error}): install version {__version__} where "
                "workers run"
            ) from error
        except OSError as error:
            if self._client.status != "running":
                raise self._gone() from error
            # else a worker died just now; the one in its place asks the scheduler

    def _submit(self, name: str, part: Any) -> "Future":
        from legocryst.infra.executors.dask_worker import do

        content = pickle.dumps(part, pickle.HIGHEST_PROTOCOL)
        try:
            return self._client.submit(do, name, content, key=f"part-{uuid4().hex}", pure=False, retries=RETRIES)
        except (OSError, RuntimeError) as error:
            if self._client.status == "running":
                raise
            raise self._gone() from error

    def _result(self, future: "Future") -> Any:
        """Wait for a part and return its result."""
        from concurrent.futures import CancelledError

        from distributed.scheduler import KilledWorker

        alone_since: float | None = None
        try:
            while True:
                with suppress(TimeoutError):
                    future.exception(timeout=POLL_SECONDS)
                if future.done():
                    break
                alone_since = self._still_alone(alone_since)
            content, seconds = future.result()
        except KilledWorker as error:
            raise ExecutorError(
                f"workers of {self._address} died again and again at the same part: give them more memory, or the "
                "scheduler a higher distributed.scheduler.allowed-failures (docs/cluster.md), and start again; a "
                "job is resumed where it was"
            ) from error
        except CancelledError as error:
            raise self._gone() from error
        self._seconds += seconds
        return pickle.loads(content)

    def _still_alone(self, since: float | None) -> float | None:
        """Return since when there is no worker; raises ExecutorError when that is too long."""
        self._threads = 0
        if self._count_threads():
            return None
        since = time.monotonic() if since is None else since
        if time.monotonic() - since > PATIENCE:
            raise ExecutorError(
                f"{self._address} has had no worker for {PATIENCE / 60:g} minutes: start some (docs/cluster.md), and "
                "start again; a job is resumed where it was"
            )
        return since

    def _count_threads(self) -> int:
        """Return the threads of all workers, counted anew every few seconds, since workers come and go."""
        if not self._threads or time.monotonic() - self._counted > POLL_SECONDS:
            try:
                self._threads = sum(self._client.nthreads().values())
            except (OSError, RuntimeError) as error:
                if self._client.status == "running":
                    raise
                raise self._gone() from error
            self._counted = time.monotonic()
        return self._threads

    def _gone(self) -> ExecutorError:
        return ExecutorError(
            f"the Dask scheduler at {self._address} ended or is out of reach: start it again, and then this; a job is "
            "resumed where it was"
        )


@contextmanager
def local_cluster(workers: int) -> Iterator[DaskExecutor]:
    """Give an executor over a cluster of worker processes on this computer, which ends with the block."""
    from distributed import Client, LocalCluster

    with _environment(ONE_THREAD):  # a worker takes it over when it is started, also in another's place
        cluster = LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            memory_limit=0,
            dashboard_address=None,
            silence_logs=logging.ERROR,  # that work was cancelled is no news
            # without an address its web server, which serves no dashboard here, takes the port of another's
            scheduler_kwargs={"allowed_failures": ALLOWED_FAILURES, "dashboard_address": "127.0.0.1:0"},
        )
    with cluster, Client(cluster, set_as_default=False) as client:
        yield DaskExecutor(client, "the cluster on this computer")


@contextmanager
def connected(address: str) -> Iterator[DaskExecutor]:
    """Give an executor over the workers of a running scheduler. Raises ExecutorError where none answers."""
    from distributed import Client

    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, RuntimeError) as error:
        raise ExecutorError(
            f"no Dask scheduler answers at {address}: start one there with `dask scheduler`, or correct the address"
        ) from error
    with client:
        yield DaskExecutor(client, address)


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
