"""Tables that the tests of the models learn from."""

import numpy as np
import pandas as pd
import pytest

from legocryst.generators.random_symmetric import RandomSymmetric
from legocryst.settings import TrainSettings

GRAPHITE = {"spg": 194, "a": 2.46, "b": 2.46, "c": 6.7, "alpha": np.pi / 2, "beta": np.pi / 2, "gamma": 2 * np.pi / 3}
GRAPHITE_SITES = [(9, 1 / 3, 2 / 3, 0.25), (10, 0.0, 0.0, 0.25)]


def as_row(cell: dict[str, float], sites: list[tuple[int, float, float, float]], count: int = 8) -> dict[str, float]:
    row = dict(cell)
    for i in range(count):
        row |= dict(zip((f"wp{i}", f"x{i}", f"y{i}", f"z{i}"), sites[i] if i < len(sites) else (-1,) * 4, strict=True))
    return row


@pytest.fixture(scope="session")
def one_crystal() -> pd.DataFrame:
    """The same crystal fifty times."""
    return pd.DataFrame([as_row(GRAPHITE, GRAPHITE_SITES)] * 50)


@pytest.fixture(scope="session")
def varied(one_crystal: pd.DataFrame) -> pd.DataFrame:
    """Four hundred different random crystals."""
    return RandomSymmetric(volume_per_atom=(6.0, 12.0)).fit(one_crystal, TrainSettings()).sample(400, seed=3)


@pytest.fixture(scope="session")
def families(varied: pd.DataFrame) -> pd.DataFrame:
    """Three crystals with a little noise in cell and coordinates, two hundred rows each."""
    rng = np.random.default_rng(0)
    table = varied[varied["spg"] > 15].drop_duplicates("spg").head(3)
    table = table.loc[table.index.repeat(200)].reset_index(drop=True)
    for name in ("a", "b", "c", "x0", "y0", "z0"):
        table[name] += rng.normal(0, 0.005, len(table))
    return table
