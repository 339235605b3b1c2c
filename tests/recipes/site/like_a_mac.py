"""What libraries ask of a Mac beside torch, so that they take MPS on the stand-in; loaded by torch's import."""

import importlib.util
import platform


def load():
    """Lightning goes by the processor. PyPI's torchvision for Linux is linked against CUDA: its operators do not load
    beside a torch without it, and importing it then fails for want of these two declarations.
    """
    import torch

    platform.processor = lambda: "arm"
    if importlib.util.find_spec("torchvision"):
        for name in ("nms", "qnms"):
            torch.library.define(f"torchvision::{name}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
