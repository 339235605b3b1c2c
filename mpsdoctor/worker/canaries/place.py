"""Where a canary computes: on a device, or for the reference on the CPU in double precision."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Iterator, Optional

import torch
from torch import Tensor


@dataclass
class Place:
    """A device; `precise` is the reference. `seconds` is how long a canary that needs luck goes on trying."""

    device: str
    precise: bool = False
    seconds: float = 0.2
    _until: float = field(default=0.0, init=False)

    @property
    def kind(self) -> str:
        return self.device.partition(":")[0]

    @property
    def is_cpu(self) -> bool:
        return self.kind == "cpu"

    def put(self, value: Tensor) -> Tensor:
        """The tensor here, in double precision where it is the reference."""
        return self.refine(value).to(self.device)

    def refine(self, value: Tensor) -> Tensor:
        """The tensor where it is, in the precision of this place."""
        if self.precise and value.is_floating_point():
            return value.double()
        return value.to(torch.complex128) if self.precise and value.is_complex() else value

    def draw(
        self,
        *shape: int,
        seed: int = 0,
        scale: float = 1.0,
        dtype: Optional[torch.dtype] = None,
        positive: bool = False,
    ) -> Tensor:
        """Normal numbers, the same everywhere: drawn on the CPU and rounded to the dtype before they go anywhere."""
        numbers = torch.randn(shape, generator=torch.Generator().manual_seed(seed)) * scale
        numbers = numbers.abs() + 0.5 if positive else numbers
        return self.put(numbers if dtype is None else numbers.to(dtype))

    def numbers(self, values: object, dtype: Optional[torch.dtype] = None) -> Tensor:
        """These numbers here."""
        return self.put(torch.tensor(values, dtype=dtype))

    def size(self, large: int, small: int) -> int:
        """A size that is too large to be computed twice: on the CPU the small one stands for it."""
        return small if self.is_cpu else large

    def repeat(self, most: int) -> Iterator[int]:
        """Counts up to the number, or until the time is over; twice on the CPU."""
        self._until = time.monotonic() + self.seconds
        for count in range(2 if self.is_cpu else most):
            if count and time.monotonic() > self._until:
                return
            yield count

    def leave_dirt(self, numbers: int = 3_000_000) -> None:
        """Freed memory full of large numbers, for what reads memory that is not its own to read."""
        if not self.is_cpu:
            torch.full((numbers,), 1e3, device=self.device)


def one_mismatch(counts: Tensor) -> Tensor:
    """The largest distance from zero, as a number."""
    return counts.abs().max()
