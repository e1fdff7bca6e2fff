"""Variables of rows as one tensor of a network and back: cell variables standardised, elements counted from 0."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from legocryst.crystal.symmetry.wyckoff import N_GROUPS
from legocryst.generators import variables as v
from legocryst.generators.columns import UNUSED
from legocryst.generators.conditions import OPEN, Conditions, Reach

ROOM = 0.2
"""Cell variables are drawn within this, in standard deviations, of the range of the fitted table."""
LEAST_STD = 1e-3
SPREAD = 1.25
"""Volumes per atom are kept within the fitted table's range, widened by this factor."""


class Batch(NamedTuple):
    """What a network sees of b rows with room for s sites."""

    group: Tensor  # (b,) int64
    share: Tensor  # (b,) of the known energies, those not larger than its own; NaN unknown
    position: Tensor  # (b, s) int64 Wyckoff index, -1 unused
    element: Tensor  # (b, s) int64 index into the packing's elements, -1 unused
    point: Tensor  # (b, s, 3)
    cell: Tensor  # (b, 6) standardised, 0 where not free

    @staticmethod
    def of(rows: Tensor) -> "Batch":
        """Split the tensor (b, 8 + 5 s) that `Packing.pack` makes."""
        sites = (rows.shape[1] - 8) // 5
        group, share, position, element, point, cell = rows.split([1, 1, sites, sites, 3 * sites, 6], dim=1)
        return Batch(
            group[:, 0].long(), share[:, 0], position.long(), element.long(), point.unflatten(1, (sites, 3)), cell
        )


class Drawn(NamedTuple):
    """Rows that a network drew, as in `Batch`."""

    group: Tensor
    position: Tensor
    element: Tensor
    point: Tensor  # of which only the free coordinates count
    cell: Tensor


@dataclass(frozen=True, slots=True)
class Packing:
    """What is fitted to a table: its columns, elements, and the ranges of cells and energies."""

    columns: list[str]
    sites: int
    elements: list[int]
    mean: list[float]  # (6,) of the cell variables, and so on
    std: list[float]
    low: list[float]
    high: list[float]
    volume: list[float]  # least and largest volume per atom, cubic angstrom
    energies: list[float]  # known energies, one of each crystal, rising
    seen: list[list[int]]  # combinations: group, Wyckoff positions, elements, in how many rows
    lowest: list[float]  # lowest energy that each combination has, NaN unknown

    @staticmethod
    def fit(rows: v.Variables, energy: np.ndarray, columns: list[str]) -> "Packing":
        """Return ranges of variables and of energies (n,), eV/atom, NaN unknown."""
        free = rows.cell_free
        values = [rows.cell[free[:, k], k] if free[:, k].any() else np.zeros(1) for k in range(6)]
        mean, std = np.array([x.mean() for x in values]), np.array([x.std() + LEAST_STD for x in values])
        extremes = np.array([(x.min(), x.max()) for x in values])
        cell = v.cell_of_variables(rows.group, rows.cell, rows.atoms)
        volume = v.cells.volume(cell) / rows.atoms
        elements = np.unique(rows.species[rows.species != UNUSED])
        element = np.where(rows.species == UNUSED, UNUSED, np.searchsorted(elements, rows.species))
        combination = np.column_stack([rows.group, rows.position, element])
        seen, which, count = np.unique(combination, axis=0, return_inverse=True, return_counts=True)
        lowest = np.full(len(seen), np.inf)
        np.minimum.at(lowest, which, np.where(np.isfinite(energy), energy, np.inf))
        return Packing(
            columns=columns,
            sites=rows.position.shape[1],
            elements=elements.tolist(),
            mean=mean.tolist(),
            std=std.tolist(),
            low=((extremes[:, 0] - mean) / std - ROOM).tolist(),
            high=((extremes[:, 1] - mean) / std + ROOM).tolist(),
            volume=[float(volume.min() / SPREAD), float(volume.max() * SPREAD)],
            energies=np.unique(energy[np.isfinite(energy)]).tolist(),
            seen=np.column_stack([seen, count]).tolist(),
            lowest=np.where(np.isfinite(lowest), lowest, np.nan).tolist(),
        )

    def pack(self, rows: v.Variables, energy: np.ndarray) -> Tensor:
        """Return tensor (n, 8 + 5 s) float32, which `Batch.of` splits."""
        element = np.where(rows.species == UNUSED, UNUSED, np.searchsorted(self.elements, rows.species))
        cell = np.where(rows.cell_free, (rows.cell - self.mean) / self.std, 0.0)
        flat = rows.point.reshape(len(rows.group), -1)
        packed = np.column_stack([rows.group, self.share_below(energy), rows.position, element, flat, cell])
        return torch.from_numpy(packed.astype(np.float32))

    def share_below(self, energy: np.ndarray) -> np.ndarray:
        """Return share of the known energies that are not larger than energies (n,), NaN where unknown."""
        rank = np.searchsorted(self.energies, energy, side="right")
        return np.where(np.isfinite(energy), rank / max(1, len(self.energies)), np.nan)

    def table(self, drawn: Drawn) -> pd.DataFrame:
        """Return table of drawn rows."""
        group, position, element, point, cell = (part.numpy() for part in drawn)
        free = v.CELL_FREE[v.choices().system[group]]
        cell = np.where(free, cell.astype(float) * self.std + self.mean, 0.0)
        cell = v.with_volume(group, cell)
        atoms = v.atom_count(group, position)
        volume = v.cells.volume(v.cell_of_variables(group, cell, atoms)) / atoms
        cell[:, :3] += np.where(free[:, :3], np.log(volume.clip(*self.volume) / volume)[:, None] / 3, 0.0)
        species = np.where(position >= 0, np.array(self.elements)[element.clip(min=0)], UNUSED)
        identity = v.choices().identity[group[:, None], position.clip(min=0)]
        exact = v.on_position(identity.ravel(), point.reshape(-1, 3).astype(float)).reshape(point.shape)
        exact[position < 0] = 0.0
        return v.write(v.Variables(group, position, species, exact, cell), self.columns)

    def requested(self, n: int, conditions: Conditions, rng: np.random.Generator) -> np.ndarray:
        """Return share of lowest energies, sites and atoms (n, 3) that n rows are asked for; NaN where left open.

        Sites and atoms are those of combinations of the fitted table that meet the conditions, if there are any.
        """
        out = np.full((n, 3), np.nan)
        if conditions.lowest < 1:
            out[:, 0] = len(self._low_energies(conditions)) / len(self.energies)
        chance = self._chances(conditions)
        if chance.any():
            position = self._seen[rng.choice(len(chance), n, p=chance / chance.sum()), : self.sites + 1]
            if conditions.sites != OPEN.sites:
                out[:, 1] = (position[:, 1:] >= 0).sum(axis=1)
            if conditions.atoms != OPEN.atoms:
                out[:, 2] = v.atom_count(position[:, 0], position[:, 1:])
        return out

    def combinations(self, n: int, conditions: Conditions, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Return groups (n,), Wyckoff positions and elements (n, s) of n combinations that meet the conditions."""
        chance = self._chances(conditions)
        if conditions.lowest < 1:
            with np.errstate(invalid="ignore"):
                chance = chance * (np.array(self.lowest) <= self._low_energies(conditions)[-1])
        if not chance.any():
            raise ValueError("no combination of positions in the table meets what is asked for; widen it")
        drawn = torch.from_numpy(self._seen[rng.choice(len(chance), n, p=chance / chance.sum())])
        return drawn[:, 0], drawn[:, 1 : self.sites + 1], drawn[:, self.sites + 1 : -1]

    @property
    def _seen(self) -> np.ndarray:
        return np.array(self.seen, np.int64)

    def _low_energies(self, conditions: Conditions) -> np.ndarray:
        """Return the lowest known energies, as large a share as is asked for."""
        if not self.energies:
            raise ValueError("the model knows no energies: train it on a table with a column energy")
        return np.array(self.energies)[: max(1, round(conditions.lowest * len(self.energies)))]

    def _chances(self, conditions: Conditions) -> np.ndarray:
        """Return (k,) rows of each combination that meets the conditions, energy apart; 0 for the others."""
        seen = self._seen
        group, position, count = seen[:, 0], seen[:, 1 : self.sites + 1], seen[:, -1]
        meets = np.isin(group, list(conditions.groups))
        values = ((position >= 0).sum(axis=1), v.atom_count(group, position))
        for value, (low, high) in zip(values, (conditions.sites, conditions.atoms), strict=True):
            meets &= (value >= low) & (value <= high)
        return np.where(meets, count, 0)

    def log_shares(self) -> np.ndarray:
        """Return (231,) float32 logarithm of each group's share of the fitted table, -1e9 where it has none."""
        share = np.bincount(self._seen[:, 0], self._seen[:, -1], minlength=N_GROUPS + 1)
        share = share / share.sum()
        return np.where(share > 0, np.log(share.clip(min=1e-30)), -1e9).astype(np.float32)

    def groups(self, conditions: Conditions, reach: Reach) -> Tensor:
        """Find groups (231,) of the fitted table in which the conditions can be met; raises ValueError for none."""
        learnt = np.isin(np.arange(N_GROUPS + 1), self._seen[:, 0])
        allowed = learnt & np.isin(np.arange(N_GROUPS + 1), list(conditions.groups))
        if not allowed.any():
            raise ValueError("the model has learnt none of the space groups asked for; ask for others")
        possible = allowed & reach.groups()
        if not possible.any():
            (s0, s1), (a0, a1) = conditions.sites, conditions.atoms
            raise ValueError(
                f"no crystal of {s0} to {s1} sites and {a0} to {a1} atoms can be made in the space groups asked for; "
                "widen what is asked"
            )
        return torch.from_numpy(possible)

    def to_dict(self) -> dict[str, Any]:
        """Return all that was fitted, in plain values."""
        return asdict(self)

    @staticmethod
    def from_dict(content: Mapping[str, Any]) -> "Packing":
        """Return inverse of `to_dict`."""
        return Packing(**content)
