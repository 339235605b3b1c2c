"""Writes docs/findings.md from the texts: every code with its long text.

python tools/write_findings.py
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mpsdoctor.texts import explain, texts

PAGE = Path(__file__).parents[1] / "docs" / "findings.md"
GROUPS = {
    "MPS1": "The chip and the system",
    "MPS2": "The build and its devices",
    "MPS3": "Operators",
    "MPS4": "Memory",
    "MPS5": "Training and speed",
    "MPS6": "Environment variables",
    "MPS7": "Known issues",
    "MPS8": "Training libraries",
    "MPS9": "A check that failed",
    "FLEET1": "Many machines",
}


def page() -> str:
    """The whole page, Markdown."""
    return "\n".join(lines()) + "\n"


def lines() -> Iterator[str]:
    yield "# Findings"
    yield ""
    yield "What `mpsdoctor explain CODE` prints. Written by `python tools/write_findings.py`: change the texts, not"
    yield "this page."
    yield ""
    yield "| code | says |"
    yield "|---|---|"
    for code, title in sorted(explain.titles().items()):
        yield f"| [{code}](#{code.lower()}) | {title} |"
    group = ""
    for code in sorted(texts("en"), key=lambda code: (not code.startswith("MPS"), code)):
        if code[:-2] != group:
            group = code[:-2]
            yield from ("", f"## {group.removeprefix('MPS')}xx: {GROUPS[group]}")
        yield from section(code)


def section(code: str) -> Iterator[str]:
    yield from ("", f"### {code}", "", f"*{explain.titles()[code]}*")
    for paragraph in explain.paragraphs(code):
        yield from ("", paragraph)
    yield from ("", "```text", *explain.example(code), "```")
    for link in texts("en")[code].links:
        yield from ("", f"<{link}>")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
