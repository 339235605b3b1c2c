"""Normalisation, attention, recurrent cells, embeddings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .entry import COMMON, CORE, FLOATS, TAIL, Entry, Kwargs, Options, Tolerance, Traits, entry, index, mask, w, x

if TYPE_CHECKING:
    from typing_extensions import Unpack

NORMS: Tolerance = {"slack": 16, "because": "mean and deviation are rounded first"}
ATTENTION: Tolerance = {"slack": 16, "because": "scores, softmax and sum each round"}
CELLS: Tolerance = {"slack": 16, "because": "gates and steps round one after the other"}
NO_EXPAND = ("expanded",)  # a deviation of zero

SIZE = (2, 3, 4, 8)
QKV = (x(*SIZE), x(*SIZE), x(*SIZE))
GATES3, GATES4 = (w(18, 5), w(18, 6), w(18), w(18)), (w(24, 5), w(24, 6), w(24), w(24))
PLAIN = (w(6, 5), w(6, 6), w(6), w(6))

# operator, gates, how many states
RECURRENT: tuple[tuple[str, tuple[Any, ...], int, int], ...] = (
    ("lstm", GATES4, 2, CORE),
    ("gru", GATES3, 1, COMMON),
    ("rnn_tanh", PLAIN, 1, TAIL),
    ("rnn_relu", PLAIN, 1, TAIL),
)


def norm(op: str, call: str, *args: Any, **options: Unpack[Options]) -> Entry:
    widened: Options = {**NORMS, **options}
    return entry(op, call, *args, **widened)


def attention(case: str, *args: Any, kw: Kwargs | None = None, **traits: Unpack[Traits]) -> Entry:
    widened: Traits = {"rank": CORE, **ATTENTION, **traits}
    call = "F.scaled_dot_product_attention"
    return entry("scaled_dot_product_attention", call, *args, case=case, kw=kw, **widened)


def recurrent(op: str, gates: tuple[Any, ...], states: int, rank: int) -> Entry:
    state = [w(1, 3, 6)] * states if states > 1 else w(1, 3, 6)
    options = (True, 1, 0.0, False, False, True)  # biases, layers, dropout, training, two directions, batch first
    return entry(op, f"torch.{op}", x(3, 4, 5), state, list(gates), *options, rank=rank, **CELLS)


def cell(op: str, gates: tuple[Any, ...], states: int) -> Entry:
    state: Any = [x(3, 6)] * states if states > 1 else x(3, 6)
    return entry(op, f"torch.{op}", x(3, 5), state, *gates, rank=COMMON, **CELLS)


ENTRIES: list[Entry] = [
    norm("layer_norm", "F.layer_norm", x(4, 8), (8,), w(8), w(8), rank=CORE, shapes=("empty", "5d")),
    norm("layer_norm", "F.layer_norm", x(2, 3, 4, 5), (4, 5), case="two", rank=COMMON),
    norm("layer_norm", "F.layer_norm", x(3, 768), (768,), w(768), w(768), case="wide", rank=CORE),
    norm("batch_norm", "calls.batch_norm_train", x(6, 4), w(4), w(4), w(4, grad=False),
         w(4, fill="positive", grad=False), case="flat", rank=CORE, without=NO_EXPAND),
    norm("batch_norm", "calls.batch_norm_train", x(3, 4, 5, 6), w(4), w(4), w(4, grad=False),
         w(4, fill="positive", grad=False), rank=CORE),
    norm("batch_norm", "calls.batch_norm_train", x(2, 3, 2, 4, 3), w(3), w(3), w(3, grad=False),
         w(3, fill="positive", grad=False), case="volume", rank=TAIL),
    norm("batch_norm", "F.batch_norm", x(3, 4, 5, 6), w(4, grad=False), w(4, fill="positive", grad=False), w(4), w(4),
         case="eval", rank=CORE),
    norm("group_norm", "F.group_norm", x(2, 6, 4, 5), 3, w(6), w(6), rank=CORE),
    norm("instance_norm", "F.instance_norm", x(2, 3, 4, 5), kw={"weight": w(3), "bias": w(3)}, rank=COMMON),
    norm("rms_norm", "F.rms_norm", x(4, 8), (8,), w(8), rank=CORE, shapes=("5d",)),
    norm("avg_pool3d", "F.local_response_norm", x(2, 6, 4, 5), 3, case="local_response",
         cpu_lacks=("float16", "bfloat16")),
    norm("div", "F.normalize", x(4, 6), case="normalize", kw={"dim": -1}, rank=COMMON),
    norm("_weight_norm", "torch._weight_norm", w(6, 4, 3), w(6, 1, 1), 0),
    attention("", *QKV, without=NO_EXPAND),
    attention("causal", *QKV, kw={"is_causal": True}),
    attention("mask", *QKV, kw={"attn_mask": mask(4, 4, role="diagonal")}),
    attention("bias", *QKV, kw={"attn_mask": w(2, 3, 4, 4)}, rank=COMMON),
    attention("cross", x(*SIZE), x(2, 3, 7, 8), x(2, 3, 7, 8), rank=COMMON),
    attention("gqa", x(2, 4, 5, 8), x(2, 2, 5, 8), x(2, 2, 5, 8), kw={"enable_gqa": True}, since=(2, 5)),
    attention("one_head", x(2, 4, 8), x(2, 4, 8), x(2, 4, 8), rank=COMMON),
    attention("long", x(1, 2, 70, 16), x(1, 2, 70, 16), x(1, 2, 70, 16), rank=COMMON),
    entry("_native_multi_head_attention", "calls.multi_head_attention", x(2, 4, 8), w(24, 8), w(24), w(8, 8), w(8),
          case="module", rank=COMMON, **ATTENTION)._replace(op="aten::scaled_dot_product_attention"),
    *(recurrent(*row) for row in RECURRENT),
    cell("lstm_cell", GATES4, 2),
    cell("gru_cell", GATES3, 1),
    cell("rnn_tanh_cell", PLAIN, 1),
    cell("rnn_relu_cell", PLAIN, 1),
    entry("embedding", "F.embedding", index(7, 3, 4), w(7, 5), rank=CORE),
    entry("embedding", "F.embedding", index(7, 3, 4), w(7, 5), case="padding", kw={"padding_idx": 2}, rank=COMMON),
    entry("embedding", "F.embedding", index(7, 3, 4), w(7, 5), case="frequency", kw={"scale_grad_by_freq": True}),
    entry("embedding_bag", "F.embedding_bag", index(7, 3, 4), w(7, 5), case="mean", **NORMS),
    entry("embedding_bag", "F.embedding_bag", index(7, 3, 4), w(7, 5), case="sum", kw={"mode": "sum"}, **NORMS),
    entry("embedding_bag", "F.embedding_bag", index(7, 3, 4), w(7, 5, fill="distinct"), case="max",
          kw={"mode": "max"}),
    entry("one_hot", "F.one_hot", index(7, 3, 4), 7, rank=COMMON, dtypes=("int64",), backward=False),
    entry("embedding_renorm_", "calls.embedding_max_norm", index(7, 3, 4), w(7, 5), dtypes=FLOATS, backward=False,
          **NORMS),
]  # fmt: skip
