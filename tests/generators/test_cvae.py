"""The conditional autoencoder: symmetry is given, and a row can be refined from where it ended."""

import numpy as np
import pandas as pd
import pytest
import torch

from legocryst.crystal.io.table import decode
from legocryst.generators.base import generator
from legocryst.generators.conditions import Conditions
from legocryst.generators.cvae import ConditionalVAE, CVAENetwork
from legocryst.generators.packing import Batch
from legocryst.generators.variables import read
from legocryst.settings import TrainSettings

SETTINGS = TrainSettings(model="cvae", epochs=2, batch_size=100, latent=4, hidden=32)


@pytest.fixture(scope="module")
def fitted(varied: pd.DataFrame) -> ConditionalVAE:
    model = generator("cvae").fit(varied.assign(energy=np.linspace(0, 2, len(varied))), SETTINGS, seed=0)
    assert isinstance(model, ConditionalVAE)
    return model


def test_samples_decode_without_shift_and_have_combinations_of_the_table(
    fitted: ConditionalVAE, varied: pd.DataFrame
) -> None:
    rows = fitted.sample(1000, seed=0)
    decoded = decode(rows, mode="strict", element=6)
    assert (decoded.reason == "").all() and decoded.shift.max() < 1e-9
    seen, candidates = ({tuple(row) for row in np.c_[x.group, x.position]} for x in (read(varied)[0], read(rows)[0]))
    assert candidates <= seen and len(candidates) > 100


def test_conditions_choose_among_combinations(fitted: ConditionalVAE, varied: pd.DataFrame) -> None:
    candidates, _, _ = read(fitted.sample(200, seed=0, conditions=Conditions(sites=(2, 3), atoms=(10, 60))))
    assert (
        (candidates.count >= 2) & (candidates.count <= 3) & (candidates.atoms >= 10) & (candidates.atoms <= 60)
    ).all()
    low, _, _ = read(fitted.sample(200, seed=0, conditions=Conditions(lowest=0.25)))
    quarter, _, _ = read(varied.head(100))
    assert set(map(tuple, np.c_[low.group, low.position])) <= set(map(tuple, np.c_[quarter.group, quarter.position]))
    with pytest.raises(ValueError, match="no combination"):
        fitted.sample(1, seed=0, conditions=Conditions(sites=(1, 1), atoms=(7, 7)))


def test_refined_rows_keep_their_symmetry_and_come_near(families: pd.DataFrame) -> None:
    settings = SETTINGS.model_copy(update={"epochs": 60, "kl_weight": 0.1})
    model = generator("cvae").fit(families, settings, seed=0)
    assert isinstance(model, ConditionalVAE)
    rows = families.sample(60, random_state=0)
    near = model.refine(rows, seed=0, temperature=0.1, step=0.0)
    one, other = read(rows)[0], read(near)[0]
    assert (one.group == other.group).all() and (one.position == other.position).all()
    assert np.abs(near["a"].to_numpy() / rows["a"].to_numpy() - 1).mean() < 0.05
    pd.testing.assert_frame_equal(near, model.refine(rows, seed=0, temperature=0.1, step=0.0))
    with pytest.raises(ValueError, match="row 0 is no crystal"):
        model.refine(rows.assign(a=0.01), seed=0, step=0.5)


def test_losses_are_normal_densities_and_the_divergence_of_normals(fitted: ConditionalVAE) -> None:
    """Against torch's own distributions, on rows whose widths are so small that the circle does not matter."""
    network, packing = fitted.network, fitted.packing
    assert isinstance(network, CVAENetwork)
    rows, _, _ = read(fitted.sample(30, seed=1))
    packed = packing.pack(rows, np.full(30, np.nan))
    torch.manual_seed(1)
    parts = network.losses(packed)
    torch.manual_seed(1)
    batch = Batch.of(packed)
    described = network.symmetry_vectors(batch.group, batch.position, batch.element)
    mean, log_variance = network.encode(batch, described)
    z = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
    _, _, middle, spread = network.decode(z, described)
    free = network.symmetry.cell_free[batch.group]
    cells = -torch.distributions.Normal(middle, spread).log_prob(batch.cell)[free].sum() / 30
    prior = torch.distributions.Normal(torch.zeros_like(mean), torch.ones_like(mean))
    posterior = torch.distributions.Normal(mean, torch.exp(0.5 * log_variance))
    divergence = torch.distributions.kl_divergence(posterior, prior).sum() / 30
    assert torch.allclose(parts["cells"], cells, rtol=1e-4)
    assert torch.allclose(parts["divergence"], divergence, rtol=1e-4)
