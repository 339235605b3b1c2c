"""Each benchmark of tests/bench, at its smallest: it runs to its end and prints all its figures."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[1] / "bench"
# How lines begin that each prints; those of a table hold a figure of their own.
LINES = {
    "bench.py": ("mpsdoctor --version", "cheap checks / torch", "--json --budget quick", "the doctor's own process"),
    "bench_agreement.py": (
        "| 2.8 | linear | runs | runs |",
        "3 agree, 0 that the stand-in has no check for, 0 disagree",
    ),
    "bench_explain.py": ("right first", "calibration error", "signs of one window", "a traceback", "a log of"),
    "bench_compare.py": ("| quiet | quick | 3 |", "| usual | thorough | 3 to 40 |", "| busy | thorough | 3 to 40 |"),
    "bench_fleet.py": (
        "schedules of faults    4 over 8 processes",
        "healthy reports lost   0",
        "processes left         0",
        "|   2 |",
        "|   4 |",
    ),
    "bench_hostile.py": (
        "messages of a check                 300 thrown,    0 troubles",
        "interpreters                        300 thrown,    0 troubles",
        "changed reports, seven formats      300 thrown,    0 troubles",
        "changed reports, six tabs           300 thrown,    0 troubles",
        "signals                             300 thrown,    0 troubles",
    ),
    "bench_html.py": ("right  ", "some  ", "all  ", "distinct  "),
    "bench_issues.py": (
        "on the CPU      60 runs",
        "planted faults  4 of 4 found",
        "standard        ",
        "known_issues()  ",
    ),
    "bench_mac.py": ("| quick | 3 |",),
    "bench_operators.py": ("probes a second", "isolation", "after later ones", "forward  wrong           1 of 1 named"),
    "bench_ops.py": ("2 OpInfos", "mpsdoctor", "pytest", "ratio", "largest worker"),
    "bench_own_models.py": ("kind ", "cpu-and-device-mixed", "cpu-side-tensors"),
    "bench_prediction.py": ("history read", "torch 2.8", "torch 2.9", "torch 2.13", "torch 2.15"),
    "bench_recipes.py": ("1 of 1 train on the profile's device", "| plain | 2 |"),
    "bench_race.py": ("hooks in a step:", "mpsdoctor run adds", "| loop | 4 |"),
    "bench_screen.py": ("first paint / an empty application", "key among 5,000 rows", "frame while 5,000 rows"),
    "bench_trainer.py": ("import mpsdoctor", "the same without byte code", "first get_optimal", "later get_optimal"),
    "bench_watch.py": ("the hooks in a step:", "a step of "),
    "bench_training.py": (
        "timer: 1 results",
        "| cpu  | mlp small |",
        "ratios: 1 results",
        "| 2 | 0.5 | 1 |",
        "same: 1 results",
        "| mlp small | 0.5 | 1 |",
        "verdicts: 1 results",
        "| quick | none | cpu",
    ),
}
Runs = Mapping[str, "Future[subprocess.CompletedProcess[str]]"]


def smoke(name: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(BENCH / name), "--smoke"]
    return subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)


@pytest.fixture(scope="module")
def runs() -> Iterator[Runs]:
    """All of them, two at a time and the longest first; what they measure here is not looked at."""
    with ThreadPoolExecutor(2) as pool:
        longest = ("bench_operators.py", "bench_training.py", "bench_ops.py")
        yield {name: pool.submit(smoke, name) for name in dict.fromkeys((*longest, *LINES))}


def test_no_benchmark_is_left_out() -> None:
    """A new file in tests/bench is named here with what it prints."""
    assert {path.name for path in BENCH.glob("bench*.py")} == set(LINES)


@pytest.mark.parametrize("name", LINES)
def test_a_benchmark_prints_its_figures(name: str, runs: Runs) -> None:
    """`--smoke` ends with status 0, and each line that the whole benchmark prints is there."""
    done = runs[name].result()
    assert done.returncode == 0, done.stdout + done.stderr
    printed = done.stdout.splitlines()
    assert [start for start in LINES[name] if not any(line.startswith(start) for line in printed)] == []
