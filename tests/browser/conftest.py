"""An app on a workspace, and visitors with a real browser whose every request is noted."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from scripts.browser import SIZE, App, chromium, has_chromium, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

    Come = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    if not has_chromium():
        pytest.skip("Chromium is not installed")
    with chromium() as result:
        yield result


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return tmp_path / "workspace"


@pytest.fixture
def app(workspace: Path, browser: "Browser") -> Iterator[App]:
    """The app on a workspace that is not there yet."""
    with served(workspace) as app:
        yield app


@pytest.fixture
def come(browser: "Browser") -> Iterator["Come"]:
    """Lets one more visitor come, with a browser that has never been here.

    At the end nothing may have been asked of another host, and no page may show a traceback.
    """
    requests: list[str] = []
    contexts: list[BrowserContext] = []

    def visitor(**options: Any) -> "Page":
        context = browser.new_context(viewport=SIZE, **options)
        context.on("request", lambda request: requests.append(request.url))
        contexts.append(context)
        page = context.new_page()
        page.on("websocket", lambda socket: requests.append(socket.url))
        page.set_default_timeout(60_000)
        return page

    yield visitor
    tracebacks = [page.locator("[data-testid=stException]").count() for each in contexts for page in each.pages]
    for context in contexts:
        context.close()
    assert requests and [url for url in requests if not ours(url)] == []
    assert not any(tracebacks)


@pytest.fixture
def page(come: "Come") -> "Page":
    """A visitor's page."""
    return come()


def ours(url: str) -> bool:
    """Whether a request stays on this computer."""
    parts = urlsplit(url)
    return parts.scheme in ("data", "blob") or parts.hostname == "localhost"
