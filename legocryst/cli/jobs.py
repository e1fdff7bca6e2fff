"""The jobs of a workspace: listed with their disk use, compared, deleted."""

import argparse
from typing import Any

from legocryst.cli.output import Result, say


def jobs(options: argparse.Namespace) -> Result:
    """List every job with its state and size, newest first; with `--delete` that one is deleted before."""
    from legocryst.infra.workspace import default_workspace
    from legocryst.jobs import compare as comparison
    from legocryst.jobs.record import job
    from legocryst.jobs.record import jobs as all_jobs

    workspace = options.workspace or default_workspace()
    if options.delete:
        job(workspace, options.delete).delete()
        say(f"job {options.delete} is deleted; the database forgets it when it is next opened")
    listed = []
    for each in all_jobs(workspace):
        number = comparison.size(each.folder)
        say(f"{each.id}  {each.command}  {each.state}  {comparison.spoken(number)}")
        listed.append({"job": each.id, "command": each.command, "state": each.state, "bytes": number})
    return {"jobs": listed}


def compare(options: argparse.Namespace) -> Result:
    """List settings of two jobs that differ, and their counts side by side."""
    from legocryst.infra.workspace import default_workspace
    from legocryst.jobs import compare as comparison
    from legocryst.jobs.record import job

    workspace = options.workspace or default_workspace()
    first, second = (job(workspace, name) for name in options.jobs)
    differing = comparison.differing(first, second)
    for stage, name, one, two in differing:
        say(f"{stage}.{name}: {one}, {two}")
    counts: list[dict[str, Any]] = [comparison.numbers(each) for each in (first, second)]
    names = list(dict.fromkeys([*counts[0], *counts[1]]))
    for name in names:
        say(f"{name}: {', '.join(str(count.get(name, 'none')) for count in counts)}")
    return {
        "settings": {f"{stage}.{name}": [one, two] for stage, name, one, two in differing},
        "counts": {name: [count.get(name) for count in counts] for name in names},
    }
