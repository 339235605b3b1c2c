"""Says, without a device, whether operators run on MPS in one torch version: from declarations, never from running.

A kernel's presence says nothing about dtypes, layouts or right numbers; only running tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, get_args

from mpsdoctor.support import foreign
from mpsdoctor.support.dtype_gaps import lacking_dtype
from mpsdoctor.support.given import Given
from mpsdoctor.support.history import ABSENT, COMPOSITE, CPU, KERNEL, bare, full, operator, order
from mpsdoctor.support.refusals import Refusal, refusals
from mpsdoctor.support.routes import BETWEEN, DTYPES, OPTIMIZERS_SINCE, ROUTES, SINGLE, SINGLE_NODES, SPARSE
from mpsdoctor.support.versions import Support
from mpsdoctor.texts import Part
from mpsdoctor.worker.shapes import CallNode, Frame

Verdict = Literal["kernel", "composite", "fallback", "unknown", "dtype", "sizes", "options", "devices", "missing"]
# From best to worst: of several, the last decides.
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
BEST = "MDXPFGEISN-"  # letters from best to worst
STOPS = frozenset({"dtype", "sizes", "options", "devices", "missing"})
REFUSED: dict[str, Verdict] = {"dtype": "dtype", "sizes": "sizes", "options": "options"}
CAUSES = frozenset({"dtype", "devices"})  # what stops one operator for them stops those that take its results


@dataclass(frozen=True)
class Call:
    """One operator call on the CPU, as `mpsdoctor_worker.steps.calltree` records it; all but `op` may be unknown.

    `place` is the person's line, `made` the one that made the module of torch's that calls it; `mixed` is whether
    tensors of the CPU and the device meet in it, and `meets` where the one of the CPU was made.
    """

    op: str
    dtypes: tuple[str, ...] = ()
    given: Given = field(default_factory=dict)
    sparse: bool = False
    node: str = ""
    optimizer: bool = False
    parts: tuple[Call, ...] = ()
    place: Frame | None = None
    made: Frame | None = None
    mixed: bool = False
    meets: Frame | None = None
    count: int = 1


@dataclass(frozen=True)
class Prediction:
    """How one operator is expected to run on MPS.

    `verdict`: "kernel"; "composite" (made of parts that run, or parts that are not known); "fallback" (always on the
    CPU); "missing" (no kernel, or none for a part); "dtype", "sizes", "options" (a kernel, but not for this call);
    "devices" (it takes a tensor of the CPU together with one of the device); "unknown".
    `since`: the torch version from which it works, up to now or in the future; None if in no version, or not known.
    `fallback`: whether PYTORCH_ENABLE_MPS_FALLBACK=1 lets the CPU take over; None where not known or not needed.
    `needs`: the parts that are missing or refused, where it is not the operator itself. `reason`: in words, of the
    verdicts "dtype", "sizes", "options", "devices" and "unknown". `before`: the macOS from which on the call is taken,
    and MPS's words before it, where the macOS that is predicted for is not known.

    `place` and `made` are those of the first call that decides, `calls` how many do. `also` are other operators that
    stop for the same reason, once this one does.
    """

    op: str
    verdict: Verdict
    since: str | None = None
    fallback: bool | None = None
    needs: tuple[str, ...] = ()
    reason: Part | None = None
    before: tuple[str, str] | None = None
    place: Frame | None = None
    made: Frame | None = None
    calls: int = 1
    cause: str = ""
    also: tuple[str, ...] = ()


def call_of(node: CallNode) -> Call:
    """A call from the JSON that the worker sends."""
    return Call(
        op=node["op"],
        dtypes=tuple(node["dtypes"]),
        given=node["given"],
        optimizer=node["optimizer"],
        sparse=node["sparse"],
        node=node["node"],
        parts=tuple(call_of(part) for part in node["parts"]),
        place=node["place"],
        made=node["made"],
        mixed=node["lives"] == "mixed",
        meets=node["meets"],
        count=node["count"],
    )


def predict(calls: Iterable[Call | str], support: Support) -> list[Prediction]:
    """One prediction for each operator named; of several calls the worst one counts.

    They are in the order of the first calls that decide, what stops before the others. What one cause stops has one
    prediction. Names are taken as `aten::add.Tensor`, `aten.add.Tensor` or `add`; without its overload an operator
    counts as having a kernel when one of its overloads has.
    """
    predictions: dict[str, tuple[int, Prediction]] = {}
    for number, named in enumerate(calls):
        call = Call(named) if isinstance(named, str) else named
        if call.optimizer and is_later(call, support):
            continue
        judged = judge(call, support)
        judged = replace(judged, place=call.place, made=call.made, calls=call.count)
        first, known = predictions.get(judged.op, (number, None))
        decides = known is None or rank(judged) > rank(known)
        predictions[judged.op] = (number if decides else first, worse(known, judged))
    ordered = sorted(predictions.values(), key=lambda pair: (pair[1].verdict not in STOPS, pair[0]))
    return join_causes([prediction for _, prediction in ordered])


def join_causes(predictions: Iterable[Prediction]) -> list[Prediction]:
    """The first prediction of each cause, which knows of the others."""
    joined: dict[str, Prediction] = {}
    for prediction in predictions:
        cause = prediction.cause if prediction.verdict in CAUSES and prediction.cause else f"op {prediction.op}"
        first = joined.get(cause)
        if first is None:
            joined[cause] = prediction
        else:
            calls, also = first.calls + prediction.calls, (*first.also, prediction.op)
            joined[cause] = replace(first, calls=calls, also=also)
    return list(joined.values())


def is_later(call: Call, support: Support) -> bool:
    """Whether torch's own optimizers call this operator in later versions only."""
    since = OPTIMIZERS_SINCE.get(operator(call.op))
    return since is not None and support.reference is not None and order(support.reference) < order(since)


def worse(known: Prediction | None, other: Prediction) -> Prediction:
    """The prediction that decides, with the needs of both where both stop."""
    if known is None:
        return other
    worst = known if rank(known) >= rank(other) else other
    if worst.verdict not in STOPS:
        return with_before(worst, max_macos([known, other]))
    if known.verdict not in STOPS or other.verdict not in STOPS:
        return worst
    calls = known.calls + other.calls
    return replace(combine_stops(worst, [known, other]), calls=calls)


def judge(call: Call, support: Support) -> Prediction:
    """The prediction for one call."""
    op = full(call.op)
    if not support.letters:
        return Prediction(op, "unknown", reason=support.note)
    meeting = next(meetings(call), None)
    if meeting is not None:
        reason, cause = meeting_part(call.place, meeting.meets), f"made at {meeting.meets}"
        return Prediction(op, "devices", fallback=False, reason=reason, cause=cause)
    predicted = lacking(op, call, support) or refused(op, call, support) or by_letter(op, call, support)
    return predicted if predicted.verdict in STOPS else with_before(predicted, before(op, call, support))


def meetings(call: Call) -> Iterator[Call]:
    """The calls a call is made of that take tensors of the CPU and of the device; it itself, where nothing is known."""
    if call.mixed and not call.parts:
        yield call
    for part in call.parts:
        yield from meetings(part)


def meeting_part(place: Frame | None, made: Frame | None) -> Part:
    """Where a tensor of the CPU meets one of the device, in words."""
    if place is None or made is None:
        return Part("devices_meet")
    if place["file"] == made["file"]:
        return Part("devices_meet_at", {"line": place["line"], "made": made["line"]})
    return Part("devices_meet_from", {"file": Path(made["file"]).name, "made": made["line"]})


def lacking(op: str, call: Call, support: Support) -> Prediction | None:
    """That MPS takes no tensor of one of the call's dtypes; None where nothing is known against them."""
    for dtype in () if call.node in SINGLE_NODES else call.dtypes:
        since = DTYPES.get(dtype, "")
        if since is None:
            never = Part("dtype_never", {"dtype": dtype})
            return Prediction(op, "dtype", fallback=False, reason=never, cause=str(never))
        if since and support.reference and order(support.reference) < order(since):
            reason = Part("dtype_since", {"dtype": dtype, "since": since})
            return Prediction(op, "dtype", since, False, reason=reason, cause=str(reason))
    return None


def refused(op: str, call: Call, support: Support) -> Prediction | None:
    """That MPS has a kernel but refuses this call, by its own checks or by PyTorch's tests."""
    name, version = operator(op), support.reference or support.version
    for refusal in refusals(name, call.given, version):
        if refusal.holds_on(support.macos):
            return by_refusal(op, refusal)
    dtype = lacking_dtype(name, call.given, support.gaps)
    return (
        None if dtype is None else Prediction(op, "dtype", fallback=False, reason=Part("dtype_gap", {"dtype": dtype}))
    )


def by_refusal(op: str, refusal: Refusal) -> Prediction:
    if refusal.on_cpu:
        return Prediction(op, "fallback", fallback=True)
    reason = Part(
        "refused_before" if refusal.macos else "refused", {"message": refusal.message, "macos": refusal.macos}
    )
    return Prediction(op, REFUSED[refusal.kind], refusal.since, False, reason=reason)


def with_before(predicted: Prediction, macos: tuple[str, str] | None) -> Prediction:
    """The later of the macOS that a call and its parts need."""
    known = [pair for pair in (predicted.before, macos) if pair]
    return replace(predicted, before=max(known, key=lambda pair: order(pair[0]), default=None))


def max_macos(predictions: Iterable[Prediction]) -> tuple[str, str] | None:
    """The latest macOS that one of them needs, with MPS's words before it."""
    known = [prediction.before for prediction in predictions if prediction.before]
    return max(known, key=lambda pair: order(pair[0]), default=None)


def before(op: str, call: Call, support: Support) -> tuple[str, str] | None:
    """The first macOS that takes a call, with MPS's words before it, where the macOS is not known."""
    if support.macos is not None:
        return None
    version = support.reference or support.version
    older = [each for each in refusals(operator(op), call.given, version) if each.macos and not each.on_cpu]
    return max(((each.macos or "", each.message) for each in older), key=lambda pair: order(pair[0]), default=None)


def by_letter(op: str, call: Call, support: Support) -> Prediction:
    route = ROUTES.get(operator(op))
    if route is not None:
        return combine_parts(op, [judge(Call(name), support) for name in route])
    letter, since = letter_and_since(bare(op), support)
    parts = combine_parts(op, [judge(route_part(op, part), support) for part in call.parts])
    if call.sparse and (letter in COMPOSITE or letter in KERNEL or operator(op) in SPARSE):
        return parts if parts.verdict in STOPS else Prediction(op, "unknown", reason=Part("sparse_unknown"))
    if letter in COMPOSITE:
        return parts
    if letter == ABSENT:
        return parts if call.parts and parts.verdict not in STOPS else absent(op, since, support)
    if letter in KERNEL:
        return Prediction(op, "kernel", since)
    if letter in CPU:
        return Prediction(op, "fallback", since, True)
    return Prediction(op, "missing", since, None if call.sparse else True)


def absent(op: str, since: str | None, support: Support) -> Prediction:
    """An operator that this version of torch does not have, or that is not torch's, and may do without."""
    if foreign.library(op) is None:
        return Prediction(op, "unknown", since, reason=Part("operator_absent", {"version": support.version}))
    if not foreign.is_known(op):
        return Prediction(op, "unknown", since, reason=Part("operator_foreign"))
    begin = foreign.since(op)
    if begin and order(begin) <= order(support.reference or support.version):
        return Prediction(op, "kernel", begin)
    return Prediction(op, "missing", begin, True)


def route_part(composite: str, part: Call) -> Call:
    """A part as MPS meets it: by the operator in between that leads to it, in float32 where MPS takes that."""
    if operator(composite) in SINGLE:
        part = single(part)
    between = BETWEEN.get((operator(composite), bare(part.op)))
    return part if between is None else Call(between, parts=(part,))


def single(call: Call) -> Call:
    """A call whose dtypes are not to be judged, nor those of its parts."""
    return replace(call, dtypes=(), parts=tuple(single(part) for part in call.parts))


def letter_and_since(name: str, support: Support) -> tuple[str, str | None]:
    """Letter and `since` of an overload; of a name without one, those of its best overload."""
    exact = "." in name or name in support.letters
    names = [name] if exact else support.overloads.get(name, [name])
    return min(((support.letter(name), support.since(name)) for name in names), key=lambda pair: BEST.index(pair[0]))


def combine_parts(op: str, parts: list[Prediction]) -> Prediction:
    """A composite from its parts."""
    stops = [part for part in parts if part.verdict in STOPS]
    if stops:
        return combine_stops(Prediction(op, max(stops, key=rank).verdict), stops)
    on_cpu = [part for part in parts if part.verdict == "fallback"]
    macos = max_macos(parts)
    if on_cpu:
        return Prediction(op, "fallback", fallback=True, needs=tuple(names(on_cpu)), before=macos)
    return Prediction(op, "composite", before=macos)


def rank(prediction: Prediction) -> int:
    return VERDICTS.index(prediction.verdict)


def names(parts: Iterable[Prediction]) -> list[str]:
    """The operators in question, each once: what parts need, or they themselves."""
    return list(dict.fromkeys(name for part in parts for name in part.needs or (part.op,)))


def combine_stops(worst: Prediction, stops: list[Prediction]) -> Prediction:
    """What stops an operator: all of its parts that do, and the version from which none does any longer."""
    since = [part.since for part in stops]
    return replace(
        worst,
        since=None if None in since else max((version for version in since if version), key=order, default=None),
        fallback=all_true([part.fallback for part in stops]),
        needs=tuple(name for name in names(stops) if name != worst.op),
        reason=next((part.reason for part in stops if part.reason), None),
        cause=next((part.cause for part in stops if part.cause), ""),
    )


def all_true(answers: list[bool | None]) -> bool | None:
    """False if one is, None if one is not known, else True."""
    return False if False in answers else None if None in answers else True
