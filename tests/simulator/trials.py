"""What the simulator's tests run in a process that has the simulated device: `python trials.py NAME…`.

Prints one JSON object, each trial's name with what it found.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

Make = Callable[[], nn.Module]


class Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(32, 4, 64, dropout=0.0, batch_first=True)
        self.embed, self.encode, self.head = nn.Embedding(50, 32), nn.TransformerEncoder(layer, 2), nn.Linear(32, 4)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.head(self.encode(self.embed(tokens)).mean(1))
        return result


class Recurrent(nn.Module):
    def __init__(self, body: nn.RNNBase) -> None:
        super().__init__()
        self.body, self.head = body, nn.Linear(16, 4)

    def forward(self, series: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.head(self.body(series)[0][:, -1])
        return result


def mlp() -> nn.Module:
    return nn.Sequential(nn.Linear(10, 32), nn.GELU(), nn.LayerNorm(32), nn.Dropout(0.0), nn.Linear(32, 4))


def cnn() -> nn.Module:
    first = [nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*first, nn.Conv2d(8, 8, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4))


FAMILIES: dict[str, tuple[Make, Callable[[], torch.Tensor]]] = {
    "mlp": (mlp, lambda: torch.randn(16, 10)),
    "cnn": (cnn, lambda: torch.randn(16, 3, 16, 16)),
    "transformer": (Encoder, lambda: torch.randint(0, 50, (16, 12))),
    "lstm": (lambda: Recurrent(nn.LSTM(8, 16, 2, batch_first=True)), lambda: torch.randn(16, 7, 8)),
    "gru": (lambda: Recurrent(nn.GRU(8, 16, 2, batch_first=True)), lambda: torch.randn(16, 7, 8)),
}


def trainer(family: str, device: str, **options: Any) -> Callable[[], torch.Tensor]:
    """A step of training; weights and batch are made on the CPU from one seed."""
    torch.manual_seed(0)
    make, inputs = FAMILIES[family]
    model = make().to(device)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3, **options)
    batch, labels = inputs().to(device), torch.randint(0, 4, (16,)).to(device)

    def step() -> torch.Tensor:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(batch), labels)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        return loss

    return step


def losses() -> dict[str, float]:
    """The largest difference between the losses of ten steps on the device and on the CPU."""
    found = {}
    for family in FAMILIES:
        for name, options in {"": {}, " fused": {"fused": True}}.items():
            steps = [trainer(family, device, **options) for device in ("cpu", "sim")]
            curves = [[step().item() for _ in range(10)] for step in steps]
            found[family + name] = max(abs(a - b) for a, b in zip(*curves, strict=True))
    return found


def torch_api() -> dict[str, Any]:
    tensor = torch.ones(3, device="sim")
    return {
        "accelerator": str(torch.accelerator.current_accelerator()),
        "available": torch.accelerator.is_available(),
        "device": str(tensor.device),
        "name": torch.get_device_module("sim").get_device_name(),
        "repr": repr(tensor),
        "autocast": {str(dtype): autocast(dtype) for dtype in (torch.float16, torch.bfloat16)},
    }


def autocast(dtype: torch.dtype) -> list[str]:
    """The types that a matrix product and a loss have under mixed precision."""
    matrix = torch.ones(2, 2, device="sim")
    with torch.autocast("sim", dtype=dtype):
        product = matrix @ matrix
        return [str(product.dtype), str(nn.functional.mse_loss(product, matrix).dtype)]


def views() -> dict[str, Any]:
    """What the base holds after something was done to a view of it, each beside the CPU's answer."""
    actions: dict[str, Callable[[torch.Tensor], Any]] = {
        "transposed": lambda base: base.t().add_(1),
        "slice": lambda base: base[1:, ::2].mul_(5),
        "view": lambda base: base.view(-1)[3].fill_(9),
        "as_strided": lambda base: base.as_strided((2, 2), (1, 5), 2).zero_(),
        "unbound": lambda base: [part.neg_() for part in base.unbind(1)],
        "out": lambda base: torch.mul(base[0], 2, out=base[1]),
        "set": lambda base: torch.empty(0, device=base.device).set_(base.untyped_storage(), 4, (2,), (3,)).zero_(),
        "copy": lambda base: base[0].copy_(torch.arange(4.0)),
        "indexed": lambda base: base.index_put_((torch.tensor([0, 2]),), torch.tensor(7.0, device=base.device)),
    }
    found = {}
    for name, act in actions.items():
        bases = [torch.arange(12.0).reshape(3, 4).to(device) for device in ("cpu", "sim")]
        for base in bases:
            act(base)
        found[name] = [base.tolist() for base in bases]
    return found


def resized() -> list[Any]:
    """A tensor that a kernel makes larger takes new memory; what else uses the old name sees the same memory."""
    target = torch.zeros(2, device="sim")
    torch.add(torch.ones(1000, device="sim"), 1, out=target.resize_(0))
    target[999] = 5
    return [target.shape[0], target.sum().item(), target.untyped_storage().device.type]


def mixed() -> str:
    try:
        torch.ones(3, device="sim") + torch.ones(3)
    except RuntimeError as error:
        return str(error)
    return "ran"


def randomness() -> list[bool]:
    """The CPU's stream is left alone; the same seed gives the same numbers; the state can be put back."""
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    first = nn.functional.dropout(torch.ones(64, device="sim"))
    untouched = torch.equal(torch.rand(3), expected)
    state = torch.get_device_module("sim").get_rng_state()
    drawn = torch.rand(3, device="sim")
    torch.get_device_module("sim").set_rng_state(state)
    again = torch.equal(torch.rand(3, device="sim"), drawn)
    torch.manual_seed(1)
    return [untouched, again, torch.equal(nn.functional.dropout(torch.ones(64, device="sim")), first)]


def memory() -> dict[str, Any]:
    """Bytes in use before, with, and after a block of a million bytes; and what too large a block raises."""
    used = torch.accelerator.memory_allocated
    before = used()
    block = torch.empty(1_000_000, dtype=torch.uint8, device="sim")
    held = used() - before
    del block
    return {"held": held, "left": used() - before, "too large": outcome(lambda: torch.empty(2**20, device="sim").shape)}


def growth() -> int:
    """Bytes that three steps of training leave behind, after two to settle."""
    step = trainer("mlp", "sim")
    for _ in range(2):
        step()
    before = torch.accelerator.memory_allocated()
    for _ in range(3):
        step()
    return int(torch.accelerator.memory_allocated() - before)


def outcome(call: Callable[..., Any], *arguments: Any) -> Any:
    try:
        result = call(*arguments)
        return result.tolist() if isinstance(result, torch.Tensor) else result
    except Exception as error:  # the tests ask which
        return f"{type(error).__name__}: {error}"


def gradient(function: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    inputs = torch.tensor([-1.0, 0.5, 2.0], device="sim", requires_grad=True)
    return outcome(lambda: torch.autograd.grad(function(inputs).sum(), inputs)[0])


def faults() -> dict[str, Any]:
    """Results of the operators that test_simulator plants faults in; of several calls where calls are counted."""
    x = torch.tensor([1.0, 2.0, 4.0], device="sim")
    plain = ["cumsum", "sin", "sqrt", "argmax", "sign", "isneginf", "cosh", "erf", "tan", "abs"]
    counted = ["exp2", "round"]
    linear = nn.functional.linear
    return {
        **{name: outcome(getattr(x, name), *([0] if name == "cumsum" else [])) for name in plain},
        **{name: [outcome(getattr(x, name)) for _ in range(3)] for name in counted},
        "tan float16": outcome(x.half().tan),
        "abs strided": outcome(torch.stack([x, x]).t().abs),
        "linear": outcome(linear, x, x[None]),
        "linear gradient": gradient(lambda inputs: linear(inputs, x[None])),
        "gelu": outcome(nn.functional.gelu, torch.zeros(1, device="sim")),
        "gelu gradient": gradient(nn.functional.gelu),
        "silu gradient": gradient(nn.functional.silu),
        "flip": outcome(x.flip, 0),
        "flip gradient": gradient(lambda inputs: inputs.flip(0)),
    }


def deadly() -> None:
    """Says that it begins, counts in another thread, and meets the fault planted in cumsum."""
    begun = threading.Event()

    def count() -> None:
        for number in range(200):
            print(number, flush=True)
            begun.set()
            time.sleep(0.01)

    tensor = torch.ones(3, device="sim")
    threading.Thread(target=count, daemon=True).start()
    begun.wait()
    print("begins", flush=True)
    tensor.cumsum(0)
    print("survived", flush=True)


def clock() -> dict[str, float]:
    """Milliseconds of four steps on the device: until launched, until done; the same waiting for the loss."""
    step = trainer("mlp", "sim")
    step()
    torch.accelerator.synchronize()
    begin = time.perf_counter()
    for _ in range(4):
        loss = step()
    launched = time.perf_counter()
    torch.accelerator.synchronize()
    done = time.perf_counter()
    for _ in range(4):
        loss = step()
    loss.item()
    read = time.perf_counter()
    return {"launched": launched - begin, "done": done - begin, "read": read - done}


def slow_start() -> list[float]:
    """Seconds of each of five steps, waiting for each."""
    step, seconds = trainer("mlp", "sim"), []
    for _ in range(5):
        begin = time.perf_counter()
        step()
        torch.accelerator.synchronize()
        seconds.append(time.perf_counter() - begin)
    return seconds


def pace() -> dict[str, float]:
    """Seconds of three steps of the MLP on the CPU and on the device, in one process."""
    found = {}
    for device in ("cpu", "sim"):
        step = trainer("mlp", device)
        step()
        torch.accelerator.synchronize()
        begin = time.perf_counter()
        for _ in range(3):
            step()
        torch.accelerator.synchronize()
        found[device] = time.perf_counter() - begin
    return found


if __name__ == "__main__":
    torch.set_num_threads(1)
    found = {name: globals()[name]() for name in sys.argv[1:]}
    print(json.dumps(found), flush=True)
    # torch's thread for the backward pass drops its last Python reference a little after the caller went on, and
    # aborts if Python is being torn down by then. A worker of the doctor is killed, so that it never meets this.
    os._exit(0)
