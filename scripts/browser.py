"""The app as a process of its own, and a browser that looks at it: what pictures, benchmarks and tests share."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from legocryst import ROOT

SIZE = ViewportSize(width=1366, height=768)
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"),
]
DRAWN = """() => document.querySelector('[data-testid=stMain] h1')
    && document.querySelector('[data-test-script-state=notRunning]')
    && !document.querySelector('[data-testid=stSkeleton], [data-stale=true]')"""
"""Whether a page is complete: its script has ended, and nothing of it is a placeholder or of an earlier run."""


@dataclass
class App:
    """The dashboard on a workspace, at a port of its own; it may be stopped and started again."""

    workspace: Path
    port: int = 0
    process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    @property
    def address(self) -> str:
        """Where it answers, without a slash at the end."""
        return f"http://localhost:{self.port}"

    def start(self) -> None:
        """Start it; raises RuntimeError when it ends at once, TimeoutError when it is silent for three minutes."""
        self.port = self.port or free_port()
        command = [sys.executable, "-m", "legocryst", "app", "--port", str(self.port)]
        log = self.workspace.parent / f"app-{self.port}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as file:
            command += ["--workspace", str(self.workspace)]
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=file, stderr=file)
        for _ in range(720):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            if self.process.poll() is not None:
                raise RuntimeError(log.read_text())
            time.sleep(0.25)
        raise TimeoutError(f"the app does not answer at {self.address}")

    def stop(self) -> None:
        """End it, and wait until it has ended."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(60)
            self.process = None


@contextmanager
def served(workspace: Path) -> Iterator[App]:
    """Serve the dashboard on a workspace."""
    app = App(workspace)
    try:
        app.start()
        yield app
    finally:
        app.stop()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Yield a browser without a window; Playwright says so where Chromium is not installed."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield browser
        browser.close()


def settle(page: Page, *, milliseconds: float = 240_000) -> None:
    """Wait until the page is complete, and still is a moment later."""
    page.wait_for_function(DRAWN, timeout=milliseconds)
    page.wait_for_timeout(300)
    page.wait_for_function(DRAWN, timeout=milliseconds)


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def has_chromium() -> bool:
    """Say whether browser tests can run; where LEGOCRYST_REQUIRE_BROWSER=1 they must."""
    return shutil.which("chromium") is not None or os.environ.get("LEGOCRYST_REQUIRE_BROWSER") == "1"
