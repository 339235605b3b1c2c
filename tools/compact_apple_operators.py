"""Writes mpsdoctor/data/apple_operators.txt from a table of timings: `compact_apple_operators.py TABLE.csv`.

The table has the columns `chip` (as its contributor wrote it: `M1 Max (64GB)`), `op`, `shape`, `cpu_ms` and `mps_ms`.
"""

from __future__ import annotations

import csv
import re
import statistics
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

TARGET = Path(__file__).parent.parent / "mpsdoctor" / "data" / "apple_operators.txt"
# From nothing but a launch to nothing but arithmetic, and measured on every chip.
CHOSEN = {
    ("SumAll", "dim=1000000"): "sum of a million numbers",
    ("ReLU", "dim=128x16x1024"): "ReLU of 2.1 million",
    ("MatMul", "dim=1000x64x256 dim=256x32"): "matrix product of 1 GFLOP",
    ("Conv2d", "dim=100x28x28x3 dim=8x3x3x3"): "convolution of 100 small images",
    ("MatMul", "dim=1000x64x1024 dim=1000x1024x32"): "matrix products of 4 GFLOP",
}
HEAD = """\
# Single operators of PyTorch on the CPU and on MPS, waited for after each call, by chip.
# Source: benchmarks/detailed_benchmark.md of github.com/TristanBilot/mlx-benchmark (MIT License, copyright (c) 2023
# Tristan Bilot), run by its contributors with torch versions of their own. Written by tools/compact_apple_operators.py.
# First the operators in words, in the order of the columns; then by chip, separated by tabs: chip, how many machines,
# and for each operator the milliseconds on the CPU and on MPS (of several machines the geometric mean).
"""

Times = dict[str, dict[tuple[str, str], list[tuple[float, float]]]]


def read(path: Path) -> Times:
    """By chip and chosen operator the times of each machine."""
    found: Times = defaultdict(lambda: defaultdict(list))
    with path.open(newline="") as stream:
        for row in csv.DictReader(stream):
            chip = re.match(r"M\d+(?: (?:Pro|Max|Ultra))?", row["chip"])
            key = row["op"], row["shape"]
            if chip and key in CHOSEN:
                found[chip[0]][key].append((float(row["cpu_ms"]), float(row["mps_ms"])))
    return found


def compact(times: Times) -> str:
    """The text of the data file; KeyError where a chip lacks a chosen operator."""
    lines = [*CHOSEN.values(), ""]
    for chip, operators in sorted(times.items()):
        cells = ["/".join(mean(column) for column in zip(*operators[key], strict=True)) for key in CHOSEN]
        lines.append("\t".join([chip, str(len(operators[next(iter(CHOSEN))])), *cells]))
    return HEAD + "\n" + "\n".join(lines) + "\n"


def mean(values: Sequence[float]) -> str:
    return f"{statistics.geometric_mean(values):.3g}"


def main() -> None:
    times = read(Path(sys.argv[1]))
    text = compact(times)
    TARGET.write_text(text)
    print(f"{len(times)} chips, {len(CHOSEN)} operators, {len(text)} bytes: {TARGET}")


if __name__ == "__main__":
    main()
