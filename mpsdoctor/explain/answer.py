"""A diagnosis in words and as data: explanation, remedy with commands, support history of the operator, links."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypedDict

from mpsdoctor.explain.engine import Diagnosis, FoundCause
from mpsdoctor.explain.environment import Environment
from mpsdoctor.explain.private import public
from mpsdoctor.explain.source import load_causes
from mpsdoctor.texts import LANGUAGES, Words, phrase

ENGLISH = LANGUAGES[0]
SENTENCE = re.compile(r"((?<=[.!?]) (?=[A-Z{'])|(?<=[\u3002\uff01\uff1f])(?=.))")  # in Chinese without a space
FIELD = re.compile(r"\{(\w+)\}")
LIBRARY = re.compile(
    r"(?P<prefix>(?:[A-Za-z]:)?[\w~ .@+/\\-]{1,200}?)[/\\]lib[/\\](?:python3[\d.]*[/\\])?site-packages", re.IGNORECASE
)
SET = {"windows": "set"}
GITHUB = re.compile(r"[\w.-]+/[\w.-]+#\d+")


class RemedyJSON(TypedDict):
    text: str
    commands: list[str]


class CauseJSON(TypedDict):
    """A cause as `explain --json` has it."""

    cause: str
    confidence: float
    evidence: list[str]
    explanation: str
    remedy: RemedyJSON
    links: list[str]


class EnvironmentJSON(TypedDict):
    """What the text says of the environment; unknown is null."""

    torch: str | None
    macos: str | None
    arch: str | None
    chip: str | None
    python: str | None
    mps_built: bool | None
    mps_available: bool | None
    notes: str | None


class ExplanationJSON(TypedDict):
    """The whole answer; no causes mean that none is known."""

    causes: list[CauseJSON]
    environment: EnvironmentJSON | None


@dataclass(frozen=True)
class Told:
    """A cause in words of one language."""

    name: str
    what: str
    confidence: float
    evidence: tuple[tuple[int, str], ...]
    explanation: str
    remedy: str
    commands: tuple[str, ...]
    versions: tuple[str, ...]
    links: tuple[str, ...]


def tell_cause(found: FoundCause, diagnosis: Diagnosis, language: str) -> Told:
    """A cause that was found, in words."""
    values = {name: public(value) for name, value in found.values.items()}
    history = operator_history(found.values.get("op"), diagnosis.environment, language)
    means = fill_known(phrase(f"causes.{found.name}_means", language), values)
    return Told(
        name=found.name,
        what=phrase(f"causes.{found.name}_what", language),
        confidence=found.confidence,
        evidence=tuple((line.number, public(line.shown)) for line in found.hit.lines),
        explanation=" ".join(part for part in (means, history) if part),
        remedy=fill_known(phrase(f"causes.{found.name}_do", language), values),
        commands=tuple(commands(found.name, diagnosis)),
        versions=tuple(versions_of(found.name, language)),
        links=tuple(links(found.name)),
    )


def fill_known(template: str, values: Mapping[str, str]) -> str:
    """A template without the sentences whose figures are not known."""
    parts = SENTENCE.split(template)
    pairs = zip(parts[::2], [*parts[1::2], ""], strict=True)  # each with the space behind it
    known = [pair for pair in pairs if all(name in values for name in FIELD.findall(pair[0]))]
    return "".join(FIELD.sub(lambda field: values[field[1]], text) + gap for text, gap in known).rstrip()


def operator_history(op: str | None, environment: Environment, language: str) -> str:
    """Since when MPS has an operator, beside the torch of the text; empty where nothing is known of it."""
    if not op:
        return ""
    from mpsdoctor.support.history import CPU, RUNS, bare, full, load_history, minor, operator  # 15 ms

    name = bare(op.strip("'."))
    history = load_history() if name else None
    if history is None or "::" in name:
        return ""
    overload = name if name in history.letters else next((o for o in history.letters if operator(o) == name), None)
    if overload is None:
        return ""
    have = minor(environment.torch or "")
    known = have if have in history.versions else None
    letter = history.letters[overload][history.versions.index(known)] if known else ""
    since = history.since(overload, known or history.versions[-1])
    key = "op_cpu" if letter in CPU and letter else "op_never" if since is None else "op_since"
    if known and since:
        key = "op_has" if letter in RUNS and letter not in CPU else "op_since_you_have" if letter not in CPU else key
    values = {"op": full(overload), "since": since, "have": environment.torch, "last": history.versions[-1]}
    return Words(language, {}).fill(phrase(f"explained.{key}", language), values)


def commands(cause: str, diagnosis: Diagnosis) -> Iterator[str]:
    """For the interpreter and the shell that the text names."""
    python = interpreter(diagnosis)
    setting = SET.get(diagnosis.environment.system or "", "export")
    for command in load_causes()[cause].get("commands", ()):
        yield command.replace("{python}", python).replace("{set}", setting)


def plain_commands(cause: str) -> list[str]:
    """The commands where no text names an interpreter."""
    known = load_causes()[cause].get("commands", ())
    return [command.replace("{python}", "python3").replace("{set}", "export") for command in known]


def interpreter(diagnosis: Diagnosis) -> str:
    """The interpreter whose packages stand in the text, else what usually starts one."""
    windows = diagnosis.environment.system == "windows"
    for line in diagnosis.text.lines:
        if "site-packages" in line.low and (match := LIBRARY.search(line.plain)):
            prefix = public(match["prefix"].strip(" '"))
            path = f"{prefix}\\python.exe" if windows else f"{prefix}/bin/python3"
            return f"'{path}'" if " " in path else path
    return "python" if windows else "python3"


def versions_of(cause: str, language: str) -> Iterator[str]:
    """Which torch and macOS are concerned, where that is known."""
    for name in ("torch", "macos"):
        if name in load_causes()[cause]:
            said = phrase(f"causes.{cause}_{name}", language)
            yield Words(language, {}).fill(phrase(f"explained.{name}", language), {"said": said})


def links(cause: str) -> Iterator[str]:
    """Addresses; `owner/name#1` stands for an issue or a pull request."""
    for link in load_causes()[cause].get("links", ()):
        repository, _, number = link.partition("#")
        yield f"https://github.com/{repository}/issues/{number}" if GITHUB.fullmatch(link) else link


def notes(diagnosis: Diagnosis, language: str) -> str | None:
    """What is wrong with the environment by itself."""
    found = [cause.name for cause in diagnosis.causes if cause.hit.sign.kind == "fact"]
    return "; ".join(phrase(f"causes.{name}_what", language) for name in found) or None


def environment_as_json(diagnosis: Diagnosis) -> EnvironmentJSON | None:
    """The environment, null where the text says nothing of one."""
    environment = diagnosis.environment
    if not environment.known:
        return None
    return {
        "torch": environment.torch,
        "macos": environment.macos,
        "arch": environment.arch,
        "chip": environment.chip,
        "python": environment.python,
        "mps_built": environment.mps_built,
        "mps_available": environment.mps_available,
        "notes": notes(diagnosis, ENGLISH),
    }


def answer_as_json(diagnosis: Diagnosis) -> ExplanationJSON:
    """The answer as data, in English."""
    told = [tell_cause(found, diagnosis, ENGLISH) for found in diagnosis.causes]
    return {
        "causes": [
            {
                "cause": cause.name,
                "confidence": cause.confidence,
                "evidence": [line for _, line in cause.evidence],
                "explanation": cause.explanation,
                "remedy": {"text": cause.remedy, "commands": list(cause.commands)},
                "links": list(cause.links),
            }
            for cause in told
        ],
        "environment": environment_as_json(diagnosis),
    }
