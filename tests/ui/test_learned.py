"""Figures of learnt energies."""

import numpy as np
import pandas as pd

from legocryst.analysis.tested import LEVELS, compared, coverage, search
from legocryst.ui import learned


def table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    predicted = rng.uniform(0.3, 1.3, 60)
    return pd.DataFrame(
        {
            "screen_energy": np.where(np.arange(60) < 40, predicted + 0.05 * rng.normal(size=60), np.nan),
            "predicted_energy": np.where(np.arange(60) < 20, np.nan, predicted),
            "predicted_error": np.where(np.arange(60) < 20, np.nan, 0.08),
            "energy_round": [1.0] * 20 + [2.0] * 20 + [np.nan] * 20,
            "screen_seconds": 0.2,
            "relaxed": False,
        }
    )


def test_each_crystal_with_both_energies_is_a_point() -> None:
    line, points = learned.parity(compared(table())).data
    assert len(points.x) == 20 and list(points.x) == list(table()["screen_energy"][20:40])
    assert list(line.x) == list(line.y)


def test_shares_and_counts_are_drawn_as_they_are() -> None:
    observed = learned.calibration(table()).data[1]
    assert list(observed.x) == list(LEVELS) and list(observed.y) == list(coverage(table()))
    rows = search(table(), 0.6)
    found, at_random = learned.search(rows).data
    assert list(found.y) == [0, *rows["found"]] and list(at_random.y) == [0, *rows["at_random"]]
    assert (found.name, at_random.name) == ("Learnt", "At random")
