"""Bands of files of one crystal each, which need not come from us."""

import argparse
from contextlib import closing
from typing import TYPE_CHECKING, Any

from legocryst import settings as s
from legocryst.cli.crystal_files import advised, read_one
from legocryst.cli.options import settings_of, spread_by, target_of
from legocryst.cli.output import Clock, Result, say

if TYPE_CHECKING:
    from legocryst.crystal.crystals import Crystals
    from legocryst.environment.target import Target

ADVICE = {
    "it holds": "give a crystal of that element only",
    "an atom has": "give a three-coordinated crystal, or use `dft`",
    "an atom's bonds": "use `dft`",
    "its parts are nearer": "use a relaxed crystal, or `energy --relax`",
    "there is no tight-binding model": "choose another --target, or use `dft`",
    "there is no standard path": "correct the file",
}
"""What to do, by how the reason begins why a crystal has no bands."""


def bands(options: argparse.Namespace) -> Result:
    """Compute gap and class of each file by tight binding, and the bands along its path; else its error."""
    from legocryst.crystal.crystals import Crystals
    from legocryst.electronic.bands import estimate

    clock = Clock()
    settings, target = settings_of(options, s.BandSettings), target_of(options)
    read = [read_one(path, element=target.atomic_number, max_atoms=settings.max_atoms) for path in options.files]
    crystals = [crystal_or_reason for crystal_or_reason in read if not isinstance(crystal_or_reason, str)]
    seconds = float(estimate(Crystals.concatenate(crystals), settings).sum())
    results = []
    shared = {"target": target, "settings": settings}
    with (
        spread_by(options) as spread,
        closing(spread.map(_entry, crystals, shared=shared, seconds=seconds)) as entries,
    ):
        for path, crystal_or_reason in zip(options.files, read, strict=True):
            entry = {"error": crystal_or_reason} if isinstance(crystal_or_reason, str) else next(entries)
            results.append({"file": str(path)} | entry)
            say(f"{path}: {_words(entry)}")
        return {"results": results, "cpu_seconds": clock.seconds(spread.cpu_seconds)}


def _entry(crystal: "Crystals", target: "Target", settings: s.BandSettings) -> dict[str, Any]:
    from legocryst.electronic.bands import NoBands
    from legocryst.electronic.bands import bands as of

    try:
        result = of(crystal, target, settings)
    except NoBands as error:
        return {"error": advised(str(error), ADVICE, default="give it in another cell")}
    gap, path = result.gap, result.path
    return {
        "gap": round(gap.gap, 4),
        "class": gap.band_class,
        "direct": gap.direct,
        "overlap": round(gap.overlap, 4),
        "model": target.orbitals.source if target.orbitals else "",
        "space_group": int(crystal.group[0]),
        "atoms": len(result.cell.species),
        "path": [[round(at, 5), name] for at, name in path.ticks],
        "kpoints": path.kpoints.round(6).tolist(),
        "bands": result.levels.round(4).tolist(),
    }


def _words(entry: dict[str, Any]) -> str:
    if "error" in entry:
        return f"no bands: {entry['error']}"
    if entry["class"] != "semiconductor":
        return f"{entry['class']}, bands overlap by {entry['overlap']:.2f} eV"
    return f"{entry['class']}, gap {entry['gap']:.2f} eV, {'direct' if entry['direct'] else 'indirect'}"
