"""Neighbour lists of batches: complete for cells shorter than the cutoff and for skewed ones.

The centres are the sites' first points, the neighbours all atoms and their periodic images. Components come first in
every tensor: (3, e), not (e, 3).
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from legocryst.crystal.representation import Atoms, Crystals

_PAIR_CHUNK = 1_000_000


@dataclass(frozen=True, slots=True)
class Edges:
    """Directed neighbour pairs, sorted by site: centre `site`, neighbour `atom` moved by `image` cells."""

    site: Tensor  # (e,) int64
    atom: Tensor  # (e,) int64
    image: Tensor  # (3, e) float64 whole numbers, to be added to the unwrapped fractional coordinates of the atom
    vector: Tensor  # (3, e) angstrom, from centre to neighbour
    distance: Tensor  # (e,) angstrom


def ranges(count: Tensor) -> Tensor:
    """0..count[0]-1, 0..count[1]-1, ... as one tensor."""
    start = torch.repeat_interleave(torch.cumsum(count, 0) - count, count)
    return torch.arange(len(start), device=count.device) - start


def gathered(columns: Tensor, index: Tensor) -> Tensor:
    """Columns (k, e) of a tensor (k, n) by an index (e,)."""
    return columns.gather(1, index.expand(len(columns), len(index)))


def added(rows: Tensor) -> Tensor:
    """Sum over the first dimension, one row after the other; torch's own sum adds in another order in another batch."""
    out = rows[0].clone()
    for row in rows[1:]:
        out += row
    return out


def row_times(vector: Tensor, matrix: Tensor) -> Tensor:
    """Row vectors (3, e) times matrices (3, 3, e)."""
    out = vector[0] * matrix[0]
    out.addcmul_(vector[1], matrix[1])
    return out.addcmul_(vector[2], matrix[2])


def length(vector: Tensor) -> Tensor:
    """Lengths (e,) of vectors (3, e)."""
    squared = vector[0] * vector[0]
    squared.addcmul_(vector[1], vector[1])
    return squared.addcmul_(vector[2], vector[2]).sqrt_()


def find_edges(
    lattice: Tensor, fractional: Tensor, atom_first: Tensor, centre: Tensor, crystal: Tensor, *, cutoff: float
) -> Edges:
    """All neighbours within `cutoff` (angstrom) of each centre.

    `lattice` (3, 3, n) rows a, b, c; `fractional` (3, a), not wrapped; atoms of crystal k are
    `atom_first[k]:atom_first[k + 1]`; `centre` (s,) the atoms at the centres and `crystal` (s,) their crystals,
    sorted. An atom is no neighbour of itself, but overlapping atoms are neighbours at distance 0.
    """
    reach = cutoff * _inverse_spacings(lattice)
    atoms_per_site = (atom_first[1:] - atom_first[:-1])[crystal]
    parts = []
    begin, total = 0, torch.cumsum(atoms_per_site, 0)
    while begin < len(centre):
        done = total[begin - 1] if begin else 0
        end = max(begin + 1, int(torch.searchsorted(total, done + _PAIR_CHUNK)))
        parts.append(_edges_of(lattice, fractional, atom_first, centre, crystal, reach, cutoff, begin, end))
        begin = end
    if not parts:
        empty = torch.zeros(0, dtype=torch.int64, device=lattice.device)
        flat = lattice.new_zeros((3, 0))
        return Edges(empty, empty, flat, flat, lattice.new_zeros(0))
    return Edges(*(torch.cat(column, dim=-1) for column in zip(*parts, strict=True)))


def _inverse_spacings(lattice: Tensor) -> Tensor:
    """(3, n): a vector of length d has a fractional component k of at most d times the k-th of these."""
    normal = [torch.linalg.cross(lattice[k - 2], lattice[k - 1], dim=0) for k in range(3)]
    volume = (lattice[0] * normal[0]).sum(0).abs()
    return torch.stack([length(each) for each in normal]) / volume


def _edges_of(
    lattice: Tensor,
    fractional: Tensor,
    atom_first: Tensor,
    centre: Tensor,
    crystal: Tensor,
    reach: Tensor,
    cutoff: float,
    begin: int,
    end: int,
) -> tuple[Tensor, ...]:
    """The columns of `Edges` for centres begin..end."""
    of = crystal[begin:end]
    per_site = atom_first[of + 1] - atom_first[of]
    local = torch.repeat_interleave(torch.arange(end - begin, device=of.device), per_site)
    atom = ranges(per_site) + atom_first[of].index_select(0, local)
    offset = gathered(fractional, atom) - gathered(fractional[:, centre[begin:end]], local)
    bound = gathered(reach[:, of], local)
    low = torch.ceil(-bound - offset)
    count = (torch.floor(bound - offset) - low).add_(1.0).clamp_(min=0.0)
    plane = count[1] * count[2]
    images = (count[0] * plane).to(torch.int64)
    pair = torch.repeat_interleave(torch.arange(len(images), device=of.device), images)
    rank = ranges(images).to(lattice.dtype)
    of_plane, of_row = plane.index_select(0, pair), count[2].index_select(0, pair)
    first = torch.floor(rank / of_plane)
    rank -= first * of_plane
    second = torch.floor(rank / of_row)
    rank -= second * of_row
    image = gathered(low, pair) + torch.stack([first, second, rank])
    site = local.index_select(0, pair)
    matrix = gathered(lattice[:, :, of].reshape(9, -1), site).view(3, 3, -1)
    vector = row_times(gathered(offset, pair) + image, matrix)
    distance = length(vector)
    near = torch.nonzero(distance <= cutoff).squeeze(1)
    pair, site, image = pair[near], site[near], image.index_select(1, near)
    atom = atom[pair]
    other = torch.nonzero((atom != centre[begin:end][site]) | (image != 0).any(0)).squeeze(1)
    near = near[other]
    return (
        site[other] + begin,
        atom[other],
        image.index_select(1, other),
        vector.index_select(1, near),
        distance[near],
    )


def neighbor_list(crystals: Crystals, cutoff: float, *, atoms: Atoms | None = None, every_atom: bool = False) -> Edges:
    """Neighbours within `cutoff` angstrom of the first point of every site of a batch, or of every atom."""
    atoms = crystals.atoms() if atoms is None else atoms
    if every_atom:
        centre, crystal = np.arange(len(atoms.site)), crystals.crystal_of_site[atoms.site]
    else:
        multiplicity = crystals.multiplicity
        centre, crystal = np.cumsum(multiplicity) - multiplicity, crystals.crystal_of_site
    return find_edges(
        torch.from_numpy(crystals.lattice.transpose(1, 2, 0).copy()),
        torch.from_numpy(atoms.fractional.T.copy()),
        torch.from_numpy(atoms.first),
        torch.from_numpy(centre),
        torch.from_numpy(crystal),
        cutoff=cutoff,
    )
