"""What all settings are made of: fields with help and bounds, and what they take."""

import re
from dataclasses import dataclass
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo

from legocryst.vocabulary.registry import GENERATORS, POTENTIALS, Registry

System = Literal["triclinic", "monoclinic", "orthorhombic", "tetragonal", "trigonal", "hexagonal", "cubic"]
_LAST_GROUP = 230


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
    """Return a pydantic field with its help, unit and bounds.

    On the page it stands under `label`, if its name says too little, and folded away if it is `advanced`.
    """
    extra: dict[str, Any] = {"unit": unit, "advanced": advanced}
    return Field(default, title=label or None, description=help, json_schema_extra=extra, **bounds)


def label(name: str, field: FieldInfo) -> str:
    """Return what a setting is called on the page: its label, or its name as words."""
    return field.title or name[:1].upper() + name[1:].replace("_", " ")


@dataclass(frozen=True, slots=True)
class Shape:
    """What a setting takes, for forms, flags and documents."""

    base: type  # of one value
    choices: tuple[Any, ...] = ()  # the only values, where these are listed
    several: bool = False  # any number of the choices
    empty: bool = False  # None is a value too


def shape(field: FieldInfo) -> Shape:
    """Return what a field of some settings takes."""
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
    """Return space groups of a list such as "194, 200-230", all of them for ""; raises ValueError for other text."""
    if not text.strip():
        return frozenset(range(1, _LAST_GROUP + 1))
    numbers: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?", part)
        if match is None:
            raise ValueError(f"{text!r} is no list of space groups: write it as 194, 200-230")
        low, high = int(match[1]), int(match[2] or match[1])
        if not 1 <= low <= high <= _LAST_GROUP:
            raise ValueError(f"there are no space groups {part.strip()}: they run from 1 to {_LAST_GROUP}")
        numbers |= set(range(low, high + 1))
    return frozenset(numbers)
