"""Prints how predictions agree with trained programs: `python tests/bench/bench_agreement.py [VERSION …]`.

Small programs (layers, losses, recipes, kinds of faults) are predicted for MPS in a torch, and then trained, forward,
backward and optimizer, on the stand-in for a Mac with that version's kernels (tests/mac), without the fallback and,
where they raise, with it. What the stand-in does not have, it cannot confirm: checks of arguments and dtypes inside
kernels ("no check"; the CPU's kernels take the call), and kernels that are its own (tests/mac/README.md). All other
disagreements are marked. About a minute a version.

`--smoke` takes three programs in one version.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from torch import Tensor, nn  # noqa: E402

VERSIONS = ("2.2", "2.8", "2.13")
SMOKE = ("linear", "logcumsumexp", "float64")
MACHINE = "m3-max"
CHECKS = {"dtype", "sizes", "options"}  # what a kernel refuses; float64 apart, the stand-in's do not


class Function(nn.Module):
    """A layer of the model, and a function of what it gives."""

    def __init__(self, function: Callable[[Tensor], Tensor], width: int = 8) -> None:
        super().__init__()
        self.first, self.function = nn.Linear(8, width), function

    def forward(self, x: Tensor) -> Any:
        return self.function(self.first(x))


class First(nn.Module):
    """The first of what a module returns."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: Tensor) -> Any:
        return self.module(x)[0]


def image(*layers: nn.Module, rank: int = 2) -> nn.Module:
    return nn.Sequential(nn.Linear(8, 64 if rank == 2 else 512), nn.Unflatten(1, (1, *(8,) * rank)), *layers)


def made_of(function: Callable[[Tensor], Tensor]) -> Callable[[], nn.Module]:
    return lambda: Function(function)


def square(function: Callable[[Tensor], Tensor]) -> Callable[[], nn.Module]:
    return lambda: Function(lambda x: function(x.view(4, 3, 3) + 3 * torch.eye(3, device=x.device)), 9)


PROGRAMS: dict[str, Callable[[], nn.Module]] = {
    "linear": lambda: nn.Linear(8, 8),
    "mlp": lambda: nn.Sequential(nn.Linear(8, 8), nn.GELU(), nn.LayerNorm(8), nn.Dropout(0.1), nn.Linear(8, 2)),
    "conv2d": lambda: image(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.MaxPool2d(2)),
    "conv1d": lambda: nn.Sequential(nn.Linear(8, 8), nn.Unflatten(1, (2, 4)), nn.Conv1d(2, 2, 2)),
    "conv3d": lambda: image(nn.Conv3d(1, 2, 3), rank=3),
    "conv_transpose2d": lambda: image(nn.ConvTranspose2d(1, 2, 2)),
    "conv_transpose3d": lambda: image(nn.ConvTranspose3d(1, 2, 2), rank=3),
    "max_pool3d": lambda: image(nn.MaxPool3d(2), rank=3),
    "adaptive_avg_pool3d": lambda: image(nn.AdaptiveAvgPool3d(2), rank=3),
    "adaptive_avg_pool2d": lambda: image(nn.AdaptiveAvgPool2d(4)),
    "adaptive_avg_pool2d of 3": lambda: image(nn.AdaptiveAvgPool2d(3)),
    "bicubic": lambda: image(nn.Upsample(scale_factor=2, mode="bicubic")),
    "grid_sample border": lambda: image(nn.Upsample(size=4), Sampled()),
    "unfold": lambda: image(nn.Unfold(3)),
    "lstm": lambda: nn.Sequential(nn.Unflatten(1, (1, 8)), First(nn.LSTM(8, 4, batch_first=True))),
    "lstm projected": lambda: nn.Sequential(nn.Unflatten(1, (1, 8)), First(nn.LSTM(8, 4, proj_size=2))),
    "gru": lambda: nn.Sequential(nn.Unflatten(1, (1, 8)), First(nn.GRU(8, 4))),
    "transformer": lambda: nn.Sequential(nn.Unflatten(1, (1, 8)), nn.TransformerEncoderLayer(8, 2, 8)),
    "embedding_bag": lambda: Function(lambda x: F.embedding_bag(x.argsort(1), x.T.contiguous())),
    "cumsum": made_of(lambda x: x.cumsum(1)),
    "logcumsumexp": made_of(lambda x: x.logcumsumexp(1)),
    "cdist": made_of(lambda x: torch.cdist(x, x, p=1)),
    "median": made_of(lambda x: x.median(1)[0]),
    "kthvalue": made_of(lambda x: x.kthvalue(2, 1)[0]),
    "topk": made_of(lambda x: x.topk(2)[0]),
    "renorm": made_of(lambda x: x.renorm(2, 0, 1.0)),
    "take": made_of(lambda x: x.take(torch.tensor([0, 5], device=x.device))),
    "float64": made_of(lambda x: x.double().sin()),
    "nll_loss": made_of(lambda x: F.cross_entropy(x, x.argmax(1))),
    "multi_margin_loss": made_of(lambda x: F.multi_margin_loss(x, x.argmax(1))),
    "smooth_l1_loss": made_of(lambda x: F.smooth_l1_loss(x, x.detach() + 1)),
    "inverse": square(torch.linalg.inv),
    "determinant": square(torch.linalg.det),
    "svd": square(torch.linalg.svdvals),
    "cholesky": square(lambda a: torch.linalg.cholesky(a @ a.mT)),
    "sum of integers": made_of(lambda x: x.mean() + x.detach().long().cumsum(1).sum()),
    "product of integers": made_of(lambda x: x.mean() + (x.detach().long() @ x.detach().long().T).sum()),
    "accumulated half": made_of(lambda x: x.half()[torch.tensor([0, 0], device=x.device)].float()),
}


class Sampled(nn.Module):
    def forward(self, x: Tensor) -> Any:
        grid = torch.zeros(len(x), 2, 2, 2, device=x.device)
        return F.grid_sample(x, grid, padding_mode="border", align_corners=False)


def step(name: str, device: str) -> Callable[[], None]:
    """One training step of a program on a device."""
    torch.manual_seed(0)
    model = PROGRAMS[name]().to(device)
    optimizer, data = torch.optim.SGD(model.parameters(), lr=0.01), torch.randn(4, 8).to(device)

    def train() -> None:
        loss = model(data).float().mean()
        loss.backward()
        optimizer.step()
        float(loss.detach().cpu())

    return train


def outcome(name: str, device: str) -> list[str]:
    """`runs`, or why not: `missing` where torch itself names the fallback, else `error`; and what was raised."""
    try:
        step(name, device)()
    except Exception as error:
        said = f"{type(error).__name__}: {error}".split("\n")[0]
        missing = isinstance(error, NotImplementedError) and "PYTORCH_ENABLE_MPS_FALLBACK" in str(error)
        return ["missing" if missing else "error", said]
    return ["runs", ""]


def trained(names: list[str], version: str, fallback: bool) -> dict[str, list[str]]:
    """The outcome of each program on the stand-in, in one process."""
    from mac import stand_in

    with tempfile.TemporaryDirectory() as folder:
        env = stand_in.environment(MACHINE, Path(folder), torch=f"{version}.0")
        env |= {"PYTORCH_ENABLE_MPS_FALLBACK": "1"} if fallback else {}
        done = subprocess.run(
            [sys.executable, __file__, "--train", *names], env=env, capture_output=True, text=True, check=False
        )
    if done.returncode:
        sys.exit(f"torch {version} on the stand-in: {done.stderr[-800:]}")
    found: dict[str, list[str]] = json.loads(done.stdout.splitlines()[-1])
    return found


def seen(names: list[str], version: str) -> dict[str, str]:
    """What training came to: `runs`, `fallback` (with the variable only) or `stops`; after a slash what was raised."""
    without = trained(names, version, fallback=False)
    raised = [name for name in names if without[name][0] != "runs"]
    with_it = trained(raised, version, fallback=True) if raised else {}
    helped = {name: "fallback" if with_it[name][0] == "runs" else "stops" for name in with_it}
    return {name: f"{helped.get(name, 'runs')}/{without[name][1]}" for name in names}


def compare(names: list[str], version: str) -> tuple[int, int, int]:
    """Print a row a program; how many agree, are explained, and are not."""
    from mpsdoctor.support import call_of, overall_answer, predict, support_in
    from mpsdoctor.support.prediction import STOPS
    from mpsdoctor.worker.steps import calltree

    support, counts = replace(support_in(version), macos="26.0"), [0, 0, 0]
    answers = seen(names, version)
    for name in names:
        predictions = predict(map(call_of, calltree.record(step(name, "cpu"))), support)
        predicted, (answer, _, said) = overall_answer(predictions), answers[name].partition("/")
        stopping = [each for each in predictions if each.verdict in STOPS]
        unchecked = any(each.verdict in CHECKS for each in stopping) and predicted == "stops"
        kind = 0 if predicted == answer else 1 if unchecked else 2
        counts[kind] += 1
        note = ("", "no check in the stand-in: ", "DISAGREES: ")[kind]
        why = "" if not kind else str(stopping[0].reason or stopping[0].op) if stopping else said
        print(f"| {version} | {name} | {predicted} | {answer} | {note}{why[:90]} |", flush=True)
    return counts[0], counts[1], counts[2]


def main() -> None:
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    if "--train" in sys.argv:
        print(json.dumps({name: outcome(name, "mps") for name in sys.argv[2:]}))
        return
    smoke = "--smoke" in sys.argv
    names = [*SMOKE] if smoke else [*PROGRAMS]
    versions = [word for word in sys.argv[1:] if not word.startswith("-")] or (["2.8"] if smoke else [*VERSIONS])
    print("| torch | program | predicted | trained | |\n|---|---|---|---|---|")
    totals = [compare(names, version) for version in versions]
    agree, unchecked, differ = (sum(total[place] for total in totals) for place in range(3))
    print(f"{agree} agree, {unchecked} that the stand-in has no check for, {differ} disagree")


if __name__ == "__main__":
    main()
