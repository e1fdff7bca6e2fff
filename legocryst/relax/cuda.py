"""The same minimisation on an NVIDIA card: one thread takes one crystal after another from the queue.

The functions that Numba compiles for the processor are compiled for the card too, so there is one code. It needs the
packages of requirements-cuda.txt (`make cuda`) and a card that torch, or any other program, could use.
"""

from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np
from numba import config, cuda

from legocryst.environment.descriptors import Scratch
from legocryst.infra.compiled import compiled
from legocryst.relax.minimize import Stages, Workspace, minimize_one, workspace
from legocryst.relax.objective import Objectives
from legocryst.relax.system import System

THREADS = 64
"""Threads of a block; each has a crystal of its own, and blocks of few threads share the processors evenly."""
SHARE = 0.5
"""Share of the card's free memory that is used."""


@cache
def card_found() -> bool:
    """Say whether there is a card, with the packages to use it; the simulator of Numba counts as one."""
    simulated: bool = getattr(config, "ENABLE_CUDASIM")  # noqa: B009 - Numba makes its settings when it is imported
    return simulated or (find_spec("numba_cuda") is not None and cuda.is_available())


def minimize_on_card(
    system: System, objectives: Objectives, stages: Stages, adam: bool, x: np.ndarray, evaluations: np.ndarray
) -> None:
    """Run `minimize.minimize` on the card: fills x (v,) and evaluations (n,)."""
    one = workspace(system, objectives)
    threads = min(THREADS, len(evaluations))
    places = SHARE * cuda.current_context().get_memory_info()[0] / _bytes(one)
    blocks = int(min(-(-len(evaluations) // threads), max(places // threads, 1)))
    rooms = _mapped(one, lambda array: cuda.device_array((blocks * threads, *array.shape), array.dtype))
    inputs = [
        _mapped(each, lambda array: cuda.to_device(np.ascontiguousarray(array)))
        for each in (system, objectives, stages)
    ]
    queue, variables, counted = cuda.to_device(np.zeros(1, np.int64)), cuda.to_device(x), cuda.to_device(evaluations)
    _run[blocks, threads](*inputs, adam, rooms, queue, variables, counted)
    variables.copy_to_host(x)
    counted.copy_to_host(evaluations)


def _bytes(value: Any) -> int:
    return sum(map(_bytes, value)) if isinstance(value, tuple) else np.asarray(value).nbytes


def _mapped(value: Any, function: Any) -> Any:
    """Return nested named tuples with each array replaced; numbers stay."""
    if isinstance(value, np.ndarray):
        return function(value)
    if not isinstance(value, tuple):
        return value
    parts = [_mapped(each, function) for each in value]
    return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)


@compiled
def room(rooms: Workspace, i: int) -> Workspace:
    """Return the i-th of many workspaces, whose arrays have one more axis for i."""
    s = rooms.scratch
    scratch = Scratch(
        s.inside[i],
        s.unit[i],
        s.radial[i],
        s.slope[i],
        s.monomial[i],
        s.moment[i],
        s.coefficient[i],
        s.pull[i],
        s.adjoint[i],
        s.invariant[i],
        s.feature[i],
    )
    return Workspace(
        rooms.x[i],
        rooms.trial[i],
        rooms.gradient[i],
        rooms.trial_gradient[i],
        rooms.step[i],
        rooms.moves[i],
        rooms.changes[i],
        rooms.inverse[i],
        rooms.product[i],
        rooms.past[i],
        rooms.lattice[i],
        rooms.fractional[i],
        rooms.lattice_pull[i],
        rooms.fractional_pull[i],
        rooms.listed_lattice[i],
        rooms.listed_points[i],
        rooms.first[i],
        rooms.atom[i],
        rooms.image[i],
        rooms.vector[i],
        rooms.distance[i],
        rooms.force[i],
        rooms.lists[i],
        scratch,
    )


@cuda.jit
def _run(system, objectives, stages, adam, rooms, queue, x, evaluations):  # type: ignore[no-untyped-def]
    """Let each thread take the next crystal of the queue until there is none."""
    work = room(rooms, cuda.grid(1))  # type: ignore[call-arg]
    work.moves[:, :], work.changes[:, :] = 0.0, 0.0
    k = cuda.atomic.add(queue, 0, 1)
    while k < len(evaluations):
        minimize_one(system, k, objectives, stages, adam, work, x, evaluations)
        k = cuda.atomic.add(queue, 0, 1)
