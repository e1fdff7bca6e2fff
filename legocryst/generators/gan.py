"""Generative adversarial network of table rows, on the networks of ctgan, with the Wasserstein loss.

Gulrajani et al., arXiv 1704.00028 (gradient penalty); Lin et al., arXiv 1712.04086 (packing); Jang et al.,
arXiv 1611.01144 (Gumbel softmax).
"""

import torch
from torch import Tensor, nn

from legocryst.generators.features import Featurizer
from legocryst.generators.loop import ColumnNetwork, Network
from legocryst.generators.network import ColumnGenerator
from legocryst.infra.extras import require
from legocryst.settings import TrainSettings
from legocryst.vocabulary.registry import GeneratorSpec

SPEC = GeneratorSpec(
    name="gan",
    loads="GAN",
    title="a generative adversarial network",
    help="learnt from the table",
    order=40,
    cites=("ctgan", "wgan"),
    packages=("ctgan", "rdt"),
    extra="gan",
    learns_from=("augment", "featurize"),
    options=("featurizer",),
    epochs=60,
    cost=2.7,
)

PENALTY = 10.0
TEMPERATURE = 0.2
"""Of the Gumbel softmax while training."""


class GANNetwork(ColumnNetwork):
    """Generator from noise to logits and scalars, and a critic of packs of rows."""

    multiple = 10  # rows that the critic sees at once
    block: Tensor  # (width,) table column of each matrix column
    onehot: Tensor  # (width,) bool: logit, not scalar

    def __init__(self, features: Featurizer, settings: TrainSettings) -> None:
        require("gan")
        from ctgan.synthesizers.ctgan import Discriminator, Generator

        super().__init__()
        hidden = (settings.hidden, settings.hidden)
        self.latent = settings.latent
        self.generator = Generator(settings.latent, hidden, features.width)
        self.critic = Discriminator(features.width, hidden, pac=self.multiple)
        block = torch.zeros(features.width, dtype=torch.int64)
        for i, part in enumerate(features.blocks):
            block[part.onehot] = i
        onehot = torch.ones(features.width, dtype=torch.bool)
        onehot[features.scalars] = False
        self.blocks = len(features.blocks)
        self.register_buffer("block", block, persistent=False)
        self.register_buffer("onehot", onehot, persistent=False)

    def optimizers(self, settings: TrainSettings) -> list[torch.optim.Optimizer]:
        """Return Adam for the generator and for the critic."""
        return [
            torch.optim.Adam(net.parameters(), lr=settings.rate, betas=(0.5, 0.9), fused=True)
            for net in (self.generator, self.critic)
        ]

    def raw(self, noise: Tensor) -> Tensor:
        """Return logits and scalars (n, width) of noise (n, latent)."""
        out: Tensor = self.generator(noise)
        return torch.where(self.onehot, out, torch.tanh(out))

    def fake(self, n: int) -> Tensor:
        """Draw n rows whose one-hots are relaxed, so that gradients pass."""
        out = self.raw(torch.randn(n, self.latent))
        gumbel = -torch.log(-torch.log(torch.rand_like(out).clamp(1e-10, 1 - 1e-7)))
        logits = torch.where(self.onehot, (out + gumbel) / TEMPERATURE, float("-inf"))
        index = self.block.expand_as(out)
        top = torch.full((n, self.blocks), float("-inf")).scatter_reduce(1, index, logits.detach(), "amax")
        weight = torch.exp(logits - top.gather(1, index))
        total = torch.zeros(n, self.blocks).scatter_add(1, index, weight)
        return torch.where(self.onehot, weight / total.gather(1, index), out)

    def step(self, rows: Tensor, optimizers: list[torch.optim.Optimizer]) -> dict[str, Tensor]:
        """Take one step of the critic, then one of the generator, both on the same fresh rows."""
        for_generator, for_critic = optimizers
        fake = self.fake(len(rows))
        critic_loss = self._distance(fake.detach(), rows)
        penalty = self._penalty(fake.detach(), rows)
        for_critic.zero_grad()
        (critic_loss + penalty).backward()
        for_critic.step()
        loss = -self.critic(fake).mean()
        for_generator.zero_grad()
        loss.backward(inputs=list(self.generator.parameters()))
        for_generator.step()
        return {"loss": loss, "critic": critic_loss, "penalty": penalty}

    def _distance(self, fake: Tensor, rows: Tensor) -> Tensor:
        """Return how much less the critic thinks of rows than of as many fresh ones, in one pass."""
        fresh, real = self.critic(torch.cat([fake, rows])).chunk(2)
        return fresh.mean() - real.mean()

    def _penalty(self, fake: Tensor, rows: Tensor) -> Tensor:
        """Return the mean of (|gradient| - 1)^2 between fresh and given packs (arXiv 1704.00028, equation 3), weighted.

        The critic is linear on either side of its kinks, so that its gradient is a product of its weights with the
        slopes where it stands: half the matrix products of differentiating twice.
        """
        packs = len(rows) // self.multiple
        share = torch.rand(packs, 1)
        at = share * rows.view(packs, -1) + (1 - share) * fake.view(packs, -1)
        slopes: list[Tensor] = []  # of each layer that is none of weights
        with torch.no_grad():
            for layer in self.critic.seq:
                after = layer(at)
                if not isinstance(layer, nn.Linear):
                    slopes.append(torch.where(at == 0, 0.0, after / at))
                at = after
        gradient = torch.ones(packs, 1)
        for layer in reversed(self.critic.seq):
            gradient = gradient @ layer.weight if isinstance(layer, nn.Linear) else gradient * slopes.pop()
        return PENALTY * ((gradient.norm(2, dim=1) - 1) ** 2).mean()

    def held_out_loss(self, rows: Tensor) -> Tensor:
        """Return the critic's distance of fresh and held-out rows, sign turned: its loss without penalty."""
        return self._distance(self.fake(len(rows)), rows)

    def outputs(self, n: int, noise: torch.Generator) -> Tensor:
        """Return logits and scalars of fresh noise."""
        return self.raw(torch.randn(n, self.latent, generator=noise))


class GAN(ColumnGenerator):
    """The adversarial network as a generator."""

    spec = SPEC

    def build(self) -> Network:
        """Return the untrained network."""
        assert self.featurizer is not None
        return GANNetwork(self.featurizer, self.settings)
