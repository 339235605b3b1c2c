"""Records the check-ups that the pictures of the screen show: `python tests/tui/record.py NAME…`, from the root.

`screen` instead of a name draws docs/screen.svg from what was recorded as `wins`.

Each is a real run of `mpsdoctor --format jsonl` on this machine's CPU and, but for `cpu`, the simulated accelerator.
What tells of this machine is left out: paths, and the processor's name. Of the operators those that fail stay, and of
the others as many as fill a screen or two; counts in the text are those of the whole run.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from helpers import support
from simulator import simulator
from tui.screens import recorded, screen, settle

ROOT = Path(__file__).resolve().parents[2]
RECORDED = Path(__file__).with_name("recorded")
KEPT = 40  # operators on each device
VARIANTS = {"contiguous", "strided"}  # of probes that are fine
CROSSING = {"gflops": 8, "speed": 8, "launch_us": 60}  # small models favour the CPU, large ones the device
WRONG = (
    "aten::cumsum=wrong,aten::_softmax=wrong,aten::addcmul_=wrong:strided,aten::flip@backward=nan,"
    "aten::erf=unimplemented,aten::logsumexp=dtype:float16,aten::sort=error"
)
CRASH = "aten::cumsum=segfault,aten::_log_softmax=abort@12,aten::tan=hang"
STRANGER = """
import os
id, title, seconds = "fan", "The fan", {"quick": 1.0}
def run(context):
    print("blades: 5", flush=True)
    os.abort()
"""
RUNS: dict[str, tuple[str, dict[str, Any]]] = {
    "cpu": ("quick", {}),
    "wins": ("standard", CROSSING),
    "wrong": ("quick", {"faults": WRONG, "step_ms": 8}),
    "crash": ("quick", {"faults": CRASH, "step_ms": 8}),
}


def run(name: str) -> list[dict[str, Any]]:
    """The documents that a check-up tells, one an event."""
    budget, settings = RUNS[name]
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "MPSDOCTOR_PROFILE": f"{folder}/profile.json"}
        if settings:
            environment |= simulator.environment(**settings)
        if name == "crash":
            strangers = support.install(Path(folder), fan=STRANGER)
            environment["PYTHONPATH"] += os.pathsep + strangers["PYTHONPATH"]
        command = [sys.executable, "-m", "mpsdoctor", "--format", "jsonl", "--budget", budget]
        done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    python = sys.base_prefix.replace(str(Path.home()), "~")  # homes are hidden already
    told = done.stdout.replace(folder, "~/.config/mpsdoctor").replace(sys.prefix, "~/venv").replace(python, "~/python")
    return [json.loads(line) for line in told.replace(str(ROOT), "~/mpsdoctor").splitlines()]


def trimmed(document: dict[str, Any]) -> dict[str, Any]:
    """An event without most of the operators that are fine."""
    if document["event"] == "finished" and document["result"]["id"] == "operators":
        facts = document["result"]["facts"]
        facts["results"] = some(facts.get("results", []))
    if document["event"] == "report":
        document["report"]["checks"] = []  # each has told its end before
    return document


def some(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    failed = {(probe["op"], probe["device"]) for probe in results if probe["outcome"] not in ("ok", "skipped")}
    kept: list[tuple[str, str]] = []
    for device in dict.fromkeys(probe["device"] for probe in results):
        operators = sorted({probe["op"] for probe in results if probe["device"] == device})
        kept += sorted(((op, device) for op in operators), key=lambda pair: pair not in failed)[:KEPT]
    chosen = set(kept)
    return [
        probe
        for probe in results
        if (probe["op"], probe["device"]) in chosen and (probe["outcome"] != "ok" or {*probe["variants"]} & VARIANTS)
    ]


async def draw(file: Path) -> None:
    """The tab of training, with the workload that has a crossover."""
    with tempfile.TemporaryDirectory() as folder:
        async with screen(recorded("wins"), (120, 40), Path(folder) / "profile.json") as (app, pilot, _):
            await pilot.press("4", *"jjj")
            app.clear_notifications()
            await settle(app, pilot)
            file.write_text(app.export_screenshot(), encoding="utf-8")


def main() -> None:
    if sys.argv[1:] == ["screen"]:
        asyncio.run(draw(ROOT / "docs/screen.svg"))
        return
    for name in sys.argv[1:] or RUNS:
        documents = [trimmed(document) for document in run(name)]
        lines = [json.dumps(document, ensure_ascii=False) for document in documents]
        text = "\n".join(lines).replace(processor(documents), "example processor") + "\n"
        (RECORDED / f"{name}.jsonl").write_text(text, encoding="utf-8")
        print(name, documents[-1]["report"]["verdict"], len(text))


def processor(documents: list[dict[str, Any]]) -> str:
    return str(documents[-1]["report"]["machine"]["chip"])


if __name__ == "__main__":
    main()
