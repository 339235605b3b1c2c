"""Examines the interpreter, its torch and every device that torch offers, and says why MPS is missing."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from mpsdoctor import machine, sentences, support, versions
from mpsdoctor.check import (
    Answer,
    Context,
    Finding,
    Rule,
    Sandbox,
    Severity,
    finding,
    judged,
    neutralised,
    typed,
    worker_wording,
)
from mpsdoctor.explain.messages import known_cause
from mpsdoctor.facts import assume_shapes, build_facts
from mpsdoctor.facts.build import Build, DeviceFacts, reason_of
from mpsdoctor.support import FALLBACK
from mpsdoctor.texts import Each, Part, Wording, as_values, check_title
from mpsdoctor.worker.torch_shapes import DeviceTrial, Interpreter, TorchBuild, TorchFacts
from mpsdoctor_checks import installing, variables

id = "build"
title = check_title("build")
needs = ()
seconds = {"quick": 3.0, "standard": 3.0, "thorough": 3.0}
patience = 240.0  # importing torch from a cold disk, and a device that hangs

FACTS = "mpsdoctor_worker.torch_facts"
NOT_OFFERED = Part("not_offered")  # the reason in a device's facts
DIED_WITHIN = 60.0  # seconds; an import that takes longer hangs, and no variable is suspected of it


def run(context: Context) -> Iterator[Finding | Build]:
    yield from judged(collect(context), RULES)


def collect(context: Context) -> Build:
    """Python, torch and device facts, read in workers of the interpreter under examination."""
    worker = context.worker()
    worker.start()  # torch is imported while Python and the machine are asked
    facts = build_facts({})
    bare = Sandbox(context.workers.python, watch=context.workers.watch)
    python = bare.call(f"{FACTS}:python", timeout=30.0)
    bare.close()
    if python.outcome != "ok":
        return {**facts, "interpreter_error": python.detail}
    facts["python"] = {**typed(python, Interpreter)}
    facts["machine"] = {**(assume_shapes(context.facts).get("chip") or machine.facts())}
    context.progress(Part("importing_torch"))
    started_at = time.monotonic()
    torch = worker.call(f"{FACTS}:torch", timeout=60.0)
    if torch.outcome != "ok" and time.monotonic() - started_at < DIED_WITHIN and _has_torch(torch):
        facts["ends_import"], facts["import_error"] = find_variables_ending_import(context), torch.detail
        torch = context.worker().call(f"{FACTS}:torch", timeout=60.0) if facts["ends_import"] else torch
    if torch.outcome != "ok":
        return {**facts, "torch": _import_error(torch, facts["python"].get("torch_version"))}
    facts = {**facts, **typed(torch, TorchFacts)}
    facts["refused"] = neutralised({name: str(reason) for name, reason in variables.refused(os.environ).items()})
    names = facts["offered"] if context.devices is None else list(context.devices)
    facts["asked_for"] = context.devices and names
    facts["devices"] = [try_device(context, name, name in facts["offered"]) for name in names]
    return facts


def find_variables_ending_import(context: Context) -> dict[str, str]:
    """The PYTORCH_* variables whose values end the import of torch, found by leaving them out; they stay left out.

    Empty where it fails without any of them too. Torch 2.0 to 2.7 die of a fallback variable that is no number, any
    torch of a PYTORCH_JIT that is neither 0 nor 1; a later one may have others.
    """

    def imports_without(*names: str) -> bool:
        context.workers.leave_out(names)
        return context.worker().call(f"{FACTS}:load").outcome == "ok"

    variables_set = sorted(
        (name for name in os.environ if name.startswith("PYTORCH_")), key=lambda name: name != FALLBACK
    )
    if not variables_set or not imports_without(*variables_set):
        context.workers.leave_out(())
        return {}
    names = variables_set
    if len(variables_set) > 1:
        alone = next((name for name in variables_set if imports_without(name)), None)
        names = [alone] if alone else variables_set
    if context.workers.unset != tuple(names):
        context.workers.leave_out(tuple(names))
    return {name: str(neutralised(os.environ[name])) for name in names}


def _has_torch(answer: Answer) -> bool:
    error = answer.value or {}
    return not (error.get("type") == "ModuleNotFoundError" and "'torch'" in error.get("message", ""))


def _import_error(answer: Answer, version: str | None) -> TorchBuild | None:
    """None without torch; else the error on import or when asked."""
    if not _has_torch(answer):
        return None
    return {
        "version": version,
        "mps_built": None,
        "mps_available": None,
        "cuda_available": None,
        "error": answer.detail,
    }


def try_device(context: Context, name: str, offered: bool) -> DeviceFacts:
    """One entry of the report's devices."""
    if not offered:
        return unusable_device(name, NOT_OFFERED)
    context.progress(Part("trying_device", {"device": name}))
    answer = context.worker(name).call(f"{FACTS}:try_device", timeout=60.0, device=name)
    if answer.outcome == "ok":
        trial = typed(answer, DeviceTrial)
        if trial["usable"]:
            return {"device": name, "name": trial["name"], "usable": True, "reason": trial["reason"]}
        return unusable_device(name, worker_wording(trial["reason"] or "", trial.get("reason_values")))
    reason: Wording = f"{answer.outcome}: {answer.reason}"
    if answer.ending:
        reason = Part("device_ended", {"how": Part(f"end_{answer.outcome}"), "ending": answer.ending})
    return {**unusable_device(name, reason), "detail": answer.detail}


def unusable_device(name: str, reason: Wording) -> DeviceFacts:
    device: DeviceFacts = {"device": name, "name": None, "usable": False, "reason": str(reason)}
    if values := as_values(reason):
        device["reason_values"] = values
    return device


def interpreter(facts: Build) -> Iterator[Finding]:
    """MPS209: the interpreter does not start, or does not answer."""
    if facts["interpreter_error"]:
        yield finding("MPS209", "error", error=facts["interpreter_error"])


def no_torch(facts: Build) -> Iterator[Finding]:
    """MPS201: an interpreter without torch."""
    if facts["python"] and facts["torch"] is None:
        note, commands = installing.torch(facts["python"])
        yield finding("MPS201", "error", commands=commands, executable=facts["python"]["executable"], note=note)


def import_failed(facts: Build) -> Iterator[Finding]:
    """MPS202: torch is installed, but fails on import or when asked."""
    torch = facts["torch"]
    if facts["ends_import"]:
        yield from variable_ends_import(facts)
    elif torch and torch["error"]:
        note, commands = installing.torch(facts["python"], "--force-reinstall torch")
        yield finding("MPS202", "error", commands=commands, error=torch["error"], note=note)


def variable_ends_import(facts: Build) -> Iterator[Finding]:
    """A warning, as the check-up goes on without them; the environment check reports the error for a training."""
    ending, error = facts["ends_import"], facts["import_error"] or ""
    torch = facts["torch"]["version"] if facts["torch"] else None
    settings = [{"name": name, "value": value} for name, value in ending.items()]
    yield finding(
        "MPS202",
        "warning",
        {"variables": ending, "error": facts["import_error"]},
        title="cannot_be_imported_with",
        detail="fails_with_it",
        remedy="unset",
        commands=(f"unset {' '.join(ending)}",),
        release=Part("release" if torch else ""),
        torch=torch,
        settings=[Each("setting", settings[:1]), Each("further_setting", settings[1:], joint="")],
        told=sentences.ended(sentences.shortened(error, 400)),
        rule=Part("whole_number" if FALLBACK in ending else ""),
    )


class Cause(NamedTuple):
    """Why MPS is not there. `commands` are filled with the `executable`, before those of an install."""

    code: str
    severity: Severity
    applies: Callable[[Build], bool]
    commands: tuple[str, ...] = ()
    install: str = ""  # pip's arguments


def is_translated(facts: Build) -> bool:
    host = facts["machine"]
    return bool(host.get("translated")) or (facts["python"]["arch"] == "x86_64" and "Apple" in (host.get("chip") or ""))


def is_macos_too_old(facts: Build) -> bool:
    needed, present = support.macos_needed(version_of(facts)), facts["machine"].get("os_version")
    return bool(needed and present) and versions.numbers(present) < versions.numbers(needed)


def version_of(facts: Build) -> str:
    """The torch's version, empty without any."""
    return (facts["torch"] and facts["torch"]["version"]) or ""


# The first that applies is reported: each presumes that those before it do not.
CAUSES = (
    Cause("MPS208", "info", lambda facts: facts["machine"].get("os") != "Darwin"),
    Cause("MPS204", "warning", is_translated, ("file {executable}", *installing.ARM64_PYTHON)),
    Cause("MPS213", "info", lambda facts: facts["python"]["arch"] == "x86_64", install="'torch==2.2.*'"),
    Cause(
        "MPS203",
        "warning",
        lambda facts: not (facts["torch"] and facts["torch"]["mps_built"]),
        install="--upgrade torch",
    ),
    Cause("MPS205", "warning", is_macos_too_old),
    Cause("MPS206", "warning", lambda facts: True),
)


def mps_missing(facts: Build) -> Iterator[Finding]:
    """One of the causes, where torch works and reports no MPS."""
    torch = facts["torch"]
    if torch is None or torch["error"] or not torch["version"] or torch["mps_available"]:
        return
    cause = next(cause for cause in CAUSES if cause.applies(facts))
    executable = installing.quote_path(facts["python"]["executable"])
    note, install = installing.torch(facts["python"], cause.install) if cause.install else (Part(""), ())
    yield finding(
        cause.code,
        cause.severity,
        {"torch": torch},
        commands=(*(command.format(executable=executable) for command in cause.commands), *install),
        os=facts["machine"].get("os") or Part("no_mac"),
        macos=facts["machine"].get("os_version"),
        torch=torch["version"],
        needed=support.macos_needed(torch["version"]),
        note=note,
    )


def unusable(facts: Build) -> Iterator[Finding]:
    """MPS207: torch offers a device, and trying it fails."""
    for device in facts["devices"]:
        if not device["usable"] and device["reason"] != str(NOT_OFFERED):
            name, reason = device["device"], device["reason"] or ""
            cause, remedy = why_unusable(name, facts)
            crash = reason.startswith("crash") and facts["machine"].get("os") == "Darwin"
            yield finding(
                "MPS207",
                "error" if name == "cpu" else "warning",
                {"device": name, "detail": device.get("detail", reason)},
                remedy=remedy,
                device=name,
                told=sentences.ended_wording(sentences.shortened_wording(reason_of(device), 300)),
                cause=Part(cause) if cause else known_cause(str(reason_of(device)), name, "known_cause_sentence"),
                dialog=Part("dialog" if crash else ""),
            )


def why_unusable(device: str, facts: Build) -> tuple[str, str]:
    """What is behind a device that cannot be used, as far as other facts tell, and what to do: templates."""
    if device == "mps" and facts["refused"]:
        return "refused", "unset"
    if device == "mps" and facts["machine"].get("virtual_machine"):
        return "virtual_mac", "physical_mac"
    return "", "remedy"


def not_offered(facts: Build) -> Iterator[Finding]:
    """MPS212: a person asks for a device that torch does not have."""
    missing = [d["device"] for d in facts["devices"] if d["reason"] == str(NOT_OFFERED)]
    if missing:
        severity: Severity = "warning" if any(device["usable"] for device in facts["devices"]) else "error"
        yield finding("MPS212", severity, missing=missing, asked_for=facts["asked_for"], offered=facts["offered"])


def cuda_build_without_cuda(facts: Build) -> Iterator[Finding]:
    """MPS211: a build for CUDA on a machine without CUDA."""
    torch = facts["torch"]
    if torch and facts.get("cuda_version") and not torch["cuda_available"]:
        yield finding("MPS211", "info", cuda=facts["cuda_version"])


RULES: tuple[Rule[Build], ...] = (
    interpreter,
    no_torch,
    import_failed,
    mps_missing,
    unusable,
    not_offered,
    cuda_build_without_cuda,
)
