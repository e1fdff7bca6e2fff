from pathlib import Path

import pytest

from legocryst.database.store import Store
from legocryst.jobs.worker import work
from tests.workspaces import tiny_job


@pytest.fixture(scope="package")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with one finished job of fifty rows."""
    folder = tmp_path_factory.mktemp("results")
    work(tiny_job(folder))
    with Store.open(folder / "w") as store:
        store.ingest()
    return folder / "w"
