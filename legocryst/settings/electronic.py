"""Settings of bands, of density functional theory and of powder patterns."""

from typing import Literal

from legocryst.settings.base import Settings, setting


class PowderSettings(Settings):
    """What a powder pattern shows."""

    radiation: Literal["CuKa", "CuKa1", "MoKa", "CoKa", "CrKa", "FeKa", "AgKa"] = setting(
        "CuKa", "Radiation; CuKa is the average of both copper lines, 1.54184 angstrom."
    )
    min_angle: float = setting(5.0, "Smallest angle two theta.", unit="degree", ge=0, le=170, label="Smallest angle")
    max_angle: float = setting(90.0, "Largest angle two theta.", unit="degree", gt=0, le=180, label="Largest angle")
    min_intensity: float = setting(
        0.1,
        "Peaks lower than this share of the largest are left out.",
        unit="percent",
        ge=0,
        le=100,
        label="Weakest peak",
    )


class LevelSettings(Settings):
    """What energy levels over the Brillouin zone are called, and how they are drawn."""

    min_gap: float = setting(
        0.1,
        "Crystals with a smaller gap are no semiconductors.",
        unit="eV",
        gt=0,
        le=5,
        advanced=True,
        label="Least gap",
    )
    overlap: float = setting(
        0.2,
        "Crystals whose filled and empty bands overlap by at most this are semimetals, by more metals.",
        unit="eV",
        ge=0,
        le=5,
        advanced=True,
        label="Overlap of a semimetal",
    )
    width: float = setting(
        0.15,
        "Width of the Gaussian of each level in a density of states.",
        unit="eV",
        gt=0,
        le=2,
        advanced=True,
        label="Width of levels",
    )


class BandSettings(LevelSettings):
    """How gaps are computed from the tight-binding model."""

    bands: bool = setting(True, "Compute gap and class of each valid crystal.", label="Compute bands")
    max_atoms: int = setting(
        64,
        "Crystals with more atoms in the primitive cell get no gap.",
        ge=1,
        le=1000,
        label="Most atoms for a gap",
    )
    spacing: float = setting(
        0.3,
        "Farthest that points of the mesh are from each other.",
        unit="1/angstrom",
        ge=0.02,
        le=2,
        advanced=True,
        label="Spacing of the mesh",
    )
    line_spacing: float = setting(
        0.1,
        "The same on the path between special points.",
        unit="1/angstrom",
        ge=0.01,
        le=1,
        advanced=True,
        label="Spacing on the path",
    )
    rounds: int = setting(8, "Times the mesh is made finer around the edges of the gap.", ge=0, le=20, advanced=True)


class DftSettings(LevelSettings):
    """How GPAW computes one crystal in plane waves."""

    functional: Literal["PBE", "PBEsol", "LDA"] = setting("PBE", "Functional of exchange and correlation.")
    cutoff: float = setting(400.0, "Largest kinetic energy of a plane wave.", unit="eV", ge=200, le=1500)
    spacing: float = setting(
        0.25, "Farthest that points of the mesh are from each other.", unit="1/angstrom", ge=0.05, le=1
    )
    line_spacing: float = setting(
        0.12, "The same on the path between special points.", unit="1/angstrom", ge=0.02, le=1, advanced=True
    )
    rounds: int = setting(3, "Times the mesh is made finer around the edges of the gap.", ge=0, le=10, advanced=True)
    smearing: float = setting(0.05, "Width of the Fermi function.", unit="eV", ge=0.001, le=0.5, advanced=True)
    energy_error: float = setting(
        1e-4, "Largest change of the energy in the last steps.", unit="eV/electron", ge=1e-8, le=0.01, advanced=True
    )
    density_error: float = setting(
        1e-4,
        "Largest change of the density in the last steps.",
        unit="electrons/electron",
        ge=1e-8,
        le=0.01,
        advanced=True,
    )
    max_steps: int = setting(150, "Most steps to the density that reproduces itself.", ge=5, le=1000, advanced=True)
    empty: int = setting(6, "Empty bands that are computed.", ge=1, le=100, advanced=True)
    max_atoms: int = setting(40, "Crystals with more atoms in the primitive cell are refused.", ge=1, le=400)
