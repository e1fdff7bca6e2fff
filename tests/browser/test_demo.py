"""In a real browser: the demonstration, the database, a crystal in 3D, its CIF, and no request to another host."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from legocryst import ROOT

CHROMIUM = shutil.which("chromium")
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"),
]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None and os.environ.get("LEGOCRYST_REQUIRE_BROWSER") != "1", reason="Chromium is not installed"
    ),
]


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """An app on a fresh workspace."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "legocryst", "app", "--port", str(port), "--workspace", str(tmp_path)]
    app = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(240):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.25)
    yield f"http://localhost:{port}"
    app.terminate()
    app.wait(30)


def test_demonstration_to_cif(address: str, tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright
    from pymatgen.core import Structure
    from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1366, "height": 768})
        visited: list[str] = []
        page.on("request", lambda r: visited.append(r.url))
        page.on("websocket", lambda w: visited.append(w.url))
        page.goto(address)
        page.get_by_role("button", name="Run the demonstration").click(timeout=60_000)
        page.get_by_text("Relax and judge").wait_for(timeout=60_000)
        page.get_by_text(re.compile(r"Of \d+ sampled rows")).wait_for(timeout=200_000)
        page.get_by_role("link", name="Database").first.click()
        page.get_by_text("pass the filters").wait_for(timeout=60_000)
        page.get_by_role("link", name="Structure").first.click()
        page.get_by_role("combobox").first.click(timeout=60_000)
        page.get_by_role("option").first.click(timeout=60_000)
        canvas = page.locator(".legocryst-view canvas").first
        canvas.wait_for(timeout=60_000)
        time.sleep(3)
        picture = canvas.screenshot()
        assert len(picture) > 5000, "an empty canvas compresses to less"
        shown = re.search(r"Space group (\d+)", page.text_content("body") or "")
        assert shown
        with page.expect_download() as download:
            page.get_by_role("button", name="Download as CIF").click()
        file = tmp_path / "crystal.cif"
        download.value.save_as(file)
        browser.close()
    assert SpacegroupAnalyzer(Structure.from_file(file), symprec=0.01).get_space_group_number() == int(shown[1])
    ours = (address, address.replace("http", "ws"), "data:", "blob:")
    assert not [url for url in visited if not url.startswith(ours)]
