"""Relaxation of many crystals: through the stages, the verdict, and restarts of those that are not valid."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

import numpy as np

from legocryst.crystal.crystals import Crystals
from legocryst.environment.descriptors import DESCRIPTORS
from legocryst.environment.target import Target
from legocryst.environment.validity import Verdict, judge
from legocryst.infra.run_context import SILENT, RunContext
from legocryst.relax.cuda import card_found, minimize_on_card
from legocryst.relax.minimize import Stages, minimize, workspace
from legocryst.relax.objective import OBJECTIVES, Objectives
from legocryst.relax.starts import merged, moved, scaled
from legocryst.relax.system import System, moved_to
from legocryst.settings import RelaxSettings

STALL, LAST_STALL = 2e-2, 5e-3
"""A stage ends when `WINDOW` evaluations lower its value by a smaller share; the second is the last stage's."""
CARD_BATCHES = 100
"""So many times more atoms are relaxed together on a graphics card, whose threads are thousands."""


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
    merged: np.ndarray  # (n,) sites on a more special position than in the row

    @staticmethod
    def untouched(crystals: Crystals, before: Verdict) -> "Relaxed":
        """Return every crystal as it came, with the verdict on it."""
        none = np.zeros(len(crystals), np.int64)
        valid = np.zeros(len(crystals), bool)
        return Relaxed(
            crystals,
            before.loss,
            before.loss.copy(),
            valid,
            before.published.copy(),
            before.reason.copy(),
            *(none.copy() for _ in range(3)),
        )

    @staticmethod
    def concatenate(parts: list["Relaxed"]) -> "Relaxed":
        """Return one result of several, in order."""
        rest = [np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(Relaxed)[1:]]
        return Relaxed(Crystals.concatenate([part.crystals for part in parts]), *rest)


def stages_of(settings: RelaxSettings, objectives: Objectives) -> Stages:
    """Return the stages of the settings: descriptor and coordination in their order, then both; those with steps."""
    refine = {"coordination": settings.hold} | {kind: getattr(settings, kind) for kind in DESCRIPTORS}
    descriptor = ({"coarse": 1.0}, settings.descriptor_steps, STALL, np.inf)
    coordination = ({"coordination": 1.0}, settings.coordination_steps, STALL, settings.hopeless)
    both = (refine, settings.refine_steps, LAST_STALL, np.inf)
    first = (descriptor, coordination) if settings.order == "descriptor first" else (coordination, descriptor)
    used = [stage for stage in (*first, both) if stage[1]]
    weight = np.array([[stage[0].get(name, 0.0) for name in OBJECTIVES] for stage in used]).reshape(-1, len(OBJECTIVES))
    cutoff = [objectives.coordination.cutoff, *(each.descriptor.cutoff for each in objectives.environments)]
    return Stages(
        weight=weight,
        steps=np.array([stage[1] for stage in used], np.int64),
        stall=np.array([stage[2] for stage in used]),
        hopeless=np.array([stage[3] for stage in used]),
        cutoff=float(max(cutoff)),
        max_step=settings.max_step,
    )


def relax(crystals: Crystals, target: Target, settings: RelaxSettings, context: RunContext = SILENT) -> Relaxed:
    """Bring every crystal of a batch to the target's environment and judge it.

    With `settings.start_volume` "target" the cell of each that is not valid as it came is first scaled to the target's
    start volume. A crystal that does not become valid starts again, up to `settings.restarts` times, from its atoms
    moved at random by at most `starts.RESTART` angstrom, and last with its sites merged (`settings.merge`); the best
    attempt counts. `context.progress(done, total, valid=..., rate=...)` as crystals are finished, rate in crystals per
    second. When `context.should_stop()` is true the crystals not yet done keep their input and the reason "stopped".
    Raises ValueError where a card is asked for and there is none.
    """
    done, valid, stopped, begin, parts = 0, 0, False, time.monotonic(), []
    for batch in _batches(crystals, settings.batch_atoms * (CARD_BATCHES if on_card(settings) else 1)):
        part = Relaxed.untouched(batch, judge(batch, target))
        stopped = stopped or context.should_stop()
        if stopped:
            part.reason[part.reason != "impossible cell"] = "stopped"
            parts.append(part)
            continue
        parts.append(_relax_batch(part, target, settings))
        done, valid = done + len(batch), valid + int(parts[-1].valid.sum())
        context.progress(done, len(crystals), valid=valid, rate=done / max(time.monotonic() - begin, 1e-9))
    return Relaxed.concatenate(parts or [Relaxed.untouched(crystals, judge(crystals, target))])


def _batches(crystals: Crystals, atoms: int) -> Iterator[Crystals]:
    """Yield the crystals in order, in batches of at most `atoms` atoms together, at least one crystal."""
    last = np.cumsum(crystals.atom_count)
    begin = 0
    while begin < len(crystals):
        before = last[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(last, before + atoms, side="right")))
        yield crystals.take(slice(begin, end))
        begin = end


def _relax_batch(batch: Relaxed, target: Target, settings: RelaxSettings) -> Relaxed:
    """Make all attempts at some crystals; `batch` holds them as they came, and its arrays are filled."""
    start = best = batch.crystals
    if settings.start_volume == "target":
        start = scaled(start, np.where(batch.reason == "", np.nan, target.start_volume))
    todo = np.flatnonzero(batch.reason != "impossible cell")
    for attempt in range(settings.restarts + 1 + (settings.merge > 0)):
        again, sites = start.take(todo), np.zeros(len(todo), np.int64)
        if attempt > settings.restarts:
            again, sites = merged(again, settings.merge)
            again, todo, sites = again.take(sites > 0), todo[sites > 0], sites[sites > 0]
        elif attempt:
            again = moved(again, attempt)
        if not len(todo):
            break
        result, evaluations = minimized(again, target, settings)
        verdict = judge(result, target)
        rank, had = 2 * verdict.valid + verdict.published, 2 * batch.valid[todo] + batch.published[todo]
        better = np.flatnonzero((rank > had) | (attempt == 0))
        which = np.arange(len(start))
        which[todo[better]] = len(start) + better
        best = Crystals.concatenate([best, result]).take(which)
        for name in ("valid", "published", "reason", "loss"):
            getattr(batch, name)[todo[better]] = getattr(verdict, name)[better]
        batch.restarts[todo[better]] = min(attempt, settings.restarts)
        batch.merged[todo[better]] = sites[better]
        batch.evaluations[todo] += evaluations
        todo = todo[~verdict.valid]
    return replace(batch, crystals=best)


def minimized(crystals: Crystals, target: Target, settings: RelaxSettings) -> tuple[Crystals, np.ndarray]:
    """Return the crystals at the end of the stages, and the evaluations (n,) of each; all cells must be possible."""
    objectives = Objectives.of(target, settings.coarse_l_max)
    stages, system = stages_of(settings, objectives), System.build(crystals)
    x, evaluations, adam = np.zeros(len(system.reach)), np.zeros(len(crystals), np.int64), settings.optimizer == "adam"
    if on_card(settings):
        minimize_on_card(system, objectives, stages, adam, x, evaluations)
    else:
        minimize(system, objectives, stages, adam, workspace(system, objectives), x, evaluations)
    return moved_to(system, x, crystals), evaluations


def on_card(settings: RelaxSettings) -> bool:
    """Say whether the graphics card is used; raises ValueError where one is asked for and there is none."""
    available = settings.device != "processor" and card_found()
    if settings.device == "card" and not available:
        raise ValueError("no NVIDIA card is found: call `make cuda` on a machine that has one, or choose the processor")
    return available
