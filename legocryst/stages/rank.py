"""Rank: new crystals ordered by energy; the most promising relaxed with a potential."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from legocryst.crystal.crystals import Crystals
from legocryst.infra.files import write_parquet
from legocryst.infra.phrases import several
from legocryst.infra.run_context import SILENT, RunContext
from legocryst.settings import MAX_RATTLED_ATOMS, MEAN_STEPS, SCREEN, RankSettings
from legocryst.stages import drawn
from legocryst.stages.base import Amount, Attempt, JobFiles, Paper, Stage, Table
from legocryst.vocabulary.quantities import ENERGY_COLUMNS
from legocryst.vocabulary.registry import POTENTIALS

if TYPE_CHECKING:
    from legocryst.environment.target import Target

NOT_ASKED = "energies were not asked for"
NET_LOST = "the relaxation changed its net"
NOT_TAKEN = {
    "learned": "not among the {} chosen for an energy",
    "random": "not among the {} drawn for an energy",
    "smallest": "not among the {} smallest cells",
}
"""Why there is no energy, by the order in which they are computed, with how many there are."""
_TYPES = (
    dict.fromkeys(("energy", "screen_energy", "relaxed_energy", "energy_before", "dispersion"), "float64")
    | dict.fromkeys(("volume_change", "rmsd", "force", "stress", "relaxed_density", "rattle_energy"), "float64")
    | dict.fromkeys(("predicted_energy", "predicted_error", "screen_seconds"), "float64")
    | dict.fromkeys(("relaxed", "low_energy", "net_kept", "coordination_kept", "converged", "rattle_kept"), "boolean")
    | dict.fromkeys(("relax_steps", "rank", "energy_round"), "Int64")
)
_TEXTS = ("energy_model", "energy_reason", "relaxed_key", "relax_reason", "rattle_reason", "relaxed_cif")
COLUMNS = ("row", *_TYPES, *_TEXTS)
CACHE = "energies"
"""Folder of a job with the energies it computed."""


def rank(
    relaxed: pd.DataFrame,
    target: "Target",
    settings: RankSettings,
    context: RunContext = SILENT,
) -> pd.DataFrame:
    """Rank every crystal of a table with `row`, `kind` and METHOD's columns by energy, the lowest first.

    Energies of crystals as they stand are computed first, of all or, in `settings.order`, of `settings.max_energies`.
    Of frameworks and of other kinds, each, the `settings.max_relaxed` lowest are then relaxed, and of the relaxed
    frameworks of at most MAX_RATTLED_ATOMS atoms the `settings.max_rattled` lowest rattled. Columns: COLUMNS.
    `energy` is that of the relaxed crystal, if it kept its net, or of the crystal as it stands, if it was not relaxed.
    `context.progress(done, total, seconds_left=...)` counts what is computed, as in `crystal.batch.computed`.
    """
    relaxed = relaxed.reset_index(drop=True)
    energies = pd.DataFrame({"energy_reason": NOT_ASKED}, index=relaxed.index)
    if len(relaxed) and settings.energies:
        energies = _computed(relaxed, target, settings, context)
    table = relaxed[["row"]].join(energies).reindex(columns=COLUMNS)
    table["rank"] = table["energy"].astype(float).rank(method="first")
    table = table.astype(_TYPES).fillna(dict.fromkeys(_TEXTS, ""))
    return table.sort_values("rank", ignore_index=True, na_position="last", kind="stable")


def _computed(relaxed: pd.DataFrame, target: "Target", settings: RankSettings, context: RunContext) -> pd.DataFrame:
    """Return what is computed of each row; what is not is missing."""
    from legocryst.crystal.io.table import decode

    decoded = decode(relaxed, element=target.atomic_number, max_atoms=100_000)
    crystals, rows = decoded.crystals, decoded.rows
    table = pd.DataFrame({"energy_reason": decoded.reason, "energy_model": "", "relaxed": None, "rattle_reason": ""})
    framework = (relaxed["kind"] == "framework").to_numpy()
    ticks = _Ticks(crystals, framework[rows], settings, context)

    single = _screened(crystals, framework[rows], target, settings, context, ticks).set_index(rows)
    table.loc[rows, single.columns] = single
    with_energy = rows[single["energy_reason"] == ""]
    table.loc[with_energy, ["energy_model", "relaxed"]] = SCREEN, False
    best = _best(single["screen_energy"].to_numpy(), framework[rows], settings.max_relaxed)
    ticks.parts["relax"] = len(best)
    after = _relaxed(crystals.take(best), target, settings, context.with_progress(ticks.of("relax"))).set_index(
        rows[best]
    )
    table = _joined(table, after, framework, settings)
    if settings.max_rattled:
        table = table.drop(columns=["rattle_reason"]).join(_rattled(table, target, settings, context, ticks))
    return table.drop(columns=["crystal"])


def _screened(
    crystals: Crystals,
    framework: np.ndarray,
    target: "Target",
    settings: RankSettings,
    context: RunContext,
    ticks: "_Ticks",
) -> pd.DataFrame:
    """Return energies as they stand of all crystals or of those that are taken, and what is predicted of the others."""
    from legocryst.crystal.symmetry.primitive import primitive_atoms
    from legocryst.potentials.base import refusal
    from legocryst.potentials.energies import energies, estimate

    size, most = primitive_atoms(crystals), settings.max_energies
    fits = np.flatnonzero(size <= settings.max_atoms)
    table = pd.DataFrame({"screen_energy": np.nan, "energy_reason": ""}, index=range(len(crystals)))
    table["screen_seconds"] = estimate(crystals, SCREEN)
    table.loc[fits, "energy_reason"] = NOT_TAKEN[settings.order].format(most)
    for k in np.flatnonzero(size > settings.max_atoms).tolist():
        table.loc[k, "energy_reason"] = refusal(crystals.take([k]), target, settings.max_atoms)
    done = 0

    def evaluate(places: np.ndarray) -> np.ndarray | None:
        """Return energies of some of those that fit; None when the work was stopped."""
        nonlocal done
        taken = fits[places]
        screen = settings.model_copy(update={"model": SCREEN})
        screened = energies(
            crystals.take(taken), target, screen, context.with_progress(ticks.of("screen", before=done))
        )
        table.loc[taken, "screen_energy"], table.loc[taken, "energy_reason"] = screened.energy, screened.reason
        done += len(taken)
        return None if (screened.reason == "stopped").any() else screened.energy

    if len(fits) <= most or settings.order == "smallest":
        evaluate(np.argsort(size[fits], kind="stable")[:most])
        return table
    from legocryst.active_learning.acquisition import Acquisition, acquire
    from legocryst.active_learning.crystal_features import GROUPS, crystal_features

    choice = acquire(
        crystal_features(crystals.take(fits), target),
        GROUPS,
        Acquisition(framework[fits].astype(int), settings.low_energy, settings.max_relaxed),
        evaluate,
        most=most,
        rounds=settings.rounds if settings.order == "learned" else 1,
        rng=context.rng(),
    )
    table.loc[fits, "energy_round"] = np.where(choice.round > 0, choice.round, np.nan)
    table.loc[fits, "predicted_energy"], table.loc[fits, "predicted_error"] = choice.predicted, choice.error
    return table


def _best(energy: np.ndarray, framework: np.ndarray, most: int) -> np.ndarray:
    """Return places of the lowest energies, up to `most` of frameworks and as many others."""
    order = np.argsort(energy, kind="stable")
    order = order[np.isfinite(energy[order])]
    return np.concatenate([order[framework[order]][:most], order[~framework[order]][:most]])


def _relaxed(crystals: Crystals, target: "Target", settings: RankSettings, context: RunContext) -> pd.DataFrame:
    """Return the table of the relaxation of all crystals, with each as `crystal` and `relaxed_cif`."""
    from legocryst.crystal.io.structures import to_cif
    from legocryst.potentials.energies import relaxed

    outcome = relaxed(crystals, target, settings, context)
    done = outcome.table["energy_reason"] == ""
    cif = [to_cif(outcome.crystals, k) if done[k] else "" for k in range(len(crystals))]
    alone = pd.Series([outcome.crystals.take([k]) for k in range(len(crystals))], dtype=object)
    return outcome.table.assign(relaxed_cif=cif, crystal=alone)


def _joined(table: pd.DataFrame, after: pd.DataFrame, framework: np.ndarray, settings: RankSettings) -> pd.DataFrame:
    """Return energies as they stand and after the relaxation in one table, with the energy that counts."""
    refused = after["energy_reason"]
    after = after.assign(relax_reason=after["relax_reason"].where(refused == "", refused))
    table = table.join(after.drop(columns=["energy_reason", "energy_model"]))
    done = table["relaxed_energy"].notna()
    lost = done & ~table["net_kept"].astype("boolean").fillna(False).astype(bool)
    table.loc[done, ["energy_model", "relaxed"]] = settings.model, True
    table["energy"] = table["screen_energy"].where(~done, table["relaxed_energy"].mask(lost))
    table.loc[lost, "energy_reason"] = NET_LOST
    low = table["converged"].astype("boolean").fillna(False) & (table["energy"] < settings.low_energy) & framework
    table["low_energy"] = low.where(done)
    return table


def _rattled(
    table: pd.DataFrame,
    target: "Target",
    settings: RankSettings,
    context: RunContext,
    ticks: "_Ticks",
) -> pd.DataFrame:
    """Return the rattle test of the lowest relaxed frameworks, and why those that are too large for it have none."""
    from legocryst.crystal.symmetry.primitive import primitive_atoms
    from legocryst.potentials.rattle import rattled

    low = table[table["low_energy"].fillna(False)]
    size = primitive_atoms(Crystals.concatenate(list(low["crystal"])))
    best = low[size <= MAX_RATTLED_ATOMS].nsmallest(settings.max_rattled, "energy").index
    ticks.parts["rattle"] = len(best)
    crystals = Crystals.concatenate(list(table.loc[best, "crystal"]))
    done = rattled(crystals, target, settings, context.with_progress(ticks.of("rattle"))).set_index(best)
    refused = pd.DataFrame(
        {"rattle_reason": f"not shaken: more than {MAX_RATTLED_ATOMS} atoms"}, index=low.index[size > MAX_RATTLED_ATOMS]
    )
    return pd.concat([done, refused])


class _Ticks:
    """Progress counted over the parts of the work, with the time of the parts to come."""

    def __init__(self, crystals: Crystals, framework: np.ndarray, settings: RankSettings, context: RunContext) -> None:
        from legocryst.potentials.energies import estimate

        kinds = min(settings.max_relaxed, int(framework.sum())), min(settings.max_relaxed, int((~framework).sum()))
        number = min(len(crystals), settings.max_energies)
        self.parts = {"screen": number, "relax": sum(kinds), "rattle": min(settings.max_rattled, kinds[0])}
        speed = context.executor.at_once(len(crystals)) or 1
        mean, screen = (float(estimate(crystals, name).mean()) if number else 0.0 for name in (settings.model, SCREEN))
        atoms = float((crystals.atom_count / crystals.site_count).mean()) if number else 0.0
        one = mean * min(MEAN_STEPS, settings.steps) / speed
        self._seconds = {"screen": screen / speed, "relax": one, "rattle": one * atoms}
        self._progress = context.progress

    def of(self, part: str, *, before: int = 0) -> Callable[..., None]:
        """Report progress of one part, or of what is left of it after the first ones."""
        names = list(self.parts)
        over, after = names[: names.index(part)], names[names.index(part) + 1 :]

        def tick(done: int, total: int, *, seconds_left: float) -> None:
            rest = max(self.parts[part] - before - total, 0)
            later = sum(self.parts[name] * self._seconds[name] for name in after) + rest * self._seconds[part]
            ahead = sum(self.parts[name] for name in over) + before
            self._progress(ahead + done, sum(self.parts.values()), seconds_left=round(seconds_left + later))

        return tick


def _work(attempt: Attempt, number: int) -> None:
    """Rank new crystals; energies already computed, by this job or another, are not computed again.

    They end when the job was asked to stop, or its time is over; what has none then says so.
    """
    from legocryst.infra.result_cache import ResultCache

    job, context = attempt.job, attempt.context(STAGE.name, number)
    table = drawn.of_round(job, number)
    new = table[table["class"] == "new"].reset_index(drop=True)
    with ResultCache(job.folder / CACHE, job.folder.parent.glob(f"*/{CACHE}")) as cache:
        should_stop = context.should_stop
        context = replace(context, cache=cache, should_stop=lambda: should_stop() or attempt.late())
        ranked = rank(new, attempt.target, attempt.settings.rank, context)
    attempt.check()
    write_parquet(ranked, STAGE.path(job.folder, number))


def _counts(job: JobFiles) -> dict[str, Any]:
    from legocryst.active_learning import calibration

    energies = STAGE.read_all(job.folder)
    counts: dict[str, Any] = {
        "energies": int(energies["screen_energy"].notna().sum()),
        "relaxed": int(energies["relaxed_energy"].notna().sum()),
        "low_energy": int(energies["low_energy"].sum()),
    }
    learned = calibration.numbers(energies, job.settings.rank.low_energy)
    return counts | ({"learned": learned} if learned else {})


def _size(amount: Amount) -> float:
    """Return what a ranking costs, in units of the energy as it stands of a crystal without sites."""
    settings = amount.settings.rank
    if not settings.energies:
        return 1.0
    cost = POTENTIALS[settings.model].seconds[1] / POTENTIALS[SCREEN].seconds[1]
    each = cost * min(MEAN_STEPS, settings.steps)
    shaken = min(settings.max_rattled, amount.relaxed) * amount.sites  # without symmetry
    return (amount.energies + each * (amount.relaxed + shaken)) * (1.4 + amount.sites)


def _methods(paper: Paper) -> None:
    settings, counts = paper.settings.rank, paper.summary
    if not counts.get("energies"):
        return
    screen, zero = POTENTIALS[SCREEN], paper.target.of_energy.reference.name
    paper.say(
        f"Energies above {zero} of {several(counts['energies'], 'new crystal')} as they stand were computed with "
        f"{screen.title}{paper.works(*screen.cites)}"
        + (
            f", which crystals being learnt from the others by a Gaussian process {paper.cite('gaussian_process')}."
            if counts.get("learned")
            else "."
        )
    )
    if counts.get("relaxed"):
        own = paper.works(*(key for key in settings.potential.cites if key not in screen.cites))
        paper.say(
            f"{several(counts['relaxed'], 'crystal')} of the lowest, of frameworks and of others, were relaxed with "
            f"{settings.model}{own} in their space groups, to forces below {settings.max_force:g} eV/Å and stresses "
            f"below {settings.max_stress:g} GPa; "
            f"dispersion {paper.cite('d3')} took part in the geometry of layers, chains and cages, and is in no energy."
        )
        paper.say(
            f"Low in energy, that is frameworks that kept their net and lie less than {settings.low_energy:g} eV/atom "
            f"above {zero}, are {counts.get('low_energy', 0):,}."
        )


STAGE = Stage(
    name="rank",
    number=6,
    title="Compute energies",
    work=_work,
    when="round",
    files=("shards/ranked.parquet",),
    tables=(Table(name="energies", shard="ranked", columns=("job", "row", *ENERGY_COLUMNS)),),
    settings="rank",
    counts=_counts,
    needs=lambda settings, _: {"energy": "no energies"} if settings.rank.energies else {},
    size=_size,
    kind=lambda settings: "" if settings.rank.energies else "none",
    spread=True,
    methods=_methods,
)
