"""Neighbour lists of batches: complete for cells shorter than the cutoff and for skewed ones.

The centres are the sites' first points, the neighbours all atoms and their periodic images.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from legocryst.crystal.representation import Atoms, Crystals

_PAIR_CHUNK = 4_000_000


@dataclass(frozen=True, slots=True)
class Edges:
    """Directed neighbour pairs, sorted by site: centre `site`, neighbour `atom` moved by `image` cells."""

    site: Tensor  # (e,) int64
    atom: Tensor  # (e,) int64
    image: Tensor  # (e, 3) float64 whole numbers, to be added to the unwrapped fractional coordinates of the atom
    vector: Tensor  # (e, 3) angstrom, from centre to neighbour
    distance: Tensor  # (e,) angstrom


def ranges(count: Tensor) -> Tensor:
    """0..count[0]-1, 0..count[1]-1, ... as one tensor."""
    start = torch.repeat_interleave(torch.cumsum(count, 0) - count, count)
    return torch.arange(len(start), device=count.device) - start


def _axis_images(offset: Tensor, reach: Tensor) -> tuple[Tensor, Tensor]:
    """First whole number n and how many with |offset + n| <= reach."""
    low = torch.ceil(-reach - offset)
    return low, (torch.floor(reach - offset) - low + 1).clamp_(min=0).to(torch.int64)


def find_edges(
    lattice: Tensor, fractional: Tensor, atom_first: Tensor, centre: Tensor, crystal: Tensor, *, cutoff: float
) -> Edges:
    """All neighbours within `cutoff` (angstrom) of each centre.

    `lattice` (n, 3, 3) rows a, b, c; `fractional` (a, 3), not wrapped; atoms of crystal k are
    `atom_first[k]:atom_first[k + 1]`; `centre` (s,) the atoms at the centres and `crystal` (s,) their crystals,
    sorted. An atom is no neighbour of itself, but overlapping atoms are neighbours at distance 0.
    """
    # |fractional component k of a vector| <= cutoff / spacing of the planes perpendicular to reciprocal vector k
    reach = cutoff * torch.linalg.norm(torch.linalg.inv(lattice), dim=1)
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
        flat = lattice.new_zeros((0, 3))
        return Edges(empty, empty, flat, flat, lattice.new_zeros(0))
    return Edges(*(torch.cat(column) for column in zip(*parts, strict=True)))


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
    site = torch.repeat_interleave(torch.arange(begin, end, device=of.device), per_site)
    atom = atom_first[crystal[site]] + ranges(per_site)
    offset, bound = fractional[atom] - fractional[centre[site]], reach[crystal[site]]
    axes = [_axis_images(offset[:, k], bound[:, k]) for k in range(3)]
    keep = torch.nonzero(axes[0][1] * axes[1][1] * axes[2][1]).squeeze(1)
    site, atom, offset = site[keep], atom[keep], offset[keep]
    low = torch.stack([axis[0][keep] for axis in axes], dim=1)
    n = [axis[1][keep] for axis in axes]
    count = n[0] * n[1] * n[2]
    pair = torch.repeat_interleave(torch.arange(len(site), device=site.device), count)
    rank = ranges(count)
    n1, n2 = n[1][pair], n[2][pair]
    image = low[pair] + torch.stack([rank // (n1 * n2), (rank // n2) % n1, rank % n2], dim=1)
    vector = torch.einsum("ei,eij->ej", offset[pair] + image, lattice[crystal[site[pair]]])
    distance = torch.linalg.norm(vector, dim=1)
    itself = (atom == centre[site])[pair] & (image == 0).all(1)
    near = torch.nonzero((distance <= cutoff) & ~itself).squeeze(1)
    pair = pair[near]
    return site[pair], atom[pair], image[near], vector[near], distance[near]


def neighbor_list(crystals: Crystals, cutoff: float, *, atoms: Atoms | None = None) -> Edges:
    """Neighbours within `cutoff` angstrom of the first point of every site of a batch."""
    atoms = crystals.atoms() if atoms is None else atoms
    fractional = torch.from_numpy(atoms.fractional)
    first = torch.from_numpy(atoms.first)
    crystal = torch.from_numpy(crystals.crystal_of_site)
    multiplicity = torch.from_numpy(crystals.multiplicity)
    centre = torch.cumsum(multiplicity, 0) - multiplicity
    return find_edges(torch.from_numpy(crystals.lattice), fractional, first, centre, crystal, cutoff=cutoff)
