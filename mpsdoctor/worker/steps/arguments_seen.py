"""What an operator was called with, by the names of its schema: what decides whether a kernel takes the call."""

from __future__ import annotations

import functools
from typing import Any, Dict, Iterable, List, Optional

import torch
from torch import Tensor

from .composites import overloads

RESULT = "result"  # the key of what the operator returned
LONGEST = 8  # numbers of a list that are kept


def by_name(op: str, args: Iterable[Any], kwargs: Any, result: Any) -> Dict[str, Any]:
    """The arguments of `aten::add.Tensor`, or of whichever overload of `aten::add` takes them, and the result.

    Tensors are told by dtype and sizes; what is no whole number, text, tensor or list of them is left out, and where a
    view begins: a loop would make another call of each.
    """
    args = list(args)
    for schema in schemas(op):
        names = [argument.name for argument in schema.arguments]
        if len(args) <= len(names) and fits(schema, args, kwargs):
            given = {**dict(zip(names, args)), **kwargs, RESULT: listed(result)}
            shown = {name: show(value) for name, value in given.items() if not (is_view(schema) and is_number(value))}
            return {name: value for name, value in shown.items() if value is not None}
    return {}


def listed(result: Any) -> List[Any]:
    return [*result] if isinstance(result, (list, tuple)) else [result]


@functools.lru_cache(maxsize=None)
def schemas(op: str) -> List[Any]:
    """The schema of an overload; of a name without one, those of all its overloads."""
    try:
        full = [schema_of(op)] if "." in op else [schema_of(name) for name in overloads(op.rpartition("::")[2])]
    except (AttributeError, RuntimeError):
        return []
    return full or [schema_of(op)]


def schema_of(op: str) -> Any:
    name, _, overload = op.partition(".")
    return torch._C._get_schema(name, overload)


def fits(schema: Any, args: List[Any], kwargs: Dict[str, Any]) -> bool:
    """Whether tensors and lists stand where a schema wants them."""
    wanted = {argument.name: str(argument.type) for argument in schema.arguments}
    given = {**dict(zip(wanted, args)), **kwargs}
    return all(name in wanted and takes(wanted[name], value) for name, value in given.items())


def takes(kind: str, value: Any) -> bool:
    if value is None:
        return "Optional" in kind or "?" in kind
    if isinstance(value, Tensor):
        return "Tensor" in kind and "List" not in kind
    if isinstance(value, (list, tuple)) and any(isinstance(one, Tensor) for one in value):
        return "List[" in kind and "Tensor" in kind
    return "Tensor" not in kind or isinstance(value, (bool, int, float, complex, list, tuple))


def is_view(schema: Any) -> bool:
    """Whether an operator returns a view of what it takes."""
    aliases = [returned.alias_info for returned in schema.returns]
    return any(alias is not None and not alias.is_write for alias in aliases)


def is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def show(value: Any) -> Optional[Any]:
    """A value as JSON."""
    if isinstance(value, Tensor):
        return {"dtype": str(value.dtype).rpartition(".")[2], "sizes": sizes_of(value)}
    if isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [show(one) for one in value[:LONGEST]] if type(value) in (list, tuple, torch.Size) else None
    return str(value).rpartition(".")[2] if isinstance(value, torch.dtype) else None


def sizes_of(tensor: Tensor) -> List[Optional[int]]:
    """Its shape; None for the sizes of nested tensors that are symbols, empty where it has no shape (yet)."""
    try:
        return [size if isinstance(size, int) else None for size in tensor.shape]
    except RuntimeError:  # of nested tensors made of pieces, and of lazy parameters
        return []
