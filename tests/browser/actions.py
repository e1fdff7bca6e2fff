"""What visitors do in several tests."""

import io
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile

from legocryst.jobs.record import Job, jobs
from legocryst.ui.shell.shell import PAGES

if TYPE_CHECKING:
    from playwright.sync_api import Page

FINISHED = 180_000
"""Most milliseconds the demonstration takes on a busy machine."""


def wait_for(condition: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.2)


def press(page: "Page", name: str, until: Callable[[], bool]) -> None:
    """Click a button until it took effect: a click that comes while the page draws itself anew can be lost."""
    for _ in range(3):
        page.get_by_role("button", name=name, exact=True).click()
        end = time.monotonic() + 30
        while time.monotonic() < end:
            if until():
                return
            time.sleep(0.2)
    raise AssertionError(f"the button {name} did nothing")


def demonstrate(page: "Page", address: str) -> None:
    page.goto(address)
    page.get_by_role("button", name="Run the demonstration").click()
    page.get_by_text("Relax and judge: waiting").wait_for()


def only_job(workspace: Path) -> Job:
    (job,) = jobs(workspace)
    return job


def follow(page: "Page", name: str) -> None:
    """To another page by its link, which keeps the session."""
    title = PAGES[name].title
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=title, exact=True).click()
    page.get_by_role("heading", level=1, name=title).wait_for()


def cells(page: "Page") -> list[str]:
    """What stands in the first table of the page, cell by cell, as a screen reader gets it."""
    table = page.get_by_test_id("stDataFrame").first.locator("table[role=grid]")
    table.locator("td").first.wait_for(state="attached")
    return table.locator("td").all_text_contents()


def passing(page: "Page") -> str:
    """The sentence of the Database page that tells how many rows pass the filters."""
    return page.get_by_text(re.compile(r"[\d,]+ of [\d,]+ sampled rows pass the filters")).inner_text()


def downloaded(page: "Page") -> ZipFile:
    """The archive of the crystals that pass, from the Database page."""
    page.get_by_text("Download", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download zip").click()
    return ZipFile(io.BytesIO(Path(download.value.path()).read_bytes()))
