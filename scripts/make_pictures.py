"""Write docs/pictures: every page of the app as a screenshot of 1366 x 768 points.

python -m scripts.make_pictures [WORKSPACE]

Without a workspace one is made by a run of the smoke preset. Needs Chromium.
"""

import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from legocryst import ROOT
from legocryst.store import snapshot
from legocryst.ui.shell import PAGES

FLAGS = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
PORT = 8597
BEST = "SELECT id FROM candidates WHERE class = 'new' ORDER BY kind <> 'framework', energy NULLS LAST, atoms LIMIT 1"
WITH_RESULT = ("augment", "features", "train", "generate")
"""Pages whose picture begins at the result, below the form."""


def main(workspace: Path) -> None:
    """Serve the workspace, visit every page and keep what it shows."""
    with snapshot(workspace) as store:
        crystal = store.query(BEST)["id"].iloc[0]
    with app_in_browser(workspace) as browser:
        page = browser.new_page(viewport={"width": 1366, "height": 768})
        for name in PAGES:
            query = f"?id={crystal}" if name == "structure" else ""
            page.goto(f"http://localhost:{PORT}/{name if name != 'home' else ''}{query}")
            _settle(page)
            if name in WITH_RESULT:
                page.get_by_role("heading", name="Result").evaluate("e => e.scrollIntoView({block: 'start'})")
                _settle(page)
            page.screenshot(path=ROOT / "docs" / "pictures" / f"{name}.png")


@contextmanager
def app_in_browser(workspace: Path) -> Iterator[Browser]:
    """A browser, while the app serves a workspace at PORT; raises TimeoutError where it does not within a minute."""
    command = [sys.executable, "-m", "legocryst", "app", "--port", str(PORT), "--workspace", str(workspace)]
    app = subprocess.Popen(command, cwd=ROOT)
    try:
        _wait_for_app()
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
            yield browser
            browser.close()
    finally:
        app.terminate()
        app.wait(60)


def _wait_for_app() -> None:
    for _ in range(240):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", PORT)) == 0:
                return
        time.sleep(0.25)
    raise TimeoutError(f"the app does not answer at port {PORT}")


def _settle(page: Page) -> None:
    """Wait until the page is drawn."""
    page.locator("[data-testid=stMain] h1").wait_for(timeout=60_000)
    page.locator("[data-test-script-state=notRunning]").wait_for(timeout=60_000)
    page.wait_for_timeout(1500)
    page.wait_for_function("document.querySelectorAll('[data-testid=stSkeleton]').length == 0")
    page.wait_for_timeout(1000)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as folder:
            run = ["run", "--preset", "smoke", "--workspace", folder]
            subprocess.run([sys.executable, "-m", "legocryst", *run], cwd=ROOT, check=True)
            main(Path(folder))
