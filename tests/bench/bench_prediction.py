"""Prints how well predictions for MPS agree with PyTorch's own list: `python tests/bench/bench_prediction.py`.

Needs numpy and expecttest beside torch (the extra `exhaustive`), for PyTorch's OpInfo database; about one minute. Every
float32 sample of op_db is run forward and backward on the CPU and its operators are predicted for MPS in the installed
torch. The truth are the UNIMPLEMENTED lists of that wheel's common_mps.py (torch 2.8 and later), entries for float32.

An operator counts as predicted to be unimplemented if one of its samples calls an operator without a kernel, or one
that its kernel does not implement for such sizes; or if every sample needs float64. Samples that ask for float64 by
name are left out: PyTorch draws others on MPS.

`--smoke` takes one OpInfo in sixteen.
"""

from __future__ import annotations

import importlib
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from mpsdoctor.support import call_of, known_failures, predict, sentence, support_in, support_of_installed  # noqa: E402
from mpsdoctor.support.prediction import STOPS, Prediction  # noqa: E402

BARS = {"precision": 0.90, "recall": 0.85}
UNIMPLEMENTED = {"missing", "sizes"}
EVERY = 16 if "--smoke" in sys.argv else 1


def samples(info: Any) -> Iterator[Any]:
    """The float32 samples of an OpInfo that do not ask for float64 by name."""
    import torch

    for sample in info.sample_inputs("cpu", torch.float32, requires_grad=info.supports_autograd):
        if not {torch.float64, torch.complex128} & set(filter(is_dtype, (*sample.args, *sample.kwargs.values()))):
            yield sample


def is_dtype(value: Any) -> bool:
    import torch

    return isinstance(value, torch.dtype)


def step(calltree: Any, info: Any, sample: Any) -> None:
    """One sample forward and, where it has a derivative, backward."""
    import torch

    result = info(sample.input, *sample.args, **sample.kwargs)
    if not info.supports_autograd:
        return
    if sample.output_process_fn_grad:
        result = sample.output_process_fn_grad(result)
    inputs = [sample.input, *sample.args, *sample.kwargs.values()]
    results = [one for one in calltree.tensors([result]) if one.requires_grad]
    leaves = [one for one in calltree.tensors(inputs) if one.requires_grad]
    if results and leaves:
        torch.autograd.grad(results, leaves, [torch.ones_like(one) for one in results], allow_unused=True)


def of_info(calltree: Any, info: Any, support: Any) -> tuple[list[list[Prediction]], str | None]:
    """The predictions for each sample, and what the last sample that failed on the CPU raised."""
    found, failed = [], None
    for sample in samples(info):
        try:
            with calltree.watching() as tree:
                step(calltree, info, sample)
        except Exception as error:
            failed = f"{type(error).__name__}: {error}".split("\n")[0]
        found.append(predict(map(call_of, tree.calls), support))
    return found, failed


def stopped(every: list[list[Prediction]]) -> bool:
    """Whether an operator is predicted to be unimplemented."""
    missing = any(one.verdict in UNIMPLEMENTED for each in every for one in each)
    return missing or (bool(every) and all(any(one.verdict in STOPS for one in each) for each in every))


def measure(support: Any, truth: set[str]) -> None:
    import torch

    calltree = importlib.import_module("mpsdoctor.worker.steps.calltree")
    database: Any = importlib.import_module("torch.testing._internal.common_methods_invocations")
    known, positive = set(), {}
    for info in database.op_db[::EVERY]:
        if torch.float32 not in info.supported_dtypes("cpu"):
            continue
        name = info.name + info.variant_test_name
        known.add(name)
        every, failed = of_info(calltree, info, support)
        if failed:
            print(f"failed on the CPU   {name}: {failed[:100]}")
        if stopped(every):
            positive[name] = [one for each in every for one in each if one.verdict in STOPS]
    tell(positive, truth & known, len(known), support.version)


def tell(positive: dict[str, list[Prediction]], truth: set[str], count: int, version: str) -> None:
    right = truth & set(positive)
    for name in sorted(set(positive) - truth):
        print(f"not in the list     {name}: {sentence(positive[name][0], version)}")
    for name in sorted(truth - right):
        print(f"not predicted       {name}")
    kernels = {name for name, stops in positive.items() if any(one.verdict == "missing" for one in stops)}
    print(f"{count} operators, {len(truth)} in the list, {len(positive)} predicted, {len(right)} of them in the list")
    for title, found in (("all rules", set(positive)), ("kernels alone", kernels)):
        precision, recall = len(truth & found) / len(found), len(truth & found) / len(truth)
        for what, figure in (("precision", precision), ("recall", recall)):
            bar = (
                f"bar {BARS[what]:.2f}  {'holds' if figure >= BARS[what] else 'MISSED'}" if title == "all rules" else ""
            )
            print(f"{title:14} {what:10} {figure:.3f}   {bar}".rstrip())


def main() -> None:
    import torch

    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    folder = Path(torch.__file__).parent
    known = known_failures(folder)
    if known is None:
        sys.exit(f"torch {torch.__version__} has no list of what MPS lacks (2.8 and later have)")
    truth = {
        name
        for name, entries in known.items()
        if any(one.kind == "unimplemented" and (one.dtypes is None or "float32" in one.dtypes) for one in entries)
    }
    begun = time.perf_counter()
    support_in("2.13")
    print(f"history read in {1e3 * (time.perf_counter() - begun):.1f} ms (bar 20)")
    measure(support_of_installed(folder, torch.__version__), truth)


if __name__ == "__main__":
    main()
