"""Conditional variational autoencoder: space group and Wyckoff positions given, coordinates and cell generated.

Kingma & Welling, arXiv 1312.6114; conditioned as in Sohn, Lee & Yan, NeurIPS 2015. Coordinates are angles on a circle.
Crystals that stay invalid can be refined in the latent space (arXiv 2601.04606): encoded as they were relaxed, moved,
and decoded again with the same symmetry.
"""

import math

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from legocryst.generators.base import TEMPERATURE
from legocryst.generators.conditions import Conditions
from legocryst.generators.embedding import WAVES, Symmetry, waves
from legocryst.generators.loop import Network
from legocryst.generators.mixtures import cut_normal, log_normal
from legocryst.generators.network import PackedGenerator
from legocryst.generators.packing import Batch, Drawn, Packing
from legocryst.generators.variables import read
from legocryst.settings import TrainSettings
from legocryst.vocabulary.registry import GeneratorSpec

SPEC = GeneratorSpec(
    name="cvae",
    loads="ConditionalVAE",
    title="a variational autoencoder conditioned on space group and Wyckoff positions",
    help="learnt from the table",
    order=20,
    cites=("cvae", "legoxtal2"),
    conditional=True,
    informed=True,
    refines=True,
    epochs=20,
    cost=1.4,
)

VECTOR = 32
"""Numbers that stand for a group, or for a Wyckoff position."""
NARROWEST = (0.004, 0.02)
"""Least width: of a coordinate, in cells, and of a cell variable, in standard deviations."""
WIDEST = 1.0


class CVAENetwork(Network):
    """Encoder of free variables to a normal distribution, decoder to means and widths, both given the symmetry."""

    def __init__(self, packing: Packing, settings: TrainSettings) -> None:
        super().__init__()
        hidden, sites = settings.hidden, packing.sites
        self.latent, self.kl_weight = settings.latent, settings.kl_weight
        self.symmetry = Symmetry(VECTOR)
        self.element = nn.Embedding(len(packing.elements), VECTOR)
        self.condition = nn.Sequential(nn.Linear(VECTOR * (sites + 1), hidden), nn.GELU())
        inputs = hidden + 6 * WAVES * sites + 6
        self.encoder = _layers(inputs, hidden, 2 * settings.latent)
        self.decoder = _layers(settings.latent + hidden, hidden, 9 * sites + 12)

    def optimizers(self, settings: TrainSettings) -> list[torch.optim.Optimizer]:
        """Return Adam."""
        return [torch.optim.Adam(self.parameters(), lr=settings.rate, fused=True)]

    def rate(self, share: float) -> float:
        """Return half a cosine."""
        return 0.05 + 0.475 * (1 + math.cos(math.pi * share))

    def symmetry_vectors(self, group: Tensor, position: Tensor, element: Tensor) -> Tensor:
        """Return vectors (b, hidden) of the symmetry of rows: groups (b,), positions and elements (b, s)."""
        used = (position >= 0)[..., None]
        identity = self.symmetry.identity[group[:, None], position.clamp(min=0)]
        vectors = self.symmetry.positions()[identity] + self.element(element.clamp(min=0))
        flat = torch.where(used, vectors, 0).flatten(1)
        out: Tensor = self.condition(torch.cat([self.symmetry.group(group), flat], dim=1))
        return out

    def encode(self, batch: Batch, symmetry: Tensor) -> tuple[Tensor, Tensor]:
        """Return means and logarithms of variances (b, latent) of rows."""
        used = (batch.position >= 0)[..., None]
        seen = torch.where(used, waves(batch.point[..., None]).flatten(2), 0).flatten(1)
        mean, log_variance = self.encoder(torch.cat([symmetry, seen, batch.cell], dim=1)).chunk(2, dim=1)
        return mean, log_variance.clamp(-12, 4)

    def decode(self, z: Tensor, symmetry: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return means and widths of coordinates (b, s, 3) and of cell variables (b, 6)."""
        out = self.decoder(torch.cat([z, symmetry], dim=1))
        sine, cosine, width = out[:, :-12].unflatten(1, (3, -1, 3)).unbind(1)
        mean, spread = out[:, -12:].chunk(2, dim=1)
        angle = torch.atan2(sine, cosine + 1e-6) / (2 * math.pi)
        widths = [low + torch.exp(x - 2).clamp(max=WIDEST) for low, x in zip(NARROWEST, (width, spread), strict=True)]
        return angle, widths[0], mean, widths[1]

    def losses(self, rows: Tensor) -> dict[str, Tensor]:
        """Return negative log-likelihoods of coordinates and cells, and the divergence, in nats a row."""
        batch = Batch.of(rows)
        symmetry = self.symmetry_vectors(batch.group, batch.position, batch.element)
        mean, log_variance = self.encode(batch, symmetry)
        z = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        angle, width, middle, spread = self.decode(z, symmetry)
        free = self.symmetry.free[batch.group[:, None], batch.position.clamp(min=0)] & (batch.position >= 0)[..., None]
        cell_free = self.symmetry.cell_free[batch.group]
        likely = log_normal(batch.point - angle, width, periodic=True)[free].sum()
        fitting = log_normal(batch.cell - middle, spread)[cell_free].sum()
        divergence = -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum()
        parts = {"coordinates": -likely, "cells": -fitting, "divergence": divergence}
        return {name: value / len(rows) for name, value in parts.items()}

    def weighted(self, parts: dict[str, Tensor]) -> Tensor:
        """Return the weighted evidence lower bound, its sign turned."""
        return parts["coordinates"] + parts["cells"] + self.kl_weight * parts["divergence"]

    def step(self, rows: Tensor, optimizers: list[torch.optim.Optimizer]) -> dict[str, Tensor]:
        """Take one step on it."""
        parts = self.losses(rows)
        loss = self.weighted(parts)
        optimizers[0].zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters(), 10.0)
        optimizers[0].step()
        return {"loss": loss, **parts}

    def held_out_loss(self, rows: Tensor) -> Tensor:
        """Return the same loss."""
        return self.weighted(self.losses(rows))


def _layers(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.GELU(), nn.Linear(hidden, outputs)
    )


class ConditionalVAE(PackedGenerator):
    """The conditional autoencoder as a generator; symmetries are drawn from the combinations of the fitted table."""

    spec = SPEC

    def build(self) -> Network:
        """Return the untrained network."""
        return CVAENetwork(self.packing, self.settings)

    def _sample(self, n: int, *, seed: int, temperature: float, conditions: Conditions) -> pd.DataFrame:
        rng, noise = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
        combinations = self.packing.combinations(n, conditions, rng)
        z = torch.randn(n, self.settings.latent, generator=noise) * math.sqrt(temperature)
        return self._decoded(combinations, z, noise, temperature)

    def refine(self, rows: pd.DataFrame, *, seed: int, temperature: float = TEMPERATURE, step: float) -> pd.DataFrame:
        """See `Generator.refine`: a row's place in the latent space moves towards a fresh draw of the prior."""
        seen, kept, reason = read(rows)
        if len(kept) < len(rows):
            raise ValueError(f"row {np.argmax(reason != '')} is no crystal ({reason[reason != ''][0]}); leave it out")
        network, noise = self._cvae, torch.Generator().manual_seed(seed)
        batch = Batch.of(self.packing.pack(seen, np.full(len(rows), np.nan)))
        with torch.no_grad():
            mean, _ = network.encode(batch, network.symmetry_vectors(batch.group, batch.position, batch.element))
        fresh = torch.randn(mean.shape, generator=noise)
        z = math.sqrt(1 - step**2) * mean + step * fresh
        return self._decoded((batch.group, batch.position, batch.element), z, noise, temperature)

    @property
    def _cvae(self) -> CVAENetwork:
        assert isinstance(self.network, CVAENetwork)
        return self.network

    def _decoded(
        self, combinations: tuple[Tensor, Tensor, Tensor], z: Tensor, noise: torch.Generator, temperature: float
    ) -> pd.DataFrame:
        """Return rows of groups (n,), positions and elements (n, s), at places z (n, latent)."""
        network = self._cvae
        with torch.no_grad():
            angle, width, mean, spread = network.decode(z, network.symmetry_vectors(*combinations))
        loose = math.sqrt(temperature)
        half = torch.full_like(angle, 0.5)
        free = angle + cut_normal(torch.zeros_like(angle), loose * width, -half, half, noise)
        low, high = (torch.tensor(values).expand_as(mean) for values in (self.packing.low, self.packing.high))
        cell = cut_normal(mean, loose * spread, low, high, noise)
        return self.packing.table(Drawn(*combinations, free, cell))
