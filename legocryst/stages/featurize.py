"""Stage: how each column of the table becomes numbers."""

import pandas as pd

from legocryst.generators.features import Featurizer
from legocryst.infra.files import write_parquet
from legocryst.infra.run_context import SILENT, RunContext
from legocryst.settings import FeatureSettings
from legocryst.stages import augment
from legocryst.stages.base import Attempt, Paper, Stage, Table

A_FIT = 2500
"""What a fit of the columns costs beyond its rows, in rows."""


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


def _work(attempt: Attempt, _: int) -> None:
    table = augment.STAGE.read(attempt.job.folder)
    features, columns = featurize(table, attempt.settings.features, attempt.context(STAGE.name))
    attempt.memory["featurizer"] = features
    columns = columns.rename(columns={"name": "column", "kind": "encoding"})
    write_parquet(columns, STAGE.path(attempt.job.folder))


def _methods(paper: Paper) -> None:
    paper.say(
        f"Categories were encoded one-hot, numbers by mixtures of at most {paper.settings.features.components} "
        f"Gaussians {paper.cite('ctgan')}."
    )


STAGE = Stage(
    name="featurize",
    number=2,
    title="Make features",
    work=_work,
    files=("shards/features.parquet",),
    tables=(Table(name="features", columns=("job", "column", "encoding", "width", "components", "outliers")),),
    settings="features",
    for_learning=True,
    needs=lambda _, stages: {"gan": "another model without quality report" if "train" in stages else ""},
    size=lambda amount: min(amount.rows, amount.settings.features.fit_rows) + A_FIT,
    methods=_methods,
)
