"""Training libraries on the stand-in for MPS, with the extra `recipes`: `python tests/bench/bench_recipes.py COMMAND`.

follow    the device on which each library trains by itself, and under `mpsdoctor run` with a profile for each device
race      what `mpsdoctor race` says of scripts of these libraries, and of plain loops, at planted ratios of speed
--smoke   plain torch alone, each of them once; in place of a command
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from itertools import cycle
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from mpsdoctor.thresholds import standing
from recipes.stage import DEVICES, LIBRARIES, ROOT, UNSTEERED, Stage

LOOPS = ROOT / "tests" / "helpers" / "scripts"
STYLES = ("loop", "accumulate", "two_optimizers", "closure", "scaled", "validating", "short")
PLANTED = (2.0, 0.5, 1.0, 4.0, 0.25)
STEPS = 4000  # more than a race times
# Their optimizers are their own, of which the stand-in's clock knows nothing: an operator of each step is priced.
STEP_ENDS_WITH = {"with_keras": "aten::_softmax_backward_data", "with_fastai": "aten::nll_loss_backward"}


def installed(name: str) -> str | None:
    """The version of the library, if it is there."""
    try:
        return version(LIBRARIES[name][1])
    except PackageNotFoundError:
        return None


def follow(stage: Stage, names: Sequence[str]) -> None:
    print("| script | library | by itself | profile: cpu | profile: mps | follows |")
    print("|---|---|---|---|---|---|")
    right = 0
    for name in names:
        if (present := installed(name)) is None:
            print(f"| {name} | not installed |", flush=True)
            continue
        trained = [stage.train(UNSTEERED / f"{name}.py")]
        for device in DEVICES:
            stage.learn(device)
            trained.append(stage.train(UNSTEERED / f"{name}.py", steered=True))
        followed = tuple(trained[1:]) == DEVICES
        right += followed
        cells = (name, f"{LIBRARIES[name][1]} {present}", *trained, "both ways" if followed else "NO")
        print(f"| {' | '.join(cells)} |", flush=True)
    print(f"{right} of {len(names)} train on the profile's device both ways")


def race(stage: Stage, scripts: Sequence[Path], price: float, seconds: float, planted: Sequence[float]) -> None:
    """A price on the faster side must exceed what a step really takes."""
    print("| script | planted | measured | 95 % interval | off by | winner | right | s in all |")
    print("|---|---|---|---|---|---|---|---|")
    for script, ratio in zip(scripts, cycle(planted), strict=False):
        begun = time.monotonic()
        report = race_once(stage, script, ratio, price, seconds)
        took = time.monotonic() - begun
        rows = [row for row in report["comparisons"] if row["device"] == "mps"]
        for row in rows:
            low, high = row["ci95"]
            expected = {"faster": "mps", "slower": "cpu", "same": "tie"}[standing(ratio, ratio)]
            off = 100 * abs(row["speedup"] / ratio - 1)
            right = "yes" if row["winner"] == expected else "NO"
            cells = (f"{row['speedup']:.3f}", f"{low:.2f} to {high:.2f}", f"{off:.1f} %", row["winner"], right)
            print(f"| {script.stem} | {ratio:g} | {' | '.join(cells)} | {took:.0f} |", flush=True)
        if not rows:
            outcomes = {row["device"]: (row["outcome"], row["detail"]) for row in report["devices"]}
            print(f"| {script.stem} | {ratio:g} | none: {outcomes} | {took:.0f} |", flush=True)


def race_once(stage: Stage, script: Path, planted: float, price: float, seconds: float) -> dict[str, Any]:
    settings = {"SIM_STEP_MS": str(price * max(1.0, planted)), "SIM_SPEED": str(planted), "STEPS": str(STEPS)}
    settings["SIM_STEP_ENDS_WITH"] = STEP_ENDS_WITH.get(script.stem, "")
    command = [sys.executable, "-m", "mpsdoctor", "race", "--json", "-q", "--seconds", str(seconds)]
    done = stage.start([*command, "--device", "cpu", "--device", "mps", "--", sys.executable, str(script)], **settings)
    if done.returncode not in (0, 1):
        raise RuntimeError(done.stderr)
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", nargs="?", choices=("follow", "race"))
    parser.add_argument("--only", action="append", help="a script's name")
    parser.add_argument("--price", type=float, default=60.0, help="ms of a step on the faster side")
    parser.add_argument("--seconds", type=float, default=8.0, help="of timing a race")
    parser.add_argument("--planted", type=float, nargs="+", default=PLANTED, help="ratios, one a script in turn")
    parser.add_argument("--smoke", action="store_true")
    given = parser.parse_args()
    if not given.command and not given.smoke:
        parser.error("say which, or --smoke")
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder))
        names = ["plain"] if given.smoke else [name for name in LIBRARIES if name in (given.only or LIBRARIES)]
        if given.smoke or given.command == "follow":
            follow(stage, names)
        if given.smoke:
            race(stage, [UNSTEERED / "plain.py"], 20.0, 1.0, (2.0,))
        elif given.command == "race":
            scripts = [UNSTEERED / f"{name}.py" for name in names if installed(name)]
            scripts += [LOOPS / f"{style}.py" for style in STYLES if style in (given.only or STYLES)]
            race(stage, scripts, given.price, given.seconds, given.planted)


if __name__ == "__main__":
    main()
