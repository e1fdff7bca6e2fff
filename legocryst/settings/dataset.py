"""Settings of the stages that make the table: known crystals, their augmentation, the features."""

from typing import Literal

from pydantic import field_validator

from legocryst.settings.base import PotentialName, Settings, System, group_numbers, setting


class BootstrapSettings(Settings):
    """How known crystals are found where there are none, or more of them."""

    target: str = setting("sp2-carbon", "Name of the target environment.")
    random: int = setting(10_000, "Rows of the random symmetric generator.", ge=0, le=10_000_000)
    surfaces: int = setting(
        24_000,
        "Crystals with atoms at random on triply periodic minimal surfaces; for three-coordinated targets.",
        ge=0,
        le=10_000_000,
    )
    min_atoms: int = setting(24, "Fewest atoms in the cell of a crystal on a surface.", ge=2, le=1000, advanced=True)
    max_atoms: int = setting(400, "Most atoms in the conventional cell of a crystal.", ge=2, le=1000)
    max_sites: int = setting(8, "Most Wyckoff sites.", ge=1, le=8)
    min_ring: int = setting(5, "Crystals with a smaller ring get no energy.", ge=3, le=24)
    max_ring: int = setting(8, "Crystals with a larger ring get no energy.", ge=3, le=24)
    max_energy: float = setting(
        0.5, "Crystals above this energy, relaxed, are not kept.", unit="eV/atom above the reference", gt=0, le=10
    )
    model: PotentialName = setting("7net-0", "Potential that relaxes them.")
    max_energies: int = setting(
        250, "Most crystals that get an energy, the smallest primitive cells first.", ge=0, le=1_000_000
    )
    max_relaxed: int = setting(
        100, "Most crystals relaxed with the potential, the lowest energies first.", ge=0, le=1_000_000
    )


class CurateSettings(Settings):
    """Which known crystals are taken as training set."""

    target: str = setting("sp2-carbon", "Name of the target environment.")
    max_sites: int = setting(8, "Crystals with more Wyckoff sites are left out.", ge=1, le=8, label="Most sites")
    max_atoms: int = setting(
        500, "Crystals with more atoms in the conventional cell are left out.", ge=1, le=2000, label="Most atoms"
    )
    max_strain: float | None = setting(
        None,
        "Crystals whose bonds and angles deviate by more, root mean square, are left out; empty: any.",
        ge=0,
        le=1,
        label="Largest strain",
    )
    max_energy: float | None = setting(
        None,
        "Crystals with a higher energy above the reference are left out, those of unknown energy not; empty: any.",
        unit="eV/atom",
        ge=-10,
        le=10,
        label="Highest energy",
    )
    known_energy_only: bool = setting(False, "Crystals of unknown energy are left out.", label="Known energies only")
    periodicities: tuple[Literal[3, 2, 1, 0], ...] = setting(
        (),
        "Directions in which the nets go on: 3 frameworks, 2 layers, 1 chains, 0 cages; none chosen: all.",
        label="Directions of the nets",
    )
    crystal_systems: tuple[System, ...] = setting((), "Crystal systems that are taken; none chosen: all.")
    space_groups: str = setting("", "Space groups that are taken, such as 194, 200-230; empty: all.")
    symprec: float = setting(
        0.01, "Symmetry of your own crystals is sought within this.", unit="angstrom", ge=1e-5, le=0.5, advanced=True
    )

    @field_validator("space_groups")
    @classmethod
    def _readable(cls, text: str) -> str:
        group_numbers(text)
        return text


class AugmentSettings(Settings):
    """How each crystal is written again in subgroups of its space group."""

    rows: int = setting(65_000, "Rows aimed at, from all crystals together.", ge=1, le=5_000_000)
    rows_per_crystal: int = setting(500, "Most rows made from one crystal.", ge=1, le=100_000)
    max_cells: int = setting(
        4,
        "Most primitive cells of a crystal in one of a subgroup; 1: translationengleiche subgroups only.",
        ge=1,
        le=4,
        label="Largest cell (primitive ones)",
    )
    max_sites: int = setting(8, "Most Wyckoff sites in a row.", ge=1, le=8, label="Most sites")
    max_atoms: int = setting(500, "Most atoms in the conventional cell of a row.", ge=1, le=2000, label="Most atoms")
    max_free: int = setting(
        30,
        "Most free variables (cell and coordinates) in a row.",
        ge=1,
        le=60,
        advanced=True,
        label="Most free variables",
    )
    max_index: int = setting(
        192, "Largest index of a subgroup in its group.", ge=1, le=192, advanced=True, label="Largest index"
    )
    rows_per_transformation: int = setting(
        50, "Most rows of one crystal in one subgroup with the same axes and origin.", ge=1, le=10_000, advanced=True
    )
    variants: bool = setting(
        False, "Move every row a little, relax it in its subgroup and leave it out if it is not valid then."
    )
    perturbation: float = setting(
        5e-4,
        "Largest change of a variant before it is relaxed: share of lengths and angles, fraction of the cell.",
        ge=0,
        le=0.05,
        advanced=True,
    )


class FeatureSettings(Settings):
    """How the table becomes numbers a network can learn."""

    components: int = setting(
        10, "Most Gaussian components for one continuous column.", ge=1, le=30, label="Most components"
    )
    weight_threshold: float = setting(
        0.005, "Components with less weight than this are dropped.", ge=0.0, le=0.5, advanced=True, label="Least weight"
    )
    fit_rows: int = setting(
        3000,
        "The mixtures are fitted on at most this many rows, drawn at random.",
        ge=100,
        le=1_000_000,
        advanced=True,
        label="Rows of the fit",
    )


class IdentifySettings(Settings):
    """Which crystals are identified."""

    max_atoms: int = setting(
        1000, "Crystals with more atoms in the primitive cell are not identified.", ge=1, le=10_000, label="Most atoms"
    )
