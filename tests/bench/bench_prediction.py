"""Prints how well predictions for MPS agree with PyTorch's own list: `python tests/bench/bench_prediction.py`.

Needs numpy and expecttest beside torch (the extra `exhaustive`), for PyTorch's OpInfo database; three minutes. Every
float32 sample of op_db is run forward and backward on the CPU, once, and its operators are predicted for MPS in each
torch whose wheel has lists of what fails there. Recall is about the operators that a list calls unimplemented; for
precision a prediction is right too where a list expects the operator to fail, which is mostly its backward.

An operator counts as predicted to be unimplemented if one of its samples calls an operator without a kernel, or one
that its kernel does not implement for such sizes or options; or if every sample needs float64. Samples that ask for
float64 by name are left out: PyTorch draws others on MPS. Samples and composites are the installed version's.

`--smoke` takes one OpInfo in sixteen, `--verbose` names what disagrees in every version.
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

from mpsdoctor.support import Call, call_of, predict, sentence, support_in  # noqa: E402
from mpsdoctor.support.history import order  # noqa: E402
from mpsdoctor.support.prediction import STOPS, Prediction  # noqa: E402

DATA = Path(__file__).parent / "data"
BARS = {"precision": 0.95, "recall": 0.92}
OLDER = {"2.8": {"precision": 0.88, "recall": 0.80}}
UNIMPLEMENTED = {"missing", "sizes", "options"}
EVERY = 16 if "--smoke" in sys.argv else 1
VERBOSE = "--verbose" in sys.argv


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


def calls_of(calltree: Any, info: Any) -> list[list[Call]]:
    """The calls of each sample; of one that fails on the CPU, those before."""
    calls, failed = [], ""
    for sample in samples(info):
        try:
            with calltree.watching() as tree:
                step(calltree, info, sample)
        except Exception as error:
            failed = f"{type(error).__name__}: {error}".split("\n")[0]
        calls.append([call_of(node) for node in tree.calls])
    if failed:
        print(f"failed on the CPU   {info.name}{info.variant_test_name}: {failed[:100]}")
    return calls


def stopped(every: list[list[Prediction]]) -> bool:
    """Whether an operator is predicted to be unimplemented."""
    missing = any(one.verdict in UNIMPLEMENTED for each in every for one in each)
    return missing or (bool(every) and all(any(one.verdict in STOPS for one in each) for each in every))


def database(calltree: Any) -> dict[str, list[list[Call]]]:
    """By OpInfo, the calls of its samples."""
    import torch

    infos: Any = importlib.import_module("torch.testing._internal.common_methods_invocations").op_db[::EVERY]
    infos = [info for info in infos if torch.float32 in info.supported_dtypes("cpu")]
    return {info.name + info.variant_test_name: calls_of(calltree, info) for info in infos}


def measure(calls: dict[str, list[list[Call]]], version: str, unimplemented: set[str], failing: set[str]) -> None:
    """Print how predictions for one version agree with its lists."""
    support = support_in(version)
    positive: dict[str, list[Prediction]] = {}
    for name, samples in calls.items():
        predictions = [predict(sample, support) for sample in samples]
        if stopped(predictions):
            positive[name] = [each for sample in predictions for each in sample if each.verdict in STOPS]
    if VERBOSE:
        for name in sorted(positive.keys() - unimplemented - failing):
            print(f"{version} in no list         {name}: {sentence(positive[name][0], version)}")
        for name in sorted(unimplemented & calls.keys() - positive.keys()):
            print(f"{version} not predicted      {name}")
    tell(version, set(positive), unimplemented & calls.keys(), failing)


def tell(version: str, positive: set[str], unimplemented: set[str], failing: set[str]) -> None:
    precision = len(positive & (unimplemented | failing)) / max(1, len(positive))
    recall = len(positive & unimplemented) / max(1, len(unimplemented))
    bars = OLDER.get(version, BARS)
    held = precision >= bars["precision"] and recall >= bars["recall"]
    print(
        f"torch {version:5} {len(unimplemented):3} unimplemented, {len(positive):3} predicted"
        f"   precision {precision:.3f}   recall {recall:.3f}"
        f"   bars {bars['precision']:.2f} {bars['recall']:.2f}  {'hold' if held else 'MISSED'}",
        flush=True,
    )


def listed(name: str) -> dict[str, set[str]]:
    """By version, the operators that a file of tests/bench/data names."""
    text = (DATA / name).read_text()
    lines = [line.split() for line in text.split("\n") if line and not line.startswith("#")]
    versions = sorted({version for _, *spans in lines for span in spans for version in span.split("-")}, key=order)
    by_version: dict[str, set[str]] = {version: set() for version in versions}
    for opinfo, *spans in lines:
        for first, last in (span.split("-") for span in spans):
            for version in versions[versions.index(first) : versions.index(last) + 1]:
                by_version[version].add(opinfo)
    return by_version


def main() -> None:
    import torch

    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    begun = time.perf_counter()
    support_in("2.13")
    print(f"history read in {1e3 * (time.perf_counter() - begun):.1f} ms (bar 20)")
    calls = database(importlib.import_module("mpsdoctor.worker.steps.calltree"))
    failing = listed("failing.txt")
    for version, unimplemented in listed("unimplemented.txt").items():
        measure(calls, version, unimplemented, failing.get(version, set()))


if __name__ == "__main__":
    main()
