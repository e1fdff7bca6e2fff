"""What the database of a workspace holds: its tables, their columns, and the view of all crystals."""

from legocryst.stages.catalogue import STAGES
from legocryst.vocabulary.quantities import QUANTITIES

SCHEMA = 6
TYPES = {
    **{"real": "DOUBLE", "integer": "BIGINT", "text": "VARCHAR", "category": "VARCHAR", "truth": "BOOLEAN"},
    **{"vector": "FLOAT[]"},
}
_OF_STAGES = [table for stage in STAGES.values() for table in stage.tables]
TABLES: dict[str, tuple[str, ...]] = {
    "jobs": (
        *("job", "command", "target", "model", "seed", "threads", "settings", "versions", "started", "state"),
        "summary",
    ),
    "shards": ("path", "table", "job", "rows"),
    **{table.name: table.columns for table in _OF_STAGES},
}
"""Columns of each table of what jobs made."""
MARKS = ("id", "starred", "note")
"""Columns of the table `marks`, what readers say (see `legocryst/database/annotations.py`)."""
SHARDS = {table.shard or table.name: table.name for table in _OF_STAGES}
"""Table of a shard by the first word of its file name."""
_LONG = ("amd", "relaxed_cif")
_OF_ALL = ("target", "model", "seed", "class", "novelty", "starred", "note")
COLUMNS = tuple(
    dict.fromkeys(
        name for name in (*TABLES["crystals"], *TABLES["energies"], *TABLES["bands"], *_OF_ALL) if name not in _LONG
    )
)
"""Columns of the view `candidates` that are neither lists nor files."""
CANDIDATES = """
CREATE OR REPLACE VIEW candidates AS
WITH valid AS (
    SELECT c.id, EXISTS (FROM seeds s WHERE s.job = c.job AND s.net_key = c.net_key) AS trained,
        EXISTS (FROM reference r WHERE r.job = c.job AND r.net_key = c.net_key) AS referred,
        row_number() OVER (PARTITION BY j.target, c.net_key ORDER BY j.started, c.job, c.row) > 1 AS repeated
    FROM crystals c JOIN jobs j USING (job) WHERE c.status = 'valid'
)
SELECT c.* EXCLUDE (amd) REPLACE (coalesce(c.density, e.relaxed_density) AS density),
    e.* EXCLUDE (job, "row") REPLACE (e.low_energy AND NOT (v.trained OR v.referred OR v.repeated) AS low_energy),
    b.* EXCLUDE (job, "row"), j.target, j.model, j.seed,
    coalesce(m.starred, FALSE) AS starred, coalesce(m.note, '') AS note,
    CASE WHEN c.status <> 'valid' THEN c.status WHEN v.trained OR v.referred THEN 'known'
        WHEN v.repeated THEN 'duplicate' ELSE 'new' END AS class,
    CASE WHEN c.status <> 'valid' THEN '' WHEN v.trained THEN 'in training set' WHEN v.referred THEN 'in reference set'
        WHEN c.net_name <> '' THEN 'known net' ELSE 'new' END AS novelty
FROM crystals c JOIN jobs j USING (job) LEFT JOIN valid v USING (id) LEFT JOIN energies e USING (job, row)
    LEFT JOIN bands b USING (job, row) LEFT JOIN marks m USING (id)
"""


class StoreError(ValueError):
    """The database cannot be used; the message is one sentence for the reader."""


def column(name: str) -> str:
    """Return the quoted name of a known column; raises StoreError for another."""
    if name not in QUANTITIES:
        raise StoreError(f"there is no column {name!r} in the database")
    return f'"{name}"'
