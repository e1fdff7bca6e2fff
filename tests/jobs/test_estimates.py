"""Times: what a finished job took, carried over to other sizes."""

import json
from pathlib import Path
from typing import Any

import pytest

from legocryst.infra.files import write_json
from legocryst.jobs.estimates import SPREAD, Known, estimates, known, spoken, total
from legocryst.settings import PRESETS, RunSettings, preset
from legocryst.vocabulary.registry import GENERATORS
from tests.workspaces import ROWS, finished


def small(**changes: dict[str, Any]) -> RunSettings:
    values = preset("smoke").model_dump()
    for name, own in {"augment": {"rows": ROWS, "rows_per_crystal": 500}, **changes}.items():
        values[name] |= own
    return RunSettings.model_validate(values)


def test_the_same_run_again_takes_as_long(tmp_path: Path) -> None:
    job = finished(tmp_path, small())
    parts, missing = estimates(small(), "run", known(tmp_path), threads=1)
    assert missing == [] and tuple(parts) == (*job.stages, "baseline")
    assert all(part.seconds == pytest.approx(3, rel=0.01) for part in parts.values())
    whole = total(parts.values())
    assert whole.low < whole.seconds < whole.high and whole.jobs == {job.id}
    assert parts["augment"].high == pytest.approx(3 * SPREAD)


def test_a_stage_grows_with_its_size_and_begins_once(tmp_path: Path) -> None:
    finished(tmp_path, small())
    more = small(sample={"samples": 1000}, train={"epochs": 40, "check_every": 5, "patience": 1})
    parts, _ = estimates(more, "run", known(tmp_path), threads=1)
    assert parts["relax"].seconds == pytest.approx(2 + 10, rel=0.01)
    assert parts["relax"].high == pytest.approx(3 * 10 * SPREAD, rel=0.01)  # as if beginning grew too
    assert parts["train"].seconds == pytest.approx(2 + 10, rel=0.01)
    assert parts["train"].low == pytest.approx((2 + 10 / 4) / SPREAD, rel=0.01)  # it may stop after two checks of eight
    halved, _ = estimates(more, "run", known(tmp_path), threads=2)
    assert halved["relax"].seconds == pytest.approx(6, rel=0.01) and halved["train"] == parts["train"]


def test_a_transformer_does_not_stop_early(tmp_path: Path) -> None:
    finished(tmp_path, small())
    train = {"model": "transformer", "epochs": 40, "check_every": 5, "patience": 1}
    part = estimates(small(train=train), "train", known(tmp_path), threads=1)[0]["train"]
    other = estimates(small(train=train | {"model": "cvae"}), "train", known(tmp_path), threads=1)[0]["train"]
    assert part.low > part.seconds / 2 and other.low < other.seconds / 2


def test_only_what_is_left_is_counted(tmp_path: Path) -> None:
    finished(tmp_path, small())
    parts, _ = estimates(small(), "run", known(tmp_path), after="train", threads=1)
    assert list(parts) == ["sample", "relax", "rank", "bands", "baseline"]
    parts, _ = estimates(small(), "augment", known(tmp_path), after="curate", threads=1)
    assert list(parts) == ["augment"]


@pytest.mark.parametrize("busy", [1, 2])
def test_work_that_one_process_did_is_not_counted_for_two(tmp_path: Path, busy: int) -> None:
    finished(tmp_path, small(), threads=2, busy=busy)
    parts, _ = estimates(small(), "run", known(tmp_path), threads=1)
    assert parts["rank"].seconds == pytest.approx(3 * busy) and parts["augment"].seconds == pytest.approx(3)


def test_rounds_of_one_stage_are_added(tmp_path: Path) -> None:
    job = finished(tmp_path, small())
    path = job.folder / "progress.jsonl"
    lines = path.read_text().splitlines()
    again = [json.loads(line) for line in lines if '"relax"' in line or '"rank"' in line]
    last = json.loads(lines[-1])["time"] + 100  # of which nothing is counted
    start = again[0]["time"]
    path.write_text("\n".join([*lines, *(json.dumps(step | {"time": step["time"] - start + last}) for step in again)]))
    measures = {measure.stage: measure for measure in known(tmp_path).measures}
    assert measures["relax"].seconds == pytest.approx(6) and measures["bands"].seconds == pytest.approx(3)


def test_what_was_never_done_is_not_guessed(tmp_path: Path) -> None:
    assert estimates(small(), "augment", known(tmp_path)) == ({}, ["curate", "augment"])
    finished(tmp_path, small())
    _, missing = estimates(small(train={"model": "random"}), "run", known(tmp_path))
    assert missing == ["train", "sample"]
    assert estimates(small(), "run", Known())[0] == {}


def test_networks_are_compared_by_the_cost_of_an_epoch(tmp_path: Path) -> None:
    finished(tmp_path, small())
    parts, missing = estimates(small(train={"model": "gan"}), "train", known(tmp_path), threads=1)
    assert missing == [] and parts["train"].seconds == pytest.approx(2 + GENERATORS["gan"].cost, rel=0.01)


def test_jobs_that_did_not_finish_tell_nothing(tmp_path: Path) -> None:
    job = finished(tmp_path, small())
    write_json(job.folder / "state.json", {"state": "failed", "reason": "no", "summary": {}})
    assert known(tmp_path) == Known()


def test_jobs_of_like_size_count_first(tmp_path: Path) -> None:
    finished(tmp_path, small(), slow=1)
    for _ in range(3):
        finished(tmp_path, small(sample={"samples": 10_000}), slow=200)
    parts, _ = estimates(small(sample={"samples": 10_000}), "run", known(tmp_path), threads=1)
    assert parts["relax"].seconds == pytest.approx(202, rel=0.01)


def test_larger_presets_take_longer(tmp_path: Path) -> None:
    finished(tmp_path, preset("smoke"))
    of = known(tmp_path)
    each = [total(estimates(preset(name), "run", of)[0].values()).seconds for name in PRESETS]
    assert each == sorted(each)


def test_times_in_words() -> None:
    assert [spoken(s) for s in (0.2, 12, 44, 300, 9000, 260_000)] == [
        "1 s",
        "12 s",
        "40 s",
        "5 min",
        "2.5 h",
        "3.0 days",
    ]
