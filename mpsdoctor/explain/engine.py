"""From a text to the causes that fit it, the likeliest first; none is an answer."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mpsdoctor.explain.conditions import CHANGE, Case, occurs
from mpsdoctor.explain.environment import Environment, read_environment
from mpsdoctor.explain.lines import Line, Text
from mpsdoctor.explain.pattern import Pattern, pattern
from mpsdoctor.explain.record import Record, load_record
from mpsdoctor.explain.rules import KINDS, Cause, Sign, causes, setting, word_lists

BROKEN = 400  # lines: in a text of fewer, a message may be broken over two
EVIDENCE = 3  # lines that are quoted for a sign
MOST = 5  # causes that are told
PRINTED = ("error", "fact")
CHAINS = ("direct cause of the following exception", "during handling of the above exception")


@dataclass(frozen=True)
class Hit:
    """A sign that a text has: the lines of it, where the last of them stands, what was read out of it."""

    sign: Sign
    lines: tuple[Line, ...]
    at: int
    values: Mapping[str, str]


@dataclass(frozen=True)
class FoundCause:
    """A cause that fits, and how often one was right that was found in this way."""

    name: str
    confidence: float
    evidence: tuple[str, ...]
    values: Mapping[str, str]
    hit: Hit


@dataclass(frozen=True)
class Diagnosis:
    """What a text tells: no causes means that none is known."""

    causes: tuple[FoundCause, ...]
    environment: Environment
    text: Text


def diagnose(text: Text, environment: Environment | None = None, left_out: Collection[str] = ()) -> Diagnosis:
    """The causes that fit a text; its environment may be known from elsewhere, signs may be left out by their keys."""
    case = Case(text, environment or read_environment(text))
    hits = [hit for hit in find_hits(case) if hit.sign.key not in left_out]
    hits = without_vague(uncancelled(hits, text))
    ranked = put_narrow_first(sorted(hits, key=lambda hit: _weight(hit, text), reverse=True))
    return Diagnosis(tuple(_weighed(ranked, load_record())), case.environment, text)


def find_hits(case: Case) -> list[Hit]:
    """All signs that a text has, but of causes that something speaks against."""
    return [] if case.is_other_crash else [hit for cause in causes().values() for hit in _hits(cause, case)]


def _hits(cause: Cause, case: Case) -> Iterator[Hit]:
    """A cause's signs that a text has; none where something speaks against the cause."""
    found = [hit for sign in cause.signs if (hit := _hit(sign, case)) is not None]
    if found and not any(case.holds(condition, found[0].values) for condition in cause.unless):
        yield from found


def _hit(sign: Sign, case: Case) -> Hit | None:
    if sign.line is not None:
        return _printed(sign, sign.line, case)
    if not all(case.holds(condition, {}) for condition in sign.when):
        return None
    if sign.kind == "fact":
        return Hit(sign, _lines_of_facts(case), 0, {})
    told = case.is_prose and not (case.is_question and sign.cause not in setting("asked"))
    return _said(sign, case) if told else None


def _printed(sign: Sign, line: Pattern, case: Case) -> Hit | None:
    """The last line that fits and fulfils the conditions."""
    if not line.may_fit(case.text.low):
        return None
    for at, values in matches(line, case.text):
        if all(case.holds(condition, values) for condition in sign.when):
            return Hit(sign, case.text.lines[at : at + 1], at, values)
    return None


def matches(line: Pattern, text: Text) -> Iterator[tuple[int, dict[str, str]]]:
    """Where a pattern fits, from the end on; in short texts over two lines too."""
    for at in range(len(text.lines) - 1, -1, -1):
        if line.may_fit(text.lines[at].low) and CHANGE.search(text.lines[at].plain) is None:
            values = line.search(text.lines[at].plain)
            if values is not None:
                yield at, values
    if len(text.lines) < BROKEN:
        for at in range(len(text.lines) - 2, -1, -1):
            both = f"{text.lines[at].plain} {text.lines[at + 1].plain}"
            if line.may_fit(both.lower()) and (values := line.search(both)) is not None:
                yield at, values


def _said(sign: Sign, case: Case) -> Hit | None:
    wanted = [name for name in sign.says if not name.startswith("-")]
    if not all(map(case.tells, wanted)) or any(case.says(name[1:]) for name in sign.says if name[0] == "-"):
        return None
    words = [word for name in wanted for word in word_lists()[name]]
    alone = [Text((line,)) for line in case.text.lines]
    told = [text.lines[0] for text in alone if any(occurs(word, text) for word in words)]
    return Hit(sign, tuple(told[:EVIDENCE]), 0, {})


def _lines_of_facts(case: Case) -> tuple[Line, ...]:
    """The lines that hold what is known of the environment."""
    facts = [str(value).lower() for value in vars(case.environment).values() if isinstance(value, str)]
    told = [line for line in case.text.lines if any(fact in line.low for fact in facts)]
    return tuple(told[:EVIDENCE])


def uncancelled(hits: Iterable[Hit], text: Text) -> list[Hit]:
    """Without failures that a later line takes back."""
    last = -1
    for words in setting("success"):
        line = pattern(words)
        if line.may_fit(text.low):
            last = max([last, *(at for at, _ in matches(line, text))])
    lasting = {name for name, cause in causes().items() if cause.lasting}
    return [hit for hit in hits if hit.at >= last or hit.sign.kind in ("say", "fact") or hit.sign.cause in lasting]


def without_vague(hits: Sequence[Hit]) -> list[Hit]:
    """Of a line that a narrower pattern knows, general signs tell nothing."""
    known = {hit.at for hit in hits if hit.sign.kind in ("error", "warning")}
    return [hit for hit in hits if hit.sign.kind != "sign" or hit.at not in known]


def _weight(hit: Hit, text: Text) -> tuple[int, int, int]:
    """The kind of sign first; of errors the innermost, which Python prints first of a chain and last of a run."""
    strength = len(KINDS) - KINDS.index(hit.sign.kind)
    chain = sum(any(words in line.low for words in CHAINS) for line in text.lines[: hit.at])
    position = hit.at if hit.sign.kind in ("error", "warning") else 0
    detail = len(hit.sign.says) * 1000 + len(hit.sign.when) * 1000 + len(hit.sign.text)
    return strength, -chain * len(text.lines) + position, detail


def put_narrow_first(ranked: Sequence[Hit]) -> list[Hit]:
    """One hit a cause, its best; a narrower form of a cause before that cause."""
    best: dict[str, Hit] = {}
    for hit in ranked:
        best.setdefault(hit.sign.cause, hit)
    order = list(best)
    for name in list(best):
        strong = best[name].sign.kind != "say"  # what a person writes does not outweigh what a program printed
        wider = [
            order.index(other)
            for other in causes()[name].over
            if other in best and (strong or best[other].sign.kind not in PRINTED)
        ]
        if wider and min(wider) < order.index(name):
            order.remove(name)
            order.insert(min(wider), name)
    return [best[name] for name in order]


def _weighed(ranked: Sequence[Hit], record: Record) -> Iterator[FoundCause]:
    """With confidence: the first has what was measured, the others share what is left."""
    left = 1.0
    for hit in ranked[:MOST]:
        confidence = left * record.precision(hit.sign)
        left -= confidence
        yield FoundCause(hit.sign.cause, round(confidence, 3), tuple(line.shown for line in hit.lines), hit.values, hit)
