"""In a real browser: own crystals to own target, own model and new crystals; a shared address; two visitors at once."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from legocryst.crystal.io.structures import to_cif
from legocryst.crystal.io.table import decode
from legocryst.environment.derive import derive
from legocryst.environment.target_library import target
from legocryst.environment.validity import judge
from legocryst.jobs.record import jobs
from legocryst.jobs.worker import work
from legocryst.stages.curate import shipped_file
from legocryst.vocabulary.quantities import CRYSTAL_COLUMNS
from scripts.browser import App, served, settle
from tests.browser.actions import FINISHED, cells, follow, passing, press
from tests.workspaces import tiny_job

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
OWN = 8
POINT = """(chart) => {
  const { xaxis, yaxis } = chart._fullLayout, [first] = chart._fullData, box = chart.getBoundingClientRect()
  return [box.left + xaxis._offset + xaxis.d2p(first.x[0]), box.top + yaxis._offset + yaxis.d2p(first.y[0])]
}"""
"""Where the first point of a chart lies in the window."""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The app on a workspace with a small finished run."""
    folder = tmp_path_factory.mktemp("shared")
    work(tiny_job(folder))
    with served(folder / "w") as app:
        yield app


def own_crystals(folder: Path) -> list[Path]:
    """Known crystals as CIF files of the user's, graphite's layer first, and of others those with atoms as flat."""
    table = pd.read_parquet(shipped_file("sp2-carbon"))
    table = pd.concat([table[table["name"] == "hcb"], table[(table["atoms"] <= 24) & (table["name"] != "hcb")]])
    crystals = decode(table[list(CRYSTAL_COLUMNS)], element=target("sp2-carbon").atomic_number, max_atoms=100).crystals
    flat = judge(crystals, derive(crystals.take([0]), 1, name="mine")).valid
    crystals = crystals.take(np.flatnonzero(flat)[:OWN])
    assert len(crystals) == OWN
    paths = [folder / f"mine{k}.cif" for k in range(OWN)]
    for k, path in enumerate(paths):
        path.write_text(to_cif(crystals, k))
    return paths


def test_own_crystals_to_own_model_to_new_crystals(page: "Page", app: App, workspace: Path, tmp_path: Path) -> None:
    page.goto(f"{app.address}/generate")
    page.get_by_role("combobox", name="Preset").click()
    page.get_by_role("option", name="demonstration", exact=True).click()
    settle(page)
    own = own_crystals(tmp_path)
    follow(page, "target")
    page.get_by_text("Your own file", exact=True).click()
    page.locator("input[type=file]").first.set_input_files(own[0])
    name = page.get_by_role("textbox", name="Name", exact=True)
    name.fill("mine")
    name.press("Tab")
    settle(page)
    page.get_by_role("button", name="Save target").click()
    page.get_by_text("mine is saved, and the next run goes to it").wait_for()
    follow(page, "data")
    page.get_by_role("tab", name="Filters and own crystals").click()
    page.locator("input[type=file]").first.set_input_files(own)
    page.get_by_role("button", name="Use as training set").click()
    page.get_by_text(f"{OWN} crystals, ").wait_for(timeout=FINISHED)
    follow(page, "train")
    press(page, "Train", until=lambda: len(jobs(workspace)) == 2)
    page.get_by_text("Finished.").wait_for(timeout=FINISHED)
    curated, trained = sorted(jobs(workspace), key=lambda job: job.record["started"])
    assert trained.record["parent"] == curated.id and len(curated.record["seeds"]) == OWN
    assert curated.settings.curate.target == trained.settings.curate.target == "mine"
    follow(page, "generate")
    page.get_by_role("combobox", name="Trained model").first.click()
    page.get_by_role("option").nth(1).click()  # the first is to train a new one
    settle(page)
    press(page, "Generate", until=lambda: len(jobs(workspace)) == 3)
    page.get_by_text("Finished.").wait_for(timeout=FINISHED)
    made = jobs(workspace)[0]
    assert made.record["parent"] == trained.id and made.summary["sampled"] == 100
    page.goto(f"{app.address}/database?class=")
    assert passing(page).startswith("100 of 100")


def test_address_shows_the_same_to_another_browser(come: "Callable[[], Page]", shared: App) -> None:
    page = come()
    page.goto(f"{shared.address}/database?class=")
    everything = passing(page)
    page.get_by_role("spinbutton", name="Atoms, from").fill("4")
    page.keyboard.press("Enter")
    page.wait_for_url("**atoms_from=4**")
    page.get_by_text("Largest first").click()
    page.wait_for_url("**largest_first=true**")
    settle(page)
    there = come()
    there.goto(page.url)
    settle(there)
    assert passing(there) == passing(page) != everything
    assert cells(there) == cells(page) != []
    assert there.get_by_role("spinbutton", name="Atoms, from").input_value() == "4"
    assert there.get_by_role("checkbox", name="Largest first").is_checked()


def test_two_visitors_do_not_disturb_each_other(come: "Callable[[], Page]", shared: App) -> None:
    one, two = come(), come()
    for visitor, where in ((one, "database?class="), (two, "generate")):
        visitor.goto(f"{shared.address}/{where}", wait_until="commit")  # both load at once
    everything = passing(one)
    samples = two.get_by_role("spinbutton", name="Samples", exact=True)
    samples.wait_for()
    untouched = samples.input_value()
    one.get_by_role("spinbutton", name="Atoms, from").fill("4")
    samples.fill("77")
    for visitor in (one, two):
        visitor.keyboard.press("Enter")
    one.wait_for_url("**atoms_from=4**")
    settle(one)
    settle(two)
    follow(one, "generate")
    follow(two, "database")
    settle(one)
    assert one.get_by_role("spinbutton", name="Samples", exact=True).input_value() == untouched != "77"
    assert "atoms_from" not in two.url and passing(two) != ""
    follow(two, "generate")
    settle(two)  # a number is drawn with its least value first
    assert two.get_by_role("spinbutton", name="Samples", exact=True).input_value() == "77"
    assert everything


def test_click_on_a_point_of_the_figure_shows_its_crystal(page: "Page", shared: App) -> None:
    page.goto(f"{shared.address}/database?class=&tab=Figure&x=atoms&y=loss")
    settle(page)
    page.get_by_text("Pick a crystal to see it here in 3D.").wait_for()
    plot = page.locator(".js-plotly-plot").first
    plot.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    x, y = plot.evaluate(POINT)
    page.mouse.move(x, y)
    page.wait_for_timeout(500)  # until the chart knows what is below the mouse
    page.mouse.click(x, y)
    page.get_by_role("link", name=re.compile("^Open ")).wait_for()
    assert page.get_by_text("Pick a crystal to see it here in 3D.").count() == 0
