"""Novelty: what is known already, and which known crystal is nearest to one that was found."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from legocryst.comparison.pdd import NEIGHBORS, PDD, amds, distance, pdds
from legocryst.crystal.crystals import Crystals
from legocryst.environment.target import Target
from legocryst.infra.files import write_parquet

__all__ = ["DATABASE", "FILE", "REFERENCE", "SHIPPED", "TRAINING", "Known", "novelty", "signature"]

FILE = "known.parquet"
"""Where a job keeps what it knows."""
TRAINING, REFERENCE, SHIPPED, DATABASE = "training set", "reference set", "shipped set", "database"
_EVERY = NEIGHBORS // 20


@dataclass(frozen=True, slots=True)
class Known:
    """Known crystals, those first that are named first where several are equally near."""

    names: list[str]
    sets: list[str]  # TRAINING, REFERENCE or SHIPPED
    keys: list[str]  # net keys
    pdds: list[PDD]
    average: np.ndarray  # (n, NEIGHBORS)

    def __len__(self) -> int:
        return len(self.names)

    @classmethod
    def of(
        cls, crystals: Crystals, target: Target, *, names: Sequence[str], keys: Sequence[str], of_set: str
    ) -> "Known":
        """Return the crystals of one set; those without a name are called by their number."""
        invariants = pdds(crystals, target)
        called = [name or f"crystal {k}" for k, name in enumerate(names)]
        return cls(called, [of_set] * len(invariants), list(keys), invariants, amds(invariants))

    @classmethod
    def none(cls) -> "Known":
        """Return a set of no crystals."""
        return cls([], [], [], [], amds([]))

    def __add__(self, other: "Known") -> "Known":
        average = np.concatenate([self.average, other.average])
        return Known(
            self.names + other.names, self.sets + other.sets, self.keys + other.keys, self.pdds + other.pdds, average
        )

    def nearest(self, pdd: PDD, *, most: int = 1) -> list[tuple[float, int]]:
        """Find the nearest, at most `most`: distance in angstrom and number; exact, as averages are never farther."""
        bound = np.abs(self.average - pdd.amd).max(axis=1)
        best: list[tuple[float, int]] = []
        for k in np.argsort(bound, kind="stable").tolist():
            if len(best) == most and bound[k] > best[-1][0]:
                break
            best = sorted([*best, (distance(pdd, self.pdds[k]), k)])[:most]
        return best

    def write(self, path: Path) -> None:
        """Keep it as a Parquet file."""
        rows = [json.dumps(pdd.rows.tolist()) for pdd in self.pdds]
        count = [json.dumps(pdd.count.tolist()) for pdd in self.pdds]
        table = {"name": self.names, "set": self.sets, "net_key": self.keys, "rows": rows, "count": count}
        write_parquet(pd.DataFrame(table, dtype=str), path)

    @classmethod
    def read(cls, path: Path) -> "Known":
        """Return what `write` kept."""
        table = pd.read_parquet(path)
        invariants = [
            PDD(np.array(json.loads(rows)), np.array(json.loads(count), np.int64))
            for rows, count in zip(table["rows"], table["count"], strict=True)
        ]
        return cls(list(table["name"]), list(table["set"]), list(table["net_key"]), invariants, amds(invariants))


def novelty(key: str, name: str, keys: dict[str, set[str]]) -> str:
    """Return how new a net is: the first set that has its key, else whether it has a name.

    `keys` are the net keys of each set, in the order in which they are asked. The view `candidates` of the database
    says the same of its crystals.
    """
    for of_set, known in keys.items():
        if key in known:
            return f"in {of_set}"
    return "known net" if name else "new"


def signature(pdd: PDD) -> list[float]:
    """Return every fifth average minimum distance, by which a database finds what may be near (see `similar`)."""
    return [float(np.float32(value)) for value in pdd.amd[_EVERY - 1 :: _EVERY]]
