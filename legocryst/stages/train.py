"""Stage: a generator is fitted to the table and saved."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from legocryst.environment.target import Target
from legocryst.generators.base import Evaluate, Generator, Progress, generator
from legocryst.generators.features import Featurizer
from legocryst.settings import FeatureSettings, TrainSettings

MODEL = "model.pt"
CHECKPOINT = "checkpoint.pt"


def train(
    table: pd.DataFrame,
    settings: TrainSettings,
    *,
    features: FeatureSettings,
    seed: int,
    folder: Path,
    featurizer: Featurizer | None = None,
    target: Target | None = None,
    evaluate: Evaluate | None = None,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Generator:
    """Fit the generator that the settings name and save it as `folder/model.pt`.

    A checkpoint beside it lets an interrupted training go on when this is called again; it goes when the training is
    complete. `progress` gets a mapping after each epoch: `epoch`, `epochs`, the losses, `held_out` (the loss on rows
    kept apart), `seconds_left`, and where `evaluate` was called what it returned. `featurizer` is one already fitted to
    this table. The `target` gives the range of volumes to generators that take one, by default the table's own. Raises
    ValueError as `Generator.fit` does, and for a target that the generator is not for.
    """
    options: dict[str, Any] = {"featurizer": featurizer}
    if target is not None:
        target.check_generator(settings.spec)
        options |= {"volume_per_atom": target.volume_per_atom, "bond": target.bond}
    options = {name: value for name, value in options.items() if name in settings.spec.options}
    stopped = False

    def stop() -> bool:
        nonlocal stopped
        stopped = stopped or (should_stop is not None and should_stop())
        return stopped

    model = generator(settings.model, **options).fit(
        table,
        settings,
        features=features,
        seed=seed,
        progress=progress,
        should_stop=stop,
        evaluate=evaluate,
        checkpoint=folder / CHECKPOINT,
    )
    model.save(folder / MODEL)
    if not stopped:
        (folder / CHECKPOINT).unlink(missing_ok=True)
    return model
