"""Objectives: a value for each site and the gradient over its bond vectors.

Each has a `cutoff` (angstrom) beyond which its slope is zero, and looks only at sites whose weight is above zero.
"""

from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from legocryst.environment.descriptors import descriptor, reference
from legocryst.environment.neighbors import added, gathered, length
from legocryst.environment.targets import Target
from legocryst.relax.system import Geometry, System

ANGLE = 20.0
"""Degrees above the target's smallest angle up to which the coordination opens angles."""


class Objective(Protocol):
    """What a minimiser needs of an objective."""

    cutoff: float

    def value(self, geometry: Geometry, system: System, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Values (s,) of one atom of each site and the gradient (3, e), of the sum over all atoms, times the weights.

        The weights (s,) are of the sites; the value of a site of weight 0 means nothing.
        """
        ...


class Coordination:
    """Smooth count of neighbours: the nearest are drawn to the bond length, all others pushed outside.

    Each atom's `coordination` nearest neighbours give (r - bond)^2, levelled off at `cutoff`; every other gives
    (second_shell - r)^2 inside the second shell. Two of the nearest that are d apart give (apart - d)^2 where d is
    smaller, without which triangles of atoms would be perfect; `apart` belongs to an angle ANGLE above the target's
    smallest. Which are the nearest is settled when the neighbour list is made, so that the value is smooth between two
    lists.
    """

    def __init__(self, target: Target) -> None:
        self.coordination = target.coordination
        self.bond = target.bond
        self.shell = target.second_shell
        self.cutoff = self.shell + 0.4
        self.apart = 2 * self.bond * float(np.sin(np.radians((target.min_angle + ANGLE) / 2)))

    def value(self, geometry: Geometry, system: System, weight: Tensor) -> tuple[Tensor, Tensor]:
        """See `Objective`."""
        bonds, r = geometry.bonds, geometry.distance
        bonded = (bonds.rank < self.coordination).to(r.dtype)
        far = (self.cutoff - self.bond) ** 2
        stretch = torch.minimum(r - self.shell + (self.shell - self.bond) * bonded, bonded * (self.cutoff - self.bond))
        values = stretch.new_full(system.crystal.shape, self.coordination * far)
        values.scatter_add_(0, bonds.site, stretch * stretch - far * bonded)
        scale = (2 * weight * system.multiplicity).index_select(0, bonds.site)
        slope = stretch * scale * (r < self.cutoff)
        force = slope / r.clamp(min=1e-6) * geometry.vector
        self._bend(geometry, scale, values, force)
        return values, force

    def _bend(self, geometry: Geometry, scale: Tensor, values: Tensor, force: Tensor) -> None:
        """Add what bonded neighbours of one atom give that are too near each other; nearest first in the list."""
        rank, site = geometry.bonds.rank, geometry.bonds.site
        for k in range(1, self.coordination):
            last = torch.nonzero(rank == k).squeeze(1)
            for j in range(k):
                first = last - (k - j)
                a, b = gathered(geometry.vector, first), gathered(geometry.vector, last)
                (fade_a, drop_a), (fade_b, drop_b) = (self._fade(geometry.distance[each]) for each in (first, last))
                apart = a - b
                d = length(apart).clamp_(min=1e-6)
                short = (self.apart - d).clamp_(min=0.0)
                both = fade_a * fade_b
                values.scatter_add_(0, site[last], both * short * short)
                at_site = scale[last] * short
                push = at_site * both / d * apart
                drop = 0.5 * at_site * short
                force.index_add_(1, first, drop * fade_b * drop_a / geometry.distance[first].clamp(min=1.0) * a - push)
                force.index_add_(1, last, drop * fade_a * drop_b / geometry.distance[last].clamp(min=1.0) * b + push)

    def _fade(self, r: Tensor) -> tuple[Tensor, Tensor]:
        """1 inside the second shell, 0 beyond the cutoff, and the slope."""
        width = self.cutoff - self.shell
        t = ((self.cutoff - r) / width).clamp(0.0, 1.0)
        return t * t * (3 - 2 * t), -6 * t * (1 - t) / width


class Environment:
    """Squared distance of a descriptor of each site from the reference's."""

    def __init__(self, target: Target, kind: str = "power_spectrum") -> None:
        self.descriptor = descriptor(kind, target.descriptor)
        self.cutoff = self.descriptor.cutoff
        self.reference = torch.from_numpy(reference(target, kind).copy())[:, None]

    def value(self, geometry: Geometry, system: System, weight: Tensor) -> tuple[Tensor, Tensor]:
        """See `Objective`."""
        bonds, expansion = geometry.bonds, self.descriptor.expansion
        inside = (geometry.distance < self.cutoff) & (weight > 0).index_select(0, bonds.site)
        index = torch.nonzero(inside).squeeze(1)
        species = self.descriptor.weight(system.species[bonds.atom[index]])
        expanded = expansion(
            bonds.site[index], gathered(geometry.vector, index), geometry.distance[index], species, len(weight)
        )
        sites, c = expanded.sites, expanded.coefficients
        difference = self.descriptor.features(c) - self.reference.to(c.device)
        scale = (2 * weight * system.multiplicity)[sites]
        force = expansion.pull_back(expanded, self.descriptor.slope(c, difference * scale))
        values = torch.empty_like(weight).index_copy_(0, sites, added(difference * difference))
        return values, torch.zeros_like(geometry.vector).index_copy_(1, index, force)
