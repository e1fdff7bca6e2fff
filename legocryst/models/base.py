"""The contract of every generator of table rows, and how one is found by name or loaded from a file."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, Self

import pandas as pd

from legocryst.models.columns import check_table
from legocryst.models.files import read_file
from legocryst.settings import FeatureSettings, SampleSettings, TrainSettings

Progress = Callable[[Mapping[str, Any]], None]
Evaluate = Callable[[pd.DataFrame], Mapping[str, float]]

TEMPERATURE: float = SampleSettings.model_fields["temperature"].default

_CLASSES = {
    "vae": ("legocryst.models.vae", "VAE"),
    "gan": ("legocryst.models.gan", "GAN"),
    "random": ("legocryst.models.random", "RandomSymmetric"),
}


class Generator(ABC):
    """Something that is fitted to a table of crystals and draws new rows with the same columns.

    All randomness comes from the seeds: on one machine the same seed gives the same rows (with networks: the same
    number of threads as well, since sums are then taken in the same order).
    """

    name: ClassVar[str]

    def fit(
        self,
        table: pd.DataFrame,
        settings: TrainSettings,
        *,
        features: FeatureSettings | None = None,
        seed: int = 0,
        progress: Progress | None = None,
        should_stop: Callable[[], bool] | None = None,
        evaluate: Evaluate | None = None,
        checkpoint: Path | None = None,
    ) -> Self:
        """Learn from a table with METHOD's columns; other columns are left alone.

        `progress(numbers)` is called after each epoch. `evaluate(rows)` judges fresh rows and must return their share
        "valid"; training stops when it no longer grows, and the best weights are kept. When `should_stop()` is true
        the fit ends after the epoch and what was learnt is kept. With `checkpoint` the state is written there, and a
        fit of the same table with the same settings goes on from it.

        Raises ValueError for a table with fewer than two rows, missing columns or values that are not numbers, and for
        a checkpoint of another table or other settings.
        """
        self._fit(
            check_table(table),
            settings,
            features=features or FeatureSettings(),
            seed=seed,
            progress=progress or (lambda numbers: None),
            should_stop=should_stop or (lambda: False),
            evaluate=evaluate,
            checkpoint=checkpoint,
        )
        return self

    @abstractmethod
    def _fit(
        self,
        table: pd.DataFrame,
        settings: TrainSettings,
        *,
        features: FeatureSettings,
        seed: int,
        progress: Progress,
        should_stop: Callable[[], bool],
        evaluate: Evaluate | None,
        checkpoint: Path | None,
    ) -> None:
        """`fit` on a checked table."""

    @abstractmethod
    def sample(self, n: int, *, seed: int, temperature: float = TEMPERATURE) -> pd.DataFrame:
        """Draw n rows with the columns of the fitted table; an unused site holds -1 in all its columns.

        Networks divide the logits of their categories by `temperature`: below 1 rows are more like the table, and fewer
        are different. Raises ValueError before `fit`.
        """

    @abstractmethod
    def save(self, path: Path) -> None:
        """Write all that `sample` needs to one file."""

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """What was fitted, in plain values that JSON can hold."""

    @classmethod
    @abstractmethod
    def _load(cls, content: dict[str, Any]) -> Self:
        """The generator saved in the content of a file."""


def generator_names() -> list[str]:
    """Names of the generators."""
    return list(_CLASSES)


def generator(name: str, **options: Any) -> Generator:
    """A generator by name, not yet fitted; raises ValueError for an unknown name."""
    return _class(name)(**options)


def load(path: Path | str) -> Generator:
    """The generator saved at `path`; raises ValueError when the file holds none."""
    if not Path(path).is_file():
        raise ValueError(f"there is no model at {path}; train one first")
    content = read_file(Path(path))
    if content.get("model") not in _CLASSES:
        raise ValueError(f"{path} is not a model file of LEGO-Cryst; choose another, or remove it and train again")
    return _class(content["model"])._load(content)


def _class(name: str) -> type[Generator]:
    if name not in _CLASSES:
        raise ValueError(f"there is no generator {name!r}; choose one of {', '.join(_CLASSES)}")
    module, attribute = _CLASSES[name]
    found: type[Generator] = getattr(import_module(module), attribute)
    return found
