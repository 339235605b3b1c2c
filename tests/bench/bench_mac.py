"""Check-ups on a Mac whose Metal compiles slowly: how long they take, what they time, and which faults they find.

`python tests/bench/bench_mac.py [check-ups] [layouts]`, both without words, takes eight minutes. The Mac is the
stand-in of tests/mac; each new operator, dtype and size costs so many milliseconds.

check-ups  with 100 ms the quick budget ends within 60 s and never calls MPS out; the standard one times all four
           families at their small size at least
layouts    the standard budget finds kernels that ignore strides or offsets, planted in thirty common operators: 20 or
           more with 10 ms, all with none; and probes 400 or more float32 layouts with 10 ms

`--smoke` makes one quick check-up.
"""

from __future__ import annotations

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
# The kernels that such an operator has on MPS, by the name that its probes have.
COMMON = {
    **{name: name for name in ("add", "mul", "sub", "div", "mm", "addmm", "bmm", "relu", "gelu", "silu", "sigmoid")},
    **{name: name for name in ("tanh", "exp", "sqrt", "sum", "mean", "cat", "index_select", "gather", "where")},
    **{name: name for name in ("embedding", "addcmul_", "addcdiv_", "lerp_")},
    "softmax": "_softmax",
    "log_softmax": "_log_softmax",
    "layer_norm": "native_layer_norm",
    "conv2d": "convolution",
    "masked_fill_": "masked_fill_",
    "index_put_": "_index_put_impl_",
}
KINDS = ("strided", "offset")


def check_up(*arguments: str, faults: str = "", **settings: float | str) -> tuple[float, dict[str, Any]]:
    """Seconds of the whole command, and its report with the facts of the checks by id."""
    with tempfile.TemporaryDirectory() as folder:
        env = stand_in.environment("m3-max", Path(folder), faults, first_ms=1500, **settings)
        began = time.perf_counter()
        command = [sys.executable, "-m", "mpsdoctor", "--json", "--no-profile", "-q", *arguments]
        done = subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - began
    report = json.loads(done.stdout)
    return seconds, {**report, "facts": {check["id"]: check["facts"] for check in report["checks"]}}


def other_layouts(facts: dict[str, Any]) -> int:
    """Probes in another layout than the plain one."""
    return sum(count for name, count in facts["coverage"]["mps"]["variants"].items() if name != "contiguous")


def line(budget: str, compile_ms: float) -> str:
    """A row of the table of check-ups."""
    seconds, report = check_up("--budget", budget, torch="2.12.0", compile_ms=compile_ms)
    rows = [row for row in report["facts"]["training"]["results"] if row["device"] == "mps"]
    timed = [sum(row["size"] == size and row["outcome"] == "ok" for row in rows) for size in ("small", "medium")]
    failed = sorted({row["outcome"] for row in rows} - {"ok", "skipped"})
    verdict = f"{report['verdict']['device']} {report['verdict']['confidence']}"
    operators = report["facts"]["operators"]
    made = (operators["coverage"]["mps"]["made"], other_layouts(operators))
    cells = [budget, f"{compile_ms:g}", f"{seconds:.1f}", verdict, *timed, ", ".join(failed) or "none", *made]
    return "| " + " | ".join(map(str, cells)) + " |"


def layouts(compile_ms: float) -> str:
    """How many of the planted faults are found; a device that is unusable for them is not probed, so all count once."""
    faults = [f"aten::{kernel}=wrong:{KINDS[place % 2]}" for place, kernel in enumerate(COMMON.values())]
    _, report = check_up("--only", "operators", faults=",".join(faults), compile_ms=compile_ms)
    facts = report["facts"]["operators"]
    wrong = {row["op"] for row in facts["results"] if row["device"] == "mps" and row["outcome"] in ("wrong", "nan")}
    found = [name for name in COMMON if f"aten::{name}" in wrong]
    left = [name for name in COMMON if name not in found]
    told = f"{len(found)} of {len(COMMON)} layout faults found, {other_layouts(facts)} probes in other layouts"
    return f"{compile_ms:g} ms a graph: {told}" + (f"; not {', '.join(left)}" if left else "")


def main() -> None:
    smoke = "--smoke" in sys.argv
    wanted = [word for word in sys.argv[1:] if not word.startswith("-")] or ["check-ups", "layouts"]
    if "check-ups" in wanted:
        print("| budget | ms a graph | s | verdict | small | medium | failed on mps | probes on mps | other layouts |")
        print("|---|---|---|---|---|---|---|---|---|")
        for case in (("quick", 3),) if smoke else CASES:
            print(line(*case), flush=True)
    if "layouts" in wanted and not smoke:
        for compile_ms in (10, 0):
            print(layouts(compile_ms), flush=True)


if __name__ == "__main__":
    main()
