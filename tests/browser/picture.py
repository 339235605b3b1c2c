"""Draws docs/html-report.jpg, a page with its findings folded: `PYTHONPATH=tests python tests/browser/picture.py`."""

from __future__ import annotations

import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

from mpsdoctor.formats import FORMATS, Style
from mpsdoctor.tui.engine import Done
from tui import screens

TARGET = Path(__file__).resolve().parents[2] / "docs" / "html-report.jpg"


def main() -> None:
    end = screens.recorded("wins")[-1]
    assert isinstance(end, Done)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1040, "height": 745})
        page.set_content(FORMATS["html"].render(end.report, Style()))
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = false)")
        page.screenshot(path=TARGET, type="jpeg", quality=35)
        browser.close()


main()
