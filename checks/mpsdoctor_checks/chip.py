"""The chip and the system under it: what they allow, before any torch is asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mpsdoctor import machine, support, versions
from mpsdoctor.check import Context, Finding, Remedy, Rule, Sandbox, judged, neutralised
from mpsdoctor_checks import installing

id = "chip"
title = "Chip and operating system"
needs: tuple[str, ...] = ()
seconds = {"quick": 1.0, "standard": 1.0, "thorough": 3.0}

Facts = Mapping[str, Any]
IGNORE = "If you train on the CPU you can ignore this."


def run(context: Context) -> Iterator[Finding | dict[str, Any]]:
    """Facts: those of `mpsdoctor.machine.facts`."""
    facts = machine.facts(patient=context.budget == "thorough")
    yield from judged(facts, RULES)
    if is_intel_mac(facts):
        yield intel_mac(facts, examined_python(context))


def examined_python(context: Context) -> dict[str, Any]:
    """What installing into it depends on: its path, and whether it has pip and takes packages."""
    sandbox = Sandbox(context.workers.python, watch=context.workers.watch)
    answer = sandbox.call("mpsdoctor_worker.torch_facts:python", timeout=30.0)
    sandbox.close()
    return answer.value if answer.outcome == "ok" else {"executable": neutralised(context.workers.python)}


def rosetta(facts: Facts) -> Iterator[Finding]:
    """MPS101: an Intel Python on an Apple chip."""
    if not facts["translated"]:
        return
    yield Finding(
        "MPS101",
        "error",
        "This Python is an Intel build translated by Rosetta",
        f"The chip is {facts['chip'] or 'Apple silicon'}, the interpreter is {facts['arch']}. Every "
        "instruction is translated, torch for x86_64 macOS ended with 2.2, and what is measured here says "
        "nothing about this Mac. It matters on the CPU as much as on MPS.",
        {"arch": facts["arch"], "chip": facts["chip"]},
        Remedy(installing.ARM64_TEXT, installing.ARM64_PYTHON),
        ("https://github.com/pytorch/pytorch/issues/114602",),
    )


def virtual_machine(facts: Facts) -> Iterator[Finding]:
    """MPS102: macOS under a hypervisor."""
    if facts["os"] != "Darwin" or not facts["virtual_machine"]:
        return
    yield Finding(
        "MPS102",
        "warning",
        "macOS runs in a virtual machine",
        "torch may say that MPS is available, and then fail at the first allocation or, on newer images, "
        "compute wrong numbers. Only results that were compared with the CPU's can be trusted. " + IGNORE,
        {"model": facts["model"], "chip": facts["chip"]},
        Remedy("Train and test on the CPU here, and test MPS on a physical Mac."),
        (
            "https://github.com/actions/runner-images/issues/9918",
            "https://github.com/pytorch/pytorch/issues/188438",
        ),
    )


def is_intel_mac(facts: Facts) -> bool:
    return facts["os"] == "Darwin" and facts["arch"] == "x86_64" and facts["translated"] is False


def intel_mac(facts: Facts, python: Facts) -> Finding:
    """MPS103: a Mac without an Apple chip. `python` is the interpreter that torch is installed into."""
    note, commands = installing.torch(python, "'torch==2.2.*'")
    return Finding(
        "MPS103",
        "warning",
        "This is an Intel Mac",
        "torch 2.2 is the last release with packages for it. MPS on its graphics card works in those old "
        "releases alone, and nothing found there is fixed any more. The CPU trains, with that torch.",
        {"chip": facts["chip"], "model": facts["model"]},
        Remedy(f"Stay with torch 2.2 here, or train on another machine.{note}", commands),
        ("https://github.com/pytorch/pytorch/issues/114602",),
    )


def old_macos(facts: Facts) -> Iterator[Finding]:
    """MPS104: macOS sets the newest torch whose MPS can be used."""
    version = versions.numbers(facts["os_version"])
    apple = facts["arch"] == "arm64" or facts["translated"]
    if facts["os"] != "Darwin" or not apple:
        return
    newest = support.newest_torch(facts["os_version"])
    if newest is None:
        return
    limit = f"MPS works with torch {newest} and older only" if newest else "no torch can use MPS"
    yield Finding(
        "MPS104",
        "info" if version >= (14,) else "warning",
        f"On macOS {facts['os_version']} {limit}",
        "A newer torch installs and imports, but says that MPS is not available. Later releases also fixed "
        f"operators whose results were wrong. {IGNORE}",
        {"os_version": facts["os_version"], "newest_torch": newest or None},
        Remedy("Update macOS, in System Settings under General, if this Mac can.", ("softwareupdate --list",)),
    )


def low_power(facts: Facts) -> Iterator[Finding]:
    """MPS105: low power mode."""
    if not facts["low_power"]:
        return
    yield Finding(
        "MPS105",
        "warning",
        "Low power mode is on",
        "Processor and GPU are held at lower clocks. Training is slower on every device, and the device that "
        "wins now may not be the one that wins without it. This matters on the CPU too.",
        {"low_power": True},
        Remedy("Turn it off, then measure again.", ("sudo pmset -a lowpowermode 0",)),
    )


def heat(facts: Facts) -> Iterator[Finding]:
    """MPS106: the system holds the clocks down because of heat."""
    state = facts["thermal_state"]
    if state in (None, "nominal"):
        return
    yield Finding(
        "MPS106",
        "info" if state == "fair" else "warning",
        f"The thermal state is {state}",
        "macOS lowers the clocks to cool down. Training is slower on every device, and timings taken now are "
        "too long by an amount that changes from minute to minute. This matters on the CPU too.",
        {"thermal_state": state},
        Remedy("Let the machine cool down, then measure again."),
    )


def unknown_chip(facts: Facts) -> Iterator[Finding]:
    """MPS107: a Mac that does not tell its chip."""
    if facts["os"] != "Darwin" or facts["chip"] is not None:
        return
    yield Finding(
        "MPS107",
        "info",
        "The chip's name could not be read",
        "A profile made here cannot be told from one made on another Mac, and published figures for your "
        "chip cannot be set beside yours. Measurements are not affected.",
        {"model": facts["model"]},
        Remedy("See what the system tells.", ("sysctl machdep.cpu.brand_string hw.model",)),
    )


RULES: tuple[Rule, ...] = (
    rosetta,
    virtual_machine,
    old_macos,
    low_power,
    heat,
    unknown_chip,
)
