"""Seconds until each page is drawn in a browser, and what it sends, with a large database.

python -m benchmarks.pages WORKSPACE [--rows 100000] [--visits 3]

A WORKSPACE that is not there is made: 65,000 augmented rows with features, and so many random symmetric crystals,
relaxed and judged. Each page is visited in a browser context of its own, as by a first-time visitor, whose browser
loads the app as well; the first visit of all comes right after the server's start. Then one visitor goes from page to
page by the links. Told are seconds of the clock until nothing runs any more, and megabytes over the socket. Needs
Chromium.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, WebSocket

from legocryst import ROOT
from legocryst.store import snapshot
from legocryst.ui.shell import PAGES
from scripts.make_pictures import BEST, PORT, app_in_browser

DRAWN = """() => document.querySelector('[data-testid=stMain] h1')
    && document.querySelector('[data-test-script-state=notRunning]')
    && !document.querySelector('[data-testid=stSkeleton]')"""


def main() -> None:
    """Print a line for each page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--visits", type=int, default=3, help="of each page, after the first of all")
    options = parser.parse_args()
    if not options.workspace.exists():
        made(options.workspace, options.rows)
    with snapshot(options.workspace) as store:
        print(
            store.query("SELECT (SELECT count(*) FROM crystals) AS crystals, (SELECT count(*) FROM augmented) AS rows")
        )
        crystal = store.query(BEST)["id"].iloc[0]
    with app_in_browser(options.workspace) as browser:
        print(f"{'first of all':14s} {visit(browser, '')[0]:6.2f} s")
        for name in PAGES:
            address = f"structure?id={crystal}" if name == "structure" else "" if name == "home" else name
            times, sent = zip(*(visit(browser, address) for _ in range(options.visits)), strict=True)
            seconds = ", ".join(f"{t:5.2f}" for t in times)
            print(f"{name:14s} {seconds} s, {max(sent) / 1e6:.2f} MB", flush=True)
        print("from page to page:")
        for round_ in walk(browser, options.visits):
            print(", ".join(f"{name} {seconds:.2f}" for name, seconds in round_.items()), flush=True)


def made(workspace: Path, rows: int) -> None:
    """A workspace with so many crystals."""
    run = [sys.executable, "-m", "legocryst", "run", "--preset", "smoke", "--workspace", str(workspace)]
    subprocess.run([*run, "--model", "random", "--samples", str(rows), "--rank-energies", "no"], cwd=ROOT, check=True)
    table = ["--augment-rows", "65000", "--train-epochs", "1", "--samples", "300"]
    subprocess.run([*run, *table], cwd=ROOT, check=True)


def visit(browser: Browser, address: str) -> tuple[float, int]:
    """Seconds until the page is drawn, and bytes over its socket."""
    sent = 0

    def count(frame: str | bytes) -> None:
        nonlocal sent
        sent += len(frame)

    def listen(socket: WebSocket) -> None:
        socket.on("framereceived", count)

    page = browser.new_context(viewport={"width": 1366, "height": 768}).new_page()
    page.on("websocket", listen)
    begin = time.perf_counter()
    page.goto(f"http://localhost:{PORT}/{address}")
    page.wait_for_function(DRAWN, timeout=120_000, polling=20)
    seconds = time.perf_counter() - begin
    page.context.close()
    return seconds, sent


def walk(browser: Browser, rounds: int) -> Iterator[dict[str, float]]:
    """Seconds from a click on each page's link until the page is drawn, so many times around."""
    page = browser.new_page(viewport={"width": 1366, "height": 768})
    page.goto(f"http://localhost:{PORT}/")
    page.wait_for_function(DRAWN, timeout=120_000)
    for _ in range(rounds):
        times = {}
        for name in [name.capitalize() for name in PAGES if name != "home"]:
            begin = time.perf_counter()
            page.locator("[data-testid=stSidebarNav] a").filter(has_text=name).first.click()
            page.get_by_role("heading", level=1, name=name).wait_for()
            page.wait_for_timeout(100)  # until the script of the page runs
            page.wait_for_function(DRAWN, timeout=120_000, polling=20)
            times[name] = time.perf_counter() - begin
        yield times


if __name__ == "__main__":
    main()
