"""What a user asks of samples: space groups, sites, atoms in the cell, low energy; and which choices can meet it."""

from dataclasses import dataclass

import numpy as np

from legocryst.crystal.cell import SYSTEMS, system_index
from legocryst.crystal.symmetry.wyckoff import N_GROUPS
from legocryst.generators.variables import choices
from legocryst.settings import SampleSettings, group_numbers
from legocryst.vocabulary.quantities import SITES

LARGEST = 192
"""Most points of a Wyckoff position."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """Bounds, both included; `lowest` is the share of the training energies, lowest first, that samples shall have.

    `guidance` says how far a Transformer goes for them: 1 as it learnt, more for fewer different crystals of lower
    energy.
    """

    groups: frozenset[int] = frozenset(range(1, N_GROUPS + 1))
    sites: tuple[int, int] = (1, SITES)
    atoms: tuple[int, int] = (1, 500)
    lowest: float = 1.0
    guidance: float = SampleSettings.model_fields["guidance"].default

    @property
    def open(self) -> bool:
        """Whether nothing is asked for; a largest number of atoms alone asks for nothing."""
        return (len(self.groups), self.sites, self.atoms[0], self.lowest) == (N_GROUPS, OPEN.sites, 1, 1)

    @staticmethod
    def of(settings: SampleSettings) -> "Conditions":
        """Return the conditions that settings name; raises ValueError where they contradict each other."""
        groups = group_numbers(settings.groups)
        if settings.system != "any":
            groups = frozenset(g for g in groups if SYSTEMS[int(system_index(g))] == settings.system)
        if not groups:
            raise ValueError(f"none of the space groups {settings.groups} is {settings.system}: leave one of both open")
        for name in ("sites", "atoms"):
            low, high = getattr(settings, f"min_{name}"), getattr(settings, f"max_{name}")
            if low > high:
                raise ValueError(f"at least {low} and at most {high} {name} cannot both be: raise max_{name}")
        return Conditions(
            groups=groups,
            sites=(settings.min_sites, settings.max_sites),
            atoms=(settings.min_atoms, settings.max_atoms),
            lowest=settings.lowest_energies,
            guidance=settings.guidance,
        )


OPEN = Conditions()


class Reach:
    """Which Wyckoff positions can still be chosen so that a row ends with the sites and atoms that were asked for.

    Sites are chosen from the last position, letter a, to the general one; a position without free coordinates once.
    """

    def __init__(self, conditions: Conditions, *, sites: int) -> None:
        """`sites`: room of a row."""
        self.low = np.array([conditions.sites[0], conditions.atoms[0]])
        self.high = np.array([min(conditions.sites[1], sites), min(conditions.atoms[1], LARGEST * sites)])
        if (self.low > self.high).any():
            raise ValueError(f"a row of this table has room for {sites} sites: ask for fewer sites or atoms")
        count = np.append(choices().exists.sum(axis=1), 0)
        self._start = np.concatenate([[0], np.cumsum(count + 1)])  # of each group; its first entry is no position
        # [position, sites, atoms]: how many pairs below (sites, atoms) can be made of the group's positions before it
        self._counts = np.zeros((self._start[-1], self.high[0] + 2, self.high[1] + 2), np.int16)
        for group in range(1, N_GROUPS + 1):
            self._fill(group, int(count[group]))

    def _fill(self, group: int, count: int) -> None:
        table = choices()
        made = np.zeros(self.high + 1, bool)
        made[0, 0] = True
        for k in range(count + 1):
            self._counts[self._start[group] + k, 1:, 1:] = made.cumsum(0).cumsum(1)
            size = int(table.multiplicity[group, k]) if k < count else 0
            if 0 < size <= self.high[1]:
                source = made.copy() if table.fixed[group, k] else made
                for sites in range(1, self.high[0] + 1):
                    made[sites, size:] |= source[sites - 1, : len(made[0]) - size]

    def groups(self) -> np.ndarray:
        """Return (231,) bool: groups in which a row can be made."""
        none = np.zeros(N_GROUPS + 1, np.int64)
        return self._possible(np.arange(N_GROUPS + 1), choices().exists.sum(axis=1), none, none)

    def ended(self, sites: np.ndarray, atoms: np.ndarray) -> np.ndarray:
        """Return (n,) bool: rows of some numbers of sites and atoms (n,) may end."""
        now = np.stack([sites, atoms], axis=1)
        return ((now >= self.low) & (now <= self.high)).all(axis=1) & (sites > 0)

    def allowed(self, group: np.ndarray, last: np.ndarray, sites: np.ndarray, atoms: np.ndarray) -> np.ndarray:
        """Return (n, 27) bool: positions that may come next in rows of groups (n,) with some sites and atoms (n,).

        `last` (n,) is the position before, 27 where there is none yet.
        """
        table = choices()
        index = np.arange(table.exists.shape[1])
        again = index == last[:, None]
        open_ = table.exists[group] & (index <= last[:, None]) & ~(again & table.fixed[group])
        after = np.where(table.fixed[group], index, index + 1)  # positions below this stay open afterwards
        more = atoms[:, None] + table.multiplicity[group]
        rows, columns = np.nonzero(open_ & (more <= self.high[1]) & (sites[:, None] < self.high[0]))
        out = np.zeros_like(open_)
        out[rows, columns] = self._possible(group[rows], after[rows, columns], sites[rows] + 1, more[rows, columns])
        return out

    def _possible(self, group: np.ndarray, until: np.ndarray, sites: np.ndarray, atoms: np.ndarray) -> np.ndarray:
        """Return (n,) bool: rows can be completed with positions below `until` (n,)."""
        now = np.stack([sites, atoms], axis=1)
        low, high = np.maximum(self.low - now, 0), self.high - now + 1
        counts = self._counts[self._start[group] + until]
        rows = np.arange(len(group))
        inside = (
            counts[rows, high[:, 0], high[:, 1]]
            - counts[rows, low[:, 0], high[:, 1]]
            - counts[rows, high[:, 0], low[:, 1]]
            + counts[rows, low[:, 0], low[:, 1]]
        )
        return inside > 0
