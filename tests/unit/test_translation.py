"""Another language than English has all the words, each with the same values. What is missing names itself here."""
# ruff: noqa: RUF001 -- there is Chinese in it

from __future__ import annotations

import importlib
import inspect
import re
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from rich.cells import cell_len

from mpsdoctor import texts
from mpsdoctor.cli import LATER, cli
from mpsdoctor.fleet import __main__ as fleet
from mpsdoctor.issues import read_issues
from mpsdoctor.texts import entries, explain
from mpsdoctor.translated import TEXT

ROOT = Path(__file__).parents[2]
OTHERS = texts.LANGUAGES[1:]
FIRST = texts.LANGUAGES[0]
PAGES = sorted(
    file.stem
    for file in Path(texts.__file__).parent.joinpath(FIRST).glob("[a-z]*.py")
    if file.stem not in {*texts.CODES, *texts.SHARED}
)
FIELD = re.compile(r"\{[^{}]*\}")
WORDS = ("title", "detail", "remedy", "seen", "means", "do")
HAN = r"[\u4e00-\u9fff]"
TOUCHING = re.compile(rf"{HAN}[A-Za-z0-9]|[A-Za-z0-9]{HAN}")
NARROW = re.compile(rf"{HAN}[,;:!?(]|[,;:!?)]{HAN}|{HAN}\.")
SPACED = re.compile(r" [，。；：、！？）]|[，。；：、！？（] ")


def phrases(language: str) -> dict[str, str]:
    """All templates of a language, by file, code and name."""
    found: dict[str, str] = {}
    for name in (*texts.SHARED, *PAGES):
        module = importlib.import_module(f"mpsdoctor.texts.{language}.{name}")
        found |= {f"{name}.{key}": template for key, template in module.PHRASES.items()}
    for name in texts.CODES:
        module = importlib.import_module(f"mpsdoctor.texts.{language}.{name}")
        for code, text in module.TEXTS.items():
            found |= {f"{code}.{key}": getattr(text, key) for key in WORDS if getattr(text, key)}
            found |= {f"{code}.parts.{key}": template for key, template in text.parts.items()}
    return found


def has_words(template: str) -> bool:
    """Whether there is anything to translate beside names of values and punctuation."""
    return any(letter.isalpha() for letter in FIELD.sub("", template))


def fields(template: str) -> list[str]:
    return sorted({name for _, name, _, _ in string.Formatter().parse(template) if name is not None})


@pytest.mark.parametrize("language", OTHERS)
def test_every_word_is_translated(language: str) -> None:
    """A sentence that is new in English stands here until it has one in each language, in `texts/LANGUAGE/`."""
    first, own = phrases(FIRST), phrases(language)
    assert [name for name, template in first.items() if has_words(template) and name not in own] == []


@pytest.mark.parametrize("language", OTHERS)
def test_no_words_are_left_that_english_has_no_more(language: str) -> None:
    assert sorted(phrases(language).keys() - phrases(FIRST).keys()) == []


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_has_the_values_of_the_english(language: str) -> None:
    """One that is left out would be lost, one too many could not be filled in."""
    first, own = phrases(FIRST), phrases(language)
    other = {name: fields(own[name]) for name in own if name in first and fields(own[name]) != fields(first[name])}
    assert other == {name: fields(first[name]) for name in other}


@pytest.mark.parametrize("language", OTHERS)
def test_no_title_is_left_in_english(language: str) -> None:
    first, own = texts.texts(FIRST), texts.texts(language)
    titles = {code: text.title for code, text in own.items() if has_words(text.title)}
    assert [code for code, title in titles.items() if title == first[code].title] == []


def test_chinese_is_set_as_the_chinese_set_it() -> None:
    """Wide punctuation after Chinese, and a space between Chinese and Latin letters or figures."""
    for fault, value in ((TOUCHING, ""), (NARROW, ""), (SPACED, "value")):
        own = {name: FIELD.sub(value, template) for name, template in phrases("zh").items()}
        assert {name: text for name, text in own.items() if fault.search(text)} == {}


@pytest.mark.parametrize("code", texts.texts(FIRST))
def test_the_example_of_a_code_reads_as_chinese(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Filled in: values stand apart from Chinese, and nothing of the sentence is English."""
    monkeypatch.setattr(texts, "_language", "zh")
    shown = [line for line in explain.example(code) if not line.startswith("    ")]
    text = "\n".join([*explain.paragraphs(code), *shown])
    assert {fault.search(text)[0] for fault in (TOUCHING, SPACED) if fault.search(text)} == set()  # type: ignore[index]
    assert "{" not in text.replace("'{", "")
    assert re.search(HAN, shown[0])


def helps() -> Iterator[tuple[str, int]]:
    """Every sentence of the commands' help, and the cells that it has on a line of a list; 0 for any."""
    context = click.Context(cli)
    waiting = [cli, *(cli.get_command(context, name) for name in LATER), fleet.command()]
    while waiting:
        command = waiting.pop()
        assert command is not None
        yield command.help or "", 0
        yield command.short_help or "", TEXT - 12
        for line in (command.epilog or "").splitlines():
            yield line.strip().rpartition("  ")[2], 0
        yield from ((option.help or "", 0) for option in command.params if isinstance(option, click.Option))
        waiting += getattr(command, "commands", {}).values()


@pytest.mark.parametrize("language", OTHERS)
def test_every_help_is_translated(language: str) -> None:
    """Its English sentence is the key: one that is changed is missing here, and its old one left over."""
    own, english = texts.helps(language), dict(helps())
    sentences = {inspect.cleandoc(text) for text in english} - {"", "\b"}
    assert sorted(sentences - own.keys()) == []
    assert sorted(own.keys() - sentences - {"Show this message and exit."}) == []
    assert [own[text] for text, room in english.items() if room and text and cell_len(own[text]) > room] == []


def shown_of_issues() -> set[str]:
    """The sentences of the known issues that people read; the names of chips are the same in each language."""
    names = ("what", "trigger", "workaround", "first_bad_basis", "fixed_basis", "certainty", "doubt", "chance")
    rows: list[dict[str, Any]] = [{**issue} for issue in read_issues()]
    kinds = {issue["chip"] for issue in rows if (issue["chip"] or "").islower()}
    return kinds.union(*({issue[name] for name in (*names, "dangerous", "condition")} for issue in rows)) - {None}


@pytest.mark.parametrize("language", OTHERS)
def test_every_sentence_of_a_known_issue_is_translated(language: str) -> None:
    """As with help, the English sentence is the key; one that is code alone stands there as it is."""
    own, english = texts.recorded(language), shown_of_issues()
    assert sorted(english - own.keys()) == []
    assert sorted(own.keys() - english) == []


def test_an_entry_of_the_known_issues_reads_as_chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its paragraphs are filled with Chinese, but for code, names and versions."""
    monkeypatch.setattr(texts, "_language", "zh")
    text = "\n".join(paragraph for issue in read_issues() for paragraph in entries.paragraphs(issue))
    assert [found[0] for fault in (TOUCHING, NARROW, SPACED) for found in fault.finditer(text)] == []
    assert [line for line in text.splitlines() if not re.search(HAN, line)] == []


def test_the_chinese_readme_has_the_code_and_commands_of_the_english() -> None:
    """The snippet for trainers is the same but for its comments, and the tables have the same rows."""
    english, chinese = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh-CN.md"))
    snippets = [re.search(r"```python\n(.*?)```", text, re.DOTALL) for text in (english, chinese)]
    bare = [re.sub(r" *#.*", "", snippet[1]) for snippet in snippets if snippet]
    assert bare[0] == bare[1]
    rows = [re.findall(r"^\| (`.*?`) \|", text, re.MULTILINE) for text in (english, chinese)]
    assert rows[0] == rows[1]
    assert "(README.zh-CN.md)" in english
    assert "(README.md)" in chinese
