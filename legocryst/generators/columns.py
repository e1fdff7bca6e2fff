"""The columns of METHOD's table that generators learn, and the check of a table before a fit."""

import re

import numpy as np
import pandas as pd

from legocryst.crystal.io.table import columns as columns_of
from legocryst.crystal.symmetry.wyckoff import N_GROUPS, wyckoff

UNUSED = -1


def site_count(columns: pd.Index | list[str]) -> int:
    """Return number of sites: wp0, wp1, ... without a gap."""
    sites = 0
    while f"wp{sites}" in columns:
        sites += 1
    return sites


def crystal_columns(columns: pd.Index | list[str]) -> list[str]:
    """Return the columns that describe a crystal, in METHOD's order; el_i only when the table has them."""
    return columns_of(max(1, site_count(columns)), elements="el0" in columns)


def is_discrete(column: str) -> bool:
    """Say whether a column holds categories: space groups, Wyckoff indices and elements; all else is continuous."""
    return column == "spg" or column.startswith(("wp", "el"))


def site_of(column: str) -> int | None:
    """Return site that a column belongs to, None for the space group and the cell."""
    match = re.fullmatch(r"(?:el|wp|x|y|z)(\d+)", column)
    return int(match.group(1)) if match else None


def check_table(table: pd.DataFrame, *, least: int = 2) -> pd.DataFrame:
    """Return the crystal columns of a table, floats, discrete ones as integers and unused sites all -1.

    Raises ValueError for fewer than `least` rows, a missing column or a value that is not a number.
    """
    expected = crystal_columns(table.columns)
    missing = [column for column in expected if column not in table.columns]
    if missing:
        raise ValueError(
            f"the table has no column {', '.join(missing)}; it needs spg, the cell and wp, x, y, z of sites"
        )
    if len(table) < least:
        raise ValueError(f"the table has {len(table)} row(s), too few: give at least {least}")
    out = table[expected].apply(pd.to_numeric, errors="coerce").astype(float).reset_index(drop=True)
    bad = [column for column in expected if not np.isfinite(out[column]).all()]
    if bad:
        raise ValueError(f"column {', '.join(bad)} of the table has values that are not numbers; mend those rows")
    for column in filter(is_discrete, expected):
        out[column] = out[column].round().astype(np.int64)
    _check_symmetry(out)
    return clear_unused(out)


def _check_symmetry(table: pd.DataFrame) -> None:
    group = table["spg"].to_numpy()
    if not ((group >= 1) & (group <= N_GROUPS)).all():
        strange = group[(group < 1) | (group > N_GROUPS)][0]
        raise ValueError(f"the table names space group {strange}; they run from 1 to {N_GROUPS}")
    count = np.diff(wyckoff().first)[group]
    for i in range(site_count(table.columns)):
        index = table[f"wp{i}"].to_numpy()
        if (index >= count).any():
            row = int(np.argmax(index >= count))
            raise ValueError(f"row {row} of the table: space group {group[row]} has no Wyckoff index {index[row]}")


def clear_unused(table: pd.DataFrame) -> pd.DataFrame:
    """Set every column of each unused site to -1, in place, and return the table."""
    for i in range(site_count(table.columns)):
        unused = (table[f"wp{i}"] < 0).to_numpy()
        for column in (f"wp{i}", f"x{i}", f"y{i}", f"z{i}", f"el{i}"):
            if column in table.columns:
                table.loc[unused, column] = UNUSED
    return table


def energies(table: pd.DataFrame) -> np.ndarray:
    """Return (n,) column `energy` of a table, eV/atom; NaN where it is not known, or where there is no such column."""
    if "energy" not in table.columns:
        return np.full(len(table), np.nan)
    return pd.to_numeric(table["energy"], errors="coerce").to_numpy(float)


def elements(table: pd.DataFrame) -> np.ndarray:
    """Return atomic numbers of the sites of a table, rising; none for a table without such columns."""
    numbers = np.unique(table.filter(regex=r"^el\d+$"))
    return numbers[numbers != UNUSED]
