"""Draws docs/html-report.jpg, the head of a page: `PYTHONPATH=tests python tests/browser/picture.py`."""

from __future__ import annotations

import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

from helpers.check_ups import recorded
from mpsdoctor.formats import FORMATS, Style

TARGET = Path(__file__).resolve().parents[2] / "docs" / "html-report.jpg"


def main() -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 900, "height": 760})
        page.set_content(FORMATS["html"].render(recorded("accelerator-wins"), Style()))
        page.screenshot(path=TARGET, type="jpeg", quality=60)
        browser.close()


main()
