"""Variational autoencoder of table rows, on the encoder and decoder networks of ctgan's TVAE.

Kingma & Welling, arXiv 1312.6114; for tables Xu et al., arXiv 1907.00503, section 4.4.
"""

import torch
from torch import Tensor

from legocryst.generators.features import Featurizer
from legocryst.generators.loop import ColumnNetwork, Network
from legocryst.generators.network import ColumnGenerator
from legocryst.infra.extras import require
from legocryst.settings import TrainSettings
from legocryst.vocabulary.registry import GeneratorSpec

SPEC = GeneratorSpec(
    name="vae",
    loads="VAE",
    title="a variational autoencoder",
    help="learnt from the table",
    order=30,
    cites=("vae", "ctgan"),
    packages=("ctgan", "rdt"),
    extra="gan",
    learns_from=("augment", "featurize"),
    options=("featurizer",),
    epochs=100,
)

SIGMA = (0.01, 1.0)
"""Bounds of the learnt standard deviation of a scalar."""
LOGIT = 30.0
"""Logits are softly kept within this, so that their exponentials can be summed without overflow."""


class VAENetwork(ColumnNetwork):
    """Encoder to a normal distribution in the latent space, decoder to logits and scalars."""

    member: Tensor  # (width, columns): which one-hot a matrix column belongs to
    scalars: Tensor

    def __init__(self, features: Featurizer, settings: TrainSettings) -> None:
        require("gan")
        from ctgan.synthesizers.tvae import Decoder, Encoder

        super().__init__()
        hidden = (settings.hidden, settings.hidden)
        self.latent, self.kl_weight = settings.latent, settings.kl_weight
        self.encoder = Encoder(features.width, hidden, settings.latent)
        self.decoder = Decoder(settings.latent, hidden, features.width)
        member = torch.zeros(features.width, len(features.blocks))
        for i, block in enumerate(features.blocks):
            member[block.onehot, i] = 1
        self.register_buffer("member", member, persistent=False)
        self.register_buffer("scalars", torch.from_numpy(features.scalars), persistent=False)

    def optimizers(self, settings: TrainSettings) -> list[torch.optim.Optimizer]:
        """Return Adam."""
        return [torch.optim.Adam(self.parameters(), lr=settings.rate, weight_decay=1e-5, fused=True)]

    def decode(self, z: Tensor) -> Tensor:
        """Return bounded logits and scalars (n, width) of latent points (n, latent)."""
        out = self.decoder(z)[0]
        bounded: Tensor = LOGIT * torch.tanh(out / LOGIT)
        return bounded.index_copy(1, self.scalars, torch.tanh(out[:, self.scalars]))

    def losses(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return negative log-likelihood and Kullback-Leibler divergence of rows (n, width), mean nats a row."""
        mean, std, log_variance = self.encoder(rows)
        out = self.decode(mean + std * torch.randn_like(std))
        sigma = self.decoder.sigma[self.scalars].clamp(*SIGMA)
        error = (rows[:, self.scalars] - out[:, self.scalars]) / sigma
        # sum of log softmax over all one-hots at once: log of the summed exponentials of each, less the chosen logit
        normalizer = torch.log(torch.exp(out) @ self.member).sum()
        chosen = (rows * out).sum() - (rows[:, self.scalars] * out[:, self.scalars]).sum()
        likelihood = (0.5 * error**2 + torch.log(sigma)).sum() + normalizer - chosen
        divergence = -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum()
        return likelihood / len(rows), divergence / len(rows)

    def step(self, rows: Tensor, optimizers: list[torch.optim.Optimizer]) -> dict[str, Tensor]:
        """Take one step on the weighted evidence lower bound."""
        reconstruction, divergence = self.losses(rows)
        loss = reconstruction + self.kl_weight * divergence
        optimizers[0].zero_grad()
        loss.backward()
        optimizers[0].step()
        return {"loss": loss, "reconstruction": reconstruction, "divergence": divergence}

    def held_out_loss(self, rows: Tensor) -> Tensor:
        """Return the same loss."""
        reconstruction, divergence = self.losses(rows)
        return reconstruction + self.kl_weight * divergence

    def outputs(self, n: int, noise: torch.Generator) -> Tensor:
        """Return decoded points of the prior."""
        return self.decode(torch.randn(n, self.latent, generator=noise))


class VAE(ColumnGenerator):
    """The variational autoencoder as a generator."""

    spec = SPEC

    def build(self) -> Network:
        """Return the untrained network."""
        assert self.featurizer is not None
        return VAENetwork(self.featurizer, self.settings)
