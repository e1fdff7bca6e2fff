"""Densities that sum to one, and draws that follow them."""

import numpy as np
import pytest
import torch
from scipy.stats import kstest, truncnorm

from legocryst.generators.mixtures import Mixture, choose, cut_normal, log_normal

GRID = 20_000


@pytest.mark.parametrize("periodic", [True, False])
def test_density_sums_to_one_and_draws_follow_it(periodic: bool) -> None:
    torch.manual_seed(0)
    mixture = Mixture(3, 16, 5, periodic=periodic, narrowest=0.01)
    for layer in mixture.network:
        if isinstance(layer, torch.nn.Linear):
            torch.nn.init.normal_(layer.weight, std=0.5)
    features = torch.randn(1, 3)
    low, high = (0.0, 1.0) if periodic else (-8.0, 8.0)
    value = torch.linspace(low, high, GRID)
    with torch.no_grad():
        density = mixture.log_prob(features.expand(GRID, 3), value).exp().numpy()
        bounds = [torch.full((GRID,), edge) for edge in (low, high)]
        noise = torch.Generator().manual_seed(1)
        drawn = mixture.draw(features.expand(GRID, 3), noise, temperature=1.0, between=bounds).numpy()
    total = np.cumsum(density) * (high - low) / GRID
    assert total[-1] == pytest.approx(1, abs=0.01)
    assert (drawn >= low).all() and (drawn <= high).all()
    assert kstest(drawn, lambda x: np.interp(x, value.numpy(), total / total[-1])).pvalue > 1e-3


def test_circle_has_no_seam() -> None:
    std = torch.tensor(0.05)
    across = log_normal(torch.tensor(0.98 - 0.02), std, periodic=True)
    assert across == pytest.approx(float(log_normal(torch.tensor(0.04), std, periodic=True)), abs=1e-4)


def test_cut_normal_is_scipys() -> None:
    ones = torch.ones(20_000)
    drawn = cut_normal(0.3 * ones, 2.0 * ones, -1.0 * ones, 2.5 * ones, torch.Generator().manual_seed(0))
    expected = truncnorm((-1 - 0.3) / 2, (2.5 - 0.3) / 2, loc=0.3, scale=2)
    assert kstest(drawn.numpy(), expected.cdf).pvalue > 1e-3


def test_choices_follow_the_softmax_and_never_take_what_is_shut() -> None:
    logits = torch.tensor([0.0, float(np.log(3)), -1e9]).expand(20_000, 3)
    share = np.bincount(choose(logits, torch.Generator().manual_seed(0)).numpy(), minlength=3) / 20_000
    assert share[1] == pytest.approx(0.75, abs=0.015) and share[2] == 0


def test_low_temperature_narrows() -> None:
    mixture, noise = Mixture(1, 8, 3, periodic=True, narrowest=0.01), torch.Generator().manual_seed(0)
    last = mixture.network[-1]
    assert isinstance(last, torch.nn.Linear)
    with torch.no_grad():
        last.weight.zero_()
        last.bias[3:6] = 0.5  # all components alike
        spread = [mixture.draw(torch.zeros(5000, 1), noise, temperature=t).std() for t in (1.0, 0.25)]
    assert spread[1] / spread[0] == pytest.approx(0.5, abs=0.05)
