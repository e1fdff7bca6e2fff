"""Transformer of crystals: the space group, then one token a site, then the cell.

Each site is a Wyckoff position, chosen among those that the group still has, and its free coordinates one after
another; then come the free parameters of the cell. Every draw is conditioned on all before it.
"""

from collections.abc import Iterable
from typing import cast

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from legocryst.generators.attention import SHUT, Block, Site, TransformerNetwork
from legocryst.generators.columns import UNUSED
from legocryst.generators.conditions import Conditions, Reach
from legocryst.generators.embedding import END, waves
from legocryst.generators.loop import Network
from legocryst.generators.mixtures import Mixture, choose
from legocryst.generators.network import PackedGenerator
from legocryst.generators.packing import Drawn, Packing
from legocryst.vocabulary.registry import GeneratorSpec

SPEC = GeneratorSpec(
    name="transformer",
    loads="Transformer",
    title="a Transformer",
    help="learnt from the table",
    order=10,
    cites=("transformer",),
    conditional=True,
    informed=True,
    guided=True,
    epochs=3,
    batch_size=125,  # four small steps teach it more than one
    learning_rate=2e-3,
    settles=True,  # it makes more new crystals until its learning rate has fallen
    cost=7.8,
    optimisers=("Muon", "Adam"),
)

CHUNK = 2000
"""Rows drawn together."""
CANDIDATES = 12
"""Numbers that are drawn for one that is guided."""


class Drawing:
    """Rows while they are drawn: a space group, then site after site, then the cell.

    Where a share of lowest energies is given, the network answers twice, with it and without, and the logarithms of all
    chances go `guidance` times as far from the second answer as the first (Ho & Salimans, arXiv 2207.12598); for
    coordinates and cells some candidates of the first answer stand for all numbers. Tokens then stand in two halves,
    the rows with all conditions and the same rows without this one.
    """

    def __init__(
        self, network: TransformerNetwork, reach: Reach, noise: torch.Generator, *, temperature: float, guidance: float
    ) -> None:
        self.network, self.reach, self.noise = network, reach, noise
        self.temperature, self.guidance = temperature, guidance
        self.vectors = network.symmetry.positions()

    def draw(self, facts: Tensor, groups: Tensor, packing: Packing) -> Drawn:
        """Draw rows given share, sites and atoms (b, 3; see `facts`), in the allowed groups (231,) bool."""
        rows, sites, network = len(facts), self.network.sites, self.network
        guided = self.guidance != 1 and not facts[:, 0].isnan().all()
        self.answers = 2 if guided else 1
        hints = network.hint(torch.cat([facts, facts.index_fill(1, torch.tensor(0), torch.nan)]) if guided else facts)
        self.hint = hints.unflatten(0, (self.answers, rows))
        self.group = self._guided(network.group_logits(hints), groups)
        self.position, self.element = torch.full((2, rows, sites), UNUSED)
        self.point, self.atoms = torch.zeros(rows, sites, 3), torch.zeros(rows, dtype=torch.int64)
        last, end = torch.full((rows,), END), torch.zeros(self.answers, rows, network.norm.normalized_shape[0])
        x, going = network.first(self.group.repeat(self.answers), hints), torch.arange(rows)
        memory: list[tuple[Tensor, Tensor] | None] = [None] * len(network.blocks)
        for slot in range(sites + 1):
            for k, block in enumerate(cast(Iterable[Block], network.blocks)):
                x, memory[k] = block.step(x, memory[k])
            h = network.norm(x)
            index = self._next(h, going, last, slot)
            more, h = index < END, h.unflatten(0, (self.answers, -1))
            end[:, going[~more]] = h[:, ~more]
            going, last = going[more], index[more]
            if not len(going):
                break
            stay = more.repeat(self.answers)
            memory = [(pair[0][stay], pair[1][stay]) for pair in memory if pair is not None]
            x = self._site(h[:, more], going, last, slot)
        return Drawn(self.group, self.position, self.element, self.point, self._cell(end, packing))

    def _guided(self, logits: Tensor, possible: Tensor) -> Tensor:
        """Return one of the possible ones, (b, k) or (k,) bool, for each row, from logits (answers b, k)."""
        answers = torch.log_softmax(logits.unflatten(0, (self.answers, -1)).masked_fill(~possible, SHUT), dim=2)
        beyond = (self.guidance - 1) * (answers[0] - answers[-1])
        return choose((answers[0] + beyond).masked_fill(~possible, SHUT) / self.temperature, self.noise)

    def _next(self, h: Tensor, going: Tensor, last: Tensor, slot: int) -> Tensor:
        """Return Wyckoff index, or END, of the next site of each row that goes on."""
        group, atoms = self.group[going].numpy(), self.atoms[going].numpy()
        count = np.full(len(going), slot)
        open_ = [self.reach.allowed(group, last.numpy(), count, atoms), self.reach.ended(count, atoms)[:, None]]
        logits = self.network.next_logits(h[:, None], self.group[going].repeat(self.answers), self.vectors)[:, 0]
        return self._guided(logits, torch.from_numpy(np.hstack(open_)))

    def _site(self, h: Tensor, going: Tensor, index: Tensor, slot: int) -> Tensor:
        """Draw element and coordinates of a site of each row from h (answers, t, width); a token for each answer."""
        network = self.network
        site = Site.of(network.symmetry, self.group[going], index)
        elements = network.element_logits(h.flatten(0, 1), self.vectors[site.identity].repeat(self.answers, 1))
        element = self._guided(elements, torch.ones(elements.shape[1], dtype=torch.bool))
        features = torch.stack([network.chosen(answer, self.vectors, site, element) for answer in h])
        free = torch.zeros(len(going), 3)
        for k, axis in enumerate(cast(Iterable[Mixture], network.axes)):
            row = site.free[:, k].nonzero()[:, 0]
            free[row, k] = self._number(axis, features[:, row], waves(free[row, :k]))
        point = network.symmetry.on_position(site.identity, free) % 1.0
        self.position[going, slot], self.element[going, slot], self.point[going, slot] = index, element, point
        self.atoms[going] += network.symmetry.multiplicity[self.group[going], index]
        atoms = self.atoms[going].float()
        token = network.token(self.vectors, site, element, point, atoms, torch.full_like(index, slot + 1))
        return (token + self.hint[:, going]).flatten(0, 1)

    def _cell(self, end: Tensor, packing: Packing) -> Tensor:
        """Draw the cell variables (b, 6) from the last tokens (answers, b, width)."""
        free, cell = self.network.symmetry.cell_free[self.group], torch.zeros(end.shape[1], 6)
        for k, edge in enumerate(cast(Iterable[Mixture], self.network.edges)):
            row = free[:, k].nonzero()[:, 0]
            cell[row, k] = self._number(edge, end[:, row], cell[row, :k], between=(packing.low[k], packing.high[k]))
        return cell

    def _number(self, mixture: Mixture, h: Tensor, before: Tensor, *, between: tuple[float, float] = (0, 1)) -> Tensor:
        """Draw a number (t,) from features (answers, t, width) and the numbers before it (t, k), guided."""
        count = CANDIDATES if self.answers > 1 else 1
        inputs = [torch.cat([answer, before], dim=1) for answer in h]
        several = inputs[0].repeat_interleave(count, dim=0)
        bounds = [torch.full((len(several),), value) for value in between]
        drawn = mixture.draw(several, self.noise, temperature=self.temperature, between=bounds).view(-1, count)
        if count == 1:
            return drawn[:, 0]
        conditioned, unconditioned = (mixture.log_prob(features, drawn.T).T for features in inputs)
        return drawn.gather(1, choose((self.guidance - 1) * (conditioned - unconditioned), self.noise)[:, None])[:, 0]


class Transformer(PackedGenerator):
    """The Transformer as a generator."""

    spec = SPEC

    def build(self) -> Network:
        """Return the untrained network."""
        return TransformerNetwork(self.packing, self.settings)

    def _sample(self, n: int, *, seed: int, temperature: float, conditions: Conditions) -> pd.DataFrame:
        network, packing = self.network, self.packing
        assert isinstance(network, TransformerNetwork)
        reach = Reach(conditions, sites=packing.sites)
        groups = packing.groups(conditions, reach)
        noise = torch.Generator().manual_seed(seed)
        drawing = Drawing(network, reach, noise, temperature=temperature, guidance=conditions.guidance)
        facts = torch.from_numpy(packing.requested(n, conditions, np.random.default_rng(seed)).astype(np.float32))
        with torch.no_grad():
            parts = [packing.table(drawing.draw(part, groups, packing)) for part in facts.split(CHUNK)]
        return pd.concat(parts, ignore_index=True)
