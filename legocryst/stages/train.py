"""Stage: a generator is fitted to the table and saved."""

from pathlib import Path
from typing import Any

import pandas as pd

from legocryst.environment.target import Target
from legocryst.generators.base import Evaluate, Generator, generator
from legocryst.generators.features import Featurizer
from legocryst.infra.run_context import SILENT, RunContext
from legocryst.settings import FeatureSettings, TrainSettings

MODEL = "model.pt"
CHECKPOINT = "checkpoint.pt"


def train(
    table: pd.DataFrame,
    target: Target,
    settings: TrainSettings,
    context: RunContext = SILENT,
    *,
    features: FeatureSettings,
    folder: Path,
    featurizer: Featurizer | None = None,
    evaluate: Evaluate | None = None,
) -> Generator:
    """Fit the generator that the settings name and save it as `folder/model.pt`.

    A checkpoint beside it lets an interrupted training go on when this is called again; it goes when the training is
    complete. `context.progress` gets a mapping after each epoch: `epoch`, `epochs`, the losses, `held_out` (the loss on
    rows kept apart), `seconds_left`, and where `evaluate` was called what it returned. `featurizer` is one already
    fitted to this table. The target gives the range of volumes to generators that take one. Raises ValueError as
    `Generator.fit` does, and for a target that the generator is not for.
    """
    target.check_generator(settings.spec)
    options: dict[str, Any] = {"featurizer": featurizer}
    options |= {"volume_per_atom": target.volume_per_atom, "bond": target.bond}
    options = {name: value for name, value in options.items() if name in settings.spec.options}
    stopped = False

    def stop() -> bool:
        nonlocal stopped
        stopped = stopped or context.should_stop()
        return stopped

    model = generator(settings.model, **options).fit(
        table,
        settings,
        features=features,
        seed=context.seed,
        progress=context.progress,
        should_stop=stop,
        evaluate=evaluate,
        checkpoint=folder / CHECKPOINT,
    )
    model.save(folder / MODEL)
    if not stopped:
        (folder / CHECKPOINT).unlink(missing_ok=True)
    return model
