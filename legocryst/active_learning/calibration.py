"""Tested: predicted energies beside those computed afterwards, and what the search they led found.

All functions take the columns `screen_energy`, `predicted_energy`, `predicted_error`, `energy_round`, `screen_seconds`
and `relaxed` of a ranking.
"""

from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

from legocryst.active_learning.gaussian_process import LEVEL, WIDTH

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("screen_energy", "predicted_energy", "predicted_error", "energy_round", "screen_seconds", "relaxed")
LEVELS = np.linspace(0.1, LEVEL, 9).round(3)


def numbers(table: "pd.DataFrame", low: float) -> dict[str, Any]:
    """Return how good the predictions were and what they were worth, in numbers; empty where none was put to the test.

    `tested` crystals had a prediction before their energy; `mean_error` and `largest_error` in eV/atom; `within` is the
    share in the 90 % intervals; `predicted` crystals have a prediction and no energy. `limit`, `found`, `at_random` and
    `cpu_minutes` (of energies, as estimated) are those of the last row of `search`.
    """
    both = compared(table)
    if both.empty:
        return {}
    off = (both["predicted_energy"] - both["screen_energy"]).abs()
    last = search(table, low).iloc[-1]
    return {
        "tested": len(both),
        "mean_error": round(float(off.mean()), 4),
        "largest_error": round(float(off.max()), 4),
        "within": round(float((off <= both["predicted_error"]).mean()), 4),
        "predicted": int((table["predicted_energy"].notna() & table["screen_energy"].isna()).sum()),
        "limit": round(float(last["limit"]), 4),
        "found": int(last["found"]),
        "at_random": round(float(last["at_random"]), 1),
        "cpu_minutes": round(float(last["minutes"]), 3),
    }


def compared(table: "pd.DataFrame") -> "pd.DataFrame":
    """Return the crystals whose energy was predicted before it was computed."""
    return table[table["predicted_energy"].notna() & table["screen_energy"].notna()]


def coverage(table: "pd.DataFrame") -> np.ndarray:
    """Return share (len(LEVELS),) of the energies within the predicted intervals that should hold the share LEVELS."""
    both = compared(table)
    ratio = (both["predicted_energy"] - both["screen_energy"]).abs() / both["predicted_error"] * WIDTH
    return np.array([float((ratio <= NormalDist().inv_cdf((1 + level) / 2)).mean()) for level in LEVELS])


def search(table: "pd.DataFrame", low: float) -> "pd.DataFrame":
    """Return what had been found after each round, and what the same time finds at random.

    Columns `round`, `energies`, `minutes` (CPU, estimated), `found`, `at_random`, `limit`. Found are crystals that, as
    they stand, lie below the limit: `low` or, if that is higher, the energy below which there are as many as were
    relaxed. At random as large a share of all of them is found as of the time that all energies would take, those not
    computed counted by the probability that they lie below the limit.
    """
    import pandas as pd

    drawn = table[table["energy_round"].notna()]
    energy = np.sort(drawn["screen_energy"].dropna().to_numpy(float))
    number = int(table["relaxed"].fillna(False).astype(bool).sum())
    limit = max(low, float(energy[number - 1]) if 0 < number <= len(energy) else low)
    ahead = table[table["energy_round"].isna() & table["predicted_energy"].notna()]
    distance = (limit - ahead["predicted_energy"]) / ahead["predicted_error"] * WIDTH
    expected = int((energy <= limit).sum()) + sum(NormalDist().cdf(float(value)) for value in distance)
    all_seconds = drawn["screen_seconds"].sum() + ahead["screen_seconds"].sum()
    rows = []
    for turn in sorted(drawn["energy_round"].unique()):
        until = drawn[drawn["energy_round"] <= turn]
        seconds, low_energy = float(until["screen_seconds"].sum()), int((until["screen_energy"] <= limit).sum())
        rows.append((int(turn), len(until), seconds / 60, low_energy, expected * seconds / all_seconds, limit))
    return pd.DataFrame(rows, columns=["round", "energies", "minutes", "found", "at_random", "limit"])
