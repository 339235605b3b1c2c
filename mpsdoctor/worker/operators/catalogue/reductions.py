"""Reductions, running sums, sorting and counting."""

from __future__ import annotations

from .entry import ANY, COMMON, CORE, FLOATS, NUMBERS, SINGLE, TAIL, Entry, Traits, constants, entry, index, same, w, x

DIM = {"dim": -1}
DEEP = ("5d",)
FULL = ("zero-dim", "5d")

# operator, rank, dtypes; reduced along the last dimension
ALONG: tuple[tuple[str, str, int, tuple[str, ...]], ...] = (
    ("sum", "normal", CORE, ANY),
    ("mean", "normal", CORE, FLOATS),
    ("prod", "positive", TAIL, NUMBERS),
    ("var", "normal", CORE, FLOATS),
    ("std", "normal", COMMON, FLOATS),
    ("amax", "distinct", COMMON, NUMBERS),
    ("amin", "distinct", COMMON, NUMBERS),
    ("max", "distinct", CORE, NUMBERS),
    ("min", "distinct", COMMON, NUMBERS),
    ("logsumexp", "normal", CORE, FLOATS),
    ("nansum", "with_nan", TAIL, FLOATS),
    ("nanmean", "with_nan", TAIL, FLOATS),
    ("median", "distinct", TAIL, NUMBERS),
    ("nanmedian", "distinct", TAIL, NUMBERS),
    ("cumsum", "normal", COMMON, NUMBERS),
    ("cumprod", "positive", TAIL, NUMBERS),
    ("cummax", "distinct", TAIL, NUMBERS),
    ("cummin", "distinct", TAIL, NUMBERS),
    ("logcumsumexp", "normal", TAIL, FLOATS),
    ("sort", "distinct", COMMON, NUMBERS),
    ("aminmax", "distinct", TAIL, NUMBERS),
)
COUNTING: tuple[tuple[str, str, int, tuple[str, ...]], ...] = (
    ("argmax", "distinct", CORE, NUMBERS),
    ("argmin", "distinct", COMMON, NUMBERS),
    ("argsort", "distinct", COMMON, NUMBERS),
    ("any", "digits", COMMON, ANY),
    ("all", "digits", COMMON, ANY),
    ("count_nonzero", "digits", TAIL, ANY),
)
# reduced over every element
OVER_ALL: tuple[tuple[str, str, int, tuple[str, ...]], ...] = (
    ("sum", "normal", CORE, ANY),
    ("mean", "normal", CORE, FLOATS),
    ("prod", "positive", TAIL, FLOATS),
    ("std", "normal", COMMON, FLOATS),
    ("max", "distinct", CORE, NUMBERS),
    ("min", "distinct", COMMON, NUMBERS),
    ("median", "distinct", TAIL, NUMBERS),
)
STEPWISE: Traits = {"slack": 4.0, "because": "each step rounds the one before"}
RUNNING = ("cumsum", "cumprod", "logcumsumexp", "cummax", "cummin")


def along(op: str, fill: str, rank: int, dtypes: tuple[str, ...]) -> Entry:
    inplace = f"Tensor.{op}_" if op in ("cumsum", "cumprod") else None
    traits: Traits = {"rank": rank, "dtypes": dtypes, "inplace": inplace, "shapes": DEEP}
    if op in RUNNING or op == "prod":
        traits.update(STEPWISE)
    return same(op, "torch", x(4, 6, fill=fill), kw=DIM, **traits)


def counting(op: str, fill: str, rank: int, dtypes: tuple[str, ...]) -> Entry:
    return same(op, "torch", x(4, 6, fill=fill), kw=DIM, rank=rank, dtypes=dtypes, shapes=DEEP, backward=False)


def over_all(op: str, fill: str, rank: int, dtypes: tuple[str, ...]) -> Entry:
    shapes = DEEP if op == "std" else FULL  # the deviation of one number is not defined
    traits: Traits = {"rank": rank, "dtypes": dtypes, "shapes": shapes}
    if op == "prod":
        traits.update(STEPWISE)
    return entry(op, f"torch.{op}", x(4, 6, fill=fill), case="all", **traits)


ENTRIES: list[Entry] = [
    *(along(*row) for row in ALONG),
    *(counting(*row) for row in COUNTING),
    *(over_all(*row) for row in OVER_ALL),
    entry("sum", "torch.sum", x(2, 3, 4, 5), case="inner", kw={"dim": (0, 2, 3)}, rank=CORE),
    entry("sum", "torch.sum", x(4, 6), case="keepdim", kw={"dim": 0, "keepdim": True}, rank=COMMON, shapes=("empty",)),
    entry("sum", "torch.sum", x(3, 5000), case="long", kw=DIM, rank=COMMON, slack=8, because="5,000 terms"),
    entry("mean", "torch.mean", x(2, 3, 4, 5), case="inner", kw={"dim": (2, 3)}, rank=CORE),
    entry("mean", "torch.mean", x(3, 5000), case="long", kw=DIM, rank=COMMON, slack=8, because="5,000 terms"),
    entry("var", "torch.var", x(2, 3, 4, 5), case="inner", kw={"dim": (0, 2, 3), "correction": 0}, rank=COMMON),
    entry("cumsum", "torch.cumsum", x(3, 5, 4), 1, case="inner", rank=COMMON, dtypes=NUMBERS, slack=4,
          because="each step rounds the one before"),
    entry("cumsum", "torch.cumsum", x(2, 1000), 1, case="long", slack=40,
          because="each of 1,000 steps rounds the one before"),
    same("var_mean", "torch", x(4, 6), kw=DIM, rank=COMMON, shapes=DEEP),
    same("std_mean", "torch", x(4, 6), kw=DIM, shapes=DEEP),
    entry("linalg_vector_norm", "torch.norm", x(4, 6), case="all", rank=COMMON, shapes=DEEP, slack=2,
          because="a sum of squares"),
    entry("linalg_vector_norm", "torch.linalg.vector_norm", x(4, 6), 2, -1, rank=CORE, shapes=DEEP),
    entry("linalg_vector_norm", "torch.linalg.vector_norm", x(4, 6), 1, -1, case="one", rank=COMMON),
    entry("linalg_vector_norm", "torch.linalg.vector_norm", x(4, 6, fill="distinct"), float("inf"), -1, case="inf"),
    same("renorm", "torch", x(4, 6), 2, 0, 1.0, slack=4, because="several roundings"),
    same("quantile", "torch", x(4, 6, fill="distinct"), 0.3, kw=DIM, dtypes=SINGLE),
    same("nanquantile", "torch", x(4, 6, fill="distinct"), 0.3, kw=DIM, dtypes=SINGLE),
    same("mode", "torch", x(4, 7, fill="digits"), dtypes=NUMBERS, kw=DIM, backward=False, cpu_lacks=("float16",)),
    same("topk", "torch", x(4, 9, fill="distinct"), 3, rank=COMMON, dtypes=NUMBERS, shapes=DEEP),
    entry("topk", "torch.topk", x(4, 9, fill="distinct"), 3, 0, False, case="smallest"),
    same("kthvalue", "torch", x(4, 9, fill="distinct"), 3, dtypes=NUMBERS, shapes=DEEP),
    same("msort", "torch", x(4, 6, fill="distinct"), dtypes=NUMBERS),
    entry("sort", "torch.sort", x(5, 6, fill="distinct"), 0, True, case="descending", rank=COMMON, dtypes=NUMBERS),
    entry("sort", "torch.sort", x(2, 200, fill="digits"), case="stable", kw={"stable": True, "dim": -1},
          dtypes=NUMBERS, backward=False),
    constants("_unique2", "torch.unique", x(4, 9, fill="digits"), dtypes=NUMBERS, without=("expanded",)),
    constants("unique_dim", "torch.unique", x(6, 3, fill="digits"), kw={"dim": 0}, dtypes=NUMBERS,
              cpu_lacks=("float16",)),
    constants("unique_consecutive", "torch.unique_consecutive", x(4, 9, fill="digits"), dtypes=NUMBERS),
    constants("searchsorted", "torch.searchsorted", w(8, fill="ascending", grad=False), x(4, 6), dtypes=NUMBERS),
    constants("bucketize", "torch.bucketize", x(4, 6), w(8, fill="ascending", grad=False), dtypes=NUMBERS),
    constants("isin", "torch.isin", x(4, 6, fill="digits"), w(3, fill="digits", grad=False), dtypes=NUMBERS),
    constants("histc", "torch.histc", x(4, 6), kw={"bins": 5, "min": -2.0, "max": 2.0}, dtypes=SINGLE),
    constants("bincount", "torch.bincount", index(7, 20), dtypes=("int64",)),
    same("diff", "torch", x(4, 6), rank=COMMON, shapes=DEEP),
    same("trapezoid", "torch", x(4, 6), slack=4, because="several roundings"),
    same("cumulative_trapezoid", "torch", x(4, 6), slack=8, because="each step rounds the one before"),
    same("dist", "torch", x(4, 6), x(4, 6), 2, slack=2, because="the difference is rounded first"),
    same("cov", "torch", x(4, 9), slack=8, because="means are rounded first"),
    same("corrcoef", "torch", x(4, 9), slack=16, without=("expanded",),
         because="means and deviations are rounded first"),
    constants("equal", "torch.equal", x(4, 6), x(4, 6), dtypes=ANY),
    constants("allclose", "torch.allclose", x(4, 6), x(4, 6)),
    constants("is_nonzero", "torch.is_nonzero", x(1), rank=TAIL, dtypes=ANY),
]  # fmt: skip
