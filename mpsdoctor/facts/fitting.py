"""Facts out of a report that anybody may have made: those of our checks that are of their type, the rest left out."""

from __future__ import annotations

import functools
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any

from mpsdoctor import support
from mpsdoctor.facts import batches, build, conditions, issues, libraries, operators, training
from mpsdoctor.machine import shapes as machine
from mpsdoctor.runtime import shapes as runtime
from mpsdoctor.worker import shapes as worker
from mpsdoctor.worker import torch_shapes


def fitting_facts(check_id: str, facts: dict[str, Any]) -> dict[str, Any]:
    """The facts, less those that are not of the type that our check of this id gives them; of lists, less such rows.

    A field that is missing does not matter: an older mpsdoctor may not have known it.
    """
    known, fitting = _types().get(check_id, {}), {}
    for key, value in facts.items():
        kind = known.get(key, Any)
        if _fits(value, kind):
            fitting[key] = value
        elif isinstance(value, list) and typing.get_origin(kind) is list:
            fitting[key] = [row for row in value if _fits(row, typing.get_args(kind)[0])]
    return fitting


def _fits(value: Any, kind: Any) -> bool:
    """Whether JSON data may be a value of that type."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return True
    if typing.is_typeddict(kind):
        fields = _fields(kind)
        return isinstance(value, dict) and all(_fits(value[key], fields[key]) for key in fields.keys() & value.keys())
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, choice) for choice in inner)
    if origin is typing.Literal:
        return value in inner
    if origin in (dict, Mapping):
        return isinstance(value, dict) and all(_fits(part, inner[1]) for part in value.values())
    if origin in (list, Sequence):
        return isinstance(value, list) and all(_fits(part, inner[0]) for part in value)
    if origin is tuple:
        ends = inner[:1] * len(value) if isinstance(value, list) and inner[-1] is Ellipsis else inner
        return isinstance(value, list) and len(value) == len(ends) and all(map(_fits, value, ends))
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, kind or type(None)) and (kind is bool or not isinstance(value, bool))


@functools.cache
def _fields(kind: Any) -> dict[str, Any]:
    return typing.get_type_hints(kind, localns=_names())


@functools.cache
def _names() -> dict[str, Any]:
    """What the modules of facts import for type checkers alone, since the front ends start faster without it."""
    modules = (machine, runtime, worker, torch_shapes, conditions, support)
    return {name: thing for module in modules for name, thing in vars(module).items()}


@functools.cache
def _types() -> dict[str, dict[str, Any]]:
    """The type of each fact by check; those of several kinds of check-up in one, for their names do not collide."""
    kinds: dict[str, tuple[type, ...]] = {
        "chip": (machine.MachineFacts,),
        "build": (build.Build,),
        "operators": (operators.PredictionFacts, operators.ReplayFacts, operators.ProbeFacts),
        "known-issues": (issues.IssueFacts,),
        "training": (training.TrainingFacts, batches.BatchFacts),
        "libraries": (libraries.LibraryFacts,),
        "memory": (machine.MemoryFacts,),
    }
    return {name: {key: hint for kind in group for key, hint in _fields(kind).items()} for name, group in kinds.items()}
