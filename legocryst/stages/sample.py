"""Stage: rows are drawn from a fitted generator."""

import pandas as pd

from legocryst.models.base import Generator
from legocryst.models.conditions import Conditions
from legocryst.settings import SampleSettings


def sample(generator: Generator, settings: SampleSettings, *, seed: int) -> pd.DataFrame:
    """`settings.samples` rows with METHOD's columns; the same seed gives the same rows.

    Raises ValueError where the settings ask for what the generator cannot be asked for, or no row can be.
    """
    conditions = Conditions.of(settings)
    return generator.sample(settings.samples, seed=seed, temperature=settings.temperature, conditions=conditions)
