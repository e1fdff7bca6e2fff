"""Settings of the training of a generator."""

from itertools import groupby
from math import sqrt
from typing import Any

from legocryst.settings.base import GeneratorName, Settings, setting
from legocryst.vocabulary.registry import GENERATORS, GeneratorSpec, Registry

MANY, MOST_TIMES = 65_000, 10
"""Rows of the table for which specifications say the epochs: a quarter of an hour on two cores or less. Of other tables
the passes go with the root of the ratio of rows: of smaller ones more, at most MOST_TIMES times."""
CHECKED, LEAST_CHECKED = 2000, 200
"""Fresh samples that are drawn to judge the weights: in a training, and at least at each check."""


def _differences(registry: Registry[Any]) -> str:
    """Say what sets the specifications of a registry apart, in their words; neighbours with the same words as one."""
    groups = groupby(registry.specs(), key=lambda spec: str(spec.help))
    return "; ".join(f"{', '.join(spec.name for spec in specs)}: {text}" for text, specs in groups)


def _suited(value: str) -> str:
    """Return what suits each generator that learns, where it differs from what suits most."""
    usual = GeneratorSpec.__dataclass_fields__[value].default
    own = {spec.name: getattr(spec, value) for spec in GENERATORS.specs() if spec.learns}
    return ", ".join([*(f"{name} {number}" for name, number in own.items() if number != usual), f"others {usual}"])


class TrainSettings(Settings):
    """Which generative model is trained, and how."""

    model: GeneratorName = setting("cvae", f"Kind of generator. {_differences(GENERATORS)}.")
    epochs: int | None = setting(
        None,
        "Most passes over the table; empty: as many as suit the model, "
        + ", ".join(f"{spec.name} {spec.epochs}" for spec in GENERATORS.specs() if spec.learns)
        + f" for {MANY:,} rows, and twice as many for a quarter of the rows.",
        ge=1,
        le=5000,
        label="Most epochs",
    )
    batch_size: int | None = setting(
        None,
        f"Rows in one step of the optimiser; empty: as many as suit the model, {_suited('batch_size')}.",
        ge=10,
        le=10000,
    )
    latent: int = setting(
        128,
        "How many numbers stand for a row inside the model, from which it writes the row (its latent space).",
        ge=2,
        le=1024,
        advanced=True,
        label="Width of the latent space",
    )
    hidden: int = setting(
        512, "Width of the two hidden layers.", ge=8, le=4096, advanced=True, label="Width of hidden layers"
    )
    width: int = setting(
        128,
        "Transformer: width of a token, a multiple of 4.",
        ge=8,
        le=1024,
        multiple_of=4,
        advanced=True,
        label="Width of tokens",
    )
    layers: int = setting(
        4, "Transformer: layers of attention.", ge=1, le=24, advanced=True, label="Layers of attention"
    )
    learning_rate: float | None = setting(
        None,
        f"Learning rate of the optimiser; empty: what suits the model, {_suited('learning_rate')}.",
        gt=0,
        le=0.1,
        advanced=True,
    )
    patience: int = setting(
        5,
        "Stop after this many checks of fresh samples in a row without more new crystals. A transformer learns to the "
        "end and keeps its last weights.",
        ge=1,
        le=1000,
        advanced=True,
        label="Patience (checks)",
    )
    check_every: int | None = setting(
        None,
        "Epochs between two checks of fresh samples; empty: a tenth of all.",
        ge=1,
        le=1000,
        advanced=True,
        label="Epochs between checks",
    )
    check_samples: int | None = setting(
        None,
        f"Fresh samples drawn for one check; empty: {CHECKED} in all checks together, at least {LEAST_CHECKED} in one.",
        ge=1,
        le=10000,
        advanced=True,
        label="Samples of a check",
    )
    quality: bool = setting(
        True, "Compare samples with the table, column by column, when the training is over.", label="Quality report"
    )
    kl_weight: float = setting(
        0.5,
        "VAE: weight of the divergence; less copies more faithfully, more varies more.",
        gt=0,
        le=100,
        advanced=True,
        label="Weight of the divergence",
    )

    @property
    def spec(self) -> GeneratorSpec:
        """The specification of the model; raises ValueError where it is no longer there."""
        return GENERATORS[self.model]

    def passes(self, rows: int) -> int:
        """Return the most passes over a table of a number of rows; a model that learns limits only has one."""
        if not self.spec.learns:
            return 1
        return self.epochs or max(1, round(self.spec.epochs * min(MOST_TIMES, sqrt(MANY / rows))))

    @property
    def batch(self) -> int:
        """Rows in one step of the optimiser."""
        return self.batch_size or self.spec.batch_size

    @property
    def rate(self) -> float:
        """Learning rate of the optimiser."""
        return self.learning_rate or self.spec.learning_rate

    def pause(self, rows: int) -> int:
        """Return epochs between two checks of fresh samples."""
        return self.check_every or -(-self.passes(rows) // 10)

    def judged(self, rows: int) -> int:
        """Return the fresh samples of one check: where checks are few each can have more, and says more."""
        return self.check_samples or max(LEAST_CHECKED, CHECKED // -(-self.passes(rows) // self.pause(rows)))
