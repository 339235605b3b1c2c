"""Operators by the words that a training script has for them: `SGD(fused=True)` for `_fused_sgd_`."""

from __future__ import annotations

import re

from mpsdoctor.support.history import operator
from mpsdoctor.support.known_failures import operators

OPTIMIZERS = {"sgd": "SGD", "adam": "Adam", "adamw": "AdamW", "adagrad": "Adagrad"}
FUSED, FOREACH = re.compile(r"_fused_(\w+?)_?"), re.compile(r"_foreach_(\w+)")
# Of the operators that only torch itself calls, those whose name says least.
WORDS = {
    "_local_scalar_dense": "Tensor.item()",
    "_to_copy": "Tensor.to()",
    "_unsafe_view": "Tensor.view()",
    "_index_put_impl_": "x[index] = y",
    "_pad_circular": "pad(mode='circular')",
    "_unique2": "unique",
    "_upsample_bilinear2d_aa": "interpolate(antialias=True)",
    "_upsample_nearest_exact2d": "interpolate(mode='nearest-exact')",
}
INTERNAL = re.compile(r"_(forward|backward|data|interface|impl|legit|functional|ex)(?=_|$)")


def spoken(op: str) -> str:
    """The words for an operator, given as `aten::_fused_sgd_` or `_fused_sgd_`; its short name where it is a word."""
    name = operator(op.rpartition("::")[2])
    if name in WORDS or not name.startswith("_"):
        return WORDS.get(name, name)
    if (match := FUSED.fullmatch(name)) and match[1] in OPTIMIZERS:
        return f"{OPTIMIZERS[match[1]]}(fused=True)"
    if match := FOREACH.fullmatch(name):
        return f"{match[1].rstrip('_')} of an optimizer with foreach=True"
    public = [INTERNAL.sub("", name.lstrip("_")), name.lstrip("_")]
    known = [word for word in public if word in operators()]
    return known[0] if known else name


def with_name(op: str) -> str:
    """The words, and the operator behind them where it is called otherwise: `SGD(fused=True), aten::_fused_sgd_`."""
    words = spoken(op)
    return op if words == operator(op.rpartition("::")[2]) else f"{words}, {op}"
