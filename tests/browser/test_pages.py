"""The pages in a real browser: `pytest -m browser tests/browser`, with the extra `browser` and Chromium installed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import msgspec
import pytest

from browser import looks
from browser.conftest import Open
from helpers import long_report
from helpers.check_ups import RECORDED, recorded, with_check
from mpsdoctor import texts
from mpsdoctor.compare.shapes import Comparison
from mpsdoctor.formats import FORMATS, Style, compared
from mpsdoctor.report import CheckResult, Finding, Remedy, Report

pytestmark = pytest.mark.browser

OWN = "document.title = 'owned'"
EVIL = f'</style></script><script>{OWN}</script><img src=x onerror="{OWN}">{{{{ 7 * 7 }}}}'
WIDTHS = (360, 1280)
SECTIONS = ["verdict", "findings", "training", "operators", "known-issues", "libraries", "conditions", "unknown"]


def page(report: Report) -> str:
    return FORMATS["html"].render(report, Style())


def hostile() -> Report:
    """Strange text, and words without a place to break, wherever a stranger's report can have them."""
    long = "wwww" * 60
    findings = tuple(
        Finding("MPS999", "error", text, text, {text: text}, Remedy(text, (text,)), (text,)) for text in (EVIL, long)
    )
    report = with_check(long_report.full(), "libraries", libraries=[
        {"name": text, "version": text, "picks": text, "follows_run": True, "how": text} for text in (EVIL, long)
    ])  # fmt: skip
    row = {"op": EVIL, "device": EVIL, "dtype": long, "direction": "forward", "outcome": "wrong", "variants": [long]}
    report = with_check(report, "operators", results=[{**row, "detail": EVIL}, {**row, "op": long, "detail": long}])
    step = {"size": "small", "device": EVIL, "outcome": "ok", "step_ms": 3.0, "ci95_ms": [2.9, 3.1], "detail": ""}
    report = with_check(
        report, "training", results=[{**step, "workload": text} for text in (EVIL, long)], comparisons=[]
    )
    evil = CheckResult("evil", EVIL, EVIL, "skip", EVIL, findings=findings)
    return msgspec.structs.replace(report, checks=(*report.checks, evil))


def recorded_page(name: str) -> str:
    return page(recorded(name))


def comparison() -> str:
    changed = msgspec.json.decode((RECORDED / "compare-update.json").read_bytes(), type=Comparison)
    return compared.FORMATS["html"].render(changed, Style())


PAGES: dict[str, Callable[[], str]] = {
    "full": lambda: page(long_report.full()),
    "hostile": lambda: page(hostile()),
    **{name: partial(recorded_page, name) for name in ("trouble", "accelerator-wins", "cpu-only")},
    "long": lambda: page(long_report.with_rows(5000, "all")),
    "dtypes": lambda: page(long_report.with_rows(520, "all", long_report.ALL_DTYPES)),
    "comparison": comparison,
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_from_disk_and_asks_for_nothing(open_page: Open, name: str) -> None:
    """No request beyond the file, and no complaint on the console."""
    opened = open_page(PAGES[name](), unfolded=True)
    opened.page.wait_for_load_state("networkidle")
    assert opened.requests == []
    assert opened.complaints == []


def test_every_section_is_seen(open_page: Open) -> None:
    """In the order from the verdict to what is not known, each with a heading and something below it."""
    opened = open_page(PAGES["full"]())
    sections = opened.page.locator("section")
    assert [each.get_attribute("id") for each in sections.all()] == SECTIONS
    for each in sections.all():
        assert each.locator("h1, h2").first.is_visible()
        assert each.evaluate("element => element.getBoundingClientRect().height") > 60


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_nothing_overflows(open_page: Open, name: str, width: int) -> None:
    """On a phone and on a desktop, with everything unfolded: no element is wider than its place."""
    opened = open_page(PAGES[name](), width, unfolded=True)
    assert opened.page.evaluate(looks.DOCUMENT_WIDTH) == width
    assert opened.page.evaluate(looks.OVERFLOWING) == []
    assert opened.page.evaluate(looks.OUT_OF_PICTURE) == []


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_overflows_in_chinese(open_page: Open, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "_language", "zh")
    opened = open_page(page(long_report.full()), width, unfolded=True)
    assert opened.page.evaluate("document.documentElement.lang") == "zh"
    assert opened.page.evaluate(looks.DOCUMENT_WIDTH) == width
    assert opened.page.evaluate(looks.OVERFLOWING) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["full", "trouble", "comparison"])
def test_text_can_be_read_by_day_and_by_night(open_page: Open, name: str, scheme: str) -> None:
    """Every text has a contrast of 4.5 with its ground, as WCAG's level AA asks, whatever its size."""
    opened = open_page(PAGES[name](), scheme=scheme, unfolded=True)
    contrasts = opened.page.evaluate(looks.CONTRASTS)
    assert len(contrasts) > 3
    assert [said for contrast, said in contrasts if contrast < 4.5] == []
    dark = opened.page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
    assert dark == (scheme == "dark")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_devices_have_colours_of_their_own(open_page: Open, scheme: str) -> None:
    """In the pictures, beside a shape of their own."""
    opened = open_page(PAGES["full"](), scheme=scheme)
    assert len(set(opened.page.evaluate(looks.MARKS))) == 2


def test_hostile_text_stays_text(open_page: Open) -> None:
    """It is shown as it was written, runs nothing and makes no element."""
    opened = open_page(PAGES["hostile"](), unfolded=True)
    assert "owned" not in opened.page.title()
    assert opened.page.locator("script, img, iframe, link, object, form, a[href]").count() == 0
    assert EVIL in opened.page.inner_text("#findings")
    assert "49" not in opened.page.inner_text("#findings")


def test_a_row_of_operators_opens_by_a_click(open_page: Open) -> None:
    """And the keyboard; without a script."""
    opened = open_page(PAGES["full"]())
    row = opened.page.locator(".matrix details").first
    assert not row.locator("p").first.is_visible()
    row.locator("summary").click()
    assert row.locator("p").first.is_visible()
    row.locator("summary").press("Enter")
    assert not row.locator("p").first.is_visible()


def test_on_paper_grave_findings_and_warnings_are_open(open_page: Open) -> None:
    """Ink on white, also where the screen is dark; what is good to know stays folded."""
    opened = open_page(PAGES["trouble"](), scheme="dark")
    opened.page.emulate_media(media="print")
    assert opened.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    heights = "element => element.getBoundingClientRect().height > 60"
    printed = opened.page.locator("details.printed")
    assert printed.count() > 3
    assert all(each.evaluate(heights) for each in printed.all())
    assert opened.page.locator("details.finding:not(.printed)").first.is_hidden()
