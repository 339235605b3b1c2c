"""What the outcomes of probes mean: rules over tables of facts."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from typing import Any, cast

import pytest

from helpers import rows as rows_of
from mpsdoctor.check import Answer, Finding, Job, UnusableAnswerError
from mpsdoctor.facts import build_facts
from mpsdoctor.facts.build import Build, DeviceFacts
from mpsdoctor.facts.operators import Coverage, ProbeFacts
from mpsdoctor.support.spoken import spoken, with_name
from mpsdoctor.worker.shapes import PlannedProbe, ProbeResult
from mpsdoctor.worker.torch_shapes import TorchBuild
from mpsdoctor_checks.operators import rules
from mpsdoctor_checks.operators.collect import parse_fallbacks, usable_accelerators
from mpsdoctor_checks.operators.deaths import MOST_DEATHS, Deaths
from mpsdoctor_checks.operators.grouping import group_rows
from mpsdoctor_checks.operators.queue import LOST_SECONDS, Queue, row_of
from mpsdoctor_checks.operators.results import DeviceResults, core_failures, facts_of
from mpsdoctor_checks.operators.rules import MOST_FINDINGS, MOST_ROWS


def row(op: str = "aten::sum", outcome: str = "wrong", device: str = "mps", **more: Any) -> ProbeResult:
    return cast(ProbeResult, {**rows_of.probe(op, outcome, device), **more})


def facts(*rows: ProbeResult, **more: Any) -> ProbeFacts:
    devices = {row["device"] for row in rows} | {"cpu"}
    summary = {device: dict(Counter(row["outcome"] for row in rows if row["device"] == device)) for device in devices}
    coverage = {device: covered(made=sum(counts.values())) for device, counts in summary.items()}
    plain = {"results": group_rows(rows), "summary": summary, "coverage": coverage}
    return cast(ProbeFacts, {**facts_of([]), **plain, **more})


def covered(made: int = 100, core: int = 10) -> Coverage:
    """How much was probed of 100 probes, ten of which are core."""
    return {
        "planned": 100,
        "made": made,
        "operators": made,
        "dtypes": {"float32": made},
        "variants": {"contiguous": made},
        "core": {"planned": 10, "made": core},
    }


def torch_of(version: str) -> TorchBuild:
    return {"version": version, "mps_built": True, "mps_available": True, "cuda_available": False, "error": None}


MAC: Build = {**build_facts({}), "machine": {"os": "Darwin"}, "python": {"executable": "/opt/my env/bin/python"}}


def judge(given: ProbeFacts, build: Build = MAC) -> list[Finding]:
    return rules.judge(given, build)


def only(findings: list[Finding]) -> Finding:
    assert len(findings) == 1
    return findings[0]


CODES = [
    ("wrong", "MPS311", "error", "sum of float16 differs from the CPU on mps"),
    ("nan", "MPS312", "error", "sum of float16 gives numbers that are not finite on mps"),
    ("crash", "MPS313", "error", "sum of float16 kills the process on mps"),
    ("timeout", "MPS314", "error", "sum of float16 does not end on mps"),
    ("error", "MPS315", "warning", "sum of float16 raises an error on mps"),
    ("unimplemented", "MPS321", "warning", "sum of float16 is not implemented on mps"),
    ("fallback", "MPS324", "info", "sum of float16 always runs on the CPU, not on mps"),
    ("dtype", "MPS323", "info", "sum of float16 is not supported on mps"),
    ("oom", "MPS331", "warning", "sum of float16 runs out of memory on mps"),
]


@pytest.mark.parametrize(("outcome", "code", "severity", "title"), CODES)
def test_each_outcome_has_its_code(outcome: str, code: str, severity: str, title: str) -> None:
    """A single bad probe is named by operator, dtype and device, with its own words in the detail."""
    finding = only(judge(facts(row(outcome=outcome, dtype="float16"))))
    assert (finding.code, finding.severity, finding.title) == (code, severity, title)
    assert "said so" in finding.detail


@pytest.mark.parametrize("outcome", ["ok", "skipped"])
def test_what_is_right_or_was_not_tried_is_no_finding(outcome: str) -> None:
    """Probes that passed, and probes that there was no time for, say nothing."""
    assert judge(facts(row(outcome=outcome))) == []


def test_many_operators_are_one_finding() -> None:
    """Forty wrong operators make one finding that names the worst and counts all."""
    rows = [row(f"aten::op{number}", max_rel=float(number)) for number in range(60)]
    finding = only(judge(facts(*rows)))
    assert finding.title == "each of 60 operators (op59, op58, op57, …) differs from the CPU on mps"
    assert finding.evidence["operators"] == 60
    assert [probe["op"] for probe in finding.evidence["worst"][:2]] == ["aten::op59", "aten::op58"]
    assert len(finding.evidence["worst"]) == MOST_ROWS
    assert "and 59 more operators for the same reason: op58, " in finding.detail


def test_core_operators_come_first() -> None:
    """An operator without which nothing trains is named before a larger error elsewhere."""
    small, large = row("aten::mm", max_rel=0.1), row("aten::igamma", max_rel=9.0)
    finding = only(judge(facts(large, small, core_failures={"mps": [small]})))
    assert [probe["op"] for probe in finding.evidence["worst"]] == ["aten::mm", "aten::igamma"]


def test_gradients_are_named() -> None:
    """An operator whose gradient alone is wrong is said to be so."""
    rows = [row(direction="backward"), row(direction="backward", dtype="float16")]
    assert only(judge(facts(*rows))).title.startswith("gradient of sum of float32 and float16 differs")


def test_devices_are_told_apart() -> None:
    """The same operator on two devices makes two findings."""
    assert {finding.title.rpartition(" ")[2] for finding in judge(facts(row(), row(device="xpu")))} == {"mps", "xpu"}


def test_at_most_a_dozen_findings_errors_first() -> None:
    """However much is wrong, the list stays short and begins with the errors."""
    rows = [row(outcome=case[0], device=f"dev{number}") for number in range(5) for case in CODES]
    findings = judge(facts(*rows))
    assert len(findings) == MOST_FINDINGS
    assert {finding.severity for finding in findings} == {"error"}


def test_fallback_advice_is_for_mps_alone() -> None:
    """Only MPS has the variable, and what was tried is told apart from what was not."""
    tried = only(judge(facts(row(outcome="unimplemented", fallback=False)))).detail
    untried = only(judge(facts(row(outcome="unimplemented")))).detail
    other = only(judge(facts(row(outcome="unimplemented", device="xpu")))).detail
    assert "PYTORCH_ENABLE_MPS_FALLBACK=1 does not help" in tried
    assert "before torch is imported" in untried
    assert "FALLBACK" not in other


def test_a_fallback_says_when_to_set_the_variable() -> None:
    """The remedy of an operator that the CPU takes over is a command, and the detail says when."""
    finding = only(judge(facts(row(outcome="fallback", fallback=True))))
    assert finding.code == "MPS322"
    assert finding.remedy is not None
    assert finding.remedy.commands == ("export PYTORCH_ENABLE_MPS_FALLBACK=1",)
    assert "set later it does nothing" in finding.detail


@pytest.mark.parametrize("outcome", ["wrong", "nan", "crash", "timeout", "error", "oom"])
def test_a_failed_self_test_has_its_own_code(outcome: str) -> None:
    """What fails on the CPU accuses the torch build or the catalogue, not an accelerator."""
    finding = only(judge(facts(row(outcome=outcome, device="cpu"))))
    assert (finding.code, finding.severity) == ("MPS341", "error")
    assert "catalogue" in finding.detail
    assert "torch build" in finding.detail


@pytest.mark.parametrize("outcome", ["dtype", "unimplemented"])
def test_kernels_the_cpu_never_had_are_no_failure(outcome: str) -> None:
    """An older torch without half kernels on the CPU passes its self-test."""
    assert judge(facts(row(outcome=outcome, device="cpu"))) == []


def test_a_device_that_was_not_probed_is_said_to_be() -> None:
    """No worker for a device is a warning with the reason, and not silence."""
    given = facts(row(outcome="ok"), not_probed={"mps": "torch could not be imported"})
    finding = only(judge(given))
    assert (finding.code, finding.severity) == ("MPS342", "warning")
    assert finding.detail.startswith("torch could not be imported. 1 of 100 probes")


def test_what_training_needs_has_to_be_probed_for_a_pass() -> None:
    """A device whose core operators did not all fit is a warning with the figures; the CPU's share is no matter."""
    given = facts(row(outcome="ok"), coverage={"mps": covered(made=44, core=7), "cpu": covered(made=1, core=1)})
    finding = only(judge(given))
    assert (finding.code, finding.severity) == ("MPS343", "warning")
    assert finding.title == "Only 7 of 10 probes of the operators that training needs fitted on mps"
    assert "44 of 100 probes were made" in finding.detail
    assert finding.remedy is not None
    assert "mpsdoctor ops --op softmax" in finding.remedy.commands


def test_pip_is_called_with_the_examined_interpreter() -> None:
    """Its path is quoted, as homes and volumes have spaces in them."""
    build: Build = {**MAC, "torch": torch_of("2.2.0"), "machine": {"os": "Darwin", "os_version": "14.5"}}
    finding = only(judge(facts(row("aten::cholesky_inverse", "unimplemented")), build))
    assert finding.remedy is not None
    assert finding.remedy.commands[0] == "'/opt/my env/bin/python' -m pip install --upgrade 'torch>=2.11'"
    assert "torch 2.11 has what is missing: upgrade" in finding.remedy.text


@pytest.mark.parametrize(
    ("op", "outcome", "have", "macos", "told"),
    [
        ("aten::cumsum", "wrong", "2.12.0", "26.4", "Whether a newer torch mends it is not known."),
        ("aten::cumsum", "wrong", "2.15.0", "26.4", "No newer torch than 2.15 is known for this system."),
        ("aten::cumsum", "nan", "2.8.0", "13.6", "No newer torch than 2.8 is known for this system."),
        (
            "aten::cholesky_inverse",
            "unimplemented",
            "2.2.0",
            "13.6",
            "torch 2.11 has what is missing, and needs macOS 14.0.",
        ),
        ("aten::linalg_eig", "unimplemented", "2.12.0", "26.4", "No torch up to 2.15 has all that is missing."),
        ("aten::linalg_eigh", "unimplemented", "2.12.0", "26.4", "Whether a newer torch mends it is not known."),
    ],
)
def test_an_upgrade_is_advised_only_where_one_is_known_to_help(
    op: str, outcome: str, have: str, macos: str, told: str
) -> None:
    """Else what is known is said: whether there is a newer one for this macOS, and that nobody recorded its numbers."""
    build: Build = {**MAC, "torch": torch_of(have), "machine": {"os": "Darwin", "os_version": macos}}
    remedy = only(judge(facts(row(op, outcome)), build)).remedy
    assert remedy is not None
    assert told in remedy.text
    assert remedy.commands == ("mpsdoctor ops --model FILE.py:FUNC",)


def test_operators_are_named_by_words_of_a_script() -> None:
    """`_fused_sgd_` is what SGD(fused=True) calls; the operator stands beside it in the detail."""
    finding = only(judge(facts(row("aten::_fused_sgd_"))))
    assert finding.title.startswith("SGD(fused=True) of float32 differs")
    assert "SGD(fused=True) (aten::_fused_sgd_): " in finding.detail
    assert [spoken(op) for op in ("aten::cumsum", "aten::_linalg_svd", "aten::_cdist_forward", "vision::nms")] == [
        "cumsum", "linalg_svd", "cdist", "nms",
    ]  # fmt: skip
    assert with_name("aten::_local_scalar_dense") == "Tensor.item(), aten::_local_scalar_dense"


def test_a_dying_probe_on_a_mac_says_what_macos_shows() -> None:
    """The dialog for a crash frightens who does not know that it was ours; other systems show none."""
    assert "quit unexpectedly" in only(judge(facts(row(outcome="crash")))).detail
    assert "quit unexpectedly" not in only(judge(facts(row(outcome="crash")), build_facts({}))).detail


def test_a_half_type_that_the_cpu_lacks_is_named() -> None:
    """The variable does not help where the CPU has no kernel either, and float32 is another matter."""
    half = row(outcome="unimplemented", dtype="float16", fallback=False)
    finding = only(judge(facts(half)))
    assert "In float16 PYTORCH_ENABLE_MPS_FALLBACK=1 changes nothing: the CPU cannot do it either." in finding.detail
    assert "does not help" not in finding.detail


def tried(device: str, usable: bool = True) -> DeviceFacts:
    return {"device": device, "name": None, "usable": usable, "reason": None}


BUILD: Build = {**build_facts({}), "devices": [tried("cpu"), tried("mps"), tried("cuda", False), tried("sim")]}


@pytest.mark.parametrize(("chosen", "devices"), [(None, ["mps", "sim"]), (("sim",), ["sim"]), (("cpu",), [])])
def test_usable_accelerators(chosen: tuple[str, ...] | None, devices: list[str]) -> None:
    """Unusable devices are left out, so are those nobody asked for, and the CPU is no accelerator."""
    assert usable_accelerators(BUILD, chosen) == devices


PROBE = PlannedProbe("relu", "aten::relu", "float32", "contiguous", "forward")


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [("crash", "crash"), ("timeout", "timeout"), ("error", "error"), ("unavailable", "error")],
)
def test_a_worker_that_is_lost_leaves_a_row(outcome: Any, expected: str) -> None:
    """A probe that took its worker with it is reported with what is known."""
    result = row_of(PROBE, "mps", Answer(Job("m:f"), outcome, detail="SIGABRT\nlast words"))
    assert result["outcome"] == expected
    assert result["detail"] == "SIGABRT\nlast words"
    assert {key: value for key, value in result.items() if key in PROBE._fields} == PROBE._asdict()


def test_an_answer_without_an_outcome_is_refused_by_the_name_of_the_field() -> None:
    """A worker that answers something else than a row is not believed."""
    with pytest.raises(UnusableAnswerError, match="`outcome`"):
        row_of(PROBE, "mps", Answer(Job("m:f"), "ok", {**PROBE._asdict(), "device": "mps", "detail": ""}))


def results(*rows: ProbeResult) -> DeviceResults:
    core = [PlannedProbe("mm", "aten::mm", "float32", "contiguous", direction) for direction in ("forward", "backward")]
    plan = core + [PROBE] * 8
    return DeviceResults("mps", plan=plan, rows=list(rows), seconds=2.0, core=frozenset({"mm"}))


def test_core_failures_are_plain_float32_of_core_operators() -> None:
    """A half dtype, a layout, a rare operator or a mere gap does not rule a device out."""
    bad = row("aten::mm", outcome="nan", direction="backward")
    others = [
        row("aten::mm", dtype="float16"),
        row("aten::mm", variant="strided"),
        row("aten::igamma"),
        row("aten::mm", outcome="unimplemented"),
        row("aten::mm", outcome="ok"),
    ]
    assert [failure["direction"] for failure in core_failures(results(bad, *others))] == ["backward"]


def test_what_was_not_reached_is_counted() -> None:
    """Probes that there was no time for are a count, in the summary and as a fact."""
    given = facts_of([results(row(), row(outcome="ok"))])
    assert given["summary"] == {"mps": {"wrong": 1, "ok": 1, "skipped": 8}}
    assert given["skipped"] == {"mps": 8}
    assert given["probes_per_second"] == {"mps": 1.0}
    covered = given["coverage"]["mps"]
    assert (covered["planned"], covered["made"], covered["operators"]) == (10, 2, 1)
    assert (covered["dtypes"], covered["variants"]) == ({"float32": 2}, {"contiguous": 2})
    assert covered["core"] == {"planned": 2, "made": 0}
    assert covered["not_reached"] == ["aten::mm", "aten::relu"]


def test_rows_that_ended_alike_are_one_with_their_variants() -> None:
    """What is right is a row an operator, dtype and direction; what is not keeps its case and its worst words."""
    right = [row("aten::mm", "ok", variant=variant) for variant in ("contiguous", "strided", "offset")]
    bad = [
        row("aten::mm", variant="expanded", max_rel=0.1),
        row("aten::mm", variant="zero-dim", max_rel=9.0, detail="far"),
    ]
    first, second = group_rows([*right, *bad])
    assert (first["outcome"], first["variants"], "entry" in first) == ("ok", ["contiguous", "strided", "offset"], False)
    assert (second["variants"], second["detail"], second["entry"]) == (["expanded", "zero-dim"], "far", "mm")
    assert "variant" not in first
    twice = group_rows([row("aten::mm", "ok"), row("aten::mm", "ok", entry="mm.large")])
    assert (twice[0]["variants"], twice[0]["probes"]) == (["contiguous"], 2)


def take(jobs: Iterator[Job], count: int) -> list[str]:
    return [job.args["entry"] for job in itertools.islice(jobs, count)]


def test_deadly_operators_wait_until_the_others_are_done() -> None:
    """After a death the other probes of that operator come last, since each may cost an import of torch."""
    operators = {"a1": "aten::a", "b1": "aten::b", "a2": "aten::a_", "b2": "aten::b", "a3": "aten::a"}
    plan = [PlannedProbe(name, op, "float32", "contiguous", "forward") for name, op in operators.items()]
    queue = Queue(plan, "mps", float("inf"))
    jobs = queue.jobs()
    assert take(jobs, 1) == ["a1"]
    assert queue.take(died("crash", 1.0))["outcome"] == "crash"
    assert take(jobs, 9) == ["b1", "b2", "a2", "a3"]


def died(outcome: Any, seconds: float) -> Answer:
    return Answer(Job("m:f"), outcome, detail="SIGABRT", seconds=seconds)


def test_a_death_gives_back_its_time_up_to_a_limit() -> None:
    """A hang does not take the time of the other probes, and a hundred of them do not stretch the budget."""
    queue = Queue([], "mps", 100.0)
    queue.sent.extend([PROBE] * 101)
    queue.take(died("crash", 2.0))
    assert queue.deadline == 105.0
    for _ in range(100):
        queue.take(died("crash", 2.0))
    assert queue.deadline == 100.0 + LOST_SECONDS


def test_after_two_deaths_of_a_kind_an_operator_is_left_alone() -> None:
    """The rest of its probes is told as not tried, its in-place form's too; other operators go on."""
    queue = Queue([PROBE] * 3, "mps", float("inf"))
    jobs = list(queue.jobs())
    assert all(job.wanted is not None and job.wanted() for job in jobs)
    for _ in range(MOST_DEATHS):
        queue.take(died("timeout", 1.0))
    assert not [job for job in jobs if job.wanted is None or job.wanted()]
    left = queue.take(Answer(jobs[-1], "withdrawn"))
    assert (left["outcome"], left["detail"]) == ("skipped", "not tried: 2 calls of aten::relu did not end before")
    assert queue.deaths.too_many_of("aten::relu_")
    assert not queue.deaths.too_many_of("aten::gelu")


def test_a_crash_and_a_time_out_are_of_two_kinds() -> None:
    """One of each may have two causes."""
    deaths = Deaths()
    for outcome in ("crash", "timeout", "ok", "error"):
        deaths.note("aten::relu", outcome)
    assert deaths.any_of("aten::relu")
    assert not deaths.too_many_of("aten::relu")


TABLE = """
------------ CPU Fallback Profiling: Total 416 Runs, 12.30 ms, 1.20 KB Copies ------------
 ID  | #Runs | Mean CPU(ms) | Total CPU(ms) | Copy Overhead | Operation Name
-------------------------------------------------------------------------------
  3     400       0.021            8.400          1.10 KB       aten::linalg_eig
 12      16       0.243            3.900          96 bytes      aten::heaviside.out
"""


def test_the_table_of_the_profiler_is_read() -> None:
    """As MPSProfiler prints it when a program ends, among other words."""
    printed = f"UserWarning: The operator 'aten::x' falls back\n{TABLE}\nbye\n"
    assert parse_fallbacks(printed) == {"aten::linalg_eig": 400, "aten::heaviside.out": 16}
    assert parse_fallbacks("There are no CPU Fallbacks logged for profiling\n") == {}


def test_no_job_is_made_when_the_time_is_over() -> None:
    """The budget ends the stream of jobs, those put off too."""
    assert take(Queue([PROBE], "mps", 0.0).jobs(), 9) == []
