"""Targets by name: the shipped ones, and those of a user in a workspace and in the folders of jobs."""

import re
from pathlib import Path

from legocryst.environment.target import Target, _shipped, read, shipped_names
from legocryst.infra.files import write_json
from legocryst.infra.workspace import TARGETS, target_files

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
"""Names of targets, which are names of files too."""


def saved_names(workspace: Path) -> list[str]:
    """Return names of the targets that were saved in a workspace."""
    return sorted(path.stem for path in (workspace / TARGETS).glob("*.json"))


def target_names(place: Path | None = None) -> list[str]:
    """List the names of the shipped targets, then of those saved in a workspace."""
    return shipped_names() + (saved_names(place) if place else [])


def target(name: str, place: Path | None = None) -> Target:
    """Look a target up by name, once, where the name enters: everything below is given the Target.

    `place` is a workspace, whose saved targets and those of its jobs are known beside the shipped ones, or the folder
    of a job. Raises ValueError for an unknown name, or a file that is no target.
    """
    if name in shipped_names():
        return _shipped(name)
    files = target_files(place, name) if place and NAME.fullmatch(name) else []
    if not files:
        raise ValueError(f"there is no target {name!r}; choose one of {', '.join(target_names(place))}")
    return read(files[0])


def save(new: Target, workspace: Path) -> Path:
    """Keep a target in a workspace under its name; returns the file.

    A name stands for one target as long as the workspace lives. Raises ValueError where it is taken: by a shipped
    target, by a saved one, or by another that jobs were made with.
    """
    if not NAME.fullmatch(new.name):
        raise ValueError(f"{new.name!r} cannot be the name of a target: use small letters, digits and hyphens")
    if new.name in target_names(workspace):
        raise ValueError(f"the name {new.name} is taken by another target: choose another name")
    if any(read(path) != new for path in target_files(workspace, new.name)):
        raise ValueError(f"jobs were made with another target of the name {new.name}: choose another name")
    path = workspace / TARGETS / f"{new.name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, new.model_dump(mode="json"))
    return path


def delete(name: str, workspace: Path) -> None:
    """Forget a saved target; jobs that were made with it keep it. Raises ValueError where there is none."""
    if name not in saved_names(workspace):
        raise ValueError(f"no target {name!r} was saved in this workspace; shipped ones cannot be deleted")
    (workspace / TARGETS / f"{name}.json").unlink(missing_ok=True)
