"""The words of the screen and of the formats: those that the code names are those that exist."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from mpsdoctor import texts

ROOT = Path(__file__).parents[2]
PAGES = ("screen", "report", "own", "cli", "compare", "many")
NAME = re.compile(r"(screen|report|own|cli|compare|many)\.[\w ]+")
FAMILY = re.compile(r"(screen|report|own|cli|compare|many)\.\w*")
SAID = re.compile(r"""\bsay\("([\w. -]+)"( ~)?""")  # in a template, where a beginning goes on with `~`
TERMED = re.compile(r"""\bterm\("(\w+)",""")


def phrases() -> set[str]:
    return {f"{page}.{name}" for page in PAGES for name in texts.page("en", page)}


def named() -> tuple[set[str], set[str]]:
    """What the code names as a whole (`screen.no_profile`), and the beginnings that it completes (`screen.key_`)."""
    names, families = set[str](), set[str]()
    for tree in trees():
        beginnings = {id(node.values[0]): node.values[0] for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)}
        families |= {text for text in map(literal, beginnings.values()) if FAMILY.fullmatch(text)}
        whole = (literal(node) for node in ast.walk(tree) if id(node) not in beginnings)
        names |= {text for text in whole if NAME.fullmatch(text)}
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        families |= {f"report.{literal(call.args[0])}_" for call in calls if getattr(call.func, "id", "") == "term"}
    for file in (ROOT / "mpsdoctor").rglob("templates/*.*"):
        text = file.read_text(encoding="utf-8")
        for name, begins in SAID.findall(text):
            (families if begins else names).add(name)
        families |= {f"report.{kind}_" for kind in TERMED.findall(text)}
    return names, families


def literal(node: ast.AST) -> str:
    """The text of a literal, else none."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def trees() -> Iterator[ast.AST]:
    for file in (*(ROOT / "mpsdoctor").rglob("*.py"), *(ROOT / "checks").rglob("*.py")):
        if "worker" not in file.parts:
            yield ast.parse(file.read_text(encoding="utf-8"))


def names_of_rows() -> set[str]:
    """Where a file says `report.{name}` for the names of a tuple: those of its tuples' literals."""
    return {
        f"{page}.{literal(part)}"
        for tree in trees()
        for page in PAGES
        if f"Constant(value='{page}.'), FormattedValue" in ast.dump(tree)
        for node in ast.walk(tree)
        if isinstance(node, ast.Tuple)
        for part in node.elts
    }


def test_every_phrase_that_the_code_names_exists() -> None:
    """And every beginning that it completes begins some."""
    names, families = named()
    assert names - phrases() == set()
    assert [family for family in families if not any(name.startswith(family) for name in phrases())] == []


def test_every_phrase_is_named_by_the_code() -> None:
    """No words lie about."""
    names, families = named()
    completed = tuple(family for family in families if not family.endswith("."))
    assert {name for name in phrases() - names - names_of_rows() if not name.startswith(completed)} == set()


def test_every_sentence_that_the_worker_names_exists() -> None:
    """The worker cannot read the texts: it names a sentence, and the doctor fills it in."""
    place = {"make_judgement": 1, "wrong": 0, "say_more": 1}  # of the name among the arguments
    trees = (ast.parse(file.read_text(encoding="utf-8")) for file in (ROOT / "mpsdoctor/worker").rglob("*.py"))
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    functions = [(getattr(call.func, "id", ""), call.args) for call in calls]
    named = {literal(args[place[name]]) for name, args in functions if name in place} - {""}
    assert len(named) > 15
    assert named - texts.phrases("en").keys() == set()


@pytest.mark.parametrize("language", texts.LANGUAGES)
@pytest.mark.parametrize("page", PAGES)
def test_a_language_asks_for_the_values_that_the_first_one_does(page: str, language: str) -> None:
    """A translation that names another value would fail where it is shown, and has no phrase of its own."""
    first, own = texts.page(texts.LANGUAGES[0], page), texts.page(language, page)
    assert {name: fields(template) for name, template in own.items()} == {
        name: fields(template) for name, template in first.items()
    }


def fields(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def test_a_language_that_does_not_exist_is_refused() -> None:
    """With those that do."""
    with pytest.raises(ValueError, match="there is no language 'xx'; there are en, zh"):
        texts.choose_language("xx")


def test_a_word_that_this_version_does_not_know_stays_as_it_is() -> None:
    """A report of a later version, or of a third-party check, may carry others."""
    assert texts.term("outcome", "melted") == "melted"
