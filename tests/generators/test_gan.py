import pandas as pd
import torch

from legocryst.generators.features import Featurizer
from legocryst.generators.gan import PENALTY, GANNetwork
from legocryst.settings import TrainSettings


def test_fake_rows_are_relaxed_one_hots_with_gradients(families: pd.DataFrame) -> None:
    features = Featurizer().fit(families)
    torch.manual_seed(0)
    network = GANNetwork(features, TrainSettings(latent=4, hidden=16))
    fake = network.fake(50)
    for block in features.blocks:
        part = fake[:, block.onehot]
        assert torch.allclose(part.sum(1), torch.ones(50), atol=1e-5) and (part >= 0).all()
    assert (fake[:, features.scalars].abs() <= 1).all()
    fake[:, features.blocks[0].onehot.start].sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in network.generator.parameters() if p.grad is not None)


def test_critic_tells_rows_apart_after_some_steps(families: pd.DataFrame) -> None:
    features = Featurizer().fit(families)
    torch.manual_seed(0)
    network = GANNetwork(features, TrainSettings(latent=4, hidden=32))
    rows = torch.from_numpy(features.transform(families))
    optimizers = network.optimizers(TrainSettings(learning_rate=1e-3))
    first = network.held_out_loss(rows).item()
    for _ in range(15):
        losses = network.step(rows, optimizers)
    assert network.held_out_loss(rows).item() < first and losses["critic"] < 0


def test_penalty_and_its_gradients_are_those_of_differentiating_twice(families: pd.DataFrame) -> None:
    features = Featurizer().fit(families)
    torch.manual_seed(0)
    network = GANNetwork(features, TrainSettings(latent=4, hidden=16))
    rows, fake = torch.from_numpy(features.transform(families))[:50], network.fake(50).detach()
    weights = [p for name, p in network.critic.named_parameters() if name.endswith("weight")]
    torch.manual_seed(1)
    ours = network._penalty(fake, rows)
    torch.manual_seed(1)
    theirs = network.critic.calc_gradient_penalty(rows, fake.requires_grad_(), "cpu", network.multiple, PENALTY)
    assert torch.isclose(ours, theirs)
    for one, other in zip(torch.autograd.grad(ours, weights), torch.autograd.grad(theirs, weights), strict=True):
        assert torch.allclose(one, other, atol=1e-5)
