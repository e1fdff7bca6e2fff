"""Stage: rows are drawn from a fitted generator."""

import pandas as pd

from legocryst.models.base import Generator
from legocryst.settings import SampleSettings


def sample(generator: Generator, settings: SampleSettings, *, seed: int) -> pd.DataFrame:
    """`settings.samples` rows with METHOD's columns; the same seed gives the same rows."""
    return generator.sample(settings.samples, seed=seed, temperature=settings.temperature)
