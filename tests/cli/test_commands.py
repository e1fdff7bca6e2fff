"""Each command by its contract: what it prints, what it writes, and what it refuses without writing."""

import json
import socket
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from legocryst import ROOT
from legocryst.cli import main
from legocryst.cli.output import Ticker
from legocryst.crystal.io.structures import to_cif
from legocryst.crystal.io.table import decode
from legocryst.database.store import NAME, Store
from legocryst.jobs.record import jobs
from legocryst.stages.augment import DESCRIPTION
from legocryst.stages.curate import shipped
from tests.workspaces import HOLD, few_training_crystals

Call = Callable[..., dict[str, Any]]
TINY = (
    *("--model", "random", "--rank-energies", "no", "--sample-max-atoms", "40"),
    *("--relax-descriptor-steps", "30", "--relax-coordination-steps", "30", "--relax-refine-steps", "30"),
)
PARTIAL = """data_half
_cell_length_a 2.46
_cell_length_b 2.46
_cell_length_c 6.7
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 120
_symmetry_space_group_name_H-M 'P 1'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
C1 C 0 0 0 0.5
C2 C 0.3333 0.6667 0 1
"""
WRONG = {
    "empty.cif": "empty.cif is empty",
    "diary.cif": "diary.cif cannot be read as a CIF",
    "partial.cif": "partial occupancy",
    "empty.csv": "empty.csv is empty",
    "no_angle.csv": "lacks the column beta",
    "group231.csv": "space group outside 1..230",
    "nan.csv": "not a number",
    "far_apart.csv": "none of the 12 crystals can be used for sp2-carbon",
    "missing.csv": "there is no file",
}
NO_TABLE = "is no table: give a .csv, .parquet or .json file"


@pytest.fixture
def wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder, the present one, with every kind of wrong file; it must not have changed afterwards."""
    good = pd.read_csv(few_training_crystals(tmp_path / "made"))
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / "empty.cif").touch()
    (folder / "empty.csv").touch()
    (folder / "diary.cif").write_text("Dear diary, today I made graphite.\n")
    (folder / "partial.cif").write_text(PARTIAL)
    good.drop(columns="beta").to_csv(folder / "no_angle.csv", index=False)
    good.assign(spg=231).to_csv(folder / "group231.csv", index=False)
    good.assign(x0=np.nan).to_csv(folder / "nan.csv", index=False)
    good.assign(a=30.0, b=30.0, c=30.0).to_csv(folder / "far_apart.csv", index=False)
    monkeypatch.chdir(folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    yield folder
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize(
    "line", ["curate {} --out new.parquet", "augment {} --out new.parquet", "run --seeds {} --workspace new"]
)
def test_wrong_crystals_get_one_sentence(name: str, line: str, wrong: Path, refused: Callable[..., str]) -> None:
    assert WRONG[name] in refused(*line.format(name).split())


@pytest.mark.parametrize("name", [name for name in WRONG if name != "far_apart.csv"])
def test_wrong_tables_get_one_sentence(name: str, wrong: Path, refused: Callable[..., str]) -> None:
    sentence = NO_TABLE if name.endswith(".cif") else WRONG[name]
    assert sentence in refused("relax", name, "--out", "new.csv")


def test_other_wrong_inputs(wrong: Path, refused: Callable[..., str]) -> None:
    for line, sentence in {
        "train group231.csv --out model": "231",
        "train nan.csv --out model": "not numbers",
        "sample model --out new.csv": "there is no model at model",
        "sample empty.cif --out new.csv": "is not a model file",
        "rank far_apart.csv --out new.csv": "has no column row: rank takes a table made by relax",
        "relax far_apart.csv --target glass --out new.csv": "there is no target 'glass'",
        "run --resume x --workspace new": "there is no job 'x'",
        "rebuild --workspace new": "new is no workspace",
        "export --workspace new --out new2": "new is no workspace",
    }.items():
        assert sentence in refused(*line.split())


def test_seeds_curate_and_augment(tmp_path: Path, call: Call) -> None:
    written = tmp_path / "seeds.csv"
    listed = call("seeds", "--out", written)
    table = pd.read_csv(written)
    assert listed["seeds"] == len(table) == sum(listed["by_periodicity"].values()) >= 120

    few = table[table["atoms"] <= 12].iloc[:3, :39].reset_index(drop=True)
    mixed = pd.concat([few.iloc[:1].assign(a=30.0, b=30.0, c=30.0), few], ignore_index=True)
    mixed.to_csv(tmp_path / "mixed.csv", index=False)
    kept = call("curate", tmp_path / "mixed.csv", "--out", tmp_path / "kept.parquet")
    assert kept["read"] == 4 and kept["kept"] == 3 and kept["reasons"] == {"too few bonds": 1}
    assert len(pd.read_parquet(tmp_path / "kept.parquet")) == 3

    made = call("augment", tmp_path / "mixed.csv", "--rows-per-crystal", 4, "--out", tmp_path / "made.parquet")
    rows = pd.read_parquet(tmp_path / "made.parquet")
    assert list(rows.columns) == [*few.columns, *DESCRIPTION, "energy"]
    assert made["rows"] == made["proved"] == len(rows) == 12 and made["left_out"] == 1 and made["cpu_seconds"] > 0
    assert made["groups"] == rows["spg"].nunique() and made["duplicates"] == 0 < made["combinations"] <= 12
    assert rows["label"].value_counts().to_dict() == {1: 4, 2: 4, 3: 4}  # the crystals' numbers in the file


def test_curate_of_cifs(tmp_path: Path, call: Call) -> None:
    crystals = decode(pd.read_csv(few_training_crystals(tmp_path / "table")), element=6).crystals
    (tmp_path / "cifs").mkdir()
    for k in range(2):
        (tmp_path / "cifs" / f"{k}.cif").write_text(to_cif(crystals, k))
    assert call("curate", tmp_path / "cifs", "--out", tmp_path / "own.csv")["kept"] == 2


def test_curate_reports_every_file_of_an_archive(tmp_path: Path, call: Call) -> None:
    crystals = decode(pd.read_csv(few_training_crystals(tmp_path / "table")), element=6).crystals
    with zipfile.ZipFile(tmp_path / "own.zip", "w") as archive:
        for k in range(3):
            archive.writestr(f"in/{k}.cif", to_cif(crystals, k))
        archive.writestr("in/bad.cif", "no crystal")
        archive.writestr("in/again.cif", to_cif(crystals, 0))
    out, report = tmp_path / "own.parquet", tmp_path / "report.csv"
    result = call("curate", tmp_path / "own.zip", "--out", out, "--report", report)
    assert result["read"] == 5 == result["kept"] + sum(result["reasons"].values())
    assert result["kept"] == 3 and result["reasons"] == {"cannot be read": 1, "same net as another": 1}
    described = pd.read_csv(report).set_index("source")
    assert described["kept"].sum() == 3 and len(described) == 5
    details = described["detail"].dropna()
    assert list(details.index) == ["own.zip/in/again.cif", "own.zip/in/bad.cif"]
    assert details.iloc[0] == "crystal 0, own.zip/in/0.cif"
    assert str(details.iloc[1]).startswith("bad.cif cannot be read as a CIF")
    assert len(pd.read_parquet(out)) == 3
    again = call("curate", out, "--max-atoms", 12, "--out", tmp_path / "small.csv")  # our own table, and a filter
    assert again["read"] == 3 and set(again["reasons"]) <= {"more than 12 atoms in the conventional cell"}


def test_curate_filters_the_shipped_set(tmp_path: Path, call: Call) -> None:
    known = shipped("sp2-carbon")
    line = ["curate", "--max-energy", 0.5, "--periodicities", "3", "--out", tmp_path / "low.parquet"]
    result = call(*line)
    expected = known[~(known["energy"] > 0.5) & (known["periodicity"] == 3)]  # unknown energies pass
    assert result["read"] == len(known) and result["kept"] == len(expected)
    assert pd.read_parquet(tmp_path / "low.parquet")["name"].tolist() == expected["name"].tolist()


def test_run_with_a_reference_set(tmp_path: Path, call: Call, refused: Callable[..., str]) -> None:
    table = pd.read_csv(few_training_crystals(tmp_path))
    table.tail(4).to_csv(tmp_path / "known.csv", index=False)
    (tmp_path / "bad.cif").touch()
    line = ["run", *TINY, "--samples", 5, "--seeds", tmp_path / "few.csv", "--workspace", tmp_path / "w", "--reference"]
    assert "bad.cif is empty" in refused(*line, tmp_path / "bad.cif")
    result = call(*line, tmp_path / "known.csv", tmp_path / "bad.cif")
    assert result["seeds"] == len(table) and result["reference"] == 4 and result["sampled"] == 5
    known = pd.read_parquet(tmp_path / "w" / "jobs" / result["job"] / "known.parquet")["set"].value_counts()
    assert known.to_dict() == {
        "training set": len(table),
        "reference set": 4,
        "shipped set": len(shipped("sp2-carbon")),
    }


def test_run_like_another_keeps_its_seed_unless_told(tmp_path: Path, call: Call) -> None:
    line = ["run", *TINY, "--samples", 5, "--training", few_training_crystals(tmp_path), "--workspace", tmp_path / "w"]
    first = call(*line, "--seed", 7)["job"]
    again = ["run", "--workspace", tmp_path / "w", "--like", first]
    made = [first, call(*again)["job"], call(*again, "--seed", 0)["job"]]
    listed = {job.id: job.settings for job in jobs(tmp_path / "w")}
    assert [listed[name].seed for name in made] == [7, 7, 0]
    assert listed[first] == listed[made[1]]


def test_train_sample_relax_and_rank(tmp_path: Path, call: Call) -> None:
    model, samples, relaxed, ranked = (tmp_path / name for name in ("m", "s.csv", "r.parquet", "e.csv"))
    trained = call("train", few_training_crystals(tmp_path), "--model", "random", "--out", model)
    assert trained["rows"] == 12 and trained["description"]["model"] == "random"
    assert call("sample", model, "--samples", 60, "--seed", 1, "--out", samples)["samples"] == 60
    table = pd.read_csv(samples)
    table.loc[5, "spg"] = 231
    table.to_csv(samples, index=False)

    result = call("relax", samples, "--target", "sp2-carbon", "--decode", "snap", "--max-atoms", 40, "--out", relaxed)
    out = pd.read_parquet(relaxed)
    expected = {"row", "status", "reason", "shift", "loss", "space_group", "net_key", "cif"}
    assert expected < set(out.columns) and list(out["row"]) == list(range(60))
    statuses = out["status"].value_counts()
    assert set(statuses.index) <= {"valid", "invalid", "undecodable"}
    assert result["requested"] == 60 and result["decoded"] == 60 - statuses["undecodable"]
    assert result["valid"] == statuses["valid"] > 0 and result["cpu_seconds"] > 0
    assert sum(result["reasons"].values()) == 60 - result["valid"]
    assert out["status"][5] == "undecodable" and out["reason"][5] == "space group outside 1..230"
    assert ((out["reason"] == "") == (out["status"] == "valid")).all()
    assert ((out["cif"] == "") == (out["status"] == "undecodable")).all()
    _same_groups(out[out["status"] == "valid"])

    first = call("rank", relaxed, "--energies", "no", "--out", ranked)
    assert first["valid"] == result["valid"] == len(pd.read_csv(ranked)) and first["energies"] == 0


def _same_groups(table: pd.DataFrame) -> None:
    """pymatgen reads each CIF and finds in it the space group of its row."""
    from pymatgen.core import Structure

    results = [Structure.from_str(cif, "cif").get_space_group_info(0.01)[1] for cif in table["cif"]]
    assert results == list(table["space_group"])


def test_relax_by_a_cluster_writes_the_same_table(tmp_path: Path, call: Call) -> None:
    pytest.importorskip("distributed", reason="Dask distributed is not installed: call `make cluster`")
    few, (here, there) = tmp_path / "few.csv", (tmp_path / name for name in ("here.parquet", "there.parquet"))
    shipped("sp2-carbon").head(120).to_csv(few, index=False)
    results = [
        call("relax", few, "--out", out, *cluster) for out, cluster in ((here, ()), (there, ("--cluster", "local:2")))
    ]
    assert here.read_bytes() == there.read_bytes()
    assert results[0]["valid"] == results[1]["valid"] > 100 and results[1]["cpu_seconds"] > 0


def test_cluster_that_is_none_is_refused(refused: Callable[..., str]) -> None:
    for command in ("run", "relax few.csv --out r.csv", "rank r.csv --out e.csv", "energy a.cif", "bands a.cif"):
        assert "'node7' names no cluster: give local:N" in refused(*command.split(), "--cluster", "node7")


def test_smoke_run_export_and_rebuild(tmp_path: Path, call: Call) -> None:
    """The issue's contract of `run`, in a process of its own as a user starts it, and what can be done with it."""
    workspace = tmp_path / "w"
    command = f"-m legocryst run --preset smoke --samples 60 --threads 1 --json --workspace {workspace}"
    ended = subprocess.run([sys.executable, *command.split()], cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    lines = ended.stdout.splitlines()
    result = json.loads(lines[-1])
    assert len(lines) == 1 and result["model"] == "vae"
    fates = sum(result[name] for name in ("undecodable", "duplicate", "known", "new"))
    assert result["sampled"] == 60 == fates + sum(result["invalid"].values())
    assert sum(result["new_by_periodicity"].values()) == result["new"] > 0
    stages = ["curate", "augment", "featurize", "train", "sample", "relax", "rank", "bands"]
    assert list(result["cpu_seconds"]) == [*stages, "baseline"] and result["augmented"] >= result["seeds"] >= 120

    with Store.open(workspace) as store:
        rows = {name: len(store.query(f"SELECT * FROM {name}")) for name in ("augmented", "features", "crystals")}
        curves = store.query("SELECT quantity, count(*) AS n FROM training GROUP BY ALL").set_index("quantity")["n"]
        assert rows == {"augmented": result["augmented"], "features": 39, "crystals": 60}
        assert curves["loss"] == curves["held_out"] == 4 and curves["valid"] == curves["distinct"] == 1
        assert store.counts(result["job"]) | result == result
        # export works while another process has the database open
        for format, files in {"cif": result["new"], "csv": 1, "parquet": 1}.items():
            wrote = call("export", "--workspace", workspace, "--format", format, "--out", tmp_path / format)
            assert wrote == {"crystals": result["new"], "files": files}
        arguments = ("export", "--workspace", workspace, "--format", "zip", "--out", tmp_path / "zip")
        assert call(*arguments, "--filters", "")["crystals"] == 60
        best = call(*arguments, "--filters", "class=new", "--limit", 1)
        assert best == {"crystals": 1, "with_geometry": 1, "files": 7}
    new = pd.read_parquet(tmp_path / "parquet" / "crystals.parquet")
    assert list(pd.read_csv(tmp_path / "csv" / "crystals.csv")["id"]) == list(new["id"])
    assert new["screen_energy"].notna().sum() == result["energies"] and new["energy"].dropna().is_monotonic_increasing
    _same_groups(new.assign(cif=[(tmp_path / "cif" / f"{name}.cif").read_text() for name in new["id"]]))

    (workspace / NAME).unlink()
    rebuilt = call("rebuild", "--workspace", workspace)
    assert {name: rebuilt[name] for name in rows} == rows


def test_interrupted_run_is_stopped_and_goes_on(
    tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def epoch(self: Ticker, numbers: dict[str, Any]) -> None:
        if numbers["stage"] == "relax":
            raise KeyboardInterrupt

    arguments = ["--seeds", str(few_training_crystals(tmp_path)), "--workspace", str(tmp_path / "w")]
    with monkeypatch.context() as patched:
        patched.setattr(Ticker, "epoch", epoch)
        assert main(["run", *TINY, "--samples", "30", "--threads", "1", *arguments]) == 130
    assert "interrupted" in capfd.readouterr().err
    (job,) = jobs(tmp_path / "w")
    assert job.state == "stopped"
    result = call("run", "--resume", job.id, "--workspace", tmp_path / "w")
    assert result["sampled"] == 30 and result["job"] == job.id and job.state == "finished"


def test_run_and_app_while_another_program_has_the_workspace(
    tmp_path: Path, call: Call, refused: Callable[..., str]
) -> None:
    workspace = tmp_path / "w"
    command = [sys.executable, "-c", HOLD, str(workspace)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None and other.stdout.readline() == "open\n"
        call("run", *TINY, "--samples", 5, "--training", few_training_crystals(tmp_path), "--workspace", workspace)
        assert "another program has the workspace" in refused("app", "--workspace", workspace)
        assert "another program has the workspace" in refused("rebuild", "--workspace", workspace)
        other.communicate("\n")
    with Store.open(workspace) as store:
        assert store.total() == 0 and store.ingest() > 0 and store.total() == 5  # left in its folder to be taken in


def test_second_app_while_nobody_has_visited_the_first(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "legocryst", "app", "--workspace", str(tmp_path), "--port"]
    with subprocess.Popen([*command, str(_free_port())], cwd=ROOT, stderr=subprocess.PIPE, text=True) as first:
        assert first.stderr is not None
        try:
            assert any("started" in line for line in first.stderr)  # the server, which took the command's place
            second = [*command, str(_free_port())]
            done = subprocess.run(second, cwd=ROOT, capture_output=True, text=True, timeout=60)
        finally:
            first.terminate()
            first.communicate(timeout=30)  # reads on: a server that cannot say that it stops does not stop
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "another program has the workspace" in done.stderr


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_app_on_a_port_in_use(tmp_path: Path, refused: Callable[..., str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert f"port {port} is in use" in refused("app", "--workspace", tmp_path, "--port", port)


def test_old_database_is_refused_before_the_work(tmp_path: Path, refused: Callable[..., str]) -> None:
    with Store.open(tmp_path) as store:
        store._connection.execute("UPDATE schema_number SET number = 0")
    assert "has schema 0" in refused("run", "--preset", "smoke", "--workspace", tmp_path)
    assert not (tmp_path / "jobs").exists()
