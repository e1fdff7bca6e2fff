"""No page has a serious or critical fault by axe-core: empty and demo workspace, light and dark, all parts unfolded."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from legocryst.jobs.worker import work
from legocryst.ui.shell.shell import PAGES
from scripts.browser import App, served, settle
from scripts.make_pictures import address, best
from tests.browser.axe import COLOURS, UNFOLD, faults
from tests.workspaces import tiny_job

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
TABS = {
    "data": ("Gallery", "Distributions", "Environment", "Filters and own crystals"),
    "augment": ("Follow one crystal",),
    "features": ("A row",),
    "database": ("Figure", "Gallery", "Compare", "Failures", "SQL"),
    "structure": (
        *("Net and novelty", "Similar crystals", "Distances and angles", "Powder pattern", "Energy", "Bands"),
        "History",
    ),
    "jobs": ("Methods", "Compare", "Repeat with changes", "Record", "Delete"),
}
"""Further tabs of pages."""
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")


def violations(page: "Page", where: str, tabs: Sequence[str] = ()) -> list[str]:
    """Faults of the page at an address and of some of its tabs, in both colour schemes."""
    schemes = list(SCHEMES)
    page.emulate_media(color_scheme=schemes[0])
    page.goto(where)
    out = _faults(page, where, schemes)
    for tab in tabs:
        schemes.reverse()  # it begins with the scheme that is there
        page.get_by_role("tab", name=tab, exact=True).click()
        out += _faults(page, tab, schemes)
    return out


def _faults(page: "Page", place: str, schemes: Sequence[Scheme]) -> list[str]:
    settle(page)
    page.evaluate(UNFOLD)
    out = []
    for scheme, rules in zip(schemes, ((), COLOURS), strict=True):
        page.emulate_media(color_scheme=scheme)
        settle(page)
        out += [f"{place}, {scheme}: {fault}" for fault in faults(page, rules=rules)]
    return out


def test_axe_finds_what_is_wrong(page: "Page", app: App) -> None:
    page.goto(app.address)
    settle(page)
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<button></button>')")
    assert [fault.partition(":")[0] for fault in faults(page)] == ["button-name"]


def test_empty_workspace(page: "Page", app: App) -> None:
    assert [fault for name in PAGES for fault in violations(page, f"{app.address}{address(name, '')}")] == []


def test_after_a_run(page: "Page", tmp_path: Path) -> None:
    small = {"epochs": 2, "check_every": 1, "check_samples": 5, "hidden": 16, "latent": 4}
    features = {"fit_rows": 100, "components": 2}
    work(tiny_job(tmp_path, augment={"rows_per_crystal": 12}, features=features, train={"model": "vae", **small}))
    with served(tmp_path / "w") as app:
        crystal = best(tmp_path / "w")
        faults = [
            fault
            for name in PAGES
            for fault in violations(page, f"{app.address}{address(name, crystal)}", TABS.get(name, ()))
        ]
        assert faults == []
