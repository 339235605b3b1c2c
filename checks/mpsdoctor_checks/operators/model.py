"""`ops --model FILE.py:FUNC`: whether a person's own training step runs, and runs right, on each device.

The step is made once on the CPU, which lists its operators; each distinct call is then replayed on the device.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from mpsdoctor import clean
from mpsdoctor.check import (
    Answer,
    Collected,
    Context,
    Job,
    OwnCodeError,
    Shape,
    Skip,
    UnusableRequestError,
    devices_of,
    typed,
)
from mpsdoctor.facts import build_facts
from mpsdoctor.facts.operators import CallSummary, ModelFacts, ReplayFacts, ReplayRow, TensorSummary
from mpsdoctor.support import FALLBACK
from mpsdoctor.texts import Part, say
from mpsdoctor.worker.shapes import (
    Failure,
    Frame,
    Judgement,
    Location,
    RecordedCall,
    Recording,
    StepFailure,
    TensorSpec,
)
from mpsdoctor_checks.known_issues import triggers
from mpsdoctor_checks.operators.answers import answer_of, finding_of
from mpsdoctor_checks.operators.collect import PROGRESS_SECONDS, device_kind, strict_environment
from mpsdoctor_checks.operators.deaths import DIED, Deaths
from mpsdoctor_checks.operators.judgements import fill_detail, judgement_of

RECORD, PROBE = "mpsdoctor_worker.steps.own_model:record", "mpsdoctor_worker.steps.replay:probe"
RECORD_GRACE = 15.0  # seconds beyond the person's limit until the worker has told where it stands
REPLAY_SECONDS = 30.0  # real shapes may take a second on a device that compiles kernels
LAST_WORDS = 2000  # characters of what a worker printed before it died
STACK_LINE = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+) in (?P<function>\S+)')


class Probe(NamedTuple):
    """A recorded call in one direction."""

    call: RecordedCall
    direction: str


@dataclass(frozen=True)
class Target:
    """A function in a file of the person's, and the option that named it."""

    file: Path
    function: str
    option: str = "--model"

    def __str__(self) -> str:
        return f"{shorten_path(str(self.file))}:{self.function}"


def parse_target(text: str, option: str = "--model") -> Target:
    """FILE.py:FUNC. UnusableRequestError if it is not of that form or there is no such file."""
    file, _, function = text.rpartition(":")
    if not file or not function.isidentifier():
        raise UnusableRequestError(say("cli.no_target", option=option, text=text))
    path = Path(file).expanduser()
    if path.is_dir():
        raise UnusableRequestError(say("cli.folder_as_target", option=option, path=path))
    if path.suffix != ".py":
        raise UnusableRequestError(say("cli.no_target", option=option, text=text))
    if not path.is_file():
        names = sorted(other.name for other in path.parent.glob("*.py"))[:8] if path.parent.is_dir() else []
        beside = say("cli.beside", names=names) if names else ""
        raise UnusableRequestError(say("cli.no_file", path=path, beside=beside))
    return Target(path.resolve(), function, option)


def examine(context: Context, wanted: Target, seconds: float) -> Collected:
    """Facts and findings about a training step. UnusableRequestError and OwnCodeError as of `run_step`."""
    devices = devices_of(context, cpu=False)
    context.progress(Part("recording_step", {"target": str(wanted)}))
    recording = run_step(context, wanted, seconds, RECORD, Recording, devices=devices)
    calls = recording["calls"]
    rows = {device: replay(context, device, calls) for device in devices}
    answers = {device: answer_of(of_device, len(calls)) for device, of_device in rows.items()}
    step: ModelFacts = {
        "target": str(wanted),
        "kind": recording["kind"],
        "calls": recording["total"],
        "distinct": len(calls),
        "operators": sorted({call["op"] for call in calls}),
        "recorded": [summarize(call) for call in calls],
        "not_replayed": recording["left_out"],
        "questions": list(map(place_of, recording["questions"])),
        "answers": answers,
    }
    results = [row for of_device in rows.values() for row in of_device]
    facts: ReplayFacts = {"source": "model", "results": results, "model": step}
    build = build_facts(context.facts)
    findings = (finding_of(device, answer, str(wanted), build) for device, answer in answers.items())
    met = triggers.findings_of(context, step["recorded"], devices)
    return {**facts}, [*(finding for of_device in findings for finding in of_device), *met]


def run_step(context: Context, wanted: Target, seconds: float, call: str, shape: type[Shape], **more: object) -> Shape:
    """What a function of the worker answers about the person's step.

    UnusableRequestError where the file is not as it should be; OwnCodeError, with the place, where its code fails.
    """
    worker = context.worker("cpu", {"MPSDOCTOR_MODEL": "1"})  # of its own: the file may leave anything behind
    args = {"path": str(wanted.file), "function": wanted.function, "seconds": seconds, **more}
    answer = next(worker.run([Job(call, args, seconds + RECORD_GRACE)]))
    worker.close()
    if answer.outcome in ("unavailable", "cancelled"):
        raise Skip(answer.reason)
    if answer.outcome != "ok":
        raise OwnCodeError(describe_death(answer, wanted, seconds))
    if failed := failure_in(answer):
        raise error_of(failed, wanted)
    return typed(answer, shape)


def failure_in(answer: Answer) -> StepFailure | None:
    """The failure in an answer where the person's file is at fault, else None."""
    return typed(answer, Failure)["failed"] if "failed" in answer.value else None


def error_of(failed: StepFailure, wanted: Target) -> UnusableRequestError:
    """What the person is told: that their code raised, or that the file is not as it should be."""
    words = describe_failure(failed, wanted)
    return OwnCodeError(words, clean.text(failed["traceback"])) if failed["raised"] else UnusableRequestError(words)


def describe_failure(failed: StepFailure, wanted: Target) -> str:
    """What is wrong with the file, beginning with the place."""
    what = clean.text(failed["what"])
    if failed["line"] is None:
        return f"{wanted}: {what}"
    return f"{place_of(failed)}: {what} ({wanted.option} {wanted})"


def was_late(answer: Answer) -> bool:
    """Whether the step's time was over, by the worker's own clock or by ours."""
    return answer.outcome == "timeout" or "Timeout (" in answer.detail


def describe_death(answer: Answer, wanted: Target, seconds: float) -> str:
    """The message about a step that ends its process or does not end, with the line that runs then."""
    late = was_late(answer)
    what = f"the step did not end within {seconds:g} s (--timeout)" if late else f"the process ended: {answer.reason}"
    own = [frame for frame in stack_in(answer.detail) if Path(frame["file"]).name == wanted.file.name]
    return f"{place_of(own[0]) if own else wanted}: {what}" + (f" ({wanted.option} {wanted})" if own else "")


def stack_in(text: str) -> list[Frame]:
    """The frames of a stack that faulthandler wrote."""
    return [
        {"file": match["file"], "line": int(match["line"]), "function": match["function"]}
        for match in STACK_LINE.finditer(text)
    ]


def replay(context: Context, device: str, calls: Sequence[RecordedCall]) -> list[ReplayRow]:
    """One row for each distinct call and direction on a device."""
    rows = list(replay_probes(context, device, strict_environment(device), probes_of(calls)))
    missing = [(place, row) for place, row in enumerate(rows) if row["outcome"] == "unimplemented"]
    if missing and device_kind(device) == "mps":
        probes = probes_of(calls)
        again = replay_probes(context, device, {FALLBACK: "1"}, [probes[place] for place, _ in missing])
        for (_, row), second in zip(missing, again, strict=False):
            row["fallback"] = second["outcome"] in ("ok", "fallback")
            if row["fallback"]:
                row["outcome"] = "fallback"
    return rows


def probes_of(calls: Sequence[RecordedCall]) -> list[Probe]:
    """Each call, and its backward pass where it has one."""
    return [
        Probe(call, direction)
        for call in calls
        for direction in (("forward", "backward") if call.get("backward") else ("forward",))
    ]


def replay_probes(context: Context, device: str, env: dict[str, str], probes: Sequence[Probe]) -> Iterator[ReplayRow]:
    """Replay calls in order; a call that kills its worker does not affect the others."""
    deaths = Deaths()

    def job(probe: Probe) -> Job:
        args = {"call": probe.call, "device": device, "direction": probe.direction}
        return Job(PROBE, args, REPLAY_SECONDS, wanted=lambda: not deaths.too_many_of(probe.call["op"]))

    last_word = 0.0
    worker = context.worker(device, env)
    for done, answer in enumerate(worker.run(map(job, probes))):
        if answer.outcome in ("cancelled", "unavailable"):
            raise Skip(answer.reason)
        if time.monotonic() - last_word >= PROGRESS_SECONDS:
            last_word = time.monotonic()
            context.progress(Part("replaying", {"device": device}), done + 1, len(probes))
        call, direction = probes[done]
        deaths.note(call["op"], answer.outcome)
        yield row_of(call, direction, device, verdict_of(answer, deaths.too_many_of(call["op"])))


def verdict_of(answer: Answer, given_up: Part | None) -> Judgement:
    """Outcome and detail of a replayed call, also where its worker dies or hangs, or where it is skipped."""
    if answer.outcome == "ok":
        judgement = typed(answer, Judgement)
        fill_detail(judgement)
        return judgement
    if answer.outcome == "withdrawn":
        return judgement_of("skipped", given_up or "")
    words = answer.detail[:LAST_WORDS]
    detail = words if words == answer.detail else words.rpartition("\n")[0] or words
    outcome = answer.outcome if answer.outcome in DIED else "error"
    return judgement_of(outcome, replace(answer, detail=detail).wording)


def row_of(call: RecordedCall, direction: str, device: str, verdict: Judgement) -> ReplayRow:
    """The result of one replayed call, with its place in the step."""
    summary = summarize(call)
    backward = direction == "backward" or call["phase"] == "backward"
    return {
        "op": summary["op"],
        "device": device,
        "dtype": summary["dtype"],
        "variants": [summary["arguments"]],
        "direction": "backward" if backward else "forward",
        **verdict,
        "phase": summary["phase"],
        "place": summary["place"],
        "code": summary["code"],
        "made_at": summary["made_at"],
        "module": summary["module"],
        "count": summary["count"],
        "meets": place_of(call["meets"]) if call["lives"] == "mixed" and call["meets"] else None,
    }


def summarize(call: RecordedCall) -> CallSummary:
    """What the report says of a recorded call."""
    tensors = list(tensors_in([call["args"], list(call["kwargs"].values())]))
    floating = [tensor["dtype"] for tensor in tensors if "float" in tensor["dtype"]]
    frame = next(iter(call["frames"]), None)
    made = next(iter(call["made"]), None)
    return {
        "op": call["op"],
        "overload": call.get("overload", ""),
        "phase": call["phase"],
        "count": call["count"],
        "dtype": (floating or [tensor["dtype"] for tensor in tensors] or [""])[0],
        "arguments": ", ".join(map(shape_of, tensors[:6])) + (", …" if len(tensors) > 6 else ""),
        "tensors": [summarize_tensor(tensor) for tensor in tensors],
        "place": place_of(frame) if frame else None,
        "code": source.get("code") if (source := frame or made) else None,
        "made_at": place_of(made) if made else None,
        "module": call["module"],
        "stack": list(map(place_of, call["frames"])),
    }


def summarize_tensor(spec: TensorSpec) -> TensorSummary:
    return {"shape": spec["shape"], "stride": spec["stride"], "offset": spec["offset"], "dtype": spec["dtype"]}


def tensors_in(spec: Any) -> Iterator[TensorSpec]:
    """The tensors of recorded arguments."""
    if isinstance(spec, list):
        for part in spec:
            yield from tensors_in(part)
    elif isinstance(spec, dict) and "tensor" in spec:
        yield spec["tensor"]


def shape_of(tensor: TensorSpec) -> str:
    """`float32[2, 3]`, and the strides where they are not those of a contiguous tensor."""
    plain = 1
    expected: list[int] = []
    for size in reversed(tensor["shape"]):
        expected.insert(0, plain)
        plain *= max(size, 1)
    strides = "" if tensor["stride"] == expected else f" strides {tensor['stride']}"
    return f"{tensor['dtype']}{tensor['shape']}{strides}"


def place_of(frame: Frame | Location) -> str:
    """`train.py:12 in forward`."""
    function = f" in {frame['function']}" if frame["function"] else ""
    return f"{shorten_path(frame['file'])}:{frame['line']}{function}"


def shorten_path(file: str) -> str:
    """A path below the current folder, or with `~` for home."""
    try:
        return str(Path(file).relative_to(Path.cwd()))
    except ValueError:
        return clean.text(file)
