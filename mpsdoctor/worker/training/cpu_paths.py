"""Which path the CPU takes for convolutions, and how to make it take another.

On Apple silicon float32 convolutions of 16 images and more go to NNPACK, which was measured to be six times slower than
torch's other path on an M4, training included (pytorch#107534), and has computed wrong values there (pytorch#55781).
"""

from __future__ import annotations

import torch

NNPACK = "NnpackSpatial"  # torch's name of the path


def switch_nnpack(on: bool) -> bool:
    """Let the CPU use NNPACK or not; whether this torch has it and the switch, which came with torch 2.3."""
    module = getattr(torch.backends, "nnpack", None)
    set_flags = getattr(module, "set_flags", None)
    if module is None or set_flags is None or not module.is_available():
        return False
    set_flags(on)
    return True


def goes_to_nnpack(images: torch.Tensor) -> bool:
    """Whether torch gives a convolution over these images (N, C, H, W) to NNPACK as things are set now."""
    select = getattr(torch._C, "_select_conv_backend", None)
    if select is None:
        return False
    weight = torch.ones(8, images.shape[1], 3, 3)
    try:
        chosen = select(images, weight, None, [1, 1], [1, 1], [1, 1], False, [0, 0], 1)
    except (RuntimeError, TypeError):  # private, and its arguments may change
        return False
    return str(getattr(chosen, "name", chosen)) == NNPACK
