"""`ops --model FILE.py:FUNC`: whether a person's own training step runs, and runs right, on each device.

The step is made once on the CPU, which lists its operators; each distinct call is then replayed on the device.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mpsdoctor import clean
from mpsdoctor.check import Answer, Collected, Context, Job, Skip, UnusableRequestError, devices_of, typed
from mpsdoctor.support import FALLBACK
from mpsdoctor.worker.shapes import Judgement
from mpsdoctor_checks.operators.answers import StepAnswer, answer_of, finding_of
from mpsdoctor_checks.operators.collect import PROGRESS_SECONDS, device_kind, strict_environment
from mpsdoctor_checks.operators.deaths import DIED, Deaths
from mpsdoctor_checks.operators.rows import ReplayRow

RECORD, PROBE = "mpsdoctor_worker.steps.own_model:record", "mpsdoctor_worker.steps.replay:probe"
RECORD_GRACE = 15.0  # seconds beyond the person's limit until the worker has told where it stands
REPLAY_SECONDS = 30.0  # real shapes may take a second on a device that compiles kernels
LAST_WORDS = 2000  # characters of what a worker printed before it died
STACK_LINE = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+) in (?P<function>\S+)')

Call = dict[str, Any]


@dataclass(frozen=True)
class Target:
    """A function in a file of the person's, and the option that named it."""

    file: Path
    function: str
    option: str = "--model"

    def __str__(self) -> str:
        return f"{shown(str(self.file))}:{self.function}"


def target(text: str, option: str = "--model") -> Target:
    """FILE.py:FUNC. UnusableRequestError if it is not of that form or there is no such file."""
    file, _, function = text.rpartition(":")
    if not file or not function.isidentifier():
        raise UnusableRequestError(f"{option} takes FILE.py:FUNC, not {text!r}")
    path = Path(file).expanduser()
    if path.is_dir():
        raise UnusableRequestError(f"{path} is a folder; {option} takes FILE.py:FUNC")
    if path.suffix != ".py":
        raise UnusableRequestError(f"{option} takes FILE.py:FUNC, not {text!r}")
    if not path.is_file():
        there = sorted(one.name for one in path.parent.glob("*.py"))[:8] if path.parent.is_dir() else []
        beside = f" (beside it: {', '.join(there)})" if there else ""
        raise UnusableRequestError(f"there is no file {path}{beside}")
    return Target(path.resolve(), function, option)


def examine(context: Context, wanted: Target, seconds: float) -> Collected:
    """Facts and findings about a training step. UnusableRequestError where the person's file fails."""
    devices = devices_of(context, cpu=False)
    context.progress(f"model: one training step of {wanted} on the CPU")
    recorded = record(context, wanted, seconds, devices)
    calls: list[Call] = recorded["calls"]
    facts: dict[str, Any] = {"source": "model", "results": []}
    answers: dict[str, StepAnswer] = {}
    for device in devices:
        rows = replay(context, device, calls)
        facts["results"] += rows
        answers[device] = answer_of(rows, len(calls))
    facts["model"] = {
        "target": str(wanted),
        "kind": recorded["kind"],
        "calls": recorded["total"],
        "distinct": len(calls),
        "operators": sorted({call["op"] for call in calls}),
        "recorded": [summary_of(call) for call in calls],
        "not_replayed": recorded["left_out"],
        "answers": answers,
    }
    build = context.facts["build"]
    every = (finding_of(device, answer, str(wanted), build) for device, answer in answers.items())
    return facts, [found for of_device in every for found in of_device]


def record(context: Context, wanted: Target, seconds: float, devices: list[str]) -> dict[str, Any]:
    """What the worker recorded. UnusableRequestError with the place in the person's file where it failed."""
    return run_step(context, wanted, seconds, RECORD, devices=devices)


def run_step(context: Context, wanted: Target, seconds: float, call: str, **more: Any) -> dict[str, Any]:
    """What a function of the worker made of the person's step. UnusableRequestError."""
    worker = context.worker("cpu", {"MPSDOCTOR_MODEL": "1"})  # of its own: the file may leave anything behind
    args = {"path": str(wanted.file), "function": wanted.function, "seconds": seconds, **more}
    answer = next(worker.run([Job(call, args, seconds + RECORD_GRACE)]))
    worker.close()
    if answer.outcome in ("unavailable", "cancelled"):
        raise Skip(answer.reason)
    if answer.outcome != "ok":
        raise UnusableRequestError(how_it_died(answer, wanted, seconds))
    value: dict[str, Any] = answer.value
    if "failed" in value:
        raise UnusableRequestError(failure(value["failed"], wanted))
    return value


def failure(failed: Mapping[str, Any], wanted: Target) -> str:
    """What is wrong with the file, beginning with the place."""
    what = clean.text(str(failed["what"]))
    if failed["line"] is None:
        return f"{wanted}: {what}"
    return f"{place_of(failed)}: {what} ({wanted.option} {wanted})"


def was_late(answer: Answer) -> bool:
    """Whether the step's time was over, by the worker's own clock or by ours."""
    return answer.outcome == "timeout" or "Timeout (" in answer.detail


def how_it_died(answer: Answer, wanted: Target, seconds: float) -> str:
    """The message about a step that ended its process, or did not end, with the line where it was."""
    late = was_late(answer)
    first = answer.reason
    what = f"the step did not end within {seconds:g} s (--timeout)" if late else f"the process ended: {first}"
    frames = [match.groupdict() for match in STACK_LINE.finditer(answer.detail)]
    own = [frame for frame in frames if Path(frame["file"]).name == wanted.file.name]
    return f"{place_of(own[0]) if own else wanted}: {what}" + (f" ({wanted.option} {wanted})" if own else "")


def replay(context: Context, device: str, calls: list[Call]) -> list[ReplayRow]:
    """One row for each distinct call and direction on a device."""
    rows = list(ask(context, device, strict_environment(device), probes_of(calls)))
    missing = [(place, row) for place, row in enumerate(rows) if row["outcome"] == "unimplemented"]
    if missing and device_kind(device) == "mps":
        probes = probes_of(calls)
        again = ask(context, device, {FALLBACK: "1"}, [probes[place] for place, _ in missing])
        for (_, row), second in zip(missing, again, strict=False):
            row["fallback"] = second["outcome"] in ("ok", "fallback")
            if row["fallback"]:
                row["outcome"] = "fallback"
    return rows


def probes_of(calls: list[Call]) -> list[tuple[Call, str]]:
    return [
        (call, way) for call in calls for way in (("forward", "backward") if call.get("backward") else ("forward",))
    ]


def ask(context: Context, device: str, env: dict[str, str], probes: list[tuple[Call, str]]) -> Iterator[ReplayRow]:
    """Replay calls in order; one that kills its worker costs itself alone."""
    deaths = Deaths()

    def job(call: Call, way: str) -> Job:
        args = {"call": call, "device": device, "direction": way}
        return Job(PROBE, args, REPLAY_SECONDS, wanted=lambda: not deaths.too_many_of(call["op"]))

    told = 0.0
    worker = context.worker(device, env)
    for done, answer in enumerate(worker.run(job(*probe) for probe in probes)):
        if answer.outcome in ("cancelled", "unavailable"):
            raise Skip(answer.reason)
        if time.monotonic() - told >= PROGRESS_SECONDS:
            told = time.monotonic()
            context.progress(f"model {device}: calls replayed", done + 1, len(probes))
        call, way = probes[done]
        deaths.note(call["op"], answer.outcome)
        yield row_of(call, way, device, verdict_of(answer, deaths.too_many_of(call["op"])))


def verdict_of(answer: Answer, given_up: str) -> Judgement:
    """Outcome and detail of one replayed call, also of one whose worker died or hung, or that was given up."""
    if answer.outcome == "ok":
        return typed(answer, Judgement)
    if answer.outcome == "withdrawn":
        return {"outcome": "skipped", "detail": given_up}
    words = answer.detail[:LAST_WORDS]
    detail = words if words == answer.detail else words.rpartition("\n")[0] or words
    return {"outcome": answer.outcome if answer.outcome in DIED else "error", "detail": detail}


def row_of(call: Call, direction: str, device: str, verdict: Judgement) -> ReplayRow:
    """The result of one replayed call, with its place in the step."""
    told = summary_of(call)
    backward = direction == "backward" or call["phase"] == "backward"
    return {
        "op": told["op"],
        "device": device,
        "dtype": told["dtype"],
        "variants": [told["arguments"]],
        "direction": "backward" if backward else "forward",
        **verdict,
        "phase": told["phase"],
        "place": told["place"],
        "code": told["code"],
        "made_at": told["made_at"],
        "module": told["module"],
        "count": told["count"],
    }


def summary_of(call: Call) -> dict[str, Any]:
    """A recorded call for the report: operator, arguments, and where it comes from."""
    tensors = list(tensors_in([call["args"], list(call["kwargs"].values())]))
    floating = [one["dtype"] for one in tensors if "float" in one["dtype"]]
    frame = next(iter(call["frames"]), None)
    made = next(iter(call["made"]), None)
    return {
        "op": call["op"],
        "overload": call.get("overload", ""),
        "phase": call["phase"],
        "count": call["count"],
        "dtype": (floating or [one["dtype"] for one in tensors] or [""])[0],
        "arguments": ", ".join(shape_of(one) for one in tensors[:6]) + (", …" if len(tensors) > 6 else ""),
        "tensors": [{key: one[key] for key in ("shape", "stride", "offset", "dtype")} for one in tensors],
        "place": place_of(frame) if frame else None,
        "code": (frame or made or {}).get("code"),
        "made_at": place_of(made) if made else None,
        "module": call["module"],
        "stack": [place_of(one) for one in call["frames"]],
    }


def tensors_in(spec: Any) -> Iterator[dict[str, Any]]:
    """The tensors of recorded arguments."""
    if isinstance(spec, list):
        for one in spec:
            yield from tensors_in(one)
    elif isinstance(spec, dict) and "tensor" in spec:
        yield spec["tensor"]


def shape_of(tensor: Mapping[str, Any]) -> str:
    """`float32[2, 3]`, and the strides where they are not those of a contiguous tensor."""
    plain = 1
    expected: list[int] = []
    for size in reversed(tensor["shape"]):
        expected.insert(0, plain)
        plain *= max(size, 1)
    strides = "" if tensor["stride"] == expected else f" strides {tensor['stride']}"
    return f"{tensor['dtype']}{tensor['shape']}{strides}"


def place_of(frame: Mapping[str, Any]) -> str:
    """`train.py:12 in forward`."""
    function = f" in {frame['function']}" if frame.get("function") else ""
    return f"{shown(frame['file'])}:{frame['line']}{function}"


def shown(file: str) -> str:
    """A path below the current folder, or with `~` for home."""
    try:
        return str(Path(file).relative_to(Path.cwd()))
    except ValueError:
        return clean.text(file)
