"""Random operators, judged by their distribution: no two devices draw the same numbers."""

from __future__ import annotations

from .entry import COMMON, CORE, FLOATS, TAIL, Entry, Law, entry, w, x

MANY = 8192  # elements: a mean is then known to a hundredth of a deviation

# operator, call, arguments, law, rank, dtypes
DRAWS: tuple[tuple[str, str, tuple[object, ...], Law, int, tuple[str, ...]], ...] = (
    ("rand_like", "torch.rand_like", (), Law(0.5, 0.288675, 0.0, 1.0), CORE, FLOATS),
    ("randn_like", "torch.randn_like", (), Law(0.0, 1.0), CORE, FLOATS),
    ("randint_like", "torch.randint_like", (10,), Law(4.5, 2.872281, 0.0, 9.0), COMMON, (*FLOATS, "int64")),
    ("uniform_", "Tensor.uniform_", (-1.0, 3.0), Law(1.0, 1.154701, -1.0, 3.0), CORE, FLOATS),
    ("normal_", "Tensor.normal_", (1.0, 2.0), Law(1.0, 2.0), CORE, FLOATS),
    ("exponential_", "Tensor.exponential_", (2.0,), Law(0.5, 0.5, 0.0, None), TAIL, FLOATS),
    ("log_normal_", "Tensor.log_normal_", (0.0, 0.25), Law(1.031743, 0.262029, 0.0, None), TAIL, FLOATS),
    ("geometric_", "Tensor.geometric_", (0.5,), Law(2.0, 1.414214, 1.0, None), TAIL, FLOATS),
    ("random_", "Tensor.random_", (0, 10), Law(4.5, 2.872281, 0.0, 9.0), TAIL, (*FLOATS, "int64")),
    ("bernoulli_", "Tensor.bernoulli_", (0.3,), Law(0.3, 0.458258, 0.0, 1.0), COMMON, FLOATS),
)
# A dropped-out tensor of ones is 0 or 1 / (1 - p), and so is its gradient.
DROPOUT: tuple[tuple[str, str, int, tuple[int, ...]], ...] = (
    ("dropout", "F.dropout", CORE, (MANY,)),
    ("feature_dropout", "F.dropout2d", COMMON, (64, 128, 1, 1)),
)

ENTRIES: list[Entry] = [
    *(
        entry(op, call, x(MANY), *args, law=law, rank=rank, dtypes=dtypes, backward=False)
        for op, call, args, law, rank, dtypes in DRAWS
    ),
    *(
        entry(op, call, x(*shape, fill="ones"), 0.25, law=Law(1.0, 0.577350, 0.0, 1.4), rank=rank)
        for op, call, rank, shape in DROPOUT
    ),
    entry("bernoulli", "torch.bernoulli", x(MANY, fill="third"), law=Law(1 / 3, 0.471405, 0.0, 1.0), rank=COMMON,
          backward=False),
    entry("poisson", "torch.poisson", x(MANY, fill="ones"), law=Law(1.0, 1.0, 0.0, None), backward=False),
    entry("multinomial", "calls.multinomial", w(4, fill="ones"), MANY, law=Law(1.5, 1.118034, 0.0, 3.0), rank=COMMON,
          backward=False),
    entry("normal", "torch.normal", x(MANY, fill="ones"), 0.5, law=Law(1.0, 0.5), backward=False),
    entry("randperm", "calls.randperm", x(1), 1000, law=Law(499.5, 288.675, 0.0, 999.0), dtypes=("float32",),
          rank=COMMON, backward=False),
    entry("alpha_dropout", "F.alpha_dropout", x(MANY), 0.25, kw={"training": True}, law=Law(0.0, 1.0),
          backward=False),
]  # fmt: skip
