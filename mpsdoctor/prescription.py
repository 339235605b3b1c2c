"""From a report to the profile that trainers read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict, Unpack

import msgspec

import mpsdoctor
from mpsdoctor import verdict, winners
from mpsdoctor.check import Context, Skip, UnusableAnswerError, UnusableRequestError, typed
from mpsdoctor.events import Settings
from mpsdoctor.facts import build_facts, read_facts
from mpsdoctor.facts.batches import DeviceBatches
from mpsdoctor.facts.build import Build
from mpsdoctor.facts.operators import Operators
from mpsdoctor.facts.training import STEP, TimedFacts, TrainingFacts, no_training
from mpsdoctor.faulty import operators_of, rules_out
from mpsdoctor.report import Forced, ProfileNote, Report
from mpsdoctor.runtime import fingerprint, measured, profile, profile_format
from mpsdoctor.runtime.device import RUN
from mpsdoctor.runtime.shapes import (
    AtBatch,
    BatchSizes,
    CpuSettings,
    Fingerprint,
    KnownWrong,
    Measured,
    Profile,
    Speed,
    Workloads,
)
from mpsdoctor.sandbox import Sandbox
from mpsdoctor.support import FALLBACK

FAILED = ("wrong", "nan", "crash", "timeout")  # outcomes of probes that a trainer is warned of
MOST_WRONG = 400  # rows; the catalogue has fewer operators


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
    training, operators = facts.get("training") or no_training(), operators_of(facts)
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
        "workloads": {**own_steps(previous, recorded), **winners.workload_table(training, operators, device)},
        "batches": batches_of(training, operators),
        "batch_sizes": previous["batch_sizes"] if previous and own_steps_hold(previous, recorded) else {},
        "speeds": speeds_of(training),
        **kept_override(previous, recorded),
        "environment": environment_for(device, operators),
        "settings": cpu_settings(facts.get("build"), training),
        "known_wrong": known_wrong(training, operators),
        "hints": list(training.get("hints", ())),
        "fleet": previous["fleet"] if previous else None,
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
    if not previous or not own_steps_hold(previous, recorded):
        return {}
    return {name: sizes for name, sizes in previous["workloads"].items() if STEP in sizes}


def own_steps_hold(previous: Profile, recorded: Fingerprint) -> bool:
    return not profile.changes(previous["fingerprint"], recorded)


class Override(TypedDict):
    """Whether MPS is forced, and for which torch; None: for every one."""

    force_mps: bool
    force_mps_torch: str | None


def kept_override(previous: Profile | None, recorded: Fingerprint) -> Override:
    """The override in the previous profile; one that held until torch changed is dropped when it has."""
    if previous is None or not measured.force_holds(previous, recorded.get("torch")):
        return {"force_mps": False, "force_mps_torch": None}
    return {"force_mps": True, "force_mps_torch": previous.get("force_mps_torch")}


def speeds_of(training: TimedFacts) -> dict[str, Speed]:
    """How fast each accelerator trains, those whose numbers are wrong too: a person may force one."""
    devices = dict.fromkeys(row["device"] for row in training.get("comparisons", ()))
    table = winners.workload_table({**training, "results": []})  # without results nothing is ruled out
    scores = [score for device in devices if (score := winners.score_of(device, training, table)) and score.rows]
    return {score.device: {"speedup": score.speedup, "ci95": list(score.ci95)} for score in scores}


def known_wrong(training: TimedFacts | None, operators: Operators | None) -> list[KnownWrong]:
    """Trainings, known issues and operators found wrong on accelerators, first those that training needs."""
    trained = [
        _row(f"{row['workload']} training", row["device"], row["outcome"])
        for row in winners.results_of(training)
        if row["outcome"] in winners.DISQUALIFYING and row["device"] != "cpu"
    ]
    probes = operators.get("results", ()) if operators else ()
    failed = [row for row in probes if row["outcome"] in FAILED and row["device"] != "cpu"]
    core = _core_operators(operators)
    failed.sort(key=lambda row: (row["dtype"] != "float32", (row["op"], row["device"]) not in core))
    issues = operators["issues"] if operators and "issues" in operators else []
    present = [
        _row(row["id"], row["device"], row["outcome"]) for row in sorted(issues, key=lambda row: not rules_out(row))
    ]
    first: dict[tuple[str, str], KnownWrong] = {}
    for row in (*trained, *present, *(_row(row["op"], row["device"], row["outcome"], row["dtype"]) for row in failed)):
        first.setdefault((row["id"], row["device"]), row)
    return list(first.values())[:MOST_WRONG]


def _core_operators(operators: Operators | None) -> set[tuple[str, str]]:
    failures = operators["core_failures"] if operators and "core_failures" in operators else {}
    return {(row["op"], device) for device, rows in failures.items() for row in rows}


def _row(name: str, device: str, outcome: str, dtype: str = "float32") -> KnownWrong:
    what = outcome if dtype == "float32" else f"{outcome} in {dtype}"
    return {"id": profile_format.printable(name, 100), "device": device, "what": profile_format.printable(what, 60)}


def forced(report: Report | None, content: Profile | None) -> Forced | None:
    """What the profile forces on trainers with the report's torch, if anything."""
    torch = report.torch.version if report and report.torch else None
    if content is None or not measured.force_holds(content, torch):
        return None
    return measured_of_mps(report, content, content["force_mps_torch"])


def measured_of_mps(report: Report | None, content: Profile, until_torch: str | None) -> Forced:
    """The recommended device, the speed of mps and what was found wrong there, by the report or else by the profile."""
    device, speeds, wrong = content["recommended"]["device"], content["speeds"], content["known_wrong"]
    if report and report.verdict and carries_a_profile(report):
        facts = read_facts(report)
        training = facts.get("training") or no_training()
        device, speeds = report.verdict.device, speeds_of(training)
        wrong = known_wrong(training, operators_of(facts))
    speed = speeds.get("mps")
    names = tuple(measured.name_wrong(row) for row in wrong if row["device"].partition(":")[0] == "mps")
    if speed is None:
        return Forced(until_torch, device, wrong=names)
    low, high = speed["ci95"]
    return Forced(until_torch, device, speed["speedup"], (low, high), names)


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
    note = ProfileNote(place(settings), written, forced(report, read_at(settings)))
    return msgspec.structs.replace(report, profile=note), trouble


def read_at(settings: Settings) -> Profile | None:
    """The profile that trainers read; None if there is none that can be read."""
    try:
        return read_previous(profile.locate(settings.profile_path))
    except profile_format.ProfileError:  # no home folder is known
        return None


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
    out = winners.ruled_out(operators, training)
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


class OfScript(TypedDict, total=False):
    """Whether all devices train a raced script alike; None where that is not known."""

    alike: bool | None


def store(report: Report, name: str, path: Path, python: str, **more: Unpack[OfScript]) -> Report:
    """The report, its result written into the profile under that name. ProfileError, NoFingerprintError.

    What else the profile holds by now, another process may have written meanwhile, stays. Where there is no profile,
    one is made that recommends what holds without measurements, for one step says nothing of others. `more` is
    known of a script that was raced.
    """
    table = winners.workload_table(read_facts(report).get("training") or no_training())
    if name not in table:
        raise profile.ProfileError("nothing was timed that could be stored")
    entries: dict[str, Measured] = {size: {**entry, **more} for size, entry in table[name].items()}
    content = read_or_make(report, path, python)
    profile.write({**content, "workloads": {**content["workloads"], name: entries}}, path)
    return msgspec.structs.replace(report, profile=ProfileNote(profile.shorten_home(path), True))


def store_batches(report: Report, name: str, path: Path, python: str) -> Report:
    """The same for the batch sizes that `bench --find-batch` found. ProfileError, NoFingerprintError."""
    rows: Sequence[DeviceBatches] = report.checks[-1].facts.get("batch_search", ())
    table = {row["device"]: sizes for row in rows if (sizes := batch_sizes(row))}
    if not table:
        raise profile.ProfileError("no batch size fits, so there is nothing to store")
    content = read_or_make(report, path, python)
    profile.write({**content, "batch_sizes": {**content["batch_sizes"], name: table}}, path)
    return msgspec.structs.replace(report, profile=ProfileNote(profile.shorten_home(path), True))


def batch_sizes(row: DeviceBatches) -> BatchSizes | None:
    """What the profile keeps of a device; None where nothing fits there."""
    largest, fastest, rate = row["largest"], row["fastest"], row["samples_per_s"]
    if not (largest and fastest and rate):
        return None
    return {"largest": largest, "settled": row["settled"], "fastest": fastest, "samples_per_s": rate}


def read_or_make(report: Report, path: Path, python: str) -> Profile:
    """The profile at `path`; where there is none, one that recommends what holds without measurements."""
    try:
        return profile.read(path)
    except FileNotFoundError:
        return without_measurements(report, take_fingerprint(python, report))
