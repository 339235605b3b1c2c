"""The check of known issues with real workers on a simulated accelerator whose kernels have the faults recorded."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.planted_issues import FAULTS, READY
from mac import stand_in
from mpsdoctor.check import Context, Workers
from mpsdoctor.facts.issues import IssueRow
from mpsdoctor.issues import Surroundings, read_issues
from mpsdoctor_checks.known_issues import attempts
from mpsdoctor_checks.known_issues.plan import candidates
from simulator import simulator

NOWHERE = Surroundings(None, None)
# One of each kind, and what runs beside it.
PLANTED = (
    "gelu-noncontiguous-input",
    "layer-norm-row-slice",
    "argmax-ignores-nan",
    "abs-int-above-2-24",
    "non-blocking-upload-freed-source",
    "sdpa-causal-half-leaks-future",
    "embedding-padding-idx-gradient",
    "quantile-dim-unsorted",
)
UNSTEADY, LEAK = "linear-three-d-half-m5", "leak-sdpa-varying-length"
BESIDE = ("all-of-empty", "clamp-inplace-strided-view", "irfft-odd-length", "max-ignores-nan", "unique-of-3d-tensor")


@pytest.fixture
def workers() -> Iterator[Workers]:
    opened = Workers(sys.executable)
    yield opened
    opened.close()


def run(
    workers: Workers,
    patch: pytest.MonkeyPatch,
    issues: tuple[str, ...],
    faults: str,
    seconds: float = 60.0,
    **more: Any,
) -> dict[str, IssueRow]:
    """The rows of these canaries on the simulator, by id."""
    for name, value in simulator.environment(faults=faults, **more).items():
        patch.setenv(name, value)
    context = Context("standard", seconds, None, {}, workers, lambda message: None)
    planned = [each for each in candidates(read_issues(), "sim", NOWHERE) if each.issue["id"] in issues]
    return {row["id"]: row for row in attempts.examine(context, "sim", planned, seconds, False)}


def test_faults_are_found_by_what_they_are(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    """Strides, offsets, NaN, large integers, asynchronous copies, masks, arguments: each is found, and nothing else.

    What differs from run to run says so, and memory that is kept for each new shape is a leak.
    """
    others = (UNSTEADY, LEAK)
    faults = ",".join((READY, *(FAULTS[issue] for issue in (*PLANTED, *others))))
    rows = run(workers, monkeypatch, (*PLANTED, *others, *BESIDE), faults)
    assert {issue for issue, row in rows.items() if row["outcome"] == "wrong"} == {*PLANTED, UNSTEADY}
    assert {rows[issue]["outcome"] for issue in BESIDE} == {"fine"}
    assert "reference" in rows["gelu-noncontiguous-input"]["detail"]
    assert "it differs from run to run" in rows[UNSTEADY]["detail"]
    assert rows[LEAK]["outcome"] == "leak"
    assert "the memory held grew by" in rows[LEAK]["detail"]


def test_one_that_kills_its_worker_costs_itself_and_one_start(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are tried all the same, although the time was over with the start of the next worker."""
    died = "cumsum-leading-axis-rank-5-abort"
    rows = run(workers, monkeypatch, (died, "any-above-rank-4-abort", *BESIDE), FAULTS[died], seconds=1.0)
    assert rows[died]["outcome"] == "crash"
    assert rows[died]["detail"].startswith("SIGABRT")
    assert {row["outcome"] for issue, row in rows.items() if issue != died} == {"fine"}


def test_one_without_an_end_is_ended(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    """A canary that hangs is told as such after its time, and those behind it are tried."""
    monkeypatch.setitem(attempts.HANGS, "standard", 1.0)
    rows = run(workers, monkeypatch, ("max-ignores-nan", "sort-transposed-input"), "aten::max=hang", seconds=1.5)
    assert {issue: row["outcome"] for issue, row in rows.items()} == {
        "max-ignores-nan": "hang",
        "sort-transposed-input": "fine",
    }


def test_rows_for_the_record_name_nobody(tmp_path: Path) -> None:
    """`known-issues --export`: a JSON line a canary, with five fields, of what was run on MPS."""
    env = stand_in.environment("m3-max", tmp_path, torch="2.12.0", faults="aten::sort=ignores-strides")
    command = [
        sys.executable,
        "-m",
        "mpsdoctor",
        "known-issues",
        "--export",
        "--budget",
        "quick",
        "--device",
        "mps",
        "-q",
    ]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert {tuple(row) for row in rows} == {("id", "torch", "macos", "chip", "outcome")}
    assert {(row["torch"], row["macos"], row["chip"]) for row in rows} == {("2.12.0", "26.4", "Apple M3 Max")}
    outcomes = {row["id"]: row["outcome"] for row in rows}
    assert outcomes["sort-transposed-input"] == "wrong"
    assert "skipped" not in outcomes.values()
