"""Typed settings of each stage: the single source of form, flag, record and documentation of every tunable."""

import re
from dataclasses import dataclass
from itertools import groupby
from math import sqrt
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator
from pydantic.fields import FieldInfo

from legocryst.registry import GENERATORS, POTENTIALS, GeneratorSpec, PotentialSpec, Registry

PRESETS = ("smoke", "quick", "standard", "thorough")
System = Literal["triclinic", "monoclinic", "orthorhombic", "tetragonal", "trigonal", "hexagonal", "cubic"]
_LAST_GROUP = 230
SCREEN = "7net-0"
"""The potential of energies as they stand, which decide which crystals are relaxed."""


@dataclass(frozen=True, slots=True)
class Registered:
    """The check that a text is a name in a registry."""

    registry: Registry[Any]

    def __call__(self, name: str) -> str:
        """Return the name; raises ValueError where it is none."""
        names = self.registry.names()
        if name not in names:
            listed = " or ".join(filter(None, [", ".join(f"'{other}'" for other in names[:-1]), f"'{names[-1]}'"]))
            raise ValueError(f"Input should be {listed}")
        return name


GeneratorName = Annotated[str, AfterValidator(Registered(GENERATORS))]
PotentialName = Annotated[str, AfterValidator(Registered(POTENTIALS))]


def setting(default: Any, help: str, *, label: str = "", unit: str = "", advanced: bool = False, **bounds: Any) -> Any:
    """A pydantic field with its help, unit and bounds.

    On the page it stands under `label`, if its name says too little, and folded away if it is `advanced`.
    """
    extra: dict[str, Any] = {"unit": unit, "advanced": advanced}
    return Field(default, title=label or None, description=help, json_schema_extra=extra, **bounds)


def label(name: str, field: FieldInfo) -> str:
    """What a setting is called on the page: its label, or its name as words."""
    return field.title or name[:1].upper() + name[1:].replace("_", " ")


@dataclass(frozen=True, slots=True)
class Shape:
    """What a setting takes, for forms, flags and documents."""

    base: type  # of one value
    choices: tuple[Any, ...] = ()  # the only values, where these are listed
    several: bool = False  # any number of the choices
    empty: bool = False  # None is a value too


def shape(field: FieldInfo) -> Shape:
    """What a field of some settings takes."""
    kind: Any = field.annotation
    several, empty = get_origin(kind) is tuple, NoneType in get_args(kind)
    if several or empty:
        kind = next(part for part in get_args(kind) if part is not NoneType)
    choices = get_args(kind) if get_origin(kind) is Literal else ()
    for check in field.metadata:
        if isinstance(check, AfterValidator) and isinstance(check.func, Registered):
            choices = check.func.registry.names()
    return Shape(type(choices[0]) if choices else kind, choices, several, empty)


class Settings(BaseModel):
    """Base of all stage settings: unknown names and values out of bounds are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def group_numbers(text: str) -> frozenset[int]:
    """Space groups of a list such as "194, 200-230", all of them for ""; raises ValueError for other text."""
    if not text.strip():
        return frozenset(range(1, _LAST_GROUP + 1))
    found: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?", part)
        if match is None:
            raise ValueError(f"{text!r} is no list of space groups: write it as 194, 200-230")
        low, high = int(match[1]), int(match[2] or match[1])
        if not 1 <= low <= high <= _LAST_GROUP:
            raise ValueError(f"there are no space groups {part.strip()}: they run from 1 to {_LAST_GROUP}")
        found |= set(range(low, high + 1))
    return frozenset(found)


class BootstrapSettings(Settings):
    """How known crystals are found where there are none, or more of them."""

    target: str = setting("sp2-carbon", "Name of the wanted local environment.")
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

    target: str = setting("sp2-carbon", "Name of the wanted local environment.")
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


MANY, MOST_TIMES = 65_000, 10
"""Rows of the table for which specifications say the epochs: a quarter of an hour on two cores or less. Of other tables
the passes go with the root of the ratio of rows: of smaller ones more, at most so many times."""
CHECKED, LEAST_CHECKED = 2000, 200
"""Fresh samples that are drawn to judge the weights: in a training, and at least at each check."""


def _differences(registry: Registry[Any]) -> str:
    """What tells the specifications of a registry apart, in their own words; neighbours with the same words as one."""
    groups = groupby(registry.specs(), key=lambda spec: str(spec.help))
    return "; ".join(f"{', '.join(spec.name for spec in specs)}: {text}" for text, specs in groups)


def _suited(value: str) -> str:
    """What suits each generator that learns, where it differs from what suits most."""
    usual = GeneratorSpec.__dataclass_fields__[value].default
    own = {spec.name: getattr(spec, value) for spec in GENERATORS.specs() if spec.learns}
    return ", ".join([*(f"{name} {number}" for name, number in own.items() if number != usual), f"others {usual}"])


class TrainSettings(Settings):
    """Which generative model is trained, and how."""

    model: GeneratorName = setting("cvae", f"Kind of generator. {_differences(GENERATORS)}.")
    epochs: int | None = setting(
        None,
        "Most passes over the table; empty: as many as suit the model, "
        + ", ".join(f"{spec.name} {spec.epochs}" for spec in GENERATORS.specs() if spec.learns)
        + f" for {MANY:,} rows, and twice as many for a quarter of the rows.",
        ge=1,
        le=5000,
        label="Most epochs",
    )
    batch_size: int | None = setting(
        None,
        f"Rows in one step of the optimiser; empty: as many as suit the model, {_suited('batch_size')}.",
        ge=10,
        le=10000,
    )
    latent: int = setting(
        128,
        "How many numbers stand for a row inside the model, from which it writes the row (its latent space).",
        ge=2,
        le=1024,
        advanced=True,
        label="Width of the latent space",
    )
    hidden: int = setting(
        512, "Width of the two hidden layers.", ge=8, le=4096, advanced=True, label="Width of hidden layers"
    )
    width: int = setting(
        128,
        "Transformer: width of a token, a multiple of 4.",
        ge=8,
        le=1024,
        multiple_of=4,
        advanced=True,
        label="Width of tokens",
    )
    layers: int = setting(
        4, "Transformer: layers of attention.", ge=1, le=24, advanced=True, label="Layers of attention"
    )
    learning_rate: float | None = setting(
        None,
        f"Learning rate of the optimiser; empty: what suits the model, {_suited('learning_rate')}.",
        gt=0,
        le=0.1,
        advanced=True,
    )
    patience: int = setting(
        5,
        "Stop after this many checks of fresh samples in a row without more new crystals. A transformer learns to the "
        "end and keeps its last weights.",
        ge=1,
        le=1000,
        advanced=True,
        label="Patience (checks)",
    )
    check_every: int | None = setting(
        None,
        "Epochs between two checks of fresh samples; empty: a tenth of all.",
        ge=1,
        le=1000,
        advanced=True,
        label="Epochs between checks",
    )
    check_samples: int | None = setting(
        None,
        f"Fresh samples drawn for one check; empty: {CHECKED} in all checks together, at least {LEAST_CHECKED} in one.",
        ge=1,
        le=10000,
        advanced=True,
        label="Samples of a check",
    )
    quality: bool = setting(
        True, "Compare samples with the table, column by column, when the training is over.", label="Quality report"
    )
    kl_weight: float = setting(
        0.5,
        "VAE: weight of the divergence; less copies more faithfully, more varies more.",
        gt=0,
        le=100,
        advanced=True,
        label="Weight of the divergence",
    )

    @property
    def spec(self) -> GeneratorSpec:
        """The specification of the model; raises ValueError where it is no longer there."""
        return GENERATORS[self.model]

    def passes(self, rows: int) -> int:
        """Most passes over a table of so many rows; a model that learns limits only has one."""
        if not self.spec.learns:
            return 1
        return self.epochs or max(1, round(self.spec.epochs * min(MOST_TIMES, sqrt(MANY / rows))))

    @property
    def batch(self) -> int:
        """Rows in one step of the optimiser."""
        return self.batch_size or self.spec.batch_size

    @property
    def rate(self) -> float:
        """Learning rate of the optimiser."""
        return self.learning_rate or self.spec.learning_rate

    def pause(self, rows: int) -> int:
        """Epochs between two checks of fresh samples."""
        return self.check_every or -(-self.passes(rows) // 10)

    def judged(self, rows: int) -> int:
        """Fresh samples of one check: where checks are few each can have more, and tells more."""
        return self.check_samples or max(LEAST_CHECKED, CHECKED // -(-self.passes(rows) // self.pause(rows)))


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
    def asked(self) -> list[str]:
        """Words for what is not left open; a largest number of atoms alone asks for nothing."""
        found = {
            "space groups": self.system != "any" or self.groups.strip() != "",
            "a number of sites": (self.min_sites, self.max_sites) != (1, 8),
            "a number of atoms": self.min_atoms > 1,
            "low energy": self.lowest_energies < 1,
        }
        return [words for words, asked in found.items() if asked]


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
    """How candidates are brought to the wanted environment."""

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


class IdentifySettings(Settings):
    """Which crystals are identified."""

    max_atoms: int = setting(
        1000, "Crystals with more atoms in the primitive cell are not identified.", ge=1, le=10_000, label="Most atoms"
    )


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


SHAKEN = 200
"""Most atoms in the primitive cell of a crystal that is shaken: without symmetry each of them costs."""


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
        f"Of the lowest relaxed ones with at most {SHAKEN} atoms in the primitive cell so many are shaken and relaxed "
        "again, without symmetry.",
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


class RunSettings(Settings):
    """A whole run: one seed and the settings of every stage."""

    seed: int = setting(0, "One seed for all randomness of the run.", ge=0, le=2**31 - 1)
    curate: CurateSettings = CurateSettings()
    augment: AugmentSettings = AugmentSettings()
    features: FeatureSettings = FeatureSettings()
    train: TrainSettings = TrainSettings()
    sample: SampleSettings = SampleSettings()
    relax: RelaxSettings = RelaxSettings()
    rank: RankSettings = RankSettings()
    bands: BandSettings = BandSettings()
    goal: GoalSettings = GoalSettings()
    dft: DftSettings = DftSettings()


def able_to_be_asked(*, energies: bool) -> list[str]:
    """Names of the generators that can be asked for space groups, sites and atoms, and for low energies too."""
    return [spec.name for spec in GENERATORS.specs() if (spec.informed if energies else spec.conditional)]


def contradiction(settings: RunSettings) -> str:
    """What in the settings of a run cannot be together, as a sentence; "" if nothing."""
    spec, model, sample = settings.train.spec, settings.train.model, settings.sample
    willing = able_to_be_asked(energies=sample.lowest_energies < 1)
    if sample.asked and model not in willing:
        wanted = "low energy" if spec.conditional else " or ".join(sample.asked)
        return f"the model {model} cannot be asked for {wanted}: leave that open, or take {' or '.join(willing)}"
    if sample.refine_rounds and not spec.refines:
        able = " or ".join(other.name for other in GENERATORS.specs() if other.refines)
        return f"the model {model} cannot draw rows near others: set the refine rounds to 0, or take {able}"
    if settings.goal.crystals and settings.goal.kind == "low in energy" and not settings.rank.energies:
        return "crystals low in energy are the goal, but no energies are computed: compute them, or count new ones"
    return ""


def preset(name: str) -> RunSettings:
    """Settings of a run by the name of its preset: smoke, quick, standard or thorough.

    Raises ValueError for another name.
    """
    # where rows are drawn at will, another costs less than a restart
    fresh = {"restarts": 0, "merge": 0.0}
    values: dict[str, dict[str, Any]] = {
        "smoke": {
            "augment": {"rows": 1000},
            "features": {"fit_rows": 500},
            # the model that needs every stage before it
            "train": {
                "model": "vae",
                "epochs": 4,
                "check_every": 4,
                "check_samples": 20,
                "batch_size": 100,
                "quality": False,
            },
            "sample": {"samples": 100, "baseline": 100},
            "relax": {"descriptor_steps": 60, "coordination_steps": 60, "refine_steps": 100} | fresh,
            "rank": {"model": SCREEN, "max_energies": 3, "max_relaxed": 1, "max_rattled": 0, "max_atoms": 16},
        },
        "quick": {
            "augment": {"rows": 10_000},
            "features": {"fit_rows": 2000},
            "sample": {"samples": 3000},
            "relax": fresh,
            "rank": {"max_energies": 150, "max_relaxed": 8, "max_rattled": 0},
        },
        "standard": {
            "augment": {"rows": 40_000},
            "sample": {"samples": 10_000},
            "relax": fresh,
        },
        "thorough": {
            "augment": {"rows": 80_000},
            "train": {"patience": 10},
            "sample": {"samples": 100_000},
            "relax": fresh,
            "rank": {"max_energies": 20_000, "max_relaxed": 1000, "max_rattled": 50},
        },
    }
    if name not in values:
        raise ValueError(f"no preset {name!r}; choose one of {', '.join(PRESETS)}")
    return RunSettings.model_validate(values[name])
