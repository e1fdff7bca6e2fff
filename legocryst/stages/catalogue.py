"""All stages, in order: what the modules of this room have under the name STAGE."""

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from legocryst.settings import RunSettings
from legocryst.stages.base import Stage, When
from legocryst.vocabulary.quantities import add_quantities

_ORDER: tuple[When, ...] = ("once", "batch", "beside", "round", "end", "alone")


def _found() -> Iterator[Stage]:
    """Import the modules that have a stage, and no others."""
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if re.search(r"^STAGE = Stage\(", path.read_text(encoding="utf-8"), re.MULTILINE):
            yield import_module(f"legocryst.stages.{path.stem}").STAGE


def _listed() -> dict[str, Stage]:
    """Return the stages by name; raises ValueError where two have one number."""
    listed: dict[int, Stage] = {}
    for stage in _found():
        if stage.number in listed:
            raise ValueError(f"stage {stage.name} has the number of {listed[stage.number].name}: give it another one")
        if stage.settings and stage.settings not in RunSettings.model_fields:
            raise ValueError(f"stage {stage.name} has settings {stage.settings!r}, which RunSettings has not: add them")
        listed[stage.number] = stage
        for table in stage.tables:
            add_quantities(*table.quantities)
    ordered = sorted(listed.values(), key=lambda stage: (_ORDER.index(stage.when), stage.number))
    return {stage.name: stage for stage in ordered}


STAGES = _listed()
"""Every stage by its name."""
RUN = tuple(name for name, stage in STAGES.items() if stage.when not in ("beside", "alone"))
"""Names of the stages of a run, in order. A job's command is "run", a stage after which it ends, or one done alone."""
ALONE = tuple(name for name, stage in STAGES.items() if stage.when == "alone")
"""Names of stages that are jobs of their own."""


def title(name: str) -> str:
    """Return the words for a stage; its name, where this version does not have it."""
    return STAGES[name].title if name in STAGES else name


def stages_of(settings: RunSettings, command: str = "run") -> tuple[str, ...]:
    """Return the stages that a job with these settings does, up to the one that its command names.

    On the way to a model those are left out that it does not learn from (see `GeneratorSpec.learns_from`).
    """
    if command in ALONE:
        return (command,)
    last = RUN.index(command) if command in RUN else len(RUN)
    to_a_model = last >= RUN.index("train")
    return tuple(
        name
        for name in RUN[: last + 1]
        if not (to_a_model and STAGES[name].for_learning) or name in settings.train.spec.learns_from
    )
