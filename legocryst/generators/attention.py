"""The Transformer's network: probabilities of space groups, Wyckoff positions, coordinates and cells.

Attention as in Vaswani et al., arXiv 1706.03762, with normalised sums as in Xiong et al., arXiv 2002.04745.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from legocryst.generators.embedding import END, WAVES, Symmetry, waves
from legocryst.generators.loop import Network
from legocryst.generators.mixtures import Mixture
from legocryst.generators.muon import Muon
from legocryst.generators.packing import Batch, Packing
from legocryst.settings import TrainSettings

HEADS = 4
SHUT = -1e9
"""Logit of what is impossible."""
COMPONENTS = 10
NARROWEST = (0.004, 0.02)
"""Least width of a component: of a coordinate, in cells, and of a cell variable, in standard deviations."""
UNCONDITIONED = 0.2
"""Share of rows that are learnt without any condition."""
CONDITIONED = (0.75, 0.5, 0.5)
"""Of the others, the share that is conditioned on its energy, sites and atoms."""
WARM = 0.02
"""Share of the training in which the learning rate rises."""
LARGEST_GRADIENT = 1.0
BUMPS = 16
"""Numbers that encode how many atoms there shall be, and as many that encode the share of lowest energies."""
LEAST_SHARE = 1 / 256
"""Shares of lowest energies below this are hardly distinguished."""


class Block(nn.Module):
    """Attention to what came before, and a layer for each token, both on normalised sums."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.before, self.after = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mix, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.layers = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor, place: Tensor, rows: int, slots: int) -> Tensor:
        """Compute tokens (t, width) at `place` (t,) of a (rows, slots) grid; empty places come last in each row."""
        mixed = self.mix(self.before(x))
        grid = mixed.new_zeros(rows * slots, mixed.shape[1]).index_copy(0, place, mixed)
        q, k, value = grid.view(rows, slots, 3, HEADS, -1).permute(2, 0, 3, 1, 4)
        ahead = torch.ones(slots, slots, dtype=torch.bool).triu(1)
        scores = (q @ k.transpose(2, 3) / math.sqrt(q.shape[3])).masked_fill(ahead, SHUT)
        seen = torch.softmax(scores, dim=3) @ value  # torch's own attention takes twice as long for so few tokens
        return self._add(x, seen.transpose(1, 2).reshape(rows * slots, -1).index_select(0, place))

    def step(self, x: Tensor, memory: tuple[Tensor, Tensor] | None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Return the next token (rows, width) of each row, with the keys and values of those before."""
        q, k, value = self.mix(self.before(x)).view(len(x), 1, 3, HEADS, -1).permute(2, 0, 3, 1, 4)
        if memory is not None:
            k, value = torch.cat([memory[0], k], dim=2), torch.cat([memory[1], value], dim=2)
        seen = functional.scaled_dot_product_attention(q, k, value)
        return self._add(x, seen.transpose(1, 2).flatten(1)), (k, value)

    def _add(self, x: Tensor, seen: Tensor) -> Tensor:
        x = x + self.out(seen)
        return x + self.layers(self.after(x))


class Site(NamedTuple):
    """What Wyckoff indices of groups (t,) stand for."""

    position: Tensor  # (t,) index in the group
    identity: Tensor  # (t,) index into `wyckoff()`
    free: Tensor  # (t, 3) bool

    @staticmethod
    def of(symmetry: Symmetry, group: Tensor, position: Tensor) -> "Site":
        """Look them up."""
        return Site(position, symmetry.identity[group, position], symmetry.free[group, position])


class TransformerNetwork(Network):
    """Probabilities of groups, positions, coordinates and cells, each given all that comes before it."""

    share: Tensor  # (231,) logarithm of each group's share of the table

    def __init__(self, packing: Packing, settings: TrainSettings) -> None:
        super().__init__()
        width, elements = settings.width, len(packing.elements)
        self.sites, self.scale = packing.sites, 1 / math.sqrt(width)
        self.symmetry = Symmetry(width)
        self.told = nn.Sequential(nn.Linear(packing.sites + 2 * BUMPS + 3, width), nn.GELU(), nn.Linear(width, width))
        self.which_group = nn.Sequential(nn.GELU(), nn.Linear(width, len(self.symmetry.exists)))
        self.element = nn.Embedding(elements, width)
        self.slot = nn.Embedding(packing.sites + 1, width)
        self.place = nn.Linear(6 * WAVES + 1, width)
        self.blocks = nn.ModuleList(Block(width) for _ in range(settings.layers))
        self.norm = nn.LayerNorm(width)
        self.query, self.end = nn.Linear(width, width), nn.Parameter(torch.zeros(width))
        self.bias = nn.Parameter(torch.zeros(len(self.symmetry.features) + 1))
        self.which_element = nn.Linear(2 * width, elements)
        sizes = (width, COMPONENTS)
        self.axes = nn.ModuleList(
            Mixture(2 * width + 2 * WAVES * k, *sizes, periodic=True, narrowest=NARROWEST[0]) for k in range(3)
        )
        self.edges = nn.ModuleList(Mixture(width + k, *sizes, periodic=False, narrowest=NARROWEST[1]) for k in range(6))
        self.register_buffer("share", torch.from_numpy(packing.log_shares()), persistent=False)

    def optimizers(self, settings: TrainSettings) -> list[torch.optim.Optimizer]:
        """Return Muon for the matrices of the blocks, AdamW for all else."""
        rate, decay = settings.rate, 0.01
        matrices = [value for value in self.blocks.parameters() if value.ndim == 2]
        inside = {id(value) for value in matrices}
        others = [value for value in self.parameters() if id(value) not in inside]
        return [
            torch.optim.AdamW(others, lr=rate, betas=(0.9, 0.99), weight_decay=decay, fused=True),
            Muon(matrices, lr=rate, weight_decay=decay),
        ]

    def rate(self, share: float) -> float:
        """Return half a cosine after a short rise."""
        return min(1.0, share / WARM) * (0.05 + 0.475 * (1 + math.cos(math.pi * share)))

    def step(self, rows: Tensor, optimizers: list[torch.optim.Optimizer]) -> dict[str, Tensor]:
        """Take one step on the negative log-likelihood, with some conditions given."""
        batch = Batch.of(rows)
        chance = torch.rand(len(rows), 4)
        hidden = (chance[:, :3] > torch.tensor(CONDITIONED)) | (chance[:, 3:] < UNCONDITIONED)
        parts = self.losses(batch, self.facts(batch).masked_fill(hidden, torch.nan))
        loss = torch.stack(list(parts.values())).sum()
        self.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters(), LARGEST_GRADIENT)
        for optimizer in optimizers:
            optimizer.step()
        return {"loss": loss, **parts}

    def held_out_loss(self, rows: Tensor) -> Tensor:
        """Return the same loss without conditions."""
        batch = Batch.of(rows)
        return torch.stack(list(self.losses(batch, torch.full((len(rows), 3), torch.nan)).values())).sum()

    def facts(self, batch: Batch) -> Tensor:
        """Return facts of rows: a share of lowest energies they are among, their sites and atoms (b, 3).

        A share says what is asked for later; the energy itself would say which crystal it is. Its logarithm is even
        between the row's own and 0, so that small shares are learnt as well; those above a half then say little.
        """
        share = batch.share ** torch.rand(len(batch.share))
        return torch.stack([share, (batch.position >= 0).sum(1), self.sizes(batch).sum(1)], dim=1)

    def sizes(self, batch: Batch) -> Tensor:
        """Return multiplicity (b, s) of each site, 0 where unused."""
        used = batch.position >= 0
        multiplicity = self.symmetry.multiplicity[batch.group[:, None], batch.position.clamp(min=0)]
        return torch.where(used, multiplicity, 0).float()

    def hint(self, facts: Tensor) -> Tensor:
        """Return vectors (b, width) of share of lowest energies, sites and atoms (b, 3), NaN where left open."""
        known = ~facts.isnan()
        share, sites, atoms = torch.where(known, facts, 1).unbind(1)
        centre = torch.arange(BUMPS) * (math.log(1600) / (BUMPS - 1))
        bumps = torch.exp(-((torch.log(atoms.clamp(min=1))[:, None] - centre) ** 2) / 0.2) * known[:, 2:]
        one = functional.one_hot(sites.long().clamp(0, self.sites), self.sites + 1) * known[:, 1:2]
        spacing = -math.log(LEAST_SHARE) / (BUMPS - 1)
        low = torch.sigmoid(3 * (torch.log(share)[:, None] / spacing + torch.arange(BUMPS))) * known[:, :1]
        return self.told(torch.cat([known[:, :2], low, one, bumps], dim=1))

    def losses(self, batch: Batch, facts: Tensor) -> dict[str, Tensor]:
        """Return negative log-likelihood in nats a row, of groups, positions (with elements), coordinates and cells."""
        rows = len(batch.group)
        row, slot = torch.nonzero(batch.position >= 0, as_tuple=True)
        slots = int(slot.max()) + 2
        site = Site.of(self.symmetry, batch.group[row], batch.position[row, slot])
        element, point, atoms = batch.element[row, slot], batch.point[row, slot], self.sizes(batch).cumsum(1)[row, slot]
        vectors, hint = self.symmetry.positions(), self.hint(facts)
        tokens = self.token(vectors, site, element, point, atoms, slot + 1) + hint[row]
        x = torch.cat([self.first(batch.group, hint), tokens])
        place = torch.cat([torch.arange(rows) * slots, row * slots + slot + 1])
        for block in self.blocks:
            x = block(x, place, rows, slots)
        grid = x.new_zeros(rows * slots, x.shape[1]).index_copy(0, place, self.norm(x)).view(rows, slots, -1)

        logits = self.next_logits(grid, batch.group, vectors).flatten(0, 1)[place]
        last = torch.cat([torch.full((rows,), END), site.position])
        full = torch.cat([torch.zeros(rows, dtype=torch.bool), slot + 1 == self.sites])
        shut = ~torch.cat([self.open(batch.group[place // slots], last) & ~full[:, None], (last < END)[:, None]], dim=1)
        following = functional.pad(torch.where(batch.position < 0, END, batch.position), (0, 1), value=END)
        positions = functional.cross_entropy(
            logits.masked_fill(shut, SHUT), following[place // slots, place % slots], reduction="sum"
        )
        seen = grid[row, slot]
        positions = positions + functional.cross_entropy(
            self.element_logits(seen, vectors[site.identity]), element, reduction="sum"
        )
        parts = {
            "groups": functional.cross_entropy(self.group_logits(hint), batch.group, reduction="sum"),
            "positions": positions,
            "coordinates": self.coordinate_loss(self.chosen(seen, vectors, site, element), site.free, point),
            "cells": self.cell_loss(grid[torch.arange(rows), (batch.position >= 0).sum(1)], batch),
        }
        return {name: value / rows for name, value in parts.items()}

    def first(self, group: Tensor, hint: Tensor) -> Tensor:
        """Return tokens (b, width) of the space groups."""
        return self.symmetry.group(group) + self.slot.weight[0] + hint

    def token(
        self, vectors: Tensor, site: "Site", element: Tensor, point: Tensor, atoms: Tensor, slot: Tensor
    ) -> Tensor:
        """Return tokens (t, width) of sites; `atoms` (t,) counts those of the row up to the site, `slot` the sites."""
        where = self.place(torch.cat([waves(point), torch.log(atoms)[:, None] / 3], dim=1))
        return vectors[site.identity] + self.element(element) + where + self.slot(slot)

    def group_logits(self, hint: Tensor) -> Tensor:
        """Compute logits (b, 231), impossible for groups that the table has not."""
        return self.share + self.which_group(hint)

    def open(self, group: Tensor, last: Tensor) -> Tensor:
        """Return (t, 27) bool: positions of groups (t,) that may follow `last` (t,), END for the first."""
        index, symmetry = torch.arange(END), self.symmetry
        again = symmetry.fixed[group] & (index == last[:, None])
        return symmetry.exists[group] & (index <= last[:, None]) & ~again

    def next_logits(self, h: Tensor, group: Tensor, vectors: Tensor) -> Tensor:
        """Compute logits (b, k, 28) of positions, and the end, after tokens (b, k, width) of rows of groups (b,)."""
        identity = self.symmetry.identity[group]
        candidates = torch.cat([vectors[identity], self.end.expand(len(group), 1, -1)], dim=1)
        bias = torch.cat([self.bias[identity], self.bias[-1:].expand(len(group), 1)], dim=1)
        return torch.bmm(self.query(h), candidates.transpose(1, 2)) * self.scale + bias[:, None]

    def element_logits(self, h: Tensor, position: Tensor) -> Tensor:
        """Compute logits (t, elements) after tokens (t, width), given vectors of positions (t, width)."""
        logits: Tensor = self.which_element(torch.cat([h, position], dim=1))
        return logits

    def chosen(self, h: Tensor, vectors: Tensor, site: "Site", element: Tensor) -> Tensor:
        """Return what the coordinates of sites depend on (t, 2 width)."""
        return torch.cat([h, vectors[site.identity] + self.element(element)], dim=1)

    def coordinate_loss(self, features: Tensor, free: Tensor, point: Tensor) -> Tensor:
        """Return sum over the free coordinates of points (t, 3)."""
        total, point = torch.zeros(()), torch.where(free, point, 0)
        for k, axis in enumerate(cast(Iterable[Mixture], self.axes)):
            row = free[:, k].nonzero()[:, 0]
            inputs = torch.cat([features[row], waves(point[row, :k])], dim=1)
            total = total - axis.log_prob(inputs, point[row, k]).sum()
        return total

    def cell_loss(self, h: Tensor, batch: Batch) -> Tensor:
        """Return sum over the free cell variables, given the last tokens (b, width)."""
        total, free = torch.zeros(()), self.symmetry.cell_free[batch.group]
        for k, edge in enumerate(cast(Iterable[Mixture], self.edges)):
            row = free[:, k].nonzero()[:, 0]
            inputs = torch.cat([h[row], batch.cell[row, :k]], dim=1)
            total = total - edge.log_prob(inputs, batch.cell[row, k]).sum()
        return total
