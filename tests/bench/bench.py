"""Prints the speed and memory figures of the command beside their bars: `python tests/bench/bench.py [RUNS]`.

`--smoke` runs cheap commands once: seconds, and figures that only show that there are some.
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
QUICK, STANDARD = ["--json", "--budget", "quick"], ["--json"]


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
    if process.returncode not in (0, 1):  # 1 is a finding, as in any check-up
        sys.exit(f"{' '.join(command)} ended with {process.returncode}")
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
    smoke = "--smoke" in sys.argv
    cheap = ["--only", "chip", "--no-profile"] if smoke else CHEAP
    runs = 1 if smoke else next((int(word) for word in sys.argv[1:]), 5)
    quickly, usually = (["--json", *cheap],) * 2 if smoke else (QUICK, STANDARD)
    os.environ["MPSDOCTOR_PROFILE"] = str(Path(tempfile.mkdtemp()) / "profile.json")
    if not smoke:
        run([*COMMAND, *cheap])  # files into the page cache
    tell("mpsdoctor --version", [run([*INSTALLED, "--version"])[0] for _ in range(4 * runs)], 0.15, "s")
    pairs = [(run([*COMMAND, *cheap]), run([sys.executable, "-m", "torch.utils.collect_env"])) for _ in range(runs)]
    tell("cheap checks", [ours[0] for ours, _ in pairs], 60, "s")
    tell("cheap checks / torch.utils.collect_env", [ours[0] / theirs[0] for ours, theirs in pairs], 1.5, "")
    quick = [run([*COMMAND, *quickly]) for _ in range(runs)]
    tell("--json --budget quick", [seconds for seconds, _ in quick], 10, "s")
    standard = [run([*COMMAND, *usually]) for _ in range(1 if smoke else max(2, runs // 2))]
    tell("--json", [seconds for seconds, _ in standard], 60, "s")
    tell("the doctor's own process, peak", [mb for _, mb in quick + standard], 80, "MB")


if __name__ == "__main__":
    main()
