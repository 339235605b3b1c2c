"""What `mpsdoctor compare` tells of check-ups that did not change, and of a slowdown: `bench_compare.py [PAIRS]`.

Without `--real`: pairs of simulated reports, 1,000 by default, with the noise of tests/helpers/check_ups.py. In the
same report all trainings, or one of them, are 5 % slower, or none is.
--real N    makes N real check-ups of this machine (`--budget`, `quick` by default) and compares all with one another
--smoke     a few pairs, and figures that only show that there are some
"""

from __future__ import annotations

import argparse
import itertools
import random
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from helpers import check_ups
from mpsdoctor.compare import compare
from mpsdoctor.compare.shapes import Comparison
from mpsdoctor.intake import read_report
from mpsdoctor.report import Report

FALSE, FOUND = 0.01, 0.80  # of the pairs: at most, at least
SLOWER = 1.05
BUDGETS = {"quick": ("small",), "standard": ("small", "medium"), "thorough": ("small", "medium", "large")}
COUNTS = {"3": (3,), "6 to 10": (6, 7, 8, 9, 10), "3 to 40": (3, 8, 10, 15, 40)}  # as races end


def tells_speed(comparison: Comparison, direction: str | None = None, what: str = "") -> bool:
    """Whether a change of speed is told: of this direction, of this training."""
    return any(
        change.kind == "speed" and direction in (None, change.direction) and change.what.startswith(what)
        for change in comparison.changes
    )


def draw_pairs(
    noise: str, budget: str, counts: str, slower: Iterable[str], pairs: int, seed: str = ""
) -> Iterable[Comparison]:
    """Comparisons of pairs in which these families' trainings are slower, in all sizes."""
    chance = random.Random(f"{noise} {budget} {counts} {slower}{seed}")
    factors = {(family, size): SLOWER for family in slower for size in BUDGETS[budget]}
    for _ in range(pairs):
        old, new = (
            check_ups.check_up(chance, check_ups.NOISES[noise], BUDGETS[budget], COUNTS[counts], slow)
            for slow in (None, factors)
        )
        yield compare(old, new)


def simulate(pairs: int, seed: str) -> None:
    heads = (
        "noise",
        "budget",
        "blocks",
        "told, but none made",
        "all 5 % slower: found",
        "cnn alone",
        "not compared",
        "",
    )
    print(f"| {' | '.join(heads)} |", "|---" * len(heads) + "|", sep="\n")
    for noise, budget, counts in itertools.product(check_ups.NOISES, BUDGETS, COUNTS):
        same = list(draw_pairs(noise, budget, counts, (), pairs, seed))
        whole = list(draw_pairs(noise, budget, counts, check_ups.FAMILIES, pairs // 4 or 1, seed))
        part = list(draw_pairs(noise, budget, counts, ("cnn",), pairs // 4 or 1, seed))
        false = share(tells_speed(pair) for pair in same)
        found = share(tells_speed(pair, "worse") for pair in whole)
        of_one = share(tells_speed(pair, "worse", "cnn") for pair in part)
        holds = false <= FALSE and (found >= FOUND or not promised(noise, budget, counts))
        print(
            f"| {noise} | {budget} | {counts} | {false:.1%} | {found:.0%} | {of_one:.0%} |"
            f" {share(not pair.comparable for pair in same):.0%} | {'holds' if holds else 'MISSED'} |",
            flush=True,
        )


def promised(noise: str, budget: str, counts: str) -> bool:
    """Whether a slowdown has to be found: on a quiet machine always, on a usual one where much is timed."""
    return noise == "quiet" or (noise == "usual" and budget == "thorough" and counts != "3")


def share(answers: Iterable[bool]) -> float:
    counted = list(answers)
    return sum(counted) / len(counted)


def check_up(budget: str) -> Report:
    """A real one, a process of its own, as a person would type it."""
    command = [sys.executable, "-m", "mpsdoctor", "--json", "--no-profile", "--budget", budget]
    return read_report(subprocess.run(command, capture_output=True, check=False).stdout)


def examine(count: int, budget: str) -> None:
    """Every pair of so many real check-ups: none of them may tell a change for better or worse."""
    reports = [check_up(budget) for _ in range(count)]
    pairs = [compare(old, new) for old, new in itertools.combinations(reports, 2)]
    changed = [pair for pair in pairs if any(change.direction != "neutral" for change in pair.changes)]
    apart = sum(not pair.comparable for pair in pairs)
    print(f"{len(pairs)} pairs of {count} real check-ups: {len(pairs) - len(changed)} without a change", end="; ")
    print(f"speeds were not comparable in {apart}")
    reasons = {reason for pair in pairs for reason in pair.why_not}
    print(*(f"  - {reason}" for reason in sorted(reasons)[:10]), sep="\n")
    for pair in changed:
        print(*(f"  {change.direction} {change.what}: {change.before} to {change.after}" for change in pair.changes))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", type=int, nargs="?", default=1000)
    parser.add_argument("--real", type=int, metavar="N")
    parser.add_argument("--budget", default="quick", choices=BUDGETS)
    parser.add_argument("--seed", default="", help="other draws than those that the limits were chosen with")
    parser.add_argument("--smoke", action="store_true")
    args = parser.parse_args()
    if args.real:
        examine(args.real, args.budget)
    else:
        simulate(4 if args.smoke else args.pairs, args.seed)


if __name__ == "__main__":
    main()
