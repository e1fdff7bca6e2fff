"""Seconds until each page is there in a browser, until it answers, and what it sends, with a large database.

python -m benchmarks.pages WORKSPACE [--rows 100000] [--visits 3] [--only database,structure]

A WORKSPACE that is not there is made: 65,000 augmented rows with features, and a number of random symmetric crystals,
relaxed and judged. Printed is a table in Markdown, the median of the visits and the largest:

- new browser: from the request until the page's title stands there (first paint), and until the page is complete, in
  a browser that has never been here and loads the app as well
- address: the same in a browser that was here before and has kept the app's files, from its address in a new tab
- link: the same from a click on the page's link, in a browser that is already there
- answer: from a change of one widget of the page until it is complete again, while another process, niced like a job,
  keeps a core busy
- MB: over the socket in a new browser, both ways
- 3D view: from a click on the link to a crystal, the one nearest to 500 atoms, until it is drawn

A page is complete when its script has ended and no placeholder or stale part is left, and stays so for half a second,
which is not counted. The browser itself notes the times, by its clock. Needs Chromium.
"""

import argparse
import re
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, WebSocket

from legocryst import ROOT
from legocryst.database.store import snapshot
from legocryst.jobs.worker import NICE
from legocryst.ui.shell.shell import PAGES
from scripts.browser import DRAWN, SIZE, App, chromium, served
from scripts.make_pictures import address, best

LARGE = "SELECT id, atoms FROM candidates WHERE status <> 'undecodable' ORDER BY abs(atoms - 500), id LIMIT 1"
CLOCK = f"""
const complete = {DRAWN}
window.clock = {{ begin: 0, title: null, ran: false, done: null }}
window.arm = (wanted) => {{
  window.clock = {{ begin: null, title: null, ran: false, done: null, wanted }}
  document.addEventListener("pointerdown", () => {{ clock.begin = performance.now() }}, {{ capture: true, once: true }})
}}
const look = () => {{
  const now = performance.now()
  if (clock.begin !== null) {{
    const title = document.querySelector("[data-testid=stMain] h1")
    if (clock.title === null && title && (!clock.wanted || title.innerText.startsWith(clock.wanted))) clock.title = now
    if (!complete()) clock.done = null
    else if (clock.done === null && clock.ran && clock.title !== null) clock.done = now
  }}
  requestAnimationFrame(look)
}}
requestAnimationFrame(look)
new MutationObserver((changes) => {{ // a run may be shorter than a frame
  const states = changes.flatMap((change) => [change.oldValue, change.target.dataset.testScriptState])
  if (clock.begin !== null && states.includes("running")) clock.ran = true
}}).observe(document, {{ subtree: true, attributeOldValue: true, attributeFilter: ["data-test-script-state"] }})
"""
"""Notes when the title of a page stands there and when the page is complete, since its request or an armed click."""
STAYS = "() => clock.done !== null && performance.now() - clock.done > 500 && { ...clock }"
MILLISECONDS = 120_000
COLUMNS = (
    *("first paint, new browser", "complete, new browser", "first paint, address", "complete, address"),
    *("first paint, link", "complete, link", "answer", "MB"),
)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--visits", type=int, default=3, help="of each page, after the first of all")
    parser.add_argument("--only", help="pages, with commas between them")
    options = parser.parse_args()
    if not options.workspace.exists():
        made(options.workspace, options.rows)
    with snapshot(options.workspace) as store:
        counts = "SELECT (SELECT count(*) FROM crystals) AS crystals, (SELECT count(*) FROM augmented) AS rows"
        crystals, rows = store.query(counts).iloc[0]
        large, atoms = store.query(LARGE).iloc[0]
    print(f"{crystals:,} crystals, {rows:,} augmented rows; {options.visits} visits, seconds: median (largest)\n")
    names = options.only.split(",") if options.only else list(PAGES)
    with served(options.workspace) as app, chromium() as browser:
        first = request(browser, app, "/")
        print(f"First page after the start: first paint {first[0]:.2f}, complete {first[1]:.2f}\n")
        print(f"| page | {' | '.join(COLUMNS)} |\n|---|{'---|' * len(COLUMNS)}")
        there = Visitor(browser, app)
        crystal = best(options.workspace)
        for name in names:
            visits = [request(browser, app, address(name, crystal)) for _ in range(options.visits)]
            tabs = [there.tab(address(name, crystal)) for _ in range(options.visits)]
            links = [there.follow(name) for _ in range(options.visits)]
            there.request(address(name, crystal))
            with busy():
                answers = [there.change(name) for _ in range(options.visits)] if name in CHANGES else []
            paint, whole, sent = zip(*visits, strict=True)
            cells = [paint, whole, *zip(*tabs, strict=True), *zip(*links, strict=True), answers]
            print(f"| {name} | {' | '.join(map(quantiles, cells))} | {max(sent) / 1e6:.2f} |", flush=True)
        views = [there.open(large) for _ in range(options.visits)]
        print(f"\n3D view of {atoms} atoms after selection: {quantiles(views)}")


def made(workspace: Path, rows: int) -> None:
    """Make a workspace with a number of crystals."""
    run = [sys.executable, "-m", "legocryst", "run", "--preset", "smoke", "--workspace", str(workspace)]
    subprocess.run([*run, "--model", "random", "--samples", str(rows), "--rank-energies", "no"], cwd=ROOT, check=True)
    table = ["--augment-rows", "65000", "--train-epochs", "1", "--samples", "300"]
    subprocess.run([*run, *table], cwd=ROOT, check=True)


def quantiles(seconds: Sequence[float]) -> str:
    """Return median and largest of some times."""
    return f"{statistics.median(seconds):.2f} ({max(seconds):.2f})" if seconds else ""


def request(browser: Browser, app: App, where: str) -> tuple[float, float, int]:
    """Return seconds until first paint and until complete in a new browser, and bytes over its socket."""
    sent = 0

    def count(frame: str | bytes) -> None:
        nonlocal sent
        sent += len(frame)

    def listen(socket: WebSocket) -> None:
        socket.on("framereceived", count)
        socket.on("framesent", count)

    context = browser.new_context(viewport=SIZE)
    context.add_init_script(CLOCK)
    page = context.new_page()
    page.on("websocket", listen)
    page.goto(f"{app.address}{where}", wait_until="commit")
    times = read(page)
    context.close()
    return *times, sent


def read(page: Page) -> tuple[float, float]:
    """Return seconds of the clock of a page: until its title stood there, until it was complete."""
    clock: dict[str, Any] = page.wait_for_function(STAYS, timeout=MILLISECONDS, polling=50).json_value()
    return (clock["title"] - clock["begin"]) / 1000, (clock["done"] - clock["begin"]) / 1000


def step_up(page: Page) -> None:
    """Add one to the first field for a number that is not empty."""
    page.locator("[data-testid=stNumberInputStepUp]:enabled").first.click()


def next_tab(page: Page) -> None:
    """Open the tab behind the open one, or the first."""
    page.locator("[data-testid=stMain] [role=tab][aria-selected=false]").first.click()


def next_job(page: Page) -> None:
    """Choose another job."""
    page.locator("[data-testid=stMain] [role=combobox]").last.click()
    page.evaluate("arm('')")  # what counts is the click on the job
    page.locator("[role=option][aria-selected=false]").first.click()


def check_box(page: Page) -> None:
    """Tick the first box, or untick it."""
    page.get_by_test_id("stMain").get_by_test_id("stCheckbox").first.locator("label").click()


CHANGES: dict[str, Callable[[Page], None]] = {
    "data": next_tab,
    "augment": step_up,
    "features": step_up,
    "train": step_up,
    "generate": step_up,
    "database": check_box,
    "structure": next_tab,
    "jobs": next_job,
}
"""A change of one widget of each page that has one."""


class Visitor:
    """A browser that is already there."""

    def __init__(self, browser: Browser, app: App) -> None:
        self.app = app
        self.context = browser.new_context(viewport=SIZE)
        self.context.add_init_script(CLOCK)
        self.page = self.context.new_page()
        self.request("/")

    def request(self, where: str) -> None:
        """Go to an address."""
        self.page.goto(f"{self.app.address}{where}")
        read(self.page)

    def tab(self, where: str) -> tuple[float, float]:
        """Return seconds until first paint and until complete of an address in a new tab."""
        page = self.context.new_page()
        page.goto(f"{self.app.address}{where}", wait_until="commit")
        times = read(page)
        page.close()
        return times

    def follow(self, name: str) -> tuple[float, float]:
        """Return seconds until first paint and until complete after a click on the link of a page, from another one."""
        links = self.page.locator("[data-testid=stSidebarNav] a")
        title = PAGES[name].title
        if self.page.locator("[data-testid=stMain] h1").inner_text().startswith("LEGO" if name == "home" else title):
            self._go(links.filter(has_text="Jobs" if name != "jobs" else "Home").first.click, "")
        heading = "LEGO" if name == "home" else title
        return self._go(links.filter(has_text=title).first.click, heading)

    def change(self, name: str) -> float:
        """Return seconds until the page that is open is complete again after a change of one widget."""
        return self._go(lambda: CHANGES[name](self.page), "")[1]

    def open(self, crystal: str) -> float:
        """Return seconds until a crystal is drawn after a click on its link on the Database page."""
        self.request(f"/database?class=&id_has={crystal}")
        table = self.page.get_by_test_id("stDataFrame").locator(".dvn-scroller").first
        table.click(position={"x": 16, "y": 53})  # the box before the first row
        link = self.page.get_by_role("link", name=re.compile("^Open .* in 3D")).first
        link.wait_for(timeout=MILLISECONDS)
        self.page.evaluate("arm('')")
        link.click()
        self.page.locator("[data-atoms]").first.wait_for(timeout=MILLISECONDS)
        return float(self.page.evaluate("(performance.now() - clock.begin) / 1000"))

    def _go(self, act: Callable[[], None], heading: str) -> tuple[float, float]:
        self.page.evaluate("wanted => arm(wanted)", heading)
        act()
        return read(self.page)


@contextmanager
def busy() -> Iterator[None]:
    """Keep a core busy with another process meanwhile."""
    code = f"import os\nos.nice({NICE})\nwhile True: pass"
    process = subprocess.Popen([sys.executable, "-c", code])
    try:
        yield
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    main()
