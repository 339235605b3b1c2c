"""Writes docs/causes.md from the data file of causes: what each is, how it is recognised, what to do.

python tools/write_causes.py
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mpsdoctor.explain.answer import fill_known, links, plain_commands, versions_of
from mpsdoctor.explain.rules import causes
from mpsdoctor.texts import phrase

PAGE = Path(__file__).parents[1] / "docs" / "causes.md"
ENGLISH = "en"
MOST = 12  # patterns of a cause that are shown


def page() -> str:
    """The whole page, Markdown."""
    return "\n".join(lines()) + "\n"


def lines() -> Iterator[str]:
    yield "# Causes"
    yield ""
    yield "What `mpsdoctor explain FILE` looks for in an error, a log, a crash report or a pasted environment, and what"
    yield "`mpsdoctor explain CAUSE` prints. Written by `python tools/write_causes.py` from"
    yield "`mpsdoctor/data/causes.toml`: change that file, not this page."
    yield ""
    yield "| cause | is |"
    yield "|---|---|"
    for name in causes():
        yield f"| [{name}](#{name}) | {phrase(f'causes.{name}_what', ENGLISH)} |"
    yield ""
    yield "In the patterns `*` is anything, `[a|b]` either, and `{size:limit}` a figure that the explanation uses."
    for name in causes():
        yield from section(name)


def section(name: str) -> Iterator[str]:
    yield from ("", f"## {name}", "", f"*{phrase(f'causes.{name}_what', ENGLISH)}.*")
    means, do = (fill_known(phrase(f"causes.{name}_{part}", ENGLISH), {}) for part in ("means", "do"))
    yield from ("", means, "", do)
    if commands := plain_commands(name):
        yield from ("", "```sh", *commands, "```")
    printed = [sign.text for sign in causes()[name].signs if sign.line is not None]
    if printed:
        yield from ("", "Printed:", "", "```text", *printed[:MOST], "```")
    if versions := list(versions_of(name, ENGLISH)):
        yield from ("", f"Concerned: {'; '.join(versions)}.")
    yield ""
    yield from (f"<{link}>" for link in links(name))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
