"""Settings of energies, and of which crystals get one."""

from typing import Literal

from legocryst.settings.base import PotentialName, Settings, setting
from legocryst.settings.training import _differences
from legocryst.vocabulary.registry import POTENTIALS, PotentialSpec

SCREEN = "7net-0"
"""The potential of energies as they stand, which decide which crystals are relaxed."""
MEAN_STEPS = 20
"""Energies that a relaxation takes on average."""


class EnergySettings(Settings):
    """Which potential gives energies, and how crystals are relaxed with it."""

    model: PotentialName = setting("7net-l3i5", f"Potential. {_differences(POTENTIALS)}.", label="Potential")
    steps: int = setting(100, "Most energies computed for one relaxation.", ge=1, le=2000, label="Most steps")
    max_force: float = setting(
        0.02,
        "A relaxation has converged when no force on an atom is larger than this, and the stress is small.",
        unit="eV/angstrom",
        ge=0.001,
        le=1,
        advanced=True,
        label="Largest force",
    )
    max_stress: float = setting(
        0.05,
        "A relaxation has converged when no component of the stress is larger than this, and the forces are small.",
        unit="GPa",
        ge=0.001,
        le=10,
        advanced=True,
        label="Largest stress",
    )
    max_step: float = setting(
        0.2,
        "Longest move of an atom in one step of a relaxation.",
        unit="angstrom",
        gt=0,
        le=1,
        advanced=True,
        label="Longest move",
    )
    max_atoms: int = setting(
        200,
        "Crystals with more atoms in the primitive cell get no energy.",
        ge=1,
        le=2000,
        label="Most atoms for an energy",
    )

    @property
    def potential(self) -> PotentialSpec:
        """The specification of the potential."""
        return POTENTIALS[self.model]


MAX_RATTLED_ATOMS = 200
"""Most atoms in the primitive cell of a crystal that is rattled: without symmetry each of them costs."""


class RankSettings(EnergySettings):
    """How valid crystals are ordered by energy."""

    energies: bool = setting(True, "Compute the energy of each new crystal.", label="Compute energies")
    # a sampled row has few sites, and symmetry makes an energy cost what its sites cost, however many atoms there are
    max_atoms: int = setting(
        500,
        "Crystals with more atoms in the primitive cell get no energy.",
        ge=1,
        le=2000,
        label="Most atoms for an energy",
    )
    max_energies: int = setting(
        2000, "Most crystals that get an energy in one run.", ge=0, le=1_000_000, label="Most energies"
    )
    order: Literal["learned", "random", "smallest"] = setting(
        "learned",
        "Which get an energy where there are more. learned: energies are learnt in rounds from those computed, and "
        "those that promise to be low come next; random: drawn at random; smallest: the smallest cells.",
        label="Which come first",
    )
    rounds: int = setting(
        5,
        "Rounds in which energies are computed and learnt; the first is drawn at random.",
        ge=2,
        le=100,
        advanced=True,
    )
    max_relaxed: int = setting(
        100,
        f"Most crystals relaxed with the potential in one run: the lowest by the energy of {SCREEN} as they stand.",
        ge=0,
        le=1_000_000,
        label="Most relaxed",
    )
    max_rattled: int = setting(
        10,
        f"Of the lowest relaxed ones with at most {MAX_RATTLED_ATOMS} atoms in the primitive cell so many are "
        "shaken and relaxed again, without symmetry.",
        ge=0,
        le=10_000,
        label="Most shaken",
    )
    low_energy: float = setting(
        0.5,
        "Below this a relaxed framework counts as low in energy.",
        unit="eV/atom",
        gt=0,
        le=10,
        advanced=True,
        label="Low energy below",
    )
