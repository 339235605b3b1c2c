"""What a training script pays for mpsdoctor: the import, the first answer, the later ones.

Run it by hand: python tests/bench/bench_trainer.py. `--smoke` takes seconds, and its few runs miss no bar.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SMOKE = "--smoke" in sys.argv
PAIRS, STARTS = (2, 2) if SMOKE else (25, 7)
ASKED: tuple[dict[str, object], ...] = ({}, {"workload": "cnn", "batch_size": 50})
ROOT = Path(__file__).resolve().parents[2]
WRITE = """
import json, sys, warnings; warnings.simplefilter("ignore")
import torch; from mpsdoctor.runtime import profile
sizes = {size: {"device": "cpu", "speedup": 1.0, "ci95": [0.9, 1.1]} for size in ("small", "medium", "large")}
swept = [{"batch": 2**n, "device": "mps", "speedup": 2**n / 64, "ci95": [2**n / 65, 2**n / 63]} for n in range(12)]
families = ("mlp", "cnn", "lstm", "transformer")
profile.write({"schema": 1, "fingerprint": profile.fingerprint(str(torch.__version__)),
    "recommended": {"device": "cpu", "confidence": "high", "reason": "no accelerator"},
    "workloads": dict.fromkeys(families, sizes), "batches": dict.fromkeys(families, swept),
    "hints": ["a hint"] * 5}, sys.argv[1])
"""
ASK = """
import json, sys, time, warnings; warnings.simplefilter("ignore")
import torch
from mpsdoctor import get_optimal_device
asked = json.loads(sys.argv[1])
def timed():
    begin = time.perf_counter(); info = get_optimal_device(**asked)[1]; spent = time.perf_counter() - begin
    assert info.source == "profile", info
    return spent
print(json.dumps([timed() for _ in range(301)]))
"""


def start_ms(code: str, env: dict[str, str]) -> float:
    """Wall time of a fresh interpreter running `code`, in ms."""
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], env=env, check=True)
    return (time.perf_counter() - begin) * 1e3


def import_cost_ms(env: dict[str, str]) -> list[float]:
    """What `import mpsdoctor` adds to a bare interpreter, in ms, of processes in turn; the first pair warms up."""
    pairs = [(start_ms("pass", env), start_ms("import mpsdoctor", env)) for _ in range(PAIRS + 1)]
    return [loaded - bare for bare, loaded in pairs[1:]]


def answers_ms(env: dict[str, str], asked: dict[str, object]) -> tuple[list[float], list[float]]:
    """The first call's time in each of several processes, and all later ones', in ms."""
    first, later = [], []
    for _ in range(STARTS):
        command = [sys.executable, "-c", ASK, json.dumps(asked)]
        done = subprocess.run(command, env=env, check=True, capture_output=True, text=True)
        times = [seconds * 1e3 for seconds in json.loads(done.stdout)]
        first.append(times[0])
        later += times[1:]
    return first, later


def show(what: str, times: list[float], bar: float) -> bool:
    """Print a line with median, spread and bar, all in ms; whether the median is within the bar."""
    tenths = statistics.quantiles(times, n=10)
    median = statistics.median(times)
    word = "ok" if median <= bar else "ABOVE"
    spread = f"10-90 %: {tenths[0]:.3f} to {tenths[-1]:.3f}, worst {max(times):.3f}, n={len(times)}"
    print(f"{what:<66} {median:8.3f} ms   bar {bar:g} ms  {word}   ({spread})")
    return median <= bar


def main() -> int:
    """Measure and print; 1 if a median is above its bar."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "profile.json"
        env = {**os.environ, "PYTHONPATH": str(ROOT), "MPSDOCTOR_PROFILE": str(path)}
        for name in ("MPSDOCTOR_DEVICE", "MPSDOCTOR_FORCE_MPS", "LOCAL_RANK", "PYTHONDONTWRITEBYTECODE"):
            env.pop(name, None)
        cached = {**env, "PYTHONPYCACHEPREFIX": folder}
        subprocess.run([sys.executable, "-c", WRITE, str(path)], env=env, check=True, stderr=subprocess.DEVNULL)
        os.utime(path, (1, 1))
        uncached = {**env, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPYCACHEPREFIX": f"{folder}/none"}
        fine = [show("import mpsdoctor, over a bare interpreter", import_cost_ms(cached), 15)]
        show("the same without byte code files, for both", import_cost_ms(uncached), 15)
        for asked in ASKED[-1:] if SMOKE else ASKED:
            call = f"get_optimal_device({', '.join(f'{name}={value!r}' for name, value in asked.items())})"
            first, later = answers_ms(env, asked)
            fine += [show(f"first {call}, after torch", first, 3), show(f"later {call}", later, 0.1)]
    return 0 if all(fine) or SMOKE else 1


if __name__ == "__main__":
    sys.exit(main())
