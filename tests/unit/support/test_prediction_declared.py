"""What is read of operators: the history that ships, and a wheel's native_functions.yaml."""

from __future__ import annotations

import csv
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.support import predict, support_in, support_of_installed
from mpsdoctor.support.declared import YAML, read_letters
from mpsdoctor.support.history import DATA, load_history, minor, parse

YAML_TEXT = """\
# a comment: - func: not_one() -> ()
- func: kernel(Tensor self) -> Tensor
  variants: function
  dispatch:
    CPU, CUDA: kernel_cpu
    MPS: kernel_mps
  autogen: kernel.out

- func: shared(Tensor self) -> Tensor
  dispatch:   # a table
    CPU, CUDA, MPS: shared
  tags: core

- func: delegating(Tensor self) -> Tensor
  structured_delegate: delegating.out  # where the kernels are

- func: delegating.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)
  structured: True
  dispatch:
    CPU: delegating_out
    MPS: delegating_out_mps

- func: stranded(Tensor self) -> Tensor
  structured_delegate: stranded.out

- func: stranded.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)
  structured: True
  dispatch:
    CPU, CUDA: stranded_out

- func: made(Tensor self) -> Tensor
  variants: method

- func: told(Tensor self) -> Tensor
  dispatch:
    CompositeImplicitAutograd: told

- func: explicit(Tensor self) -> Tensor
  dispatch:
    SparseMPS: explicit_sparse
    CompositeExplicitAutogradNonFunctional: explicit

- func: lonely.x(Tensor self) -> Tensor
  dispatch:
    SparseMPS: lonely
    CPU: lonely
"""
LETTERS = {
    "kernel": "M",
    "kernel.out": "G",
    "shared": "M",
    "delegating": "D",
    "delegating.out": "M",
    "stranded": "S",
    "stranded.out": "N",
    "made": "I",
    "told": "I",
    "explicit": "E",
    "lonely.x": "N",
}


def wheel(folder: Path, text: str) -> Path:
    """A folder of site-packages with a torch whose yaml is given."""
    file = folder / YAML
    file.parent.mkdir(parents=True)
    file.write_text(text)
    return folder / "torch"


def test_a_yaml_gives_each_overload_its_letter() -> None:
    """Kernels, delegates, composites and gaps are told by the same rules as in the history."""
    assert read_letters(YAML_TEXT) == LETTERS


def test_the_installed_wheel_agrees_with_the_history() -> None:
    """Read from its own yaml, the installed torch has letter for letter what the history says of its version."""
    version = torch.__version__
    assert support_of_installed(Path(torch.__file__).parent, version).letters == support_in(version).letters


def test_a_wheel_without_a_yaml_is_taken_from_the_history(tmp_path: Path) -> None:
    """Where the file is missing the version alone decides."""
    assert support_of_installed(tmp_path / "torch", "2.5.1") == support_in("2.5")


def test_a_newer_torch_is_read_from_its_yaml(tmp_path: Path) -> None:
    """A version after the history has its own declarations, a note, and versions counted from the history."""
    torch_folder = wheel(tmp_path, YAML_TEXT + "- func: relu(Tensor self) -> Tensor\n  dispatch:\n    MPS: relu_mps\n")
    support = support_of_installed(torch_folder, "2.16.0.dev20260101")
    assert (support.version, support.source) == ("2.16", "installed")
    assert "newer than the history" in str(support.note)
    found = {each.op: each for each in predict(["aten::relu", "aten::stranded", "aten::kernel"], support)}
    assert (found["aten::relu"].verdict, found["aten::relu"].since) == ("kernel", "2.0")
    assert (found["aten::stranded"].verdict, found["aten::stranded"].since) == ("missing", None)
    assert (found["aten::kernel"].verdict, found["aten::kernel"].since) == ("kernel", None)


PIECES = [
    "- func: a(",
    "- func: b",
    "  dispatch:",
    "  structured_delegate: a",
    "    MPS: x",
    "  autogen:",
    "\n",
    " ",
    ":",
]


@given(st.lists(st.sampled_from(PIECES) | st.text()))
def test_any_text_is_read(pieces: list[str]) -> None:
    """Whatever stands in the file, reading it gives letters and no exception."""
    assert set(read_letters("".join(pieces)).values()) <= set("MDISEGN")


@pytest.mark.parametrize(
    ("version", "expected"),
    [("2.13.0+cpu", "2.13"), ("2.3", "2.3"), (" 2.10.1 ", "2.10"), ("2", None), ("new", None), ("", None)],
)
def test_a_version_is_its_first_two_numbers(version: str, expected: str | None) -> None:
    """Patch numbers and local parts do not matter."""
    assert minor(version) == expected


def test_the_data_file_is_small_and_says_where_it_is_from() -> None:
    """The history that ships is below 60 kB, has its source at the head, and holds every letter explained there."""
    text = DATA.read_text()
    assert len(text) < 60_000
    assert "native_functions.yaml of PyTorch's published macOS wheels" in text.split("\n2.0 ")[0]
    versions, rows = parse(text)
    assert {len(row) for row in rows.values()} == {len(versions)}
    assert {letter for row in rows.values() for letter in row} <= set("MDXPFIEGSN-")


def tool() -> ModuleType:
    path = Path(__file__).parents[3] / "tools" / "compact_ops_history.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_compacting_loses_nothing(tmp_path: Path) -> None:
    """A table written from the shipped history is compacted to the same file again."""
    shipped = load_history()
    with (tmp_path / "table.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["op", "overload", "more", *(f"{version}.0" for version in shipped.versions)])
        for overload, row in shipped.letters.items():
            name, _, rest = overload.partition(".")
            writer.writerow([name, rest, "", *("" if letter == "-" else letter for letter in row)])
    module = tool()
    assert module.compact(*module.read(tmp_path / "table.csv")) == DATA.read_text()
