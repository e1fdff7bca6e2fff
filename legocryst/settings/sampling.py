"""Settings of the rows that are drawn, of their relaxation, and of the goal of a run."""

from typing import Literal

from legocryst.settings.base import Settings, setting


class SampleSettings(Settings):
    """How many candidates are drawn, and how rows become crystals."""

    samples: int = setting(2000, "Number of rows drawn from the model.", ge=1, le=5_000_000)
    temperature: float = setting(
        0.7, "Below 1 rows are more like the training table, above 1 more unlike it.", gt=0, le=10, advanced=True
    )
    system: Literal[
        "any", "triclinic", "monoclinic", "orthorhombic", "tetragonal", "trigonal", "hexagonal", "cubic"
    ] = setting("any", "Crystal system of the samples.", label="Crystal system")
    groups: str = setting("", "Space groups of the samples, such as 194, 200-230; empty for any.", label="Space groups")
    min_sites: int = setting(1, "Fewest Wyckoff sites of a sample.", ge=1, le=8, label="Fewest sites")
    max_sites: int = setting(8, "Most Wyckoff sites of a sample.", ge=1, le=8, label="Most sites")
    min_atoms: int = setting(
        1, "Fewest atoms in the conventional cell of a sample.", ge=1, le=5000, label="Fewest atoms"
    )
    max_atoms: int = setting(
        500, "Most atoms in the conventional cell; a row with more is undecodable.", ge=1, le=5000, label="Most atoms"
    )
    lowest_energies: float = setting(
        1.0,
        "Share of the training energies, lowest first, that samples shall have; 1 for any, and above a half it changes "
        "little. It helps a transformer; a cvae made no more crystals of low energy.",
        gt=0,
        le=1,
        label="Share of lowest energies",
    )
    guidance: float = setting(
        1.75,
        "Transformer: how far it goes for the lowest energies, if they are asked for. 1: as it learnt; more: more rows "
        "of low energy, but fewer different ones.",
        ge=1,
        le=10,
        advanced=True,
        label="Guidance to low energies",
    )
    decode: Literal["snap", "strict", "drop"] = setting(
        "snap",
        "What becomes of a site that does not lie on its Wyckoff position. snap: it moves to the nearest point of it; "
        "strict: the row is refused if a site is farther than 0.1 angstrom; drop: such sites are left out, as the "
        "reference programs do.",
        label="Sites beside their position",
    )
    refine_rounds: int = setting(
        0,
        "Times that rows which stayed invalid are drawn again near where they ended, with their space groups and "
        "Wyckoff positions; for the conditional VAE.",
        ge=0,
        le=10,
        label="Rounds of refinement",
    )
    refine_step: float = setting(
        0.5,
        "How far such a row goes from where it ended (0) towards a fresh draw (1), in the numbers that the model made "
        "of it (its latent space).",
        gt=0,
        le=1,
        advanced=True,
        label="Step of refinement",
    )
    baseline: int = setting(
        1000,
        "Random symmetric crystals that are relaxed beside, so that you see what the model is worth; they do not go "
        "into the database.",
        ge=0,
        le=100_000,
        advanced=True,
        label="Random crystals beside",
    )

    @property
    def conditions(self) -> list[str]:
        """Words for what is not left open; a largest number of atoms alone asks for nothing."""
        conditions = {
            "space groups": self.system != "any" or self.groups.strip() != "",
            "a number of sites": (self.min_sites, self.max_sites) != (1, 8),
            "a number of atoms": self.min_atoms > 1,
            "low energy": self.lowest_energies < 1,
        }
        return [words for words, is_set in conditions.items() if is_set]


class GoalSettings(Settings):
    """When a run ends: after one round of samples, or after as many as a goal takes."""

    crystals: int = setting(
        0,
        "Draw and relax, round after round, until there are so many; 0: one round.",
        ge=0,
        le=1_000_000,
        label="Crystals wanted",
    )
    kind: Literal["new", "low in energy"] = setting(
        "low in energy",
        "Which crystals count: new, or low in energy too: new frameworks that lie below the limit of the energies when "
        "relaxed with the potential.",
        label="What counts",
    )
    minutes: float = setting(
        60.0,
        "After so long no round begins, and no further energy is computed.",
        gt=0,
        le=100_000,
        label="Longest time",
        unit="min",
    )


class RelaxSettings(Settings):
    """How candidates are brought to the target environment."""

    optimizer: Literal["lbfgs", "adam"] = setting("lbfgs", "Minimiser of the loss.", label="Optimiser")
    restarts: int = setting(
        3,
        "A crystal that is not valid starts again, up to so many times, from atoms moved by at most 0.5 angstrom.",
        ge=0,
        le=3,
    )
    merge: float = setting(
        0.35,
        "A crystal that is not valid after its restarts is tried once more with each site within this of a more "
        "special position moved onto it; 0: never.",
        unit="angstrom",
        ge=0,
        le=1,
        advanced=True,
        label="Merge sites within",
    )
    start_volume: Literal["target", "row"] = setting(
        "target",
        "target: each cell is first scaled to the volume from which the target's crystals grow best; row: it starts as "
        "the row has it.",
        advanced=True,
    )
    order: Literal["descriptor first", "coordination first"] = setting(
        "descriptor first", "Order of the first two stages.", advanced=True, label="Order of the stages"
    )
    descriptor_steps: int = setting(
        120,
        "Most steps of the stage to the reference descriptor, seen coarsely.",
        ge=0,
        le=5000,
        label="Steps to the descriptor",
    )
    coordination_steps: int = setting(
        120, "Most steps of the stage to the coordination.", ge=0, le=5000, label="Steps to the coordination"
    )
    refine_steps: int = setting(
        200,
        "Most steps of the last stage, to the descriptors with the coordination held.",
        ge=0,
        le=5000,
        label="Steps of the last stage",
    )
    coarse_l_max: int = setting(
        2,
        "Largest angular momentum of the power spectrum in the stage that sees it coarsely.",
        ge=0,
        le=8,
        advanced=True,
        label="Coarse angular momentum",
    )
    power_spectrum: float = setting(1.0, "Weight of the power spectrum in the last stage.", ge=0, le=1e4, advanced=True)
    angular_fourier: float = setting(
        0.0,
        "Weight of the angular Fourier series in the last stage.",
        ge=0,
        le=1e4,
        advanced=True,
        label="Angular Fourier series",
    )
    radial_distribution: float = setting(
        0.0, "Weight of the radial distribution in the last stage.", ge=0, le=1e4, advanced=True
    )
    hold: float = setting(
        3.0,
        "Weight of the coordination in the last stage.",
        unit="1/angstrom^2",
        ge=0,
        le=1e4,
        advanced=True,
        label="Hold of the coordination",
    )
    hopeless: float = setting(
        0.6,
        "A crystal whose coordination value per atom is above this after its stage is not refined.",
        unit="angstrom^2",
        gt=0,
        le=1e4,
        advanced=True,
        label="Give up above",
    )
    max_step: float = setting(
        0.25, "Longest move of an atom in one step.", unit="angstrom", gt=0, le=2, advanced=True, label="Longest move"
    )
    device: Literal["auto", "processor", "card"] = setting(
        "auto",
        "card: an NVIDIA graphics card, after `make cuda`; auto: the card where there is one, else the processor.",
        advanced=True,
    )
    batch_atoms: int = setting(
        5000,
        "Atoms relaxed between two reports of progress, a hundred times more on a card; bounds the memory.",
        ge=100,
        le=10_000_000,
        advanced=True,
        label="Atoms at a time",
    )
