"""No page has a serious or critical fault by axe-core: empty and demo workspace, light and dark, all parts unfolded."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from legocryst.jobs import work
from legocryst.ui.shell import PAGES
from scripts.browser import App, served, settle
from scripts.make_pictures import address, best
from tests.browser.axe import UNFOLD, faults
from tests.workspaces import tiny_job

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
VIEWS = {
    "data": ("?view=Gallery", "?view=Distributions", "?view=Environment", "?view=Filters+and+own+crystals"),
    "features": ("?features_view=A+row",),
    "database": ("?tab=Figure", "?tab=Gallery", "?tab=Compare", "?tab=Failures", "?tab=SQL"),
    "jobs": ("?job_view=Methods", "?job_view=Repeat+with+changes", "?job_view=Record", "?job_view=Delete"),
}
"""Further tabs of pages, by their addresses."""
PARTS = ("Net+and+novelty", "Similar+crystals", "Distances+and+angles", "Powder+pattern", "Bands", "History")
"""Further tabs of the Structure page."""
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def found(page: "Page", where: str) -> list[str]:
    """Faults of the page at an address, in both colour schemes."""
    page.goto(where)
    settle(page)
    page.evaluate(UNFOLD)
    out = []
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        settle(page)
        out += [f"{where.partition('/')[2]}, {scheme}: {fault}" for fault in faults(page)]
    return out


def test_axe_finds_what_is_wrong(page: "Page", app: App) -> None:
    page.goto(app.address)
    settle(page)
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<button></button>')")
    assert [fault.partition(":")[0] for fault in faults(page)] == ["button-name"]


def test_empty_workspace(page: "Page", app: App) -> None:
    assert [fault for name in PAGES for fault in found(page, f"{app.address}{address(name, '')}")] == []


def test_after_a_run(page: "Page", tmp_path: Path) -> None:
    small = {"epochs": 2, "check_every": 1, "check_samples": 5, "hidden": 16, "latent": 4}
    features = {"fit_rows": 100, "components": 2}
    work(tiny_job(tmp_path, augment={"rows_per_crystal": 12}, features=features, train={"model": "vae", **small}))
    with served(tmp_path / "w") as app:
        crystal = best(tmp_path / "w")
        addresses = [f"{address(name, crystal)}" for name in PAGES]
        addresses += [f"{address('structure', crystal)}&part={part}" for part in PARTS]
        addresses += [f"/{name}{view}" for name, views in VIEWS.items() for view in views]
        assert [fault for where in addresses for fault in found(page, f"{app.address}{where}")] == []
