"""The chip and the system under it: what they allow, without asking torch."""

from __future__ import annotations

from collections.abc import Iterator

from mpsdoctor import machine, support, versions
from mpsdoctor.check import Context, Finding, Rule, Sandbox, Severity, finding, judged, neutralised, typed
from mpsdoctor.facts.build import PythonFacts
from mpsdoctor.machine import MachineFacts
from mpsdoctor.texts import Part, check_title
from mpsdoctor.worker.torch_shapes import Interpreter
from mpsdoctor_checks import installing

id = "chip"
title = check_title("chip")
needs: tuple[str, ...] = ()
seconds = {"quick": 1.0, "standard": 1.0, "thorough": 3.0}

IGNORE = Part("ignore_on_cpu")


def run(context: Context) -> Iterator[Finding | MachineFacts]:
    """Facts: those of `mpsdoctor.machine.facts`."""
    facts = machine.facts(patient=context.budget == "thorough")
    yield from judged(facts, RULES)
    if is_intel_mac(facts):
        yield intel_mac(facts, describe_python(context))


def describe_python(context: Context) -> PythonFacts:
    """What installing into it depends on: its path, and whether it has pip and takes packages."""
    sandbox = Sandbox(context.workers.python, watch=context.workers.watch)
    answer = sandbox.call("mpsdoctor_worker.torch_facts:python", timeout=30.0)
    sandbox.close()
    if answer.outcome != "ok":
        return {"executable": neutralised(context.workers.python)}
    return {**typed(answer, Interpreter)}


def rosetta(facts: MachineFacts) -> Iterator[Finding]:
    """MPS101: an Intel Python on an Apple chip."""
    if facts["translated"]:
        evidence = {"arch": facts["arch"], "chip": facts["chip"]}
        chip = facts["chip"] or Part("unnamed_chip")
        arm64 = Part("arm64_python")
        yield finding(
            "MPS101", "error", evidence, commands=installing.ARM64_PYTHON, chip=chip, arch=facts["arch"], arm64=arm64
        )


def virtual_machine(facts: MachineFacts) -> Iterator[Finding]:
    """MPS102: macOS under a hypervisor."""
    if facts["os"] == "Darwin" and facts["virtual_machine"]:
        yield finding("MPS102", "warning", {"model": facts["model"], "chip": facts["chip"]}, ignore=IGNORE)


def is_intel_mac(facts: MachineFacts) -> bool:
    return facts["os"] == "Darwin" and facts["arch"] == "x86_64" and facts["translated"] is False


def intel_mac(facts: MachineFacts, python: PythonFacts) -> Finding:
    """MPS103: a Mac without an Apple chip. `python` is the interpreter that torch is installed into."""
    note, commands = installing.torch(python, "'torch==2.2.*'")
    return finding("MPS103", "warning", {"chip": facts["chip"], "model": facts["model"]}, commands=commands, note=note)


def old_macos(facts: MachineFacts) -> Iterator[Finding]:
    """MPS104: macOS sets the newest torch whose MPS can be used."""
    version = facts["os_version"]
    apple = facts["arch"] == "arm64" or facts["translated"]
    newest = support.newest_torch(version)
    if facts["os"] == "Darwin" and apple and newest is not None:
        yield finding(
            "MPS104",
            "info" if versions.numbers(version) >= (14,) else "warning",
            {"os_version": version, "newest_torch": newest or None},
            os_version=version,
            limit=Part("up_to" if newest else "none"),
            newest_torch=newest or None,
            ignore=IGNORE,
        )


def low_power(facts: MachineFacts) -> Iterator[Finding]:
    """MPS105: low power mode."""
    if facts["low_power"]:
        yield finding("MPS105", "warning", {"low_power": True})


def heat(facts: MachineFacts) -> Iterator[Finding]:
    """MPS106: the system holds the clocks down because of heat."""
    state = facts["thermal_state"]
    if state not in (None, "nominal"):
        severity: Severity = "info" if state == "fair" else "warning"
        yield finding("MPS106", severity, {"thermal_state": state}, thermal_state=state)


def unknown_chip(facts: MachineFacts) -> Iterator[Finding]:
    """MPS107: a Mac whose chip cannot be read."""
    if facts["os"] == "Darwin" and facts["chip"] is None:
        yield finding("MPS107", "info", {"model": facts["model"]})


RULES: tuple[Rule[MachineFacts], ...] = (
    rosetta,
    virtual_machine,
    old_macos,
    low_power,
    heat,
    unknown_chip,
)
