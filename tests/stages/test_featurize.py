import numpy as np
import pandas as pd
import pytest

from legocryst.infra.run_context import RunContext
from legocryst.settings import FeatureSettings
from legocryst.stages.featurize import featurize


def graphite_like(n: int = 40) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    columns = {"spg": 194, "a": rng.normal(2.46, 0.02, n), "b": 2.46, "c": 6.7}
    columns |= {"alpha": np.pi / 2, "beta": np.pi / 2, "gamma": 2 * np.pi / 3}
    return pd.DataFrame(columns | {"wp0": 9, "x0": 1 / 3, "y0": 2 / 3, "z0": 0.25})


def test_describes_every_column() -> None:
    seen = []
    features, described = featurize(
        graphite_like(), FeatureSettings(), RunContext(progress=lambda done, total: seen.append((done, total)))
    )
    assert list(described["name"]) == list(graphite_like().columns)
    assert set(described.columns) == {"name", "kind", "width", "components", "outliers"}
    assert described["width"].sum() == features.width
    assert seen[-1] == (11, 11) and [done for done, _ in seen] == list(range(1, 12))


def test_missing_column_is_named() -> None:
    with pytest.raises(ValueError, match="no column gamma"):
        featurize(graphite_like().drop(columns="gamma"), FeatureSettings())
