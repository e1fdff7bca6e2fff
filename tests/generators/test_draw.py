from collections.abc import Sequence

import numpy as np
import pandas as pd

from legocryst.generators.draw import draw_rows
from legocryst.generators.features import Featurizer


def table_of(rows: Sequence[tuple[int, ...]]) -> pd.DataFrame:
    """Rows (spg, wp0, wp1) as a table with two sites."""
    cell = {"a": 4.0, "b": 4.0, "c": 4.0, "alpha": 1.5, "beta": 1.5, "gamma": 1.5}
    out = []
    for spg, *positions in rows:
        row = {"spg": spg, **cell}
        for i, wp in enumerate(positions):
            row |= {f"wp{i}": wp} | dict.fromkeys((f"x{i}", f"y{i}", f"z{i}"), -1.0 if wp < 0 else 0.25)
        out.append(row)
    return pd.DataFrame(out)


def test_draws_follow_the_softmax() -> None:
    features = Featurizer().fit(table_of([(1, 0, -1), (2, 1, -1)]))
    outputs = np.zeros((20_000, features.width), np.float32)
    outputs[:, features.blocks[0].onehot] = np.log([0.2, 0.8])
    share = (draw_rows(features, outputs, np.random.default_rng(0))["spg"] == 2).mean()
    assert abs(share - 0.8) < 0.01
    cold = draw_rows(features, outputs, np.random.default_rng(0), temperature=0.5)
    assert abs((cold["spg"] == 2).mean() - 0.8**2 / (0.8**2 + 0.2**2)) < 0.01


def test_impossible_choices_are_never_made() -> None:
    """Even where the network asks for them: index 13 in P1, an empty crystal, 1a of Pm-3m twice."""
    features = Featurizer().fit(table_of([(1, 0, -1), (221, 13, 13), (221, -1, 0)]))
    outputs = np.zeros((2000, features.width), np.float32)
    by_name = {block.name: block for block in features.blocks}
    for name in ("wp0", "wp1"):
        block = by_name[name]
        outputs[:, block.onehot] = np.where(block.value == 13, 20, 0)
    rows = draw_rows(features, outputs, np.random.default_rng(0))
    assert (rows.loc[rows["spg"] == 1, ["wp0", "wp1"]] <= 0).all(axis=None)
    assert (rows["wp0"] >= 0).all()
    cubic = rows[rows["spg"] == 221]
    assert (cubic["wp0"] == 13).mean() > 0.99 and not ((cubic["wp0"] == 13) & (cubic["wp1"] == 13)).any()


def test_used_sites_have_coordinates_and_unused_ones_none() -> None:
    features = Featurizer().fit(table_of([(221, 13, 0), (221, 13, -1)]))
    outputs = np.zeros((500, features.width), np.float32)
    rows = draw_rows(features, outputs, np.random.default_rng(1))
    used = rows["wp1"] >= 0
    assert 0.4 < used.mean() < 0.6
    assert (rows.loc[used, "x1"] == 0.25).all() and (rows.loc[~used, "x1"] == -1).all()
