"""What torch's own messages mean; the texts are real ones, with where they were seen."""

from __future__ import annotations

import re

import pytest
import torch

from mpsdoctor.worker.operators.messages import FALLING_BACK, LENGTH, judge_exception, outcome_of

TAIL = (
    " If you want this op to be added in priority during the prototype phase of this feature, please comment on "
    "https://github.com/pytorch/pytorch/issues/77764. As a temporary fix, you can set the environment variable "
    "`PYTORCH_ENABLE_MPS_FALLBACK=1` to use the CPU as a fallback for this op. WARNING: this will be slower than "
    "running natively on MPS."
)
MESSAGES = [
    # pytorch#136148
    (
        "NotImplementedError",
        "The operator 'aten::isin.Tensor_Tensor_out' is not currently implemented for the MPS device." + TAIL,
        "unimplemented",
    ),
    # pytorch#117949
    (
        "NotImplementedError",
        "The operator 'aten::slow_conv3d_forward' is not currently implemented for the MPS device." + TAIL,
        "unimplemented",
    ),
    # Side-Step#35
    (
        "NotImplementedError",
        "The operator 'aten::_linalg_svd.U' is not currently implemented for the MPS device. If you want this op to "
        "be considered for addition please comment on https://github.com/pytorch/pytorch/issues/141287",
        "unimplemented",
    ),
    # torch 2.13, an out-of-tree back end
    (
        "NotImplementedError",
        "Could not run 'aten::angle' with arguments from the 'PrivateUse1' backend. This could be because the operator "
        "doesn't exist for this backend, or was omitted during the selective/custom build process. 'aten::angle' is "
        "only available for these backends: [CPU, Meta, BackendSelect].",
        "unimplemented",
    ),
    # tianshou#1237
    (
        "TypeError",
        "Cannot convert a MPS Tensor to float64 dtype as the MPS framework doesn't support float64. Please use float32 "
        "instead.",
        "dtype",
    ),
    # stable-diffusion-webui#13575
    (
        "TypeError",
        "Trying to convert BFloat16 to the MPS backend but it does not have support for that dtype.",
        "dtype",
    ),
    # pytorch#89657
    (
        "TypeError",
        "Trying to convert ComplexFloat to the MPS backend but it does not have support for that dtype.",
        "dtype",
    ),
    # ComfyUI#9263
    (
        "TypeError",
        "Trying to convert Float8_e4m3fn to the MPS backend but it does not have support for that dtype.",
        "dtype",
    ),
    # pytorch#141786
    ("RuntimeError", "MPS does not support cumsum op with int64 input", "dtype"),
    # pytorch#154901
    ("RuntimeError", "MPS device does not support addmm for non-float input", "dtype"),
    # IP-Adapter#448
    ("RuntimeError", "\"LayerNormKernelImpl\" not implemented for 'Half'", "dtype"),
    # torch 2.13 on the CPU raises the same as another class
    ("NotImplementedError", "\"avg_pool3d_out_frame\" not implemented for 'Half'", "dtype"),
    ("RuntimeError", "MPS BFloat16 is only supported on MacOS 14 or newer", "dtype"),
    ("RuntimeError", "Unsupported input type encountered for isin(): BFloat16", "dtype"),
    # instructlab#2568
    (
        "RuntimeError",
        "MPS backend out of memory (MPS allocated: 33.48 GB, other allocations: 2.45 GB, max allowed: 36.27 GB). Tried "
        "to allocate 600.15 MB on private pool. Use PYTORCH_MPS_HIGH_WATERMARK_RATIO=0.0 to disable upper limit",
        "oom",
    ),
    # runner-images#9918
    (
        "RuntimeError",
        "MPS backend out of memory (MPS allocated: 0 bytes, other allocations: 0 bytes, max allowed: 7.93 GB). Tried "
        "to allocate 256 bytes on private pool.",
        "oom",
    ),
    # torch's CPU allocator
    (
        "RuntimeError",
        "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to "
        "allocate 4000000000000 bytes. Error code 12 (Cannot allocate memory)",
        "oom",
    ),
    # pytorch#195163 and others: an error of its own
    (
        "RuntimeError",
        "destOffset % 4 == 0 INTERNAL ASSERT FAILED at \"aten/src/ATen/native/mps/operations/Copy.mm\":107, please "
        "report a bug to PyTorch. Unaligned blit request",
        "error",
    ),
    ("RuntimeError", "mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)", "error"),
    ("IndexError", "Dimension out of range (expected to be in range of [-2, 1], but got 5)", "error"),
    ("RuntimeError", "derivative for aten::aminmax is not implemented", "unimplemented"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "message", "outcome"), MESSAGES)
def test_real_messages(kind: str, message: str, outcome: str) -> None:
    """Each of torch's messages gets the outcome that it stands for."""
    assert outcome_of(kind, message) == outcome


def test_out_of_memory_by_class() -> None:
    """torch's own class for it needs no words."""
    error = getattr(torch, "OutOfMemoryError", torch.cuda.OutOfMemoryError)("no words")
    assert judge_exception(error)["outcome"] == "oom"


def test_the_detail_is_the_message_cut_between_words() -> None:
    """What the exception says with its class before it, three hundred characters and a mark at most."""
    judgement = judge_exception(ValueError("word " * 1000))
    assert judgement["outcome"] == "error"
    assert judgement["detail"].endswith("word …")
    assert LENGTH - 5 < len(judgement["detail"]) <= LENGTH + 2


@pytest.mark.parametrize(
    ("message", "kept"),
    [
        (
            "The operator 'aten::isin' is not currently implemented for the MPS device. If you want this op to be "
            "considered for addition please comment on https://x/1 and mention use-case, that resulted in missing op "
            "as well as commit hash cf3. As a temporary fix, you can set `PYTORCH_ENABLE_MPS_FALLBACK=1`.",
            "The operator 'aten::isin' is not currently implemented for the MPS device.",
        ),
        (
            "The operator 'aten::x' is not currently supported on the MPS backend and will fall back to run on the "
            "CPU. This may have performance implications. (Triggered internally at /a/b.mm:14.)",
            "The operator 'aten::x' is not currently supported on the MPS backend and will fall back to run on the "
            "CPU.",
        ),
        (
            'self INTERNAL ASSERT FAILED at "a.cpp":2, please report a bug to PyTorch. Bad.',
            "self INTERNAL ASSERT FAILED",
        ),
        ("Expected 3 channels, got 4.", "Expected 3 channels, got 4."),
    ],
)
def test_the_boilerplate_of_torch_is_left_out(message: str, kept: str) -> None:
    """What torch says after its first sentence is the same for every operator and takes the room of what is not."""
    assert judge_exception(RuntimeError(message))["detail"].startswith(f"RuntimeError: {kept}")
    assert not re.search(
        r"commit hash|Triggered internally at /|report a bug", judge_exception(RuntimeError(message))["detail"]
    )


def test_the_fallback_warning() -> None:
    """torch's warning that the CPU does the work is recognised, others are not."""
    said = (
        "The operator 'aten::angle' is not currently supported on the MPS backend and will fall back to run on the "
        "CPU. This may have performance implications."
    )
    assert FALLING_BACK.search(said)
    assert FALLING_BACK.search("torch.linalg_inv_ex.inverse is supported by MPS on MacOS 13+. Falling back to CPU.")
    assert not FALLING_BACK.search("MPS: no support for int64 for min_max, downcasting to a smaller data type")
