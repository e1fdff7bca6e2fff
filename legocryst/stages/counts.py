"""Counts of sampled rows by what became of them; they add up."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def count(table: "pd.DataFrame") -> dict[str, Any]:
    """Count rows with `class`, `reason`, `periodicity` and `kind`; with `rows` each stands for that many rows.

    `sampled` = `undecodable` + the sum of `invalid` (by reason) + `duplicate` + `known` + `new`; `new_by_periodicity`
    and `new_by_kind` each sum to `new`. With a column `low_energy`, how many of the new ones are that.
    """
    if "rows" not in table:
        table = table.assign(rows=1)
    new = table[table["class"] == "new"]
    by_class = _by(table, "class")
    low = {}
    if "low_energy" in table:
        low = {"low_energy": int(new.loc[new["low_energy"].fillna(False).astype(bool), "rows"].sum())}
    return {
        "sampled": int(table["rows"].sum()),
        "undecodable": by_class.get("undecodable", 0),
        "invalid": _by(table[table["class"] == "invalid"], "reason"),
        "duplicate": by_class.get("duplicate", 0),
        "known": by_class.get("known", 0),
        "new": by_class.get("new", 0),
        "new_by_periodicity": _by(new, "periodicity"),
        "new_by_kind": _by(new, "kind"),
        **low,
    }


def _by(table: "pd.DataFrame", name: str) -> dict[str, int]:
    """Return rows by value of a column, the most frequent first."""
    sums = table.groupby(name)["rows"].sum().sort_values(ascending=False, kind="stable")
    return {str(value): int(number) for value, number in sums.items()}
