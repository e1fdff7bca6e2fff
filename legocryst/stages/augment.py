"""Augment: each known crystal written again in subgroups of its space group and with equivalent points of its sites."""

from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np
import pandas as pd

from legocryst.crystal import cell as cells
from legocryst.crystal.representation import Crystals
from legocryst.crystal.subgroups import Subgroup, prove, subgroups, transform
from legocryst.crystal.table import TableError, decode, encode
from legocryst.crystal.variants import variants
from legocryst.crystal.wyckoff import wyckoff
from legocryst.settings import AugmentSettings


def augment(
    seeds: pd.DataFrame,
    settings: AugmentSettings,
    *,
    seed: int = 0,
    progress: Callable[..., None] | None = None,
) -> pd.DataFrame:
    """The table's columns and `label`, the row number in `seeds` of the crystal that each row describes.

    A crystal comes first as it is given, then as drawn from its own group and from its t-subgroups in turn, so that all
    have their share. No two rows are equal to six decimals, and each is proved to be its source. `progress(done,
    total, rows=, left_out=)` counts crystals; those beyond the limits of the settings are left out.

    Raises TableError for a table that does not decode row by row, or if the limits leave nothing.
    """
    decoded = decode(seeds, mode="strict", max_atoms=10**6)
    if (bad := np.flatnonzero(decoded.reason != "")).size:
        raise TableError(f"row {bad[0]} of the seeds is no crystal ({decoded.reason[bad[0]]}): correct or remove it")
    sources = decoded.crystals
    batches: list[Crystals] = []
    label: list[np.ndarray] = []
    seen: set[bytes] = set()
    left_out = 0
    for k in range(len(sources)):
        rows = _describe(sources.take([k]), settings, seen, np.random.default_rng([seed, k]))
        left_out += not rows
        batches += rows
        label.append(np.full(sum(map(len, rows)), k))
        if progress:
            progress(k + 1, len(sources), rows=sum(map(len, label)), left_out=left_out)
    if not batches:
        raise TableError("no seed crystal fits the limits of sites, atoms and free variables: raise them")
    table = encode(Crystals.concatenate(batches), sites=max(8, settings.max_sites))
    return table.assign(label=np.concatenate(label))


def _describe(
    source: Crystals, settings: AugmentSettings, seen: set[bytes], rng: np.random.Generator
) -> list[Crystals]:
    """Batches of descriptions of one crystal, the crystal itself first; `seen` holds the rows there are already."""
    if not _fits(source, settings):
        return []
    most = settings.rows_per_crystal
    known = (s for s in subgroups(int(source.group[0])) if s.index <= settings.max_index)
    fitting = ((s, crystal) for s in known if _fits(crystal := transform(source, 0, s), settings))
    written = list(islice(fitting, most))  # one row of each is the least
    draws = min(most, 4 * -(-most // len(written)) + 4)
    itself = list(_fresh(source, seen))
    pools: list[tuple[Subgroup, Crystals, np.ndarray]] = []
    for subgroup, crystal in written:
        drawn, shift = variants(crystal, 0, draws, rng=rng)
        fresh = np.fromiter(_fresh(drawn, seen), int)
        pools.append((subgroup, drawn.take(fresh), shift[fresh]))
    share = _shares([len(drawn) for _, drawn, _ in pools], most - len(itself))
    rows = [source.take(itself)]
    for (subgroup, drawn, shift), count in zip(pools, share, strict=True):
        if count:
            rows.append(drawn.take(slice(count)))
            prove(source, subgroup, rows[-1], shift[:count])
    return [batch for batch in rows if len(batch)]


def _fits(crystal: Crystals, settings: AugmentSettings) -> bool:
    """Whether a crystal (a batch of one) is within the limits."""
    free = cells.free_parameters(crystal.group)[0] + wyckoff().free[crystal.position_id].sum()
    return bool(
        crystal.site_count[0] <= settings.max_sites
        and crystal.atom_count[0] <= settings.max_atoms
        and free <= settings.max_free
    )


def _fresh(crystals: Crystals, seen: set[bytes]) -> Iterator[int]:
    """Indices of the crystals whose rows, to six decimals, are not in `seen`; they are added to it."""
    coordinates = np.round(crystals.coordinates, 6) % 1.0
    for k in range(len(crystals)):
        sites = slice(crystals.first_site[k], crystals.first_site[k + 1])
        numbers = np.round(np.r_[crystals.group[k], crystals.cell[k], coordinates[sites].ravel()], 6) + 0.0
        key = numbers.tobytes() + crystals.position[sites].tobytes() + crystals.species[sites].tobytes()
        if key not in seen:
            seen.add(key)
            yield k


def _shares(pools: list[int], total: int) -> list[int]:
    """How many to take of each pool, in turn one of each until `total` are taken or all pools are empty."""
    taken = [0] * len(pools)
    while total > 0 and any(t < size for t, size in zip(taken, pools, strict=True)):
        for k, size in enumerate(pools):
            if taken[k] < size and total > 0:
                taken[k] += 1
                total -= 1
    return taken
