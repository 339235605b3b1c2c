"""Prints the speed and memory figures of the command beside their bars: `python tests/bench/bench.py [RUNS]`.

Ratios are taken within one run, A B A B, because machines differ and drift. Figures of what trainers import:
bench_trainer.py.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COMMAND = [sys.executable, "-m", "mpsdoctor"]
INSTALLED = [str(Path(sys.executable).with_name("mpsdoctor"))]
CHEAP = ["--only", "chip,build,environment,memory", "--no-profile"]


def run(command: list[str]) -> tuple[float, float]:
    """Seconds of wall clock, and the peak resident memory of that process alone in MB (0 where /proc is missing)."""
    peak = 0
    begun = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        status = Path(f"/proc/{process.pid}/status")
        while process.poll() is None:
            peak = max(peak, high_water_mark(status))
            time.sleep(0.005)
        seconds = time.perf_counter() - begun
    return seconds, peak / 1e3


def high_water_mark(status: Path) -> int:
    """VmHWM in kB; 0 when the process is gone or the system has no /proc."""
    try:
        lines = status.read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)


def tell(what: str, values: list[float], bar: float, unit: str) -> None:
    middle = statistics.median(values)
    print(
        f"{what:46} {middle:8.3f} {unit:3} ({min(values):.3f} to {max(values):.3f}, {len(values)} runs)"
        f"   bar {bar:g} {unit}  {'holds' if middle <= bar else 'MISSED'}",
        flush=True,
    )


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    os.environ["MPSDOCTOR_PROFILE"] = str(Path(tempfile.mkdtemp()) / "profile.json")
    run([*COMMAND, *CHEAP])  # files into the page cache
    tell("mpsdoctor --version", [run([*INSTALLED, "--version"])[0] for _ in range(4 * runs)], 0.15, "s")
    pairs = [(run([*COMMAND, *CHEAP]), run([sys.executable, "-m", "torch.utils.collect_env"])) for _ in range(runs)]
    tell("cheap checks", [ours[0] for ours, _ in pairs], 60, "s")
    tell("cheap checks / torch.utils.collect_env", [ours[0] / theirs[0] for ours, theirs in pairs], 1.5, "")
    quick = [run([*COMMAND, "--json", "--budget", "quick"]) for _ in range(runs)]
    tell("--json --budget quick", [seconds for seconds, _ in quick], 10, "s")
    standard = [run([*COMMAND, "--json"]) for _ in range(max(2, runs // 2))]
    tell("--json", [seconds for seconds, _ in standard], 60, "s")
    tell("the doctor's own process, peak", [mb for _, mb in quick + standard], 80, "MB")


if __name__ == "__main__":
    main()
