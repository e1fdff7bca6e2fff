"""3D views of crystals in files, or of a workspace's, as pages that work offline."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from legocryst import settings as s
from legocryst.cli.crystal_files import read_one
from legocryst.cli.options import target_of
from legocryst.cli.output import Clock, Result, say
from legocryst.infra.extras import require

if TYPE_CHECKING:
    from legocryst.crystal.crystals import Crystals
    from legocryst.database.store import Store

COLOURS = ("element", "site", "coordination", "ring-size")
WAYS = ("ball-and-stick", "sticks", "space-filling")
CELLS = (1, 1, 1)
MAX_CUTOFF = 4.0
"""Angstrom; the longest bond that the page can be asked for too."""


def view(options: argparse.Namespace) -> Result:
    """Write a page for each file, or for each crystal of the workspace that is named; what cannot be drawn says why."""
    from legocryst.database.store import snapshot

    require("app")
    clock, target = Clock(), target_of(options)
    if options.cutoff is not None and not 0 < options.cutoff <= MAX_CUTOFF:
        raise ValueError(f"--cutoff must be above 0 and at most {MAX_CUTOFF:g} angstrom (given: {options.cutoff:g})")
    results: list[dict[str, Any]] = []
    if options.workspace is None:
        for path in map(Path, options.crystals):
            crystal_or_reason = read_one(path, element=target.atomic_number, max_atoms=s.IdentifySettings().max_atoms)
            cutoff = target.bond_window[1] if options.cutoff is None else options.cutoff
            results.append({"file": str(path)} | _written(crystal_or_reason, path.stem, cutoff, {}, options))
    else:
        with snapshot(options.workspace) as store:
            results += [{"crystal": name} | _of_workspace(store, name, options) for name in options.crystals]
    for result in results:
        said = f"no view: {result['error']}" if "error" in result else f"{result['atoms']} atoms, {result['view']}"
        say(f"{result.get('file') or result['crystal']}: {said}")
    return {"results": results, "cpu_seconds": clock.seconds()}


def _of_workspace(store: "Store", name: str, options: argparse.Namespace) -> dict[str, Any]:
    """Return the view of a crystal of the database as it was generated, with what is known of it."""
    from legocryst.database.schema import StoreError
    from legocryst.ui.structure.facts import facts
    from legocryst.ui.structure.net_section import stored

    try:
        rows = store.crystal(name)
    except StoreError as error:
        return {"error": str(error)}
    row = rows.iloc[0]
    if row["status"] == "undecodable":
        return {"error": f"the row is no crystal ({row['reason']}): the Structure page shows its numbers"}
    target = target_of(options, row["target"])
    crystal, usual = stored(rows, target), target.bond_window[1]
    cutoff = usual if options.cutoff is None else options.cutoff
    return _written(crystal, name, cutoff, facts(row, crystal), options)


def _written(
    crystal: "Crystals | str", name: str, cutoff: float, facts: dict[str, str], options: argparse.Namespace
) -> dict[str, Any]:
    """Return the page of a crystal in the folder, and what it shows; `crystal` may be the reason why there is none."""
    from legocryst.ui.widgets.atom_marks import marks
    from legocryst.ui.widgets.scene import SceneError, scene
    from legocryst.ui.widgets.viewer import Look, standalone

    if isinstance(crystal, str):
        return {"error": crystal}
    a, b, c = options.cells
    try:
        drawn = scene(crystal, cutoff=cutoff, supercell=(a, b, c))
    except SceneError as error:
        return {"error": str(error)}
    shown = marks(crystal, kind=_word(options.colours), cutoff=cutoff)
    look = Look(way=_word(options.drawn_as), marks=shown, labels=options.labels, cell=not options.no_cell)
    path = options.out / f"{name}.html"
    options.out.mkdir(parents=True, exist_ok=True)
    path.write_text(standalone(drawn, title=name, look=look, facts=facts), encoding="utf-8")
    return {
        "view": str(path),
        "atoms": int(drawn.inside.sum()),
        "bonds": len(drawn.bonds),
        "colours": dict(zip(shown.short, shown.words, strict=True)),
    }


def _word(text: str) -> str:
    """Return ring-size as the page says it: Ring size."""
    return text.replace("-", " ").capitalize()
