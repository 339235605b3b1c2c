"""Writes mpsdoctor/data/mps_dtypes.txt from wheels: `compact_mps_dtypes.py FOLDER [TABLE.csv VERSION]`.

FOLDER has each wheel's torch/testing/_internal/common_mps.py as `X.Y.Z.common_mps.py` (torch 2.8 and later). A table
with the columns `op`, `dtypes`, `kind` and `version` may stand for the file of one more version.
"""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from mpsdoctor.support.dtype_gaps import DATA, gaps_of
from mpsdoctor.support.history import minor, order
from mpsdoctor.support.known_failures import KnownFailure, read

HEAD = """\
# Dtypes that the kernel of an operator lacks on MPS, by torch version: operator, dtypes, first and last version.
# Source: the lists of operators that PyTorch's own tests call unimplemented with some dtypes, in
# torch/testing/_internal/common_mps.py of its wheels {first} to {last}. Written by tools/compact_mps_dtypes.py.
"""


def from_table(path: Path, version: str) -> dict[str, frozenset[str]]:
    """The gaps of one version of a table of list entries."""
    known: dict[str, list[KnownFailure]] = defaultdict(list)
    with path.open(newline="") as stream:
        for row in csv.DictReader(stream):
            if minor(row["version"]) == version and row["kind"] == "unimplemented":
                dtypes = None if row["dtypes"] == "*" else tuple(row["dtypes"].split())
                known[row["op"]].append(KnownFailure(row["op"], "unimplemented", dtypes, "forward", None))
    return gaps_of(known)


def spans(by_version: dict[str, dict[str, frozenset[str]]]) -> list[str]:
    """A line for each operator and stretch of versions with the same dtypes."""
    versions = sorted(by_version, key=order)
    lines = []
    for name in sorted({name for gaps in by_version.values() for name in gaps}):
        stretches: list[tuple[frozenset[str], list[str]]] = []
        for version in versions:
            dtypes = by_version[version].get(name, frozenset())
            if stretches and stretches[-1][0] == dtypes:
                stretches[-1][1].append(version)
            else:
                stretches.append((dtypes, [version]))
        lines += [f"{name} {','.join(sorted(dtypes))} {of[0]}-{of[-1]}" for dtypes, of in stretches if dtypes]
    return lines


def main() -> None:
    files = {minor(path.name): path for path in Path(sys.argv[1]).glob("*.common_mps.py")}
    by_version = {version: gaps_of(read(path.read_text()) or {}) for version, path in files.items() if version}
    if len(sys.argv) > 2:
        by_version[sys.argv[3]] = from_table(Path(sys.argv[2]), sys.argv[3])
    versions = sorted(by_version, key=order)
    lines = spans(by_version)
    DATA.write_text(HEAD.format(first=versions[0], last=versions[-1]) + "\n".join(lines) + "\n")
    print(f"{len(lines)} lines of {len(versions)} versions: {DATA}")


if __name__ == "__main__":
    main()
