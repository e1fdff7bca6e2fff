"""How well sampled rows match the training rows, column by column and pair by pair: sdv's quality report."""

import pandas as pd

from legocryst.generators.columns import check_table, is_discrete
from legocryst.infra.extras import require

ROWS = 1000


def quality(training: pd.DataFrame, sampled: pd.DataFrame, *, seed: int = 0, rows: int = ROWS) -> dict[str, float]:
    """Return scores from 0 to 1, 1 best, on at most `rows` rows of each table.

    Keys: "overall", "column_shapes", "column_pairs", and "column:NAME", the likeness of each column's distribution.
    Raises ValueError when the tables differ in their columns.
    """
    require("gan")
    from sdv.evaluation import evaluate_quality
    from sdv.metadata import Metadata

    real, fresh = (_subsample(check_table(table), rows, seed) for table in (training, sampled))
    if list(real.columns) != list(fresh.columns):
        raise ValueError("the sampled rows and the training rows do not have the same columns")
    metadata = Metadata()
    metadata.add_table("crystals")
    for name in real.columns:
        metadata.add_column(name, table_name="crystals", sdtype="categorical" if is_discrete(name) else "numerical")
    report = evaluate_quality(real, fresh, metadata, verbose=False)
    properties = report.get_properties().set_index("Property")["Score"]
    shapes = report.get_details("Column Shapes").set_index("Column")["Score"]
    return {
        "overall": float(report.get_score()),
        "column_shapes": float(properties["Column Shapes"]),
        "column_pairs": float(properties["Column Pair Trends"]),
        **{f"column:{name}": float(score) for name, score in shapes.items()},
    }


def _subsample(table: pd.DataFrame, rows: int, seed: int) -> pd.DataFrame:
    return table.sample(rows, random_state=seed, ignore_index=True) if len(table) > rows else table
