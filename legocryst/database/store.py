"""The database of a workspace: an index over the Parquet shards of its jobs, which are the truth.

One process writes: the app, or the command line when no app runs. Each shard is taken once, in one transaction that
also records it. What is a duplicate, known or new is asked by key in the view `candidates`, since only the database
sees every job.
"""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from legocryst.database.annotations import marks
from legocryst.database.filters import FILTERED, Filters
from legocryst.database.schema import CANDIDATES, MARKS, SCHEMA, SHARDS, TABLES, TYPES, StoreError, column
from legocryst.jobs.record import Job, jobs
from legocryst.stages.counts import count
from legocryst.vocabulary.quantities import QUANTITIES

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

NAME = "legocryst.duckdb"
_copying = threading.Lock()
_writing = threading.Lock()  # one thread of this process at a time takes in shards


class StoreBusy(StoreError):
    """Another process has the database open."""


class Store:
    """The open database of a workspace; any thread may use it."""

    def __init__(self, workspace: Path, connection: "duckdb.DuckDBPyConnection") -> None:
        self.workspace = workspace
        self._connection = connection

    @classmethod
    def open(cls, workspace: Path, *, read_only: bool = False) -> Self:
        """Open the database, made if there is none (unless `read_only`).

        Raises StoreBusy when another process has it open, StoreError when it is missing, damaged or of another schema.
        """
        store = cls(workspace, _connect(workspace, read_only=read_only))
        try:
            store._check_schema(read_only)
        except BaseException:
            store.close()
            raise
        return store

    def close(self) -> None:
        """Let go of the database."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> "pd.DataFrame":
        """Return rows of a SELECT with `?` for its parameters."""
        with self._connection.cursor() as cursor:
            return cursor.execute(sql, list(parameters)).df()

    def page(
        self,
        where: Filters | None = None,
        *,
        order: str = "energy",
        descending: bool = False,
        limit: int = 50,
        offset: int = 0,
        columns: Sequence[str] = (),
    ) -> "pd.DataFrame":
        """Return rows of `candidates`: those without `order` last, ties by job and row; all columns unless named."""
        if order not in FILTERED:
            raise StoreError(f"there is no column {order!r} by which crystals can be ordered")
        condition, values = (where or Filters()).sql()
        chosen = ", ".join(column(name) for name in columns) or "*"
        direction = "DESC" if descending else "ASC"
        sql = (
            f"SELECT {chosen} FROM candidates WHERE {condition} "
            f"ORDER BY {column(order)} {direction} NULLS LAST, job, row LIMIT ? OFFSET ?"
        )
        return self.query(sql, [*values, limit, offset])

    def total(self, where: Filters | None = None) -> int:
        """Return how many rows of `candidates` pass."""
        condition, values = (where or Filters()).sql()
        return int(self.query(f"SELECT count(*) AS n FROM candidates WHERE {condition}", values)["n"].iloc[0])

    def crystal(self, name: str) -> "pd.DataFrame":
        """Return the one row of `candidates` with that id; raises StoreError when there is none."""
        rows = self.query("SELECT * FROM candidates WHERE id = ?", [name])
        if rows.empty:
            raise StoreError(
                f"there is no crystal {name!r} in this workspace: its job was deleted, or the name is wrong"
            )
        return rows

    def counts(self, job: str | None = None) -> dict[str, Any]:
        """Return counts of a job, or of all, that add up; see `counts.count`. Duplicates are counted over all jobs."""
        where, parameters = ("WHERE job = ?", [job]) if job else ("", [])
        chosen = "class, reason, periodicity, kind, low_energy, count(*) AS rows"
        return count(self.query(f"SELECT {chosen} FROM candidates {where} GROUP BY ALL", parameters))

    def ingest(self) -> int:
        """Take in what is new: the jobs' states, and each shard once; forget jobs whose folder is gone.

        Returns the number of shards taken. Raises StoreError for a shard that cannot be read or has other columns than
        the schema; all others are taken before.
        """
        with _writing, self._connection.cursor() as cursor:
            return _ingest(cursor, self.workspace)

    def stamp(self) -> tuple[Any, ...]:
        """Return a value that changes whenever the database does."""
        sql = """
            SELECT (SELECT count(*) FROM shards), (SELECT max(path) FROM shards),
                (SELECT string_agg(id || starred || note ORDER BY id) FROM marks),
                string_agg(job || state, ' ' ORDER BY job) FROM jobs
        """
        with self._connection.cursor() as cursor:
            return tuple(cursor.execute(sql).fetchall()[0])

    def copy(self, path: Path) -> None:
        """Write the database as another file, which must not exist."""
        with _copying, self._connection.cursor() as cursor:
            (name,) = cursor.execute("SELECT current_database()").fetchall()[0]
            cursor.execute(f"ATTACH '{str(path).replace(chr(39), chr(39) * 2)}' AS legocryst_copy")
            try:
                cursor.execute(f'COPY FROM DATABASE "{name}" TO legocryst_copy')
            finally:
                cursor.execute("DETACH legocryst_copy")

    def delete(self, job: str) -> None:
        """Forget a job and all its rows; for its folder see `Job.delete`, without which it is taken in again."""
        with _writing, self._connection.cursor() as cursor:
            _in_one(cursor, partial(_forget, cursor, job))

    def _check_schema(self, read_only: bool) -> None:
        tables = set(self.query("SELECT table_name FROM duckdb_tables()")["table_name"])
        if not tables and not read_only:
            with self._connection.cursor() as cursor:
                _in_one(cursor, partial(_create, cursor))
            return
        if not read_only and "schema_number" in tables and "marks" not in tables:
            self._migrate()
        if not read_only and "schema_number" in tables and (more := TABLES.keys() - tables):
            with self._connection.cursor() as cursor:  # of a stage that came after the database
                _in_one(cursor, partial(_create_tables, cursor, {name: TABLES[name] for name in sorted(more)}))
        version = (
            int(self.query("SELECT max(number) AS n FROM schema_number")["n"].iloc[0])
            if "schema_number" in tables
            else 0
        )
        if version != SCHEMA:
            raise StoreError(
                f"the database of {self.workspace} has schema {version} and this version needs {SCHEMA}: "
                f"run `python -m legocryst rebuild --workspace {self.workspace}`"
            )

    def _migrate(self) -> None:
        """Bring a database of schema 5, which had no stars and notes, up to date."""

        def work() -> None:
            _create_tables(cursor, {"marks": MARKS})
            cursor.execute(CANDIDATES)
            cursor.execute("UPDATE schema_number SET number = 6")

        if int(self.query("SELECT max(number) AS n FROM schema_number")["n"].iloc[0]) == SCHEMA - 1:
            with self._connection.cursor() as cursor:
                _in_one(cursor, work)


def rebuild(workspace: Path) -> dict[str, int]:
    """Make the database again from the shards; returns the rows of each table. All or nothing.

    Raises StoreBusy when another process has it open.
    """
    try:
        connection = _connect(workspace)
    except StoreBusy:
        raise
    except StoreError:  # damaged: nothing in it is needed
        (workspace / NAME).unlink()
        connection = _connect(workspace)
    with Store(workspace, connection) as store, _writing, connection.cursor() as cursor:
        _in_one(cursor, partial(_recreate, cursor, workspace))
        return {name: int(store.query(f'SELECT count(*) AS n FROM "{name}"')["n"].iloc[0]) for name in TABLES}


def snapshot(workspace: Path) -> Store:
    """Return the shards of a workspace in a database in memory, for reading what another program has open."""
    import duckdb

    connection = duckdb.connect(":memory:")
    with connection.cursor() as cursor:
        _recreate(cursor, workspace)
    return Store(workspace, connection)


class Writer:
    """A daemon thread that takes in new shards every second; `error` says what went wrong last, "" if nothing did."""

    def __init__(self, workspace: Path, *, seconds: float = 1.0) -> None:
        self.store = Store.open(workspace)
        self.error = ""
        self._seconds = seconds
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._work, name="legocryst-writer", daemon=True)

    def start(self) -> Self:
        """Take in what is there, so that the first visitor sees it, and begin."""
        self._take_in()
        self._thread.start()
        return self

    def stop(self) -> None:
        """End, and let go of the database."""
        self._end.set()
        if self._thread.is_alive():
            self._thread.join()
        self.store.close()

    def _work(self) -> None:
        while not self._end.wait(self._seconds):
            self._take_in()

    def _take_in(self) -> None:
        import duckdb

        try:
            self.store.ingest()
            self.error = ""
        except (duckdb.Error, OSError, ValueError) as error:  # the page shows it; the next second may do better
            self.error = " ".join(str(error).split())


def _connect(workspace: Path, *, read_only: bool = False) -> "duckdb.DuckDBPyConnection":
    import duckdb

    path = workspace / NAME
    if read_only and not path.exists():
        raise StoreError(f"there is no database in {workspace}: make crystals there with `python -m legocryst run`")
    workspace.mkdir(parents=True, exist_ok=True)
    try:
        return duckdb.connect(path, read_only=read_only)
    except duckdb.IOException as error:
        if "lock" in str(error).lower():
            raise StoreBusy(
                f"another program has the workspace {workspace} open (a second app or a running command): "
                "close it, or use another workspace"
            ) from error
        raise StoreError(
            f"the database of {workspace} is damaged: run `python -m legocryst rebuild --workspace {workspace}`"
        ) from error


def _create_tables(cursor: "duckdb.DuckDBPyConnection", tables: Mapping[str, Sequence[str]]) -> None:
    for name, columns in tables.items():
        listed = ", ".join(f'"{c}" {TYPES[QUANTITIES[c].kind]}' for c in columns)
        cursor.execute(f'CREATE TABLE "{name}" ({listed})')


def _create(cursor: "duckdb.DuckDBPyConnection") -> None:
    _create_tables(cursor, {**TABLES, "marks": MARKS})
    cursor.execute(CANDIDATES)
    cursor.execute("CREATE TABLE schema_number (number INTEGER)")
    cursor.execute("INSERT INTO schema_number VALUES (?)", [SCHEMA])


def _recreate(cursor: "duckdb.DuckDBPyConnection", workspace: Path) -> None:
    for kind, listing in (("VIEW", "duckdb_views() WHERE NOT internal"), ("TABLE", "duckdb_tables()")):
        for (name,) in cursor.execute(f"SELECT {kind.lower()}_name FROM {listing}").fetchall():
            cursor.execute(f'DROP {kind} "{name}"')
    _create(cursor)
    _take_marks(cursor, workspace)
    for job in jobs(workspace):
        _record_job(cursor, job)
        for path in _shards(job):
            _take(cursor, workspace, job, path)


def _ingest(cursor: "duckdb.DuckDBPyConnection", workspace: Path) -> int:
    known = dict(cursor.execute("SELECT job, state FROM jobs").fetchall())
    taken = {path for (path,) in cursor.execute("SELECT path FROM shards").fetchall()}
    present = jobs(workspace)
    for gone in set(known) - {job.id for job in present}:
        _in_one(cursor, partial(_forget, cursor, gone))
    _in_one(cursor, partial(_take_marks, cursor, workspace))
    number, faults = 0, []
    for job in reversed(present):
        if known.get(job.id) != job.state:
            _in_one(cursor, partial(_record_job, cursor, job))
        for path in _shards(job):
            if str(path.relative_to(workspace)) not in taken:
                try:
                    _in_one(cursor, partial(_take, cursor, workspace, job, path))
                    number += 1
                except StoreError as fault:  # one bad file must not keep the others out
                    faults.append(fault)
    if faults:
        raise faults[0]
    return number


def _take_marks(cursor: "duckdb.DuckDBPyConnection", workspace: Path) -> None:
    """Bring the table of stars and notes up to date with their file."""
    rows = {(name, one["starred"], one["note"]) for name, one in marks(workspace).items()}
    if rows == set(cursor.execute("SELECT id, starred, note FROM marks").fetchall()):
        return

    cursor.execute("DELETE FROM marks")
    if rows:
        cursor.executemany("INSERT INTO marks VALUES (?, ?, ?)", sorted(rows))


def _shards(job: Job) -> list[Path]:
    return sorted(path for path in job.shards.glob("*.parquet") if path.stem.split("-")[0] in SHARDS)


def _in_one(cursor: "duckdb.DuckDBPyConnection", work: Callable[[], None]) -> None:
    """Do the work in one transaction: all of it or, when it raises, nothing."""
    cursor.begin()
    try:
        work()
    except BaseException:
        cursor.rollback()
        raise
    cursor.commit()


def _forget(cursor: "duckdb.DuckDBPyConnection", job: str) -> None:
    for name in TABLES:
        cursor.execute(f'DELETE FROM "{name}" WHERE job = ?', [job])


def _record_job(cursor: "duckdb.DuckDBPyConnection", job: Job) -> None:
    record, settings = job.record, job.record["settings"]  # as they are: another version's may not fit the classes
    cursor.execute("DELETE FROM jobs WHERE job = ?", [job.id])
    values = [job.id, job.command, settings["curate"]["target"], job.model, settings["seed"]]
    texts = [job.threads, json.dumps(settings), json.dumps(record["versions"] | {"legocryst": record["version"]})]
    values += [*texts, record["started"], job.state, json.dumps(job.summary)]
    cursor.execute(f"INSERT INTO jobs VALUES ({', '.join('?' * len(values))})", values)


def _take(cursor: "duckdb.DuckDBPyConnection", workspace: Path, job: Job, path: Path) -> None:
    """Insert the rows of a shard and record it."""
    import duckdb

    table = SHARDS[path.stem.split("-")[0]]
    extra = {
        "seeds": "? AS job, row_number() OVER () - 1 AS number",
        "crystals": "? AS job, concat(job, '-', row) AS id",
    }.get(table, "? AS job")
    try:
        cursor.execute(f'INSERT INTO "{table}" BY NAME SELECT {extra}, * FROM read_parquet(?)', [job.id, str(path)])
    except (duckdb.BinderException, duckdb.ConversionException, duckdb.InvalidInputException) as error:
        raise StoreError(
            f"{path} does not fit the table {table} of the database: resume or delete its job ({error})"
        ) from error
    rows = cursor.execute("SELECT count(*) FROM read_parquet(?)", [str(path)]).fetchall()[0][0]
    cursor.execute("INSERT INTO shards VALUES (?, ?, ?, ?)", [str(path.relative_to(workspace)), table, job.id, rows])
