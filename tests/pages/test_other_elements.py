"""A target of another element, from the page Target through the demonstration to the page of a new crystal."""

from pathlib import Path

import pytest

from legocryst.database.store import Store
from legocryst.environment.derive import derive
from legocryst.environment.target_library import save
from legocryst.jobs.record import jobs
from tests.other_elements import CRYSTALS, check, cif_of
from tests.pages.test_jobs import press
from tests.pages.test_pages import _close_database, crystal_of, opened
from tests.workspaces import wait_for

__all__ = ["_close_database"]


@pytest.mark.parametrize("element", CRYSTALS)
def test_the_demonstration_for_a_target_of_one_crystal(
    element: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from legocryst.ui.target.editor import uploaded

    path, folder = cif_of(element, tmp_path), tmp_path / "w"
    ((_, crystal, reason),) = uploaded(path.name, path.read_bytes())
    assert crystal is not None and not reason
    save(derive(crystal, 1, name="own"), folder)
    test = opened("home", folder, monkeypatch)
    next(box for box in test.selectbox if "own" in box.options).set_value("own").run()
    press(test, "Run the demonstration")
    (job,) = jobs(folder)
    wait_for(lambda: job.state not in ("queued", "running"))
    assert job.state == "finished", job.log_tail()
    check(job.summary)
    test.run()
    assert not test.exception and any("1,000 rows are drawn at random" in text.value for text in test.info)
    with Store.open(folder) as store:
        store.ingest()
        assert store.query("SELECT model FROM jobs")["model"].tolist() == ["random"]
        row = store.query("SELECT id FROM candidates WHERE class = 'new' AND energy IS NOT NULL LIMIT 1").iloc[0]
    page = crystal_of(folder, monkeypatch, row["id"])
    assert not page.exception and "above graphite" not in str(page).lower()
