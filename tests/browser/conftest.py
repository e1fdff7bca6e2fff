"""An app on a fresh workspace, and a real browser that notes every address it asks for."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from legocryst import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Page

FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"),
]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return tmp_path / "workspace"


@dataclass(frozen=True)
class App:
    address: str
    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)


@pytest.fixture
def app(workspace: Path, tmp_path: Path) -> Iterator[App]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "legocryst", "app", "--port", str(port), "--workspace", str(workspace)]
    with (tmp_path / "app.log").open("wb") as log:
        app = App(f"http://localhost:{port}", subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log))
    try:
        for _ in range(240):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert app.process.poll() is None, (tmp_path / "app.log").read_text()
            time.sleep(0.25)
        yield app
    finally:
        app.stop()


@pytest.fixture
def page(app: App) -> Iterator["Page"]:
    """A page of the browser; at its end, nothing may have been asked of another host than the app's."""
    path = shutil.which("chromium")
    if path is None and os.environ.get("LEGOCRYST_REQUIRE_BROWSER") != "1":
        pytest.skip("Chromium is not installed")
    from playwright.sync_api import sync_playwright

    visited: list[str] = []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=path, args=FLAGS)
        context = browser.new_context(viewport={"width": 1366, "height": 768})
        context.on("request", lambda request: visited.append(request.url))
        page = context.new_page()
        page.on("websocket", lambda socket: visited.append(socket.url))
        page.set_default_timeout(60_000)
        yield page
        browser.close()
    ours = (f"{app.address}/", app.address.replace("http", "ws") + "/", "data:", "blob:")
    assert visited
    assert [url for url in visited if not url.startswith(ours)] == []
