"""Work on many crystals: order, what is kept, and when processes are started."""

import os
from typing import Any

import numpy as np

from legocryst.crystal.batch import computed, from_text, to_text
from legocryst.crystal.crystals import Crystals
from legocryst.crystal.io.table import decode
from legocryst.infra.executors import LocalProcesses
from legocryst.infra.run_context import RunContext
from legocryst.stages.curate import shipped

THREE = decode(shipped("sp2-carbon").set_index("name").loc[["srs", "cpq", "ths"]].reset_index(), element=6).crystals


def test_rows_of_a_batch() -> None:
    seen: list[str] = []

    def work(crystal: Crystals) -> dict[str, Any]:
        seen.append(to_text(crystal))
        return {"group": int(crystal.group[0])}

    rows = computed(THREE, work, np.array([3.0, 1.0, 2.0]), name="group")
    assert [row["group"] for row in rows if row] == THREE.group.tolist()
    assert [int(from_text(text).group[0]) for text in seen] == THREE.group[[1, 2, 0]].tolist()
    again = from_text(seen[0])
    assert to_text(again) == seen[0] and np.array_equal(again.coordinates, THREE.take([1]).coordinates)


def test_little_work_starts_no_processes() -> None:
    """They would take longer to begin than the work: the demonstration took 33 CPU-s on two cores and 7 on one."""
    here = os.getpid()
    little, much = (
        computed(THREE, _process, np.full(3, each), RunContext(executor=LocalProcesses(2)), name="a")
        for each in (2.0, 9.0)
    )
    assert {row["process"] for row in little if row} == {here}
    assert here not in {row["process"] for row in much if row} and None not in much


def _process(_: Crystals) -> dict[str, Any]:
    return {"process": os.getpid()}
