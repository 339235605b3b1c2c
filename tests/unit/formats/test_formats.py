"""Reports for issues, CI systems and browsers, from recorded reports; and what a hostile one can do there."""

from __future__ import annotations

import os
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest

from mpsdoctor.cli.examine import deliver
from mpsdoctor.cli.options import Options, Outlet
from mpsdoctor.formats import FORMATS, Style, rows
from mpsdoctor.report import CheckResult, Finding, Forced, ProfileNote, Remedy, Report

RECORDED = Path(__file__).parents[1] / "recorded"
ENDINGS = {"markdown": "md", "junit": "xml", "github": "github.txt", "html": "html"}
NAMES = ("cpu-only", "accelerator-wins", "trouble")
EVIL = "</pre><script>alert(1)</script> `` ``` | **x** [a](javascript:b) @someone & \x01 %0A\n::error::forged"


def recorded(name: str) -> Report:
    return msgspec.json.decode((RECORDED / f"{name}.json").read_bytes(), type=Report)


def hostile() -> Report:
    """A report with such text in every place that a check of a stranger fills."""
    finding = Finding("MPS999", "error", EVIL, EVIL, {EVIL: EVIL}, Remedy(EVIL, (EVIL,)), (EVIL,))
    check = CheckResult("evil", EVIL, EVIL, "fail", EVIL, findings=(finding,))
    skipped = CheckResult("training", EVIL, EVIL, "skip", EVIL, facts={"results": [{"outcome": "ok"}]})
    return msgspec.structs.replace(recorded("cpu-only"), checks=(check, skipped))


@pytest.mark.parametrize("form", ENDINGS)
@pytest.mark.parametrize("name", NAMES)
def test_formats_stay_as_they_were_reviewed(form: str, name: str) -> None:
    """Golden files: changed only on purpose."""
    file, text = RECORDED / f"{name}.{ENDINGS[form]}", FORMATS[form].render(recorded(name), Style())
    if os.environ.get("MPSDOCTOR_GOLDEN") == "write":  # on purpose: look at the difference
        file.write_text(text)
    assert text == file.read_text()


@pytest.mark.parametrize("name", NAMES)
def test_junit_counts_what_it_holds(name: str) -> None:
    """A suite a check; each finding of severity error is a failure, a skipped check is skipped."""
    report = recorded(name)
    root = ElementTree.fromstring(FORMATS["junit"].render(report, Style()))
    assert [suite.get("name") for suite in root] == [check.id for check in report.checks]
    errors = [each for check in report.checks for each in check.findings if each.severity == "error"]
    assert int(root.get("failures", 0)) == len(list(root.iter("failure"))) == len(errors)
    assert int(root.get("tests", 0)) == len(list(root.iter("testcase"))) >= len(report.checks)


def test_a_check_that_failed_itself_is_an_error_apart() -> None:
    """JUnit tells a check that broke from one that found something, and from one that was skipped."""
    broke = CheckResult("fan", "Fan", "x", "error", "it hung", findings=(Finding("MPS902", "error", "it hung", ""),))
    skipped = CheckResult("chip", "Chip", "x", "skip", "left out")
    root = ElementTree.fromstring(
        FORMATS["junit"].render(msgspec.structs.replace(recorded("cpu-only"), checks=(broke, skipped)), Style())
    )
    assert {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "3",
        "failures": "0",
        "errors": "1",
        "skipped": "1",
    }


def test_annotations_cannot_be_forged() -> None:
    """Each line is one annotation of ours, whatever a finding says."""
    lines = FORMATS["github"].render(hostile(), Style()).splitlines()
    assert [line.split("::")[1].split()[0] for line in lines] == ["error", "notice"]
    assert lines[0].startswith("::error title=MPS999::")
    assert "%250A%0A::error" in lines[0]


def test_markdown_is_only_text() -> None:
    """No HTML, link, mention or table cell comes from a finding, and no text closes a block of code."""
    text = FORMATS["markdown"].render(hostile(), Style())
    outside = re.sub(r"^(`{3,})\w+\n.*?^\1$", "", text, flags=re.S | re.M)
    assert not re.search(r"<(?!/?(details|summary)>)", outside)
    assert "@" not in outside
    read = [line for line in outside.splitlines() if not line.startswith("<details>")]  # which is raw HTML
    assert not re.search(r"(?<!\\)\]\(", "\n".join(read))
    rows = [line for line in outside.splitlines() if line.startswith("| error")]
    assert [len(re.findall(r"(?<!\\)\|", row)) for row in rows] == [5]


def test_html_holds_no_script_and_asks_for_nothing() -> None:
    """What a stranger wrote is text, and the page's own policy forbids to load anything."""
    seen: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            seen.append(tag)
            assert not {name for name, _ in attrs} & {"src", "href", "onclick", "onload"}

    text = FORMATS["html"].render(hostile(), Style())
    Reader().feed(text)
    assert "script" not in seen
    assert "default-src 'none'" in text


FORCED = Forced("2.13.0", "cpu", 0.525, (0.4, 0.6), ("cumsum", "lstm (crash)", "<b>", "sum", "add"))


@pytest.mark.parametrize("form", ["text", *ENDINGS])
def test_every_format_tells_what_is_forced(form: str) -> None:
    """First comes what trainers do, with what was measured; the verdict stands beside it."""
    note = ProfileNote("~/profile.json", False, FORCED)
    report = msgspec.structs.replace(recorded("trouble"), profile=note)
    text = FORMATS[form].render(report, Style())
    words = " ".join(text.replace("\u200b", "").split())
    assert "forced to mps, measured: cpu, mps 0.53× as fast; wrong: cumsum, lstm (crash), " in words
    assert ("<b> and 2 more" in words) == (form in ("text", "github"))
    assert form == "junit" or "Train on the CPU: " in words


@pytest.mark.parametrize(
    ("forced", "sentence"),
    [
        (Forced(None, "cpu"), "forced to mps, measured: cpu"),
        (Forced(None, "mps", 3.44, (3.0, 4.0)), "forced to mps, measured: mps 3.4× as fast"),
        (Forced(None, "cpu", 4.3, (0.4, 34.0)), "forced to mps, measured: cpu, mps not clearly faster"),
        (Forced(None, "cpu", 0.0001, (0.0001, 0.0002)), "forced to mps, measured: cpu, mps 0.01× as fast"),
        (Forced(None, "cpu", 1234.5, (1e3, 2e3)), "forced to mps, measured: cpu, mps 1234× as fast"),
        (Forced(None, "cpu", None, None, ("add",)), "forced to mps, measured: cpu; wrong: add"),
    ],
)
def test_what_is_forced_is_a_sentence(forced: Forced, sentence: str) -> None:
    """It holds what was measured: the recommended device, the factor where it is settled, what is wrong."""
    assert rows.forced_to(forced) == sentence


def test_a_job_gets_a_summary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: object) -> None:
    """Where GitHub Actions names a file for it, the Markdown is appended beside the annotations."""
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    options, text = Options(no_color=True), FORMATS["text"].render
    assert deliver(recorded("trouble"), Outlet("github", None), options, text)
    assert summary.read_text() == "before\n" + FORMATS["markdown"].render(recorded("trouble"), Style())
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "none" / "summary.md"))
    assert not deliver(recorded("trouble"), Outlet("github", None), options, text)
