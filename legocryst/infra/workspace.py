"""The workspace: which folder it is, and where the targets of a user lie in it.

    workspace/targets/NAME.json            those that were saved
    workspace/jobs/<id>/targets/NAME.json  the one that a job was made with, which outlives the first

One name stands for one target in the whole workspace (see `environment.targets.save`), so that any of these files will
do. A job finds its target in its own folder, whatever became of the workspace's.
"""

import os
from pathlib import Path

TARGETS = "targets"
"""Folder of a workspace, and of a job, with targets of the user's."""


def default_workspace() -> Path:
    """Return the folder named by LEGOCRYST_WORKSPACE, else ./workspace."""
    return Path(os.environ.get("LEGOCRYST_WORKSPACE") or "workspace")


def target_files(place: Path, name: str = "*") -> list[Path]:
    """Return files of targets of the user's in a workspace or a job, all or those of one name, the saved ones first."""
    saved = sorted((place / TARGETS).glob(f"{name}.json"))
    return saved + sorted((place / "jobs").glob(f"[!.]*/{TARGETS}/{name}.json"))
