from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from legocryst.generators.base import generator
from legocryst.settings import TrainSettings

SETTINGS = TrainSettings(epochs=12, batch_size=200, latent=8, hidden=32, check_every=2, patience=2, check_samples=25)


def test_stops_when_samples_do_not_get_better_and_keeps_the_best(families: pd.DataFrame) -> None:
    shares = iter([0.1, 0.5, 0.3, 0.5])
    seen: list[Mapping[str, Any]] = []
    sizes: list[int] = []

    def evaluate(rows: pd.DataFrame) -> dict[str, float]:
        sizes.append(len(rows))
        return {"new": next(shares), "decodable": 1.0}

    stopped = generator("vae").fit(families, SETTINGS, seed=1, progress=seen.append, evaluate=evaluate)
    training = stopped.describe()["training"]
    assert training["epoch"] == 8 and training["best_epoch"] == 4 and training["best"] == 0.5
    assert "2 checks" in training["stopped"] and sizes == [25] * 4
    assert [n["epoch"] for n in seen if "new" in n] == [2, 4, 6, 8] and seen[1]["decodable"] == 1
    best = generator("vae").fit(families, SETTINGS.model_copy(update={"epochs": 4}), seed=1)
    pd.testing.assert_frame_equal(stopped.sample(20, seed=0), best.sample(20, seed=0))


def test_a_transformer_learns_to_the_end(families: pd.DataFrame) -> None:
    """Its weights of before are no choice: where one check of few samples was lucky, they would be kept."""
    settings = SETTINGS.model_copy(update={"model": "transformer", "epochs": 4, "check_every": 1, "width": 16})
    shares = iter([0.9, 0.1, 0.1, 0.1])
    judged = generator("transformer").fit(families, settings, evaluate=lambda rows: {"new": next(shares)})
    assert judged.describe()["training"]["best_epoch"] == 4 and not judged.describe()["training"]["stopped"]
    alone = generator("transformer").fit(families, settings)
    pd.testing.assert_frame_equal(judged.sample(20, seed=0), alone.sample(20, seed=0))


def test_held_out_rows_are_not_learnt_but_their_loss_falls(families: pd.DataFrame) -> None:
    seen: list[Mapping[str, Any]] = []
    generator("vae").fit(families, SETTINGS, progress=seen.append)
    assert seen[-1]["held_out"] < seen[0]["held_out"] and seen[-1]["loss"] < seen[0]["loss"]
    assert seen[-1]["loss"] == pytest.approx(
        seen[-1]["reconstruction"] + SETTINGS.kl_weight * seen[-1]["divergence"], rel=1e-4
    )


def test_unusable_checkpoint_is_refused_in_one_sentence(families: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "c.pt").write_text("not a checkpoint")
    with pytest.raises(ValueError, match="remove it and train again"):
        generator("vae").fit(families, SETTINGS, checkpoint=tmp_path / "c.pt")


def test_no_half_checkpoint_is_left(families: pd.DataFrame, tmp_path: Path) -> None:
    generator("vae").fit(families, SETTINGS, checkpoint=tmp_path / "c.pt")
    assert [path.name for path in tmp_path.iterdir()] == ["c.pt"]
