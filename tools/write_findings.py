"""Writes docs/findings.md from the texts: every code with its long text.

python tools/write_findings.py
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mpsdoctor.texts import explain, texts

PAGE = Path(__file__).parents[1] / "docs" / "findings.md"
GROUPS = {
    "1": "The chip and the system",
    "2": "The build and its devices",
    "3": "Operators",
    "4": "Memory",
    "5": "Training and speed",
    "6": "Environment variables",
    "7": "Known issues",
    "8": "Training libraries",
    "9": "A check that failed",
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
    for code in sorted(texts("en")):
        if code[3] != group:
            group = code[3]
            yield from ("", f"## {group}xx: {GROUPS[group]}")
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
