"""Descriptors of the sites of crystals, and of a target's reference."""

from functools import lru_cache

import numpy as np

from legocryst.crystal.crystals import Crystals
from legocryst.environment.descriptors.expansion import Descriptor, Scratch, descriptor, expand, make_features, scratch
from legocryst.environment.neighbors import Edges, neighbor_list
from legocryst.environment.target import DescriptorSettings, Target
from legocryst.infra.compiled import compiled


@compiled
def _features_of_sites(
    d: Descriptor,
    first: np.ndarray,
    vector: np.ndarray,
    distance: np.ndarray,
    atom: np.ndarray,
    species: np.ndarray,
    work: Scratch,
    out: np.ndarray,
) -> None:
    for s in range(len(out)):
        expand(d, first[s], first[s + 1], vector, distance, atom, species, work)
        make_features(d, work)
        out[s] = work.feature[: out.shape[1]]


def features(of: Descriptor, edges: Edges, species: np.ndarray, sites: int) -> np.ndarray:
    """Return features (sites, k) of a descriptor; `species` (atoms,) atomic numbers."""
    first = np.searchsorted(edges.site, np.arange(sites + 1))
    out = np.empty((sites, len(of.mix)))
    room = scratch([of], int(np.diff(first).max(initial=0)))
    _features_of_sites(of, first, edges.vector, edges.distance, edges.atom, species.astype(float), room, out)
    return out


def spectra(crystals: Crystals, settings: DescriptorSettings) -> np.ndarray:
    """Return power spectrum (s, components) of every site of a batch."""
    return _of_crystals(crystals, descriptor("power_spectrum", settings))


def _of_crystals(crystals: Crystals, of: Descriptor) -> np.ndarray:
    atoms = crystals.atoms()
    edges = neighbor_list(crystals, of.cutoff, atoms=atoms)
    return features(of, edges, atoms.species, len(crystals.species))


@lru_cache
def reference(target: Target, kind: str = "power_spectrum") -> np.ndarray:
    """Return features (k,) of the first site of the target's reference crystal."""
    return _of_crystals(target.reference.crystals(), descriptor(kind, target.descriptor))[0]


def angular_fourier_series(vectors: np.ndarray, l_max: int) -> np.ndarray:
    """Return angular Fourier series (l_max + 1,) of neighbour vectors (k, 3), radial weight 1.

    AFS_l = sum_jk cos(l theta_jk), self terms included.
    """
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    theta = np.arccos(np.clip(unit @ unit.T, -1, 1))
    return np.array([np.cos(level * theta).sum() for level in range(l_max + 1)])
