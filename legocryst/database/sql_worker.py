"""The process that answers one SELECT (see `sql.py`): the question as JSON on standard input, the answer on output."""

import json
import math
import os
import resource
import signal
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

MEMORY = 1_500_000_000
"""Bytes of address space; DuckDB itself may use a third of it."""
TEXT = 2000
"""Characters of a cell that are returned."""
CUT = " ..."
SIZE = 900_000
"""Characters of all cells that are returned."""
LOCKED: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
    "memory_limit": "500MB",
    "max_temp_directory_size": "0B",
    "threads": "1",
    "lock_configuration": "true",
}
"""No file but the open one, no extension, no variable of this program as a table, and none of this can be changed."""
ONE_SELECT = "this box takes one SELECT and nothing else: it only reads"


def answer(path: str, sql: str, rows: int) -> dict[str, Any]:
    """Return columns and rows of the SELECT, or the error in a sentence."""
    import duckdb

    with duckdb.connect(path, read_only=True, config=LOCKED) as connection:
        try:
            statements = connection.extract_statements(sql)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                return {"error": ONE_SELECT}
            return first_rows(connection.sql(statements[0]).limit(rows + 1), rows)
        except duckdb.Error as error:
            return {"error": " ".join(str(error).split())[:TEXT]}


def first_rows(relation: "duckdb.DuckDBPyRelation", rows: int) -> dict[str, Any]:
    """Return the first rows, as long as they are not too much to show."""
    listed: list[list[Any]] = []
    size, cut = 0, False
    for row in relation.fetchall():
        cells = [cell(value) for value in row]
        size += sum(len(str(value)) for value in cells)
        if len(listed) == rows or size > SIZE:
            cut = True
            break
        cut = cut or any(isinstance(value, str) and value.endswith(CUT) for value in cells)
        listed.append(cells)
    return {"columns": list(relation.columns), "rows": listed, "cut": cut}


def cell(value: Any) -> Any:
    """Return a value as JSON knows it."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int):
        return value
    text = str(value)
    return text if len(text) <= TEXT else text[: TEXT - len(CUT)] + CUT


if __name__ == "__main__":
    import duckdb  # before the time counts

    os.nice(10)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    question = json.load(sys.stdin)
    most = math.ceil(question["seconds"])
    resource.setrlimit(resource.RLIMIT_CPU, (most, most + 1))  # at the first SIGXCPU, at the second SIGKILL
    signal.setitimer(signal.ITIMER_REAL, question["seconds"])  # its signal ends the process, in whatever it is
    json.dump(answer(question["path"], question["sql"], question["rows"]), sys.stdout)
