"""Which calls of a model are made in the way of a known issue."""

from __future__ import annotations

from typing import Any

import pytest

from mpsdoctor.check import Context
from mpsdoctor.facts.operators import CallSummary, TensorSummary
from mpsdoctor.issues import Surroundings, read_issues
from mpsdoctor_checks.known_issues.triggers import LAYOUTS, find_met, findings_of

OLD = Surroundings("2.8.0", "15.6", "Apple M2", "arm64", False)


def tensor(
    *shape: int, stride: tuple[int, ...] | None = None, offset: int = 0, dtype: str = "float32"
) -> TensorSummary:
    strides: list[int] = []
    step = 1
    for size in reversed(shape):
        strides.insert(0, step)
        step *= size
    return {"shape": list(shape), "stride": list(stride or strides), "offset": offset, "dtype": dtype}


def call(op: str, *tensors: TensorSummary, place: str = "train.py:31 in forward", **more: Any) -> CallSummary:
    told: Any = {"op": op, "overload": "", "phase": "forward", "count": 1, "dtype": "float32", "arguments": ""}
    rest: Any = {"place": place, "code": None, "made_at": None, "module": None, "stack": []}
    made: Any = {**told, "tensors": list(tensors), **rest, **more}
    summary: CallSummary = made
    return summary


def met(*calls: CallSummary, here: Surroundings = OLD) -> list[str]:
    return [one.issue["id"] for one in find_met(calls, here)]


def recorded_at(issue: str) -> Surroundings:
    """A torch and a macOS for which it is recorded."""
    entry = next(entry for entry in read_issues() if entry["id"] == issue)
    macos = {None: "15.6", ">=26,<26.4 || ==27.0": "26.2", "<15": "14.5", "<14": "13.6", ">=26,<26.3": "26.2"}
    chip = f"Apple {(entry['chip'] or 'M3').partition('|')[0]}"
    torch = entry["torch_first_bad"] or ("2.3.0" if entry["torch_fixed"] != "2.8.0" else "2.7.0")
    return Surroundings(torch, macos.get(entry["macos"], "27.0"), chip, "arm64", False)


TRANSPOSED = tensor(3, 2, stride=(1, 3))
LAST = tensor(2, 3, 4, 4, stride=(48, 1, 12, 3))


@pytest.mark.parametrize(
    ("issue", "made"),
    [
        ("linear-transposed-weight-no-graph", call("aten::linear", tensor(5, 8), tensor(6, 8, stride=(1, 6)))),
        ("linear-expanded-input-abort", call("aten::linear", tensor(5, 9, 8, stride=(0, 8, 1)), tensor(6, 8))),
        ("linear-backward-five-d-macos27", call("aten::linear", tensor(1, 1, 1, 1, 8), tensor(6, 8))),
        ("sort-transposed-input", call("aten::sort", TRANSPOSED)),
        ("gelu-noncontiguous-input", call("aten::gelu", TRANSPOSED)),
        ("layer-norm-row-slice", call("aten::native_layer_norm", tensor(2, 4, offset=4), tensor(4), tensor(4))),
        ("grid-sample-channels-last", call("aten::grid_sampler_2d", LAST, tensor(2, 4, 4, 2))),
        ("clamp-inplace-strided-view", call("aten::clamp_", tensor(4, 3, stride=(6, 2)))),
        ("cpu-scalar-view-offset", call("aten::mul", tensor(4), tensor(offset=1))),
        ("cumsum-leading-axis-rank-5-abort", call("aten::cumsum", tensor(2, 2, 2, 2, 2))),
        ("mm-inner-dimension-32767", call("aten::mm", tensor(16, 32767), tensor(32767, 16))),
        ("abs-int-above-2-24", call("aten::abs", tensor(4, dtype="int64"))),
        ("pad-1d-longer-than-65536", call("aten::constant_pad_nd", tensor(70000))),
        ("sdpa-transposed-query-short", call("aten::scaled_dot_product_attention",
            tensor(2, 4, 5, 64, stride=(1280, 64, 256, 1)))),
        ("sdpa-causal-half-leaks-future", call("aten::scaled_dot_product_attention",
            tensor(1, 2, 8, 64, dtype="float16"), arguments="float16[1, 2, 8, 64], is_causal=True")),
        ("lstm-backward-strided-input", call("aten::lstm", tensor(5, 2, 6, stride=(6, 30, 1)))),
        ("conv2d-channel-slice-of-channels-last", call("aten::convolution",
            tensor(2, 2, 3, 5, stride=(60, 1, 20, 4)), tensor(3, 2, 1, 1))),
    ],
)  # fmt: skip
def test_a_call_in_the_way_of_an_issue_is_named(issue: str, made: CallSummary) -> None:
    """Layout, dtype, rank, size, argument: by what the recording has."""
    assert issue in met(made, here=recorded_at(issue))


@pytest.mark.parametrize(
    "made",
    [
        call("aten::linear", tensor(5, 8), tensor(6, 8), tensor(6)),
        call("aten::sort", tensor(3, 2)),
        call("aten::sort", tensor(1, 5, stride=(1, 1))),  # an axis of size one has any stride
        call("aten::gelu", tensor(2, 6, 5)),
        call("aten::mm", tensor(16, 64), tensor(64, 16)),
        call("aten::abs", tensor(4)),
        call("aten::mul", tensor(4), tensor()),
        call("aten::convolution", LAST, tensor(3, 3, 1, 1)),
        call("aten::scaled_dot_product_attention", tensor(2, 4, 50, 64, stride=(12800, 64, 256, 1))),
        call("aten::argmax"),
    ],
)
@pytest.mark.parametrize("torch", ["2.3.1", "2.8.0", "2.11.0", "2.12.0", "2.14.0"])
def test_usual_calls_are_not_named(made: CallSummary, torch: str) -> None:
    assert met(made, here=Surroundings(torch, "15.6", "Apple M1", "arm64", False)) == []


def test_only_what_is_recorded_for_here_is_named() -> None:
    """torch 2.9 has it right; a line is named once with an issue."""
    made = call("aten::linear", tensor(5, 8), tensor(6, 8, stride=(1, 6)))
    assert met(made, made) == ["linear-transposed-weight-no-graph"]
    assert met(made, here=Surroundings("2.9.0", "15.6", "Apple M2")) == []


def test_every_layout_of_the_data_is_known() -> None:
    layouts = {issue["call"]["layout"] for issue in read_issues() if issue["call"] and "layout" in issue["call"]}
    assert layouts <= LAYOUTS.keys()


def test_the_finding_names_line_and_versions() -> None:
    """As a person would say it; on a machine without MPS nothing is said."""
    machine = {"os": "Darwin", "os_version": "15.6", "chip": "Apple M2", "arch": "arm64"}
    build = {"machine": machine, "torch": {"version": "2.8.0"}, "python": {"arch": "arm64"}, "devices": []}
    context: Any = Context("standard", 1.0, None, {"build": build}, None, lambda message: None)  # type: ignore[arg-type]
    made = call("aten::linear", tensor(5, 8), tensor(6, 8, stride=(1, 6)))
    (told,) = findings_of(context, [made], ["mps"])
    assert (told.code, told.severity) == ("MPS711", "warning")
    assert told.detail.startswith("train.py:31 in forward: linear, weight or input is a transposed view;")
    assert told.detail.endswith(": wrong in torch 2.8.0 on macOS 15.6 (linear-transposed-weight-no-graph)")
    machine["os"] = "Linux"
    assert findings_of(context, [made], ["cuda"]) == []
