"""From a report to the profile that trainers read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mpsdoctor
from mpsdoctor import fingerprint, verdict
from mpsdoctor.report import Report
from mpsdoctor.sandbox import Sandbox

FALLBACK = "PYTORCH_ENABLE_MPS_FALLBACK"


class NoFingerprintError(RuntimeError):
    """The examined interpreter could not tell which machine it is on."""


def take_fingerprint(python: str, torch_version: str) -> dict[str, Any]:
    """What a trainer under this interpreter will find when it compares. NoFingerprintError."""
    sandbox = Sandbox(python, neutralise=False)
    answer = sandbox.call(f"{Path(fingerprint.__file__)}:fingerprint", timeout=30.0, torch_version=torch_version)
    sandbox.close()
    if answer.outcome != "ok":
        raise NoFingerprintError(f"{python} could not describe this machine ({answer.outcome}): {answer.detail}")
    value: dict[str, Any] = answer.value
    return value


def prescribe(report: Report, recorded: Mapping[str, Any], previous: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The profile of a report with a verdict, keeping the override that the person set in the previous one.

    `recorded` is the fingerprint.
    """
    if report.verdict is None:
        raise ValueError("a report without a verdict recommends nothing")
    facts = {check.id: check.facts for check in report.checks}
    training = facts.get("training", {})
    device = report.verdict.device
    return {
        "schema": 1,
        "created": report.generated_at,
        "tool": f"{report.tool.name} {mpsdoctor.__version__}",
        "fingerprint": dict(recorded),
        "recommended": {
            "device": device,
            "confidence": report.verdict.confidence,
            "reason": "; ".join(report.verdict.reasons),
        },
        "workloads": verdict.workload_table(training),
        "force_mps": bool((previous or {}).get("force_mps", False)),
        "environment": _environment(device, facts.get("operators", {})),
        "settings": {key: facts["build"][key] for key in ("num_threads",) if key in facts.get("build", {})},
        "hints": list(training.get("hints", ())),
    }


def _environment(device: str, operators: Mapping[str, Any]) -> dict[str, str]:
    """Variables that the recommended device needs: the fallback, where operators were seen to use it."""
    fell_back = operators.get("summary", {}).get("mps", {}).get("fallback", 0)
    return {FALLBACK: "1"} if device == "mps" and fell_back else {}
