"""What VAE and GAN share as generators: features, training, sampling, one file."""

import hashlib
import json
from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import torch

from legocryst.models import loop
from legocryst.models.base import TEMPERATURE, Evaluate, Generator, Progress
from legocryst.models.draw import draw_rows
from legocryst.models.features import Featurizer
from legocryst.models.files import save_file
from legocryst.settings import FeatureSettings, TrainSettings

CHUNK = 20_000
"""Rows drawn at a time; bounds the memory."""


class NetworkGenerator(Generator):
    """A generator that is a network on featurised rows."""

    def __init__(self, *, featurizer: Featurizer | None = None) -> None:
        """`featurizer`: one already fitted to the table; otherwise `fit` fits its own."""
        self.featurizer = featurizer
        self.settings = TrainSettings()
        self.network: loop.Network | None = None
        self.training: dict[str, Any] = {}

    @classmethod
    @abstractmethod
    def build(cls, features: Featurizer, settings: TrainSettings) -> loop.Network:
        """The untrained network."""

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
        if self.featurizer is None:
            self.featurizer = Featurizer(features).fit(table, seed=seed)
        self.settings = settings
        rows = torch.from_numpy(self.featurizer.transform(table))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = self.build(self.featurizer, settings)
        self.network = network

        def check() -> Mapping[str, float]:
            assert evaluate is not None
            return evaluate(self.sample(settings.check_samples, seed=seed))

        state = loop.train(
            network,
            rows,
            settings,
            seed=seed,
            identity=self._identity(rows, seed),
            report=progress,
            should_stop=should_stop,
            evaluate=None if evaluate is None else check,
            checkpoint=checkpoint,
        )
        self.training = {"rows": len(table), "seed": seed, **asdict(state)}

    def _identity(self, rows: torch.Tensor, seed: int) -> str:
        """Name of all that a checkpoint depends on; the number of epochs may grow."""
        assert self.featurizer is not None
        words = [self.name, seed, self.settings.model_dump(exclude={"epochs"}), self.featurizer.to_dict()]
        return hashlib.sha256(json.dumps(words).encode() + rows.numpy().tobytes()).hexdigest()

    def sample(self, n: int, *, seed: int, temperature: float = TEMPERATURE) -> pd.DataFrame:
        """See `Generator.sample`."""
        if self.network is None or self.featurizer is None:
            raise ValueError("the model is not trained yet; fit it first")
        rng = np.random.default_rng(seed)
        noise = torch.Generator().manual_seed(seed)
        self.network.eval()
        sizes = [min(CHUNK, n - done) for done in range(0, max(n, 1), CHUNK)]
        parts = [self._chunk(size, noise, rng, temperature) for size in sizes]
        return pd.concat(parts, ignore_index=True)

    def _chunk(self, n: int, noise: torch.Generator, rng: np.random.Generator, temperature: float) -> pd.DataFrame:
        assert self.network is not None and self.featurizer is not None
        with torch.no_grad():
            outputs = self.network.outputs(n, noise).numpy()
        return draw_rows(self.featurizer, outputs, rng, temperature=temperature)

    def save(self, path: Path) -> None:
        """Write network, features, settings and training record."""
        if self.network is None or self.featurizer is None:
            raise ValueError("the model is not trained yet; fit it first")
        content = {
            "model": self.name,
            "settings": self.settings.model_dump(),
            "features": self.featurizer.to_dict(),
            "network": self.network.state_dict(),
            "training": self.training,
        }
        save_file(content, Path(path))

    @classmethod
    def _load(cls, content: dict[str, Any]) -> Self:
        out = cls(featurizer=Featurizer.from_dict(content["features"]))
        assert out.featurizer is not None
        out.settings = TrainSettings.model_validate(content["settings"])
        out.network = cls.build(out.featurizer, out.settings)
        out.network.load_state_dict(content["network"])
        out.network.eval()
        out.training = content["training"]
        return out

    def describe(self) -> dict[str, Any]:
        """Model, size, settings and training record."""
        size = sum(p.numel() for p in self.network.parameters()) if self.network is not None else 0
        width = self.featurizer.width if self.featurizer is not None else 0
        settings = self.settings.model_dump()
        return {"model": self.name, "parameters": size, "width": width, "settings": settings, "training": self.training}
