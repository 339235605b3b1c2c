"""Whole check-ups on a Mac whose Metal compiles slowly: how long they take, what is timed, what the verdict says.

`python tests/bench/bench_mac.py` takes six minutes. The Mac is the stand-in of tests/mac with torch 2.12; each new
operator, dtype and size costs so many milliseconds. With 100 of them the quick budget ends within 60 s and never calls
MPS out, and the standard one times all four families at their small size at least.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from mac import stand_in

CASES = (("quick", 0), ("quick", 10), ("quick", 100), ("standard", 10), ("standard", 100))
SMOKE = (("quick", 3),)


def check_up(budget: str, compile_ms: float) -> tuple[float, dict[str, Any]]:
    """Seconds of the whole command, and its report."""
    with tempfile.TemporaryDirectory() as folder:
        env = stand_in.environment("m3-max", Path(folder), torch="2.12.0", compile_ms=compile_ms, first_ms=1500)
        began = time.perf_counter()
        command = [sys.executable, "-m", "mpsdoctor", "--json", "--budget", budget, "--no-profile", "-q"]
        done = subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True, check=False)
        return time.perf_counter() - began, json.loads(done.stdout)


def line(budget: str, compile_ms: float) -> str:
    """A row of the table."""
    seconds, report = check_up(budget, compile_ms)
    facts = {check["id"]: check["facts"] for check in report["checks"]}
    rows = [row for row in facts["training"]["results"] if row["device"] == "mps"]
    timed = {size: sum(row["size"] == size and row["outcome"] == "ok" for row in rows) for size in ("small", "medium")}
    out = sorted({row["outcome"] for row in rows} - {"ok", "skipped"})
    covered = facts["operators"]["coverage"]["mps"]
    layouts = sum(count for name, count in covered["variants"].items() if name != "contiguous")
    verdict = f"{report['verdict']['device']} {report['verdict']['confidence']}"
    cells = [
        budget,
        f"{compile_ms:g}",
        f"{seconds:.1f}",
        verdict,
        timed["small"],
        timed["medium"],
        ", ".join(out) or "none",
    ]
    return "| " + " | ".join(map(str, [*cells, covered["made"], layouts])) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="one check-up, to see that it runs")
    print("| budget | ms a graph | s | verdict | small | medium | failed on mps | probes on mps | other layouts |")
    print("|---|---|---|---|---|---|---|---|---|")
    for case in SMOKE if parser.parse_args().smoke else CASES:
        print(line(*case), flush=True)


if __name__ == "__main__":
    main()
