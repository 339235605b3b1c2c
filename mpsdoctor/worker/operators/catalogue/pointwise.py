"""Operators that work element by element: one, two and three inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .entry import (
    ANY,
    BITS,
    COMMON,
    CORE,
    FLOATS,
    INTEGERS,
    NUMBERS,
    SHAPES,
    TAIL,
    Entry,
    Options,
    entry,
    mask,
    same,
    w,
    x,
)  # fmt: skip

if TYPE_CHECKING:
    from typing_extensions import Unpack

# name, fill, rank, dtypes; all have an in-place form
UNARY: tuple[tuple[str, str, int, tuple[str, ...]], ...] = (
    ("abs", "normal", COMMON, NUMBERS),
    ("neg", "normal", COMMON, NUMBERS),
    ("exp", "normal", CORE, FLOATS),
    ("exp2", "normal", TAIL, FLOATS),
    ("expm1", "normal", TAIL, FLOATS),
    ("log", "positive", CORE, FLOATS),
    ("log2", "positive", TAIL, FLOATS),
    ("log10", "positive", TAIL, FLOATS),
    ("log1p", "positive", COMMON, FLOATS),
    ("sqrt", "positive", CORE, FLOATS),
    ("rsqrt", "positive", COMMON, FLOATS),
    ("square", "normal", COMMON, NUMBERS),
    ("reciprocal", "positive", COMMON, FLOATS),
    ("sin", "normal", COMMON, FLOATS),
    ("cos", "normal", COMMON, FLOATS),
    ("tan", "unit", TAIL, FLOATS),
    ("asin", "unit", TAIL, FLOATS),
    ("acos", "unit", TAIL, FLOATS),
    ("atan", "normal", TAIL, FLOATS),
    ("sinh", "normal", TAIL, FLOATS),
    ("cosh", "normal", TAIL, FLOATS),
    ("tanh", "normal", CORE, FLOATS),
    ("asinh", "normal", TAIL, FLOATS),
    ("acosh", "above_one", TAIL, FLOATS),
    ("atanh", "unit", TAIL, FLOATS),
    ("sigmoid", "normal", CORE, FLOATS),
    ("erf", "normal", COMMON, FLOATS),
    ("erfc", "normal", TAIL, FLOATS),
    ("erfinv", "unit", TAIL, FLOATS),
    ("frac", "normal", TAIL, FLOATS),
    ("logit", "probability", TAIL, FLOATS),
    ("lgamma", "above_one", TAIL, FLOATS),
    ("digamma", "above_one", TAIL, FLOATS),
    ("deg2rad", "normal", TAIL, FLOATS),
    ("rad2deg", "normal", TAIL, FLOATS),
    ("i0", "normal", TAIL, FLOATS),
    ("nan_to_num", "with_nan", COMMON, FLOATS),
)
# Flat almost everywhere: their derivative is zero.
STEPS: tuple[tuple[str, int, tuple[str, ...]], ...] = (
    ("sign", TAIL, NUMBERS),
    ("sgn", TAIL, NUMBERS),
    ("ceil", TAIL, FLOATS),
    ("floor", COMMON, FLOATS),
    ("round", COMMON, FLOATS),
    ("trunc", TAIL, FLOATS),
)
TESTS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("isnan", "with_nan", FLOATS),
    ("isinf", "with_nan", FLOATS),
    ("isfinite", "with_nan", FLOATS),
    ("isposinf", "with_nan", FLOATS),
    ("isneginf", "with_nan", FLOATS),
    ("signbit", "normal", NUMBERS),
)
SPECIAL = (
    ("special_i0e", "normal"),
    ("special_i1", "normal"),
    ("special_i1e", "normal"),
    ("special_entr", "positive"),
    ("special_ndtr", "normal"),
    ("special_log_ndtr", "normal"),
    ("special_ndtri", "probability"),
    ("special_erfcx", "normal"),
    ("special_bessel_j0", "positive"),
    ("special_bessel_j1", "positive"),
)
NO_HALF_SPECIAL = ("special_i0e", "special_i1", "special_i1e", "special_ndtri", "special_erfcx",
                   "special_bessel_j0", "special_bessel_j1", "special_log_ndtr")  # fmt: skip
NO_DERIVATIVE = ("special_bessel_j0", "special_bessel_j1")
# name, fills, rank, dtypes
BINARY: tuple[tuple[str, str, str, int, tuple[str, ...]], ...] = (
    ("add", "normal", "normal", CORE, ANY),
    ("sub", "normal", "normal", CORE, NUMBERS),
    ("mul", "normal", "normal", CORE, ANY),
    ("div", "normal", "positive", CORE, FLOATS),
    ("pow", "positive", "normal", COMMON, FLOATS),
    ("remainder", "normal", "positive", TAIL, NUMBERS),
    ("fmod", "normal", "positive", TAIL, NUMBERS),
    ("atan2", "normal", "normal", TAIL, FLOATS),
    ("hypot", "normal", "normal", TAIL, FLOATS),
    ("copysign", "normal", "normal", TAIL, FLOATS),
    ("xlogy", "normal", "positive", TAIL, FLOATS),
)
PAIRS: tuple[tuple[str, int, tuple[str, ...]], ...] = (  # no in-place form
    ("maximum", COMMON, ANY),
    ("minimum", COMMON, ANY),
    ("fmax", TAIL, NUMBERS),
    ("fmin", TAIL, NUMBERS),
    ("logaddexp", COMMON, FLOATS),
    ("logaddexp2", TAIL, FLOATS),
)
COMPARISONS: tuple[tuple[str, int], ...] = (
    ("eq", CORE), ("ne", COMMON), ("lt", COMMON), ("le", COMMON), ("gt", COMMON), ("ge", COMMON),
    ("logical_and", COMMON), ("logical_or", TAIL), ("logical_xor", TAIL),
)  # fmt: skip
ONE_WAY = ("asinh", "acosh", "atanh")  # torch has no derivative of their in-place forms
BITWISE = ("bitwise_and", "bitwise_or", "bitwise_xor")


def elementwise(op: str, *args: Any, **options: Unpack[Options]) -> Entry:
    """An operator with an in-place form and every shape variant."""
    options["shapes"] = SHAPES
    options["inplace"] = None if op in ONE_WAY else f"Tensor.{op}_"
    return same(op, "torch", *args, **options)


def comparison(op: str, rank: int) -> Entry:
    inputs = (x(4, 6, fill="digits"), x(4, 6, fill="digits"))
    return same(op, "torch", *inputs, rank=rank, dtypes=ANY, backward=False, shapes=SHAPES)


def special(op: str, fill: str) -> Entry:
    call = "torch.special." + op[len("special_") :]
    lacks = ("float16", "bfloat16") if op in NO_HALF_SPECIAL else ()
    return entry(op, call, x(4, 6, fill=fill), backward=op not in NO_DERIVATIVE, shapes=SHAPES, cpu_lacks=lacks)


ENTRIES: list[Entry] = [
    *(elementwise(op, x(4, 6, fill=fill), rank=rank, dtypes=dtypes) for op, fill, rank, dtypes in UNARY),
    *(elementwise(op, x(4, 6), rank=rank, dtypes=dtypes) for op, rank, dtypes in STEPS),
    *(
        same(op, "torch", x(4, 6, fill=fill), dtypes=dtypes, backward=False, shapes=SHAPES)
        for op, fill, dtypes in TESTS
    ),
    *(special(op, fill) for op, fill in SPECIAL),
    *(
        elementwise(op, x(4, 6, fill=left), x(4, 6, fill=right), rank=rank, dtypes=dtypes)
        for op, left, right, rank, dtypes in BINARY
    ),
    *(
        same(op, "torch", x(4, 6, fill="distinct"), x(4, 6, fill="distinct"), rank=rank, dtypes=dtypes, shapes=SHAPES)
        for op, rank, dtypes in PAIRS
    ),
    *(comparison(op, rank) for op, rank in COMPARISONS),
    *(elementwise(op, x(4, 6), x(4, 6), dtypes=BITS, backward=False) for op in BITWISE),
    elementwise("bitwise_not", x(4, 6), dtypes=BITS, backward=False),
    elementwise("sinc", x(4, 6, fill="above_one"), slack=16, because="its gradient is a difference of like numbers"),
    elementwise("logical_not", x(4, 6, fill="digits"), dtypes=ANY, backward=False, rank=COMMON),
    elementwise("bitwise_left_shift", x(4, 6, fill="positive"), 2, dtypes=INTEGERS, backward=False),
    elementwise("bitwise_right_shift", x(4, 6), 1, dtypes=INTEGERS, backward=False),
    elementwise("gcd", x(4, 6), x(4, 6), dtypes=INTEGERS, backward=False),
    same("lcm", "torch", x(4, 6, fill="positive"), x(4, 6), dtypes=INTEGERS, backward=False),
    elementwise("floor_divide", x(4, 6), x(4, 6, fill="positive"), dtypes=NUMBERS, backward=False, rank=COMMON),
    same("heaviside", "torch", x(4, 6, fill="digits"), x(4, 6), backward=False, shapes=SHAPES),
    same("rsub", "torch", x(4, 6), 2.0, rank=COMMON, shapes=SHAPES),
    same("isclose", "torch", x(4, 6, fill="digits"), x(4, 6, fill="digits"), backward=False, shapes=SHAPES),
    same("ldexp", "torch", x(4, 6), w(6, fill="digits", grad=False), dtypes=("float32",)),
    # scalars and broadcasting take other kernels than two tensors of one shape
    entry("add", "torch.add", x(4, 6), 1.5, case="Scalar", rank=CORE, inplace="Tensor.add_", shapes=SHAPES),
    entry("add", "torch.add", x(4, 6), w(6), case="broadcast", rank=CORE, inplace="Tensor.add_", kw={"alpha": 2}),
    entry("mul", "torch.mul", x(4, 6), 0.5, case="Scalar", rank=CORE, inplace="Tensor.mul_", shapes=SHAPES),
    entry("mul", "torch.mul", x(4, 6), w(4, 1), case="broadcast", rank=CORE, inplace="Tensor.mul_"),
    entry("div", "torch.div", x(4, 6), 3.0, case="Scalar", rank=CORE, inplace="Tensor.div_", shapes=SHAPES),
    entry("div", "torch.div", x(4, 6), x(4, 6, fill="positive"), case="floor", dtypes=NUMBERS, backward=False,
          kw={"rounding_mode": "floor"}),
    entry("div", "torch.div", x(4, 6), x(4, 6, fill="positive"), case="trunc", dtypes=NUMBERS, backward=False,
          kw={"rounding_mode": "trunc"}),
    entry("pow", "torch.pow", x(4, 6), 2, case="square", rank=CORE, dtypes=NUMBERS, inplace="Tensor.pow_",
          shapes=SHAPES),
    entry("pow", "torch.pow", x(4, 6, fill="positive"), 0.5, case="root", rank=COMMON, shapes=SHAPES),
    entry("pow", "torch.pow", x(4, 6), 3, case="cube", rank=COMMON, dtypes=NUMBERS, shapes=SHAPES),
    elementwise("clamp", x(4, 6), -0.5, 0.7, rank=CORE),
    entry("clamp", "torch.clamp", x(4, 6), w(6, fill="below"), w(6, fill="positive"), case="Tensor", rank=COMMON),
    elementwise("clamp_min", x(4, 6), 0.1, rank=COMMON),
    elementwise("clamp_max", x(4, 6), 0.1, rank=COMMON),
    elementwise("lerp", x(4, 6), x(4, 6), 0.3, rank=CORE),
    entry("lerp", "torch.lerp", x(4, 6), x(4, 6), x(4, 6, fill="probability"), case="Tensor", inplace="Tensor.lerp_"),
    elementwise("addcmul", x(4, 6), x(4, 6), x(4, 6), rank=CORE, kw={"value": 0.5}),
    elementwise("addcdiv", x(4, 6), x(4, 6), x(4, 6, fill="positive"), rank=CORE, kw={"value": 0.5}),
    same("where", "torch", mask(4, 6), x(4, 6), x(4, 6), rank=CORE, dtypes=ANY, shapes=SHAPES),
    entry("where", "torch.where", mask(4, 6), x(4, 6), 0.0, case="Scalar", rank=COMMON),
    entry("masked_fill", "Tensor.masked_fill", x(4, 6), mask(4, 6), -2.0, rank=CORE, shapes=SHAPES,
          inplace="Tensor.masked_fill_"),
    same("polar", "torch", x(4, 6, fill="positive"), x(4, 6), dtypes=("float32",)),
    same("complex", "torch", x(4, 6), x(4, 6), dtypes=("float32",)),
    same("angle", "torch", x(4, 6), backward=False),
    same("polygamma", "torch", 1, x(4, 6, fill="above_one"), cpu_lacks=("float16", "bfloat16")),
]  # fmt: skip
