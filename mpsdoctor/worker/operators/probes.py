"""Probes one operator on one device: the same call as the reference, and a judgement of the result.

The reference is the call on the CPU in float64, from inputs rounded to the probe's dtype, so that only the
device's arithmetic is judged; integers and booleans must agree exactly.
"""

from __future__ import annotations

import warnings
from typing import Any, Callable, NamedTuple

import torch
from torch import Tensor

from ..shapes import Judgement, PlannedProbe, ProbeResult
from ..training import cpu_paths
from .catalogue import CASES, CATALOGUE, USAGE
from .catalogue.entry import CONTIGUOUS, CORE, IN_PLACE, SHAPES, TAIL, Entry, Input, Kwargs, Law, variants
from .catalogue.inputs import LAYOUTS, layout_of, place, values, walk
from .catalogue.resolve import available, resolve
from .comparison import GRADIENT, compare_all, compare_distribution, make_judgement, say_more, wrong
from .messages import FALLING_BACK, judge_exception, readable

FORWARD, BACKWARD = "forward", "backward"

# How far a probe is from what training does most; a level takes those within its reach.
RANK_DISTANCE = (0.0, 2.0, 4.0)
DTYPE_DISTANCE = {"float32": 0.0, "bfloat16": 1.0, "float16": 1.0, "int64": 2.0, "bool": 2.0}
VARIANT_DISTANCE, BACKWARD_DISTANCE = 1.5, 0.5
REACH = {"quick": 2.0, "standard": 5.5, "thorough": float("inf")}
SHAPE_TURN = 0.5  # shapes that are compiled anew come after the layouts of those that are compiled already


# By entry, dtype, variant and direction; bounded by the catalogue, a few megabytes.
_references: dict[tuple[str, torch.dtype, str, str], list[Tensor]] = {}


class Case(NamedTuple):
    """One probe without its device."""

    item: Entry
    dtype: torch.dtype
    variant: str
    direction: str

    @property
    def function(self) -> Callable[..., Any]:
        path = self.item.inplace if self.variant in IN_PLACE and self.item.inplace else self.item.call
        function = resolve(path)
        if function is None:
            raise NotImplementedError(f"this torch has no {path}")
        return function


def operator_name(item: Entry, variant: str) -> str:
    """The aten name that a probe is about; in-place forms are operators of their own."""
    return item.op.rstrip("_") + "_" if variant in IN_PLACE else item.op


def directions(item: Entry, dtype: str, variant: str) -> tuple[str, ...]:
    """Both directions where the operator has a derivative in this dtype; a mutated view is probed forward."""
    if not item.backward or not getattr(torch, dtype).is_floating_point or variant == "inplace-view":
        return (FORWARD,)
    return (FORWARD, BACKWARD)


def distance(item: Entry, dtype: str, variant: str, direction: str) -> float:
    """How far a probe is from what training does most."""
    layout = 0.0 if variant == CONTIGUOUS else VARIANT_DISTANCE
    back = BACKWARD_DISTANCE if direction == BACKWARD else 0.0
    return RANK_DISTANCE[item.rank] + DTYPE_DISTANCE[dtype] + layout + back


def turn(item: Entry, dtype: str, variant: str) -> tuple[float, bool, int, int]:
    """When a probe's turn comes.

    MPS compiles a graph for each new operator, dtype and shape, which costs ten and more milliseconds, and finds it
    again whatever the strides are. So all layouts of an entry follow its plain probe at once, where they cost next to
    nothing; half types, other shapes and rarer operators come when those of float32 are done. Every operator is
    probed in one case before any is in a second. Other devices do not mind the order.
    """
    rank = CORE if is_core(item) else item.rank
    far = RANK_DISTANCE[rank] + DTYPE_DISTANCE[dtype] + (SHAPE_TURN if variant in SHAPES else 0.0)
    return far, is_step(item), CASES[item.name], USAGE.get(item.op, len(USAGE))


def plan(level: str, dtypes: list[str], device: str = "cpu") -> list[PlannedProbe]:
    """The probes of a level in the order of their turns.

    Operators this torch does not have are left out; so are, on the CPU, dtypes an entry says its kernels lack.
    """
    turns: list[tuple[tuple[float, bool, int, int], PlannedProbe]] = []
    for item in CATALOGUE.values():
        if not available(item):
            continue
        lacking = item.cpu_lacks if device == "cpu" else ()
        for dtype in (name for name in dtypes if name in item.dtypes and name not in lacking):
            for variant in variants(item):
                for direction in directions(item, dtype, variant):
                    if distance(item, dtype, variant, direction) <= REACH[level]:
                        planned = PlannedProbe(item.name, operator_name(item, variant), dtype, variant, direction)
                        turns.append((turn(item, dtype, variant), planned))
    return [planned for _, planned in sorted(turns, key=lambda pair: pair[0])]


def warm_up(device: str = "cpu") -> str:
    """Run one gradient: torch loads half a second of modules for its first, and Metal starts at its first call.

    Returns the outcome.
    """
    return probe("exp", device, "float32", CONTIGUOUS, BACKWARD)["outcome"]


def is_step(item: Entry) -> bool:
    """Whether an entry is an optimizer's step, which calls some dozen operators on three shapes."""
    return item.call == "calls.optimizer_steps"


def is_core(item: Entry) -> bool:
    return item.rank == CORE or (is_step(item) and item.rank < TAIL)


def core() -> list[str]:
    """The entries without which nothing trains: a device on which one of them is wrong is no device to use."""
    return [item.name for item in CATALOGUE.values() if is_core(item)]


def flatten(result: Any, dtype: torch.dtype) -> list[Tensor]:
    """The tensors of a call's result in order; Python numbers become tensors."""
    if isinstance(result, Tensor):
        return [result]
    if isinstance(result, (list, tuple)):
        return [tensor for part in result for tensor in flatten(part, dtype)]
    if isinstance(result, float):
        return [torch.tensor(result, dtype=dtype)]
    return [] if result is None else [torch.tensor(result)]


def cotangents(case: Case, outputs: list[Tensor], device: str) -> list[Tensor]:
    """The seeded gradients that flow into the outputs, rounded to the probe's dtype as the inputs are."""
    seeded = []
    for position, output in enumerate(outputs):
        spec = Input(tuple(output.shape), "ones" if case.item.law else "normal")
        value = values(spec, CONTIGUOUS, case.dtype, f"{case.item.name}/cotangent/{position}")
        seeded.append(value.to(device=device, dtype=output.dtype))
    return seeded


def make_arguments(case: Case, make: Callable[[Input, str], Tensor]) -> tuple[tuple[Any, ...], Kwargs, list[Tensor]]:
    """The arguments of a case's call, and those tensors whose gradient is to be judged."""
    leaves: list[Tensor] = []
    count = 0

    def build(spec: Input) -> Tensor:
        nonlocal count
        count += 1
        tensor = make(spec, f"{case.item.name}/{count}")
        if case.direction == BACKWARD and spec.grad and tensor.is_floating_point():
            tensor = tensor.detach().requires_grad_()
            leaves.append(tensor)
        return tensor

    args = walk(case.item.args, build)
    return args, walk(case.item.kwargs, build), leaves


def gradients(case: Case, outputs: list[Tensor], leaves: list[Tensor], device: str) -> list[Tensor]:
    """The gradient of every input; zero where an input has no part in the result."""
    outputs = [output for output in outputs if output.requires_grad]
    partial = torch.autograd.grad(outputs, leaves, cotangents(case, outputs, device), allow_unused=True)
    return [torch.zeros_like(leaf) if gradient is None else gradient for gradient, leaf in zip(partial, leaves)]


def run_case(case: Case, make: Callable[[Input, str], Tensor], device: str) -> list[Tensor]:
    """Results of a case's call, or its gradients."""
    args, kwargs, leaves = make_arguments(case, make)
    if case.variant in IN_PLACE and case.direction == BACKWARD:
        args = (args[0].clone(), *args[1:])  # a leaf must not be written to
    outputs = flatten(case.function(*args, **kwargs), case.dtype)
    return gradients(case, outputs, leaves, device) if case.direction == BACKWARD else outputs


def reference(case: Case) -> list[Tensor]:
    """The right result: contiguous inputs on the CPU, floating point ones in float64. Computed once."""
    key = (case.item.name, case.dtype, case.variant, case.direction)
    if key not in _references:
        _references[key] = compute_reference(case)
    return _references[key]


def compute_reference(case: Case) -> list[Tensor]:
    def make(spec: Input, seed: str) -> Tensor:
        value = values(spec, case.variant, case.dtype, seed)
        return value.to(torch.float64) if value.is_floating_point() else value.clone()

    return [result.detach() for result in run_case(case, make, "cpu")]


def compute(case: Case, device: str) -> list[Tensor]:
    """The device's results on the CPU; the copy waits for the device."""
    bases: list[Tensor] = []

    def make(spec: Input, seed: str) -> Tensor:
        view, base = place(spec, case.variant, case.dtype, seed, device)
        bases.append(base)
        return view

    results = run_case(case, make, device)
    if case.variant == "inplace-view":
        results = [bases[0]]  # the memory around the view must not change either
    return [result.detach().to("cpu") for result in results]


def expected_results(case: Case) -> list[Tensor]:
    """The reference of a case; layouts share that of the plain variant."""
    spec = next((arg for arg in case.item.args if isinstance(arg, Input)), None)
    plain = CONTIGUOUS if case.variant in LAYOUTS and case.variant not in ("expanded", *IN_PLACE) else case.variant
    results = reference(case._replace(variant=plain))
    if case.variant != "inplace-view" or spec is None:
        return results
    layout = layout_of(spec, results[0], case.variant)
    return [layout.pack(results[0]) if layout else results[0]]


def differs_again(case: Case, device: str, first: list[Tensor]) -> bool:
    """Whether a second run on the device gives other numbers than the first."""
    second = compute(case, device)
    return any(not torch.equal(result.nan_to_num(), again.nan_to_num()) for result, again in zip(first, second))


def judge_values(case: Case, device: str) -> Judgement:
    """Outcome of a case whose values are determined."""
    try:
        expected = expected_results(case)
    except Exception as error:
        if device == "cpu":
            return judge_exception(error)
        return make_judgement("skipped", "no_reference", error=readable(str(error)))
    actual = compute(case, device)
    slack = case.item.slack * (GRADIENT.get(case.dtype, 1.0) if case.direction == BACKWARD else 1.0)
    judgement = compare_all(actual, expected, case.dtype, device, slack)
    if judgement["outcome"] in ("wrong", "nan") and differs_again(case, device, actual):
        return say_more(judgement, "from_run_to_run")
    return judgement


def judge_law(case: Case, device: str, law: Law) -> Judgement:
    """Outcome of a random case: its distribution, and that two draws are not the same."""
    torch.manual_seed(20)
    first, second = compute(case, device)[0], compute(case, device)[0]
    if torch.equal(first, second):
        return wrong("same_draws")
    return compare_distribution(first, law)


def judge_case(case: Case, device: str) -> Judgement:
    """Outcome and detail of a case on a device; raises what the operator raises."""
    law = case.item.law
    return judge_law(case, device, law) if law else judge_values(case, device)


def judge_safely(device: str, judge: Callable[[], Judgement]) -> Judgement:
    """One judgement, whatever happens short of a crash, or that the CPU did the work."""
    prepare(device)
    torch.set_warn_always(device != "cpu")  # else torch says only once in a process that an operator falls back
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            judgement = judge()
        except Exception as error:
            judgement = judge_exception(error)
    torch.set_warn_always(False)
    warning = fallback_warning(caught) if device != "cpu" and judgement["outcome"] == "ok" else None
    return {"outcome": "fallback", "detail": warning} if warning else judgement


def fallback_warning(caught: list[warnings.WarningMessage]) -> str | None:
    """The warning that the CPU did the work; its absence proves nothing."""
    texts = (str(warning.message) for warning in caught)
    return next((readable(text) for text in texts if FALLING_BACK.search(text)), None)


def prepare(device: str) -> None:
    """Settings without which a device, or the CPU's reference, computes less exactly than its dtype promises."""
    cpu_paths.switch_nnpack(False)  # it has computed wrong float32 values on Apple silicon (pytorch#55781)
    if device.startswith("cuda"):
        torch.backends.cudnn.allow_tf32 = False  # 10 bits of mantissa for convolutions, on unless forbidden
        torch.backends.cuda.matmul.allow_tf32 = False


def probe(entry: str, device: str, dtype: str, variant: str, direction: str) -> ProbeResult:
    """Run one probe and judge it. KeyError for an entry that the catalogue does not have."""
    case = Case(CATALOGUE[entry], getattr(torch, dtype), variant, direction)
    return {
        "entry": entry,
        "op": operator_name(case.item, variant),
        "device": device,
        "dtype": dtype,
        "variant": variant,
        "direction": direction,
        **judge_safely(device, lambda: judge_case(case, device)),
    }
