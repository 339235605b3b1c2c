"""Lists the aten operators that a training step calls on the CPU, and what composite ones are made of.

Two modes watch. Below autograd every operator passes, backward ones too; an operator that is declared as made of
others (CompositeExplicitAutograd) is run in that form and its parts are watched in turn, whatever faster kernel the
CPU has of its own, for other devices have none. Operators that are taken apart before autograd (CompositeImplicit-
Autograd) are seen where Python calls them by name.
"""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import Any, Callable, Iterator

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from ..shapes import CallNode, Frame, Wheel
from .arguments_seen import by_name
from .composites import composite_key, is_implicit
from .recorder import users_frames

# Taken apart before autograd as well, but for the form that writes into a tensor.
WHOLE = frozenset({"linear"})
NOT_COMPUTING = ("profiler::", "prim::")


class Tree:
    """The calls so far, nested; of calls that are the same one is kept.

    `places` are the person's lines that an operator was first called at, as far as there are any. `optimizing` is
    whether one of torch's own optimizers is at work.
    """

    def __init__(self) -> None:
        self.open: list[dict[str, CallNode]] = [{}]
        self.places: dict[str, Frame | None] = {}
        self.optimizing = False

    def enter(self, op: str) -> CallNode:
        self.open.append({})
        optimizer = self.optimizing
        return {"op": op, "dtypes": [], "sparse": False, "node": "", "optimizer": optimizer, "given": {}, "parts": []}

    def leave(self, node: CallNode, *, alone: bool = True) -> None:
        """End a call; a call without parts is dropped unless it may stand alone."""
        node["parts"] = list(self.open.pop().values())
        if alone or node["parts"]:
            self.open[-1].setdefault(json.dumps(node), node)
            if len(self.open) == 1 and node["op"] not in self.places:
                self.places[node["op"]] = next(iter(users_frames(sys._getframe(1))), None)

    @property
    def calls(self) -> list[CallNode]:
        return list(self.open[0].values())


def tensors(values: Any) -> Iterator[Tensor]:
    """The tensors among arguments or results."""
    if isinstance(values, Tensor):
        yield values
    elif isinstance(values, (list, tuple)):
        for value in values:
            yield from tensors(value)


def describe(node: CallNode, inputs: list[Tensor], results: list[Tensor]) -> None:
    """Note what decides whether a kernel takes a call: dtypes and layout.

    Scalars are left out where they come in or come from nothing: devices take them from the CPU.
    """
    real = [tensor for tensor in inputs if tensor.dim() and tensor.numel()]
    outputs = [tensor for tensor in results if inputs or (tensor.dim() and tensor.numel())]
    node["dtypes"] = sorted({str(tensor.dtype).rpartition(".")[2] for tensor in (*real, *outputs)})
    node["node"] = current_node() if "float64" in node["dtypes"] else ""
    node["sparse"] = any(tensor.layout is not torch.strided for tensor in (*inputs, *results))


def current_node() -> str:
    """The node of the autograd graph whose gradient is being computed; empty for none, or where torch cannot tell."""
    peek = getattr(torch._C, "_current_autograd_node", None)
    node = peek() if peek else None
    return node.name() if node is not None else ""


def with_tensors(func: Any, args: Any) -> list[Any]:
    """The positional arguments, numbers made tensors again where the operator takes tensors.

    torch hands scalars to a mode as Python numbers, and not every operator takes them back as such.
    """
    types = [str(argument.type) for argument in func._schema.arguments]
    numbers = [kind == "Tensor" and isinstance(value, (int, float, complex)) for kind, value in zip(types, args)]
    return [torch.tensor(value) if number else value for number, value in zip(numbers, args)]


class Below(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Watches the operators that kernels are chosen for."""

    def __init__(self, tree: Tree) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.tree = tree
        self.keys: dict[str, str | None] = {}
        self.opened: set[str] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func.name().startswith(NOT_COMPUTING):
            return func(*args, **kwargs)
        node = self.tree.enter(func.name())
        try:
            result = self.run(func, args, kwargs)
            describe(node, list(tensors([*args, *kwargs.values()])), list(tensors(result)))
            node["given"] = by_name(func.name(), args, kwargs, result)
        finally:
            self.tree.leave(node)
        return result

    def run(self, func: Any, args: Any, kwargs: Any) -> Any:
        name = func.name()
        if name not in self.keys:
            self.keys[name] = composite_key(name)
        key = self.keys[name]
        args = with_tensors(func, args)
        if key is None or name in self.opened:  # aten::detach is declared as made of itself
            return func(*args, **kwargs)
        self.opened.add(name)
        try:
            with self:
                return func._op_dk(getattr(torch._C.DispatchKey, key), *args, **kwargs)
        finally:
            self.opened.discard(name)


class Above(TorchFunctionMode):
    """Watches what Python calls by name, for the operators that autograd never sees."""

    def __init__(self, tree: Tree) -> None:
        super().__init__()
        self.tree = tree

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(func, "__name__", "")
        if name not in WHOLE and not is_implicit(name):
            return func(*args, **(kwargs or {}))
        kwargs = kwargs or {}
        node = self.tree.enter(f"aten::{name}")
        try:
            result = func(*args, **kwargs)
            describe(node, list(tensors([*args, *kwargs.values()])), list(tensors(result)))
            node["given"] = by_name(f"aten::{name}", args, kwargs, result)
        finally:
            self.tree.leave(node, alone=False)
        return result


@contextlib.contextmanager
def watching() -> Iterator[Tree]:
    """Watch what happens inside; the tree fills as it happens."""
    tree = Tree()
    with optimizers_of_torch(tree), Above(tree), Below(tree):
        yield tree


@contextlib.contextmanager
def optimizers_of_torch(tree: Tree) -> Iterator[None]:
    """Tell the tree when an optimizer of torch's is at work: another version calls other operators in it."""
    from torch.optim import optimizer as optimizers  # torch.optim hides it again

    def begin(optimizer: Any, *_: Any) -> None:
        tree.optimizing = type(optimizer).__module__.startswith("torch.optim.")

    def end(*_: Any) -> None:
        tree.optimizing = False

    handles = [optimizers.register_optimizer_step_pre_hook(begin), optimizers.register_optimizer_step_post_hook(end)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def record(step: Callable[[], Any]) -> list[CallNode]:
    """Run a training step on the CPU and return the calls it made, each once.

    `op` is as in `aten::add.Tensor`, without an overload where Python was watched. Whatever the step raises passes
    through.
    """
    with watching() as tree:
        step()
    return tree.calls


def wheel() -> Wheel:
    """Version and folder of the torch that is imported, by which its declarations are found.

    The folder is in parts, for a path in a home folder is shortened to ~ on its way, and this one is to be opened.
    """
    return {"version": str(torch.__version__), "parts": list(Path(torch.__file__).resolve().parent.parts)}
