"""What an entry of the catalogue is: an operator, the call that reaches it, and its inputs, all of it data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, NamedTuple, TypedDict

if TYPE_CHECKING:
    from typing_extensions import Unpack

Kwargs = Dict[str, Any]  # keyword arguments of a torch call, whatever that call takes

FLOATS = ("float32", "float16", "bfloat16")
SINGLE = ("float32",)
NUMBERS = (*FLOATS, "int64")
ANY = (*NUMBERS, "bool")
INTEGERS = ("int64",)
BITS = ("int64", "bool")

CORE, COMMON, TAIL = 0, 1, 2  # how much of all training goes through it

CONTIGUOUS = "contiguous"
LAYOUTS = ("transposed", "offset", "strided", "expanded", "channels_last")
SHAPES = ("zero-dim", "empty", "5d")
IN_PLACE = ("inplace", "inplace-view")


class Input(NamedTuple):
    """One tensor of a call: its shape and what fills it.

    `role` is "data" (shape variants change it) or "parameter" (they do not); both take every layout.
    `fill` names a row of `inputs.FILLS`; indices lie below `high`.
    """

    shape: tuple[int, ...]
    fill: str = "normal"
    role: str = "data"
    grad: bool = True
    high: int = 0


class Law(NamedTuple):
    """What a random operator's values must look like: mean, standard deviation, bounds (None: unbounded)."""

    mean: float
    std: float
    low: float | None = None
    high: float | None = None


class Entry(NamedTuple):
    """One operator as it is probed.

    `call` is a dotted path below the roots of `resolve.ROOTS`; `inplace` that of its in-place form. `shapes` are
    the shape variants that make sense beside the layouts, `without` the layouts that do not. `slack` widens the
    tolerance, `because` says why. `cpu_lacks` are dtypes torch's own CPU kernels do not have. `since` is the
    first torch version whose call takes these arguments.
    """

    name: str
    op: str
    call: str
    args: tuple[Any, ...]
    kwargs: Kwargs
    rank: int = TAIL
    dtypes: tuple[str, ...] = FLOATS
    backward: bool = True
    inplace: str | None = None
    shapes: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    slack: float = 1.0
    because: str = ""
    law: Law | None = None
    cpu_lacks: tuple[str, ...] = ()
    since: tuple[int, int] = (2, 0)


class Tolerance(TypedDict):
    """How much wider than usual an entry's tolerance is, and why."""

    slack: float
    because: str


class Traits(TypedDict, total=False):
    """What an entry may have beside its operator, call and inputs: fields of `Entry`."""

    rank: int
    dtypes: tuple[str, ...]
    backward: bool
    inplace: str | None
    shapes: tuple[str, ...]
    without: tuple[str, ...]
    slack: float
    because: str
    law: Law | None
    cpu_lacks: tuple[str, ...]
    since: tuple[int, int]


class Options(Traits, total=False):
    """Traits, and what `entry` makes name and keyword arguments of."""

    case: str
    kw: Kwargs


def x(*shape: int, fill: str = "normal", grad: bool = True) -> Input:
    """A data input."""
    return Input(shape, fill, "data", grad)


def w(*shape: int, fill: str = "normal", grad: bool = True) -> Input:
    """A parameter: shape variants leave it as it is."""
    return Input(shape, fill, "parameter", grad)


def index(high: int, *shape: int, fill: str = "index") -> Input:
    """Integers in [0, high)."""
    return Input(shape, fill, "parameter", False, high)


def target(high: int, *shape: int) -> Input:
    """Class numbers that follow the data's shape variants."""
    return Input(shape, "index", "data", False, high)


def mask(*shape: int, role: str = "data") -> Input:
    """Booleans, about half of them true."""
    return Input(shape, "mask", role, False)


def entry(op: str, call: str, *args: Any, case: str = "", kw: Kwargs | None = None, **traits: Unpack[Traits]) -> Entry:
    """An entry whose name is its aten name, and the case where one operator has several."""
    name = f"{op}.{case}" if case else op
    return Entry(name, f"aten::{op}", call, args, kw or {}, **traits)


def same(op: str, root: str, *args: Any, **options: Unpack[Options]) -> Entry:
    """An entry whose call has the operator's own name below `root`."""
    return entry(op, f"{root}.{op}", *args, **options)


def constants(op: str, call: str, *args: Any, **options: Unpack[Options]) -> Entry:
    """An entry without a derivative."""
    options["backward"] = False
    return entry(op, call, *args, **options)


def tensors(item: Entry) -> list[Input]:
    """Every tensor of an entry's call, in order, those inside lists too."""
    inputs: list[Input] = []

    def visit(value: Any) -> None:
        if isinstance(value, Input):
            inputs.append(value)
        elif isinstance(value, (list, tuple)):
            for part in value:
                visit(part)

    visit(item.args)
    visit(list(item.kwargs.values()))
    return inputs


def changes(layout: str, item: Entry) -> bool:
    """Whether a layout changes anything about an entry's inputs."""
    sizes = [len(tensor.shape) for tensor in tensors(item)]
    data = [len(tensor.shape) for tensor in tensors(item) if tensor.role == "data"]
    if layout == "channels_last":
        return any(size >= 4 for size in data)
    if layout == "transposed":
        return any(size >= 2 for size in sizes)
    if layout == "expanded":
        return any(size >= 2 for size in data)
    return any(size >= 1 for size in sizes)


def variants(item: Entry) -> list[str]:
    """The variants of an entry, the plain one first."""
    if item.law is not None:
        return [CONTIGUOUS]
    layouts = [layout for layout in LAYOUTS if layout not in item.without and changes(layout, item)]
    return [CONTIGUOUS, *layouts, *item.shapes, *(IN_PLACE if item.inplace else ())]
