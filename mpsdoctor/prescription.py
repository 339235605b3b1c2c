"""From a report to the profile that trainers read."""

from __future__ import annotations

from pathlib import Path

import msgspec

import mpsdoctor
from mpsdoctor import verdict
from mpsdoctor.check import Context, Skip, UnusableAnswerError, UnusableRequestError, typed
from mpsdoctor.doubts import STEP
from mpsdoctor.events import Settings
from mpsdoctor.facts import build_facts, read_facts
from mpsdoctor.facts.build import Build
from mpsdoctor.facts.operators import Operators
from mpsdoctor.facts.training import TrainingFacts, no_training
from mpsdoctor.report import ProfileNote, Report
from mpsdoctor.runtime import fingerprint, profile, profile_format
from mpsdoctor.runtime.device import RUN
from mpsdoctor.runtime.shapes import AtBatch, CpuSettings, Fingerprint, Profile, Workloads
from mpsdoctor.sandbox import Sandbox
from mpsdoctor.support import FALLBACK


class NoFingerprintError(RuntimeError):
    """The examined interpreter could not tell which machine it is on."""


def take_fingerprint(python: str, report: Report) -> Fingerprint:
    """What a trainer under this interpreter will find when it compares. NoFingerprintError."""
    version = report.torch.version if report.torch else None
    sandbox = Sandbox(python, neutralise=False)
    answer = sandbox.call(f"{Path(fingerprint.__file__)}:fingerprint", timeout=30.0, torch_version=version)
    sandbox.close()
    if answer.outcome != "ok":
        raise NoFingerprintError(f"{python} could not describe this machine ({answer.outcome}): {answer.detail}")
    try:
        return typed(answer, Fingerprint)
    except UnusableAnswerError as error:
        raise NoFingerprintError(f"{python} could not describe this machine: {error}") from None


def carries_a_profile(report: Report) -> bool:
    """Whether a check-up measured what a profile tells: a partial one must not replace what a whole one found."""
    training_checks = (
        check for check in report.checks if check.id == "training" and check.status in ("pass", "warn", "fail")
    )
    timed = any(row.get("outcome") == "ok" for check in training_checks for row in check.facts.get("results", ()))
    return bool(timed and report.verdict and report.torch and report.torch.version)


def prescribe(report: Report, recorded: Fingerprint, previous: Profile | None = None) -> Profile:
    """The profile of a report with a verdict, keeping the override that the person set in the previous one.

    `recorded` is the fingerprint.
    """
    if report.verdict is None:
        raise ValueError("a report without a verdict recommends nothing")
    facts = read_facts(report)
    training, operators = facts.get("training") or no_training(), facts.get("operators")
    device = report.verdict.device
    return {
        "schema": 1,
        "created": report.generated_at,
        "tool": f"{report.tool.name} {mpsdoctor.__version__}",
        "fingerprint": recorded.copy(),
        "recommended": {
            "device": device,
            "confidence": report.verdict.confidence,
            "reason": "; ".join(report.verdict.reasons),
        },
        "workloads": {**own_steps(previous, recorded), **verdict.workload_table(training, operators, device)},
        "batches": batches_of(training, operators),
        "force_mps": bool(previous and previous.get("force_mps", False)),
        "environment": environment_for(device, operators),
        "settings": cpu_settings(facts.get("build"), training),
        "known_wrong": [],
        "hints": list(training.get("hints", ())),
    }


def without_measurements(report: Report, recorded: Fingerprint) -> Profile:
    """A profile that recommends by the cautious rule alone. ProfileError where no device is usable."""
    build = build_facts({check.id: check.facts for check in report.checks})
    cautious = verdict.judge(build.get("devices") or [], None, None)
    if cautious is None:
        raise profile.ProfileError("no device is usable here")
    return {**prescribe(msgspec.structs.replace(report, verdict=cautious, checks=()), recorded), "hints": [RUN]}


def own_steps(previous: Profile | None, recorded: Fingerprint) -> Workloads:
    """What `bench --store` put into the previous profile, which no check-up measures, as long as it holds."""
    if not previous or profile.changes(previous["fingerprint"], recorded):
        return {}
    return {name: sizes for name, sizes in previous["workloads"].items() if STEP in sizes}


def record(report: Report, settings: Settings) -> tuple[Report, str | None]:
    """Write the profile if the report carries one and the person wants it.

    The report with the place of the profile in it, and in words what went wrong, if anything did.
    """
    written, trouble = False, None
    if settings.write_profile and carries_a_profile(report):
        try:
            path = profile.locate(settings.profile_path)
            profile.write(prescribe(report, take_fingerprint(settings.python, report), read_previous(path)), path)
            written = True
        except (profile_format.ProfileError, NoFingerprintError) as error:
            trouble = str(error)
    return msgspec.structs.replace(report, profile=ProfileNote(place(settings), written)), trouble


def place(settings: Settings) -> str | None:
    """The path of the profile as it may be shown; None where no home folder is known."""
    try:
        return profile.shorten_home(profile.locate(settings.profile_path))
    except profile_format.ProfileError:
        return None


def read_previous(path: Path) -> Profile | None:
    """The profile to be replaced, for the override in it; None if there is none that can be read."""
    try:
        return profile.read(path)
    except (FileNotFoundError, profile_format.ProfileError):
        return None


def batches_of(training: TrainingFacts, operators: Operators | None) -> dict[str, list[AtBatch]]:
    """Speeds by batch size, of devices whose numbers are right; none that were measured in a disturbance."""
    if training.get("doubtful"):
        return {}
    out = verdict.ruled_out(operators, training)
    fit = {
        family: [row.copy() for row in rows if row["device"] not in out]
        for family, rows in training.get("batches", {}).items()
    }
    return {family: rows for family, rows in fit.items() if rows}


def cpu_settings(build: Build | None, training: TrainingFacts) -> CpuSettings:
    """Settings of the CPU: those measured to be clearly better, and torch's own number of threads."""
    number = build.get("num_threads") if build else None
    default: CpuSettings = {"num_threads": number} if number else {}
    return {**default, **training.get("settings", {})}


def environment_for(device: str, operators: Operators | None) -> dict[str, str]:
    """Variables that the recommended device needs: the fallback, where operators were seen to use it."""
    summary = operators["summary"] if operators and "summary" in operators else {}
    return {FALLBACK: "1"} if device == "mps" and summary.get("mps", {}).get("fallback", 0) else {}


def fingerprint_in(context: Context) -> Fingerprint:
    """The fingerprint that a trainer under the examined interpreter will compare with the profile's."""
    version = context.facts["build"].get("torch", {}).get("version")
    call = f"{Path(fingerprint.__file__)}:fingerprint"
    answer = context.worker("cpu").call(call, timeout=30.0, torch_version=version)
    if answer.outcome != "ok":
        raise Skip(answer.reason)
    return typed(answer, Fingerprint)


def read_storable(path: Path, now: Fingerprint) -> Profile | None:
    """The profile that is to take a result; None where there is none yet.

    UnusableRequestError for one that cannot be read, or that was not made here and now.
    """
    try:
        content = profile.read(path)
    except FileNotFoundError:
        return None
    except profile.ProfileError as error:
        raise UnusableRequestError(f"--store: {error}") from None
    changed = profile.changes(content["fingerprint"], now)
    if changed:
        what = "; ".join(changed)
        raise UnusableRequestError(
            f"--store: {profile.shorten_home(path)} is stale ({what}); run 'mpsdoctor' to renew it"
        )
    return content


def store(report: Report, name: str, path: Path, python: str) -> Report:
    """The report, its result written into the profile under that name. ProfileError, NoFingerprintError.

    What else the profile holds by now, another process may have written meanwhile, stays. Where there is no profile,
    one is made that recommends what holds without measurements, for one step says nothing of others.
    """
    table = verdict.workload_table(read_facts(report).get("training") or no_training())
    if name not in table:
        raise profile.ProfileError("nothing was timed that could be stored")
    try:
        content = profile.read(path)
    except FileNotFoundError:
        content = without_measurements(report, take_fingerprint(python, report))
    profile.write({**content, "workloads": {**content["workloads"], name: table[name]}}, path)
    return msgspec.structs.replace(report, profile=ProfileNote(profile.shorten_home(path), True))
