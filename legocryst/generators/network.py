"""What all networks share as generators: training, one file, and the two ways in which rows become numbers."""

import hashlib
import json
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from legocryst.generators import loop
from legocryst.generators.base import Generator, Task
from legocryst.generators.conditions import Conditions
from legocryst.generators.draw import draw_rows
from legocryst.generators.features import Featurizer
from legocryst.generators.packing import Packing
from legocryst.generators.variables import read
from legocryst.settings import TrainSettings

CHUNK = 20_000
"""Rows drawn at a time; bounds the memory."""


class NetworkGenerator(Generator):
    """A generator that is a network on rows as numbers."""

    def __init__(self) -> None:
        self.settings = TrainSettings()
        self.network: loop.Network | None = None
        self.training: dict[str, Any] = {}

    @property
    def fitted(self) -> bool:
        """See `Generator.fitted`."""
        return self.network is not None

    @abstractmethod
    def build(self) -> loop.Network:
        """Return the untrained network."""

    @abstractmethod
    def _prepare(self, table: pd.DataFrame, task: Task) -> Tensor:
        """Fit how rows become numbers, and the rows (n, width) as such."""

    @abstractmethod
    def _encoding(self) -> dict[str, Any]:
        """Return how rows become numbers, in plain values."""

    @abstractmethod
    def _set_encoding(self, content: Mapping[str, Any]) -> None:
        """Set what `_encoding` gives."""

    def _fit(self, table: pd.DataFrame, task: Task) -> None:
        rows = self._prepare(table, task)
        self.settings = task.settings
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(task.seed)
            network = self.build()
        self.network = network
        judged = task.settings.judged(len(rows))

        def check() -> Mapping[str, float]:
            assert task.evaluate is not None
            return task.evaluate(self.sample(judged, seed=task.seed))

        state = loop.train(
            network,
            rows,
            task.settings,
            seed=task.seed,
            identity=self._identity(rows, task.seed),
            report=task.progress,
            should_stop=task.should_stop,
            evaluate=None if task.evaluate is None else check,
            checkpoint=task.checkpoint,
        )
        self.training |= {"rows": len(rows), "seed": task.seed, **asdict(state)}

    def _identity(self, rows: Tensor, seed: int) -> str:
        """Return name of all that a checkpoint depends on; the number of epochs may grow."""
        settings = self.settings.model_dump(exclude={"epochs"}) | {
            "batch": self.settings.batch,
            "rate": self.settings.rate,
        }
        words = [self.name, seed, settings, self._encoding()]
        return hashlib.sha256(json.dumps(words).encode() + rows.numpy().tobytes()).hexdigest()

    def _content(self) -> dict[str, Any]:
        assert self.network is not None
        return {
            "settings": self.settings.model_dump(),
            "encoding": self._encoding(),
            "network": self.network.state_dict(),
            "training": self.training,
        }

    @classmethod
    def _load(cls, content: dict[str, Any]) -> Self:
        out = cls()
        out.settings = TrainSettings.model_validate(content["settings"])
        out._set_encoding(content["encoding"])
        out.network = out.build()
        try:
            out.network.load_state_dict(content["network"])
        except RuntimeError as error:
            raise ValueError("the model was trained by another version of LEGO-Cryst; train it again") from error
        out.network.eval()
        out.training = content["training"]
        return out

    def describe(self) -> dict[str, Any]:
        """Return model, size, settings and training record."""
        size = sum(p.numel() for p in self.network.parameters()) if self.network is not None else 0
        return {
            "model": self.name,
            "parameters": size,
            "settings": self.settings.model_dump(),
            "training": self.training,
        }


class ColumnGenerator(NetworkGenerator):
    """A network that sees each column of the table as the featurizer makes it, and knows nothing of crystals."""

    def __init__(self, *, featurizer: Featurizer | None = None) -> None:
        """`featurizer`: one already fitted to the table; otherwise `fit` fits its own."""
        super().__init__()
        self.featurizer = featurizer

    def _prepare(self, table: pd.DataFrame, task: Task) -> Tensor:
        if self.featurizer is None:
            self.featurizer = Featurizer(task.features).fit(table, seed=task.seed)
        return torch.from_numpy(self.featurizer.transform(table))

    def _encoding(self) -> dict[str, Any]:
        assert self.featurizer is not None
        return self.featurizer.to_dict()

    def _set_encoding(self, content: Mapping[str, Any]) -> None:
        self.featurizer = Featurizer.from_dict(content)

    def _sample(self, n: int, *, seed: int, temperature: float, conditions: Conditions) -> pd.DataFrame:
        assert isinstance(self.network, loop.ColumnNetwork) and self.featurizer is not None
        rng = np.random.default_rng(seed)
        noise = torch.Generator().manual_seed(seed)
        self.network.eval()
        parts = []
        for done in range(0, max(n, 1), CHUNK):
            with torch.no_grad():
                outputs = self.network.outputs(min(CHUNK, n - done), noise).numpy()
            parts.append(draw_rows(self.featurizer, outputs, rng, temperature=temperature))
        return pd.concat(parts, ignore_index=True)

    def describe(self) -> dict[str, Any]:
        """Return what networks report, and the width of the featurised rows."""
        return super().describe() | {"width": self.featurizer.width if self.featurizer is not None else 0}


class PackedGenerator(NetworkGenerator):
    """A network that sees groups, Wyckoff positions and free variables, so that all that it draws is a crystal."""

    packing: Packing

    def _prepare(self, table: pd.DataFrame, task: Task) -> Tensor:
        rows, kept, reason = read(table)
        if len(kept) < 2:
            most = pd.Series(reason[reason != ""]).mode()[0]
            raise ValueError(f"{len(kept)} row(s) of the table are crystals, too few (most often: {most}); mend it")
        energy = task.energy[kept]
        self.packing = Packing.fit(rows, energy, list(table.columns))
        names, counts = np.unique(reason[reason != ""].astype(str), return_counts=True)
        self.training = {"left_out": dict(zip(names.tolist(), counts.tolist(), strict=True))}
        return self.packing.pack(rows, energy)

    def _encoding(self) -> dict[str, Any]:
        return self.packing.to_dict()

    def _set_encoding(self, content: Mapping[str, Any]) -> None:
        self.packing = Packing.from_dict(content)
