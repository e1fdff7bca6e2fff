"""The crystals of a database that are nearest to one."""

import pandas as pd

from legocryst.comparison.novelty import signature
from legocryst.comparison.pdd import PDD, distance, pdds
from legocryst.crystal.io.table import decode
from legocryst.database.store import Store
from legocryst.environment.target import Target
from legocryst.vocabulary.quantities import CRYSTAL_COLUMNS

_BATCH = 25
_BOUND = "list_max(list_transform(list_zip(c.amd, CAST(? AS FLOAT[])), lambda p: abs(p[1] - p[2])))"


def similar(
    store: Store, pdd: PDD, target: Target, *, but: str = "", repeated: bool = False, most: int = 10
) -> pd.DataFrame:
    """Find the valid crystals of a target that are nearest, at most `most`, without the one with the id `but`.

    Columns: `id`, `net_key`, `net_name`, `class`, `distance` (angstrom). With `repeated` also crystals whose net an
    earlier one has. Exact: rows come in the order of a distance that is never larger, until no nearer one can come.
    """
    names = ", ".join(f'c."{name}"' for name in CRYSTAL_COLUMNS)
    sql = f"""
        SELECT v.id, v.net_key, v.net_name, v.class, {_BOUND} AS bound, {names}
        FROM crystals c JOIN candidates v USING (id)
        WHERE v.target = ? AND c.amd IS NOT NULL AND v.id <> ? AND (? OR v.class <> 'duplicate')
        ORDER BY bound, v.id LIMIT ? OFFSET ?
    """
    best = pd.DataFrame(columns=["id", "net_key", "net_name", "class", "distance"])
    for offset in range(0, 10**9, _BATCH):
        rows = store.query(sql, [signature(pdd), target.name, but, repeated, _BATCH, offset])
        if len(rows):
            table = rows[list(CRYSTAL_COLUMNS)].astype(float)
            crystals = decode(table, element=target.atomic_number, max_atoms=10**6).crystals
            rows = rows.assign(distance=[distance(pdd, other) for other in pdds(crystals, target)])
            parts = [part for part in (best, rows[list(best.columns)]) if len(part)]
            best = pd.concat(parts).sort_values("distance", kind="stable", ignore_index=True).head(most)
        if len(rows) < _BATCH or (len(best) == most and rows["bound"].iloc[-1] >= best["distance"].iloc[-1]):
            return best
    raise AssertionError("a database has an end")
