"""The Transformer: what it draws are crystals as they stand, it is as likely as it says, conditions are met."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from legocryst.crystal.io.table import decode
from legocryst.generators.attention import TransformerNetwork
from legocryst.generators.base import Generator, generator, load
from legocryst.generators.conditions import OPEN, Conditions, Reach
from legocryst.generators.mixtures import Mixture
from legocryst.generators.model_files import read_file, save_file
from legocryst.generators.packing import Batch, Packing
from legocryst.generators.transformer import Drawing, Transformer
from legocryst.generators.variables import atom_count, read
from legocryst.settings import TrainSettings

SETTINGS = TrainSettings(model="transformer", epochs=2, batch_size=100, width=16, layers=2)


@pytest.fixture(scope="module")
def fitted(varied: pd.DataFrame) -> Transformer:
    energy = np.linspace(0, 2, len(varied))
    model = generator("transformer").fit(varied.assign(energy=energy), SETTINGS, seed=0)
    assert isinstance(model, Transformer)
    return model


@pytest.mark.parametrize("temperature", [0.3, 1.0, 3.0])
def test_every_sample_decodes_without_shift(fitted: Transformer, temperature: float) -> None:
    rows = fitted.sample(1000, seed=0, temperature=temperature)
    decoded = decode(rows, mode="strict", element=6)
    assert (decoded.reason == "").all() and decoded.shift.max() < 1e-9


def test_conditions_are_met_by_every_row(fitted: Transformer, varied: pd.DataFrame) -> None:
    groups = frozenset([*varied["spg"].mode().tolist(), 225, 62, 14])
    conditions = Conditions(groups=groups, sites=(2, 3), atoms=(8, 24), lowest=0.25)
    candidates, _, _ = read(fitted.sample(500, seed=1, conditions=conditions))
    assert set(candidates.group) <= groups
    assert ((candidates.count >= 2) & (candidates.count <= 3)).all()
    assert ((candidates.atoms >= 8) & (candidates.atoms <= 24)).all()


def test_what_cannot_be_is_refused(fitted: Transformer) -> None:
    with pytest.raises(ValueError, match="learnt none of the space groups"):
        learnt = {row[0] for row in fitted.packing.seen}
        fitted.sample(1, seed=0, conditions=Conditions(groups=frozenset(set(range(1, 231)) - learnt)))
    with pytest.raises(ValueError, match="no crystal of 1 to 1 sites and 7 to 7 atoms"):
        fitted.sample(1, seed=0, conditions=Conditions(sites=(1, 1), atoms=(7, 7)))


def test_loss_is_what_the_draws_say(fitted: Transformer) -> None:
    """The groups' part of the loss of its own samples is the entropy of their distribution."""
    network, packing = fitted.network, fitted.packing
    assert isinstance(network, TransformerNetwork)
    rows, _, _ = read(fitted.sample(4000, seed=3, temperature=1.0))
    batch = Batch.of(packing.pack(rows, np.full(4000, np.nan)))
    nothing = torch.full((4000, 3), torch.nan)
    with torch.no_grad():
        parts = network.losses(batch, nothing)
        chance = torch.softmax(network.group_logits(network.hint(nothing[:1])), dim=1)[0]
    entropy = -(chance * torch.log(chance.clamp(min=1e-30))).sum()
    assert float(parts["groups"]) == pytest.approx(float(entropy), abs=0.05)
    counts = np.bincount(rows.group, minlength=231) / 4000
    assert np.abs(counts - chance.numpy()).max() < 0.02


@pytest.mark.parametrize("guidance", [1.0, 2.0])
def test_drawing_sees_what_training_sees(fitted: Transformer, guidance: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last tokens of rows that are told shares of lowest energies, or sites, are those of the same rows learnt."""
    network, packing = fitted.network, fitted.packing
    assert isinstance(network, TransformerNetwork)
    ends: list[Tensor] = []
    seen: list[Tensor] = []

    def cell_loss(h: Tensor, batch: Batch) -> Tensor:
        seen.append(h)
        return torch.zeros(())

    class Kept(Drawing):
        def _cell(self, end: Tensor, packing: Packing) -> Tensor:
            ends.append(end)
            return super()._cell(end, packing)

    facts = torch.full((60, 3), torch.nan)
    facts[:40, 0], facts[20:, 1] = torch.linspace(0.1, 1, 40), 3.0
    drawing = Kept(
        network, Reach(OPEN, sites=packing.sites), torch.Generator().manual_seed(0), temperature=1.0, guidance=guidance
    )
    with torch.no_grad():
        drawn = drawing.draw(facts, torch.from_numpy(packing.log_shares() > -100), packing)
        assert len(set((drawn.position >= 0).sum(1).tolist())) > 3
        monkeypatch.setattr(network, "cell_loss", cell_loss)
        batch = Batch(drawn.group, torch.full((len(facts),), torch.nan), *drawn[1:])
        for known in (facts, facts.index_fill(1, torch.tensor(0), torch.nan))[: len(ends[0])]:
            network.losses(batch, known)
    assert torch.allclose(ends[0], torch.stack(seen), atol=1e-4)


def low_shares(families: pd.DataFrame, epochs: int, asked: list[Conditions]) -> tuple[Generator, list[float]]:
    """A model of three crystals of three energies, and shares of the first among samples it is asked for."""
    energy = families["spg"].rank(method="dense").to_numpy()
    settings = SETTINGS.model_copy(update={"epochs": epochs, "learning_rate": 0.01})
    model = generator("transformer").fit(families.assign(energy=energy), settings, seed=0)
    drawn = [model.sample(400, seed=0, conditions=conditions)["spg"] for conditions in asked]
    return model, [float((groups == families["spg"].min()).mean()) for groups in drawn]


def test_energy_that_is_told_is_learnt(families: pd.DataFrame) -> None:
    """Asking for the lowest third of three energies gives the first crystal."""
    _, share = low_shares(families, 60, [Conditions(), Conditions(lowest=0.34)])
    assert share[0] < 0.5 and share[1] > 0.9


def test_guidance_goes_beyond_what_was_learnt(families: pd.DataFrame) -> None:
    """A model that has only begun to learn which crystal is low in energy gives more of it with more guidance."""
    conditions = [Conditions(lowest=0.34, guidance=guidance) for guidance in (1.0, 2.0, 4.0)]
    model, share = low_shares(families, 30, conditions)
    assert 0.4 < share[0] < share[1] < share[2]
    weak, strong = (model.sample(50, seed=0, conditions=Conditions(guidance=guidance)) for guidance in (1.0, 4.0))
    pd.testing.assert_frame_equal(weak, strong)


@pytest.mark.parametrize("periodic", [False, True])
def test_guided_numbers_are_those_that_are_likelier_if_told(fitted: Transformer, periodic: bool) -> None:
    """Two normal distributions of one width: with a guidance of 2 the mean is as far again from that of the untold."""
    mixture = Mixture(1, 4, 1, periodic=periodic, narrowest=0.0)
    first, _, last = mixture.network
    assert isinstance(first, nn.Linear) and isinstance(last, nn.Linear)
    with torch.no_grad():  # so that the mean is the feature and 0.4, the width 0.1
        first.weight.fill_(1.0)
        first.bias.fill_(100.0)
        last.weight.zero_()
        last.weight[1] = 0.25
        last.bias.copy_(torch.tensor([0.0, -99.6, math.log(0.1)]))
    network = fitted.network
    assert isinstance(network, TransformerNetwork)
    reach, noise = Reach(Conditions(), sites=8), torch.Generator().manual_seed(0)
    drawing = Drawing(network, reach, noise, temperature=1.0, guidance=2.0)
    conditioned, unconditioned, none = torch.full((5000, 1), 0.1), torch.zeros(5000, 1), torch.zeros(5000, 0)
    means = []
    for h in (conditioned[None], torch.stack([conditioned, unconditioned])):
        drawing.answers = len(h)
        with torch.no_grad():
            drawn = drawing._number(mixture, h, none, between=(-9.0, 9.0))
        means.append(float(drawn.mean()))
    assert means[0] == pytest.approx(0.5, abs=0.01) and means[1] == pytest.approx(0.6, abs=0.02)


def test_a_share_of_lowest_energies_is_told(fitted: Transformer, varied: pd.DataFrame) -> None:
    """The share that is told of a row is any from its own on, the small ones most; a sample is told what was asked."""
    rows, _, _ = read(varied)
    energy = np.linspace(0, 2, len(varied))
    own = fitted.packing.share_below(energy)
    assert own[0] == pytest.approx(1 / len(varied)) and own[-1] == 1 and (np.diff(own) > 0).all()
    assert np.isnan(fitted.packing.share_below(np.array([np.nan]))).all()
    batch = Batch.of(fitted.packing.pack(rows, energy))
    network = fitted.network
    assert isinstance(network, TransformerNetwork)
    values = np.stack([network.facts(batch)[:, 0].numpy() for _ in range(200)])
    assert (values >= own.astype(np.float32) - 1e-6).all() and values.max() <= 1
    assert np.allclose(np.log(values).mean(axis=0), np.log(own) / 2, atol=0.25)
    conditions = fitted.packing.requested(3, Conditions(lowest=0.25), np.random.default_rng(0))
    assert np.allclose(conditions[:, 0], 0.25, atol=1 / len(varied)) and np.isnan(conditions[:, 1:]).all()


def test_a_model_of_another_version_is_refused(fitted: Transformer, tmp_path: Path) -> None:
    fitted.save(tmp_path / "now.pt")
    content = read_file(tmp_path / "now.pt")
    content["network"]["told.0.weight"] = content["network"]["told.0.weight"][:, 1:]
    save_file(content, tmp_path / "before.pt")
    with pytest.raises(ValueError, match="another version of LEGO-Cryst; train it again"):
        load(tmp_path / "before.pt")


def test_several_elements(one_crystal: pd.DataFrame) -> None:
    """A table with element columns: which site has which element is learnt."""
    table = one_crystal.assign(**{f"el{i}": {0: 5, 1: 7}.get(i, -1) for i in range(8)})
    settings = SETTINGS.model_copy(update={"epochs": 150, "learning_rate": 0.01})
    rows = generator("transformer").fit(table, settings, seed=0).sample(20, seed=0)
    candidates, _, _ = read(rows)
    assert (candidates.species[:, :2] == read(table)[0].species[0, :2]).all()
    assert (atom_count(candidates.group, candidates.position) == 4).all()
