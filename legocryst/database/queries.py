"""Questions to the database that figures and pages share; everything is counted and binned in SQL."""

from typing import TYPE_CHECKING, Any

import numpy as np

from legocryst.database.filters import Filters
from legocryst.database.schema import column
from legocryst.database.store import Store
from legocryst.vocabulary.quantities import CRYSTAL_COLUMNS, SITES

if TYPE_CHECKING:
    import pandas as pd

BINS = 40


def source(table: str) -> str:
    """Return a table's name, or a SELECT in brackets, behind FROM."""
    return table if table.startswith("(") else f'"{table}"'


def count_by(
    store: Store, table: str, name: str, *, where: str = "TRUE", parameters: list[Any] | None = None
) -> "pd.DataFrame":
    """Return rows of a table by value of a column: that column and `n`, in order of value."""
    sql = f"SELECT {column(name)}, count(*) AS n FROM {source(table)} WHERE {where} AND {column(name)} IS NOT NULL"
    return store.query(f"{sql} GROUP BY ALL ORDER BY 1", parameters or [])


def histogram(
    store: Store,
    table: str,
    name: str,
    *,
    where: str = "TRUE",
    parameters: list[Any] | None = None,
    bins: int = BINS,
    log: bool = False,
) -> "pd.DataFrame":
    """Return `low`, `high`, `n` of equal bins over the finite values of a column (of their log10 where `log`)."""
    value = f"log10(greatest({column(name)}, 1e-6))" if log else f"CAST({column(name)} AS DOUBLE)"
    sql = f"""
        WITH v AS (SELECT {value} AS v FROM {source(table)} WHERE {where} AND isfinite(CAST({column(name)} AS DOUBLE))),
        r AS (SELECT min(v) AS low, greatest((max(v) - min(v)) / {bins}, 1e-9) AS step FROM v),
        b AS (SELECT least(floor((v - low) / step), {bins - 1}) AS k, count(*) AS n FROM v, r GROUP BY k)
        SELECT low + k * step AS low, low + (k + 1) * step AS high, n FROM b, r ORDER BY k
    """
    return store.query(sql, parameters or [])


def binned(values: "pd.Series | np.ndarray", *, bins: int = BINS) -> "pd.DataFrame":
    """Return `low`, `high`, `n` of equal bins over the finite ones of a few values."""
    import pandas as pd

    finite = np.asarray(values, float)
    number, edges = np.histogram(finite[np.isfinite(finite)], bins=bins)
    return pd.DataFrame({"low": edges[:-1], "high": edges[1:], "n": number})


def counted(values: "pd.Series", name: str) -> "pd.DataFrame":
    """Number `n` of each of a few values, which stand in the column `name`, in order."""
    return values.value_counts().sort_index().rename_axis(name).reset_index(name="n")


def losses(store: Store, job: str) -> "pd.DataFrame":
    """Return bins of log10 of the loss of all decoded rows of a job, before and after relaxation."""
    import pandas as pd

    step = 0.25
    parts = []
    for name in ("loss_before", "loss"):
        sql = f"""
            SELECT floor(log10(greatest({column(name)}, 1e-6)) / {step}) * {step} AS low, count(*) AS n
            FROM crystals WHERE job = ? AND isfinite({column(name)}) GROUP BY ALL ORDER BY 1
        """
        parts.append(store.query(sql, [job]).assign(quantity=name))
    table = pd.concat(parts, ignore_index=True)
    return table.assign(high=table["low"] + step)


def grid(store: Store, filters: Filters, x: str, y: str, *, bins: int = BINS) -> "pd.DataFrame":
    """Return centres `x`, `y` and number `n` of the squares of a grid that hold candidates passing the filters."""
    where, parameters = filters.sql()
    sql = f"""
        WITH v AS (
            SELECT CAST({column(x)} AS DOUBLE) AS x, CAST({column(y)} AS DOUBLE) AS y FROM candidates
            WHERE {where} AND isfinite(CAST({column(x)} AS DOUBLE)) AND isfinite(CAST({column(y)} AS DOUBLE))
        ),
        r AS (
            SELECT min(x) AS x0, greatest((max(x) - min(x)) / {bins}, 1e-9) AS dx,
                min(y) AS y0, greatest((max(y) - min(y)) / {bins}, 1e-9) AS dy FROM v
        )
        SELECT avg(x) AS x, avg(y) AS y, count(*) AS n FROM v, r
        GROUP BY least(floor((x - x0) / dx), {bins - 1}), least(floor((y - y0) / dy), {bins - 1})
    """
    return store.query(sql, parameters)


def free_variables(table: "pd.DataFrame") -> np.ndarray:
    """Return free variables (n,) of rows with METHOD's columns spg and wp0...: of the cell and of all sites."""
    from legocryst.crystal.cell import free_parameters
    from legocryst.crystal.symmetry.wyckoff import wyckoff

    data = wyckoff()
    group = table["spg"].to_numpy(np.int64)
    total = np.asarray(free_parameters(group)).astype(np.int64)
    for k in range(SITES):
        position = table[f"wp{k}"].to_numpy(np.int64)
        free = data.free[np.where(position >= 0, data.first[group] + position, 0)].sum(axis=1)
        total = total + np.where(position >= 0, free, 0)
    return total


def site_count(table: "pd.DataFrame") -> np.ndarray:
    """Return sites (n,) of rows with METHOD's columns."""
    return (table[[f"wp{k}" for k in range(SITES)]].to_numpy() >= 0).sum(axis=1)


def combinations(store: Store, table: str, job: str) -> "pd.DataFrame":
    """Return each distinct list of space group and Wyckoff positions in a job's table, with the number `n` of rows."""
    names = ", ".join(column(name) for name in CRYSTAL_COLUMNS if name == "spg" or name.startswith("wp"))
    return store.query(f'SELECT {names}, count(*) AS n FROM "{table}" WHERE job = ? GROUP BY ALL', [job])


def descriptions(store: Store, job: str, label: int) -> "pd.DataFrame":
    """Return the first row of each subgroup and basis in which a job has written a crystal, and how many: `n`.

    In the order of the index; the crystal as it is comes first.
    """
    sql = """
        SELECT *, count(*) OVER each AS n FROM augmented WHERE job = ? AND label = ?
        WINDOW each AS (PARTITION BY spg, t_index, k_index, basis)
        QUALIFY row_number() OVER (each ORDER BY rowid) = 1 ORDER BY t_index * k_index, k_index, rowid
    """
    return store.query(sql, [job, label])


def known(job: str | None, *, target: str, element: int) -> tuple[str, list[Any]]:
    """Return the training set of a job, or the shipped one of a target, as a SELECT in brackets and its parameters.

    Columns: those of the table `seeds`, with `sites`, `density` (g/cm3, NULL for layers, chains and cages) and
    `volume` (cubic angstrom).
    """
    from ase.data import atomic_masses

    from legocryst.crystal.density import AMU
    from legocryst.stages.curate import shipped_file

    rows = "seeds WHERE job = ?" if job else "(SELECT *, row_number() OVER () - 1 AS number FROM read_parquet(?))"
    sites = " + ".join(f"CAST(wp{k} >= 0 AS INTEGER)" for k in range(SITES))
    mass = AMU * float(atomic_masses[element])
    sql = f"""(
        SELECT *, CASE WHEN kind IN ('framework', 'interpenetrated') THEN {mass} * atoms / volume END AS density
        FROM (SELECT *, {sites} AS sites, a * b * c * sqrt(greatest(0, 1 + 2 * cos(alpha) * cos(beta) * cos(gamma)
            - cos(alpha) ** 2 - cos(beta) ** 2 - cos(gamma) ** 2)) AS volume FROM {rows})
    )"""
    return sql, [job or str(shipped_file(target))]


def ring_sizes(store: Store, table: str, parameters: list[Any]) -> "pd.DataFrame":
    """Return how many rows `n` of a table have rings of each size: column `ring`."""
    sql = f"""
        SELECT CAST(ring AS INTEGER) AS ring, count(*) AS n
        FROM (SELECT unnest(string_split(rings, ' ')) AS ring FROM {source(table)}) WHERE ring <> ''
        GROUP BY ALL ORDER BY 1
    """
    return store.query(sql, parameters)
