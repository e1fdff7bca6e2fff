"""In a real browser: the demonstration, its crystals as a zip, one in 3D; a job outlives refresh, server and kill."""

import os
import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile

import numpy as np
import pytest

from legocryst.database.store import Store
from legocryst.infra.files import read_json
from scripts.browser import App
from tests.browser.actions import FINISHED, demonstrate, downloaded, only_job, wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

PIXELS = """() => {
    const picture = document.querySelector(".legocryst-view canvas")
    const copy = Object.assign(document.createElement("canvas"), { width: picture.width, height: picture.height })
    const context = copy.getContext("2d")
    context.drawImage(picture, 0, 0)
    return Array.from(new Uint32Array(context.getImageData(0, 0, copy.width, copy.height).data.buffer))
}"""


def drawn(page: "Page") -> float:
    """Share of the pixels of the 3D view that differ from its most frequent colour."""
    _, count = np.unique(page.evaluate(PIXELS), return_counts=True)
    return 1 - count.max() / count.sum()


def camera(page: "Page") -> list[float]:
    return page.evaluate("document.querySelector('.legocryst-view').viewer.getView()")


def check_crystal(page: "Page", tmp_path: Path) -> None:
    """The picture is drawn, keeps its camera, and the CIF has the group that the page shows."""
    from pymatgen.core import Structure
    from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

    view = page.locator(".legocryst-view")
    page.locator(".legocryst-view[data-atoms]").wait_for()
    wait_for(lambda: drawn(page) > 0.01, 20)
    atoms = int(view.get_attribute("data-atoms") or 0)
    view.hover()
    page.mouse.down()
    page.mouse.move(600, 500, steps=4)
    page.mouse.up()
    turned = camera(page)
    page.get_by_role("button", name="Cells, bonds, labels").click()
    page.get_by_text("Bonds across the boundary").click()  # a rerun of the drawing
    wait_for(lambda: int(view.get_attribute("data-atoms") or 0) != atoms, 20)
    assert camera(page) == pytest.approx(turned, abs=1e-6)
    shown = re.search(r"Space group (\d+)", page.inner_text("[data-testid=stMain]"))
    assert shown
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as CIF").click()
    file = tmp_path / "crystal.cif"
    download.value.save_as(file)
    structure = Structure.from_file(file)
    assert SpacegroupAnalyzer(structure, symprec=0.01).get_space_group_number() == int(shown[1])


def check_archive(archive: ZipFile, crystals: int) -> None:
    """Each crystal as CIF and as POSCAR, which pymatgen reads alike, beside the other files of the archive."""
    from pymatgen.core import Structure

    cifs, poscars = (sorted(name for name in archive.namelist() if name.endswith(end)) for end in (".cif", ".vasp"))
    assert len(cifs) == len(poscars) == crystals > 0
    for cif, poscar in zip(cifs, poscars, strict=True):
        one = Structure.from_str(archive.read(cif).decode(), fmt="cif")
        other = Structure.from_str(archive.read(poscar).decode(), fmt="poscar")
        assert len(one) == len(other)
        assert one.volume == pytest.approx(other.volume, rel=1e-4)
    assert {Path(name).suffix for name in archive.namelist()} >= {".extxyz", ".csv", ".parquet", ".json", ".bib"}


def test_from_the_demonstration_to_a_crystal(page: "Page", app: App, workspace: Path, tmp_path: Path) -> None:
    demonstrate(page, app.address)
    page.get_by_text(re.compile(r"Write it in subgroups: (\d+ of \d+ )?done")).wait_for()  # it moves
    page.get_by_text(re.compile(r"Of 100 sampled rows, \d+ are new")).wait_for(timeout=FINISHED)
    assert only_job(workspace).state == "finished"
    page.get_by_role("link", name="See them in the database").click()
    page.get_by_text(re.compile(r"\d+ of 100 sampled rows pass")).wait_for()
    check_archive(downloaded(page), only_job(workspace).summary["new"])
    table = page.get_by_test_id("stDataFrame").locator(".dvn-scroller").first
    table.click(position={"x": 16, "y": 53})  # the box before the first row
    page.get_by_role("link", name=re.compile("^Open .* in 3D")).click()
    page.wait_for_url(re.compile(r"/structure\?id=\d{8}-"))
    check_crystal(page, tmp_path)


def test_gallery_draws_and_a_click_picks(page: "Page", app: App) -> None:
    page.goto(f"{app.address}/data?view=Gallery")
    page.locator(".legocryst-gallery[data-drawn='12']").wait_for(timeout=FINISHED)
    sizes = page.evaluate("[...document.querySelectorAll('.legocryst-tile img')].map((i) => i.src.length)")
    assert len(sizes) == 12 and len(set(sizes)) > 6 and min(sizes) > 1000  # pictures, and not all the same
    tile = page.locator(".legocryst-tile").nth(5)
    title = tile.locator("b").inner_text()
    tile.click()
    page.get_by_role("heading", name=title, exact=True).wait_for()
    page.locator(".legocryst-tile[aria-pressed=true]").get_by_text(title, exact=True).wait_for()


def test_deep_link_to_a_fresh_server(page: "Page", app: App) -> None:
    page.goto(f"{app.address}/structure?id=unknown")
    page.get_by_text("There is no crystal 'unknown' in this workspace").wait_for()
    page.get_by_role("link", name="Augment").wait_for()  # the router's pages, not a list of files


def test_job_outlives_refresh_server_and_kill(page: "Page", app: App, workspace: Path) -> None:
    demonstrate(page, app.address)
    job = only_job(workspace)
    page.reload()
    page.get_by_text(re.compile("Write it in subgroups:")).wait_for()  # the same job, without the session
    app.stop()
    assert job.state == "running"
    app.start()
    page.goto(app.address)
    page.get_by_text(re.compile("Write it in subgroups:")).wait_for()
    assert only_job(workspace).state == "running"
    wait_for(lambda: job.latest().get("stage") == "train", 120)
    os.kill(read_json(job.folder / "lease.json")["pid"], signal.SIGKILL)
    page.get_by_text("Lost. The process of this job ended on").wait_for()
    page.goto(f"{app.address}/jobs")  # a new session
    page.get_by_text("Lost. The process of this job ended on").wait_for()
    page.get_by_role("button", name="Resume").click()
    page.get_by_text("Finished.").wait_for(timeout=FINISHED)
    assert job.state == "finished"
    assert len({step["attempt"] for step in job.progress()}) == 2
    page.goto(f"{app.address}/database?class=")
    page.get_by_text("100 of 100 sampled rows pass").wait_for()
    page.goto("about:blank")
    app.stop()
    with Store.open(workspace) as store:
        taken = store.query("SELECT path, count(*) AS n FROM shards GROUP BY path")
        shards = [str(path.relative_to(workspace)) for path in job.shards.glob("*.parquet")]
        assert sorted(taken["path"]) == sorted(shards) and set(taken["n"]) == {1}
        assert store.counts()["sampled"] == 100
