"""Write docs/pictures: every page of the app as a screenshot of 1366 x 768 points, light and dark.

python -m scripts.make_pictures [WORKSPACE]

Without a workspace one is made by a run of the smoke preset. Needs Chromium.
"""

import io
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Page

from legocryst import ROOT
from legocryst.database.store import snapshot
from legocryst.ui.shell.shell import PAGES
from scripts.browser import SIZE, App, chromium, served, settle

PICTURES = ROOT / "docs" / "pictures"
BEST = "SELECT id FROM candidates WHERE class = 'new' ORDER BY kind <> 'framework', energy NULLS LAST, atoms LIMIT 1"
WITH_RESULT = ("augment", "features", "train", "generate")
"""Pages whose picture begins at the result, below the form."""
SCHEMES: dict[Literal["light", "dark"], str] = {"light": "", "dark": "-dark"}
COLORS = 192


def main(workspace: Path) -> None:
    """Serve the workspace, visit every page and keep what it shows."""
    crystal = best(workspace)
    with served(workspace) as app, chromium() as browser:
        for scheme in SCHEMES:
            take(app, browser, crystal, scheme)


def best(workspace: Path) -> str:
    """Return the crystal that the Structure page is shown with."""
    with snapshot(workspace) as store:
        return str(store.query(BEST)["id"].iloc[0])


def address(name: str, crystal: str) -> str:
    """Return where a page answers, behind the app's address."""
    query = f"?id={crystal}" if name == "structure" else ""
    return f"/{name if name != 'home' else ''}{query}"


def take(app: App, browser: Browser, crystal: str, scheme: Literal["light", "dark"]) -> None:
    """Take the pictures of one colour scheme."""
    context = browser.new_context(viewport=SIZE, color_scheme=scheme)
    page = context.new_page()
    for name in PAGES:
        page.goto(f"{app.address}{address(name, crystal)}")
        _drawn(page)
        if name in WITH_RESULT:
            page.get_by_role("heading", name="Result", exact=True).evaluate("e => e.scrollIntoView({block: 'start'})")
            _drawn(page)
        write(page.screenshot(), PICTURES / f"{name}{SCHEMES[scheme]}.png")
    context.close()


def write(screenshot: bytes, path: Path) -> None:
    """Write a screenshot with a palette, a third of the bytes."""
    picture = Image.open(io.BytesIO(screenshot)).convert("RGB")
    picture.quantize(COLORS, dither=Image.Dither.NONE).save(path, optimize=True)


def _drawn(page: Page) -> None:
    """Wait until the page is complete, and figures and views have been drawn."""
    settle(page)
    page.wait_for_timeout(2500)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as folder:
            run = ["run", "--preset", "smoke", "--workspace", folder]
            subprocess.run([sys.executable, "-m", "legocryst", *run], cwd=ROOT, check=True)
            main(Path(folder))
