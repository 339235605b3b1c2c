"""A job for a worker on a Mac: whether its process has touched the GPU."""

from __future__ import annotations

import torch


def touched() -> bool:
    return bool(torch.ops.mac.awake())
