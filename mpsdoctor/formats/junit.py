"""JUnit's XML: a suite a check, a case a finding. Only findings of severity error fail."""

from __future__ import annotations

import re
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from mpsdoctor.formats import Style
from mpsdoctor.report import CheckResult, Finding, Report

FORBIDDEN = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # in XML 1.0


def render(report: Report, style: Style) -> str:
    root = Element("testsuites", name="mpsdoctor", time=f"{report.duration_s:.3f}")
    for check in report.checks:
        root.append(suite(check))
    for count in ("tests", "failures", "errors", "skipped"):
        root.set(count, str(sum(int(each.get(count, 0)) for each in root)))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def suite(check: CheckResult) -> Element:
    found = Element("testsuite", name=check.id, time=f"{check.duration_s:.3f}")
    for finding in check.findings:
        case(found, check, finding)
    if check.status in ("skip", "error") or not check.findings:
        whole = SubElement(found, "testcase", classname=check.id, name=fit(check.title))
        if check.status in ("skip", "error"):
            SubElement(whole, {"skip": "skipped"}.get(check.status, check.status), message=fit(check.reason or ""))
    for count, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        found.set(count, str(sum(1 for _ in found.iter(tag))))
    return found


def case(into: Element, check: CheckResult, finding: Finding) -> None:
    made = SubElement(into, "testcase", classname=check.id, name=fit(f"{finding.code} {finding.title}"))
    remedy = finding.remedy
    advice = [remedy.text, *remedy.commands] if remedy else []
    told = fit("\n".join([finding.detail, *advice]))
    if finding.severity == "error" and check.status != "error":
        SubElement(made, "failure", type=finding.code, message=fit(finding.title)).text = told
    else:
        SubElement(made, "system-out").text = f"{finding.severity}: {told}"


def fit(text: str) -> str:
    """Without the characters that XML does not allow."""
    return FORBIDDEN.sub("?", text)
