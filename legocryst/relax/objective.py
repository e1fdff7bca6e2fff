"""Objectives: a value for each site and the gradient over its bond vectors.

Each has a `cutoff` (angstrom) and is zero-slope beyond it. `value(vector, bonds, system)` gives the values (s,) of
one atom of each site and the gradient (e, 3) of the sum over all atoms.
"""

from typing import Protocol

import torch
from torch import Tensor

from legocryst.environment.descriptors import legendre, neighbor_pairs, radial_table, reference_spectrum
from legocryst.environment.targets import Target
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
    """Squared distance of each site's SO(3) power spectrum from the reference's."""

    def __init__(self, target: Target) -> None:
        self.settings = target.descriptor
        self.cutoff = target.descriptor.r_cut
        self.reference = torch.from_numpy(reference_spectrum(target).copy())
        self.table = radial_table(target.descriptor)

    def value(self, vector: Tensor, bonds: Bonds, system: System) -> tuple[Tensor, Tensor]:
        """See `Objective`."""
        n_max, levels, sites = self.settings.n_max, self.settings.l_max + 1, len(system.crystal)
        squared = (vector * vector).sum(1)
        inside = torch.nonzero(squared < self.cutoff**2).squeeze(1)
        site, r = bonds.site[inside], squared[inside].sqrt().clamp(min=1e-6)
        unit = vector[inside] / r[:, None]
        weight = system.species[bonds.atom[inside]].to(r.dtype)[:, None]
        h, dh = self.table(r)
        h, dh = (h * weight).view(-1, n_max, levels), (dh * weight).view(-1, n_max, levels)
        j, k = neighbor_pairs(site, sites)
        hj, hk, uj, uk = h[j], h[k], unit[j], unit[k]
        cosine = (uj * uk).sum(1)
        p, dp = legendre(cosine, self.settings.l_max)
        spectrum = self._sum(site, h, h, None, sites) + self._sum(site[j], hj, hk, p, sites)
        difference = spectrum - self.reference.to(r.device)
        values = (difference * difference).sum(1)
        metric = self._metric(difference * (2 * system.multiplicity)[:, None])
        # the derivative of sum_nn' M_nn' h_n(j) h_n'(k) P_l over both orders of a pair
        own = torch.einsum("enl,enl->e", dh, (metric[site] * h[:, None]).sum(2)) * 2
        per_pair = metric[site[j]]
        mk, mj = (per_pair * hk[:, None]).sum(2), (per_pair * hj[:, None]).sum(2)
        own.index_add_(0, j, 2 * torch.einsum("pnl,pnl,pl->p", dh[j], mk, p))
        own.index_add_(0, k, 2 * torch.einsum("pnl,pnl,pl->p", dh[k], mj, p))
        turn = 2 * torch.einsum("pnl,pnl,pl->p", hj, mk, dp)
        force = own[:, None] * unit
        force.index_add_(0, j, (turn / r[j])[:, None] * (uk - cosine[:, None] * uj))
        force.index_add_(0, k, (turn / r[k])[:, None] * (uj - cosine[:, None] * uk))
        return values, vector.new_zeros(vector.shape).index_copy_(0, inside, force)

    def _sum(self, site: Tensor, a: Tensor, b: Tensor, angular: Tensor | None, sites: int) -> Tensor:
        """Power spectrum (s, components) of products a b; with `angular`, of pairs in both orders."""
        blocks = []
        for n in range(self.settings.n_max):
            for m in range(n + 1):
                blocks.append(
                    a[:, n] * b[:, m] if angular is None else (a[:, n] * b[:, m] + a[:, m] * b[:, n]) * angular
                )
        out = torch.cat(blocks, dim=1)
        return out.new_zeros((sites, out.shape[1])).index_add_(0, site, out)

    def _metric(self, slope: Tensor) -> Tensor:
        """(s, n_max, n_max, l_max + 1) symmetric matrices of dE/dP."""
        n_max, levels = self.settings.n_max, self.settings.l_max + 1
        metric = slope.new_zeros((len(slope), n_max, n_max, levels))
        block = 0
        for n in range(n_max):
            for m in range(n + 1):
                part = slope[:, block * levels : (block + 1) * levels]
                metric[:, n, m] += part / 2
                metric[:, m, n] += part / 2
                block += 1
        return metric


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
