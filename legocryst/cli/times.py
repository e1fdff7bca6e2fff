"""How long each preset takes on this machine, from the finished jobs of a workspace."""

import argparse

from legocryst import settings as s
from legocryst.cli.output import Result, say


def times(options: argparse.Namespace) -> Result:
    """Estimate the seconds of each preset, with the range, and name the stages that were never measured."""
    from legocryst.infra.workspace import default_workspace
    from legocryst.jobs.estimates import estimates, known, total

    measured = known(options.workspace or default_workspace())
    if not measured.measures:
        raise ValueError("this workspace has no finished job to measure: make one with `run --preset smoke`")
    presets = {}
    for name in s.PRESETS:
        parts, missing = estimates(s.preset(name), "run", measured, threads=options.threads)
        overall = total(parts.values())
        say(f"{name}: {overall.words}" + (f", without {', '.join(missing)}, never measured here" if missing else ""))
        presets[name] = {
            "seconds": round(overall.seconds),
            "low": round(overall.low),
            "high": round(overall.high),
            "stages": {stage: round(part.seconds, 1) for stage, part in parts.items()},
            "not_measured": missing,
            "jobs": sorted(overall.jobs),
        }
    return {"threads": options.threads, "presets": presets}
