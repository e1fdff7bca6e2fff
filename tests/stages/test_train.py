from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from legocryst.environment.target_library import target
from legocryst.generators.base import load
from legocryst.infra.run_context import RunContext
from legocryst.settings import FeatureSettings, TrainSettings
from legocryst.stages.featurize import featurize
from legocryst.stages.train import train
from tests.stages.test_featurize import graphite_like

SP2 = target("sp2-carbon")
SETTINGS = TrainSettings(model="vae", epochs=3, batch_size=20, latent=4, hidden=16)


def test_saves_a_model_and_leaves_no_checkpoint(tmp_path: Path) -> None:
    seen: list[Mapping[str, Any]] = []
    context = RunContext(progress=seen.append)
    model = train(graphite_like(), SP2, SETTINGS, context, features=FeatureSettings(), folder=tmp_path / "m")
    assert [path.name for path in (tmp_path / "m").iterdir()] == ["model.pt"]
    pd.testing.assert_frame_equal(load(tmp_path / "m" / "model.pt").sample(9, seed=1), model.sample(9, seed=1))
    assert len(seen) == 3


def test_stop_keeps_a_usable_model_and_a_later_call_goes_on(tmp_path: Path) -> None:
    stop = [True]
    seen: list[Mapping[str, Any]] = []
    context = RunContext(progress=seen.append, should_stop=lambda: stop[0])
    options: dict[str, Any] = {"features": FeatureSettings(), "folder": tmp_path}
    train(graphite_like(), SP2, SETTINGS, context, **options)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint.pt", "model.pt"]
    assert len(load(tmp_path / "model.pt").sample(4, seed=0)) == 4 and len(seen) == 1
    stop[0] = False
    train(graphite_like(), SP2, SETTINGS, context, **options)
    assert [numbers["epoch"] for numbers in seen] == [1, 2, 3]
    assert [path.name for path in tmp_path.iterdir()] == ["model.pt"]


def test_features_fitted_before_are_used(tmp_path: Path) -> None:
    features, _ = featurize(graphite_like(), FeatureSettings(), RunContext(seed=7))
    model = train(graphite_like(), SP2, SETTINGS, features=FeatureSettings(), folder=tmp_path, featurizer=features)
    assert model.describe()["width"] == features.width


def test_random_generator_takes_the_range_of_volumes(tmp_path: Path) -> None:
    settings = TrainSettings(model="random")
    options: dict[str, Any] = {"features": FeatureSettings(), "folder": tmp_path}
    model = train(graphite_like(), target("sp3-carbon"), settings, **options)
    assert model.describe()["volume_per_atom"] == list(target("sp3-carbon").volume_per_atom)


def test_surfaces_are_for_three_coordinated_targets(tmp_path: Path) -> None:
    settings = TrainSettings(model="surfaces")
    options: dict[str, Any] = {"features": FeatureSettings(), "folder": tmp_path}
    with pytest.raises(ValueError, match="makes atoms of 3 bonds, and those of sp3-carbon have 4"):
        train(graphite_like(), target("sp3-carbon"), settings, **options)
    assert len(train(graphite_like(), SP2, settings, **options).sample(3, seed=0)) == 3


def test_table_without_rows_leaves_no_model(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="0 row"):
        train(graphite_like(0), SP2, SETTINGS, features=FeatureSettings(), folder=tmp_path)
    assert not list(tmp_path.iterdir())
