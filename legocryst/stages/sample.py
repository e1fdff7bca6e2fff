"""Stage: rows are drawn from a fitted generator."""

import pandas as pd

from legocryst.generators.base import Generator
from legocryst.generators.conditions import Conditions
from legocryst.infra.run_context import RunContext
from legocryst.settings import SampleSettings
from legocryst.vocabulary.quantities import CRYSTAL_COLUMNS


def sample(generator: Generator, settings: SampleSettings, context: RunContext) -> pd.DataFrame:
    """`settings.samples` rows with METHOD's columns; the same seed gives the same rows.

    Raises ValueError where the settings ask for what the generator cannot be asked for, or no row can be.
    """
    conditions = Conditions.of(settings)
    return generator.sample(
        settings.samples, seed=context.seed, temperature=settings.temperature, conditions=conditions
    )


def refined(generator: Generator, relaxed: pd.DataFrame, settings: SampleSettings, context: RunContext) -> pd.DataFrame:
    """Rows drawn again near those of a relaxed table that are valid by no criterion, one for each.

    Raises ValueError for a generator that cannot do that, and for a table that was not relaxed.
    """
    if missing := [name for name in ("status", "published", *CRYSTAL_COLUMNS) if name not in relaxed]:
        raise ValueError(f"the table has no column {missing[0]}; give one that relax made")
    invalid = (relaxed["status"] == "invalid") & ~relaxed["published"].astype(bool)
    rows = relaxed.loc[invalid, list(CRYSTAL_COLUMNS)].reset_index(drop=True)
    return generator.refine(rows, seed=context.seed, temperature=settings.temperature, step=settings.refine_step)
