"""Objectives: a value for each site and the gradient over its bond vectors.

Each has a `cutoff` (angstrom) and is zero-slope beyond it. `value(vector, bonds, system)` gives the values (s,) of
one atom of each site and the gradient (e, 3) of the sum over all atoms.
"""

from typing import Protocol

import torch
from torch import Tensor

from legocryst.environment.descriptors import radial_table, reference_spectrum
from legocryst.environment.targets import Target
from legocryst.relax.harmonics import harmonics
from legocryst.relax.system import Bonds, System


class Objective(Protocol):
    """What a minimiser needs of an objective."""

    cutoff: float

    def value(self, vector: Tensor, bonds: Bonds, system: System) -> tuple[Tensor, Tensor]:
        """Values (s,) per atom of each site and the gradient (e, 3) of the sum over all atoms."""
        ...


class Coordination:
    """The smooth first stage: the nearest neighbours are drawn to the bond length, all others pushed outside.

    Each atom's `coordination` nearest neighbours give (r - bond)^2, levelled off at `reach`; every other gives
    (second_shell - r)^2 inside the second shell. The nearest ones are the assignment of least value, so the value is
    continuous where the order of two neighbours changes.
    """

    def __init__(self, target: Target) -> None:
        self.coordination = target.coordination
        self.bond = target.bond
        self.shell = target.second_shell
        self.cutoff = self.shell + 0.4

    def value(self, vector: Tensor, bonds: Bonds, system: System) -> tuple[Tensor, Tensor]:
        """See `Objective`."""
        r = torch.linalg.norm(vector, dim=1)
        bonded = self._nearest(r, bonds.site, len(system.crystal))
        stretch = torch.where(bonded, r.clamp(max=self.cutoff) - self.bond, (r - self.shell).clamp(max=0.0))
        values = stretch.new_full((len(system.crystal),), self.coordination * (self.cutoff - self.bond) ** 2)
        missing = torch.where(bonded, (self.cutoff - self.bond) ** 2, 0.0)
        values.index_add_(0, bonds.site, stretch * stretch - missing)
        slope = 2 * stretch * system.multiplicity[bonds.site] * (r < self.cutoff)
        return values, (slope / r.clamp(min=1e-6))[:, None] * vector

    def _nearest(self, r: Tensor, site: Tensor, sites: int) -> Tensor:
        """(e,) bool: the edge leads to one of the nearest neighbours of its site; ties go to the first in the list."""
        order = torch.argsort(site * 1024.0 + r.clamp(max=1000.0), stable=True)
        count = torch.bincount(site, minlength=sites)
        start = torch.repeat_interleave(torch.cumsum(count, 0) - count, count)
        rank = torch.arange(len(r), device=r.device) - start
        nearest = torch.empty_like(r, dtype=torch.bool)
        nearest[order] = rank < self.coordination
        return nearest


class Spectrum:
    """Squared distance of each site's SO(3) power spectrum from the reference's.

    Here the spectrum is summed over harmonics, P_nn'l = sum_m c_nlm c_n'lm: linear in the number of neighbours, which
    the pair sum of `environment.descriptors` is not, and candidates start crowded.
    """

    def __init__(self, target: Target) -> None:
        self.settings = target.descriptor
        self.cutoff = target.descriptor.r_cut
        self.reference = torch.from_numpy(reference_spectrum(target).copy())
        self.table = radial_table(target.descriptor)
        self.harmonics = harmonics(target.descriptor.l_max)
        level = self.harmonics.level
        self._sum_m = torch.nn.functional.one_hot(level, self.settings.l_max + 1).to(torch.float64)
        # the table's radial functions hold sqrt((2l + 1) / 4 pi), which belongs to the Legendre polynomials
        self._norm = torch.sqrt(4 * torch.pi / (2 * level + 1.0))
        self._pairs = [(n, m) for n in range(self.settings.n_max) for m in range(n + 1)]

    def value(self, vector: Tensor, bonds: Bonds, system: System) -> tuple[Tensor, Tensor]:
        """See `Objective`."""
        n_max, level = self.settings.n_max, self.harmonics.level
        squared = (vector * vector).sum(1)
        inside = torch.nonzero(squared < self.cutoff**2).squeeze(1)
        site, r = bonds.site[inside], squared[inside].sqrt().clamp(min=1e-6)
        unit = vector[inside] / r[:, None]
        weight = system.species[bonds.atom[inside]].to(r.dtype)[:, None]
        h, dh = (radial.mul_(weight).view(-1, n_max, self.settings.l_max + 1)[:, :, level] for radial in self.table(r))
        y = self.harmonics(unit) * self._norm
        c = h.new_zeros((len(system.crystal), n_max, len(level))).index_add_(0, site, h * y[:, :1])
        values, slope = self._compare(c, system.multiplicity)
        at_edge = slope[site]
        along = (at_edge * dh).sum(1)
        turn = torch.einsum("ek,eak->ea", (at_edge * h).sum(1), y[:, 1:])
        force = ((along * y[:, 0]).sum(1) - (turn * unit).sum(1) / r)[:, None] * unit + turn / r[:, None]
        return values, torch.zeros_like(vector).index_copy_(0, inside, force)

    def _compare(self, c: Tensor, multiplicity: Tensor) -> tuple[Tensor, Tensor]:
        """Values (s,) and the gradient over c (s, n_max, components) of the sum over all atoms."""
        levels = self.settings.l_max + 1
        spectrum = torch.cat([(c[:, n] * c[:, m]) @ self._sum_m for n, m in self._pairs], dim=1)
        difference = spectrum - self.reference.to(c.device)
        weighted = difference * (2 * multiplicity)[:, None]
        slope = torch.zeros_like(c)
        for block, (n, m) in enumerate(self._pairs):
            part = weighted[:, block * levels : (block + 1) * levels][:, self.harmonics.level]
            slope[:, n] += part * c[:, m]
            slope[:, m] += part * c[:, n]
        return (difference * difference).sum(1), slope


class Weighted:
    """A sum of objectives, each with its weight."""

    def __init__(self, *parts: tuple[float, Objective]) -> None:
        self.parts = parts
        self.cutoff = max(objective.cutoff for _, objective in parts)

    def value(self, vector: Tensor, bonds: Bonds, system: System) -> tuple[Tensor, Tensor]:
        """See `Objective`."""
        values = system.multiplicity.new_zeros(len(system.multiplicity))
        force = torch.zeros_like(vector)
        for weight, objective in self.parts:
            part = objective.value(vector, bonds, system)
            values, force = values + weight * part[0], force + weight * part[1]
        return values, force
