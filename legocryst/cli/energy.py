"""Energies of files of one crystal each, which need not come from us."""

import argparse
from typing import TYPE_CHECKING, Any

from legocryst import settings as s
from legocryst.cli.crystal_files import advised, read_one
from legocryst.cli.options import settings_of, spread_by, target_of
from legocryst.cli.output import Clock, Result, Ticker, say
from legocryst.infra.run_context import RunContext

if TYPE_CHECKING:
    from legocryst.crystal.crystals import Crystals
    from legocryst.environment.target import Target

ADVICE = {
    "it holds": "give a crystal of the target's element only, or another --target",
    "not known to the potential": "take another --model",
    "a molecule in a box": "give a crystal",
    "its parts are": "bring them nearer, or leave out --relax",
    "not enough memory": "use fewer --threads, or a smaller crystal",
    "the potential failed": "report this as a fault",
}
"""What to do, by how the reason begins why a crystal has no energy."""
DONE = (
    *("converged", "relax_reason", "relax_steps", "net_kept", "coordination_kept", "relaxed_key", "energy_before"),
    *("dispersion", "volume_change", "rmsd", "force", "stress", "relaxed_density"),
)
"""Quantities that say what a relaxation did."""


def energy(options: argparse.Namespace) -> Result:
    """Compute the energy of each file as it stands or, with `--relax`, relaxed; what fails carries its error."""
    from legocryst.crystal.crystals import Crystals

    clock = Clock()
    settings = settings_of(options, s.EnergySettings)
    target = target_of(options)  # an unknown one is refused before the work
    results: list[dict[str, Any]] = []
    crystals, elsewhere = [], 0.0
    for path in options.files:
        crystal_or_reason = read_one(path, element=target.atomic_number, max_atoms=settings.max_atoms)
        results.append(
            {"file": str(path)} | ({"error": crystal_or_reason} if isinstance(crystal_or_reason, str) else {})
        )
        crystals += [] if isinstance(crystal_or_reason, str) else [crystal_or_reason]
    if crystals:
        good = [result for result in results if "error" not in result]
        with spread_by(options) as spread:
            context = RunContext(executor=spread, progress=Ticker("energy"))
            entries = _entries(Crystals.concatenate(crystals), target, settings, context, relax=options.relax)
            elsewhere = spread.cpu_seconds
        for result, entry in zip(good, entries, strict=True):
            result |= entry
    for result in results:
        say(f"{result['file']}: {_words(result)}")
    return {"results": results, "cpu_seconds": clock.seconds(elsewhere)}


def _entries(
    crystals: "Crystals", target: "Target", settings: s.EnergySettings, context: RunContext, *, relax: bool
) -> list[dict[str, Any]]:
    """Return what is known of each crystal."""
    from legocryst.crystal.io.structures import to_cif
    from legocryst.crystal.symmetry.primitive import primitive_atoms
    from legocryst.potentials.energies import energies, relaxed
    from legocryst.potentials.reference_energy import reference_energy

    if relax:
        outcome = relaxed(crystals, target, settings, context)
        crystals, table = outcome.crystals, outcome.table
        energy, reason = table["relaxed_energy"].to_numpy(), table["energy_reason"].to_numpy()
    else:
        single = energies(crystals, target, settings, context)
        energy, reason = single.energy, single.reason
    zero = reference_energy(settings, target) if "" in reason else 0.0
    entries = []
    for k, atoms in enumerate(primitive_atoms(crystals)):
        if reason[k]:
            entries.append({"error": advised(reason[k], ADVICE)})
            continue
        entry: dict[str, Any] = {"energy_per_atom": float(energy[k] + zero), "energy_above_reference": float(energy[k])}
        entry |= {"model": settings.model, "space_group": int(crystals.group[k]), "atoms": int(atoms)}
        done = _done(table.iloc[k].to_dict()) | {"cif": to_cif(crystals, k)} if relax else False
        entries.append(entry | {"relaxed": done})
    return entries


def _done(row: dict[Any, Any]) -> dict[str, Any]:
    """Return what a relaxation did; what has no value is left out."""
    values = {name: row[name] for name in DONE if row[name] == row[name] and row[name] != ""}
    return {name: value.item() if hasattr(value, "item") else value for name, value in values.items()}


def _words(result: dict[str, Any]) -> str:
    if "error" in result:
        return f"no energy: {result['error']}"
    text, done = f"{result['energy_above_reference']:.4f} eV/atom above the reference", result["relaxed"]
    if not done:
        return f"{text}, as it stands ({result['model']})"
    state = "relaxed" if done["converged"] else done["relax_reason"]
    return f"{text}, {state}, net {'kept' if done['net_kept'] else 'changed'} ({result['model']})"
