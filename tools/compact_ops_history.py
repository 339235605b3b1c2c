"""Writes mpsdoctor/data/mps_support.txt from a table of operator support: `compact_ops_history.py TABLE.csv`.

The table has a row for each overload: `op`, `overload`, any other columns, then one column for each torch version
named after it (`2.3.0`) with the letter that the version's native_functions.yaml gives; empty where the version has
no such overload. The letters are explained at the head of the file that is written.
"""

from __future__ import annotations

import csv
import re
import sys
from collections import Counter, defaultdict
from pathlib import Path

TARGET = Path(__file__).parent.parent / "mpsdoctor" / "data" / "mps_support.txt"
HEAD = """\
# Which aten operators have a kernel for MPS, by torch version.
# Source: torchgen/packaged/ATen/native/native_functions.yaml of PyTorch's published macOS wheels {first} to {last},
# and the kernels that their libraries register outside of it. Written by tools/compact_ops_history.py.
# M kernel for MPS; D delegates to one; X, P registered outside the yaml, in C++ or Python; F always runs on the CPU;
# I, E, G composite (implicit, explicit, generated): works if its parts do; S delegates to a kernel that is missing;
# N no kernel; - no such operator in that version.
# First the versions, then each history that occurs with its number, then the operators as
# `name history:overload,overload`; the overload without a name is written as -.
"""


def read(path: Path) -> tuple[list[str], dict[str, dict[str, str]]]:
    """Versions as X.Y, and by operator and overload the letter in each of them."""
    with path.open(newline="") as stream:
        rows = csv.DictReader(stream)
        columns = [name for name in rows.fieldnames or () if re.fullmatch(r"\d+\.\d+\.\d+", name)]
        found: dict[str, dict[str, str]] = defaultdict(dict)
        for row in rows:
            found[row["op"]][row["overload"] or "-"] = "".join(row[column] or "-" for column in columns)
    return [column.rpartition(".")[0] for column in columns], dict(found)


def compact(versions: list[str], operators: dict[str, dict[str, str]]) -> str:
    """The text of the data file; histories are numbered from the most frequent one."""
    count = Counter(letters for overloads in operators.values() for letters in overloads.values())
    numbers = {letters: str(number) for number, (letters, _) in enumerate(count.most_common())}
    lines = [" ".join(versions), *(f"{number} {letters}" for letters, number in numbers.items()), ""]
    for name, overloads in sorted(operators.items()):
        groups: dict[str, list[str]] = defaultdict(list)
        for overload, letters in sorted(overloads.items()):
            groups[numbers[letters]].append(overload)
        lines.append(" ".join([name, *(f"{number}:{','.join(each)}" for number, each in groups.items())]))
    return HEAD.format(first=versions[0], last=versions[-1]) + "\n".join(lines) + "\n"


def main() -> None:
    versions, operators = read(Path(sys.argv[1]))
    text = compact(versions, operators)
    TARGET.write_text(text)
    print(f"{len(operators)} operators, {len(versions)} versions, {len(text)} bytes: {TARGET}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main()
