"""Writes docs/known-issues.md from data/known_issues.jsonl: every entry, by kind.

python tools/write_issues.py
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mpsdoctor.issues import links_of, read_issues
from mpsdoctor.runtime.shapes import Issue
from mpsdoctor.texts import entries

PAGE = Path(__file__).parents[1] / "docs" / "known-issues.md"
KINDS = {
    "wrong": "Wrong numbers",
    "nan": "NaN where there is a number",
    "crash": "The process dies",
    "hang": "No end",
    "leak": "Memory that is never given back",
    "error": "An exception where the CPU computes",
    "slow": "Slower than it need be",
}
HEAD = """# Known issues

What is recorded as wrong in PyTorch on MPS, {count} entries, each with a canary: a small call that comes out wrong
where the issue is present. Written by `python tools/write_issues.py` from `mpsdoctor/data/known_issues.jsonl`:
change that, not this page.

The check `known-issues` tries them on each accelerator in a process that may die, those first that are recorded for
this torch, macOS and chip, and judges them against the CPU in double precision. It tells four things apart:
recorded and wrong here; recorded and right here; not recorded and wrong here, which is new and worth a report; and
not tried, for want of time or memory, or because it may outlast its process.

- `mpsdoctor known-issues` tries them; `--list` tells what is recorded, for another Mac with `--torch`, `--macos`,
  `--chip`.
- `mpsdoctor explain ID` has all of one. `mpsdoctor ops --model FILE.py:FUNC` says where your model calls an
  operator in the way that triggers one.
- In a script: `from mpsdoctor import known_issues`.
- What is present on a device stands in the profile, and `get_optimal_device()` warns of it. Where every training
  depends on it (marked **core**), the device is ruled out.

What is known of versions is as good as its source: many fixes are derived from the date of a change, or from the
kernels that a wheel has. Versions below the first one that somebody reported are not taken for right, nor are
nightlies and builds of one's own; an issue that was closed without a version counts as recorded for the version it
was reported for.

## How your result becomes evidence

`mpsdoctor known-issues --export` prints a line for each canary: id, torch, macOS, chip, outcome, and nothing else.
In an issue of this project, such lines are what an entry is corrected by: `torch_first_bad` moves down to the
lowest version where it is wrong, `torch_fixed` is the lowest one from which on it is right on every macOS and chip,
and the line's versions go into `first_bad_basis` or `fixed_basis` with the place where it was told.

## A new entry

A line in `mpsdoctor/data/known_issues.jsonl`, and a function in `mpsdoctor/worker/canaries/` unless one that is
there takes arguments that fit. A canary takes a `Place`, makes its inputs with `on.draw`, `on.numbers` or `on.put`,
and returns tensors that are the same everywhere. `python tools/check_issues.py` checks the fields, runs the canary
on the CPU, and asks whether its judge notices results that are spoilt.
"""


def page() -> str:
    """The whole page, Markdown."""
    return "\n".join(lines()) + "\n"


def lines() -> Iterator[str]:
    issues = read_issues()
    yield HEAD.format(count=len(issues)).rstrip()
    yield from ("", "## Index", "", "| id | operator | kind |", "|---|---|---|")
    for issue in sorted(issues, key=lambda issue: issue["id"]):
        yield f"| [{issue['id']}](#{issue['id']}) | `{issue['op']}` | {issue['kind']} |"
    for kind, title in KINDS.items():
        yield from ("", f"## {title}")
        for issue in issues:
            if issue["kind"] == kind:
                yield from section(issue)


def section(issue: Issue) -> Iterator[str]:
    core = " **core**" if issue["core"] else ""
    yield from ("", f"### {issue['id']}", "", f"`{issue['op']}`{core}")
    for paragraph in entries.paragraphs(issue):
        yield from ("", paragraph)
    yield from ("", *(f"- <{link}>" for link in links_of(issue)))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
