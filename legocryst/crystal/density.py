"""Densities."""

import numpy as np

from legocryst.crystal.crystals import Crystals

AMU = 1.66053907
"""Grams per cubic centimetre in one atomic mass unit per cubic angstrom (CODATA 2018)."""


def densities(crystals: Crystals) -> np.ndarray:
    """Return densities (n,) in g/cm3."""
    from ase.data import atomic_masses

    mass = np.bincount(
        crystals.crystal_of_site,
        weights=atomic_masses[crystals.species] * crystals.multiplicity,
        minlength=len(crystals),
    )
    return AMU * mass / crystals.volume
