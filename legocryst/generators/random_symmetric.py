"""Random crystals with symmetry: the yardstick that a trained model has to beat.

A random space group, one to five random Wyckoff positions with random free coordinates, a random cell that suits the
crystal system, scaled to a random volume per atom. Nothing is learnt but limits.
"""

from typing import Any, Self

import numpy as np
import pandas as pd

from legocryst.crystal import cell as cells
from legocryst.crystal.io.table import CELL
from legocryst.crystal.symmetry.wyckoff import N_GROUPS
from legocryst.generators.base import Generator, Task
from legocryst.generators.columns import UNUSED, clear_unused, elements, site_count
from legocryst.generators.conditions import Conditions
from legocryst.generators.variables import atom_count, choices, on_position
from legocryst.vocabulary.registry import GeneratorSpec

SPEC = GeneratorSpec(
    name="random",
    loads="RandomSymmetric",
    title="random symmetric crystals",
    help="random symmetric crystals",
    order=50,
    baseline=True,
    tempered=False,
    learns_from=(),
    fewest_rows=1,
    options=("volume_per_atom",),
    methods="Rows were drawn at random within the space groups, positions and volumes of the training set.",
)

STRETCH = np.log(2.0)
"""Edges before scaling are exp(u), u uniform between minus and plus this: at most four to one."""
ANGLES = (np.pi / 3, 2 * np.pi / 3)
"""Free angles are uniform between these."""
CHUNK = 50_000


class RandomSymmetric(Generator):
    """Random symmetric crystals; `volume_per_atom` in cubic angstrom, by default the range of the fitted table."""

    spec = SPEC

    def __init__(
        self, *, volume_per_atom: tuple[float, float] | None = None, sites: int = 5, max_atoms: int = 128
    ) -> None:
        self.volume_per_atom = volume_per_atom
        self.sites = sites
        self.max_atoms = max_atoms
        self.columns: list[str] = []
        self.elements = np.zeros(0, np.int64)

    @property
    def fitted(self) -> bool:
        """See `Generator.fitted`."""
        return bool(self.columns)

    def _fit(self, table: pd.DataFrame, task: Task) -> None:
        self.columns, self.elements = list(table.columns), elements(table)
        if self.volume_per_atom is None:
            self.volume_per_atom = _volume_range(table)
        task.progress({"epoch": 1, "epochs": 1, "seconds_left": 0.0})

    def _sample(self, n: int, *, seed: int, temperature: float, conditions: Conditions) -> pd.DataFrame:
        """See `Generator.sample`; nothing is learnt, so the temperature changes nothing."""
        rng = np.random.default_rng(seed)
        parts = [self._chunk(min(CHUNK, n - done), rng) for done in range(0, max(n, 1), CHUNK)]
        return pd.concat(parts, ignore_index=True)

    def _chunk(self, n: int, rng: np.random.Generator) -> pd.DataFrame:
        assert self.volume_per_atom is not None
        group = rng.integers(1, N_GROUPS + 1, n)
        position, atoms = self._positions(group, rng)
        cell = random_cells(group, atoms * rng.uniform(*self.volume_per_atom, n), rng)
        columns: dict[str, np.ndarray] = {"spg": group, **dict(zip(CELL, cell.T, strict=True))}
        for i, index in enumerate(position.T):
            points = on_position(choices().identity[group, index.clip(min=0)], rng.uniform(size=(n, 3)))
            columns |= {f"wp{i}": index, f"x{i}": points[:, 0], f"y{i}": points[:, 1], f"z{i}": points[:, 2]}
            if len(self.elements):
                columns[f"el{i}"] = rng.choice(self.elements, n)
        return clear_unused(pd.DataFrame(columns)[self.columns])

    def _positions(self, group: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return Wyckoff indices (n, sites of the table), unused -1, and atoms (n,) in the conventional cell."""
        n, table = len(group), choices()
        free, multiplicity = table.exists[group], table.multiplicity[group]
        columns = site_count(self.columns)
        number = rng.integers(1, min(self.sites, columns) + 1, n)
        out, atoms, row = np.full((n, columns), UNUSED), np.zeros(n, np.int64), np.arange(n)
        for i in range(number.max(initial=0)):
            allowed = free & (multiplicity + atoms[:, None] <= self.max_atoms)
            index = np.where(allowed, rng.uniform(size=allowed.shape), -1).argmax(axis=1)
            ok = allowed.any(axis=1) & (i < number)
            out[ok, i] = index[ok]
            atoms[ok] += multiplicity[row, index][ok]
            free[row[ok], index[ok]] &= ~table.fixed[group, index][ok]  # only once
        return out, atoms

    @classmethod
    def _load(cls, content: dict[str, Any]) -> Self:
        out = cls(
            volume_per_atom=tuple(content["volume_per_atom"]), sites=content["sites"], max_atoms=content["max_atoms"]
        )
        out.columns, out.elements = content["columns"], np.array(content["elements"], np.int64)
        return out

    def describe(self) -> dict[str, Any]:
        """Return model and limits."""
        return {"model": self.name, "parameters": 0, **self._content()}

    def _content(self) -> dict[str, Any]:
        return {
            "volume_per_atom": list(self.volume_per_atom or ()),
            "sites": self.sites,
            "max_atoms": self.max_atoms,
            "columns": self.columns,
            "elements": self.elements.tolist(),
        }


def random_cells(group: np.ndarray, volume: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return cells (n, 6) of the groups' systems with the volumes (n,); flat or impossible ones are drawn again."""
    cell = np.full((len(group), 6), np.nan)
    redo = np.arange(len(group))
    while len(redo):
        edges = np.exp(rng.uniform(-STRETCH, STRETCH, (len(redo), 3)))
        trial = np.concatenate([edges, rng.uniform(*ANGLES, (len(redo), 3))], axis=1)
        trial = cells.symmetrized(group[redo], trial)
        size = np.nan_to_num(cells.volume(trial)) / trial[:, :3].prod(axis=1)
        cell[redo] = trial
        redo = redo[size < 0.3]
    cell[:, :3] *= np.cbrt(volume / cells.volume(cell))[:, None]
    return cell


def _volume_range(table: pd.DataFrame) -> tuple[float, float]:
    """Return first and ninety-ninth percentile of the volume per atom of the possible cells of a table."""
    group = table["spg"].to_numpy()
    atoms = atom_count(group, table[[f"wp{i}" for i in range(site_count(table.columns))]].to_numpy())
    cell = cells.symmetrized(group, table[list(CELL)].to_numpy())
    with np.errstate(divide="ignore", invalid="ignore"):
        volume = cells.volume(cell) / atoms
    volume = volume[np.isfinite(volume) & (volume > 0)]
    if not len(volume):
        raise ValueError("no row of the table has a possible cell and a site; the range of volumes cannot be read off")
    return float(np.percentile(volume, 1)), float(np.percentile(volume, 99))
