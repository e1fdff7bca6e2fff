"""The contract of every generator of table rows, and how one is found by name or loaded from a file."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from legocryst.generators.columns import check_table, energies
from legocryst.generators.conditions import OPEN, Conditions
from legocryst.generators.model_files import read_file, save_file
from legocryst.settings import FeatureSettings, SampleSettings, TrainSettings, conditional_models
from legocryst.vocabulary.registry import GENERATORS, GeneratorSpec

Progress = Callable[[Mapping[str, Any]], None]
Evaluate = Callable[[pd.DataFrame], Mapping[str, float]]

TEMPERATURE: float = SampleSettings.model_fields["temperature"].default


@dataclass(frozen=True, slots=True)
class Task:
    """What a fit is given beside the table (see `Generator.fit`)."""

    settings: TrainSettings
    features: FeatureSettings
    energy: np.ndarray  # (n,) eV/atom of each row's crystal, NaN where unknown
    seed: int
    progress: Progress
    should_stop: Callable[[], bool]
    evaluate: Evaluate | None
    checkpoint: Path | None


class Generator(ABC):
    """Something that is fitted to a table of crystals and draws new rows with the same columns.

    A kind of generator is a class in a file with its `spec` (see `legocryst.vocabulary.registry`), which has all that
    the rest of the program asks about it. All randomness comes from the seeds: on one machine the same seed gives the
    same rows (with networks: the same number of threads as well, since sums are then taken in the same order).
    """

    spec: ClassVar[GeneratorSpec]

    @property
    def name(self) -> str:
        """Name of the kind of generator."""
        return self.spec.name

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
        """Learn from a table with METHOD's columns and perhaps `energy`; other columns are left alone.

        `progress(numbers)` is called after each epoch. `evaluate(rows)` judges fresh rows and must return `new`, what
        share of them is worth having (see `loop.JUDGED`); training stops when it no longer grows, and the best weights
        are kept (or the last, see `GeneratorSpec.settles`). When `should_stop()` is true the fit ends
        after the epoch and what was learnt is kept. With `checkpoint` the state is written there, and a fit of the same
        table with the same settings goes on from it.

        Raises ValueError for a table with too few rows, missing columns or values that are not numbers, and for
        a checkpoint of another table or other settings.
        """
        task = Task(
            settings=settings,
            features=features or FeatureSettings(),
            energy=energies(table),
            seed=seed,
            progress=progress or (lambda numbers: None),
            should_stop=should_stop or (lambda: False),
            evaluate=evaluate,
            checkpoint=checkpoint,
        )
        self._fit(check_table(table, least=self.spec.fewest_rows), task)
        return self

    def sample(
        self, n: int, *, seed: int, temperature: float = TEMPERATURE, conditions: Conditions = OPEN
    ) -> pd.DataFrame:
        """Draw n rows with the columns of the fitted table; an unused site holds -1 in all its columns.

        Probabilities are taken to the power 1 / `temperature`: below 1 rows are more like the table, and fewer are
        different. Raises ValueError before `fit`, for conditions that no row can meet, and for those that the
        generator cannot be asked for (see `GeneratorSpec.conditional` and `informed`).
        """
        if not self.fitted:
            raise ValueError("the model is not trained yet; fit it first")
        able = conditional_models(energies=conditions.lowest < 1)
        if not conditions.open and self.name not in able:
            what = "low energies" if self.spec.conditional else "space groups, sites, atoms or energies"
            raise ValueError(
                f"the model {self.name} cannot be asked for {what}; leave them open, or train one of {', '.join(able)}"
            )
        return self._sample(n, seed=seed, temperature=temperature, conditions=conditions)

    def refine(self, rows: pd.DataFrame, *, seed: int, temperature: float = TEMPERATURE, step: float) -> pd.DataFrame:
        """Draw rows near the given ones, with their groups and Wyckoff positions, in their order.

        A row moves by `step` towards a fresh draw: 0 gives the row as the generator sees it, 1 another sample of the
        same symmetry. Raises ValueError for rows that are no crystals, and where `GeneratorSpec.refines` is false.
        """
        raise ValueError(f"the model {self.name} cannot draw rows near others; set the refine rounds to 0")

    def save(self, path: Path) -> None:
        """Write all that `sample` needs to one file; raises ValueError before `fit`."""
        if not self.fitted:
            raise ValueError("the model is not trained yet; fit it first")
        save_file({"model": self.name, **self._content()}, Path(path))

    @property
    @abstractmethod
    def fitted(self) -> bool:
        """Whether there is something to sample from."""

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """Return what was fitted, in plain values that JSON can hold."""

    @abstractmethod
    def _fit(self, table: pd.DataFrame, task: Task) -> None:
        """Fit to a checked table, its crystal columns only."""

    @abstractmethod
    def _sample(self, n: int, *, seed: int, temperature: float, conditions: Conditions) -> pd.DataFrame:
        """Sample from a fitted generator."""

    @abstractmethod
    def _content(self) -> dict[str, Any]:
        """Return what a file holds."""

    @classmethod
    @abstractmethod
    def _load(cls, content: dict[str, Any]) -> Self:
        """Return the generator saved in the content of a file."""


def generator_names() -> list[str]:
    """Return names of the generators."""
    return list(GENERATORS.names())


def generator(name: str, **options: Any) -> Generator:
    """Return a generator by name, not yet fitted; raises ValueError as `Registry.load` does."""
    made: Generator = GENERATORS.load(name)(**options)
    return made


def load(path: Path | str) -> Generator:
    """Return the generator saved at `path`; raises ValueError when the file holds none."""
    if not Path(path).is_file():
        raise ValueError(f"there is no model at {path}; train one first")
    content = read_file(Path(path))
    if content.get("model") not in GENERATORS.names():
        raise ValueError(f"{path} is not a model file of LEGO-Cryst; choose another, or remove it and train again")
    kind: type[Generator] = GENERATORS.load(content["model"])
    return kind._load(content)
