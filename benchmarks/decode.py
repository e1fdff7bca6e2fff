"""Rows decoded in one second of one processor: `python -m benchmarks.decode [TABLE] [--rows 60000] [--decode snap]`.

Without a table, random symmetric crystals of all groups whose coordinates are rattled by 0.02, as a generator's are.
"""

import argparse
import time

import numpy as np
import pandas as pd

from legocryst.crystal.io.table import decode, encode, read_table
from tests.crystals_at_random import random_crystals


def rattled_table(rows: int, *, distinct: int = 6000) -> pd.DataFrame:
    """Return random crystals of up to 6 sites and 400 atoms, repeated to `rows` rows, each rattled differently."""
    table = encode(random_crystals(min(distinct, rows), seed=0, max_sites=6, max_atoms=400))
    table = table.iloc[np.arange(rows) % len(table)].reset_index(drop=True)
    rng = np.random.default_rng(0)
    for i in range(6):
        for axis in "xyz":
            table[f"{axis}{i}"] += np.where(table[f"wp{i}"] >= 0, rng.normal(0, 0.02, rows), 0)
    return table


def main() -> None:
    """Print how many rows decode, why the others do not, and the rate."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("table", nargs="?", help="a .csv, .parquet or .json table; repeated to the number of rows")
    parser.add_argument("--rows", type=int, default=60_000, help="rows decoded (default 60000)")
    parser.add_argument("--decode", choices=("snap", "strict", "drop"), default="snap", help="as in the settings")
    options = parser.parse_args()
    if options.table:
        table = read_table(options.table)
        table = table.iloc[np.arange(options.rows) % len(table)].reset_index(drop=True)
    else:
        table = rattled_table(options.rows)
    start = time.process_time()
    decoded = decode(table, mode=options.decode, element=6)
    seconds = time.process_time() - start
    print(
        f"{len(table)} rows, {len(decoded.rows)} decoded in {seconds:.2f} CPU-s: {len(table) / seconds:.0f} rows/CPU-s"
    )
    for reason, count in pd.Series(decoded.reason[decoded.reason != ""]).value_counts().items():
        print(f"{count:8d} {reason}")


if __name__ == "__main__":
    main()
