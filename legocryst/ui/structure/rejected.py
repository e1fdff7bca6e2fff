"""Rows that are not valid: what the reason means, and which settings may let more of such rows become valid."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from legocryst.crystal.io import table
from legocryst.environment.target import Target
from legocryst.settings import RunSettings, label


@dataclass(frozen=True, slots=True)
class Advice:
    """What a reason means, with the target's numbers in braces; settings as STAGE.NAME that may help."""

    words: str
    more: tuple[str, ...] = ()  # to be made larger
    less: tuple[str, ...] = ()  # to be made smaller
    other: Mapping[str, str] | None = None  # to be set to a value


_SEARCH = ("relax.restarts", "relax.coordination_steps")
_LEARN = "The model wrote numbers that describe no crystal, which a model that learnt more does less often."
ADVICE: dict[str, Advice] = {
    "impossible cell": Advice(
        "The lengths and angles of the cell enclose no volume, or one that no crystal has. " + _LEARN,
        more=("train.epochs",),
        less=("sample.temperature",),
    ),
    "overlapping atoms": Advice(
        "Two atoms are nearer than 0.7 of a bond of {bond:g} Å. Often they are images of one atom that belongs on a "
        "more special position, onto which the merging of sites moves it.",
        more=("relax.merge", "relax.restarts"),
    ),
    "too few bonds": Advice(
        "An atom has fewer than {coordination} neighbours within {longest:g} Å. Another start of the relaxation, or "
        "more steps towards the coordination, may find the missing ones.",
        more=_SEARCH,
        less=("sample.temperature",),
    ),
    "too many bonds": Advice(
        "An atom has more than {coordination} neighbours within {longest:g} Å. Another start of the relaxation, or "
        "more steps towards the coordination, may spread the atoms.",
        more=_SEARCH,
        less=("sample.temperature",),
    ),
    "bond too short": Advice(
        "A bond is shorter than {shortest:g} Å. The last stage of the relaxation mends lengths; it may have been cut "
        "short.",
        more=("relax.refine_steps",),
    ),
    "atom in the gap": Advice(
        "Every atom has {coordination} bonds, but another one comes nearer than {gap:g} Å without being bonded. A "
        "larger weight of the coordination in the last stage keeps it out.",
        more=("relax.hold", "relax.refine_steps"),
    ),
    "angle too small": Advice(
        "Two bonds enclose less than {angle:g}°, as in a ring of three. Another start may find another net.",
        more=("relax.restarts",),
    ),
    "shape differs": Advice(
        "Every atom has {coordination} bonds of the right lengths, but those of one point in other directions than the "
        "target's vertex figure. Another start, or a larger weight of the descriptor, may find the right shape.",
        more=("relax.restarts", "relax.descriptor_steps"),
    ),
    "stopped": Advice("The job was stopped before this row was relaxed: resume it on the Jobs page."),
    table.TOO_MANY_ATOMS: Advice(
        "The conventional cell would hold more atoms than are allowed.", more=("sample.max_atoms",)
    ),
    table.FAR_FROM_POSITION: Advice(
        "A site is farther from its Wyckoff position than strict decoding lets pass.", other={"sample.decode": "snap"}
    ),
    table.FIXED_TWICE: Advice(
        "Two sites stand on a Wyckoff position without freedom, which has room for one. " + _LEARN,
        more=("train.epochs",),
        less=("sample.temperature",),
    ),
    table.NO_SITES: Advice(
        "No site is left. Decoding by dropping leaves out sites that stand beside their position.",
        other={"sample.decode": "snap"},
    ),
    table.UNKNOWN_ELEMENT: Advice(_LEARN),
    **{
        reason: Advice(_LEARN, more=("train.epochs",), less=("sample.temperature",))
        for reason in (table.OUTSIDE_GROUPS, table.OUTSIDE_POSITIONS, table.NOT_A_NUMBER, table.NOT_WHOLE)
    },
}
"""By reason; a test holds it complete."""


def explained(reason: str, target: Target) -> str:
    """Return what a reason means, in words."""
    numbers = {"shortest": target.bond_window[0], "longest": target.bond_window[1], "angle": target.min_angle}
    numbers |= {"bond": target.bond, "gap": target.gap, "coordination": target.coordination}
    return ADVICE[reason].words.format(**numbers) if reason in ADVICE else ""


def helpful(reason: str, settings: Mapping[str, Any]) -> str:
    """Return a sentence that names the settings that may help, with what they were in the job; "" where none does."""
    if reason not in ADVICE:
        return ""
    advice = ADVICE[reason]
    parts = [f"larger *{_name(path)}* (it was {_value(path, settings)})" for path in advice.more]
    parts += [f"smaller *{_name(path)}* (it was {_value(path, settings)})" for path in advice.less]
    others = {path: new for path, new in (advice.other or {}).items() if new != _value(path, settings)}
    parts += [f"*{_name(path)}* {new!r} (it was {_value(path, settings)!r})" for path, new in others.items()]
    if not parts:
        return ""
    stages = {path.split(".")[0] for path in (*advice.more, *advice.less, *others)}
    learns, makes = "train" in stages, bool(stages - {"train"})
    pages = "Train and Generate pages" if learns and makes else "Train page" if learns else "Generate page"
    return f"What may help, on the {pages}: {' or '.join(parts)}."


def _name(path: str) -> str:
    """relax.coordination_steps as on the form: Coordination steps."""
    stage, name = path.split(".")
    return label(name, type(getattr(RunSettings(), stage)).model_fields[name])


def _value(path: str, settings: Mapping[str, Any]) -> Any:
    """Return the job's value, or the default where the job's version did not have it."""
    stage, name = path.split(".")
    default = getattr(getattr(RunSettings(), stage), name)
    value = settings.get(stage, {}).get(name, default)
    if value is None:
        return "left open"
    return f"{value:g}" if isinstance(value, float) else value
