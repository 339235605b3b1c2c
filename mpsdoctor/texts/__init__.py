"""What people read, as data: the words of every finding by its code, those of the screen and of the formats. Pure.

A rule tells a code, a severity and values; the words stand in `texts/LANGUAGE/`, a `Text` a code. A template is filled
as by `str.format`. Where the words depend on the case, a value is a `Part`, which names a template of its own, or an
`Each`, which fills one for every row. Values stay figures until they are filled in, so a report can be told in another
language from its values alone.

The screen and the formats take their words by name from a page of the reader's language: `say("screen.no_profile")`.
"""

from __future__ import annotations

import functools
import importlib
import itertools
import string
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from mpsdoctor import figures

LANGUAGES = ("en", "zh")  # the first is that of reports and profiles, and where another one lacks words
# The files of a language: texts by code, phrases that codes share. A page of `say` is a file too, read by itself,
# as the first paint waits for one of them.
CODES = (
    *("chip", "build", "operators", "ops", "memory", "training", "advice", "environment", "issues", "libraries"),
    *("checks", "fleet"),
)
SHARED = (
    *("common", "verdict", "reasons", "hints", "prediction", "progress", "ops", "judgements", "issues", "race"),
    *("changes", "fleet"),
)
# What filling a template may raise where the values are a stranger's.
UNFILLABLE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
WIDE = 4.0  # an interval whose upper end is this many times its lower end tells no figure
JOINTS = {", ": "comma", "; ": "semicolon", ": ": "colon", " ": "gap"}  # the phrases that say them in a language
UNITS = {"GiB": 1 << 30, "MiB": 1 << 20}
SIZES = {"GiB": 1 << 30, "MiB": 1 << 20, "KiB": 1 << 10}  # the first that fits


_language = LANGUAGES[0]


def language() -> str:
    """The language of who reads."""
    return _language


def choose_language(name: str) -> None:
    """Set it, once, before anything is shown. ValueError."""
    global _language
    if name not in LANGUAGES:
        raise ValueError(f"there is no language {name!r}; there are {', '.join(LANGUAGES)}")
    _language = name


@dataclass(frozen=True)
class Part:
    """Words that depend on the case, by the name of their template: one of the code's own parts, or a common phrase.

    A name as `MPS203.title` is that of a code's template.

    `values` come on top of the finding's. As a str it is the first language's.
    """

    name: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return Words(LANGUAGES[0], {}).fill_part(self, {})


@dataclass(frozen=True)
class Each:
    """The template of that name filled for every row, joined: by "and" as the language says it."""

    name: str
    rows: Sequence[Mapping[str, Any]]
    joint: str = "; "


Wording = str | Part  # a sentence of ours by its template, or the text of somebody else
WordingData = dict[str, Any]  # a Part as JSON data, to stand beside its sentence in the facts of a report


class Text(NamedTuple):
    """The words of a code.

    `title`, `detail` and `remedy` are templates, `commands` and `links` go with the remedy, `parts` are templates that
    only some findings of the code need. The long text of `mpsdoctor explain`: what was `seen`, what it `means` for a
    training, what to `do`; `example` are values that the templates can be filled with.
    """

    title: str
    detail: str = ""
    remedy: str = ""
    commands: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    parts: Mapping[str, str] = {}
    seen: str = ""
    means: str = ""
    do: str = ""
    example: Mapping[str, Any] = {}

    def template(self, name: str) -> str:
        """A template by its name; KeyError."""
        return getattr(self, name) if name in ("title", "detail", "remedy") else self.parts[name]


@functools.cache
def texts(language: str) -> dict[str, Text]:
    """All codes of a language, those it lacks in the first one."""
    own = {code: text for name in CODES for code, text in _file(language, name, "TEXTS").items()}
    return own if language == LANGUAGES[0] else {**texts(LANGUAGES[0]), **dict(map(_completed, own.items()))}


def _completed(translated: tuple[str, Text]) -> tuple[str, Text]:
    """With what is the same in each language, and the parts that hold no words or are not translated yet."""
    code, own = translated
    first = texts(LANGUAGES[0])[code]
    parts = {**first.parts, **own.parts}
    return code, own._replace(commands=first.commands, links=first.links, parts=parts, example=first.example)


def _file(language: str, name: str, content: str) -> dict[str, Any]:
    """What a file of a language holds."""
    held: dict[str, Any] = getattr(importlib.import_module(f"{__name__}.{language}.{name}"), content)
    return held


def add(language: str, own: Mapping[str, Text]) -> None:
    """The texts of a third-party check, for `finding` to fill. ValueError for a code that has words already."""
    taken = texts(language).keys() & own.keys()
    if taken:
        raise ValueError(f"these codes have texts already: {', '.join(sorted(taken))}")
    texts(language).update(own)


@functools.cache
def phrases(language: str) -> dict[str, str]:
    """Templates that several codes share, by name."""
    own = {name: template for file in SHARED for name, template in _file(language, file, "PHRASES").items()}
    return own if language == LANGUAGES[0] else {**phrases(LANGUAGES[0]), **own}


@functools.cache
def page(language: str, name: str) -> dict[str, str]:
    """The phrases of the screen (`screen`) or the formats (`report`), those that a language lacks in the first one."""
    own: dict[str, str] = _file(language, name, "PHRASES")
    return own if language == LANGUAGES[0] else {**page(LANGUAGES[0], name), **own}


def helps(language: str) -> dict[str, str]:
    """The help of the commands by its English sentences; none for English."""
    return {} if language == LANGUAGES[0] else _file(language, "help", "HELP")


def recorded(language: str) -> dict[str, str]:
    """What the record of known issues tells, by its English sentences; none for English."""
    return {} if language == LANGUAGES[0] else _file(language, "recorded", "SENTENCES")


def say(name: str, /, **values: Any) -> str:
    """A phrase in the language of who reads, by its page and name: `say("screen.no_profile")`. KeyError."""
    template = phrase(name, _language)
    return Words(_language, {}).fill(template, values) if values else template


def phrase(name: str, language: str) -> str:
    """The template of that page and name. KeyError."""
    page_name, _, key = name.partition(".")
    return page(language, page_name)[key]


def joined(joint: str, items: Iterable[str]) -> str:
    """Items in a row with a joint, such as `, `, as the language of who reads has it."""
    return page(_language, "common")[JOINTS[joint]].join(items)


def check_title(check_id: str) -> str:
    """The title of a check of ours as reports carry it."""
    return phrase(f"report.check_{check_id}", LANGUAGES[0])


def translate_title(check_id: str, title: str) -> str:
    """The title of a check of ours in the reader's language, and that of a stranger's as it is."""
    known = (name for name, ours in page(LANGUAGES[0], "report").items() if ours == title)
    name = next((name for name in known if name.startswith(f"check_{check_id}")), None)
    return page(_language, "report")[name] if name else title


def term(kind: str, word: str) -> str:
    """A word that a report carries (`kind`: status, severity, outcome, …) in the language of who reads.

    One that this version does not know stays as it is.
    """
    return page(_language, "report").get(f"{kind}_{word}", word)


def fill(code: str, name: str, values: Mapping[str, Any], language: str = LANGUAGES[0]) -> str:
    """One of a code's templates in words. KeyError where the code, the template or a value is missing."""
    text = texts(language)[code]
    return Words(language, text.parts).fill(text.template(name), values)


class Words(string.Formatter):
    """Fills templates of one language; `parts` are those that a code has for itself."""

    def __init__(self, language: str, parts: Mapping[str, str]) -> None:
        self.language, self.parts = language, parts

    def template(self, name: str) -> str:
        """One of the parts, a phrase that codes share, or a sentence of a cause. KeyError."""
        known = self.parts if name in self.parts else phrases(self.language)
        return known[name] if name in known else page(self.language, "causes")[name]

    def fill(self, template: str, values: Mapping[str, Any]) -> str:
        return self.vformat(template, (), values)

    def fill_part(self, part: Part, values: Mapping[str, Any]) -> str:
        code, _, name = part.name.partition(".")
        if name:
            return fill(code, name, part.values, self.language)
        return self.fill(self.template(part.name), {**values, **part.values}) if part.name else ""

    def get_value(self, key: int | str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        return self.resolve(kwargs[str(key)], kwargs)

    def resolve(self, value: Any, values: Mapping[str, Any]) -> Any:
        """Parts in words; several of them one after the other."""
        if isinstance(value, Part):
            return self.fill_part(value, values)
        if isinstance(value, Each):
            rows = [self.fill(self.template(value.name), {**values, **row}) for row in value.rows]
            return self.join_with_and(rows) if value.joint == "and" else self.join(value.joint, rows)
        if isinstance(value, tuple | list) and any(isinstance(part, Part | Each) for part in value):
            return "".join(str(self.resolve(part, values)) for part in value)
        return value

    def join(self, joint: str, items: Iterable[str]) -> str:
        return (self.template(JOINTS[joint]) if joint in JOINTS else joint).join(items)

    def join_with_and(self, items: Sequence[str]) -> str:
        """As in `a, b and c`."""
        before, last, joint = self.join(", ", items[:-1]), "".join(items[-1:]), self.template("and")
        if not before:
            return last
        if is_wide(joint.strip()[0]):  # wide characters keep their own distance
            joint = joint.lstrip() if is_wide(before[-1]) else joint
            joint = joint.rstrip() if is_wide(last[:1]) else joint
        return f"{before}{joint}{last}"

    def format_field(self, value: Any, format_spec: str) -> str:
        if format_spec in UNITS:
            digits = ".1f" if format_spec == "GiB" else ".0f"
            return f"{value / UNITS[format_spec]:{digits}} {format_spec}"
        if format_spec == "recorded":  # a sentence of the known issues, which are English as data
            return recorded(self.language).get(str(value), str(value))
        if format_spec in SPECS:
            return SPECS[format_spec](value)
        if format_spec == "range":
            low, high = value
            wide = self.template("wide_range" if high > WIDE * low else "range")
            return self.fill(wide, {"low": low, "high": high})
        if format_spec.startswith("word "):  # `{outcome:word report.outcome}`: the phrase of that page, if it has one
            page_name, _, family = format_spec.removeprefix("word ").partition(".")
            return page(self.language, page_name).get(f"{family}_{value}", str(value))
        if format_spec in (",list", "and"):
            items = [str(item) for item in value]
            return self.join(", ", items) if format_spec == ",list" else self.join_with_and(items)
        return str(super().format_field(value, format_spec))


def is_wide(character: str) -> bool:
    """Whether it takes two cells."""
    return unicodedata.east_asian_width(character or " ") in "WF"


def size(count: float) -> str:
    """Bytes in the unit that fits, as in `1.5 MiB`."""
    unit = next((unit for unit, limit in SIZES.items() if abs(count) >= limit), None)
    return f"{figures.short(count / SIZES[unit])} {unit}" if unit else f"{figures.short(count)} bytes"


SPECS: dict[str, Callable[[Any], str]] = {
    "size": size,
    "figure": figures.short,
    "rough": figures.rough,
    "duration": figures.duration,
}


def as_data(value: Any) -> Any:
    """Values for a report: JSON data, from which `from_data` makes the same values again."""
    if isinstance(value, Part):
        return {"part": value.name, "values": as_data(value.values)}
    if isinstance(value, Each):
        return {"each": value.name, "rows": as_data(list(value.rows)), "joint": value.joint}
    if isinstance(value, Mapping):
        return {key: as_data(inner) for key, inner in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [as_data(inner) for inner in value]
    return value


def as_values(wording: Wording) -> WordingData | None:
    """What stands in a fact beside a sentence: what it was filled with; None where it is the text of somebody else."""
    data: WordingData | None = as_data(wording) if isinstance(wording, Part) else None
    return data


def from_values(text: str, values: Mapping[str, Any] | None) -> Wording:
    """What was written as a sentence with its values."""
    wording = from_data(dict(values)) if values else text
    return wording if isinstance(wording, Part) else text


def as_told(text: str, values: object) -> Wording:
    """As `from_values`, of a stranger's report: the text stands where its values do not make it."""
    wording = from_values(text, values if isinstance(values, dict) else None)
    try:
        return wording if str(wording) == text else text
    except UNFILLABLE:
        return text


def tell(text: str, values: Mapping[str, Any] | None) -> str:
    """A sentence of a report in the language of who reads; as it stands where its values do not fill the words."""
    wording = from_values(text, values) if _language != LANGUAGES[0] else text
    if not isinstance(wording, Part):
        return text
    try:
        return Words(_language, {}).fill_part(wording, {})
    except UNFILLABLE:
        return text


def from_both(sentences: Iterable[str], values: Iterable[Mapping[str, Any] | None]) -> list[Wording]:
    """As `from_values`, of sentences and values that stand side by side; older reports have no values."""
    return [from_values(text, data) for text, data in itertools.zip_longest(sentences, values) if text is not None]


def from_data(value: Any) -> Any:
    """Values out of a report. Anything that is not shaped like a part stays what it is."""
    if isinstance(value, list):
        return [from_data(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"part", "values"} and isinstance(value["part"], str) and isinstance(value["values"], dict):
        return Part(value["part"], from_data(value["values"]))
    if value.keys() == {"each", "rows", "joint"} and isinstance(value["rows"], list):
        return Each(str(value["each"]), from_data(value["rows"]), str(value["joint"]))
    return {key: from_data(inner) for key, inner in value.items()}
