"""Numbers of predictions that were put to the test, on tables whose answers are known."""

from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest

from legocryst.active_learning.calibration import LEVELS, coverage, numbers, search
from legocryst.active_learning.gaussian_process import WIDTH


def table(n: int = 4000) -> pd.DataFrame:
    """Normal errors of spread 0.1; the first quarter drawn, the second chosen, the others not computed."""
    rng = np.random.default_rng(0)
    predicted = rng.uniform(0.2, 1.2, n)
    number = np.repeat([1.0, 2.0, np.nan, np.nan], n // 4)
    return pd.DataFrame(
        {
            "screen_energy": np.where(np.isnan(number), np.nan, predicted + 0.1 * rng.normal(size=n)),
            "predicted_energy": np.where(number == 1, np.nan, predicted),
            "predicted_error": np.where(number == 1, np.nan, 0.1 * WIDTH),
            "energy_round": number,
            "screen_seconds": 0.3,
            "relaxed": False,
        }
    )


def test_coverage_and_errors() -> None:
    result = numbers(table(), 0.5)
    assert result["tested"] == 1000 and result["predicted"] == 2000
    assert result["within"] == pytest.approx(0.9, abs=0.03)
    assert result["mean_error"] == pytest.approx(0.1 * (2 / np.pi) ** 0.5, rel=0.1)
    np.testing.assert_allclose(coverage(table()), LEVELS, atol=0.05)


def test_search_counts_and_compares_with_random_order() -> None:
    made = table()
    rows = search(made, 0.5)
    low = made["screen_energy"] <= 0.5
    assert rows["found"].tolist() == [low[:1000].sum(), low[:2000].sum()] and rows["energies"].tolist() == [1000, 2000]
    assert rows["minutes"].tolist() == pytest.approx([5, 10])
    ahead = made["predicted_energy"][2000:]
    expected = low.sum() + sum(NormalDist(mean, 0.1).cdf(0.5) for mean in ahead)
    assert rows["at_random"].tolist() == pytest.approx([expected / 4, expected / 2])


def test_the_limit_is_that_of_the_relaxed() -> None:
    made = table(40)
    made.loc[:9, "relaxed"] = True
    assert search(made, 0.1)["limit"][0] == np.sort(made["screen_energy"].dropna())[9]
    assert search(made, 5.0)["limit"][0] == 5.0


def test_nothing_without_a_test() -> None:
    assert numbers(table()[:1000], 0.5) == {}
    assert numbers(table()[2000:], 0.5) == {}
