"""Proves the timing of the training check, on a quiet machine: `python tests/bench/bench_training.py COMMAND …`.

timer     our step times beside torch.utils.benchmark.Timer's, of the same session in the same worker, in turn
ratios    races against a simulated accelerator with a planted speed ratio: winners, ratio, time
same      races of two workers that train on the same CPU: nobody may win
verdicts  pairs of check-ups one after the other: the same verdict, and how long they take
table     prints the results so far
--smoke   each of them at its smallest, and the table of that; in place of a command

Results are appended to a file of JSON lines (`--results`), so that a table can be filled in several sittings. Those
beside which others took more than a quarter of the processor are counted, but not in the tables.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from helpers import proofs
from mpsdoctor.quiet import BUSY_PERCENT
from mpsdoctor_checks.training.plan import FAMILIES, Workload
from mpsdoctor_checks.training.quiet import idle_conditions
from mpsdoctor_checks.training.statistics import median
from simulator import simulator

Row = dict[str, Any]
SIZES = ("small", "medium", "large")
PLANTED = (0.25, 0.5, 0.9, 0.97, 1.0, 1.03, 1.1, 2.0, 4.0)
CODES = ("MPS520", "MPS521")  # findings of conditions that spoil a timing
BLOCK = 0.1  # seconds beside Timer
SMOKE = (
    "timer --families mlp --sizes small --rounds 3 --threads 1",
    "ratios --families mlp --planted 2 --runs 1 --share 0.5 --price 2",
    "same --families mlp --sizes small --runs 1 --share 0.5 --threads 1",
    "verdicts --runs 1",
)


def timer(args: argparse.Namespace) -> Iterator[Row]:
    """One thread where the accelerator is simulated, for it computes on the CPU; else as many as torch takes."""
    settings = settings_of(args.sim)
    threads = 1 if args.device == "sim" else args.threads
    with proofs.lanes((args.device,), threads=threads, **settings) as lanes:
        for family in args.families:
            for size in args.sizes:
                found = proofs.beside_torch(Workload(family, size), lanes[args.device], BLOCK, args.rounds)
                yield {"device": args.device, "sim": args.sim, "workload": family, "size": size, **found}


def ratios(args: argparse.Namespace) -> Iterator[Row]:
    for planted in args.planted:
        # The slower side pays more, so that the faster side's price stays above what its step really takes.
        price = args.price * max(planted, 1.0)
        with proofs.lanes(step_ms=price, speed=planted) as lanes:
            for _ in range(args.runs):
                for family in args.families:
                    yield {"planted": planted, **proofs.race(Workload(family, "small"), lanes, args.share)}


def same(args: argparse.Namespace) -> Iterator[Row]:
    with proofs.lanes(("cpu", "cpu:0"), threads=args.threads) as lanes:
        for family in args.families:
            for size in args.sizes:
                for _ in range(args.runs):
                    yield proofs.race(Workload(family, size), lanes, args.share)


def verdicts(args: argparse.Namespace) -> Iterator[Row]:
    """Two check-ups in a row, each a process of its own, as a person would type it."""
    env = {**os.environ}
    if args.sim:
        env |= {"OMP_NUM_THREADS": "1", **simulator.environment(**settings_of(args.sim))}
    for _ in range(args.runs):
        yield {"budget": args.budget, "sim": args.sim, "pair": [check_up(args.budget, env) for _ in range(2)]}


def check_up(budget: str, env: dict[str, str]) -> Row:
    command = [sys.executable, "-m", "mpsdoctor", "--json", "--no-profile", "--only", "training", "--budget", budget]
    begun = time.monotonic()
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    seconds = time.monotonic() - begun
    report = json.loads(done.stdout)
    check = next(each for each in report["checks"] if each["id"] == "training")
    outcomes = [row["outcome"] for row in check["facts"]["results"]]
    return {
        "seconds": seconds,
        "check_seconds": check["duration_s"],
        "device": report["verdict"]["device"],
        "confidence": report["verdict"]["confidence"],
        "by_workload": report["verdict"]["by_workload"],
        "comparisons": [[row["workload"], row["size"], row["winner"], row["speedup"]] for row in compared(check)],
        "timed": outcomes.count("ok"),
        "left_out": outcomes.count("skipped"),
        "spoilt": [finding["detail"] for finding in check["findings"] if finding["code"] in CODES],
    }


def compared(check: Row) -> list[Row]:
    rows: list[Row] = check["facts"]["comparisons"]
    return rows


def settings_of(text: str) -> dict[str, str]:
    """`gflops=4,launch_us=50` as settings of the simulated accelerator."""
    return dict(part.split("=") for part in text.split(",") if part)


def show_timer(rows: list[Row]) -> None:
    print("| device | workload | steps a block | blocks | ours, ms | Timer, ms | ours / Timer | blocks' own spread | |")
    print("|---|---|---|---|---|---|---|---|---|")
    for row in rows:
        ours, torch = median(row["ours"]), median(row["torch"])
        spread = " ".join(f"±{quartiles(row[way]):.1%}" for way in ("ours", "torch"))
        print(
            f"| {row['device']} {row['sim']} | {row['workload']} {row['size']} | {row['steps']} | {len(row['ours'])} |"
            f" {1e3 * ours:.3f} | {1e3 * torch:.3f} | {ours / torch:.3f} | {spread} |"
            f" {'holds' if proofs.agree(ours, torch) else 'MISSED'} |"
        )


def wrong_winner(row: Row) -> bool:
    """Of a race; where two workers train on one CPU, equals are raced."""
    return "winner" in row and not proofs.right(row.get("planted", 1.0), row["winner"])


def quartiles(values: Sequence[float]) -> float:
    """Half the distance of the quartiles, relative to the median."""
    low, middle, high = statistics.quantiles(values, n=4)
    return (high - low) / (2 * middle)


def show_ratios(rows: list[Row]) -> None:
    print("| planted | share, s | runs | faster | slower | tie, of which too close | wrong | median ratio (range)")
    print("| pairs | race, s | of the share | all, s | of the share |")
    for (planted, share), some in grouped(rows, lambda row: (row["planted"], row["share"])):
        print(
            f"| {planted:g} | {share:g} | {len(some)} | {winners(some, 'sim')} |"
            f" {sum(map(wrong_winner, some))} | {found(some)} |"
            f" {middle(some, 'pairs'):.0f} | {time_of(some, 'race_seconds')} | {time_of(some, 'seconds')} |"
        )


def show_same(rows: list[Row]) -> None:
    print("| workload | share, s | races | faster | slower | tie, of which too close | median ratio (range) | pairs |")
    for (workload, size, share), some in grouped(rows, lambda row: (row["workload"], row["size"], row["share"])):
        print(
            f"| {workload} {size} | {share:g} | {len(some)} | {winners(some, 'cpu:0')} | {found(some)} |"
            f" {middle(some, 'pairs'):.0f} |"
        )


def winners(rows: list[Row], device: str) -> str:
    """How many said faster, slower, tie; how many of the ties because the budget was used up."""
    ties = [row for row in rows if row["winner"] == "tie"]
    close = sum("too close" in row["detail"] for row in ties)
    faster = sum(row["winner"] == device for row in rows)
    return f"{faster} | {len(rows) - faster - len(ties)} | {len(ties)}, {close}"


def found(rows: list[Row]) -> str:
    values = [row["speedup"] for row in rows]
    return f"{median(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def middle(rows: list[Row], key: str) -> float:
    return float(statistics.median(row[key] for row in rows))


def time_of(rows: list[Row], key: str) -> str:
    """Median and maximum in seconds, and the median as a share of the budget."""
    return (
        f"{middle(rows, key):.2f} (≤ {max(row[key] for row in rows):.2f}) | {middle(rows, key) / rows[0]['share']:.0%}"
    )


def show_verdicts(rows: list[Row]) -> None:
    print(
        "| budget | accelerator | verdicts | by workload | same | comparisons with another answer | check, s | all, s |"
    )
    for row in rows:
        one, two = row["pair"]
        same = (one["device"], one["by_workload"]) == (two["device"], two["by_workload"])
        others = [a[:2] for a, b in zip(one["comparisons"], two["comparisons"], strict=False) if a[2] != b[2]]
        told = " ".join(f"{each['device']} ({each['confidence']})" for each in row["pair"])
        check, wall = (" ".join(f"{each[key]:.1f}" for each in row["pair"]) for key in ("check_seconds", "seconds"))
        print(
            f"| {row['budget']} | {row['sim'] or 'none'} | {told} | {one['by_workload']} | {'yes' if same else 'NO'} |"
            f" {len(others)} of {len(one['comparisons'])} {others or ''} | {check} | {wall} |"
            f" {one['spoilt'] + two['spoilt'] or ''}"
        )


def grouped(rows: Iterable[Row], key: Callable[[Row], Any]) -> list[tuple[Any, list[Row]]]:
    groups: dict[Any, list[Row]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return sorted(groups.items(), key=lambda group: str(group[0]))


MEASURE: dict[str, Callable[[argparse.Namespace], Iterator[Row]]] = {
    "timer": timer,
    "ratios": ratios,
    "same": same,
    "verdicts": verdicts,
}
SHOW = {"timer": show_timer, "ratios": show_ratios, "same": show_same, "verdicts": show_verdicts}


def options(words: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("command", choices=[*MEASURE, "table"])
    add("--results", type=Path, default=Path(tempfile.gettempdir()) / "mpsdoctor-training.jsonl")
    add("--families", nargs="+", default=FAMILIES, choices=FAMILIES)
    add("--sizes", nargs="+", default=SIZES, choices=SIZES)
    add("--device", default="cpu", help="timer: cpu or sim")
    add("--sim", default="", help="settings of the simulated accelerator, as in gflops=4,launch_us=50")
    add("--threads", type=int, default=None, help="timer, same: OMP_NUM_THREADS; torch's choice if left out")
    add("--rounds", type=int, default=20, help="timer: blocks of each")
    add("--planted", nargs="+", type=float, default=PLANTED, help="ratios: how many times as fast the device is")
    add("--price", type=float, default=8.0, help="ratios: milliseconds of the faster side's step")
    add("--runs", type=int, default=20, help="ratios, same: races; verdicts: pairs")
    add("--share", type=float, default=2.5, help="ratios, same: seconds for a race")
    add("--budget", default="quick", help="verdicts")
    return parser.parse_args(words)


def measure(args: argparse.Namespace) -> None:
    """Each result with what others took of the processor just before and just after it."""
    with args.results.open("a", encoding="utf-8") as file:
        before = busy()
        for row in MEASURE[args.command](args):
            after = busy()
            file.write(json.dumps({"table": args.command, "busy": max(before, after), **row}) + "\n")
            file.flush()
            before = after


def busy() -> float:
    return idle_conditions()["cpu_percent"] or 0.0


def table(results: Path, most_busy: float = BUSY_PERCENT) -> None:
    rows = [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]
    for name, show in SHOW.items():
        every = [row for row in rows if row["table"] == name]
        quiet = [row for row in every if row["busy"] <= most_busy]
        wrong = sum(map(wrong_winner, every)) - sum(map(wrong_winner, quiet))
        disturbed = f"{len(every) - len(quiet)} more were disturbed, with {wrong} wrong winners"
        print(f"\n{name}: {len(quiet)} results; {disturbed}")
        if quiet:
            show(quiet)


def smoke() -> None:
    """Whatever others take of the processor: the figures only show that there are some."""
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results.jsonl"
        for line in SMOKE:
            measure(options([*line.split(), "--results", str(results)]))
        table(results, most_busy=100.0)


def main() -> None:
    if "--smoke" in sys.argv:
        smoke()
        return
    args = options()
    if args.command == "table":
        table(args.results)
    else:
        measure(args)


if __name__ == "__main__":
    main()
