"""CPU seconds to fit and apply the features (one thread), and what comes back of the table.

python -m benchmarks.features [TABLE.parquet|TABLE.csv] [--rows 65000] [--fit-rows 3000] [--compare]
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from legocryst.crystal.io.table import read_table
from legocryst.generators.columns import check_table, is_discrete
from legocryst.generators.features import LIMIT, Featurizer
from legocryst.generators.random_symmetric import RandomSymmetric
from legocryst.settings import FeatureSettings, TrainSettings

ANGLES = ("alpha", "beta", "gamma")


def random_table(rows: int, *, volume_per_atom: tuple[float, float] = (6.0, 12.0), seed: int = 0) -> pd.DataFrame:
    """Return random symmetric crystals, where no table is given; volumes in cubic angstrom."""
    start = {"spg": 1, "a": 4.0, "b": 5.0, "c": 6.0, "alpha": 1.6, "beta": 1.6, "gamma": 1.6}
    sites = {f"{name}{i}": -1.0 if i else 0.0 for i in range(8) for name in ("wp", "x", "y", "z")}
    limits = RandomSymmetric(volume_per_atom=volume_per_atom)
    return limits.fit(pd.DataFrame([start | sites] * 2), TrainSettings(model="random")).sample(rows, seed=seed)


def cpu_seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return processor time of a call, and what it returned."""
    began = time.process_time()
    result = work()
    return round(time.process_time() - began, 2), result


def enough(table: pd.DataFrame, rows: int, *, seed: int = 0) -> pd.DataFrame:
    """Draw rows of a table at random; where it has too few, repeat them with noise of 0.01 angstrom and 1e-3."""
    rng = np.random.default_rng(seed)
    if len(table) >= rows:
        return table.iloc[rng.choice(len(table), rows, replace=False)].reset_index(drop=True)
    out = table.iloc[rng.integers(len(table), size=rows)].reset_index(drop=True)
    for name in map(str, out.columns):
        if name in ("a", "b", "c"):
            out[name] += rng.normal(0, 0.01, rows)
        elif name[0] in "xyz":
            out[name] = (out[name] + rng.normal(0, 1e-3, rows)) % 1.0
    return check_table(out)


def errors(table: pd.DataFrame, back: pd.DataFrame) -> dict[str, float]:
    """Return largest differences: categories, lengths (angstrom), angles (radians), coordinates."""
    kinds = {"categories": is_discrete, "lengths": ("a", "b", "c").__contains__, "angles": ANGLES.__contains__}
    kinds["coordinates"] = lambda name: name[0] in "xyz"
    return {
        kind: max(float((back[name] - table[name]).abs().max()) for name in map(str, table.columns) if fits(name))
        for kind, fits in kinds.items()
    }


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", nargs="?", help="METHOD's table; random crystals if none is named")
    parser.add_argument("--rows", type=int, default=65_000)
    parser.add_argument("--fit-rows", type=int, default=FeatureSettings().fit_rows)
    parser.add_argument("--compare", action="store_true", help="ctgan's transformer too, which fits all rows")
    options = parser.parse_args()
    import sdv.evaluation  # noqa: F401  the libraries' import is not what is measured
    from ctgan.data_transformer import DataTransformer
    from rdt.transformers.numerical import ClusterBasedNormalizer  # noqa: F401

    inputs = read_table(options.table) if options.table else random_table(options.rows)
    table = enough(check_table(inputs), options.rows)
    features = Featurizer(FeatureSettings(fit_rows=options.fit_rows))
    fit, _ = cpu_seconds(lambda: features.fit(table))
    transform, matrix = cpu_seconds(lambda: features.transform(table))
    reverse, back = cpu_seconds(lambda: features.reverse_transform(matrix))
    clipped = sum(
        int((np.abs(block.choose(table[block.name].to_numpy())[1]) > LIMIT).sum())
        for block in features.blocks
        if not block.discrete
    )
    figures: dict[str, Any] = {
        "rows": len(table),
        "columns": table.shape[1],
        "width": features.width,
        "largest_errors": errors(table, back),
        "clipped": clipped,
        "outliers": int(features.columns["outliers"].sum()),
        "cpu_seconds": {"fit": fit, "transform": transform, "reverse": reverse},
    }
    if options.compare:
        other = DataTransformer()
        discrete = [name for name in map(str, table.columns) if is_discrete(name)]
        other_fit, _ = cpu_seconds(lambda: other.fit(table, discrete))
        other_transform, _ = cpu_seconds(lambda: other.transform(table))
        figures["ctgan_cpu_seconds"] = {"fit": other_fit, "transform": other_transform}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
