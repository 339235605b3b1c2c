"""JUnit's XML: a suite a check, a case a finding. Only findings of severity error fail.

What the profile forces on trainers is a suite of its own.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from mpsdoctor.formats import Style, rows
from mpsdoctor.report import CheckResult, Finding, Report

FORBIDDEN = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # in XML 1.0


def render(report: Report, style: Style) -> str:
    root = Element("testsuites", name="mpsdoctor", time=f"{report.duration_s:.3f}")
    for check in report.checks:
        root.append(make_suite(check))
    if report.profile.forced:
        suite = SubElement(root, "testsuite", name="profile", tests="1", time="0.000")
        sentence = drop_forbidden(rows.forced_to(report.profile.forced))
        SubElement(suite, "testcase", classname="profile", name=sentence)
    for count in ("tests", "failures", "errors", "skipped"):
        root.set(count, str(sum(int(child.get(count, 0)) for child in root)))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def make_suite(check: CheckResult) -> Element:
    element = Element("testsuite", name=check.id, time=f"{check.duration_s:.3f}")
    for finding in check.findings:
        add_case(element, check, finding)
    if check.status in ("skip", "error") or not check.findings:
        whole = SubElement(element, "testcase", classname=check.id, name=drop_forbidden(check.title))
        if check.status in ("skip", "error"):
            SubElement(
                whole, {"skip": "skipped"}.get(check.status, check.status), message=drop_forbidden(check.reason or "")
            )
    for count, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(count, str(sum(1 for _ in element.iter(tag))))
    return element


def add_case(into: Element, check: CheckResult, finding: Finding) -> None:
    element = SubElement(into, "testcase", classname=check.id, name=drop_forbidden(f"{finding.code} {finding.title}"))
    remedy = finding.remedy
    advice = [remedy.text, *remedy.commands] if remedy else []
    text = drop_forbidden("\n".join([finding.detail, *advice]))
    if finding.severity == "error" and check.status != "error":
        SubElement(element, "failure", type=finding.code, message=drop_forbidden(finding.title)).text = text
    else:
        SubElement(element, "system-out").text = f"{finding.severity}: {text}"


def drop_forbidden(text: str) -> str:
    """Without the characters that XML does not allow."""
    return FORBIDDEN.sub("?", text)
