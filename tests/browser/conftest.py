"""A headless Chromium of the system, for the pages of HTML: `pytest -m browser tests/browser`."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

if TYPE_CHECKING:  # collected without the extra, too
    from playwright.sync_api import Browser, BrowserContext, Page

NAMES = ("chromium", "chromium-browser", "google-chrome")  # as Debian, others and Google call it


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The one that is installed; it downloads nothing."""
    from playwright.sync_api import sync_playwright

    program = next(path for name in NAMES if (path := shutil.which(name)))
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield chromium
        chromium.close()


class Opened:
    """A page opened from disk; what it asked for beyond itself and what it complained of."""

    def __init__(self, page: Page, path: Path) -> None:
        self.page, self.requests, self.complaints = page, list[str](), list[str]()
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto(path.as_uri())
        self.requests.remove(path.as_uri())


Open = Callable[..., Opened]


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Opens HTML at a width in a colour scheme; with `unfolded` everything that a click opens is open."""
    contexts: list[BrowserContext] = []

    def open_html(
        html: str, width: int = 1280, scheme: Literal["light", "dark"] = "light", *, unfolded: bool = False
    ) -> Opened:
        path = tmp_path / "page.html"
        path.write_text(html, encoding="utf-8")
        context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
        contexts.append(context)
        opened = Opened(context.new_page(), path)
        if unfolded:
            opened.page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        return opened

    yield open_html
    for context in contexts:
        context.close()
