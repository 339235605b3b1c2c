"""The screen in a language made up of the English phrases in Greek letters: what stays Latin is no phrase."""

from __future__ import annotations

import asyncio
import functools
import json
import re
import string
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mpsdoctor import texts
from mpsdoctor.report import Report
from mpsdoctor.tui.engine import Broke, Done, Signal
from mpsdoctor.tui.panes import TABS, profile
from mpsdoctor.tui.panes import memory as memory_pane
from mpsdoctor.tui.panes import own as own_pane
from tui.screens import STATES, screen
from tui.test_pictures import BEFORE, quiet, remember

GREEK = str.maketrans(string.ascii_letters, "αβγδεζηθικλμνξοπρστυφχψωάέΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩΆΈ")
# What a report tells in sentences of its own, and words that have a phrase each.
SENTENCES = {"detail", "reason", "reasons", "text", "hints", "disturbances"}
TERMS = {"status", "severity", "outcome", "confidence", "budget"}
GIVEN = {"Example", "GPU", "The", "fan"}  # a device's name, the title of a stranger's check
UNITS = {"GiB", "MiB"}
WORD = re.compile(r"[A-Za-z]{3,}")


def greek(template: str) -> str:
    """A template with all but its fields in Greek letters."""
    parts = string.Formatter().parse(template)
    return "".join(literal.translate(GREEK) + field(name, spec) for literal, name, spec, _ in parts)


def field(name: str | None, spec: str | None) -> str:
    return "" if name is None else f"{{{name}:{spec}}}" if spec else f"{{{name}}}"


def greek_texts() -> dict[str, texts.Text]:
    """All findings in Greek letters."""
    return {
        code: text._replace(
            title=greek(text.title),
            detail=greek(text.detail),
            remedy=greek(text.remedy),
            parts={name: greek(part) for name, part in text.parts.items()},
        )
        for code, text in texts.texts("en").items()
    }


def page_of(english: Callable[[str, str], dict[str, str]], language: str, name: str) -> dict[str, str]:
    """A page, in Greek letters unless English is asked for."""
    page = english("en", name)
    return page if language == "en" else {key: greek(template) for key, template in page.items()}


def in_greek(value: Any, key: str = "") -> Any:
    """Recorded data with the sentences in Greek letters; without what is shown by its names in JSON."""
    if isinstance(value, dict):
        own = SENTENCES | ({"title"} if "severity" in value else set())
        parts = {name: part for name, part in value.items() if name != "evidence"}
        if "facts" in parts:
            parts["facts"] = {
                name: part for name, part in parts["facts"].items() if isinstance(part, list | tuple | dict)
            }
        return {name: in_greek(part, "text" if name in own else name) for name, part in parts.items()}
    if isinstance(value, list | tuple):
        return [in_greek(part, key) for part in value]
    return value.translate(GREEK) if key == "text" and isinstance(value, str) else value


def signal_in_greek(signal: Signal) -> Signal:
    if isinstance(signal, Broke):
        return signal
    if isinstance(signal, Done):
        return replace(signal, report=msgspec.convert(in_greek(msgspec.to_builtins(signal.report)), Report))
    converted: Signal = msgspec.convert(in_greek(msgspec.to_builtins(signal)), type(signal))
    return converted


def names(value: Any, key: str = "") -> Iterator[str]:
    """Words of what stays as it is: names, figures, commands, and the names of families in the verdict."""
    if isinstance(value, dict):
        keyed = value if key in ("by_workload", "workloads", "environment", "settings") else {}
        yield from (word for name in keyed for word in WORD.findall(name))
        for name, part in value.items():
            yield from names(part, name)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from names(part, key)
    elif isinstance(value, str) and key not in TERMS | {"title", "event"}:
        yield from WORD.findall(value)


@pytest.mark.parametrize("state", STATES)
def test_no_tab_has_words_of_its_own(state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Apart from names, units, codes and commands, all that a tab shows is a phrase or comes from the report."""
    monkeypatch.setattr(texts, "page", functools.partial(page_of, texts.page))
    of_codes, phrases = greek_texts(), {name: greek(part) for name, part in texts.phrases("en").items()}
    monkeypatch.setattr(texts, "texts", lambda language: of_codes)
    monkeypatch.setattr(texts, "phrases", lambda language: phrases)
    monkeypatch.setattr(texts, "_language", "el")
    monkeypatch.setattr(memory_pane, "EVERY", 3600.0)
    monkeypatch.setattr(profile, "difference", lambda before, after: ["+ αβγ"])
    monkeypatch.setattr("mpsdoctor.runtime.profile.changes", lambda before, now: ("αβγ",))
    monkeypatch.setenv("HOME", str(tmp_path))
    path = tmp_path / "profile.json"
    path.write_text(json.dumps(in_greek(BEFORE)))
    signals = [signal_in_greek(signal) for signal in STATES[state]()]
    data = [msgspec.to_builtins(signal.report if isinstance(signal, Done) else signal) for signal in signals]
    allowed = UNITS | {"mpsdoctor", "esc", "small", *GIVEN} | set(names([*data, BEFORE]))
    allowed |= set(
        WORD.findall(
            " ".join([*own_pane.COMMANDS.values(), *profile.PASTE, "mpsdoctor run -- python train.py", str(path)])
        )
    )
    own: dict[str, set[str]] = {}

    async def look() -> None:
        async with screen(signals, (160, 48), path) as (app, pilot, _):
            for tab in TABS:
                await app.action_tab(tab)
                if tab == "memory":
                    remember(app)
                picture = await quiet(app, pilot)
                shown = "\n".join(picture.splitlines()[: 2 * 48 : 2])
                left = {word for word in WORD.findall(shown) if not any(name.startswith(word) for name in allowed)}
                if left:
                    own[tab] = left

    asyncio.run(look())
    assert own == {}
