"""Conditions of signs: `other > mps`, `torch < 2.4`, `system = macos`, `says cuda`, `lacks windows`."""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mpsdoctor import versions
from mpsdoctor.explain.environment import Environment
from mpsdoctor.explain.lines import Text
from mpsdoctor.explain.pattern import pattern, quantity
from mpsdoctor.explain.rules import setting, word_lists

COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "!=": operator.ne,
}
CONDITION = re.compile(r"([\w.]+) (<=|>=|!=|<|>|=) (?:([\d.]+) \* )?(.+)")
LONG = 8000  # characters: what is longer is a log, in which words do not belong together
FAILURE = re.compile(r"\b[A-Z]\w*(?:Error|Exception)\b(?! Domain)|\berror: |Exception during|\bERROR\b")
LOGGED = re.compile(r"\b(?:INFO|DEBUG)\b|^\W*\d{4}-\d\d-\d\d[T ]\d\d:")
OUTPUT = re.compile(
    r"\d%\|.*\||\bit/s\b.*\]|\bs/it\b.*\]|\b[A-Z]\w*Warning: |^\{'|^File '|::.* (?:SKIPPED|PASSED|XFAIL)"
    r"|^(?:def \w+\(|(?:el)?if (?:torch|hasattr|getattr|not torch)|return '(?:mps|cuda|cpu)')"
)
CHANGE = re.compile(
    r"^(?:[-*+] )?(?:\[\w+\] ?)*(?:(?:docs|feat|fix|chore|refactor|perf|ci)(?:\([^)]*\))?!?: |fixed )"
    r"|^(?:[-*+] )?(?:\[\w+\] ?)+(?:fix|fixes|adds?|added|enabled?|migrated?) ",
    re.IGNORECASE,
)
REPORT = re.compile(r"^(?:process: +|crash of )(?!.*python)\S")  # the head of a crash report of another program
QUESTION = re.compile(
    r"(?:how (?:do|can|to|should)|is there|what (?:does|is|do)|do i|which|where|can i|does|are there)\b"
)
OURS = re.compile(r"\bmps\b|metal|apple silicon|macbook|\bm[1-9]\b", re.IGNORECASE)
VERSIONS = ("torch", "macos", "macos_needed", "python")


@dataclass
class Case:
    """A text with what was read from it; asked again and again, it remembers."""

    text: Text
    environment: Environment
    held: dict[str, bool] = field(default_factory=dict)

    def says(self, name: str) -> bool:
        """Whether a word of that list occurs."""
        if name not in self.held:
            self.held[name] = any(occurs(word, self.text) for word in word_lists()[name])
        return self.held[name]

    @functools.cached_property
    def prose(self) -> Text:
        """What a person may have written: no progress bar, warning, line of a traceback or note of a change."""
        skipped = (OUTPUT, CHANGE)
        return Text(tuple(line for line in self.text.lines if not any(one.search(line.plain) for one in skipped)))

    def tells(self, name: str) -> bool:
        """Whether a word of that list occurs in what a person wrote."""
        key = f"tells {name}"
        if key not in self.held:
            self.held[key] = any(occurs(word, self.prose) for word in word_lists()[name])
        return self.held[key]

    @functools.cached_property
    def is_other_crash(self) -> bool:
        """Whether a program crashed that is not Python, nor speaks of torch."""
        return any(map(REPORT.search, (line.low for line in self.text.lines))) and not self.says("torch_word")

    @functools.cached_property
    def is_question(self) -> bool:
        """Whether it is asked from the first word on how something is done."""
        return bool(self.text.lines) and QUESTION.match(self.text.lines[0].low) is not None

    @functools.cached_property
    def is_prose(self) -> bool:
        """Whether words count: not in a log, nor where a failure was printed that has nothing to do with MPS."""
        if len(self.text.low) > LONG or any(map(self.says, setting("elsewhere"))):
            return False
        if not all(map(self.says, setting("topic"))):
            return False
        plain = [line.plain for line in self.text.lines]
        failures = [line for line in plain if FAILURE.search(line)]
        return not any(map(LOGGED.search, plain)) and (not failures or any(map(OURS.search, failures)))

    def holds(self, condition: str, captured: Mapping[str, str]) -> bool:
        """Whether a condition is known to hold."""
        verb, _, name = condition.partition(" ")
        if verb in ("says", "lacks"):
            return self.says(name) is (verb == "says")
        if verb == "prints":
            return any(pattern(name).search(line.plain) is not None for line in self.text.lines)
        match = CONDITION.fullmatch(condition)
        if match is None:
            raise ValueError(f"{condition!r} is no condition")
        left, sign, factor, right = match.groups()
        return self._compare(left, sign, float(factor or 1), right, captured)

    def _compare(self, left: str, sign: str, factor: float, right: str, captured: Mapping[str, str]) -> bool:
        if left in VERSIONS:
            have, want = versions.numbers(self.fact(left)), versions.numbers(self.fact(right) or right)
            return bool(have and want) and COMPARE[sign](have[: len(want)], want)
        if left in captured:
            figure, limit = quantity(captured[left]), quantity(captured.get(right, right))
            if figure is None or limit is None:
                return sign in ("=", "!=") and COMPARE[sign](captured[left].lower(), captured.get(right, right).lower())
            return COMPARE[sign](figure, factor * limit)
        fact = self.fact(left)
        return fact is not None and COMPARE[sign](fact.lower(), right)

    def fact(self, name: str) -> str | None:
        """A fact of the environment as text; None for one that is unknown, or no fact."""
        if name == "macos_needed":
            from mpsdoctor.support.limits import macos_needed  # 15 ms that most texts need not wait for

            return macos_needed(self.environment.torch or "")
        value = getattr(self.environment, name, None)
        return None if value is None else str(value)


def occurs(word: str, text: Text) -> bool:
    """Whether a word stands in a text: `slow*` with any ending, `'cuda error'` as it is printed, # for a digit."""
    if word.startswith("'"):
        printed = word[1:-1]
        if "#" in printed:
            return re.search(re.escape(printed).replace(r"\#", "[0-9]"), text.low) is not None
        return printed in text.low
    return f" {word[:-1]}" in text.words if word.endswith("*") else f" {word} " in text.words
