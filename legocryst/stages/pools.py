"""Pools: a source crystal with its subgroups, out of which rows are drawn, and how rows are dealt to them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from legocryst.crystal import cell as cells
from legocryst.crystal.crystals import Crystals
from legocryst.crystal.symmetry.normalizers import all_ways
from legocryst.crystal.symmetry.redescription import Descriptions, redescribed, row_keys, written
from legocryst.crystal.symmetry.subgroups import Subgroups, subgroups
from legocryst.crystal.symmetry.wyckoff import N_GROUPS, wyckoff
from legocryst.settings import AugmentSettings


@dataclass(slots=True)
class Pool:
    """A source crystal in those of its subgroups that are within the limits, and the rows made of it so far."""

    number: int  # of the source
    source: Crystals  # a batch of one
    crystals: Crystals  # the source in each subgroup
    subgroups: Subgroups
    rng: np.random.Generator
    dealt: np.ndarray  # (subgroups,) rows each should have
    made: np.ndarray  # (subgroups,) rows each has
    open: np.ndarray  # (subgroups,) bool: more may be found
    used: dict[tuple[int, int], int] = field(default_factory=dict)  # rows of a subgroup after one way
    parts: list[tuple[np.ndarray, Descriptions]] = field(default_factory=list)  # rows, and the subgroup of each

    @staticmethod
    def of(number: int, source: Crystals, settings: AugmentSettings, seed: int) -> "Pool":
        """Return the pool of a crystal (a batch of one), without rows."""
        table = subgroups(int(source.group[0]))
        table = table.take((table.index <= settings.max_index) & (table.k_index <= settings.max_cells))
        crystals, table = written(source, table, max_sites=settings.max_sites, max_atoms=settings.max_atoms)
        fits = np.flatnonzero(_free_variables(crystals) <= settings.max_free)
        rng = np.random.default_rng([seed, number])
        dealt, made = np.zeros((2, len(fits)), np.int64)
        return Pool(number, source, crystals.take(fits), table.take(fits), rng, dealt, made, np.ones(len(fits), bool))

    @property
    def total(self) -> int:
        """Rows made."""
        return int(self.made.sum())

    def keep_itself(self, seen: set[bytes]) -> None:
        """Make the source as it is the first row, if it is within the limits."""
        own = np.flatnonzero(self.subgroups.index == 1)
        if len(own) and (key := row_keys(self.source)[0]) not in seen:
            seen.add(key)
            itself = Descriptions(self.source, np.zeros(1, np.int64), np.eye(3)[None], np.zeros((1, 3)))
            self.parts.append((own, itself))
            self.dealt[own] = self.made[own] = 1

    def draw(self, seen: set[bytes], most: int) -> int:
        """Make the rows that were dealt, none that is in `seen`, at most `most` of one subgroup after one way.

        A subgroup in which nothing new is found is closed; what could not be made is no longer dealt. Returns the
        number of rows made.
        """
        missing = self.dealt - self.made
        which = np.repeat(np.arange(len(missing)), np.where(missing > 0, 2 * missing + 4, 0))
        if not len(which):
            return 0
        count = np.diff(all_ways()[0])[self.subgroups.group[which]]
        way = (self.rng.random(len(which)) * count).astype(np.int64)
        chance = self.rng.random((len(which), int(self.crystals.site_count.max())))
        rows = redescribed(self.crystals, self.subgroups, which, way, chance)
        new = []
        for r, (h, w, key) in enumerate(zip(which.tolist(), way.tolist(), row_keys(rows.crystals), strict=True)):
            used = self.used.get((h, w), 0)
            if self.made[h] < self.dealt[h] and used < most and key not in seen:
                seen.add(key)
                new.append(r)
                self.made[h] += 1
                self.used[h, w] = used + 1
        self.open &= self.made > self.dealt - np.maximum(missing, 1)
        self.dealt = self.made.copy()
        self.parts.append((which[new], rows.take(new)))
        return len(new)

    def rows(self) -> Descriptions:
        """Return the rows by subgroup in rising order, the source itself first."""
        which = np.concatenate([part[0] for part in self.parts])
        order = np.argsort(which, kind="stable")
        rows = Descriptions.concatenate([part[1] for part in self.parts]).take(order)
        return replace(rows, source=np.full(len(order), self.number))


def deal(pools: Sequence[Pool], rows: int, most: int) -> int:
    """Deal rows, one at a time, to the pools in turn, none getting more than `most`; returns how many it could.

    A pool gives its row to the subgroup for which the product of three counts, each plus one, is least: the rows of all
    pools in its space group, those with its number of sites, and its own.
    """
    most_sites = max(int(pool.crystals.site_count.max(initial=0)) for pool in pools)
    in_group, with_sites = np.ones(N_GROUPS + 1), np.ones(most_sites + 1)
    for pool in pools:
        np.add.at(in_group, pool.subgroups.group, pool.made)
        np.add.at(with_sites, pool.crystals.site_count, pool.made)
    choices = [(pool, np.flatnonzero(pool.open), most - pool.total) for pool in pools]
    choices = [(pool, open_, room) for pool, open_, room in choices if len(open_) and room > 0]
    done, turn = 0, 0
    while done < rows and choices:
        for pool, open_, _ in choices[: rows - done]:
            group, sites = pool.subgroups.group[open_], pool.crystals.site_count[open_]
            k = int((in_group[group] * with_sites[sites] * (pool.dealt[open_] + 1)).argmin())
            in_group[group[k]] += 1
            with_sites[sites[k]] += 1
            pool.dealt[open_[k]] += 1
        done, turn = done + min(len(choices), rows - done), turn + 1
        choices = [choice for choice in choices if choice[2] > turn]
    return done


def _free_variables(crystals: Crystals) -> np.ndarray:
    """Return (n,) free variables of the cell and of all sites."""
    of_sites = wyckoff().free[crystals.position_id].sum(axis=1)
    total = np.bincount(crystals.crystal_of_site, weights=of_sites, minlength=len(crystals))
    return cells.free_parameters(crystals.group) + total.astype(np.int64)
