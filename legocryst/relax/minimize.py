"""Minimisers over a batch: L-BFGS and Adam, every decision taken per crystal.

L-BFGS: Nocedal & Wright, Numerical Optimization (2006), algorithm 7.4, with backtracking to the Armijo condition.
Adam: Kingma & Ba, arXiv 1412.6980.
"""

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from legocryst.environment.neighbors import added, gathered, length, row_times
from legocryst.relax.objective import Objective
from legocryst.relax.system import Place, System, multiplied

SKIN = 0.6
"""A neighbour list reaches this many angstrom beyond the cutoff."""
HISTORY = 8
ARMIJO = 1e-4


class Evaluator:
    """Weighted sum of objectives, with the neighbour list of a crystal made anew only when it must be."""

    def __init__(self, system: System, objectives: Sequence[Objective]) -> None:
        self.system, self.objectives = system, objectives
        self._cutoff = max(objective.cutoff for objective in objectives)
        device = system.lattice.device
        nothing = torch.zeros(0, dtype=torch.int64, device=device)
        self._bonds = system.bonds(system.place(torch.zeros_like(system.reach)), 1.0, nothing)
        self._inverse = torch.full_like(system.lattice, torch.nan)
        self._points = system.lattice.new_zeros((3, len(system.crystal)))

    def __call__(self, x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Values (n,), summed over the atoms, and gradient (v,) at variables x; weight (objectives, n)."""
        system = self.system
        place = system.place(x)
        self._refresh(place)
        geometry = system.geometry(place, self._bonds)
        values, force = torch.zeros_like(system.multiplicity), torch.zeros_like(geometry.vector)
        for objective, mine in zip(self.objectives, weight, strict=True):
            if bool(mine.any()):
                of_site = mine[system.crystal]
                value, part = objective.value(geometry, system, of_site)
                values.addcmul_(of_site, value)
                force += part
        return system.per_crystal(values), system.pull_back(geometry, force)

    def follow(self, system: System, keep: Tensor) -> None:
        """Go on with the kept crystals (a mask) at the head of a new system; those behind them are new."""
        old = self.system
        crystal, site, atom = (_renumbered(keep[of]) for of in (torch.arange(len(old)), old.crystal, old.owner_of_atom))
        bonds = self._bonds.chosen(torch.nonzero(keep[self._bonds.crystal]).squeeze(1))
        self._bonds = bonds.renumbered(site=site, atom=atom, crystal=crystal)
        kept, sites = int(keep.sum()), keep[old.crystal]
        inverse = torch.full_like(system.lattice, torch.nan)
        inverse[:, :, :kept] = self._inverse[:, :, keep]
        points = system.lattice.new_zeros((3, len(system.crystal)))
        points[:, : int(sites.sum())] = self._points[:, sites]
        self.system, self._inverse, self._points = system, inverse, points

    def _refresh(self, place: Place) -> None:
        """Make the list anew for crystals in which an atom not on it may have come within the cutoff.

        A vector v becomes v F + u with the change F of the lattice and the difference u of two displacements, so that
        it keeps at least |v| (1 - |F - 1|) - |u|. The operations keep lengths: all atoms of a site move as the first.
        """
        system, radius = self.system, self._cutoff + SKIN
        points = gathered(place.fractional, system.centre)
        change = multiplied(self._inverse, place.lattice).contiguous()
        for k in range(3):
            change[k, k] -= 1.0
        lattice = gathered(place.lattice.reshape(9, -1), system.crystal).view(3, 3, -1)
        shift = length(row_times(points - self._points, lattice))
        furthest = shift.new_zeros(len(system)).scatter_reduce_(0, system.crystal, shift, "amax")
        nearest = radius * (1 - added(change.square_().view(9, -1)).sqrt_()) - 2 * furthest
        stale = ~(nearest >= self._cutoff)
        which = torch.nonzero(stale).squeeze(1)
        if not len(which):
            return
        sites = stale[system.crystal]
        new = system.bonds(place, radius, torch.nonzero(sites).squeeze(1))
        old = self._bonds.chosen(torch.nonzero(~stale[self._bonds.crystal]).squeeze(1))
        self._bonds = old.joined(new)
        fresh = place.lattice[:, :, which]
        self._inverse[:, :, which] = torch.linalg.inv(fresh.permute(2, 0, 1)).permute(1, 2, 0)
        self._points = torch.where(sites, points, self._points)


def _renumbered(keep: Tensor) -> Tensor:
    return torch.cumsum(keep, 0) - 1


class Minimizer:
    """State of n minimisations; a crystal that is new has no value yet, and its first trial is where it stands.

    `per_crystal` and `per_variable` give, for each tensor that follows the crystals, what a new one begins with.
    """

    per_crystal: ClassVar[dict[str, float]]
    per_variable: ClassVar[dict[str, float]]

    def __init__(self, system: System, *, max_step: float) -> None:
        self.system, self.max_step = system, max_step
        self.value: Tensor
        self.x: Tensor
        for name, start in (self.per_crystal | self.per_variable).items():
            size = len(system) if name in self.per_crystal else len(system.owner)
            setattr(self, name, system.reach.new_full((*self.rows(name), size), start))

    def rows(self, name: str) -> tuple[int, ...]:
        """Leading dimensions of a tensor of the state."""
        return ()

    def trial(self) -> Tensor:
        """Variables (v,) to evaluate next."""
        raise NotImplementedError

    def update(self, value: Tensor, gradient: Tensor) -> Tensor:
        """Take in the evaluation of the trial; returns which crystals (n,) can go no further."""
        raise NotImplementedError

    def restart(self, crystals: Tensor) -> None:
        """Forget all about some crystals, given as a mask, but where they are: their objective changes."""
        variables = crystals[self.system.owner]
        for name, start in (self.per_crystal | self.per_variable).items():
            if name != "x":
                mask = crystals if name in self.per_crystal else variables
                getattr(self, name).masked_fill_(mask, start)

    def follow(self, system: System, keep: Tensor) -> None:
        """Go on with the kept crystals (a mask) at the head of a new system; those behind them are new."""
        variables = keep[self.system.owner]
        for name, start in (self.per_crystal | self.per_variable).items():
            mask, size = (keep, len(system)) if name in self.per_crystal else (variables, len(system.owner))
            kept = getattr(self, name)[..., mask]
            new = kept.new_full((*kept.shape[:-1], size - kept.shape[-1]), start)
            setattr(self, name, torch.cat([kept, new], dim=-1))
        self.system = system

    def _bounded(self, step: Tensor) -> Tensor:
        """A step shortened, crystal by crystal, so that no atom moves further than `max_step` angstrom."""
        longest = step.new_zeros(len(self.system))
        longest.scatter_reduce_(0, self.system.owner, (step * self.system.reach).abs_(), "amax")
        return step * (self.max_step / longest.clamp_(min=self.max_step)).index_select(0, self.system.owner)


class Lbfgs(Minimizer):
    """Limited-memory BFGS with a history of `HISTORY` pairs for each crystal."""

    per_crystal: ClassVar[dict[str, float]] = {
        "value": torch.inf,
        "scale": 1.0,
        "fails": 0.0,
        "slope": 0.0,
        "inverse": 0.0,
        "gamma": 0.1,
    }
    per_variable: ClassVar[dict[str, float]] = {"x": 0.0, "gradient": 0.0, "step": 0.0, "moves": 0.0, "changes": 0.0}
    scale: Tensor
    fails: Tensor
    slope: Tensor
    inverse: Tensor
    gamma: Tensor
    gradient: Tensor
    step: Tensor
    moves: Tensor
    changes: Tensor

    def __init__(self, system: System, *, max_step: float) -> None:
        super().__init__(system, max_step=max_step)
        self._newest = 0

    def rows(self, name: str) -> tuple[int, ...]:
        """See `Minimizer`."""
        return (HISTORY,) if name in ("inverse", "moves", "changes") else ()

    def trial(self) -> Tensor:
        """See `Minimizer`."""
        return self.x + self.scale.index_select(0, self.system.owner) * self.step

    def update(self, value: Tensor, gradient: Tensor) -> Tensor:
        """See `Minimizer`; a crystal can go no further when eight shorter steps in a row did not lower its value."""
        owner, dot = self.system.owner, self.system.dot
        good = value <= self.value + ARMIJO * self.scale * self.slope
        taken = good.index_select(0, owner)
        move = self.scale.index_select(0, owner).mul_(self.step).masked_fill_(~taken, 0.0)
        self._remember(move, (gradient - self.gradient).masked_fill_(~taken, 0.0))
        self.x = self.x + move
        # the least of the parabola through the value, the slope and the trial's value, inside safe bounds
        rise = (value - self.value - self.slope * self.scale).clamp_(min=1e-300)
        shorter = (-self.slope * self.scale / (2 * rise)).clamp_(0.1, 0.5).nan_to_num_(0.1)
        self.scale = torch.where(good, 1.0, self.scale * shorter)
        self.fails = torch.where(good, 0.0, self.fails + 1)
        self.value = torch.where(good, value, self.value)
        self.gradient = torch.where(taken, gradient, self.gradient)
        self.step = torch.where(taken, self._direction(), self.step)
        self.slope = dot(self.gradient, self.step)
        uphill = self.slope > 0
        if bool(uphill.any()):
            self.inverse.masked_fill_(uphill, 0.0)
            self.step = torch.where(uphill[owner], self._bounded(-0.1 * self.gradient), self.step)
            self.slope = dot(self.gradient, self.step)
        return self.fails >= 8

    def _direction(self) -> Tensor:
        dot, owner = self.system.dot, self.system.owner
        q, weights = self.gradient.clone(), {}
        newest_first = [(self._newest - k) % HISTORY for k in range(HISTORY)]
        for k in newest_first:
            weights[k] = self.inverse[k] * dot(self.moves[k], q)
            q.addcmul_(weights[k].index_select(0, owner), self.changes[k], value=-1)
        q *= self.gamma.index_select(0, owner)
        for k in reversed(newest_first):
            beta = self.inverse[k] * dot(self.changes[k], q)
            q.addcmul_((weights[k] - beta).index_select(0, owner), self.moves[k])
        return self._bounded(q.neg_())

    def _remember(self, move: Tensor, change: Tensor) -> None:
        """The oldest pair gives its place to the newest; where there is none, a pair of zeros counts for nothing."""
        curvature, size = self.system.dot(move, change), self.system.dot(change, change)
        keep = curvature > 1e-10 * size.clamp(min=1e-300)
        self._newest = (self._newest + 1) % HISTORY
        self.moves[self._newest], self.changes[self._newest] = move, change
        self.inverse[self._newest] = (1 / curvature).masked_fill_(~keep, 0.0)
        self.gamma = torch.where(keep, curvature / size, self.gamma)


class Adam(Minimizer):
    """Adam with a step that falls from `max_step` / 4; the best point met is kept."""

    per_crystal: ClassVar[dict[str, float]] = {"value": torch.inf, "count": 0.0}
    per_variable: ClassVar[dict[str, float]] = {"x": 0.0, "gradient": 0.0, "drift": 0.0, "mean": 0.0, "square": 0.0}
    count: Tensor
    gradient: Tensor
    drift: Tensor
    mean: Tensor
    square: Tensor

    def trial(self) -> Tensor:
        """See `Minimizer`; `drift` leads from the best point to where Adam is."""
        first, second, owner = 0.9, 0.99, self.system.owner
        count = self.count[owner]
        self.mean = first * self.mean + (1 - first) * self.gradient
        self.square = second * self.square + (1 - second) * self.gradient**2
        rate = self.max_step / 4 / (1 + count / 50)
        mean, square = self.mean / (1 - first**count), self.square / (1 - second**count)
        step = self._bounded(rate / self.system.reach * mean / (square.sqrt() + 1e-12))
        self.drift = self.drift - torch.where(count > 0, step, 0.0)
        return self.x + self.drift

    def update(self, value: Tensor, gradient: Tensor) -> Tensor:
        """See `Minimizer`; Adam always goes further."""
        better = value < self.value
        taken = better[self.system.owner]
        self.gradient, self.count = gradient, self.count + 1
        self.value = torch.where(better, value, self.value)
        self.x = torch.where(taken, self.x + self.drift, self.x)
        self.drift = self.drift.masked_fill(taken, 0.0)
        return torch.zeros_like(better)


MINIMIZERS: dict[str, type[Minimizer]] = {"lbfgs": Lbfgs, "adam": Adam}
