import numpy as np
import pandas as pd
import pytest

from legocryst.generators.quality import quality


def test_like_tables_score_higher_than_unlike_ones(varied: pd.DataFrame) -> None:
    """Five columns a site less, so that the report of all pairs stays quick."""
    table = varied[[c for c in map(str, varied.columns) if not c[-1].isdigit() or int(c[-1]) == 0]]
    rng = np.random.default_rng(0)
    half = rng.permutation(len(table))
    same = quality(table.iloc[half[:200]], table.iloc[half[200:]])
    unlike = table.assign(a=table["a"] + 30, spg=1, wp0=0)
    other = quality(table, unlike)
    assert 0 <= other["overall"] < same["overall"] <= 1
    assert other["column:a"] < 0.2 < 0.8 < same["column:a"]
    with pytest.raises(ValueError, match="same columns"):
        quality(varied, table)
