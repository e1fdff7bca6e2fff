"""CPU seconds to fit and apply the features, beside ctgan's own transformer on the same table (one thread).

python benchmarks/features.py [TABLE.parquet|TABLE.csv] [--rows 10000]
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

from legocryst.crystal.table import read_table
from legocryst.models.columns import check_table, is_discrete
from legocryst.models.features import Featurizer
from legocryst.models.random import RandomSymmetric
from legocryst.settings import FeatureSettings, TrainSettings


def random_table(rows: int, *, volume_per_atom: tuple[float, float] = (6.0, 12.0), seed: int = 0) -> pd.DataFrame:
    """Random symmetric crystals, where no table is given; volumes in cubic angstrom."""
    start = {"spg": 1, "a": 4.0, "b": 5.0, "c": 6.0, "alpha": 1.6, "beta": 1.6, "gamma": 1.6}
    sites = {f"{name}{i}": -1.0 if i else 0.0 for i in range(8) for name in ("wp", "x", "y", "z")}
    limits = RandomSymmetric(volume_per_atom=volume_per_atom)
    return limits.fit(pd.DataFrame([start | sites] * 2), TrainSettings(model="random")).sample(rows, seed=seed)


def cpu_seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    """Processor time of a call, and what it returned."""
    began = time.process_time()
    result = work()
    return round(time.process_time() - began, 2), result


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", nargs="?", help="METHOD's table; random crystals if none is named")
    parser.add_argument("--rows", type=int, default=10_000)
    options = parser.parse_args()
    import sdv.evaluation  # noqa: F401  the libraries' import is not what is measured
    from ctgan.data_transformer import DataTransformer
    from rdt.transformers.numerical import ClusterBasedNormalizer  # noqa: F401

    table = check_table(read_table(options.table) if options.table else random_table(options.rows)).head(options.rows)
    features = Featurizer(FeatureSettings())
    fit, _ = cpu_seconds(lambda: features.fit(table))
    transform, matrix = cpu_seconds(lambda: features.transform(table))
    reverse, back = cpu_seconds(lambda: features.reverse_transform(matrix))
    reference = DataTransformer()
    discrete = [name for name in map(str, table.columns) if is_discrete(name)]
    reference_fit, _ = cpu_seconds(lambda: reference.fit(table, discrete))
    reference_transform, _ = cpu_seconds(lambda: reference.transform(table))
    figures = {
        "rows": len(table),
        "columns": table.shape[1],
        "width": features.width,
        "largest_error": float(np.abs(back.to_numpy() - table.to_numpy()).max()),
        "clipped": int(features.columns["clipped"].sum()),
        "cpu_seconds": {"fit": fit, "transform": transform, "reverse": reverse},
        "ctgan_cpu_seconds": {"fit": reference_fit, "transform": reference_transform},
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
