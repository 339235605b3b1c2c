"""Activations, softmax and its relatives."""

from __future__ import annotations

from .entry import COMMON, CORE, SHAPES, TAIL, Entry, Kwargs, entry, w, x

# operator, function, rank, keyword arguments, in-place form
ACTIVATIONS: tuple[tuple[str, str, int, Kwargs, str | None], ...] = (
    ("relu", "F.relu", CORE, {}, "Tensor.relu_"),
    ("gelu", "F.gelu", CORE, {}, None),
    ("silu", "F.silu", CORE, {}, "aten.silu_"),
    ("leaky_relu", "F.leaky_relu", COMMON, {"negative_slope": 0.1}, "aten.leaky_relu_"),
    ("elu", "F.elu", COMMON, {"alpha": 0.8}, "aten.elu_"),
    ("selu", "F.selu", TAIL, {}, "torch.selu_"),
    ("celu", "F.celu", TAIL, {"alpha": 0.8}, "torch.celu_"),
    ("mish", "F.mish", COMMON, {}, "aten.mish_"),
    ("softplus", "F.softplus", COMMON, {"beta": 1.5}, None),
    ("hardtanh", "F.hardtanh", COMMON, {}, "aten.hardtanh_"),
    ("relu6", "F.relu6", COMMON, {}, "aten.relu6_"),
    ("hardsigmoid", "F.hardsigmoid", COMMON, {}, "aten.hardsigmoid_"),
    ("hardswish", "F.hardswish", COMMON, {}, "aten.hardswish_"),
    ("hardshrink", "F.hardshrink", TAIL, {}, None),
    ("softshrink", "F.softshrink", TAIL, {}, None),
    ("log_sigmoid", "F.logsigmoid", COMMON, {}, None),
    ("threshold", "F.threshold", TAIL, {"threshold": 0.2, "value": -1.0}, None),
)
# Two or three operators, each rounding on its own.
COMPOSITE: tuple[tuple[str, str, str], ...] = (
    ("sub", "F.tanhshrink", "tanhshrink"),
    ("div", "F.softsign", "softsign"),
)


def activation(op: str, call: str, rank: int, kw: Kwargs, inplace: str | None) -> Entry:
    return entry(op, call, x(4, 6), kw=kw, rank=rank, inplace=inplace, shapes=SHAPES)


def composite(op: str, call: str, case: str) -> Entry:
    return entry(op, call, x(4, 6), case=case, slack=4, because="several roundings", shapes=SHAPES)


ENTRIES: list[Entry] = [
    *(activation(*row) for row in ACTIVATIONS),
    *(composite(*row) for row in COMPOSITE),
    entry("gelu", "F.gelu", x(4, 6), case="tanh", kw={"approximate": "tanh"}, rank=CORE, shapes=SHAPES),
    entry("prelu", "F.prelu", x(2, 3, 4), w(3, fill="probability"), rank=COMMON),
    entry("rrelu", "F.rrelu", x(4, 6), kw={"training": False}, backward=False),
    entry("glu", "F.glu", x(4, 6), -1, rank=COMMON),
    entry("softmax", "torch.softmax", x(4, 6), -1, rank=CORE, shapes=("empty", "5d")),
    entry("softmax", "torch.softmax", x(4, 3, 5), 1, case="inner", rank=COMMON),
    entry("softmax", "torch.softmax", x(3, 700), -1, case="wide", rank=COMMON, slack=4, because="700 terms"),
    entry("log_softmax", "torch.log_softmax", x(4, 6), -1, rank=CORE, shapes=("empty", "5d")),
    entry("log_softmax", "torch.log_softmax", x(2, 5, 3, 3), 1, case="inner", rank=COMMON),
    entry("softmax", "F.softmin", x(4, 6), case="softmin", kw={"dim": -1}),
]
