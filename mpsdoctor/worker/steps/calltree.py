"""Lists the aten operators that a training step calls on the CPU, and what composite ones are made of.

Two modes watch. Below autograd every operator passes, backward ones too; an operator that is declared as made of
others (CompositeExplicitAutograd) is run in that form and its parts are watched in turn, whatever faster kernel the
CPU has of its own, for other devices have none. Operators that are taken apart before autograd (CompositeImplicit-
Autograd) are seen where Python calls them by name.
"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any, Callable, Iterable, Iterator

import torch
from torch import Tensor
from torch.nn.parameter import UninitializedTensorMixin  # type: ignore[attr-defined]
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from ..shapes import CallNode, Lives, Wheel
from .arguments_seen import by_name
from .composites import composite_key, is_implicit
from .devices import Devices
from .placement import DEVICE, Placements, tensors
from .sites import Modules, Sites, current_node, place_of

# Taken apart before autograd as well, but for the form that writes into a tensor.
WHOLE = frozenset({"linear"})
NOT_COMPUTING = ("profiler::", "prim::")
REASON = 200  # characters of why a call could not be looked into


class Told:
    """What a call returned, once it has."""

    result: Any = None


class Tree:
    """The calls so far, nested; of calls that are the same one is kept, with the place of the first.

    `left_out` tells of the calls that could not be looked into, by operator. With `closed` none is: what operators are
    made of is not watched. `optimizing` is whether one of torch's own optimizers is at work.
    """

    def __init__(self, modules: Modules | None = None, *, closed: bool = False) -> None:
        self.closed = closed
        self.open: list[dict[str, CallNode]] = [{}]
        self.opened: set[str] = set()  # operators that run by their parts now
        self.optimizing = False
        self.left_out: dict[str, str] = {}
        self.places = Placements()
        self.devices = Devices(self.places, modules or Modules())
        self.devices.transferred = self.note_transfer
        self.sites = Sites(self.devices.modules)

    def enter(self, op: str) -> CallNode:
        self.open.append({})
        return {
            "op": op, "dtypes": [], "sparse": False, "node": "", "given": {}, "optimizer": self.optimizing, "parts": [],
            "lives": "device", "place": None, "made": None, "meets": None, "count": 1,
        }  # fmt: skip

    def leave(self, node: CallNode, *, alone: bool = True) -> None:
        """End a call; a call without parts is dropped unless it may stand alone."""
        node["parts"] = list(self.open.pop().values())
        keep = alone or bool(node["parts"])
        site, _ = self.sites.current(keep=alone)
        if not keep:
            return
        known = self.open[-1].setdefault(json.dumps(contents(node)), node)
        if known is not node:
            known["count"] += 1
        elif len(self.open) == 1:
            node["place"], node["made"] = place_of(site), next(iter(site["made"]), None)

    def describe(self, node: CallNode, inputs: list[Tensor], results: list[Tensor]) -> None:
        """Note what decides whether a kernel takes a call: dtypes, layout, where they are.

        Scalars are left out where they come in or come from nothing: devices take them from the CPU.
        """
        places = self.places
        node["sparse"] = any(is_unusual(tensor) for tensor in (*inputs, *results))
        node["lives"], node["meets"] = places.lives(node["op"], inputs)
        places.spread(node["op"], inputs, results)
        ours = [tensor for tensor in inputs if not self.is_aside(tensor, node["lives"])]
        real = [tensor for tensor in ours if holds_numbers(tensor)]
        outputs = [tensor for tensor in results if inputs or holds_numbers(tensor)]
        outputs = [tensor for tensor in outputs if not self.is_aside(tensor, node["lives"])]
        node["dtypes"] = sorted({str(tensor.dtype).rpartition(".")[2] for tensor in (*real, *outputs)})
        node["node"] = name_of_node() if "float64" in node["dtypes"] else ""

    def is_aside(self, tensor: Tensor, lives: Lives) -> bool:
        """Whether a tensor stays on the CPU in a call of the device."""
        place = self.places.of(tensor)
        return lives == "device" and place is not None and place.kind != DEVICE

    def note_transfer(self, source: Tensor, result: Tensor) -> None:
        """Note that a tensor goes from the CPU to the device."""
        node = self.enter("aten::_to_copy")
        with torch._C.DisableTorchFunction():
            node["dtypes"] = [str(result.dtype).rpartition(".")[2]]
        self.leave(node)

    @contextlib.contextmanager
    def watched(self, op: str, args: Any, kwargs: Any, *, alone: bool = True) -> Iterator[Told]:
        """Watch one call, whose result is to be told; that it cannot be described is noted."""
        node, told = self.enter(op), Told()
        try:
            yield told
            try:
                with torch._C.DisableTorchFunction():
                    inputs = list(tensors([args, kwargs]))
                    self.devices.see_lift(op, inputs)
                    self.describe(node, inputs, list(tensors(told.result)))
                    node["given"] = by_name(op, args, kwargs, told.result)
            except Exception as error:
                node["sparse"] = True
                self.left_out.setdefault(op, f"{type(error).__name__}: {error}".split("\n")[0][:REASON])
        finally:
            self.leave(node, alone=alone)

    @property
    def calls(self) -> list[CallNode]:
        return list(self.judged(self.open[0].values()))

    def judged(self, nodes: Iterable[CallNode]) -> Iterator[CallNode]:
        """The calls without those of the CPU alone."""
        for node in nodes:
            lives = self.places.final(node["lives"], node["dtypes"])
            parts = list(self.judged(node["parts"]))
            if lives != "host" and (parts or not node["parts"]):
                yield {**node, "lives": lives, "parts": parts}


def contents(node: CallNode) -> dict[str, Any]:
    """What makes two calls the same."""
    return {name: value for name, value in node.items() if name not in ("place", "made", "meets", "count")}


def is_unusual(tensor: Tensor) -> bool:
    """Whether a tensor is sparse, nested, or of another kind than the strided ones that kernels are declared for."""
    return tensor.layout is not torch.strided or tensor.is_nested


def holds_numbers(tensor: Tensor) -> bool:
    """Whether a tensor is more than a scalar, and not empty."""
    return not isinstance(tensor, UninitializedTensorMixin) and (
        is_unusual(tensor) or bool(tensor.dim() and tensor.numel())
    )


def of_several_dtypes(args: Any) -> bool:
    with torch._C.DisableTorchFunction():
        return len({tensor.dtype for tensor in tensors(args) if tensor.is_floating_point()}) > 1


def name_of_node() -> str:
    """The node of the autograd graph whose gradient is being computed; empty for none, or where torch cannot tell."""
    node = current_node()
    return node.name() if node is not None else ""


def with_tensors(func: Any, args: Any) -> list[Any]:
    """The positional arguments, numbers made tensors again where the operator takes tensors.

    torch hands scalars to a mode as Python numbers, and not every operator takes them back as such.
    """
    types = [str(argument.type) for argument in func._schema.arguments]
    numbers = [kind == "Tensor" and isinstance(value, (int, float, complex)) for kind, value in zip(types, args)]
    return [torch.tensor(value) if number else value for number, value in zip(numbers, args)]


def composite_key_of(op: str) -> str | None:
    """As `composite_key`; None for what the dispatcher does not know, such as the sizes of nested tensors."""
    try:
        return composite_key(op)
    except RuntimeError:
        return None


class Below(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Watches the operators that kernels are chosen for."""

    def __init__(self, tree: Tree) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.tree = tree
        self.keys: dict[str, str | None] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func.name().startswith(NOT_COMPUTING) or self.tree.devices.muted:
            return func(*args, **kwargs)
        with self.tree.watched(func.name(), args, kwargs) as told:
            told.result = self.run(func, args, kwargs)
        return told.result

    def run(self, func: Any, args: Any, kwargs: Any) -> Any:
        """Call an operator, one made of others by its parts; what cannot be called so is called as it is."""
        name = func.name()
        if name not in self.keys:
            self.keys[name] = composite_key_of(name)
        key = self.keys[name]
        if key is None or self.tree.closed or name in self.tree.opened:  # aten::detach is declared as made of itself
            return func(*with_tensors(func, args), **kwargs)
        with torch._C.DisableTorchFunction():
            if any(is_unusual(tensor) for tensor in tensors([args, kwargs])):
                return func(*args, **kwargs)
        return self.open(func, key, args, kwargs)

    def open(self, func: Any, key: str, args: Any, kwargs: Any) -> Any:
        name = func.name()
        self.tree.opened.add(name)
        try:
            with self:
                result = func._op_dk(getattr(torch._C.DispatchKey, key), *with_tensors(func, args), **kwargs)
            if func._schema.is_mutable or not of_several_dtypes(args):
                return result
            return func(*args, **kwargs)  # of which the parts may make another dtype than the whole
        except Exception as error:
            failed = f"{type(error).__name__}: {error}"
        finally:
            self.tree.opened.discard(name)
        result = func(*args, **kwargs)  # raises where the step is at fault
        self.tree.left_out.setdefault(name, failed.split("\n")[0][:REASON])
        return result


class Above(TorchFunctionMode):
    """Watches what Python calls by name, for the operators that autograd never sees."""

    def __init__(self, tree: Tree) -> None:
        super().__init__()
        self.tree = tree

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name, kwargs = getattr(func, "__name__", ""), kwargs or {}
        if self.tree.devices.muted or not (name in WHOLE or is_implicit(name)):
            return func(*args, **kwargs)
        with self.tree.watched(f"aten::{name}", args, kwargs, alone=False) as told:
            told.result = func(*args, **kwargs)
        return told.result


@contextlib.contextmanager
def watching(tree: Tree | None = None) -> Iterator[Tree]:
    """Watch what happens inside; the tree fills as it happens."""
    tree = Tree() if tree is None else tree
    with optimizers_of_torch(tree), Above(tree), Below(tree), tree.devices:
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
