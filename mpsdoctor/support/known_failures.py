"""What PyTorch's own tests expect to fail on MPS: the lists in the wheel's common_mps.py (torch 2.8 and later).

The file is read, never imported: it imports what need not be installed. Its lists are private to PyTorch and change;
unknown shapes are left out, and where nothing is left the answer is None.
"""

from __future__ import annotations

import ast
import functools
import re
import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mpsdoctor.support.history import PREFIX, load_history, operator
from mpsdoctor.texts import Part

FILE = Path("testing", "_internal", "common_mps.py")
COMPLEX = ("complex32", "complex64")
# The first part of a list's name that occurs tells what PyTorch says of its operators.
KINDS: tuple[tuple[str, str], ...] = (
    ("UNIMPLEMENTED", "unimplemented"),
    ("UNSUPPORTED_COMPLEX", "unsupported"),
    ("UNDEFINED", "undefined"),
    ("XFAILLIST", "fails"),
    ("SKIPLIST", "skipped"),
)
MACOS = re.compile(r"MACOS_(?:(BEFORE|AFTER)_)?(\d+)_(\d+)")
# Endings that OpInfo adds to an operator's name for a variant of its samples.
VARIANTS = (
    "tensor_overload", "grad_oriented", "hermitian", "subgradients_at_zero", "singular", "nuc", "fro", "inf",
    "with_dtype", "partial_views", "decimals_0", "lengths", "offsets", "grad", "sum", "prod", "mean", "amin", "amax",
)  # fmt: skip


@dataclass(frozen=True)
class KnownFailure:
    """One entry: the operator as OpInfo names it, and what PyTorch says of it.

    `kind` is one of KINDS. `dtypes` are names as in torch; None for every dtype, () where they could not be read.
    `macos` is "before 14.4" or the like, None for every macOS.
    """

    opinfo: str
    kind: str
    dtypes: tuple[str, ...] | None
    direction: Literal["forward", "backward"]
    macos: str | None
    sparse: bool = False

    def concerns(self, dtype: str, direction: str) -> bool:
        """Whether the entry speaks of dense tensors of this dtype; a failing forward fails backward as well."""
        fits = (self.dtypes is None or dtype in self.dtypes) and self.direction in ("forward", direction)
        return fits and not self.sparse

    def sentence(self) -> Part:
        """The entry in words, for display beside a result."""
        what = "expected_gradient" if self.direction == "backward" else "expected_sparse" if self.sparse else ""
        with_dtypes = Part("expected_with", {"dtypes": self.dtypes}) if self.dtypes else Part("expected_with_some")
        values = {
            "opinfo": self.opinfo,
            "what": Part(what),
            "expected": Part(f"expected_{self.kind}"),
            "where": self.where(),
            "dtypes": Part("") if self.dtypes is None else with_dtypes,
        }
        return Part("expected", values)

    def where(self) -> Part:
        """On which macOS."""
        when, _, version = (self.macos or "").rpartition(" ")
        name = f"expected_{when}_macos" if when else "expected_on_macos" if version else "expected_on_mps"
        return Part(name, {"version": version} if version else {})


def known_failures(torch_folder: Path) -> dict[str, tuple[KnownFailure, ...]] | None:
    """The entries by OpInfo name (its variant appended, as PyTorch does); None where nothing could be read."""
    try:
        source = (torch_folder / FILE).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    return read(source)


def read(source: str) -> dict[str, tuple[KnownFailure, ...]] | None:
    """As known_failures, of a source text; never raises."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about another's source
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # ast.parse raises each of these for some text
        return None
    by_opinfo: dict[str, list[KnownFailure]] = defaultdict(list)
    for function, target, value in lists(tree):
        for failure in failures(function, target, value):
            by_opinfo[failure.opinfo].append(failure)
    return {opinfo: tuple(dict.fromkeys(entries)) for opinfo, entries in by_opinfo.items()} or None


def lists(tree: ast.Module) -> Iterator[tuple[str, str, ast.expr]]:
    """Function, name and value of each assignment in a function of its own; not those about erroneous inputs."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef) or "error_inputs" in function.name:
            continue
        for node in ast.walk(function):
            target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
            if isinstance(node, (ast.Assign, ast.AnnAssign)) and isinstance(target, ast.Name) and node.value:
                yield function.name, target.id, node.value


def failures(function: str, target: str, value: ast.expr) -> Iterator[KnownFailure]:
    """The entries of one list."""
    kind = next((kind for part, kind in KINDS if part in target), None)
    if kind is None:
        return
    direction: Literal["forward", "backward"] = "backward" if "grad" in (function + target).lower() else "forward"
    match = MACOS.search(target)
    macos = None if match is None else f"{(match[1] or '').lower()} {match[2]}.{match[3]}".strip()
    for opinfo, dtypes in pairs(value, COMPLEX if kind == "unsupported" else None):
        yield KnownFailure(opinfo, kind, dtypes, direction, macos, "SPARSE" in target)


def pairs(value: ast.expr, otherwise: tuple[str, ...] | None) -> Iterator[tuple[str, tuple[str, ...] | None]]:
    """Operator and dtypes of a dict of lists, or of a set, which stands for the dtypes `otherwise`."""
    if isinstance(value, ast.Dict):
        named = {name(key): dtypes for key, dtypes in zip(value.keys, value.values, strict=True)}
        yield from ((opinfo, dtypes_of(dtypes)) for opinfo, dtypes in named.items() if opinfo is not None)
    elif isinstance(value, ast.Set):
        yield from ((opinfo, otherwise) for opinfo in map(name, value.elts) if opinfo is not None)


def name(node: ast.expr | None) -> str | None:
    """The text of a literal; None for anything else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def dtypes_of(node: ast.expr) -> tuple[str, ...] | None:
    """The names in a list like `[torch.float32]`; None for None; what is no such name is left out."""
    if isinstance(node, ast.Constant) and node.value is None:
        return None
    elements = node.elts if isinstance(node, (ast.List, ast.Tuple, ast.Set)) else []
    return tuple(element.attr for element in elements if isinstance(element, ast.Attribute))


def by_aten(known: Mapping[str, tuple[KnownFailure, ...]]) -> dict[str, tuple[KnownFailure, ...]]:
    """The entries by aten name (`aten::linalg_eig`), as far as OpInfo's names tell it."""
    by_operator: dict[str, list[KnownFailure]] = defaultdict(list)
    for opinfo, entries in known.items():
        aten = aten_name(opinfo)
        if aten is not None:
            by_operator[aten].extend(entries)
    return {aten: tuple(entries) for aten, entries in by_operator.items()}


def aten_name(opinfo: str) -> str | None:
    """`aten::linalg_eig` for OpInfo's `linalg.eig`; None where its name tells no aten operator."""
    plain = opinfo.removeprefix("nn.functional.").replace(".", "_")
    endings = (plain.removesuffix(variant).rstrip("_") for variant in VARIANTS if plain.endswith(variant))
    return next((PREFIX + ending for ending in (plain, *endings) if ending in operators()), None)


@functools.lru_cache(maxsize=1)
def operators() -> frozenset[str]:
    """The names of torch's operators, without overloads."""
    return frozenset(operator(overload) for overload in load_history().letters)
