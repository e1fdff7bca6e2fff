import pandas as pd
import torch
from torch.nn.functional import cross_entropy

from legocryst.generators.features import Featurizer
from legocryst.generators.vae import LOGIT, VAENetwork
from legocryst.settings import TrainSettings


def test_loss_is_cross_entropies_gaussians_and_divergence_written_out(families: pd.DataFrame) -> None:
    """Against torch's own cross entropy, normal density and divergence of normals, block by block."""
    features = Featurizer().fit(families)
    torch.manual_seed(0)
    network = VAENetwork(features, TrainSettings(latent=4, hidden=16))
    rows = torch.from_numpy(features.transform(families.sample(30, random_state=0)))
    torch.manual_seed(1)
    reconstruction, divergence = network.losses(rows)
    torch.manual_seed(1)
    mean, std, _ = network.encoder(rows)
    out = network.decoder(mean + std * torch.randn_like(std))[0]
    expected = torch.zeros(())
    for block in features.blocks:
        logits = LOGIT * torch.tanh(out[:, block.onehot] / LOGIT)
        expected += cross_entropy(logits, rows[:, block.onehot].argmax(1), reduction="sum")
        if not block.discrete:
            normal = torch.distributions.Normal(torch.tanh(out[:, block.start]), network.decoder.sigma[block.start])
            constant = 0.5 * torch.log(torch.tensor(2 * torch.pi))
            expected += -(normal.log_prob(rows[:, block.start]) + constant).sum()
    prior = torch.distributions.Normal(torch.zeros_like(mean), torch.ones_like(std))
    kl = torch.distributions.kl_divergence(torch.distributions.Normal(mean, std), prior).sum()
    assert torch.allclose(reconstruction, expected / 30, rtol=1e-4)
    assert torch.allclose(divergence, kl / 30, rtol=1e-4)
