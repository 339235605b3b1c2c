"""What is read from the lists of PyTorch's own MPS tests."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.support import KnownFailure, by_aten, known_failures
from mpsdoctor.support.known_failures import FILE, KINDS, aten_name, read

SOURCE = """
import torch, no_such_module
if torch.backends.mps.is_available():
    def mps_ops_modifier(ops, sparse=False):
        SUPPORTED_COMPLEX_OPS = {"abs"}
        UNSUPPORTED_COMPLEX_OPS = {"addr"}
        MACOS_BEFORE_14_4_XFAILLIST = {"fft.hfft2": [torch.complex64]}
        MACOS_AFTER_13_1_XFAILLIST = {"exp": None}
        UNIMPLEMENTED_XFAILLIST: dict[str, list | None] = {
            "linalg.eig": None,
            "median": [torch.bool, torch.int8],
            "mode": SOME_LIST,
            "twice": None, "twice": [torch.float16],
            7: None,
            **others,
        }
        UNIMPLEMENTED_XFAILLIST_SPARSE = {"logspacetensor_overload": None}
        EMPTY_OPS_SKIPLIST = {"empty": None}
        UNDEFINED_XFAILLIST = dict(argsort=None)
        for op in ops:
            op.decorators = op.decorators + (1,)
    def mps_ops_grad_modifier(ops):
        XFAILLIST_GRAD = {"topk": [torch.float16]}
        ON_MPS_XFAILLIST = {"nn.functional.conv3d": [torch.float32]}
    def mps_ops_error_inputs_modifier(ops):
        XFAILLIST = {"amax"}
XFAILLIST = {"outside": None}
"""


def known() -> dict[str, tuple[KnownFailure, ...]]:
    found = read(SOURCE)
    assert found is not None
    return found


def test_each_list_says_its_kind_direction_and_macos() -> None:
    """The name of a list, and of the function around it, tell what an entry means."""
    expected = [
        KnownFailure("addr", "unsupported", ("complex32", "complex64"), "forward", None),
        KnownFailure("fft.hfft2", "fails", ("complex64",), "forward", "before 14.4"),
        KnownFailure("exp", "fails", None, "forward", "after 13.1"),
        KnownFailure("linalg.eig", "unimplemented", None, "forward", None),
        KnownFailure("median", "unimplemented", ("bool", "int8"), "forward", None),
        KnownFailure("mode", "unimplemented", (), "forward", None),
        KnownFailure("twice", "unimplemented", ("float16",), "forward", None),
        KnownFailure("logspacetensor_overload", "unimplemented", None, "forward", None, sparse=True),
        KnownFailure("empty", "skipped", None, "forward", None),
        KnownFailure("topk", "fails", ("float16",), "backward", None),
        KnownFailure("nn.functional.conv3d", "fails", ("float32",), "backward", None),
    ]
    assert sorted(known()) == sorted(each.opinfo for each in expected)
    assert {each for entries in known().values() for each in entries} == set(expected)


def test_the_file_is_never_run(tmp_path: Path) -> None:
    """A file that does harm when run is only read."""
    file = tmp_path / FILE
    file.parent.mkdir(parents=True)
    file.write_text(f"open({str(tmp_path / 'harm')!r}, 'w')\n{SOURCE}")
    assert known_failures(tmp_path) == known()
    assert not (tmp_path / "harm").exists()


def test_what_python_warns_of_is_not_ours() -> None:
    """A source that Python warns about is read like any other."""
    assert read(SOURCE + "escape = '\\d'\n") == known()


@pytest.mark.parametrize(
    "source", ["", "x = 1", "def f(: ", "\0", "(" * 5000, "def mps_ops_modifier(ops):\n    XFAILLIST = make()\n"]
)
def test_another_shape_is_unknown(source: str) -> None:
    """A file in which nothing is recognised gives no answer rather than an empty one."""
    assert read(source) is None


def test_a_torch_without_the_file_is_unknown(tmp_path: Path) -> None:
    """Before torch 2.8 there is no such file, and one that is no text is as good as none."""
    assert known_failures(tmp_path) is None
    file = tmp_path / FILE
    file.parent.mkdir(parents=True)
    file.write_bytes(b"\xff\xfe\xff")
    assert known_failures(tmp_path) is None


@given(st.text() | st.lists(st.sampled_from(SOURCE.split("\n"))).map("\n".join))
def test_any_text_is_read(source: str) -> None:
    """No text raises, and what is found is well formed."""
    for entries in (read(source) or {}).values():
        assert all(str(each.sentence()) and each.kind in dict(KINDS).values() for each in entries)


CONSTANTS = st.none() | st.integers() | st.text(max_size=8) | st.binary(max_size=3)
VALUES = st.recursive(
    CONSTANTS.map(repr) | st.sampled_from(["torch.float32", "name", "f()", "lambda: 0", "*x", "**x"]),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda each: f"[{', '.join(each)}]")
        | st.lists(st.tuples(inner, inner), max_size=3).map(
            lambda each: "{" + ", ".join(f"{a}: {b}" for a, b in each) + "}"
        )
        | st.lists(inner, min_size=1, max_size=3).map(lambda each: "{" + ", ".join(each) + "}")
    ),
    max_leaves=6,
)
TARGETS = [
    "XFAILLIST",
    "MACOS_BEFORE_15_0_XFAILLIST_GRAD",
    "a, XFAILLIST",
    "x.XFAILLIST",
    "XFAILLIST: int",
    "y = SKIPLIST",
]


@given(st.lists(st.tuples(st.sampled_from(TARGETS), VALUES)))
def test_any_python_is_read(assignments: list[tuple[str, str]]) -> None:
    """Lists of any shape are read without an exception, as long as Python takes them at all."""
    source = "def mps_ops_modifier(ops):\n    pass\n" + "".join(
        f"    {name} = {value}\n" for name, value in assignments
    )
    for opinfo, entries in (read(source) or {}).items():
        assert isinstance(ast.literal_eval(repr(opinfo)), str)
        assert all(each.concerns("float32", "forward") in (True, False) for each in entries)


@pytest.mark.parametrize(
    ("opinfo", "aten"),
    [
        ("linalg.eig", "aten::linalg_eig"),
        ("nn.functional.conv3d", "aten::conv3d"),
        ("special.airy_ai", "aten::special_airy_ai"),
        ("geqrf", "aten::geqrf"),
        ("logspacetensor_overload", "aten::logspace"),
        ("scatter_reduceprod", "aten::scatter_reduce"),
        ("linalg.pinvhermitian", "aten::linalg_pinv"),
        ("masked.median", None),
        ("signal.windows.hann", None),
    ],
)
def test_opinfo_names_are_matched_where_they_tell(opinfo: str, aten: str | None) -> None:
    """OpInfo's names are turned into aten's, variants put down to their operator; what has none stays alone."""
    assert aten_name(opinfo) == aten


def test_entries_are_found_by_aten_name() -> None:
    """An operator's result can be shown beside what PyTorch says of it."""
    (entry,) = by_aten(known())["aten::linalg_eig"]
    assert str(entry.sentence()) == "PyTorch's own tests: linalg.eig is not implemented on MPS"


def test_an_entry_concerns_its_dtypes_and_direction() -> None:
    """A gradient that fails says nothing of the forward call; a forward call that fails has no gradient."""
    gradient, forward = known()["topk"][0], known()["median"][0]
    assert gradient.concerns("float16", "backward")
    assert not gradient.concerns("float16", "forward")
    assert not gradient.concerns("float32", "backward")
    assert forward.concerns("bool", "backward")
    assert not known()["mode"][0].concerns("float32", "forward")
    assert not known()["logspacetensor_overload"][0].concerns("float32", "forward")


def test_the_sentence_says_where_and_with_what() -> None:
    """An entry in words has the gradient, the macOS and the dtypes."""
    assert str(known()["topk"][0].sentence()) == "PyTorch's own tests: topk (its gradient) fails on MPS with float16"
    assert str(known()["fft.hfft2"][0].sentence()) == (
        "PyTorch's own tests: fft.hfft2 fails on macOS before 14.4 with complex64"
    )
    assert str(known()["mode"][0].sentence()).endswith("with some dtypes")


def test_the_installed_torch_is_read() -> None:
    """The lists of the installed wheel are found, with operators that MPS has never had."""
    found = known_failures(Path(torch.__file__).parent)
    assert found is not None
    assert len(found) > 50
    assert {"hash_tensor", "linalg.eig", "mode"} <= {
        opinfo for opinfo, entries in found.items() if any(each.kind == "unimplemented" for each in entries)
    }
