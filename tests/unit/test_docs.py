"""The pages of docs: written by their tools, linked, in the site's navigation, and with everything that is shown."""

from __future__ import annotations

import importlib.util
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import click
import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from mpsdoctor.checkup import CheckUp
from mpsdoctor.cli import cli
from mpsdoctor.events import Settings
from mpsdoctor.explain.rules import causes
from mpsdoctor.formats import FORMATS
from mpsdoctor.formats.schemas import DOCUMENTS
from mpsdoctor.issues import read_issues
from mpsdoctor.texts import texts

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
FRONT = DOCS / "index.md"
PAGES = sorted(DOCS.rglob("*.md"))
OUTSIDE = [ROOT / name for name in ("README.md", "README.zh-CN.md", "CONTRIBUTING.md", "CHANGELOG.md")]
TOOLS = sorted((ROOT / "tools").glob("write_*.py"))
STEPS = 3  # from the front page to anything
Place = tuple[Path, str]  # a page, and an anchor in it or ""


@cache
def tokens(page: Path) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(page.read_text(encoding="utf-8"))


def inline(page: Path, kind: str) -> Iterator[Token]:
    for token in tokens(page):
        yield from (child for child in token.children or () if child.type == kind)


def links(page: Path) -> Iterator[Place]:
    """Where a page's links lead in this repository."""
    found = [*inline(page, "link_open"), *inline(page, "image")]
    for target in (str(token.attrs.get("href") or token.attrs.get("src")) for token in found):
        if "://" not in target:
            path, _, anchor = target.partition("#")
            yield ((page.parent / path).resolve() if path else page), anchor


@cache
def anchors(page: Path) -> frozenset[str]:
    """The names of its headings, as the site and the repository's own view make them."""
    following = zip(tokens(page), tokens(page)[1:], strict=False)
    headings = ["".join(child.content for child in after.children or ()) for token, after in following
                if token.type == "heading_open"]  # fmt: skip
    names = [re.sub(r"[^\w\- ]", "", text.lower()).strip().replace(" ", "-") for text in headings]
    assert len(set(names)) == len(names), f"{page.name} has a heading twice"
    return frozenset(names)


def words(page: Path) -> str:
    return page.read_text(encoding="utf-8")


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.stem)
def test_a_generated_page_is_what_its_tool_writes(tool: Path) -> None:
    """Run tools/write_NAME.py where this fails."""
    spec = importlib.util.spec_from_file_location(tool.stem, tool)
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.page() == words(module.PAGE)


@pytest.mark.parametrize("page", [*OUTSIDE, *PAGES], ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    """A file or folder of this repository that is there, and a heading that the page has."""
    broken = [
        f"{target.name}#{anchor}"
        for target, anchor in links(page)
        if not target.exists() or (anchor and anchor not in anchors(target))
    ]
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_of_the_site_links_within_the_site(page: Path) -> None:
    """What lies outside docs is named, for the site has no such page."""
    assert [str(target) for target, _ in links(page) if DOCS not in target.parents] == []


def test_the_navigation_has_every_page() -> None:
    """Each once, and no other."""
    named = re.findall(r"^ +- .*?: ([\w./-]+\.md)$", words(ROOT / "mkdocs.yml"), re.MULTILINE)
    assert sorted(named) == [str(page.relative_to(DOCS)) for page in PAGES]


@cache
def reached() -> dict[Place, int]:
    """Every page and heading that links lead to from the front page, with how many steps it takes."""
    steps: dict[Place, int] = {(FRONT, ""): 0}
    waiting = [FRONT]
    for page in waiting:  # grows meanwhile, nearest pages first
        for target, anchor in links(page):
            for place in {(target, anchor), (target, "")} - steps.keys():
                steps[place] = steps[page, ""] + 1
                waiting += [target] if place == (target, "") and target.suffix == ".md" else []
    return steps


def test_every_page_is_a_few_steps_from_the_front_page() -> None:
    """By links in the text, without the site's navigation."""
    assert [page.name for page in PAGES if reached().get((page, ""), 99) > STEPS] == []


def every_command(command: click.Command = cli, name: str = "mpsdoctor") -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for below in command.list_commands(context):
            found = command.get_command(context, below)
            assert found is not None
            yield from every_command(found, f"{name} {below}")


def shown_with_a_heading() -> Iterator[tuple[str, str]]:
    """What the wheel shows that has a heading of its own: the page and the heading's name."""
    yield from (("commands.md", name.replace(" ", "-")) for name, _ in every_command())
    yield from (("findings.md", code.lower()) for code in texts("en"))
    yield from (("causes.md", name) for name in causes())
    yield from (("known-issues.md", issue["id"]) for issue in read_issues())
    yield from (("schemas.md", name) for name in DOCUMENTS)


def test_everything_that_is_shown_is_three_steps_from_the_front_page() -> None:
    """Each command, finding, cause, known issue and schema has a heading, and a link that leads there."""
    places = [(DOCS / page, anchor) for page, anchor in shown_with_a_heading()]
    far = [place for place in places if reached().get(place, 99) > STEPS or place[1] not in anchors(place[0])]
    assert far == []


def test_every_option_check_and_format_is_on_a_page_near_the_front_page() -> None:
    """An option stands in the section of its command; checks and formats in the tables of their pages."""
    sections = dict(re.findall(r"^##+ (mpsdoctor.*?)\n(.*?)(?=^##|\Z)", words(DOCS / "commands.md"), re.M | re.S))
    for name, command in every_command():
        options = [option for option in command.params if isinstance(option, click.Option) and not option.hidden]
        assert [word for option in options for word in option.opts if word not in sections[name]] == [], name
    checkup = CheckUp(Settings())
    checks = [check.id for check in checkup.plan() if check.source.partition(" ")[0] == "mpsdoctor"]
    checkup.cancel()
    assert len(checks) >= 8
    assert [check for check in checks if f"| `{check}` |" not in words(DOCS / "check-up.md")] == []
    assert [name for name in FORMATS if f"| `{name}` |" not in words(DOCS / "report.md")] == []
    assert max(reached()[DOCS / name, ""] for name in ("commands.md", "check-up.md", "report.md")) < STEPS


def test_commands_that_are_named_in_passing_exist() -> None:
    """Each `mpsdoctor …` between backticks names a command and options that there are."""
    known = dict(every_command())
    unknown = []
    for page in (*OUTSIDE[:2], *PAGES):
        for token in inline(page, "code_inline"):
            if token.content.startswith("mpsdoctor ") and "…" not in token.content:
                said = shlex.split(re.split(r" -- | > |[\[|]", token.content.replace(" COMMAND", ""))[0])
                unknown += [(page.name, token.content, word) for word in misnamed(said, known)]
    assert unknown == []


def misnamed(said: list[str], known: dict[str, click.Command]) -> Iterator[str]:
    """The words of a command that are neither commands nor options."""
    name = said[0]
    for word in said[1:]:
        if f"{name} {word}" in known:
            name += f" {word}"
        elif word.startswith("-"):
            allowed = {option for command in (known["mpsdoctor"], known[name]) for parameter in command.params
                       for option in parameter.opts} | {"--help", "-h", "--"}  # fmt: skip
            if word.partition("=")[0] not in allowed and word != "-":
                yield word
        elif name == "mpsdoctor" and said[said.index(word) - 1] == name:
            yield word


def test_the_questions_are_the_same_in_chinese() -> None:
    """As many questions, with the same commands in the same order, but for those about the language."""
    english, chinese = DOCS / "faq.md", DOCS / "faq.zh-CN.md"
    assert len(anchors(english)) == len(anchors(chinese))
    fences = [[token.content for token in tokens(page) if token.type == "fence"] for page in (english, chinese)]
    assert fences[0] == [fence for fence in fences[1] if "--lang" not in fence]
    named = [sorted(target.name + anchor for target, anchor in links(page) if anchor) for page in (english, chinese)]
    assert named[0] == named[1]
