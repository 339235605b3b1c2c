"""Operators of other libraries that have kernels for MPS, and libraries that have none.

torchvision's are from the shaders in its macOS wheels 0.15 to 0.29, each of which goes with one torch.
"""

from __future__ import annotations

from collections.abc import Mapping

# By library and operator, the torch whose build of the library is the first to have it for MPS.
SINCE: Mapping[str, Mapping[str, str]] = {
    "torchvision": {
        "nms": "2.1",  # pytorch/vision#7643, torchvision 0.16
        "roi_align": "2.1",
        "_roi_align_backward": "2.1",
        "roi_pool": "2.1",
        "_roi_pool_backward": "2.1",
        "ps_roi_align": "2.1",
        "_ps_roi_align_backward": "2.1",
        "ps_roi_pool": "2.1",
        "_ps_roi_pool_backward": "2.1",
        "deform_conv2d": "2.8",  # torchvision 0.23; its backward is not among the shaders
    },
}
# torch's own operators for quantized tensors and packed weights, which are registered for CPUs and CUDA alone.
NEVER = frozenset({"quantized", "_quantized"})


def library(op: str) -> str | None:
    """`torchvision` of `torchvision::nms`; None for torch's own aten."""
    name, colons, _ = op.partition("::")
    return name if colons and name != "aten" else None


def since(op: str) -> str | None:
    """The torch from which on an operator of another library has a kernel for MPS; None for none."""
    name, _, operator = op.partition("::")
    return SINCE.get(name, {}).get(operator.partition(".")[0])


def is_known(op: str) -> bool:
    """Whether it is known if the operator's library has it for MPS."""
    return library(op) in SINCE.keys() | NEVER
