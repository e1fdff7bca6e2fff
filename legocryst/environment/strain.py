"""Strain: how far bonds and angles are from those of the target environment."""

from functools import lru_cache

import numpy as np

from legocryst.crystal.crystals import Crystals
from legocryst.environment.neighbors import neighbor_list
from legocryst.environment.target import Target


def strain(crystals: Crystals, target: Target) -> np.ndarray:
    """Return root mean square relative deviation (n,) of all bonds and angles of each crystal, without unit.

    With r the bonds of an atom, all z of them, and theta the z (z - 1) / 2 angles between them in ascending order,

        S^2 = sum_atoms [sum (r / r_0 - 1)^2 + sum (theta / theta_0 - 1)^2] / sum_atoms [z + z (z - 1) / 2],

    where r_0 is the target's bond length and theta_0 are the angles at the first site of its reference crystal, in
    ascending order too. Pairs up to the longest bond of the target's window are bonds. NaN for a crystal that has no
    volume, or an atom with more or fewer bonds than the target's.
    """
    out = np.full(len(crystals), np.nan)
    sound = np.nan_to_num(crystals.volume) > 1e-3
    if not sound.all():
        out[sound] = strain(crystals.take(sound), target)
        return out
    bonds, complete = _bonds(crystals, target)
    length, angle = np.linalg.norm(bonds, axis=-1), angles(bonds)
    squares = ((length / target.bond - 1) ** 2).sum(axis=1) + ((angle / reference_angles(target) - 1) ** 2).sum(axis=1)
    weighted = np.full(len(complete), np.nan)
    weighted[complete] = squares / (length.shape[1] + angle.shape[1])
    total = np.bincount(crystals.crystal_of_site, weights=weighted * crystals.multiplicity, minlength=len(crystals))
    return np.sqrt(total / np.maximum(crystals.atom_count, 1))


@lru_cache
def reference_angles(target: Target) -> np.ndarray:
    """Return angles (z (z - 1) / 2,), radians, ascending, of the bonds at the first site of the reference crystal.

    Raises ValueError if that site has not the target's number of bonds.
    """
    bonds, complete = _bonds(target.reference.crystals(), target)
    if not complete[0]:
        raise ValueError(
            f"the reference crystal of the target {target.name} has not {target.coordination} bonds at its first site: "
            "correct its cell, its points or the bond window"
        )
    return angles(bonds)[0]


def angles(vectors: np.ndarray) -> np.ndarray:
    """Return angles (s, z (z - 1) / 2) in radians, ascending, between the vectors (s, z, 3) of each site."""
    with np.errstate(invalid="ignore", divide="ignore"):  # overlapping atoms give NaN
        unit = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    first, second = np.triu_indices(vectors.shape[1], k=1)
    cosine = np.einsum("spi,spi->sp", unit[:, first], unit[:, second])
    return np.sort(np.arccos(np.clip(cosine, -1, 1)), axis=1)


def _bonds(crystals: Crystals, target: Target) -> tuple[np.ndarray, np.ndarray]:
    """Return bonds (k, z, 3), angstrom, of the k sites with the target's number z of them, and their places (s,)."""
    edges = neighbor_list(crystals, target.bond_window[1])
    complete = np.bincount(edges.site, minlength=len(crystals.species)) == target.coordination
    return edges.vector[complete[edges.site]].reshape(-1, target.coordination, 3), complete
