"""Figures of learnt energies."""

from pathlib import Path

import numpy as np
import pandas as pd
from streamlit.testing.v1 import AppTest

from legocryst.active_learning.calibration import LEVELS, compared, coverage, search
from legocryst.infra.files import write_parquet
from legocryst.ui.runs import learned_energies
from tests.workspaces import tiny_job


def table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    predicted = rng.uniform(0.3, 1.3, 60)
    return pd.DataFrame(
        {
            "screen_energy": np.where(np.arange(60) < 40, predicted + 0.05 * rng.normal(size=60), np.nan),
            "predicted_energy": np.where(np.arange(60) < 20, np.nan, predicted),
            "predicted_error": np.where(np.arange(60) < 20, np.nan, 0.08),
            "energy_round": [1.0] * 20 + [2.0] * 20 + [np.nan] * 20,
            "screen_seconds": 0.2,
            "relaxed": False,
        }
    )


def test_each_crystal_with_both_energies_is_a_point() -> None:
    line, points = learned_energies.parity(compared(table())).data
    assert len(points.x) == 20 and list(points.x) == list(table()["screen_energy"][20:40])
    assert list(line.x) == list(line.y)


def test_shares_and_counts_are_drawn_as_they_are() -> None:
    observed = learned_energies.calibration(table()).data[1]
    assert list(observed.x) == list(LEVELS) and list(observed.y) == list(coverage(table()))
    rows = search(table(), 0.6)
    result, at_random = learned_energies.search(rows).data
    assert list(result.y) == [0, *rows["found"]] and list(at_random.y) == [0, *rows["at_random"]]
    assert (result.name, at_random.name) == ("Learnt", "At random")


def page(workspace: str, name: str) -> None:
    """A page with nothing but the section."""
    from pathlib import Path

    from legocryst.database.store import Store
    from legocryst.jobs.record import job
    from legocryst.ui.runs import learned_energies

    with Store.open(Path(workspace)) as store:
        store.ingest()
        learned_energies.section(store, job(Path(workspace), name))


def test_the_page_says_how_good_the_predictions_were(tmp_path: Path) -> None:
    job = tiny_job(tmp_path)
    arguments = (str(job.folder.parent.parent), job.id)
    nothing = AppTest.from_function(page, args=arguments).run(timeout=30)
    assert not nothing.exception and not nothing.header
    write_parquet(table().assign(row=range(60)), job.shards / "ranked.parquet")
    shown = AppTest.from_function(page, args=arguments).run(timeout=30)
    assert not shown.exception and shown.header[0].value == "Learnt energies"
    assert shown.markdown[0].value.startswith("20 crystals have a predicted energy and none computed. 20 were first")
    assert len(shown.get("plotly_chart")) == 3
