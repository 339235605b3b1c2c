"""Dtypes that an operator's kernel for MPS lacks, by the tests in PyTorch's wheels.

The installed wheel decides for its own version, data/mps_dtypes.txt for others. Only entries that name their dtypes and
leave float32 out are taken: others say that the operator is missing, which the kernels tell, or that samples fail.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from mpsdoctor.support.given import Given, first_tensor
from mpsdoctor.support.history import order
from mpsdoctor.support.known_failures import KnownFailure, operators

DATA = Path(__file__).parent.parent / "data" / "mps_dtypes.txt"
Gaps = Mapping[str, frozenset[str]]  # by operator, without prefix and overload
# OpInfo's name for an operator that is called otherwise.
CALLED = {"nn.functional.interpolatebicubic": "upsample_bicubic2d"}
# Their entries are about what the CPU returns ("returned output on CPU is float64").
NO_GAP = frozenset({"bincount"})


def gaps_of(known: Mapping[str, Iterable[KnownFailure]]) -> dict[str, frozenset[str]]:
    """The gaps that a wheel's lists of known failures name, by OpInfo's names as the lists have them."""
    gaps: dict[str, frozenset[str]] = {}
    for opinfo, entries in known.items():
        name = CALLED.get(opinfo, opinfo.removeprefix("nn.functional.").replace(".", "_"))
        dtypes = frozenset(dtype for entry in entries for dtype in dtypes_lacking(entry))
        if dtypes and name in operators() - NO_GAP:
            gaps[name] = dtypes
    return gaps


def dtypes_lacking(entry: KnownFailure) -> tuple[str, ...]:
    """The dtypes of an entry that is about dtypes on every macOS."""
    concerns = entry.kind == "unimplemented" and entry.direction == "forward" and not (entry.sparse or entry.macos)
    dtypes = entry.dtypes or ()
    return dtypes if concerns and "float32" not in dtypes else ()


def gaps_in(version: str) -> dict[str, frozenset[str]]:
    """The gaps of one torch version, by the tests in its wheel; none before 2.8, which had no such lists."""
    gaps: dict[str, set[str]] = defaultdict(set)
    for name, dtypes, first, last in load_gaps():
        if order(first) <= order(version) <= order(last):
            gaps[name].update(dtypes)
    return {name: frozenset(dtypes) for name, dtypes in gaps.items()}


@functools.lru_cache(maxsize=1)
def load_gaps() -> list[tuple[str, list[str], str, str]]:
    """Operator, dtypes, first and last version of each line of the data file."""
    lines = [line.split() for line in DATA.read_text(encoding="ascii").split("\n") if line and not line.startswith("#")]
    return [(name, dtypes.split(","), *span.partition("-")[::2]) for name, dtypes, span in lines]


def lacking_dtype(name: str, given: Given, gaps: Gaps) -> str | None:
    """The dtype of a call's first tensor, by which the tests name a case, where the kernel lacks it."""
    tensor = first_tensor(given)
    return tensor.dtype if tensor is not None and tensor.dtype in gaps.get(spelt(name, given), ()) else None


def spelt(name: str, given: Given) -> str:
    """The operator as the tests name it: `conv_transpose2d` for a convolution of that kind."""
    tensor = first_tensor(given)
    if name != "convolution" or tensor is None:
        return name
    return f"conv{'_transpose' if given.get('transposed') else ''}{len(tensor.sizes) - 2}d"
