"""Operators over lists of tensors, and the steps of the optimizers that use them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .entry import COMMON, CORE, FLOATS, TAIL, Entry, Kwargs, Options, Tolerance, constants, entry, w

if TYPE_CHECKING:
    from typing_extensions import Unpack

PARAMETERS, GRADIENTS = [w(4, 6), w(5), w(2, 3, 2)], [w(4, 6), w(5), w(2, 3, 2)]
POSITIVE = [w(4, 6, fill="positive"), w(5, fill="positive"), w(2, 3, 2, fill="positive")]
STEPS: Tolerance = {"slack": 16, "because": "three steps, each rounding state and parameter"}

UNARY_LISTS = ("neg", "exp", "sqrt", "abs", "reciprocal", "log", "tanh", "sigmoid")
BINARY_LISTS: tuple[tuple[str, int], ...] = (
    ("add", CORE), ("sub", COMMON), ("mul", CORE), ("div", CORE), ("maximum", TAIL), ("minimum", TAIL),
)  # fmt: skip
TERNARY_LISTS = ("addcmul", "addcdiv")

NO_FLOAT16 = ("float32", "bfloat16")  # squares of gradients and epsilon are zero in float16
# class, case, keyword arguments, rank: none is CORE, since the first step of any optimizer loads a second of modules
OPTIMIZERS: tuple[tuple[str, str, Kwargs, int], ...] = (
    ("SGD", "", {"lr": 0.1}, COMMON),
    ("SGD", "momentum", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}, COMMON),
    ("Adam", "", {"lr": 0.05}, COMMON),
    ("AdamW", "", {"lr": 0.05, "weight_decay": 0.1}, COMMON),
    ("Adam", "amsgrad", {"lr": 0.05, "amsgrad": True}, TAIL),
    ("RMSprop", "", {"lr": 0.05, "momentum": 0.5}, COMMON),
    ("Adagrad", "", {"lr": 0.1}, COMMON),
    ("Adadelta", "", {"lr": 1.0}, TAIL),
    ("Adamax", "", {"lr": 0.05}, TAIL),
    ("NAdam", "", {"lr": 0.05}, TAIL),
    ("RAdam", "", {"lr": 0.05}, TAIL),
    ("ASGD", "", {"lr": 0.1}, TAIL),
)
# The operator that carries most of a step, for the report.
CARRIED_BY = {"SGD": "add_", "Adadelta": "addcmul_", "Adamax": "addcdiv_", "ASGD": "add_", "RAdam": "addcmul_"}
# class, first torch with a fused CPU kernel to compare with, dtypes that kernel has wrong: float16 SGD of 2.13
# leaves whole vectors of elements at other values than float32 does
FUSED: tuple[tuple[str, tuple[int, int], tuple[str, ...]], ...] = (
    ("Adam", (2, 4), ()), ("AdamW", (2, 4), ()), ("SGD", (2, 4), ("float16",)), ("Adagrad", (2, 5), ()),
)  # fmt: skip


def foreach(op: str, *args: Any, **options: Unpack[Options]) -> Entry:
    """An operator over lists of tensors, which has no derivative."""
    return constants(f"_foreach_{op}", f"torch._foreach_{op}", *args, **options)


def optimizer(name: str, case: str, settings: Kwargs, rank: int, way: str) -> Entry:
    """One optimizer taken three steps; `way` is "single", "foreach" or "fused"."""
    carried = CARRIED_BY.get(name, "addcdiv_")
    op = {"single": carried, "foreach": f"_foreach_{carried}", "fused": f"_fused_{name.lower()}_"}[way]
    label = "_".join(part for part in (name.lower(), case, way) if part)
    options = {**settings, "fused": True} if way == "fused" else {**settings, "foreach": way == "foreach"}
    # torch's fused CPU kernels read any parameter as if it were contiguous
    without = ("expanded", "transposed", "strided") if way == "fused" else ("expanded",)
    dtypes = FLOATS if name == "SGD" else NO_FLOAT16
    args = (name, PARAMETERS, GRADIENTS, options)
    return entry(op, "calls.optimizer_steps", *args, case=label, rank=rank, dtypes=dtypes, without=without,
                 backward=False, **STEPS)  # fmt: skip


ENTRIES: list[Entry] = [
    *(optimizer(*row, way) for row in OPTIMIZERS for way in ("single", "foreach")),
    *(optimizer(name, "", {"lr": 0.05}, COMMON, "fused")._replace(since=since, cpu_lacks=lacks)
      for name, since, lacks in FUSED),
    *(foreach(op, POSITIVE) for op in UNARY_LISTS),
    *(foreach(op, PARAMETERS, POSITIVE, rank=rank) for op, rank in BINARY_LISTS),
    *(foreach(op, PARAMETERS, GRADIENTS, POSITIVE, 0.5, rank=CORE) for op in TERNARY_LISTS),
    foreach("add", PARAMETERS, 1.5, case="Scalar", rank=COMMON),
    foreach("mul", PARAMETERS, 0.5, case="Scalar", rank=CORE),
    foreach("div", PARAMETERS, [2.0, 3.0, 4.0], case="ScalarList"),
    foreach("lerp", PARAMETERS, GRADIENTS, 0.3, rank=CORE, since=(2, 1)),
    foreach("norm", PARAMETERS, rank=CORE, slack=2, because="a sum of squares"),
    foreach("pow", POSITIVE, 2.0, since=(2, 1)),
    foreach("clamp_min", PARAMETERS, 0.1),
    entry("_foreach_add_", "calls.mutate_list", "_foreach_add_", PARAMETERS, GRADIENTS, {"alpha": 0.5}, rank=CORE,
          backward=False, without=("expanded",)),
    entry("_foreach_mul_", "calls.mutate_list", "_foreach_mul_", PARAMETERS, GRADIENTS, {}, rank=CORE,
          backward=False, without=("expanded",)),
    entry("_foreach_zero_", "calls.zero_list", PARAMETERS, rank=CORE, backward=False, without=("expanded",)),
    entry("_foreach_norm", "calls.clip_gradients", PARAMETERS, GRADIENTS, case="clip", rank=CORE, backward=False,
          **STEPS),
]  # fmt: skip
