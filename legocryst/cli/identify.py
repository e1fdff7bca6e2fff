"""What crystals in files are: their nets, whether these are known, and which known crystals are nearest."""

import argparse
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from legocryst import settings as s
from legocryst.cli.crystal_files import advised, read_one
from legocryst.cli.options import settings_of, target_of
from legocryst.cli.output import Clock, Result, Ticker, say

if TYPE_CHECKING:
    from legocryst.crystal.crystals import Crystals
    from legocryst.environment.target import Target

ADVICE = {
    "a molecule in a box": "give a crystal",
}
"""What to do, by how the reason begins why a crystal is not identified."""


def identify(options: argparse.Namespace) -> Result:
    """Identify net, topology and novelty of each file; what cannot be identified carries its error."""
    clock, target = Clock(), target_of(options)
    settings = settings_of(options, s.IdentifySettings)
    results: list[dict[str, Any]] = []
    good: list[Crystals] = []
    with ExitStack() as stack:
        library: Library | None = None
        ticker = Ticker("identify", after=2)
        for done, path in enumerate(options.files, 1):
            crystal_or_reason = read_one(path, element=target.atomic_number, max_atoms=settings.max_atoms)
            error = (
                crystal_or_reason
                if isinstance(crystal_or_reason, str)
                else refusal(crystal_or_reason, target, settings.max_atoms)
            )
            if isinstance(crystal_or_reason, str) or error:
                results.append({"file": str(path), "error": error})
            else:
                library = library or Library(options, target, stack)
                results.append({"file": str(path)} | library.entry(crystal_or_reason))
                good.append(crystal_or_reason)
            ticker(done, len(options.files))
    _note_duplicates([result for result in results if "error" not in result], good, target)
    for result in results:
        say(f"{result['file']}: {_words(result)}")
    return {"results": results, "cpu_seconds": clock.seconds()}


def _note_duplicates(entries: list[dict[str, Any]], crystals: "list[Crystals]", target: "Target") -> None:
    """Tell of each crystal which earlier one of the files is the same, and why; None where it is the first."""
    from legocryst.comparison.duplicates import grouped
    from legocryst.comparison.pdd import pdds
    from legocryst.crystal.crystals import Crystals

    together = Crystals.concatenate(crystals)
    for entry in entries:
        entry["duplicate_of"] = None
    for one in grouped([entry["key"] for entry in entries], pdds(together, target), together):
        entries[one.crystal]["duplicate_of"] = {"file": entries[one.same_as]["file"], "reason": one.reason}


def refusal(crystal: "Crystals", target: "Target", max_atoms: int) -> str:
    """Say why a crystal is not identified and what to do, in one sentence; "" if it is."""
    from legocryst.crystal.elements import SYMBOLS
    from legocryst.potentials import base
    from legocryst.topology.nets import nets

    others = sorted({SYMBOLS[k] for k in crystal.species} - {target.element})
    if others:
        return (
            f"it holds {', '.join(others)}, and the bonds of {target.name} are between atoms of {target.element}: "
            "give a crystal of that element only"
        )
    reason = base.refusal(crystal, target, max_atoms)
    reason = reason or base.apart(crystal, nets(crystal, cutoff=target.bond_window[1])[0], relax=False)
    return advised(reason, ADVICE) if reason else ""


class Library:
    """The crystals that count as known: the shipped ones, reference files, and those of a workspace."""

    def __init__(self, options: argparse.Namespace, target: "Target", stack: ExitStack) -> None:
        from legocryst.comparison import novelty as n
        from legocryst.database.store import snapshot
        from legocryst.stages.curate import known, reference, shipped

        self._target, self._store = target, None
        self._keys: dict[str, set[str]] = {n.TRAINING: set(), n.REFERENCE: set()}
        self._known = n.Known.none()
        if len(table := shipped(target.name)):
            self._known += known(table, target, of_set=n.SHIPPED if options.workspace else n.TRAINING)
            self._keys[n.TRAINING] = set(table["net_key"])
        if options.reference:
            curated = reference(options.reference, target, s.CurateSettings(target=target.name))
            self._known += known(curated.table, target, of_set=n.REFERENCE, crystals=curated.crystals)
            self._keys[n.REFERENCE] = set(curated.table["net_key"])
        if options.workspace:
            self._store = stack.enter_context(snapshot(options.workspace))
            self._keys[n.TRAINING] = self._column("seeds")
            self._keys[n.REFERENCE] |= self._column("reference")
            self._keys[n.DATABASE] = self._column("candidates", "AND t.status = 'valid'")

    def entry(self, crystal: "Crystals") -> dict[str, Any]:
        """Return what is known of the one crystal of a batch."""
        from legocryst.comparison.novelty import novelty
        from legocryst.comparison.pdd import pdds
        from legocryst.crystal.symmetry.primitive import primitive_atoms
        from legocryst.topology.symbols import topology

        net = topology(crystal, cutoff=self._target.bond_window[1])
        near = self._nearest(pdds(crystal, self._target)[0])
        if near is not None:
            near["same_net"] = near.pop("net_key") == net.net.key
        return net.entry() | {
            "space_group": int(crystal.group[0]),
            "atoms": int(primitive_atoms(crystal)[0]),
            "novelty": novelty(net.net.key, net.net.name, self._keys),
            "nearest": near,
        }

    def _nearest(self, pdd: Any) -> dict[str, Any] | None:
        """Return the known crystal that is nearest, and how far, in angstrom; None where nothing is known."""
        from legocryst.comparison.novelty import DATABASE
        from legocryst.database.similar import similar

        known = self._known
        neighbours: list[dict[str, Any]] = [
            {"name": known.names[k], "set": known.sets[k], "net_key": known.keys[k], "distance": apart}
            for apart, k in known.nearest(pdd)
        ]
        if self._store is not None:
            rows = similar(self._store, pdd, self._target, repeated=True, most=1)
            for name, key, apart in rows[["id", "net_key", "distance"]].itertuples(index=False):
                neighbours.append({"name": name, "set": DATABASE, "net_key": key, "distance": float(apart)})
        return min(neighbours, key=lambda one: one["distance"], default=None)

    def _column(self, table: str, more: str = "") -> set[str]:
        assert self._store is not None
        sql = f'SELECT DISTINCT t.net_key FROM "{table}" t JOIN jobs j USING (job) WHERE j.target = ? {more}'
        return set(self._store.query(sql, [self._target.name])["net_key"])


def _words(result: dict[str, Any]) -> str:
    if "error" in result:
        return f"not identified: {result['error']}"
    near = result["nearest"]
    text = f"{result['net'] or 'a net without a name'} ({result['key']}), {result['kind']}, {result['point_symbol']}"
    text += f"; the same as {result['duplicate_of']['file']}" if result["duplicate_of"] else ""
    nearest = f"; nearest {near['name']} ({near['set']}), {near['distance']:.3f} angstrom" if near else ""
    return f"{text}; {result['novelty']}{nearest}"
