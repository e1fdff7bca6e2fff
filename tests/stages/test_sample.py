import pandas as pd

from legocryst.generators.base import generator
from legocryst.infra.run_context import RunContext
from legocryst.settings import SampleSettings, TrainSettings
from legocryst.stages.sample import sample
from tests.stages.test_featurize import graphite_like


def test_as_many_rows_as_asked_for_and_the_same_again() -> None:
    model = generator("random").fit(graphite_like(), TrainSettings(model="random"))
    rows = sample(model, SampleSettings(samples=123), RunContext(seed=4))
    assert len(rows) == 123 and list(rows.columns) == list(graphite_like().columns)
    pd.testing.assert_frame_equal(rows, sample(model, SampleSettings(samples=123), RunContext(seed=4)))
