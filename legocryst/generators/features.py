"""From table columns to the numbers of a network and back: one-hot categories and mode-specific normalisation.

Method: Xu, Skoularidou, Cuesta-Infante & Veeramachaneni, NeurIPS 2019 (arXiv 1907.00503), section 4.2. The mixtures
are fitted by rdt's ClusterBasedNormalizer. Unlike there, a value goes to its most probable component that can hold it,
and what no component can hold gets one more: the transform is deterministic, and no value of the fitted table is
clipped. A scalar is a float32 between -1 and 1, so that a value comes back within 2e-7 of its component's standard
deviation.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from legocryst.generators.columns import UNUSED, check_table, clear_unused, is_discrete, site_of
from legocryst.infra.extras import require
from legocryst.settings import FeatureSettings

WIDTH = 4.0
"""A component spans this many standard deviations on each side of its mean: scalars -1 to 1."""
LIMIT = 0.99
"""Scalars beyond this are clipped, which only values outside the fitted table's can be."""
EXACT = 1e-8
"""Standard deviation of a component that stands for a single value."""


@dataclass(frozen=True, slots=True)
class Block:
    """One column of the table in the matrix: for a continuous one a scalar first, then a one-hot of k parts."""

    name: str
    start: int
    value: np.ndarray  # (k,) categories, or means of the components in the column's unit
    weight: np.ndarray  # (k,) share of rows
    std: np.ndarray = field(default_factory=lambda: np.zeros(0))  # (k,) of the components, empty for categories
    outliers: int = 0  # values of the fitted table that no component of the mixture holds, and one of their own does

    @property
    def discrete(self) -> bool:
        """Categories only, no scalar."""
        return len(self.std) == 0

    @property
    def has_unused(self) -> bool:
        """The first category or component stands for unused sites."""
        return self.site is not None and len(self.value) > 0 and self.value[0] == UNUSED

    @property
    def site(self) -> int | None:
        """Site that the column belongs to, None for the space group and the cell."""
        return site_of(self.name)

    @property
    def onehot(self) -> slice:
        """Columns of the matrix with the one-hot."""
        first = self.start + (not self.discrete)
        return slice(first, first + len(self.value))

    @property
    def width(self) -> int:
        """Columns of the matrix."""
        return self.onehot.stop - self.start

    def choose(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return component (n,) and scalar (n,), not yet clipped, of values of a continuous column."""
        distance = (values[:, None] - self.value) / self.std
        score = np.log(self.weight / self.std) - 0.5 * distance**2
        far = np.abs(distance) > LIMIT * WIDTH
        score[far] = -1e30 - distance[far] ** 2
        part = score.argmax(axis=1)
        return part, distance[np.arange(len(values)), part] / WIDTH

    def restore(self, part: np.ndarray, scalar: np.ndarray) -> np.ndarray:
        """Return values (n,) of components (n,) and scalars (n,); inverse of `choose`."""
        return self.value[part] + WIDTH * self.std[part] * scalar


def with_outliers(block: Block, outside: np.ndarray, rows: int) -> Block:
    """Return the block with one more component, that holds the values (n,) of `rows` which lie outside all others."""
    low, high = outside.min(), outside.max()
    share = len(outside) / rows
    std = max((high - low) / (2 * WIDTH * LIMIT) * (1 + 1e-9), EXACT)
    return replace(
        block,
        value=np.append(block.value, (low + high) / 2),
        weight=np.append(block.weight * (1 - share), share),
        std=np.append(block.std, std),
        outliers=len(outside),
    )


class Featurizer:
    """Table to float32 matrix and back; `blocks` says where each column stands."""

    def __init__(self, settings: FeatureSettings | None = None) -> None:
        self.settings = settings or FeatureSettings()
        self.blocks: list[Block] = []

    @property
    def width(self) -> int:
        """Columns of the matrix."""
        return self.blocks[-1].onehot.stop if self.blocks else 0

    @property
    def scalars(self) -> np.ndarray:
        """Matrix columns that hold scalars."""
        return np.array([block.start for block in self.blocks if not block.discrete], np.int64)

    @property
    def columns(self) -> pd.DataFrame:
        """One row a column: name, kind, width in the matrix, components as JSON, number of outliers."""
        rows = []
        for block in self.blocks:
            if block.discrete:
                parts = [{"value": int(v), "weight": float(w)} for v, w in zip(block.value, block.weight, strict=True)]
            else:
                triples = zip(block.value, block.std, block.weight, strict=True)
                parts = [{"mean": float(m), "std": float(s), "weight": float(w)} for m, s, w in triples]
            kind = "discrete" if block.discrete else "continuous"
            rows.append((block.name, kind, block.width, json.dumps(parts), block.outliers))
        return pd.DataFrame(rows, columns=["name", "kind", "width", "components", "outliers"])

    @staticmethod
    def from_columns(columns: pd.DataFrame, settings: FeatureSettings | None = None) -> "Featurizer":
        """Return inverse of `columns`, to the last bit."""
        out = Featurizer(settings)
        for name, components, outliers in columns[["name", "components", "outliers"]].itertuples(index=False):
            parts = json.loads(components)
            key = "value" if is_discrete(name) else "mean"
            value, weight = (np.array([part[which] for part in parts]) for which in (key, "weight"))
            std = np.array([part["std"] for part in parts if "std" in part])
            out.blocks.append(Block(name, out.width, value, weight, std, int(outliers)))
        return out

    def fit(
        self, table: pd.DataFrame, *, seed: int = 0, progress: Callable[[int, int], None] | None = None
    ) -> "Featurizer":
        """Find categories and components; `progress(columns done, columns)`.

        Raises ValueError for a table that cannot be learnt (see `columns.check_table`).
        """
        table = check_table(table)
        seeds = np.random.SeedSequence(seed).spawn(table.shape[1])
        start, self.blocks = 0, []
        for name, own in zip(table.columns, seeds, strict=True):
            self.blocks.append(self._fit_column(table, name, start, own))
            start = self.width
            if progress is not None:
                progress(len(self.blocks), table.shape[1])
        return self

    def transform(self, table: pd.DataFrame) -> np.ndarray:
        """Return (n, width) float32 matrix; raises ValueError for a category that `fit` has not seen."""
        table = check_table(table, least=1)
        matrix = np.zeros((len(table), self.width), np.float32)
        rows = np.arange(len(table))
        for block in self.blocks:
            values = table[block.name].to_numpy()
            if block.discrete:
                part = np.searchsorted(block.value, values).clip(max=len(block.value) - 1)
                strange = block.value[part] != values
                if strange.any():
                    raise ValueError(f"column {block.name} holds {values[strange][0]}, which the fitted table did not")
            else:
                part, scalar = block.choose(values)
                matrix[:, block.start] = scalar.clip(-LIMIT, LIMIT)
            matrix[rows, block.onehot.start + part] = 1
        return matrix

    def reverse_transform(self, matrix: np.ndarray) -> pd.DataFrame:
        """Return table of an (n, width) matrix; the largest entry of each one-hot decides."""
        parts = {block.name: matrix[:, block.onehot].argmax(axis=1) for block in self.blocks}
        return self.assemble(parts, matrix)

    def assemble(self, parts: Mapping[str, np.ndarray], matrix: np.ndarray) -> pd.DataFrame:
        """Make the table of chosen categories and components (n,) of columns and scalars of an (n, width) matrix."""
        columns = {}
        for block in self.blocks:
            part = parts[block.name]
            scalar = matrix[:, block.start].astype(float)
            columns[block.name] = block.value[part] if block.discrete else block.restore(part, scalar)
        return clear_unused(pd.DataFrame(columns))

    def explain(self, row: pd.DataFrame) -> pd.DataFrame:
        """Return what each column of a table of one row becomes, and what it comes back as.

        Columns: `column`; `value`; `part`, number of the category or component from 1, of `parts`; `mean` and `std` of
        the component and the `scalar` in it (NaN for categories); `back`, the value that is made of these again.
        """
        matrix, table = self.transform(row), check_table(row, least=1)
        back, rows = self.reverse_transform(matrix), []
        for block in self.blocks:
            part = int(matrix[0, block.onehot].argmax())
            place = (np.nan,) * 3
            if not block.discrete:
                place = (block.value[part], block.std[part], float(matrix[0, block.start]))
            value, again = (float(of[block.name].iloc[0]) for of in (table, back))
            rows.append((block.name, value, part + 1, len(block.value), *place, again))
        return pd.DataFrame(rows, columns=["column", "value", "part", "parts", "mean", "std", "scalar", "back"])

    def to_dict(self) -> dict[str, Any]:
        """Return all that was fitted, in plain values."""
        return {
            "settings": self.settings.model_dump(),
            "blocks": [
                {
                    "name": b.name,
                    "start": b.start,
                    "value": b.value.tolist(),
                    "weight": b.weight.tolist(),
                    "std": b.std.tolist(),
                    "outliers": b.outliers,
                }
                for b in self.blocks
            ],
        }

    @staticmethod
    def from_dict(content: Mapping[str, Any]) -> "Featurizer":
        """Return inverse of `to_dict`."""
        out = Featurizer(FeatureSettings.model_validate(content["settings"]))
        arrays = ("value", "weight", "std")
        for block in content["blocks"]:
            own: dict[str, Any] = {part.name: block[part.name] for part in fields(Block) if part.name in block}
            out.blocks.append(Block(**own | {name: np.array(block[name]) for name in arrays}))
        return out

    def save(self, path: Path) -> None:
        """Write as JSON."""
        path.write_text(json.dumps(self.to_dict()), encoding="utf-8")

    @staticmethod
    def load(path: Path) -> "Featurizer":
        """Read what `save` wrote."""
        return Featurizer.from_dict(json.loads(path.read_text(encoding="utf-8")))

    def _fit_column(self, table: pd.DataFrame, name: str, start: int, seed: np.random.SeedSequence) -> Block:
        values = table[name].to_numpy()
        if is_discrete(name):
            value, count = np.unique(values, return_counts=True)
            return Block(name, start, value, count / len(values))
        site = site_of(name)
        used = np.ones(len(values), bool) if site is None else table[f"wp{site}"].to_numpy() >= 0
        mean, std, weight = self._mixture(values[used], name, np.random.default_rng(seed))
        share = used.mean()
        if share < 1:
            mean, std = np.append(UNUSED, mean), np.append(EXACT, std)
            weight = np.append(1 - share, share * weight)
        block = Block(name, start, mean, weight, std)
        outside = values[np.abs(block.choose(values)[1]) > LIMIT]
        return with_outliers(block, outside, len(values)) if len(outside) else block

    def _mixture(
        self, values: np.ndarray, name: str, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Fit means, standard deviations, weights (k,), by rising mean; few different values stand for themselves."""
        _, first, count = np.unique(values.round(8), return_index=True, return_counts=True)
        if len(first) <= self.settings.components:
            return values[first], np.full(len(first), EXACT), count / max(1, len(values))
        require("gan")
        from rdt.transformers.numerical import ClusterBasedNormalizer

        if len(values) > self.settings.fit_rows:
            values = rng.choice(values, self.settings.fit_rows, replace=False)
        normalizer = ClusterBasedNormalizer(
            max_clusters=self.settings.components, weight_threshold=self.settings.weight_threshold
        )
        normalizer.fit(pd.DataFrame({name: values}), name)
        mixture, kept = normalizer._bgm_transformer, normalizer.valid_component_indicator
        mean, weight = mixture.means_.ravel()[kept], mixture.weights_[kept]
        std = np.sqrt(mixture.covariances_).ravel()[kept]
        order = np.argsort(mean)
        return mean[order], std[order], weight[order] / weight.sum()
