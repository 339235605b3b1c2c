"""`mpsdoctor ops --all` beside PyTorch's own device-type test classes under pytest, over the same OpInfos on the CPU.

    python tests/bench/bench_ops.py [COUNT | --smoke]

Takes about COUNT OpInfos (240) with float32 and a gradient, evenly spread over op_db; of fewer, the start is most of
the time. Both sides judge every sample forward and backward against float64. Theirs is a TestCase made by
`instantiate_device_type_tests` and `ops`, one test an OpInfo and direction. Needs numpy, expecttest and pytest. Prints
seconds with and without what each needs to start (a run over a single OpInfo), and the memory of the largest worker.
`--smoke` runs two OpInfos, and takes no start off.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import psutil

TESTS = """
import os
import torch
from torch.testing._internal.common_device_type import instantiate_device_type_tests, ops
from torch.testing._internal.common_methods_invocations import op_db
from torch.testing._internal.common_utils import TestCase

NAMES = set(os.environ["BENCH_NAMES"].split(","))
CHOSEN = [one for one in op_db if ".".join(filter(None, (one.name, one.variant_test_name))) in NAMES]


def promoted(value):
    if not isinstance(value, torch.Tensor):
        return value
    if value.is_floating_point():
        return value.detach().double().requires_grad_(value.requires_grad)
    return value.detach().clone()


def tensors(value):
    if isinstance(value, torch.Tensor):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return [one for part in parts for one in tensors(part)]


def called(op, sample):
    return sample.output_process_fn_grad(op(sample.input, *sample.args, **sample.kwargs))


def gradients(op, sample):
    leaves = [one for one in tensors([sample.input, sample.args, sample.kwargs]) if one.requires_grad]
    outputs = [one for one in tensors(called(op, sample)) if one.requires_grad]
    if not outputs:
        return []
    return torch.autograd.grad(outputs, leaves, [torch.ones_like(one) for one in outputs], allow_unused=True)


class TestMatch(TestCase):
    @ops(CHOSEN, allowed_dtypes=(torch.float32,))
    def test_forward(self, device, dtype, op):
        for sample in op.sample_inputs(device, dtype):
            expected = called(op, sample.transform(promoted))
            self.assertEqual(called(op, sample), expected, exact_dtype=False, atol=1e-4, rtol=1e-4)

    @ops(CHOSEN, allowed_dtypes=(torch.float32,))
    def test_backward(self, device, dtype, op):
        for sample in op.sample_inputs(device, dtype, requires_grad=True):
            expected = gradients(op, sample.transform(promoted))
            self.assertEqual(gradients(op, sample), expected, exact_dtype=False, atol=1e-4, rtol=1e-4)


instantiate_device_type_tests(TestMatch, globals(), only_for="cpu")
"""
CHOICE = """
import torch
from torch.testing._internal.common_methods_invocations import op_db
found = [one for one in op_db if torch.float32 in one.supported_dtypes("cpu") and one.supports_autograd]
print(",".join(".".join(filter(None, (one.name, one.variant_test_name))) for one in found[:: max(len(found) // {}, 1)]))
"""


def ours(names: str) -> dict[str, Any]:
    """Seconds, samples, entries and the largest worker's memory of a run of the command."""
    command = [sys.executable, "-m", "mpsdoctor", "ops", "-q", "--all", "--op", names, "--json", "--fail-on", "never"]
    begun = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    peak = [0]
    threading.Thread(target=watch, args=(process.pid, peak), daemon=True).start()
    document = json.loads(process.communicate()[0])
    facts = document["checks"][-1]["facts"]
    seconds = time.monotonic() - begun
    samples = sum(facts["summary"]["cpu"].values())
    return {
        "seconds": seconds,
        "samples": samples,
        "entries": facts["entries"],
        "peak": peak[0],
        "summary": facts["summary"],
    }


def watch(pid: int, peak: list[int]) -> None:
    """Keep the largest resident memory of any descendant."""
    while psutil.pid_exists(pid):
        try:
            sizes = [one.memory_info().rss for one in psutil.Process(pid).children(recursive=True)]
        except psutil.Error:  # ended between two looks
            sizes = []
        peak[0] = max([peak[0], *sizes])
        time.sleep(0.1)


def theirs(names: list[str]) -> tuple[float, str]:
    """Seconds of pytest over the same OpInfos, and its last line."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "test_match.py"
        file.write_text(TESTS)
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--disable-warnings", str(file)]
        begun = time.monotonic()
        env = {**os.environ, "BENCH_NAMES": ",".join(names)}
        done = subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, check=False)
        return time.monotonic() - begun, done.stdout.strip().splitlines()[-1]


def main() -> None:
    smoke = "--smoke" in sys.argv
    count = 2 if smoke else next((int(word) for word in sys.argv[1:]), 240)
    choice = subprocess.run([sys.executable, "-c", CHOICE.format(count)], capture_output=True, text=True, check=True)
    names = choice.stdout.strip().splitlines()[-1]
    mine = ours(names)
    start = 0.0 if smoke else ours("exp")["seconds"]
    other, line = theirs(mine["entries"])
    other_start = 0.0 if smoke else theirs(["exp"])[0]
    print(f"{len(mine['entries'])} OpInfos, {mine['samples']:,} samples: {mine['summary']}")
    print(f"mpsdoctor  {mine['seconds']:6.1f} s   {mine['seconds'] - start:6.1f} s without the start ({start:.1f} s)")
    print(f"pytest     {other:6.1f} s   {other - other_start:6.1f} s without the start ({other_start:.1f} s)   {line}")
    print(f"ratio      {other / mine['seconds']:6.1f}     {(other - other_start) / (mine['seconds'] - start):6.1f}")
    print(f"largest worker {mine['peak'] / 2**20:,.0f} MiB")


if __name__ == "__main__":
    main()
