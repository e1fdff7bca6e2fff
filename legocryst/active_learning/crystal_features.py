"""Features of a crystal's geometry that predict its energy, in less than a millisecond, for regressions.

Averages over a crystal's atoms, so that none depends on cell, origin or order.
"""

import numpy as np

from legocryst.crystal.crystals import Crystals
from legocryst.environment.descriptors import spectra
from legocryst.environment.neighbors import neighbor_list
from legocryst.environment.strain import angles, reference_angles
from legocryst.environment.target import DescriptorSettings, Target

FAR = DescriptorSettings(n_max=4, l_max=4, r_cut=4.5, alpha=1.5)
"""The power spectrum that sees the second and third shell."""
_COMPONENTS = FAR.n_max * (FAR.n_max + 1) // 2 * (FAR.l_max + 1)
_SIZES = (1, 4, 4, 4, _COMPONENTS, _COMPONENTS)
GROUPS = tuple(slice(sum(_SIZES[:k]), sum(_SIZES[: k + 1])) for k in range(len(_SIZES)))
"""Columns of traits that belong together."""
_SMALL, _SHORT, _BATCH = 1e-3, 0.05, 500


def crystal_features(crystals: Crystals, target: Target) -> np.ndarray:
    """Return features (n, k) of each crystal; NaN without a volume or the target's number of bonds at every atom.

    By GROUPS: logarithm of the volume per atom; mean, standard deviation, least and largest of all bonds and of all
    angles, both relative to the target's less 1, and of the twists (see `_twists`); mean over the atoms of the power
    spectrum FAR, and standard deviation, as shares of the largest component in the reference crystal.
    """
    blocks = [crystals.take(slice(begin, begin + _BATCH)) for begin in range(0, len(crystals), _BATCH)]
    return np.concatenate([np.empty((0, sum(_SIZES))), *[_of_batch(block, target) for block in blocks]])


def _of_batch(crystals: Crystals, target: Target) -> np.ndarray:
    sound = np.nan_to_num(crystals.volume) > _SMALL
    sound[sound] = _complete(crystals.take(sound), target)
    out, some = np.full((len(crystals), sum(_SIZES)), np.nan), crystals.take(sound)
    if len(some):
        scale = float(np.abs(spectra(target.reference.crystals(), FAR)[0]).max())
        mean, spread = _moments(some, spectra(some, FAR)[:, None] / scale)
        volume = np.log(some.volume / some.atom_count)[:, None]
        out[sound] = np.hstack([volume, *(_summary(some, values) for values in _local(some, target)), mean, spread])
    return out


def _complete(crystals: Crystals, target: Target) -> np.ndarray:
    """Return which crystals (n,) have the target's number of bonds at every site."""
    edges = neighbor_list(crystals, target.bond_window[1])
    wrong = np.bincount(edges.site, minlength=len(crystals.species)) != target.coordination
    return np.bincount(crystals.crystal_of_site, weights=wrong, minlength=len(crystals)) == 0


def _local(crystals: Crystals, target: Target) -> list[np.ndarray]:
    """Return bonds (s, z), angles (s, z (z - 1) / 2) and twists (s, z) of each site."""
    z, atoms = target.coordination, crystals.atoms()
    edges = neighbor_list(crystals, target.bond_window[1], atoms=atoms, every_atom=True)
    vector, partner = edges.vector.reshape(-1, z, 3), edges.atom.reshape(-1, z)
    centre = np.cumsum(crystals.multiplicity) - crystals.multiplicity
    bonds = vector[centre]
    return [
        np.linalg.norm(bonds, axis=-1) / target.bond - 1,
        angles(bonds) / reference_angles(target) - 1,
        _twists(bonds, vector[partner[centre]]),
    ]


def _twists(bonds: np.ndarray, beyond: np.ndarray) -> np.ndarray:
    """Return twist (s, z) of each bond (s, z, 3); `beyond` (s, z, z, 3) are the bonds of the atom at its other end.

    The mean of cos((z - 1) phi) over the torsion angles phi between the other bonds at both ends. With z = 3 it is 1
    where they lie in one plane and the p orbitals across it are parallel, -1 where these are perpendicular; with z = 4
    it is -1 where the bonds are staggered, 1 where they are eclipsed.
    """
    z = bonds.shape[1]
    along = (bonds / np.linalg.norm(bonds, axis=-1, keepdims=True))[:, :, None]
    ends = []
    for vectors in (np.broadcast_to(bonds[:, None], beyond.shape), beyond):
        across = vectors - (vectors * along).sum(axis=-1, keepdims=True) * along
        length = np.linalg.norm(across, axis=-1, keepdims=True)
        ends.append((across / np.maximum(length, _SHORT), length[..., 0] > _SHORT))  # the bond itself has no direction
    (one, here), (other, there) = ends
    torsion = np.arccos(np.clip(np.einsum("sbik,sbjk->sbij", one, other), -1, 1))
    pairs = here[..., :, None] & there[..., None, :]
    return (np.cos((z - 1) * torsion) * pairs).sum(axis=(2, 3)) / np.maximum(pairs.sum(axis=(2, 3)), 1)


def _summary(crystals: Crystals, values: np.ndarray) -> np.ndarray:
    """Return mean, standard deviation, least and largest (n, 4) over each crystal of numbers (s, any) of its sites."""
    if not values.shape[1]:
        return np.zeros((len(crystals), 4))
    mean, spread = _moments(crystals, values[:, :, None])
    first = crystals.first_site[:-1]
    least, most = np.minimum.reduceat(values.min(axis=1), first), np.maximum.reduceat(values.max(axis=1), first)
    return np.column_stack([mean, spread, least, most])


def _moments(crystals: Crystals, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation (n, k) over the atoms of each crystal of numbers (s, any, k) of its sites."""
    weight = (crystals.multiplicity / crystals.atom_count[crystals.crystal_of_site])[:, None]
    first, of = crystals.first_site[:-1], crystals.crystal_of_site
    mean = np.add.reduceat(weight * values.mean(axis=1), first)
    square = np.add.reduceat(weight * ((values - mean[of][:, None]) ** 2).mean(axis=1), first)
    return mean, np.sqrt(square)
