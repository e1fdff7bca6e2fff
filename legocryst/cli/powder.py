"""Powder patterns of files of one crystal each, which need not come from us."""

import argparse
from typing import Any

from legocryst import settings as s
from legocryst.cli.crystal_files import read_one
from legocryst.cli.options import settings_of, target_of
from legocryst.cli.output import Clock, Result, say


def powder(options: argparse.Namespace) -> Result:
    """Compute the peaks of each file and how alike it is to the first; what has none carries its error."""
    from legocryst.comparison.powder import Peak, likeness
    from legocryst.comparison.powder import powder as pattern

    clock, settings = Clock(), settings_of(options, s.PowderSettings)
    element = target_of(options).atomic_number  # of tables, which name no elements
    results: list[dict[str, Any]] = []
    first: list[Peak] | None = None
    for path in options.files:
        crystal_or_reason = read_one(path, element=element, max_atoms=s.IdentifySettings().max_atoms)
        if isinstance(crystal_or_reason, str):
            results.append({"file": str(path), "error": crystal_or_reason})
            continue
        peaks = pattern(crystal_or_reason, settings=settings)
        first = peaks if first is None else first
        entry = {
            "radiation": settings.radiation,
            "space_group": int(crystal_or_reason.group[0]),
            "likeness": likeness(first, peaks),
        }
        results.append({"file": str(path)} | entry | {"peaks": [_entry(peak) for peak in peaks]})
    for result in results:
        say(f"{result['file']}: {_words(result)}")
    return {"results": results, "cpu_seconds": clock.seconds()}


def _entry(peak: Any) -> dict[str, Any]:
    values = {"two_theta": peak.angle, "intensity": peak.intensity, "d": peak.spacing}
    return values | {"hkl": [list(plane) for plane in peak.planes], "multiplicity": peak.multiplicity}


def _words(result: dict[str, Any]) -> str:
    if "error" in result:
        return f"no pattern: {result['error']}"
    largest = sorted(result["peaks"], key=lambda peak: -peak["intensity"])[:5]
    listed = ", ".join(f"{peak['two_theta']:.2f} ({' '.join(map(str, peak['hkl'][0]))})" for peak in largest)
    return f"{len(result['peaks'])} peaks, largest at {listed or 'no angle'} degrees ({result['radiation']})"
