"""Relaxation of many crystals at once, each going through the stages at its own pace, then the verdict."""

import ctypes
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch

from legocryst.crystal.projection import wrapped
from legocryst.crystal.representation import Crystals
from legocryst.crystal.wyckoff import wyckoff
from legocryst.environment.descriptors import DESCRIPTORS
from legocryst.environment.targets import Target
from legocryst.environment.validity import Verdict, judge
from legocryst.relax.minimize import MINIMIZERS, Evaluator
from legocryst.relax.objective import Coordination, Environment, Objective
from legocryst.relax.system import System
from legocryst.settings import RelaxSettings

Progress = Callable[..., None]
TOLERANCE = 1e-6
"""A stage ends below this value per atom, or when WINDOW evaluations lower it by a smaller share than STALL."""
STALL, LAST_STALL, WINDOW = 2e-2, 5e-3, 10
"""The last stage, whose end is the result, has LAST_STALL."""
RESTART = 0.5
"""Most angstrom that a restart moves an atom from where its row puts it."""
ROOM = 0.1
"""Crystals that are done leave the batch, and others take their places, when they are this share of it."""
PATIENCE = 25
"""A crystal that is hopeless after so many evaluations of a stage leaves before the stage ends."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One minimisation: a weight for each objective, most evaluations, and the value at which to give up."""

    weight: tuple[float, ...]
    steps: int
    hopeless: float = np.inf


class Batch:
    """The crystals that are being minimised; `ticket` is each one's number outside."""

    def __init__(self, objectives: list[Objective], stages: list[Stage], settings: RelaxSettings) -> None:
        self.objectives, self.settings = objectives, settings
        zero = (0.0,) * len(objectives)
        stages = [*stages, Stage(zero, np.iinfo(np.int64).max)]
        self._last = len(stages) - 1
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._weight = torch.tensor([stage.weight for stage in stages], dtype=torch.float64, device=self.device).T
        self._steps = torch.tensor([stage.steps for stage in stages], device=self.device)
        self._hopeless = torch.tensor([stage.hopeless for stage in stages], dtype=torch.float64, device=self.device)
        self.crystals, self.ticket = Crystals.concatenate([]), np.zeros(0, np.int64)
        self._begin()

    def _begin(self) -> None:
        self.system = System.build(self.crystals, device=self.device)
        self._evaluate = Evaluator(self.system, self.objectives)
        self._state = MINIMIZERS[self.settings.optimizer](self.system, max_step=self.settings.max_step)
        n = len(self.crystals)
        self._stage = torch.zeros(n, dtype=torch.int64, device=self.device)
        self._count, self._evaluations = torch.zeros_like(self._stage), torch.zeros_like(self._stage)
        self._past = self.system.lattice.new_zeros((WINDOW, n))

    def __len__(self) -> int:
        return len(self.crystals)

    def step(self) -> None:
        """One evaluation of each crystal."""
        state, atoms = self._state, self.system.atoms
        stuck = state.update(*self._evaluate(state.trial(), self._weight[:, self._stage]))
        self._count += 1
        self._evaluations += self._stage < self._last
        slot = (self._count % WINDOW)[None]
        before = self._past.gather(0, slot)[0]
        share = torch.where(self._stage < self._last - 1, STALL, LAST_STALL)
        stalled = (before - state.value < share * before) & (self._count > WINDOW)
        self._past.scatter_(0, slot, state.value[None])
        done = stuck | stalled | (state.value <= TOLERANCE * atoms) | (self._count >= self._steps[self._stage])
        hopeless = state.value > self._hopeless[self._stage] * atoms
        done |= hopeless & (self._count >= PATIENCE)
        done &= self._stage < self._last
        if bool(done.any()):
            self._stage = torch.where(done, torch.where(hopeless, self._last, self._stage + 1), self._stage)
            self._count.masked_fill_(done, 0)
            state.restart(done)

    @property
    def left(self) -> torch.Tensor:
        """(n,) bool: the crystals that are done."""
        return self._stage == self._last

    def exchange(self, crystals: Crystals, ticket: np.ndarray) -> tuple[Crystals, np.ndarray, np.ndarray]:
        """Others take the places of those that are done; returns these, their tickets and evaluations."""
        left = self.left
        gone, keep = torch.nonzero(left).squeeze(1).cpu().numpy(), ~left
        away = self.crystals.take(gone)
        x = self._state.x[left[self.system.owner]]
        out = System.build(away, device=self.device).crystals(x, away) if len(away) else away
        result = out, self.ticket[gone], self._evaluations[left].cpu().numpy()
        stay = keep.cpu().numpy()
        self.crystals = Crystals.concatenate([self.crystals.take(stay), crystals])
        self.ticket = np.concatenate([self.ticket[stay], ticket])
        if stay.any():
            self.system = System.build(self.crystals, device=self.device)
            self._evaluate.follow(self.system, keep)
            self._state.follow(self.system, keep)
            n = len(crystals)
            self._past = torch.cat([self._past[:, keep], self._past.new_zeros((WINDOW, n))], dim=1)
            for name in ("_stage", "_count", "_evaluations"):
                old = getattr(self, name)
                setattr(self, name, torch.cat([old[keep], old.new_zeros(n)]))
        else:
            self._begin()
        return result


@dataclass(frozen=True, slots=True)
class Relaxed:
    """Results in the order of the input; losses are descriptor losses per atom."""

    crystals: Crystals
    loss_before: np.ndarray  # (n,)
    loss: np.ndarray  # (n,)
    valid: np.ndarray  # (n,) strict criterion
    published: np.ndarray  # (n,) published criterion
    reason: np.ndarray  # (n,) object, "" where valid
    evaluations: np.ndarray  # (n,) all attempts together
    restarts: np.ndarray  # (n,) restarts before the attempt that is given


def objectives(target: Target, settings: RelaxSettings) -> list[Objective]:
    """The coarse descriptor, the coordination, and the descriptors of the last stage that have a weight."""
    coarse = target.descriptor.model_copy(update={"l_max": min(settings.coarse_l_max, target.descriptor.l_max)})
    first = Environment(target.model_copy(update={"descriptor": coarse}))
    last = [Environment(target, kind) for kind, weight in _weights(settings).items() if weight]
    return [first, Coordination(target), *last]


def stages(settings: RelaxSettings) -> list[Stage]:
    """The stages of the settings: descriptor and coordination in the wanted order, then both; those with steps."""
    weights = [weight for weight in _weights(settings).values() if weight]
    none = (0.0,) * len(weights)
    descriptor = Stage((1.0, 0.0, *none), settings.descriptor_steps)
    coordination = Stage((0.0, 1.0, *none), settings.coordination_steps, settings.hopeless)
    both = Stage((0.0, settings.hold, *weights), settings.refine_steps)
    first = (descriptor, coordination) if settings.order == "descriptor first" else (coordination, descriptor)
    return [stage for stage in (*first, both) if stage.steps]


def _weights(settings: RelaxSettings) -> dict[str, float]:
    return {kind: getattr(settings, kind) for kind in DESCRIPTORS}


def relax(
    crystals: Crystals,
    target: Target,
    settings: RelaxSettings,
    *,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Relaxed:
    """Bring every crystal of a batch to the target's environment and judge it.

    A crystal that is not valid starts again, up to `settings.restarts` times, from its atoms moved at random by at most
    `RESTART` angstrom; the best attempt counts. `progress(done, total, valid=..., rate=...)` as crystals are finished,
    rate in crystals per second. When `should_stop()` is true the crystals not yet done keep their input and the reason
    "stopped".
    """
    keep_freed_memory()
    results = _Results(crystals, judge(crystals, target))
    queue = _Queue(crystals, np.flatnonzero(results.reason != "impossible cell"))
    batch = Batch(objectives(target, settings), stages(settings), settings)
    begin = time.monotonic()
    while len(batch) or len(queue):
        if should_stop is not None and should_stop():
            results.stop(np.concatenate([batch.ticket, queue.tickets]))
            break
        if not len(batch) or float(batch.left.double().mean()) >= ROOM:
            busy = batch.crystals.atom_count[~batch.left.cpu().numpy()].sum()
            out, ticket, count = batch.exchange(*queue.take(settings.batch_atoms - busy, at_least=int(busy == 0)))
            again = results.take_in(ticket, out, judge(out, target), count)
            queue.append(again[results.attempts[again] <= settings.restarts], results.attempts)
            if progress is not None:
                done = len(crystals) - len(set(batch.ticket) | set(queue.tickets))
                seconds = time.monotonic() - begin
                progress(done, len(crystals), valid=int(results.valid.sum()), rate=done / max(seconds, 1e-9))
        else:
            batch.step()
    return results.relaxed()


class _Queue:
    """The crystals that wait for a place, first come first served; a restart waits at the end."""

    def __init__(self, crystals: Crystals, tickets: np.ndarray) -> None:
        self._input, self.tickets = crystals, tickets
        self._waiting = crystals.take(tickets)

    def __len__(self) -> int:
        return len(self.tickets)

    def take(self, atoms: float, *, at_least: int) -> tuple[Crystals, np.ndarray]:
        """The first that have no more than so many atoms together, and their tickets."""
        fit = int(np.searchsorted(np.cumsum(self._waiting.atom_count), atoms, side="right"))
        fit = min(max(fit, at_least), len(self))
        out = self._waiting.take(slice(0, fit)), self.tickets[:fit]
        self._waiting, self.tickets = self._waiting.take(slice(fit, None)), self.tickets[fit:]
        return out

    def append(self, tickets: np.ndarray, attempts: np.ndarray) -> None:
        """Moved copies of the input of some tickets, which have had so many attempts (by ticket)."""
        if len(tickets):
            again = moved(self._input.take(tickets), attempts[tickets])
            self._waiting = Crystals.concatenate([self._waiting, again])
            self.tickets = np.concatenate([self.tickets, tickets])


def moved(crystals: Crystals, attempt: np.ndarray) -> Crystals:
    """Every site moved at random along its free directions by at most `RESTART` angstrom.

    The moves depend on the crystal and the attempt (n,) only, not on the batch.
    """
    table = wyckoff()
    arm = np.linalg.norm(crystals.lattice, axis=2)[crystals.crystal_of_site]
    step = np.empty_like(crystals.coordinates)
    for k in range(len(crystals)):
        sites = slice(crystals.first_site[k], crystals.first_site[k + 1])
        seed = zlib.crc32(crystals.coordinates[sites].tobytes() + crystals.cell[k].tobytes())
        step[sites] = np.random.default_rng([seed, attempt[k]]).uniform(-1, 1, step[sites].shape)
    step *= RESTART / 2 / arm * table.free[crystals.position_id]
    op = table.op_first[crystals.position_id]
    # along the position's free directions, and no further than asked for in skewed cells
    fractional = np.einsum("sij,sj->si", table.rotation[op], step)
    far = np.linalg.norm(np.einsum("si,sij->sj", fractional, crystals.lattice[crystals.crystal_of_site]), axis=1)
    fractional *= (RESTART / np.maximum(far, RESTART))[:, None]
    coordinates = wrapped(crystals.coordinates + fractional)
    return Crystals(
        crystals.group, crystals.cell, crystals.first_site, crystals.species, crystals.position, coordinates
    )


class _Results:
    """The best attempt of each crystal so far."""

    def __init__(self, crystals: Crystals, before: Verdict) -> None:
        n = len(crystals)
        self._before = before
        self._parts, self._place = [crystals], np.arange(n)  # each crystal's place among all parts together
        self._total = n
        self.valid, self.published = np.zeros(n, bool), before.published.copy()
        self.reason, self.loss = before.reason.copy(), before.loss.copy()
        self.attempts, self.evaluations, self.restarts = (np.zeros(n, np.int64) for _ in range(3))

    def take_in(self, ticket: np.ndarray, crystals: Crystals, verdict: Verdict, evaluations: np.ndarray) -> np.ndarray:
        """Note an attempt at some crystals; returns the tickets of those that are not valid."""
        first = self.attempts[ticket] == 0
        rank = 2 * verdict.valid.astype(int) + verdict.published
        before = 2 * self.valid[ticket].astype(int) + self.published[ticket]
        better = np.flatnonzero(first | (rank > before))
        mine = ticket[better]
        self._place[mine] = self._total + better
        self._parts.append(crystals)
        self._total += len(crystals)
        for name in ("valid", "published", "reason", "loss"):
            getattr(self, name)[mine] = getattr(verdict, name)[better]
        self.restarts[mine] = self.attempts[mine]
        self.attempts[ticket] += 1
        self.evaluations[ticket] += evaluations
        return ticket[~verdict.valid]

    def stop(self, tickets: np.ndarray) -> None:
        """The rest gets no result."""
        unfinished = tickets[~self.valid[tickets]]
        self.reason[unfinished], self.published[unfinished] = "stopped", self._before.published[unfinished]
        self.loss[unfinished], self._place[unfinished] = self._before.loss[unfinished], unfinished

    def relaxed(self) -> Relaxed:
        """All of them."""
        crystals = Crystals.concatenate(self._parts).take(self._place)
        return Relaxed(
            crystals,
            self._before.loss,
            self.loss,
            self.valid,
            self.published,
            self.reason,
            self.evaluations,
            self.restarts,
        )


@cache
def keep_freed_memory() -> None:
    """Ask the C library to keep what torch frees: new pages for each tensor cost a third of the time."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library than glibc; then it just takes longer
        return
    mmap_threshold, trim_threshold = -3, -1
    for option in (mmap_threshold, trim_threshold):
        mallopt(option, 1 << 30)
