"""The interpreter, its torch, every device that torch offers, really tried; and why MPS is not there."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple

from mpsdoctor import machine, sentences, support, versions
from mpsdoctor.check import Answer, Context, Finding, Remedy, Rule, Sandbox, judged, neutralised
from mpsdoctor.support import FALLBACK
from mpsdoctor_checks import installing, variables

id = "build"
title = "The torch build and its devices"
needs = ()
seconds = {"quick": 3.0, "standard": 3.0, "thorough": 3.0}
patience = 240.0  # importing torch from a cold disk, and a device that hangs

Facts = dict[str, Any]
Severity = Literal["info", "warning", "error"]

FALLBACK_RULE = (
    " Torch 2.0 to 2.7 read it as a whole number while they load and abort where it is none (true, false, nothing);"
    " 1 and 0 work in every version."
)
FACTS = "mpsdoctor_worker.torch_facts"
DIED_WITHIN = 60.0  # seconds; an import that takes longer hangs, and no variable is suspected of it


def run(context: Context) -> Iterator[Finding | Facts]:
    yield from judged(collect(context), RULES)


def collect(context: Context) -> Facts:
    """Python, torch and device facts, read in workers of the interpreter under examination."""
    worker = context.worker()
    worker.start()  # torch is imported while Python and the machine are asked
    facts: Facts = {"python": {}, "torch": None, "devices": [], "interpreter_error": None, "ends_import": {}}
    asked = Sandbox(context.workers.python, watch=context.workers.watch)
    python = asked.call(f"{FACTS}:python", timeout=30.0)
    asked.close()
    if python.outcome != "ok":
        return {**facts, "interpreter_error": python.detail, "machine": {}}
    facts["python"] = python.value
    facts["machine"] = dict(context.facts.get("chip") or machine.facts())
    context.progress("importing torch")
    begun = time.monotonic()
    torch = worker.call(f"{FACTS}:torch", timeout=60.0)
    if torch.outcome != "ok" and time.monotonic() - begun < DIED_WITHIN and _has_torch(torch):
        facts["ends_import"], facts["import_error"] = ends_import(context), torch.detail
        torch = context.worker().call(f"{FACTS}:torch", timeout=60.0) if facts["ends_import"] else torch
    if torch.outcome != "ok":
        return {**facts, "torch": _import_error(torch, facts["python"].get("torch_version"))}
    facts |= torch.value
    facts["refused"] = neutralised(variables.refused(os.environ))
    asked_for = facts["offered"] if context.devices is None else list(context.devices)
    facts["asked_for"] = context.devices and asked_for
    facts["devices"] = [try_device(context, name, name in facts["offered"]) for name in asked_for]
    return facts


def ends_import(context: Context) -> dict[str, str]:
    """The PYTORCH_* variables whose values end the import of torch, found by leaving them out, which stays so.

    Empty where it fails without any of them too. Torch 2.0 to 2.7 die of a fallback variable that is no number, any
    torch of a PYTORCH_JIT that is neither 0 nor 1; a later one may have others.
    """

    def imports_without(*names: str) -> bool:
        context.workers.leave_out(names)
        return context.worker().call(f"{FACTS}:load").outcome == "ok"

    given = sorted((name for name in os.environ if name.startswith("PYTORCH_")), key=lambda name: name != FALLBACK)
    if not given or not imports_without(*given):
        context.workers.leave_out(())
        return {}
    names = given
    if len(given) > 1:
        alone = next((name for name in given if imports_without(name)), None)
        names = [alone] if alone else given
    if context.workers.unset != tuple(names):
        context.workers.leave_out(tuple(names))
    return {name: str(neutralised(os.environ[name])) for name in names}


def _has_torch(answer: Answer) -> bool:
    error = answer.value or {}
    return not (error.get("type") == "ModuleNotFoundError" and "'torch'" in error.get("message", ""))


def _import_error(answer: Answer, version: str | None) -> Facts | None:
    """None where there is no torch; else what happened on importing it or asking it."""
    if not _has_torch(answer):
        return None
    nothing = dict.fromkeys(("mps_built", "mps_available", "cuda_available"))
    return {"version": version, **nothing, "error": answer.detail}


def try_device(context: Context, name: str, offered: bool) -> Facts:
    """One entry of the report's devices."""
    if not offered:
        return {"device": name, "name": None, "usable": False, "reason": "torch does not offer it here"}
    context.progress(f"trying {name}")
    answer = context.worker(name).call(f"{FACTS}:try_device", timeout=60.0, device=name)
    told = {"device": name, "name": None, "usable": False, "reason": None}
    if answer.outcome == "ok":
        return {**told, **answer.value}
    return {**told, "reason": f"{answer.outcome}: {answer.reason}", "detail": answer.detail}


def interpreter(facts: Facts) -> Iterator[Finding]:
    if facts["interpreter_error"]:
        yield Finding(
            "MPS209",
            "error",
            "the interpreter cannot be examined",
            facts["interpreter_error"],
            remedy=Remedy("Name a Python 3.9 or later with --python."),
        )


def no_torch(facts: Facts) -> Iterator[Finding]:
    if facts["python"] and facts["torch"] is None:
        note, commands = installing.torch(facts["python"])
        yield Finding(
            "MPS201",
            "error",
            "torch is not installed",
            f"{facts['python']['executable']} has no module named torch, so nothing can be trained with it.",
            remedy=Remedy(f"Install torch into this environment.{note}", commands),
            links=("https://pytorch.org/get-started/locally/",),
        )


def import_failed(facts: Facts) -> Iterator[Finding]:
    error = (facts["torch"] or {}).get("error")
    if facts["ends_import"]:
        yield from variable_ends_import(facts)
    elif error:
        note, commands = installing.torch(facts["python"], "--force-reinstall torch")
        yield Finding(
            "MPS202",
            "error",
            "torch is installed but cannot be used",
            f"Importing it, or asking it for its devices, failed: {error}",
            remedy=Remedy(
                "Reinstall torch in this environment; a file named torch.py beside your script hides it too."
                + str(note),
                commands,
            ),
        )


def variable_ends_import(facts: Facts) -> Iterator[Finding]:
    """A warning and no error, as the check-up can go on; that a training cannot is told by the environment check."""
    given = facts["ends_import"]
    names = " and ".join(f"{name}={value!r}" for name, value in given.items())
    version = f"torch {facts['torch']['version']}" if facts["torch"]["version"] else "torch"
    rule = FALLBACK_RULE if FALLBACK in given else ""
    yield Finding(
        "MPS202",
        "warning",
        f"{version} cannot be imported with {names}",
        f"The import failed: {sentences.ended(sentences.shortened(facts['import_error'], 400))}{rule} Without it the"
        " import succeeds, so the check-up goes on without it.",
        {"variables": given, "error": facts["import_error"]},
        Remedy("Unset it in the shell, and in the profile or job script that sets it.", (f"unset {' '.join(given)}",)),
    )


class Cause(NamedTuple):
    """Why MPS is not there. The texts are filled with `names`; a remedy is its text and commands."""

    code: str
    severity: Severity
    applies: Callable[[Facts], bool]
    title: str
    detail: str
    remedy: str = ""
    commands: tuple[str, ...] = ()
    install: str = ""  # pip's arguments


def is_translated(facts: Facts) -> bool:
    host = facts["machine"]
    return bool(host.get("translated")) or (facts["python"]["arch"] == "x86_64" and "Apple" in (host.get("chip") or ""))


def is_macos_too_old(facts: Facts) -> bool:
    needed, present = support.macos_needed(facts["torch"]["version"]), facts["machine"].get("os_version")
    return bool(needed and present) and versions.numbers(present) < versions.numbers(needed)


# The first that applies is told: each presumes that those before it do not.
CAUSES = (
    Cause(
        "MPS208",
        "info",
        lambda facts: facts["machine"].get("os") != "Darwin",
        "this is {os}, so there is no MPS",
        "MPS exists on Apple silicon under macOS only; the devices listed are what torch offers here.",
    ),
    Cause(
        "MPS204",
        "warning",
        is_translated,
        "an x86_64 Python on Apple silicon",
        "This Python is an x86_64 program that Rosetta translates. Torch sees an Intel processor: no MPS, and the CPU"
        " runs at a fraction of its speed.",
        installing.ARM64_TEXT + " 'file' tells what a Python is.",
        ("file {executable}", *installing.ARM64_PYTHON),
    ),
    Cause(
        "MPS213",
        "info",
        lambda facts: facts["python"]["arch"] == "x86_64",
        "an Intel Mac",
        "On Intel Macs torch trains on the CPU; its macOS wheels for x86_64 ended with torch 2.2.",
        "Stay with torch 2.2.",
        install="'torch==2.2.*'",
    ),
    Cause(
        "MPS203",
        "warning",
        lambda facts: not facts["torch"]["mps_built"],
        "this torch was built without MPS",
        "torch {torch} was built without MPS: the wheels for macOS arm64 have it.",
        "Install torch from PyPI in an arm64 Python.",
        install="--upgrade torch",
    ),
    Cause(
        "MPS205",
        "warning",
        is_macos_too_old,
        "macOS is older than {needed}",
        "torch {torch} uses MPS on macOS {needed} or later; this is macOS {macos}.",
        "Update macOS to {needed} or later, or install a torch that supports this one.",
    ),
    Cause(
        "MPS206",
        "warning",
        lambda facts: True,
        "MPS is built in but not available",
        "Torch was built with MPS and macOS is recent enough, yet it reports no device. Sandboxed terminals and some"
        " virtual machines hide the GPU (the reason torch prints, an old macOS, is wrong then).",
        "Run mpsdoctor again from Terminal.app, outside any sandbox or virtual machine.",
    ),
)


def mps_missing(facts: Facts) -> Iterator[Finding]:
    torch = facts["torch"] or {}
    if torch.get("error") or not torch.get("version") or torch["mps_available"]:
        return
    names = {
        "os": facts["machine"].get("os") or "no Mac",
        "macos": facts["machine"].get("os_version"),
        "executable": installing.quoted(facts["python"]["executable"]),
        "torch": torch["version"],
        "needed": support.macos_needed(torch["version"]),
    }
    cause = next(cause for cause in CAUSES if cause.applies(facts))
    note = "" if cause.severity == "info" else " Training on the CPU works all the same."
    more, install = installing.torch(facts["python"], cause.install) if cause.install else ("", ())
    commands = (*(command.format(**names) for command in cause.commands), *install)
    yield Finding(
        cause.code,
        cause.severity,
        cause.title.format(**names),
        cause.detail.format(**names) + note,
        {"torch": torch},
        Remedy(f"{cause.remedy.format(**names)}{more}", commands) if cause.remedy else None,
    )


# What a probe that dies may put on a Mac's screen, which no program of ours can prevent.
DIALOG = " macOS may show 'Python quit unexpectedly' for it; that window can be closed."


def unusable(facts: Facts) -> Iterator[Finding]:
    for device in facts["devices"]:
        if not device["usable"] and device["reason"] != "torch does not offer it here":
            cause, remedy = why_unusable(device["device"], facts)
            told = sentences.ended(sentences.shortened(device["reason"], 300))
            cause += DIALOG if device["reason"].startswith("crash") and facts["machine"].get("os") == "Darwin" else ""
            yield Finding(
                "MPS207",
                "error" if device["device"] == "cpu" else "warning",
                f"{device['device']} is available but unusable",
                f"Torch offers it, but allocating, computing and comparing 16 KB failed: {told}{cause}"
                " Training on another device is not affected.",
                {"device": device["device"], "detail": device.get("detail", device["reason"])},
                Remedy(remedy),
            )


def why_unusable(device: str, facts: Facts) -> tuple[str, str]:
    """What is behind a device that cannot be used, as far as other facts tell, and what to do."""
    if device == "mps" and facts["refused"]:
        return (
            " Torch refuses the value of a variable that is set here; the check of environment variables names it.",
            "Unset that variable, then examine again.",
        )
    if device == "mps" and facts["machine"].get("virtual_machine"):
        return (
            " This is a virtual Mac, and those of CI services are known for it (pytorch#188438).",
            "Train on the CPU here, and on MPS on a physical Mac.",
        )
    return "", "Train on another device; if this one should work, restart the machine and examine again."


def not_offered(facts: Facts) -> Iterator[Finding]:
    missing = [d["device"] for d in facts["devices"] if d["reason"] == "torch does not offer it here"]
    if missing:
        any_left = any(device["usable"] for device in facts["devices"])
        yield Finding(
            "MPS212",
            "warning" if any_left else "error",
            f"torch does not offer {', '.join(missing)} here",
            f"Asked for: {', '.join(facts['asked_for'])}. Torch offers: {', '.join(facts['offered'])}.",
        )


def cuda_build_without_cuda(facts: Facts) -> Iterator[Finding]:
    if facts.get("cuda_version") and not facts["torch"]["cuda_available"]:
        yield Finding(
            "MPS211",
            "info",
            "torch was built for CUDA, but finds no CUDA device",
            f"This build brings CUDA {facts['cuda_version']}. Without an NVIDIA GPU it trains on the CPU.",
        )


RULES: tuple[Rule, ...] = (
    interpreter,
    no_torch,
    import_failed,
    mps_missing,
    unusable,
    not_offered,
    cuda_build_without_cuda,
)
