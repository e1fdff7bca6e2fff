"""Relaxation of many crystals in three stages, then the verdict.

The descriptor comes first: it reaches a little beyond the bonds and pulls every atom towards the right number of
neighbours; then the smooth coordination stage sorts out what is bonded; then both together refine.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch

from legocryst.crystal.representation import Crystals
from legocryst.environment.targets import Target
from legocryst.environment.validity import judge
from legocryst.relax.minimize import MINIMIZERS, Evaluator, Minimizer
from legocryst.relax.objective import Coordination, Objective, Spectrum, Weighted
from legocryst.relax.system import System
from legocryst.settings import RelaxSettings

Progress = Callable[..., None]
TOLERANCE = 1e-6
"""A minimisation ends below this value per atom, or when WINDOW evaluations lower it by a smaller share than STALL."""
STALL, WINDOW = 2e-3, 10


@dataclass(frozen=True, slots=True)
class Relaxed:
    """Results in the order of the input; losses are descriptor losses per atom."""

    crystals: Crystals
    loss_before: np.ndarray  # (n,)
    loss: np.ndarray  # (n,)
    valid: np.ndarray  # (n,) strict criterion
    published: np.ndarray  # (n,) published criterion
    reason: np.ndarray  # (n,) object, "" where valid
    evaluations: np.ndarray  # (n,)


def minimize(
    crystals: Crystals, objective: Objective, *, method: str, steps: int, max_step: float
) -> tuple[Crystals, np.ndarray, np.ndarray]:
    """Minimise an objective over the symmetry-free variables of each crystal of a batch.

    Returns the crystals, their values per atom (n,) and evaluations (n,). A crystal leaves the batch when its value is
    below `TOLERANCE`, has stalled, cannot be lowered, or after `steps` evaluations. All cells must be possible.
    """
    system = System.build(crystals)
    x = torch.zeros(len(system.owner), dtype=torch.float64)
    evaluate = Evaluator(system, objective, x)
    state = MINIMIZERS[method](system, x, *evaluate(x), max_step=max_step)
    final_x, final_value = x.clone(), state.value.clone()
    evaluations = torch.ones(len(crystals), dtype=torch.int64)
    alive = torch.arange(len(crystals))
    past = state.value.expand(WINDOW, -1).clone()
    done = state.value <= TOLERANCE * system.atoms
    variable = torch.arange(len(x))
    for step in range(steps):
        if int(done.sum()) > 0.2 * len(done) or (step == 0 and bool(done.any())):
            _keep(state, variable, alive, final_x, final_value)
            keep = ~done
            if not bool(keep.any()):
                break
            variable, alive, past = variable[keep[state.system.owner]], alive[keep], past[:, keep]
            crystals_left = crystals.take(alive.numpy())
            state.select(System.build(crystals_left), keep)
            evaluate = Evaluator(state.system, objective, state.x)
            done = done[keep]
        stuck = state.update(*evaluate(state.trial()))
        evaluations[alive[~done]] += 1
        slot = step % WINDOW
        stalled = (past[slot] - state.value < STALL * past[slot]) & (step >= WINDOW)
        past[slot] = state.value
        done = done | stuck | stalled | (state.value <= TOLERANCE * state.system.atoms)
    _keep(state, variable, alive, final_x, final_value)
    return system.crystals(final_x, crystals), (final_value / system.atoms).numpy(), evaluations.numpy()


def _keep(
    state: Minimizer, variable: torch.Tensor, alive: torch.Tensor, final_x: torch.Tensor, final_value: torch.Tensor
) -> None:
    final_x[variable] = state.x
    final_value[alive] = state.value


def relax(
    crystals: Crystals,
    target: Target,
    settings: RelaxSettings,
    *,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Relaxed:
    """Bring every crystal of a batch to the target's environment and judge it.

    Works in chunks of at most `settings.batch_atoms` atoms; `progress(done, total, valid=...)` after each. When
    `should_stop()` is true the crystals not yet done keep their input and the reason "stopped".
    """
    parts: list[Relaxed] = []
    done = valid = 0
    for chunk in _chunks(crystals, settings.batch_atoms):
        stopped = should_stop is not None and should_stop()
        parts.append(_stopped(chunk, target) if stopped else _relax_chunk(chunk, target, settings))
        done, valid = done + len(chunk), valid + int(parts[-1].valid.sum())
        if progress is not None:
            progress(done, len(crystals), valid=valid)
    columns = [np.concatenate([getattr(p, name) for p in parts] or [np.zeros(0)]) for name in Relaxed.__slots__[1:]]
    return Relaxed(Crystals.concatenate([part.crystals for part in parts]), *columns)


def _chunks(crystals: Crystals, batch_atoms: int) -> Iterator[Crystals]:
    total = np.cumsum(crystals.atom_count)
    begin = 0
    while begin < len(crystals):
        done = total[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(total, done + batch_atoms, side="right")))
        yield crystals.take(slice(begin, end))
        begin = end


def _relax_chunk(crystals: Crystals, target: Target, settings: RelaxSettings) -> Relaxed:
    before = judge(crystals, target)
    spectrum, coordination = Spectrum(target), Coordination(target)
    held = Weighted((1.0, spectrum), (settings.hold, coordination))
    pool = _Pool(crystals, before.reason != "impossible cell", settings)
    pool.minimize(spectrum, settings.descriptor_steps)
    value = pool.minimize(coordination, settings.coordination_steps)
    pool.leave(value > settings.hopeless)
    pool.minimize(held, settings.refine_steps)
    result = pool.result()
    after = judge(result, target)
    return Relaxed(result, before.loss, after.loss, after.valid, after.published, after.reason, pool.evaluations)


class _Pool:
    """The crystals of a chunk; those still `active` (indices) are minimised, the others wait as they are."""

    def __init__(self, crystals: Crystals, active: np.ndarray, settings: RelaxSettings) -> None:
        self.settings = settings
        self.active = np.flatnonzero(active)
        self.moving = crystals.take(self.active)
        self.evaluations = np.zeros(len(crystals), np.int64)
        self._left = [(np.flatnonzero(~active), crystals.take(~active))]

    def minimize(self, objective: Objective, steps: int) -> np.ndarray:
        """Minimise the active crystals; returns their values per atom."""
        method, max_step = self.settings.optimizer, self.settings.max_step
        self.moving, value, count = minimize(self.moving, objective, method=method, steps=steps, max_step=max_step)
        self.evaluations[self.active] += count
        return value

    def leave(self, which: np.ndarray) -> None:
        """Active crystals, given as a mask, are minimised no more."""
        self._left.append((self.active[which], self.moving.take(which)))
        self.active, self.moving = self.active[~which], self.moving.take(~which)

    def result(self) -> Crystals:
        """All crystals in the order of the chunk."""
        parts = [*self._left, (self.active, self.moving)]
        order = np.argsort(np.concatenate([index for index, _ in parts]))
        return Crystals.concatenate([batch for _, batch in parts]).take(order)


def _stopped(crystals: Crystals, target: Target) -> Relaxed:
    verdict = judge(crystals, target)
    reason = np.full(len(crystals), "stopped", object)
    never = np.zeros(len(crystals), bool)
    zero = np.zeros(len(crystals), np.int64)
    return Relaxed(crystals, verdict.loss, verdict.loss, never, verdict.published, reason, zero)
