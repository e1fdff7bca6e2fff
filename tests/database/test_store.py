import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from legocryst.database.annotations import mark, marks
from legocryst.database.filters import Filters
from legocryst.database.schema import CANDIDATES, SCHEMA, TABLES, StoreError, column
from legocryst.database.store import NAME, Store, StoreBusy, Writer, rebuild
from legocryst.infra.files import write_parquet
from legocryst.jobs.record import Job
from legocryst.jobs.worker import work
from legocryst.stages.curate import REFERENCE_SHARD
from tests.workspaces import HOLD, tiny_job, wait_for

Made = tuple[Path, Job]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Job]]:
    """A workspace with two finished jobs of different seeds."""
    folder = tmp_path_factory.mktemp("finished")
    made = [tiny_job(folder) for _ in range(2)]
    for job in made:
        work(job)
    return folder / "w", made


@pytest.fixture
def workspace(tmp_path: Path) -> Made:
    """A workspace with a made-up, unfinished job: three nets, one of them known."""
    job = tiny_job(tmp_path)
    crystal = dict.fromkeys(("a", "b", "c", "alpha", "beta", "gamma"), 0.5)
    write_parquet(pd.DataFrame([{"spg": 1, **crystal, "net_key": "k"}]), job.shards / "seeds.parquet")
    return tmp_path / "w", job


def rows(keys: list[str | None], first: int = 0) -> pd.DataFrame:
    """Relaxed rows: a net key, or "" for an invalid row, or None for an undecodable one."""
    status = ["undecodable" if key is None else "valid" if key else "invalid" for key in keys]
    reason = ["" if key else "too few bonds" if key == "" else "impossible cell" for key in keys]
    table = pd.DataFrame({"row": range(first, first + len(keys)), "status": status, "reason": reason})
    return table.assign(net_key=[key or "" for key in keys], periodicity=3, kind="framework", atoms=8)


def test_each_shard_once(finished: tuple[Path, list[Job]]) -> None:
    workspace, made = finished
    with Store.open(workspace) as store:
        store.ingest()
        assert store.ingest() == 0
        for job in made:
            sampled = store.query("SELECT row FROM crystals WHERE job = ? ORDER BY row", [job.id])["row"]
            assert list(sampled) == list(range(50))
        assert store.query("SELECT count(DISTINCT id) AS n FROM crystals")["n"].iloc[0] == 100
        recorded = store.query('SELECT path, "rows" FROM shards').set_index("path")["rows"]
        for path, n in recorded.items():
            assert len(pd.read_parquet(workspace / str(path))) == n
        assert set(store.query("SELECT state FROM jobs")["state"]) == {"finished"}


def test_counts_of_the_first_job_are_its_own(finished: tuple[Path, list[Job]]) -> None:
    workspace, made = finished
    with Store.open(workspace) as store:
        store.ingest()
        counts = store.counts(made[0].id)
        assert counts == {name: made[0].summary[name] for name in counts}
        second = store.counts(made[1].id)  # the same seed again: nothing of it is new
        assert second["new"] == 0 and second["duplicate"] == counts["new"] + counts["duplicate"]


def test_rebuild_gives_the_same_database(finished: tuple[Path, list[Job]]) -> None:
    workspace, _ = finished
    everything = 'SELECT * FROM candidates ORDER BY job, "row"'
    with Store.open(workspace) as store:
        store.ingest()
        before = {name: store.query(f'SELECT * FROM "{name}" ORDER BY ALL') for name in TABLES}
        candidates = store.query(everything)
    assert rebuild(workspace) == {name: len(frame) for name, frame in before.items()}
    with Store.open(workspace) as store:
        for name, frame in before.items():
            pd.testing.assert_frame_equal(store.query(f'SELECT * FROM "{name}" ORDER BY ALL'), frame)
        pd.testing.assert_frame_equal(store.query(everything), candidates)
        assert store.ingest() == 0


def test_classes_by_key(workspace: Made) -> None:
    folder, job = workspace
    write_parquet(rows(["k", "n", None, "", "n"]), job.shards / "crystals-00000.parquet")
    write_parquet(rows(["n", "m", "k"], first=5), job.shards / "crystals-00001.parquet")
    with Store.open(folder) as store:
        assert store.ingest() == 3
        result = store.query("SELECT class FROM candidates ORDER BY row")["class"]
        known, invalid = "known", "invalid"
        assert list(result) == [known, "new", "undecodable", invalid, "duplicate", "duplicate", "new", known]
        counts = store.counts(job.id)
        assert counts["sampled"] == 8 and counts["invalid"] == {"too few bonds": 1}
        assert counts["new_by_periodicity"] == {"3": 2} and store.counts() == counts
        assert store.total(Filters(among={"class": ["new"]})) == 2


def test_nets_of_a_reference_set_are_known_in_their_job(workspace: Made, tmp_path: Path) -> None:
    folder, job = workspace
    write_parquet(pd.DataFrame({"net_key": ["m"], "source": ["m.cif"]}), job.folder / REFERENCE_SHARD)
    other = tiny_job(tmp_path)
    for one in (job, other):
        write_parquet(rows(["k", "n", "m"]), one.shards / "crystals-00000.parquet")
    with Store.open(folder) as store:
        store.ingest()
        result = store.query("SELECT job, class FROM candidates ORDER BY job, row")
        novel = store.query("SELECT novelty FROM candidates WHERE job = ? ORDER BY row", [job.id])["novelty"]
        assert list(novel) == ["in training set", "new", "in reference set"]
        assert "amd" not in store.query("SELECT * FROM candidates")
    assert list(result.loc[result["job"] == job.id, "class"]) == ["known", "new", "known"]
    assert "known" not in set(result.loc[result["job"] == other.id, "class"])


def test_energies_join_their_crystals(workspace: Made) -> None:
    folder, job = workspace
    write_parquet(rows(["n", "m"]), job.shards / "crystals-00000.parquet")
    ranked = {"row": [1, 0], "energy": [0.2, None], "energy_model": ["7net-0", ""], "energy_reason": ["", "stopped"]}
    low = {"rank": pd.array([1, None], "Int64"), "low_energy": pd.array([True, None], "boolean")}
    write_parquet(pd.DataFrame({**ranked, **low, "relaxed_density": [1.5, None]}), job.shards / "ranked.parquet")
    with Store.open(folder) as store:
        store.ingest()
        page = store.page(order="energy", columns=["id", "energy", "rank", "low_energy", "density"])
        assert list(page["id"]) == [f"{job.id}-1", f"{job.id}-0"]
        assert page["energy"].iloc[0] == 0.2 and page["rank"].isna().tolist() == [False, True]
        assert page["low_energy"].iloc[0] and pd.isna(page["low_energy"].iloc[1])
        assert page["density"].iloc[0] == 1.5  # layers have one after their relaxation
        assert store.counts()["low_energy"] == 1


def test_gaps_join_their_crystals_and_filter(workspace: Made) -> None:
    folder, job = workspace
    write_parquet(rows(["n", "m"]), job.shards / "crystals-00000.parquet")
    results = {"row": [0, 1], "gap": [0.7, None], "band_class": ["semiconductor", ""], "band_reason": ["", "no model"]}
    write_parquet(pd.DataFrame(results), job.shards / "bands.parquet")
    with Store.open(folder) as store:
        store.ingest()
        where = Filters(between={"gap": (0.5, None)}, among={"band_class": ["semiconductor"]})
        assert list(store.page(where, columns=["id"])["id"]) == [f"{job.id}-0"]
        assert store.crystal(f"{job.id}-1")["band_reason"].iloc[0] == "no model"


def test_pages_filters_and_order(workspace: Made) -> None:
    folder, job = workspace
    table = rows(["n", "m", "p", "q"]).assign(
        nearest="lig",
        nearest_distance=[0.1, 0.2, 0.3, 0.4],
        amd=pd.Series([[1.4, 2.5]] * 4),
        density=[1.0, 3.0, 2.0, float("nan")],
        net_name=["dia", "srs", "SRS-b", ""],
    )
    write_parquet(table, job.shards / "crystals-00000.parquet")
    with Store.open(folder) as store:
        store.ingest()

        def ids(where: Filters | None = None, **options: Any) -> list[int]:
            return [int(name.rpartition("-")[2]) for name in store.page(where, **options)["id"]]

        assert ids(order="density") == [0, 2, 1, 3] and ids(order="density", descending=True) == [1, 2, 0, 3]
        assert ids(order="density", limit=2, offset=1) == [2, 1]
        assert ids(Filters(among={"novelty": ["known net"]}, between={"nearest_distance": (0.15, None)})) == [1, 2]
        assert ids(Filters(between={"density": (1.5, None)}), order="row") == [1, 2]
        assert ids(Filters(between={"density": (1.0, 2.0)}, containing={"net_name": "srs"})) == [2]
        assert ids(Filters(among={"net_name": ["dia'; DROP TABLE crystals; --"]})) == []
        assert ids(Filters(among={"net_name": []}, containing={"net_name": ""}), order="row") == [0, 1, 2, 3]
        assert store.crystal(f"{job.id}-2")["net_name"].iloc[0] == "SRS-b"
        with pytest.raises(StoreError, match="no crystal 'x'"):
            store.crystal("x")
        for wrong in ({"order": "1; DROP TABLE crystals"}, {"columns": ["price"]}):
            with pytest.raises(StoreError, match="there is no column"):
                store.page(**wrong)
    with pytest.raises(StoreError, match="there is no column"):
        column('a" --')


def test_shard_that_does_not_fit_keeps_no_other_out(workspace: Made, tmp_path: Path) -> None:
    folder, job = workspace
    (job.shards / "crystals-00003.parquet").write_bytes(b"not Parquet")
    later = tiny_job(tmp_path)
    write_parquet(rows(["n", "m"]), later.shards / "crystals-00000.parquet")
    with Store.open(folder) as store:
        with pytest.raises(StoreError, match=r"crystals-00003.parquet does not fit the table crystals"):
            store.ingest()
        assert store.total() == 2
        later.delete()
        (job.shards / "crystals-00003.parquet").unlink()
        store.ingest()
        write_parquet(rows(["n"]).assign(price=3), job.shards / "crystals-00000.parquet")
        with pytest.raises(StoreError, match=r"crystals-00000.parquet does not fit the table crystals"):
            store.ingest()
        assert store.total() == 0 and len(store.query("SELECT * FROM shards")) == 1


def test_job_without_folder_is_forgotten(workspace: Made) -> None:
    folder, job = workspace
    write_parquet(rows(["n"]), job.shards / "crystals-00000.parquet")
    with Store.open(folder) as store:
        store.ingest()
        store.delete(job.id)
        assert store.total() == 0
        assert store.ingest() == 2 and store.total() == 1  # its folder is still there
        job.delete()
        store.ingest()
        assert all(store.query(f'SELECT * FROM "{name}"').empty for name in TABLES)


def test_second_process_gets_one_sentence(workspace: Made) -> None:
    folder, _ = workspace
    command = [sys.executable, "-c", HOLD, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None and other.stdout.readline() == "open\n"
        for attempt in (Store.open, rebuild, lambda path: Store.open(path, read_only=True)):
            with pytest.raises(StoreBusy, match=r"another program has the workspace .* open") as refused:
                attempt(folder)
            assert "\n" not in str(refused.value)
        other.communicate("\n")
    Store.open(folder).close()


def test_other_schema_is_refused_and_rebuilt(workspace: Made) -> None:
    folder, _ = workspace
    with Store.open(folder) as store:
        store.query("SELECT 1")
        store._connection.execute("UPDATE schema_number SET number = 0")
    with pytest.raises(
        StoreError, match=rf"has schema 0 and this version needs {SCHEMA}: run `python -m legocryst rebuild"
    ):
        Store.open(folder)
    rebuild(folder)
    with Store.open(folder, read_only=True) as store:
        assert len(store.query("SELECT * FROM seeds")) == 1


def test_damaged_database_is_named_and_rebuilt(workspace: Made) -> None:
    folder, _ = workspace
    (folder / NAME).write_bytes(b"no database " * 1000)
    with pytest.raises(StoreError, match="is damaged: run `python -m legocryst rebuild"):
        Store.open(folder)
    assert rebuild(folder)["seeds"] == 1


def test_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no database in"):
        Store.open(tmp_path, read_only=True)
    assert not list(tmp_path.iterdir())


def test_writer_takes_shards_as_they_come(workspace: Made) -> None:
    folder, job = workspace
    writer = Writer(folder, seconds=0.05).start()
    with closing(writer.store):
        wait_for(lambda: len(writer.store.query("SELECT * FROM seeds")) == 1, seconds=20)
        write_parquet(rows(["n"]), job.shards / "crystals-00000.parquet")
        with Store.open(folder) as page:  # pages of the same process open it as well
            wait_for(lambda: page.total() == 1, seconds=20)
        write_parquet(rows(["n"]).assign(price=3), job.shards / "crystals-00001.parquet")
        wait_for(lambda: "price" in writer.error, seconds=20)
        (job.shards / "crystals-00001.parquet").unlink()
        wait_for(lambda: not writer.error, seconds=20)
        writer.stop()
    Store.open(folder).close()


def test_filters_go_through_their_text() -> None:
    where = Filters(
        between={"energy": (None, 0.3), "atoms": (4.0, 12.0)},
        among={"class": ["new", "known"], "low_energy": [True], "space_group": [194]},
        containing={"net_name": "di&a"},
    )
    text = where.text()
    assert text == (
        "energy_to=0.3&atoms_from=4&atoms_to=12&class=new&class=known&low_energy=True&space_group=194&net_name_has=di%26a"
    )
    assert Filters.parse("?" + text).sql() == where.sql() and Filters.parse("class=").sql() == Filters().sql()
    for wrong, sentence in {
        "nothing=1": "'nothing' is no filter",
        "energy_to=low": "energy_to=low needs another value",
        "low_energy=1": "give True or False",
        "relaxed_cif_has=C": "is no filter",
    }.items():
        with pytest.raises(StoreError, match=sentence):
            Filters.parse(wrong)


def test_stars_and_notes_outlive_a_rebuild(workspace: Made) -> None:
    folder, job = workspace
    write_parquet(rows(["n", "m"]), job.shards / "crystals-00000.parquet")
    first, second = f"{job.id}-0", f"{job.id}-1"
    mark(folder, [first, second], starred=True)
    mark(folder, [first], note=" try DFT's ")
    mark(folder, [second], starred=False)  # nothing is left to keep of it

    def marked() -> list[tuple[bool, str]]:
        with Store.open(folder) as store:
            store.ingest()
            rows = store.page(order="row")
            assert store.total(Filters(among={"starred": [True]}, containing={"note": "dft"})) == 1
            return list(zip(rows["starred"], rows["note"], strict=True))

    assert marked() == [(True, "try DFT's"), (False, "")] and list(marks(folder)) == [first]
    (folder / NAME).unlink()
    rebuild(folder)
    assert marked() == [(True, "try DFT's"), (False, "")]
    mark(folder, [first], starred=False, note="")
    assert marks(folder) == {}
    with pytest.raises(ValueError, match="2000 are the most"):
        mark(folder, [first], note="x" * 2001)


def test_database_without_marks_is_brought_up_to_date(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store._connection.execute("DROP VIEW candidates; DROP TABLE marks; UPDATE schema_number SET number = 5")
        stripped = CANDIDATES.replace(" LEFT JOIN marks m USING (id)", "")
        stripped = stripped.replace("coalesce(m.starred, FALSE) AS starred, coalesce(m.note, '') AS note,", "")
        store._connection.execute(stripped)
    with Store.open(tmp_path) as store:
        assert {"starred", "note"} < set(store.page().columns)


def test_a_table_of_a_new_stage_is_added_to_an_old_database(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.query("SELECT 1")
        with store._connection.cursor() as cursor:
            cursor.execute("DROP TABLE dft")
    with Store.open(tmp_path) as store:
        assert list(store.query("SELECT * FROM dft").columns) == list(TABLES["dft"])
