"""Space groups and Wyckoff positions as vectors of a network, and what it must know of them."""

import math

import numpy as np
import torch
from torch import Tensor, nn

from legocryst.crystal.symmetry.wyckoff import wyckoff
from legocryst.generators.variables import CELL_FREE, choices

END = choices().exists.shape[1]
"""Stands for "no further site" where a Wyckoff index is chosen."""
WAVES = 6
SCALE = 0.3
"""Standard deviation of vectors that are learnt for each group and position."""


def waves(coordinates: Tensor) -> Tensor:
    """Return sines and cosines (..., 12 k) of fractional coordinates (..., k), up to six to a cell."""
    angle = 2 * math.pi * coordinates[..., None] * torch.arange(1, WAVES + 1)
    return torch.cat([torch.sin(angle), torch.cos(angle)], dim=-1).flatten(-2)


def position_features() -> np.ndarray:
    """Return (1731, k) numbers that positions of groups share: site symmetry, free coordinates, multiplicity."""
    table = wyckoff()
    kinds = ["".join(sorted(text.replace(".", ""))) for text in table.site_symmetry]  # m2m and 2mm are alike
    _, kind = np.unique(kinds, return_inverse=True)
    group = np.repeat(np.arange(len(table.first) - 1), np.diff(table.first))
    general = table.multiplicity[table.first[group]]
    sizes = [np.log2(table.multiplicity) / 4, np.log2(general / table.multiplicity) / 4]
    return np.column_stack([np.eye(kind.max() + 1)[kind], table.free, *sizes])


class Symmetry(nn.Module):
    """Vectors of groups and positions: a part learnt for each, and for positions one made of what they share."""

    exists: Tensor  # (231, 27) bool, and so on as in `variables.Choices`
    fixed: Tensor
    identity: Tensor
    multiplicity: Tensor
    free: Tensor
    cell_free: Tensor  # (231, 6) bool
    features: Tensor  # (1731, k)
    rotation: Tensor  # (1731, 3, 3) of each position's first operation
    translation: Tensor  # (1731, 3)

    def __init__(self, width: int) -> None:
        super().__init__()
        table, first = choices(), wyckoff().op_first[:-1]
        tables = {
            "exists": table.exists,
            "fixed": table.fixed,
            "identity": table.identity,
            "multiplicity": table.multiplicity,
            "free": table.free,
            "cell_free": CELL_FREE[table.system],
            "features": position_features().astype(np.float32),
            "rotation": wyckoff().rotation[first].astype(np.float32),
            "translation": wyckoff().translation[first].astype(np.float32),
        }
        for name, values in tables.items():
            self.register_buffer(name, torch.from_numpy(values), persistent=False)
        self.group = nn.Embedding(len(table.exists), width)
        self.own = nn.Embedding(len(self.features), width)
        for embedding in (self.group, self.own):
            nn.init.normal_(embedding.weight, std=SCALE)
        self.shared = nn.Linear(self.features.shape[1], width)

    def positions(self) -> Tensor:
        """Return (1731, width) vectors of all positions."""
        return self.own.weight + self.shared(self.features)

    def on_position(self, identity: Tensor, free: Tensor) -> Tensor:
        """Return points (n, 3) on the first operations of positions (n,)."""
        return torch.einsum("nij,nj->ni", self.rotation[identity], free) + self.translation[identity]
