"""Stage: how each column of the table becomes numbers."""

import pandas as pd

from legocryst.generators.features import Featurizer
from legocryst.infra.run_context import SILENT, RunContext
from legocryst.settings import FeatureSettings


def featurize(
    table: pd.DataFrame, settings: FeatureSettings, context: RunContext = SILENT
) -> tuple[Featurizer, pd.DataFrame]:
    """Fit the features of a table; returns them and one row a column.

    The rows hold `name, kind, width, components, outliers`: the components are JSON, a list of
    {"mean", "std", "weight"} or {"value", "weight"}; outliers counts the values that no component of the mixture holds,
    but the last one, which is made for them. `context.progress(columns done, columns)`. Raises ValueError for a table
    that cannot be learnt.
    """
    features = Featurizer(settings).fit(table, seed=context.seed, progress=context.progress)
    return features, features.columns
