"""Prints how large a page of 5,000 rows of operators is, and how long it takes to make and to open.

`python tests/bench/bench_html.py [RUNS]`. Bars: below 300 kB, open in Chromium within 0.5 s. `made` has the templates
read anew, as each command does; `open` is from the start of the navigation until the frame after the load is drawn,
from disk, in a new tab of a headless Chromium that runs already: median and worst of RUNS, and the time of a processor
that the page's thread took, which a busy machine changes less. Without Chromium or the extra `browser` it is left out,
and with `--smoke` too.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from helpers import long_report
from mpsdoctor.formats import FORMATS, Style

SMOKE = "--smoke" in sys.argv
RUNS = next((int(word) for word in sys.argv[1:] if word.isdigit()), 20)
ROWS = 5000
FRAME = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


@contextmanager
def chromium() -> Iterator[Any]:
    """A running one; None where it is not installed or not asked for."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        program = None
    if SMOKE or program is None:
        yield None
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


def open_once(browser: Any, path: Path) -> tuple[float, float]:
    """Seconds until the frame is drawn, and seconds of a processor that the page's thread took."""
    page = browser.new_page()
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    start = time.perf_counter()
    page.goto(path.as_uri())
    page.evaluate(FRAME)
    took = time.perf_counter() - start
    metrics = session.send("Performance.getMetrics")["metrics"]
    page.close()
    return took, next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")


def describe(times: list[tuple[float, float]]) -> str:
    if not times:
        return "not measured"
    waited, worked = zip(*times, strict=True)
    return f"{statistics.median(waited):.2f} s, {max(waited):.2f} s, {statistics.median(worked):.2f} s"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        print(f"{'which are not right':<20}{'size':>10}{'made':>12}{'open: median, worst, thread':>30}")
        for kind in long_report.KINDS:
            report = long_report.with_rows(ROWS, kind)
            start = time.perf_counter()
            html = FORMATS["html"].render(report, Style())
            took = time.perf_counter() - start
            path = Path(folder) / f"{kind}.html"
            path.write_text(html, encoding="utf-8")
            opened = describe([open_once(browser, path) for _ in range(RUNS)] if browser else [])
            print(f"{kind:<20}{path.stat().st_size / 1000:>7.0f} kB{took:>10.2f} s{opened:>30}")


main()
