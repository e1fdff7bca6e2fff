"""A target: the local environment that every atom shall have, as data, one JSON file.

The shipped ones lie in `data/targets/`. `environment.derive` makes one of an atom of a crystal. Nothing outside this
room knows a number of carbon's.
"""

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from legocryst import DATA
from legocryst.crystal.crystals import Crystals
from legocryst.crystal.elements import ATOMIC_NUMBER
from legocryst.crystal.symmetry.wyckoff import wyckoff
from legocryst.vocabulary.registry import GeneratorSpec

FOLDER = DATA / "targets"
Length = Annotated[float, Field(gt=0, le=20)]


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DescriptorSettings(_Frozen):
    """The SO(3) power spectrum's parameters (see `environment.descriptors`)."""

    n_max: int = Field(default=2, ge=1, le=6, description="Number of radial functions.")
    l_max: int = Field(default=4, ge=0, le=8, description="Largest angular momentum.")
    r_cut: Length = Field(default=2.1, description="Cutoff radius, angstrom.")
    alpha: float = Field(default=1.5, gt=0, description="Exponent of the Gaussian at each neighbour, 1/angstrom^2.")


class ReferenceSite(_Frozen):
    """One Wyckoff site of the reference crystal."""

    element: str
    letter: str
    point: tuple[float, float, float]


class ReferenceCrystal(_Frozen):
    """The crystal whose first site shows the target environment; angles in degrees."""

    name: str
    space_group: int = Field(ge=1, le=230)
    cell: tuple[float, float, float, float, float, float]
    sites: tuple[ReferenceSite, ...]

    def crystals(self) -> Crystals:
        """Return the reference as a batch of one."""
        table = wyckoff()
        letters = list(table.letter[list(table.positions(self.space_group))])
        cell = np.concatenate([self.cell[:3], np.radians(self.cell[3:])])[None]
        sites = [(ATOMIC_NUMBER[s.element], letters.index(s.letter), s.point) for s in self.sites]
        return Crystals.build([self.space_group], cell, [sites])


class VertexFigure(_Frozen):
    """The shape that an atom's bonds must have (see `environment.vertex_figure`)."""

    directions: tuple[tuple[float, float, float], ...] = Field(description="Unit vectors of the bonds.")
    limit: float = Field(
        gt=0, le=2, description="Largest RMSD of an atom's unit bond vectors from them after the best rotation."
    )


class Orbitals(_Frozen):
    """One p orbital an atom: matrix elements in eV, lengths in angstrom (see `electronic.tight_binding`)."""

    v_pi: float = Field(lt=0, description="Between parallel orbitals side by side, at the distance r_pi.")
    v_sigma: float = Field(gt=0, description="Between orbitals end to end, at the distance r_sigma.")
    r_pi: Length
    r_sigma: Length
    decay: float = Field(gt=0, description="Of both with the distance, 1/angstrom.")
    r_cut: Length = Field(description="Where both are half cut off.")
    smooth: Length = Field(description="Width of the cut.")
    reach: Length = Field(description="No elements beyond this.")
    decay_near: float = Field(gt=0, description="Of the second, nearer than r_sigma, 1/angstrom.")
    off_plane: float = Field(ge=0, le=45, description="Degrees that an atom's bonds may be off one plane.")
    apart: Length = Field(description="Parts without bonds between them may not be nearer.")
    source: str


class Target(_Frozen):
    """The environment every atom shall have: lengths in angstrom, angles in degrees, volumes in cubic angstrom."""

    name: str = Field(max_length=60)
    title: str = Field(max_length=200)
    element: str
    coordination: int = Field(ge=1, le=12, description="Bonds of each atom.")
    bond: Length = Field(description="Ideal bond length.")
    bond_window: tuple[Length, Length] = Field(description="Shortest and longest bond of a strictly valid crystal.")
    gap: Length = Field(description="No atom beyond the bonds may be nearer than this.")
    second_shell: Length = Field(description="The coordination objective keeps non-bonded atoms outside this.")
    min_angle: float = Field(ge=0, le=180, description="Smallest angle between two bonds.")
    published_cutoff: Length = Field(description="The published criterion counts neighbours within this.")
    volume_per_atom: tuple[float, float] = Field(description="Range of volumes of random crystals.")
    start_volume: float = Field(
        gt=0, description="Volume per atom from which a relaxation starts, below any crystal's."
    )
    descriptor: DescriptorSettings
    reference: ReferenceCrystal
    orbitals: Orbitals | None = Field(default=None, description="Tight-binding model, if there is one.")
    vertex_figure: VertexFigure | None = Field(default=None, description="Shape of the bonds, where it is definite.")
    energy_reference: str = Field(
        default="", description="Shipped target whose reference crystal has energy 0; its own if none."
    )

    @model_validator(mode="before")
    @classmethod
    def _without_loss_limit(cls, values: Any) -> Any:
        """Accept targets of version 0.1.0, which had a limit on the descriptor loss; it is no criterion any more."""
        return {name: value for name, value in values.items() if name != "loss_limit"} if "name" in values else values

    @model_validator(mode="after")
    def _ordered(self) -> "Target":
        low, high = self.bond_window
        if not low < self.bond < high <= self.gap <= self.second_shell:
            raise ValueError("the lengths must be ordered: bond window around the bond, then gap, then second shell")
        smallest, largest = self.volume_per_atom
        if not 0 < smallest < largest:
            raise ValueError("the volumes per atom must be above 0, the smallest first")
        if self.element not in ATOMIC_NUMBER:
            raise ValueError(f"{self.element!r} is not a chemical element")
        if self.vertex_figure and len(self.vertex_figure.directions) != self.coordination:
            raise ValueError("vertex_figure: it must have a direction for each bond")
        if self.energy_reference not in ("", self.name, *shipped_names()):
            raise ValueError(f"energy_reference: {self.energy_reference!r} is no shipped target")
        return self

    @property
    def atomic_number(self) -> int:
        """Atomic number of the target's element."""
        return ATOMIC_NUMBER[self.element]

    @property
    def of_energy(self) -> "Target":
        """The target whose reference crystal energies are counted from: a shipped one, or itself."""
        return _shipped(self.energy_reference) if self.energy_reference not in ("", self.name) else self

    def check_generator(self, spec: GeneratorSpec) -> None:
        """Raise ValueError where the crystals of a generator cannot meet it."""
        if spec.coordination not in (None, self.coordination):
            raise ValueError(
                f"the model {spec.name} makes atoms of {spec.coordination} bonds, and those of {self.name} have "
                f"{self.coordination}: take another model"
            )


def shipped_names() -> list[str]:
    """Return names of the shipped targets."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


@lru_cache
def _shipped(name: str) -> Target:
    return read(FOLDER / f"{name}.json")


def read(path: Path) -> Target:
    """Return the target of a file; raises ValueError with one sentence for a file that is none."""
    return _parsed(path.stem, path.read_text(encoding="utf-8"))


@lru_cache
def _parsed(name: str, text: str) -> Target:
    try:
        parsed = Target.model_validate_json(text)
    except ValidationError as error:
        raise ValueError(f"{name}.json is no target ({fault(error)}): correct or delete it") from error
    if parsed.name != name:
        raise ValueError(f"the file {name}.json holds the target {parsed.name}: give it that name")
    return parsed


def fault(error: ValidationError) -> str:
    """Return what is wrong with a target, in few words."""
    first = error.errors()[0]
    message = first["msg"].removeprefix("Value error, ")
    return ": ".join([*map(str, first["loc"][:1]), f"{message[:1].lower()}{message[1:]}"])
