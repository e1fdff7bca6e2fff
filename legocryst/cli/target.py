"""Targets: what there is, what one says, and a new one of an atom in a crystal."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from legocryst.cli.output import Result, say
from legocryst.infra.workspace import default_workspace

if TYPE_CHECKING:
    from legocryst.environment.target import Target


def target(options: argparse.Namespace) -> Result:
    """Do what was asked for; refuses an action that lacks its name or file."""
    if options.action == "list":
        return _listed(_workspace(options))
    if not options.what:
        raise ValueError(f"target {options.action} needs {'a file' if options.action == 'make' else 'a name'}")
    return {"show": _shown, "make": _made, "delete": _deleted}[options.action](options)


def _workspace(options: argparse.Namespace) -> Path:
    return options.workspace or default_workspace()


def _listed(workspace: Path) -> Result:
    from legocryst.environment.target import shipped_names
    from legocryst.environment.target_library import target as find
    from legocryst.environment.target_library import target_names

    names, shipped = target_names(workspace), shipped_names()
    for name in names:
        say(f"{name}: {find(name, workspace).title} ({'shipped' if name in shipped else 'saved'})")
    return {"targets": names}


def _shown(options: argparse.Namespace) -> Result:
    from legocryst.environment.target_library import target as find

    return find(options.what, _workspace(options)).model_dump(mode="json", exclude_none=True)


def _deleted(options: argparse.Namespace) -> Result:
    from legocryst.environment.target_library import delete

    delete(options.what, _workspace(options))
    return {"deleted": options.what}


def _made(options: argparse.Namespace) -> Result:
    """Return the new target, or the atoms to choose from."""
    from legocryst.environment.derive import derive, edited, sites
    from legocryst.environment.target_library import save

    path = Path(options.what)
    crystal = _crystal(path, options.symprec)
    if not options.name:
        for site in sites(crystal):
            near = ", ".join(f"{e} {r:.3f}" for e, r in zip(site.elements[:8], site.distances, strict=False))
            say(f"atom {site.number}: {site.element} on {site.wyckoff}, {site.coordination} bonds, neighbours {near}")
        return {"atoms": len(crystal.species), "space_group": int(crystal.group[0])}
    new = derive(
        crystal,
        options.atom,
        name=options.name,
        title=options.title,
        coordination=options.coordination,
        reference=path.stem,
    )
    new = edited(new, dict(map(_change, options.changes)))
    file = save(new, _workspace(options))
    return {"saved": str(file), **_summary(new)}


def _crystal(path: Path, symprec: float) -> Any:
    """Return the one crystal of a file."""
    from legocryst.crystal.io.inputs import offers
    from legocryst.crystal.io.structures import FileError

    candidates = offers(path, symprec=symprec)
    if len(candidates) != 1:
        raise FileError(f"{path.name} holds {len(candidates)} crystals: give a file of one crystal")
    if candidates[0].crystal is None:
        raise FileError(candidates[0].reason)
    return candidates[0].crystal


def _change(text: str) -> tuple[str, Any]:
    """Return a field and its new value: a number, numbers with commas between them, or a text."""
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"{text!r} changes nothing: write FIELD=VALUE, such as gap=1.9")
    try:
        numbers = json.loads(f"[{value}]")
    except json.JSONDecodeError:
        return name, value
    return name, numbers[0] if len(numbers) == 1 else numbers


def _summary(new: "Target") -> Result:
    values = new.model_dump(mode="json", exclude={"orbitals", "reference"})
    return values | {"reference": f"{new.reference.name}, space group {new.reference.space_group}"}
