from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from legocryst.environment.target_library import target
from legocryst.infra.files import read_json
from legocryst.infra.run_context import Stopped
from legocryst.jobs.attempt import Attempt
from legocryst.jobs.create import create
from legocryst.jobs.pipeline import examine_files, run
from legocryst.jobs.record import jobs
from legocryst.jobs.worker import work
from legocryst.settings import CurateSettings
from legocryst.stages import drawn
from legocryst.stages.catalogue import RUN
from legocryst.stages.counts import count
from legocryst.stages.curate import Examined, curate, shipped_file
from legocryst.stages.drawn import classified
from legocryst.stages.rank import CACHE
from legocryst.stages.train import CHECKPOINT, QUALITY, share_valid
from legocryst.vocabulary.quantities import CRYSTAL_COLUMNS
from tests.workspaces import TRAINING_CRYSTALS, few_training_crystals, tiny, tiny_job

SP2 = target("sp2-carbon")

UNTIMED = {"cpu_seconds", "total_cpu_seconds"}


def added(counts: dict[str, Any]) -> int:
    fates = ("undecodable", "duplicate", "known", "new")
    return sum(counts[name] for name in fates) + sum(counts["invalid"].values())


def untimed(summary: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in summary.items() if name not in UNTIMED}


def test_counts_add_up(tmp_path: Path) -> None:
    job = tiny_job(tmp_path)
    seen: list[Mapping[str, Any]] = []
    summary = work(job, progress=seen.append)
    assert summary["sampled"] == 50 == added(summary)
    assert sum(summary["new_by_periodicity"].values()) == sum(summary["new_by_kind"].values()) == summary["new"]
    assert summary["model"] == "random" and summary["seed"] == 0 and summary["seeds"] == TRAINING_CRYSTALS
    seconds = summary["cpu_seconds"]
    assert set(seconds) == {"curate", "train", "sample", "relax", "rank", "bands"}
    assert summary["total_cpu_seconds"] == pytest.approx(sum(seconds.values()), abs=1e-2)
    assert seconds["relax"] > 0.05
    assert [line for line in seen if line["stage"] == "relax"][-1]["complete"]
    assert job.summary == summary
    table = classified(job)
    assert list(table["row"]) == list(range(50))
    assert set(table.loc[table["status"] == "invalid", "class"]) == {"invalid"}


def test_crystals_on_surfaces_need_no_table(tmp_path: Path) -> None:
    sample = {"samples": 20, "groups": "139", "max_atoms": 160, "baseline": 10}
    job = tiny_job(tmp_path, train={"model": "surfaces"}, sample=sample)
    summary = work(job)
    assert "augment" not in job.stages and summary["undecodable"] == 0 and added(summary) == 20
    assert set(classified(job)["written_group"]) == {139} and summary["baseline"]["rows"] == 10


def test_chunks_stop_resume_and_processes_give_the_same_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawn, "CHUNK", 20)
    job = tiny_job(tmp_path)
    stop = iter([False] * 6 + [True] * 9)
    with pytest.raises(Stopped):
        run(job, should_stop=lambda: next(stop))
    done = {path.name: path.stat().st_mtime_ns for path in job.shards.glob("crystals-*")}
    assert 1 <= len(done) < 3
    summary = untimed(run(job))
    assert {path.name: path.stat().st_mtime_ns for path in job.shards.glob("crystals-*")}.items() > done.items()
    whole = classified(job)

    (job.shards / "crystals-00001.parquet").unlink()  # a gap in the middle, as processes leave it
    (job.shards / "ranked.parquet").unlink()
    assert untimed(run(job)) == summary
    pd.testing.assert_frame_equal(classified(job), whole)
    assert len(whole) == 50 and list(whole["row"]) == list(range(50))

    other = tiny_job(tmp_path)
    assert untimed(run(other)) == summary  # the same seed


def test_energies_are_computed_once_in_a_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = {"energies": True, "model": "7net-0", "max_energies": 3, "max_relaxed": 1, "max_rattled": 0, "steps": 5}
    job = tiny_job(tmp_path, rank=few)
    summary = work(job)
    assert 1 <= summary["relaxed"] <= summary["energies"] <= 3 and summary["low_energy"] == 0
    ranked = pd.read_parquet(job.shards / "ranked.parquet")
    assert len(ranked) == summary["new"] and ranked["rank"].notna().sum() >= 1
    assert {path.suffix for path in (job.folder / CACHE).iterdir()} == {".parquet"}

    def nothing(name: str) -> None:
        raise AssertionError("computed again")

    monkeypatch.setattr("legocryst.potentials.energies.potential", nothing)
    monkeypatch.setattr("legocryst.potentials.relaxation.potential", nothing)
    (job.shards / "ranked.parquet").unlink()  # as a job has it that was stopped at its end
    assert untimed(run(job)) == untimed(summary)
    pd.testing.assert_frame_equal(pd.read_parquet(job.shards / "ranked.parquet"), ranked)
    other = tiny_job(tmp_path, rank=few)
    assert untimed(run(other)) == untimed(summary) and not (other.folder / CACHE).exists()


def test_first_of_a_net_is_new_and_known_ones_never(tmp_path: Path) -> None:
    job = tiny_job(tmp_path)
    table = pd.DataFrame(
        {
            "row": [3, 2, 1, 0],
            "status": ["valid", "valid", "valid", "invalid"],
            "reason": ["", "", "", "too few bonds"],
            "net_key": ["n", "n", "k", ""],
            "periodicity": pd.array([3, 3, 2, None], "Int64"),
            "kind": ["framework", "framework", "layers", ""],
        }
    )
    table.to_parquet(job.shards / "crystals-00000.parquet")
    pd.DataFrame({"net_key": ["k"]}).to_parquet(job.shards / "seeds.parquet")
    result = classified(job)
    assert list(result["class"]) == ["invalid", "known", "new", "duplicate"]
    counts = count(result)
    assert counts["invalid"] == {"too few bonds": 1} and counts["new_by_kind"] == {"framework": 1}
    assert added(counts) == counts["sampled"] == 4


def test_nets_of_a_reference_set_are_known_and_not_learnt(tmp_path: Path) -> None:
    plain = work(tiny_job(tmp_path))
    new = classified(jobs(tmp_path / "w")[0])
    result = new[new["class"] == "new"].head(2)
    assert len(result) == 2 and plain["known"] < plain["sampled"]
    result[list(CRYSTAL_COLUMNS)].to_csv(tmp_path / "known.csv", index=False)
    (tmp_path / "bad.cif").write_text("no crystal")
    known = [tmp_path / "known.csv", tmp_path / "bad.cif"]
    job = create(tmp_path / "w", "run", tiny(), training=[few_training_crystals(tmp_path)], reference=known, threads=1)
    summary = work(job)
    assert summary["seeds"] == plain["seeds"] and summary["reference"] == 2
    assert summary["known"] == plain["known"] + new["net_key"].isin(result["net_key"]).sum()
    assert summary["sampled"] == 50 == added(summary)
    report = pd.read_parquet(job.folder / "curation.parquet")
    assert report["use"].value_counts().to_dict() == {"training": TRAINING_CRYSTALS, "reference": 3}
    assert report[report["use"] == "reference"]["kept"].tolist() == [True, True, False]
    child = create(tmp_path / "w", "run", tiny(), threads=1, parent=job, through="train")
    assert [path.name for path in child.reference] == ["known.csv", "bad.cif"]
    assert added(work(child)) == 50 and child.summary["known"] == summary["known"]


def test_a_cluster_gives_the_same_rows(tmp_path: Path) -> None:
    pytest.importorskip("distributed", reason="Dask distributed is not installed: call `make cluster`")
    training = [few_training_crystals(tmp_path)]
    here, there = (
        create(tmp_path / "w", "relax", tiny(), training=training, threads=1, cluster=name) for name in ("", "local:2")
    )
    counts = [work(job) for job in (here, there)]
    tables = [(job.shards / "crystals-00000.parquet").read_bytes() for job in (here, there)]
    assert tables[0] == tables[1] and counts[0]["new"] == counts[1]["new"] > 0
    seconds = [one["cpu_seconds"]["relax"] for one in counts]
    assert seconds[1] > seconds[0] / 4  # those of the workers count


def test_training_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    small = {"model": "vae", "epochs": 2, "check_every": 1, "check_samples": 10, "hidden": 32, "latent": 4}
    few = {"rows_per_crystal": 3, "max_atoms": 60}
    job = tiny_job(tmp_path, train=small, augment=few, features={"fit_rows": 100}, sample={"samples": 20})
    with pytest.raises(Stopped):
        run(job, should_stop=lambda: job.latest().get("epoch") == 1)
    assert (job.folder / "model" / CHECKPOINT).exists() and not (job.shards / "training.parquet").exists()
    summary = work(job)
    assert not (job.folder / "model" / CHECKPOINT).exists()
    assert summary["sampled"] == 20 == added(summary) and summary["augmented"] >= TRAINING_CRYSTALS
    epochs = [(step["attempt"], step["epoch"]) for step in job.progress() if "epoch" in step]
    assert epochs == [(1, 1), (2, 2)]
    curves = pd.read_parquet(job.shards / "training.parquet")
    assert {"loss", "held_out", "valid", "distinct"} < set(curves["quantity"])
    assert curves.groupby("quantity")["epoch"].apply(list).loc["loss"] == [1, 2]
    assert len(pd.read_parquet(job.shards / "features.parquet")) == 39
    scores = read_json(job.folder / QUALITY)
    assert 0 < scores["overall"] < 1 and len([name for name in scores if name.startswith("column:")]) == 39


def test_seeds_are_nearly_all_valid_samples() -> None:
    training = pd.read_parquet(shipped_file("sp2-carbon"))
    shares = share_valid(SP2)(training[training["atoms"] <= 16].head(10))
    assert shares["valid"] == 1.0 and 0.9 <= shares["distinct"] <= 1.0


def test_training_set_of_files(tmp_path: Path) -> None:
    one, other = few_training_crystals(tmp_path / "a"), tmp_path / "other.csv"
    pd.read_csv(one).head(2).to_csv(other, index=False)
    assert len(curate([one], SP2, CurateSettings()).table) == TRAINING_CRYSTALS
    both = curate([one, other], SP2, CurateSettings())
    assert (
        len(both.table) == TRAINING_CRYSTALS and (both.report["reason"] != "").sum() == 2
    )  # the repeated nets, with a reason
    assert len(curate([], SP2, CurateSettings()).table) == len(pd.read_parquet(shipped_file("sp2-carbon")))


def test_seeds_without_a_valid_crystal_are_refused(tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    pd.read_csv(few_training_crystals(tmp_path)).head(2).assign(a=30.0, b=30.0, c=30.0).to_csv(bad, index=False)
    with pytest.raises(ValueError, match="can be used"):
        examine_files([bad], [], SP2, CurateSettings())
    with pytest.raises(ValueError, match="of the reference has a net"):
        examine_files([few_training_crystals(tmp_path)], [bad], SP2, CurateSettings())


def test_stages_have_seeds_of_their_own(tmp_path: Path) -> None:
    attempt = Attempt(tiny_job(tmp_path), lambda numbers: None, lambda: False)
    seeds = [attempt.seed(stage) for stage in RUN] + [attempt.seed("sample", turn) for turn in (1, 2)]
    assert len(set(seeds)) == len(seeds) and all(0 <= seed < 2**31 for seed in seeds)


def test_crystals_of_a_user_are_read_and_judged_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the job is made; it, and each later attempt, take what was kept then, to the last bit."""
    few = few_training_crystals(tmp_path)
    plain = create(tmp_path / "w", "curate", tiny(), training=[few], reference=[few], threads=1)
    work(plain)
    examined = examine_files([few], [few], SP2, CurateSettings())
    job = create(tmp_path / "w", "curate", tiny(), training=[few], reference=[few], examined=examined, threads=1)

    def again(*_: object, **__: object) -> None:
        raise AssertionError("read a second time")

    monkeypatch.setattr("legocryst.crystal.io.inputs.offers", again)
    monkeypatch.setattr("legocryst.stages.curate.describe", again)
    work(job)
    for name in ("shards/seeds.parquet", "shards/reference.parquet", "curation.parquet"):
        assert (job.folder / name).read_bytes() == (plain.folder / name).read_bytes()
    back = Examined.read(job.folder / "examined" / "seeds.parquet")
    assert np.array_equal(back.crystals.coordinates, examined["seeds"].crystals.coordinates)
    pd.testing.assert_frame_equal(back.table, examined["seeds"].table)
