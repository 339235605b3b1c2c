"""Says, without a device, whether operators run on MPS in one torch version: from declarations, never from running.

A kernel's presence says nothing about dtypes, layouts or right numbers; only running tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from mpsdoctor.support.history import ABSENT, COMPOSITE, CPU, KERNEL, bare, full, operator, order
from mpsdoctor.support.routes import BETWEEN, DTYPES, LIMITS, ROUTES, SINGLE, SINGLE_NODES, SPARSE
from mpsdoctor.support.versions import Support
from mpsdoctor.texts import Part
from mpsdoctor.worker.shapes import CallNode, Frame

Verdict = Literal["kernel", "composite", "fallback", "unknown", "dtype", "sizes", "devices", "missing"]
# From best to worst: of several, the last decides.
VERDICTS: tuple[Verdict, ...] = ("kernel", "composite", "fallback", "unknown", "dtype", "sizes", "devices", "missing")
BEST = "MDXPFGEISN-"  # letters from best to worst
STOPS = frozenset({"dtype", "sizes", "devices", "missing"})
CAUSES = frozenset({"dtype", "devices"})  # what stops one operator for them stops those that take its results


@dataclass(frozen=True)
class Call:
    """One operator call on the CPU, as `mpsdoctor_worker.steps.calltree` records it; all but `op` may be unknown.

    `place` is the person's line, `made` the one that made the module of torch's that calls it; `mixed` is whether
    tensors of the CPU and the device meet in it, and `meets` where the one of the CPU was made.
    """

    op: str
    dtypes: tuple[str, ...] = ()
    sizes: tuple[tuple[int, ...], ...] = ()
    sparse: bool = False
    node: str = ""
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
    CPU); "missing" (no kernel, or none for a part); "dtype", "sizes" (a kernel, but not for this call); "devices" (it
    takes a tensor of the CPU together with one of the device); "unknown".
    `since`: the torch version from which it works, up to now or in the future; None if in no version, or not known.
    `fallback`: whether PYTORCH_ENABLE_MPS_FALLBACK=1 lets the CPU take over; None where not known or not needed.
    `needs`: the parts that are missing or refused, where it is not the operator itself. `reason`: in words, of the
    verdicts "dtype", "sizes", "devices" and "unknown".

    `place` and `made` are those of the first call that decides, `calls` how many do. `also` are other operators that
    stop for the same reason, once this one does.
    """

    op: str
    verdict: Verdict
    since: str | None = None
    fallback: bool | None = None
    needs: tuple[str, ...] = ()
    reason: Part | None = None
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
        sizes=tuple(tuple(size) for size in node["sizes"]),
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
        first = joined.get(prediction.cause) if prediction.verdict in CAUSES else None
        if first is None:
            joined[prediction.cause if prediction.verdict in CAUSES else f"op {prediction.op}"] = prediction
        else:
            calls, also = first.calls + prediction.calls, (*first.also, prediction.op)
            joined[prediction.cause] = replace(first, calls=calls, also=also)
    return list(joined.values())


def worse(known: Prediction | None, other: Prediction) -> Prediction:
    """The prediction that decides, with the needs of both where both stop."""
    if known is None:
        return other
    worst = known if rank(known) >= rank(other) else other
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
    dtype = None if call.node in SINGLE_NODES else lacking(call.dtypes, support)
    if dtype is not None:
        return Prediction(op, "dtype", fallback=False, reason=dtype, cause=str(dtype))
    limit = LIMITS.get(operator(call.op))
    if limit is not None and limit.refuses(call.sizes):
        return Prediction(op, limit.verdict, fallback=False, reason=limit.reason)
    return by_letter(op, call, support)


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


def lacking(dtypes: Iterable[str], support: Support) -> Part | None:
    """Why MPS takes no tensor of one of these dtypes in this version; None where nothing is known against them."""
    for dtype in dtypes:
        since = DTYPES.get(dtype, "")
        if since is None:
            return Part("dtype_never", {"dtype": dtype})
        if since and support.reference and order(support.reference) < order(since):
            return Part("dtype_since", {"dtype": dtype, "since": since})
    return None


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
    foreign = "::" in bare(op)
    reason = Part("operator_foreign") if foreign else Part("operator_absent", {"version": support.version})
    return Prediction(op, "unknown", since, reason=reason)


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
    if on_cpu:
        return Prediction(op, "fallback", fallback=True, needs=tuple(names(on_cpu)))
    return Prediction(op, "composite")


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
