"""What is predicted for MPS from histories and calls, without torch."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.support import (
    Call,
    Prediction,
    Support,
    call_of,
    overall_answer,
    predict,
    predictions_as_json,
    predictions_as_text,
    sentence,
    support_in,
)
from mpsdoctor.support.history import History, load_history
from mpsdoctor.support.known_failures import KnownFailure
from mpsdoctor.support.prediction import VERDICTS
from mpsdoctor.support.wording import headline
from mpsdoctor.worker.shapes import CallNode

# Three versions of a torch with one operator of every letter.
HISTORY = History(
    ("2.0", "2.9", "2.10"),
    {
        "kernel": "MMM",
        "late": "NNM",
        "later": "NMM",
        "lost": "MMN",
        "back": "MNM",
        "never": "NNN",
        "delegated": "SDD",
        "moved": "FFF",
        "made": "III",
        "made.out": "GGG",
        "new": "--M",
        "newly_made": "--E",
        "many.Scalar": "NNN",
        "many.Tensor": "NMM",
        "many.out": "MMM",
        "linalg_svd": "FFI",
        "_linalg_svd": "SSD",
        "svd": "III",
        "convolution": "EEE",
        "_mps_convolution": "MMM",
        "_adaptive_avg_pool2d": "MMM",
        "_to_dense": "NNN",
        "linalg_pinv": "III",
    },
)


def support(version: str = "2.9") -> Support:
    at = HISTORY.versions.index(version)
    letters = {name: row[at] for name, row in HISTORY.letters.items() if row[at] != "-"}
    return Support(version, letters, reference=version, history=HISTORY)


def one(call: Call | str, version: str = "2.9") -> Prediction:
    found = predict([call], support(version))
    assert len(found) == 1
    return found[0]


VERDICT_OF = [
    ("kernel", "2.9", "kernel", "2.0", None),
    ("delegated", "2.9", "kernel", "2.9", None),
    ("delegated", "2.0", "missing", "2.9", True),
    ("late", "2.9", "missing", "2.10", True),
    ("lost", "2.10", "missing", None, True),
    ("back", "2.10", "kernel", "2.10", None),
    ("never", "2.9", "missing", None, True),
    ("moved", "2.9", "fallback", "2.0", True),
    ("made", "2.9", "composite", None, None),
    ("made.out", "2.9", "composite", None, None),
    ("new", "2.9", "unknown", "2.10", None),
    ("nonsense", "2.9", "unknown", None, None),
]


@pytest.mark.parametrize(("name", "version", "verdict", "since", "fallback"), VERDICT_OF)
def test_each_letter_has_its_verdict(name: str, version: str, verdict: str, since: str, fallback: bool) -> None:
    """A kernel, its absence, and what always runs on the CPU are told apart, with the version from which it works."""
    found = one(name, version)
    assert (found.op, found.verdict, found.since, found.fallback) == (f"aten::{name}", verdict, since, fallback)


@pytest.mark.parametrize("spelling", ["late", "aten::late", "aten.late", "aten.late.default", "aten::late.default"])
def test_every_spelling_is_the_same_operator(spelling: str) -> None:
    """Names are taken with and without prefix and default overload."""
    assert one(spelling) == one("late")


def test_a_name_without_overload_stands_for_its_best_one() -> None:
    """An operator named alone has a kernel if an overload that returns new tensors has one; out= forms do not count."""
    assert one("many").verdict == "kernel"
    assert one("many", "2.0").verdict == "missing"
    assert one("many.Scalar").verdict == "missing"


def test_a_composite_needs_its_parts() -> None:
    """What is made of operators without kernels is missing, and works from when the last of them does."""
    inner = Call("made", parts=(Call("late"), Call("kernel")))
    found = one(Call("made.out", parts=(inner, Call("later"))), "2.0")
    assert (found.verdict, found.needs, found.since) == ("missing", ("aten::late", "aten::later"), "2.10")
    assert one(Call("made", parts=(Call("kernel"), Call("made")))).verdict == "composite"


def test_one_part_that_never_came_leaves_no_version() -> None:
    """A composite has no version to wait for if one of its parts has none."""
    assert one(Call("made", parts=(Call("late"), Call("never")))).since is None


def test_parts_of_a_kernel_do_not_count() -> None:
    """What the CPU's kernel calls says nothing about one of MPS's own."""
    assert one(Call("kernel", parts=(Call("never"),))).verdict == "kernel"


def test_the_worst_of_several_calls_counts() -> None:
    """An operator called twice is predicted once, by the call that stops it."""
    calls = [Call("made", parts=(Call("kernel"),)), Call("made", parts=(Call("late"),)), Call("kernel")]
    found = predict(calls, support())
    assert [(each.op, each.verdict) for each in found] == [("aten::made", "missing"), ("aten::kernel", "kernel")]


def test_a_singular_value_decomposition_runs_on_the_cpu_where_nothing_else_calls_it() -> None:
    """linalg_svd moves to the CPU by itself before torch 2.14; the same decomposition called by others is missing."""
    part = Call("_linalg_svd")
    assert one(Call("svd", parts=(part,))).verdict == "fallback"
    assert one(Call("made", parts=(part,))).verdict == "missing"
    assert one(Call("svd", parts=(part,)), "2.10").verdict == "composite"


def test_the_cpus_own_way_of_a_convolution_does_not_count() -> None:
    """A convolution is judged by MPS's kernel, not by the ones that the CPU chose."""
    assert one(Call("convolution", parts=(Call("never"),))).verdict == "composite"


def test_float64_stops_a_call() -> None:
    """A call with float64 is refused whatever kernels there are, and the fallback does not help."""
    found = one(Call("kernel", dtypes=("float32", "float64")))
    assert (found.verdict, found.fallback) == ("dtype", False)


def test_a_dtype_that_is_lacking_is_named() -> None:
    """What MPS never takes is told by its own name; what it takes by now, with the version from which on."""
    assert str(one(Call("kernel", dtypes=("complex128",))).reason) == "MPS has no complex128"
    assert one(Call("kernel", dtypes=("float8_e5m2",))).verdict == "dtype"
    assert str(one(Call("kernel", dtypes=("bfloat16",)), "2.0").reason) == "MPS has bfloat16 since torch 2.3"
    assert one(Call("kernel", dtypes=("bfloat16",))).verdict == "kernel"


def test_thresholds_in_float64_are_the_cpus_own() -> None:
    """Inside of linalg_pinv float64 does not count, around it it does."""
    part = Call("kernel", dtypes=("float64",))
    assert one(Call("linalg_pinv", parts=(part,))).verdict == "composite"
    assert one(Call("made", parts=(part,))).verdict == "dtype"
    assert one(Call("kernel", dtypes=("float64",), node="RenormBackward0")).verdict == "kernel"


def tensor(*sizes: int, dtype: str = "float32") -> dict[str, object]:
    return {"dtype": dtype, "sizes": [*sizes]}


@pytest.mark.parametrize(
    ("size", "out", "verdict"),
    [((8, 8), (4, 2), "kernel"), ((4, 4), (8, 4), "kernel"), ((7, 8), (4, 4), "sizes"), ((8, 8), (8, 5), "sizes")],
)
def test_adaptive_pooling_needs_multiples(size: tuple[int, ...], out: tuple[int, ...], verdict: str) -> None:
    """Adaptive pooling is predicted to fail where neither size is a multiple of the other."""
    given = {"self": tensor(1, 3, *size), "result": [tensor(1, 3, *out)]}
    assert one(Call("_adaptive_avg_pool2d", given=given)).verdict == verdict


def test_sparse_tensors_are_not_known() -> None:
    """A dense kernel says nothing about sparse tensors, and whether the fallback takes them is not known."""
    assert one(Call("kernel", sparse=True)).verdict == "unknown"
    assert one(Call("_to_dense", sparse=True)).verdict == "unknown"
    assert one(Call("never", sparse=True)).fallback is None


def test_what_a_version_does_not_have_yet_is_judged_by_its_parts_if_they_run() -> None:
    """A newer composite counts as its parts in an older torch; if one is missing there, nothing is known."""
    assert one(Call("newly_made", parts=(Call("kernel"),))).verdict == "composite"
    assert one(Call("newly_made", parts=(Call("never"),))).verdict == "unknown"


def test_other_libraries_operators_are_not_known() -> None:
    """An operator of another library keeps its name and is unknown, unless its parts tell."""
    assert one("mine::own").op == "mine::own"
    assert one("mine::own").verdict == "unknown"
    assert one(Call("mine::own", parts=(Call("late"),))).verdict == "unknown"
    assert one(Call("mine::own", parts=(Call("kernel"),))).verdict == "composite"


@pytest.mark.parametrize(
    ("op", "version", "verdict", "since"),
    [
        ("torchvision::nms", "2.0", "missing", "2.1"),
        ("torchvision::nms", "2.1", "kernel", "2.1"),
        ("torchvision::_roi_align_backward", "2.13", "kernel", "2.1"),
        ("torchvision::deform_conv2d", "2.7", "missing", "2.8"),
        ("torchvision::_deform_conv2d_backward", "2.15", "missing", None),
        ("quantized::linear_dynamic", "2.13", "missing", None),
    ],
)
def test_torchvisions_operators_are_known_by_the_torch_it_goes_with(
    op: str, version: str, verdict: str, since: str | None
) -> None:
    """torchvision 0.16, which goes with torch 2.1, brought kernels for MPS; torch's quantized operators have none."""
    found = predict([op], support_in(version))[0]
    assert (found.verdict, found.since) == (verdict, since)


def test_the_headline_counts_what_is_not_plain() -> None:
    """What runs on the CPU in any case, and what could not be judged, is in the first line."""

    def said(*calls: Call) -> str:
        return str(headline(predict(calls, support())))

    assert said(Call("kernel")) == "runs, every operator has what it needs"
    assert said(Call("kernel"), Call("moved")) == "runs, with 1 operator on the CPU whatever the fallback is set to"
    others = said(Call("kernel"), Call("mine::a"), Call("mine::b"), Call("yours::c"))
    assert others == "runs, but for 3 operators of mine and yours that could not be judged"


def test_a_version_outside_the_history_says_so() -> None:
    """For a torch that nothing is known of every operator is unknown, with the reason."""
    unknown = support_in("3.4")
    found = predict(["aten::add.Tensor"], unknown)[0]
    assert (found.verdict, found.since) == ("unknown", None)
    assert "2.0 to 2.15" in str(found.reason)
    assert "not for 3.4" in str(predictions_as_text([found], unknown))


def test_the_sentence_says_since_when() -> None:
    """What is missing is told with its version, ours, and whether the fallback takes over."""
    said = sentence(one(Call("made", parts=(Call("late"),)), "2.9"), "2.9.1+cpu")
    assert said == (
        "aten::made needs aten::late: MPS has it since torch 2.10, you have 2.9; "
        "with PYTORCH_ENABLE_MPS_FALLBACK=1 it runs on the CPU"
    )
    assert sentence(one("never"), "2.9").startswith("aten::never: MPS has it in no torch up to 2.15; with")
    assert sentence(one("kernel"), "2.9") == "aten::kernel: MPS has it since torch 2.0"
    assert sentence(one(Call("kernel", dtypes=("float64",))), "2.9").endswith("the fallback does not help")


@pytest.mark.parametrize(
    ("calls", "answer"),
    [
        ([Call("kernel"), Call("made")], "runs"),
        ([Call("kernel"), Call("moved")], "runs"),
        ([Call("late")], "fallback"),
        ([Call("late"), Call("kernel", dtypes=("float64",))], "stops"),
        ([Call("never", sparse=True)], "stops"),
        ([Call("kernel"), Call("mine::own")], "runs"),
        ([Call("kernel"), Call("not_here")], "unknown"),
        ([Call("mine::own")], "unknown"),
        ([], "unknown"),
    ],
)
def test_the_whole_answer(calls: list[Call], answer: str) -> None:
    """A model runs, runs with the fallback, does not run, or is not known."""
    assert overall_answer(predict(calls, support())) == answer


def test_text_and_data_tell_the_same() -> None:
    """The text names what is in the way, with what PyTorch's tests say; the data has a row for each operator."""
    known = {"aten::late": (KnownFailure("late", "unimplemented", None, "forward", None),)}
    predictions = predict(["late", "kernel", "moved", "nonsense"], support())
    shown = str(predictions_as_text(predictions, support(), known))
    assert "In the way (1)" in shown
    assert "PyTorch's own tests: late is not implemented on MPS" in shown
    assert "1 of 4 operators" in shown
    document = predictions_as_json(predictions, support(), known)
    rows = {row["op"]: row for row in document["results"]}
    assert rows["aten::late"]["outcome"] == "unimplemented"
    assert rows["aten::late"]["known_failures"]
    assert rows["aten::kernel"]["outcome"] is None
    assert document["answer"] == "fallback"


def node(op: str, parts: Sequence[CallNode] = ()) -> CallNode:
    return {
        "op": op, "dtypes": [], "sparse": False, "node": "", "given": {}, "optimizer": False, "parts": [*parts],
        "lives": "device", "place": None, "made": None, "meets": None, "count": 1,
    }  # fmt: skip


NODES = st.recursive(
    st.builds(node, st.sampled_from([*HISTORY.letters, "torchvision::nms", "", "::", "a.b.c"])),
    lambda inner: st.builds(node, st.sampled_from(["made", "svd"]), st.lists(inner)),
    max_leaves=8,
)


@given(st.lists(NODES), st.sampled_from(HISTORY.versions))
def test_any_calls_have_a_prediction(nodes: list[CallNode], version: str) -> None:
    """Every list of calls gives one prediction for each operator, and a text."""
    found = predict(map(call_of, nodes), support(version))
    assert len({each.op for each in found}) == len(found) <= len(nodes)
    assert all(each.verdict in VERDICTS for each in found)
    assert predictions_as_text(found, support(version))


def test_known_turns_of_the_history() -> None:
    """Turns that PyTorch's release notes tell are in the history that ships."""
    shipped = load_history()
    assert shipped.versions == tuple(f"2.{minor}" for minor in range(16))
    assert shipped.since("max_pool3d_with_indices", "2.3") == "2.9"
    assert shipped.since("linalg_eig", "2.15") is None
    assert predict(["aten::linalg_eig"], support_in("2.13.0+cpu"))[0].verdict == "missing"
    assert predict(["aten::relu"], support_in("2.0.1"))[0].verdict == "kernel"
