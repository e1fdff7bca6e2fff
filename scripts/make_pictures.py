"""Write docs/pictures: each page of a running app as a screenshot of 1366 x 768 points.

python -m scripts.make_pictures http://localhost:8501
"""

import sys
import time

from playwright.sync_api import sync_playwright

from legocryst import ROOT
from legocryst.ui.shell import PAGES

FLAGS = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]


def main(address: str) -> None:
    """Visit every page and keep what it shows."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        page = browser.new_page(viewport={"width": 1366, "height": 768})
        for name in PAGES:
            page.goto(f"{address}/{name if name != 'home' else ''}")
            time.sleep(5)
            page.screenshot(path=ROOT / "docs" / "pictures" / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
