"""Ways to spread work over processes, all with one face (`Executor`), and the choice among them by a text."""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from legocryst.infra.executors.base import Executor, ExecutorError
from legocryst.infra.executors.dask import connected, local_cluster
from legocryst.infra.executors.local import SERIAL, LocalProcesses
from legocryst.infra.extras import require

__all__ = ["SERIAL", "Executor", "ExecutorError", "LocalProcesses", "checked", "executor"]

_ADDRESS = re.compile(r"(tcp|tls|ucx|ws|wss)://[^\s/:]\S*:\d+")
_LOCAL = re.compile(r"local:0*[1-9]\d*")


@contextmanager
def executor(cluster: str = "", *, processes: int = 1) -> Iterator[Executor]:
    """Give the executor that a text names, for as long as the block lasts.

    "" spreads work over up to `processes` processes of this computer, `local:N` over a Dask cluster of N of them; the
    address of a Dask scheduler, or the path of its file, over its workers. Raises ExecutorError as `checked` does, and
    where no scheduler answers.
    """
    cluster = checked(cluster)
    if not cluster:
        yield LocalProcesses(processes)
        return
    if _LOCAL.fullmatch(cluster):
        ways = local_cluster(int(cluster.partition(":")[2]))
    else:
        ways = connected(cluster if _ADDRESS.fullmatch(cluster) else _address_in(Path(cluster)))
    with ways as spread:
        yield spread


def checked(cluster: str) -> str:
    """Return the text of a cluster, a path made absolute.

    Raises ExecutorError where it names none, and MissingExtra where Dask distributed is not installed.
    """
    cluster = cluster.strip()
    if not cluster:
        return ""
    most = 4 * len(os.sched_getaffinity(0))
    if _LOCAL.fullmatch(cluster) and int(cluster.partition(":")[2]) > most:
        raise ExecutorError(f"{cluster} is too many processes for this computer: name at most local:{most}")
    if not (_LOCAL.fullmatch(cluster) or _ADDRESS.fullmatch(cluster)):
        path = Path(cluster).expanduser()
        if not path.is_file():
            raise ExecutorError(
                f"{cluster!r} names no cluster: give local:N (N processes of this computer), the address of a Dask "
                "scheduler as tcp://HOST:PORT, or the path of the file that `dask scheduler --scheduler-file` wrote"
            )
        _address_in(path)
        cluster = str(path.resolve())
    require("cluster")
    return cluster


def _address_in(path: Path) -> str:
    """Return the address that a scheduler's file holds."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:  # no JSON, or no text
        content = None
    if not isinstance(content, dict) or not isinstance(content.get("address"), str):
        raise ExecutorError(
            f"{path} is no file of a Dask scheduler: give one that `dask scheduler --scheduler-file` wrote"
        )
    return content["address"]
