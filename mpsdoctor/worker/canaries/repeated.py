"""The same again and again, or from two threads at once: what goes wrong now and then."""

from __future__ import annotations

import threading
from typing import Callable, List, Tuple

import torch
from torch import Tensor

from .place import Place, one_mismatch

Results = Tuple[Tensor, ...]


def add_up_often(on: Place) -> Results:
    """How far the mean and the count of equal numbers are off at most."""
    size = on.size(8_601_600, 2**16)
    x = torch.full((size,), 0.5, device=on.device)
    means, counts = [], []
    for count in on.repeat(300):
        means.append(x.sum() / size - 0.5)
        counts += [torch.count_nonzero(x) - size] if count % 3 == 0 else []
    return one_mismatch(torch.stack(means)), one_mismatch(torch.stack(counts))


def take_variance_often(on: Place) -> Tensor:
    size = on.size(3_717_120, 2**15)
    x = (torch.arange(size, device=on.device) % 2).float()
    return one_mismatch(torch.stack([x.var(unbiased=False) - 0.25 for _ in on.repeat(200)]))


def work_in_two_threads(work: Callable[[], float]) -> Tensor:
    """What both return. A thread that fails leaves -1."""
    results: List[float] = [-1.0, -1.0]

    def run(place: int) -> None:
        results[place] = work()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return torch.tensor(results, dtype=torch.float64)


def find_in_two_threads(on: Place) -> Tensor:
    x = on.put(torch.arange(4096) % 3 == 0)
    return work_in_two_threads(lambda: float(sum(x.nonzero().shape[0] for _ in range(10))))


def count_in_two_threads(on: Place) -> Tensor:
    def work() -> float:
        total = 0.0
        for more in range(8):
            whole = torch.arange(0, 256 + more, 1, device=on.device, dtype=torch.float32)
            total += float(whole.sum() + torch.linspace(0.0, 1.0, 101 + more, device=on.device).sum())
        return total

    return work_in_two_threads(work)
