import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from legocryst.database.sql import Copy, SqlError
from legocryst.database.sql_worker import ONE_SELECT, TEXT, answer
from legocryst.database.store import Store


@pytest.fixture(scope="module")
def copy(workspace: Path) -> Iterator[Copy]:
    with Store.open(workspace) as store, Copy(store) as made:
        yield made


def test_answers_are_those_of_the_store(copy: Copy, workspace: Path) -> None:
    sql = "SELECT status, count(*) AS n, avg(loss) AS loss FROM candidates GROUP BY ALL ORDER BY ALL"
    requested = copy.ask(sql)
    with Store.open(workspace) as store:
        known = store.query(sql)
    assert requested.rows["n"].tolist() == known["n"].tolist() and sum(known["n"]) == 50 and not requested.cut
    assert requested.rows["loss"].tolist() == pytest.approx(known["loss"].tolist(), nan_ok=True)
    few = copy.ask("FROM crystals SELECT id", rows=7)
    assert len(few.rows) == 7 and few.cut
    long = copy.ask("SELECT repeat('x', 100000) AS x, 'nan'::DOUBLE AS y")
    assert len(long.rows["x"][0]) == TEXT and long.cut and long.rows["y"].isna().all()


def attacks(folder: Path) -> dict[str, str]:
    """What must not work, and a word of the refusal."""
    secret, written = folder / "secret.csv", folder / "written.csv"
    secret.write_text("a,b\n1,2\n")
    reading = "file system operations are disabled"
    return {
        f"SELECT * FROM read_csv('{secret}')": reading,
        f"SELECT * FROM read_text('{secret}')": reading,
        f"SELECT * FROM read_blob('{secret}')": reading,
        f"SELECT * FROM glob('{folder}/*')": reading,
        f"SELECT * FROM sniff_csv('{secret}')": reading,
        f"SELECT * FROM '{secret}'": "does not exist|disabled",
        "SELECT * FROM duckdb_secrets()": reading,
        f"COPY jobs TO '{written}'": ONE_SELECT,
        f"SELECT * FROM query('COPY jobs TO ''{written}''')": "single SELECT",
        f"EXPORT DATABASE '{written}'": ONE_SELECT,
        f"ATTACH '{folder}/other.duckdb'": ONE_SELECT,
        "INSTALL httpfs": ONE_SELECT,
        "LOAD httpfs": ONE_SELECT,
        "SET enable_external_access = true": ONE_SELECT,
        "SET threads = 8": ONE_SELECT,
        "PRAGMA database_list": ONE_SELECT,
        "CALL pragma_version()": ONE_SELECT,
        "FROM enable_logging()": "locked",
        "SELECT 1; DROP TABLE crystals": ONE_SELECT,
        "DROP TABLE crystals": ONE_SELECT,
        "CREATE TABLE mine AS SELECT 1": ONE_SELECT,
        "INSERT INTO jobs SELECT * FROM jobs": ONE_SELECT,
        "UPDATE crystals SET loss = 0": ONE_SELECT,
        "WITH gone AS (DELETE FROM crystals RETURNING *) SELECT * FROM gone": "read-only",
        "BEGIN": ONE_SELECT,
        "": ONE_SELECT,
        "SELECT getenv('HOME')": "does not exist",
        "SELECT * FROM sql": "does not exist",  # a variable of the program
        "SELEC 1": "syntax error",
    }


def test_nothing_but_reading_is_possible(copy: Copy, tmp_path: Path) -> None:
    for sql, words in attacks(tmp_path).items():
        result = answer(str(copy.path), sql, 10)
        assert set(result) == {"error"} and re.search(words, result["error"]), (sql, result)
    with pytest.raises(SqlError, match="read-only"):
        copy.ask("WITH gone AS (DELETE FROM crystals RETURNING *) SELECT * FROM gone")
    with pytest.raises(SqlError, match=r"[Mm]emory"):
        copy.ask("SELECT list(range) FROM range(1000000000)")
    assert [path.name for path in tmp_path.iterdir()] == ["secret.csv"]
    assert copy.ask("SELECT count(*) AS n FROM crystals").rows["n"][0] == 50


def test_a_question_without_end_is_stopped(copy: Copy) -> None:
    with pytest.raises(SqlError, match="no answer within 2 seconds"):  # it would take hours
        copy.ask("SELECT count(*) FROM range(1000000000000) t(i) WHERE i % 7 = 3", seconds=2)
    with pytest.raises(SqlError, match=r"no answer within|more memory"):  # whichever comes first
        copy.ask("WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r", seconds=2)
