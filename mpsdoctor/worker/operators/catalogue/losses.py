"""Losses."""

from __future__ import annotations

from typing import Any

from .entry import COMMON, CORE, TAIL, Entry, Kwargs, Tolerance, entry, index, target, w, x

SUMS: Tolerance = {"slack": 8, "because": "terms are rounded before they are added"}
PREDICTION, TRUTH = x(4, 6), x(4, 6, grad=False)

# operator, case, function, inputs, keyword arguments, rank
LOSSES: tuple[tuple[str, str, str, tuple[Any, ...], Kwargs, int], ...] = (
    ("mse_loss", "", "mse_loss", (x(4, 6), x(4, 6)), {}, CORE),
    ("mse_loss", "none", "mse_loss", (x(4, 6), x(4, 6)), {"reduction": "none"}, COMMON),
    ("l1_loss", "", "l1_loss", (PREDICTION, TRUTH), {}, CORE),
    ("smooth_l1_loss", "", "smooth_l1_loss", (PREDICTION, TRUTH), {"beta": 0.5}, COMMON),
    ("huber_loss", "", "huber_loss", (PREDICTION, TRUTH), {"delta": 0.7}, COMMON),
    ("binary_cross_entropy", "", "binary_cross_entropy",
     (x(4, 6, fill="probability"), x(4, 6, fill="probability", grad=False)), {}, COMMON),
    ("binary_cross_entropy_with_logits", "", "binary_cross_entropy_with_logits",
     (x(4, 6), x(4, 6, fill="probability", grad=False)), {}, CORE),
    ("binary_cross_entropy_with_logits", "weighted", "binary_cross_entropy_with_logits",
     (x(4, 6), x(4, 6, fill="probability", grad=False)),
     {"weight": w(6, fill="positive", grad=False), "pos_weight": w(6, fill="positive", grad=False)}, TAIL),
    ("cross_entropy_loss", "", "cross_entropy", (x(4, 6), target(6, 4)), {}, CORE),
    ("cross_entropy_loss", "smoothed", "cross_entropy", (x(4, 6), target(6, 4)), {"label_smoothing": 0.1}, CORE),
    ("cross_entropy_loss", "weighted", "cross_entropy", (x(4, 6), target(6, 4)),
     {"weight": w(6, fill="positive", grad=False)}, COMMON),
    ("cross_entropy_loss", "ignored", "cross_entropy", (x(4, 6), target(6, 4)), {"ignore_index": 2}, COMMON),
    ("cross_entropy_loss", "none", "cross_entropy", (x(4, 6), target(6, 4)), {"reduction": "none"}, COMMON),
    ("cross_entropy_loss", "probabilities", "cross_entropy", (x(4, 6), x(4, 6, fill="probability", grad=False)), {},
     COMMON),
    ("cross_entropy_loss", "image", "cross_entropy", (x(2, 5, 3, 4), target(5, 2, 3, 4)), {}, COMMON),
    ("nll_loss", "", "nll_loss", (x(4, 6), target(6, 4)), {}, CORE),
    ("nll_loss2d", "", "nll_loss", (x(2, 5, 3, 4), target(5, 2, 3, 4)), {}, COMMON),
    ("kl_div", "", "kl_div", (x(4, 6), x(4, 6, fill="probability", grad=False)), {"reduction": "batchmean"}, COMMON),
    ("kl_div", "log", "kl_div", (x(4, 6), x(4, 6, grad=False)), {"log_target": True, "reduction": "sum"}, TAIL),
    ("poisson_nll_loss", "", "poisson_nll_loss", (x(4, 6), x(4, 6, fill="positive", grad=False)), {}, TAIL),
    ("mean", "gaussian_nll", "gaussian_nll_loss", (x(4, 6), x(4, 6, grad=False), x(4, 6, fill="positive")), {}, TAIL),
    ("soft_margin_loss", "", "soft_margin_loss", (x(4, 6), x(4, 6, fill="signs", grad=False)), {}, TAIL),
    ("hinge_embedding_loss", "", "hinge_embedding_loss", (x(4, 6), x(4, 6, fill="signs", grad=False)), {}, TAIL),
    ("margin_ranking_loss", "", "margin_ranking_loss", (x(6), x(6), x(6, fill="signs", grad=False)), {}, TAIL),
    ("cosine_embedding_loss", "", "cosine_embedding_loss", (x(4, 6), x(4, 6), x(4, fill="signs", grad=False)), {},
     TAIL),
    ("triplet_margin_loss", "", "triplet_margin_loss", (x(4, 6), x(4, 6), x(4, 6)), {}, TAIL),
    ("multi_margin_loss", "", "multi_margin_loss", (x(4, 6), target(6, 4)), {}, TAIL),
)  # fmt: skip

# torch's CPU refuses to write their gradient into these layouts
FLAT_ONLY = {"nll_loss2d": ("transposed", "channels_last")}
# torch's CPU has these in float32 (and float64) alone
NO_HALF = {"multi_margin_loss": ("float16", "bfloat16")}


def loss(op: str, case: str, name: str, args: tuple[Any, ...], kw: Kwargs, rank: int) -> Entry:
    lacks = NO_HALF.get(op, ())
    return entry(
        op, f"F.{name}", *args, case=case, kw=kw, rank=rank, cpu_lacks=lacks, without=FLAT_ONLY.get(op, ()), **SUMS
    )


ENTRIES: list[Entry] = [
    *(loss(*row) for row in LOSSES),
    entry("multilabel_margin_loss", "F.multilabel_margin_loss", x(2, 4), index(4, 2, 4), cpu_lacks=(
        "float16", "bfloat16"), **SUMS),
    entry("ctc_loss", "calls.ctc_loss", x(7, 2, 5), dtypes=("float32",), slack=64,
          because="a sum over all alignments"),
]  # fmt: skip
