"""Minimisers over a batch: L-BFGS and Adam, every decision taken per crystal.

L-BFGS: Nocedal & Wright, Numerical Optimization (2006), algorithm 7.4, with backtracking to the Armijo condition.
Adam: Kingma & Ba, arXiv 1412.6980.
"""

import torch
from torch import Tensor

from legocryst.relax.objective import Objective
from legocryst.relax.system import System

SKIN = 0.5
"""A neighbour list reaches this many angstrom beyond the cutoff."""
HISTORY = 8
ARMIJO = 1e-4
MAX_STRAIN = 0.1
"""Largest strain component of one step."""


class Evaluator:
    """Value and gradient of an objective, with the neighbour list of a crystal rebuilt only when it must be."""

    def __init__(self, system: System, objective: Objective, x: Tensor) -> None:
        self.system, self.objective = system, objective
        self._radius = objective.cutoff + SKIN
        self._built = x.clone()
        self._bonds = system.bonds(x, self._radius, torch.arange(len(system.crystal), device=x.device))

    def __call__(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Values (n,), summed over the atoms, and gradient (v,) at variables x."""
        self._refresh(x)
        vector, relaxed, lattice = self.system.vectors(x, self._bonds)
        values, force = self.objective.value(vector, self._bonds, self.system)
        return self.system.per_crystal(values), self.system.pull_back(self._bonds, force, relaxed, lattice)

    def _refresh(self, x: Tensor) -> None:
        stale = self.system.shrinks(self._built, x, self._radius) < self.objective.cutoff
        if not bool(stale.any()):
            return
        self._built = torch.where(stale[self.system.owner], x, self._built)
        mask = stale[self.system.crystal]
        new = self.system.bonds(self._built, self._radius, torch.nonzero(mask).squeeze(1))
        self._bonds = self._bonds.replaced(new, mask)


class Minimizer:
    """State of n minimisations; `per_crystal` and `per_variable` name the tensors that follow a selection."""

    per_crystal: tuple[str, ...] = ("value",)
    per_variable: tuple[str, ...] = ("x", "gradient")

    def __init__(self, system: System, x: Tensor, value: Tensor, gradient: Tensor, *, max_step: float) -> None:
        self.system, self.x, self.value, self.gradient, self.max_step = system, x, value, gradient, max_step

    def trial(self) -> Tensor:
        """Variables (v,) to evaluate next."""
        raise NotImplementedError

    def update(self, value: Tensor, gradient: Tensor) -> Tensor:
        """Take in the evaluation of the trial; returns which crystals (n,) can go no further."""
        raise NotImplementedError

    def select(self, system: System, crystals: Tensor) -> None:
        """Go on with some of the crystals, given as a mask; `system` is theirs."""
        variables = crystals[self.system.owner]
        for name in self.per_crystal:
            setattr(self, name, getattr(self, name)[..., crystals])
        for name in self.per_variable:
            setattr(self, name, getattr(self, name)[..., variables])
        self.system = system

    def _bounded(self, step: Tensor) -> Tensor:
        """A step shortened, crystal by crystal, so that no atom moves further than `max_step` angstrom."""
        longest = step.new_zeros(len(self.system))
        longest.scatter_reduce_(0, self.system.owner, (step * self.system.reach).abs(), "amax")
        return step * (self.max_step / longest.clamp(min=self.max_step))[self.system.owner]


class Lbfgs(Minimizer):
    """Limited-memory BFGS with a history of `HISTORY` pairs for each crystal."""

    per_crystal = ("value", "scale", "fails", "slope", "inverse", "gamma")
    per_variable = ("x", "gradient", "step", "moves", "changes")

    def __init__(self, system: System, x: Tensor, value: Tensor, gradient: Tensor, *, max_step: float) -> None:
        super().__init__(system, x, value, gradient, max_step=max_step)
        self.moves, self.changes = x.new_zeros((HISTORY, len(x))), x.new_zeros((HISTORY, len(x)))
        self.inverse = x.new_zeros((HISTORY, len(system)))
        self.gamma = x.new_full((len(system),), 0.1)
        self.scale, self.fails = torch.ones_like(value), torch.zeros_like(value)
        self.step = self._direction()
        self.slope = system.dot(self.gradient, self.step)

    def _direction(self) -> Tensor:
        dot, owner = self.system.dot, self.system.owner
        q, weights = self.gradient.clone(), []
        for move, change, inverse in zip(self.moves, self.changes, self.inverse, strict=True):
            weights.append(inverse * dot(move, q))
            q -= weights[-1][owner] * change
        q *= self.gamma[owner]
        for k in reversed(range(HISTORY)):
            beta = self.inverse[k] * dot(self.changes[k], q)
            q += (weights[k] - beta)[owner] * self.moves[k]
        return self._bounded(-q)

    def trial(self) -> Tensor:
        """See `Minimizer`."""
        return self.x + self.scale[self.system.owner] * self.step

    def update(self, value: Tensor, gradient: Tensor) -> Tensor:
        """See `Minimizer`; a crystal can go no further when eight shorter steps in a row did not lower its value."""
        owner, dot = self.system.owner, self.system.dot
        good = value <= self.value + ARMIJO * self.scale * self.slope
        taken = good[owner]
        move = torch.where(taken, self.scale[owner] * self.step, 0.0)
        change = torch.where(taken, gradient - self.gradient, 0.0)
        self._remember(move, change)
        self.x = self.x + move
        # the least of the parabola through the value, the slope and the trial's value, inside safe bounds
        parabola = -self.slope * self.scale / (2 * (value - self.value - self.slope * self.scale)).clamp(min=1e-300)
        self.scale = torch.where(good, 1.0, self.scale * parabola.clamp(0.1, 0.5).nan_to_num(0.1))
        self.fails = torch.where(good, 0.0, self.fails + 1)
        self.value = torch.where(good, value, self.value)
        self.gradient = torch.where(taken, gradient, self.gradient)
        self.step = torch.where(taken, self._direction(), self.step)
        self.slope = dot(self.gradient, self.step)
        uphill = self.slope > 0
        if bool(uphill.any()):
            self.inverse = torch.where(uphill, 0.0, self.inverse)
            self.step = torch.where(uphill[owner], self._bounded(-0.1 * self.gradient), self.step)
            self.slope = dot(self.gradient, self.step)
        return self.fails >= 8

    def _remember(self, move: Tensor, change: Tensor) -> None:
        curvature, length = self.system.dot(move, change), self.system.dot(change, change)
        keep = curvature > 1e-10 * length.clamp(min=1e-300)
        kept = keep[self.system.owner]
        inverse = torch.where(keep, 1 / curvature.clamp(min=1e-300), 0.0)
        self.moves = torch.where(kept, torch.cat([move[None], self.moves[:-1]]), self.moves)
        self.changes = torch.where(kept, torch.cat([change[None], self.changes[:-1]]), self.changes)
        self.inverse = torch.where(keep, torch.cat([inverse[None], self.inverse[:-1]]), self.inverse)
        self.gamma = torch.where(keep, curvature / length.clamp(min=1e-300), self.gamma)


class Adam(Minimizer):
    """Adam with a step that falls from `max_step` / 4; the best point met is kept."""

    per_crystal = ("value", "count")
    per_variable = ("x", "gradient", "point", "slope", "mean", "square")

    def __init__(self, system: System, x: Tensor, value: Tensor, gradient: Tensor, *, max_step: float) -> None:
        super().__init__(system, x, value, gradient, max_step=max_step)
        self.point, self.slope = x.clone(), gradient.clone()
        self.mean, self.square = torch.zeros_like(x), torch.zeros_like(x)
        self.count = torch.zeros_like(value)

    def trial(self) -> Tensor:
        """See `Minimizer`."""
        first, second, owner = 0.9, 0.99, self.system.owner
        self.count = self.count + 1
        count = self.count[owner]
        self.mean = first * self.mean + (1 - first) * self.slope
        self.square = second * self.square + (1 - second) * self.slope**2
        rate = self.max_step / 4 / (1 + count / 50)
        mean, square = self.mean / (1 - first**count), self.square / (1 - second**count)
        self.point = self.point - self._bounded(rate / self.system.reach * mean / (square.sqrt() + 1e-12))
        return self.point

    def update(self, value: Tensor, gradient: Tensor) -> Tensor:
        """See `Minimizer`; Adam always goes further."""
        better = value < self.value
        taken = better[self.system.owner]
        self.slope = gradient
        self.value = torch.where(better, value, self.value)
        self.x = torch.where(taken, self.point, self.x)
        self.gradient = torch.where(taken, gradient, self.gradient)
        return torch.zeros_like(better)


MINIMIZERS: dict[str, type[Minimizer]] = {"lbfgs": Lbfgs, "adam": Adam}
