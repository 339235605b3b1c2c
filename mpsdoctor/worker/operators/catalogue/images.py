"""Convolutions, pooling, padding and interpolation."""

from __future__ import annotations

from typing import Any

from .entry import COMMON, CORE, NUMBERS, TAIL, Entry, Kwargs, Tolerance, entry, w, x

SUMS: Tolerance = {"slack": 8, "because": "a window of products a sum; half types may accumulate in blocks"}
SCALED: Tolerance = {"slack": 16, "because": "weights of the samples are rounded first"}

SIZE1, SIZE2, SIZE3 = x(2, 4, 9), x(2, 4, 7, 6), x(2, 4, 5, 4, 6)
DISTINCT = {1: x(2, 3, 8, fill="distinct"), 2: x(1, 3, 8, 6, fill="distinct"), 3: x(1, 2, 4, 6, 4, fill="distinct")}

# operator, case, input, weight, bias, keyword arguments, rank
CONVOLUTIONS: tuple[tuple[str, str, Any, Any, Any, Kwargs, int], ...] = (
    ("conv1d", "", SIZE1, w(6, 4, 3), w(6), {"padding": 1}, CORE),
    ("conv1d", "dilated", SIZE1, w(6, 4, 3), None, {"dilation": 2, "padding": 2}, COMMON),
    ("conv1d", "grouped", SIZE1, w(6, 2, 3), w(6), {"groups": 2}, TAIL),
    ("conv2d", "", SIZE2, w(6, 4, 3, 3), w(6), {"padding": 1}, CORE),
    ("conv2d", "strided", SIZE2, w(6, 4, 3, 3), None, {"stride": 2, "padding": 1}, CORE),
    ("conv2d", "pointwise", SIZE2, w(6, 4, 1, 1), None, {}, CORE),
    ("conv2d", "depthwise", SIZE2, w(4, 1, 3, 3), w(4), {"groups": 4, "padding": 1}, COMMON),
    ("conv2d", "dilated", SIZE2, w(6, 4, 3, 3), w(6), {"dilation": 2, "padding": 2}, COMMON),
    ("conv2d", "same", SIZE2, w(6, 4, 3, 3), w(6), {"padding": "same"}, TAIL),
    ("conv3d", "", SIZE3, w(3, 4, 3, 3, 3), w(3), {"padding": 1}, COMMON),
    ("conv3d", "strided", SIZE3, w(3, 4, 2, 2, 2), None, {"stride": 2}, TAIL),
    ("conv_transpose1d", "", SIZE1, w(4, 3, 3), w(3), {"stride": 2}, COMMON),
    ("conv_transpose2d", "", SIZE2, w(4, 3, 3, 3), w(3), {"stride": 2, "padding": 1}, COMMON),
    ("conv_transpose2d", "grouped", SIZE2, w(4, 2, 3, 3), None, {"groups": 2, "output_padding": 1, "stride": 2}, TAIL),
    ("conv_transpose3d", "", SIZE3, w(4, 2, 2, 2, 2), w(2), {"stride": 2}, TAIL),
)
# operator, case, dimensions of the image, arguments, keyword arguments, rank
POOLING: tuple[tuple[str, str, int, tuple[Any, ...], Kwargs, int], ...] = (
    ("max_pool1d", "", 1, (2,), {}, COMMON),
    ("max_pool2d", "", 2, (2,), {}, CORE),
    ("max_pool2d", "padded", 2, (3,), {"stride": 2, "padding": 1}, CORE),
    ("max_pool2d", "ceil", 2, (3,), {"stride": 2, "ceil_mode": True}, TAIL),
    ("max_pool3d", "", 3, (2,), {}, TAIL),
    ("avg_pool1d", "", 1, (2,), {}, COMMON),
    ("avg_pool2d", "", 2, (2,), {}, CORE),
    ("avg_pool2d", "padded", 2, (3,), {"stride": 2, "padding": 1, "count_include_pad": False}, COMMON),
    ("avg_pool3d", "", 3, (2,), {}, TAIL),
    ("adaptive_avg_pool1d", "", 1, (3,), {}, COMMON),
    ("adaptive_avg_pool2d", "", 2, (1,), {}, CORE),
    ("adaptive_avg_pool2d", "divisible", 2, ((4, 3),), {}, COMMON),
    ("adaptive_avg_pool3d", "", 3, (2,), {}, TAIL),
    ("adaptive_max_pool1d", "", 1, (4,), {}, TAIL),
    ("adaptive_max_pool2d", "", 2, ((4, 3),), {}, COMMON),
    ("adaptive_max_pool3d", "", 3, (2,), {}, TAIL),
)
# operator, case, input, padding, mode, rank
PADDING: tuple[tuple[str, str, Any, tuple[int, ...], str, int], ...] = (
    ("constant_pad_nd", "", x(2, 3, 4), (1, 2), "constant", CORE),
    ("constant_pad_nd", "crop", x(2, 3, 4, 5), (-1, 1, 2, -1), "constant", TAIL),
    ("reflection_pad1d", "", x(2, 3, 5), (1, 2), "reflect", TAIL),
    ("reflection_pad2d", "", x(2, 3, 5, 4), (1, 2, 2, 1), "reflect", COMMON),
    ("reflection_pad3d", "", x(1, 2, 4, 4, 4), (1, 2, 2, 1, 1, 1), "reflect", TAIL),
    ("replication_pad1d", "", x(2, 3, 5), (1, 2), "replicate", TAIL),
    ("replication_pad2d", "", x(2, 3, 5, 4), (1, 2, 2, 1), "replicate", COMMON),
    ("replication_pad3d", "", x(1, 2, 3, 4, 3), (1, 2, 2, 1, 1, 1), "replicate", TAIL),
    ("_pad_circular", "", x(2, 3, 5, 4), (1, 2, 2, 1), "circular", TAIL),
)
# operator, case, input, keyword arguments, rank
SCALING: tuple[tuple[str, str, Any, Kwargs, int], ...] = (
    ("upsample_nearest1d", "", x(2, 3, 5), {"scale_factor": 2}, TAIL),
    ("upsample_nearest2d", "", x(2, 3, 5, 4), {"scale_factor": 2}, CORE),
    ("upsample_nearest3d", "", x(1, 2, 3, 4, 3), {"scale_factor": 2}, TAIL),
    ("_upsample_nearest_exact2d", "", x(2, 3, 5, 4), {"size": (8, 7), "mode": "nearest-exact"}, TAIL),
    ("upsample_linear1d", "", x(2, 3, 5), {"size": 9, "mode": "linear"}, TAIL),
    ("upsample_bilinear2d", "", x(2, 3, 5, 4), {"scale_factor": 2, "mode": "bilinear"}, COMMON),
    ("upsample_bilinear2d", "aligned", x(2, 3, 5, 4), {"size": (9, 7), "mode": "bilinear", "align_corners": True},
     COMMON),
    ("_upsample_bilinear2d_aa", "", x(2, 3, 8, 9), {"size": (4, 5), "mode": "bilinear", "antialias": True}, TAIL),
    ("upsample_bicubic2d", "", x(2, 3, 5, 4), {"scale_factor": 2, "mode": "bicubic"}, TAIL),
    ("upsample_trilinear3d", "", x(1, 2, 3, 4, 3), {"scale_factor": 2, "mode": "trilinear"}, TAIL),
)  # fmt: skip


NO_HALF = {"avg_pool3d": ("float16", "bfloat16")}  # torch's CPU has it in float32 alone


def convolution(op: str, case: str, data: Any, weight: Any, bias: Any, kw: Kwargs, rank: int) -> Entry:
    return entry(op, f"F.{op}", data, weight, bias, case=case, kw=kw, rank=rank, **SUMS)


def pooling(op: str, case: str, size: int, args: tuple[Any, ...], kw: Kwargs, rank: int) -> Entry:
    image, call = DISTINCT[size], f"F.{op}"
    if "avg" in op:
        return entry(op, call, image, *args, case=case, kw=kw, rank=rank, cpu_lacks=NO_HALF.get(op, ()), **SUMS)
    # an expanded image has equal neighbours, and which of them a maximum takes is free
    return entry(op, call, image, *args, case=case, kw=kw, rank=rank, without=("expanded",))


def padding(op: str, case: str, data: Any, pad: tuple[int, ...], mode: str, rank: int) -> Entry:
    return entry(op, "F.pad", data, pad, case=case, kw={"mode": mode}, rank=rank, **SUMS)


def scaling(op: str, case: str, data: Any, kw: Kwargs, rank: int) -> Entry:
    lacks = ("float16", "bfloat16") if op.endswith("_aa") else ()
    return entry(op, "F.interpolate", data, case=case, kw=kw, rank=rank, cpu_lacks=lacks, **SCALED)


ENTRIES: list[Entry] = [
    *(convolution(*row) for row in CONVOLUTIONS),
    *(pooling(*row) for row in POOLING),
    *(padding(*row) for row in PADDING),
    *(scaling(*row) for row in SCALING),
    entry("avg_pool2d", "F.lp_pool2d", x(1, 3, 8, 6, fill="positive"), 2, 2, case="lp", **SCALED),
    entry("im2col", "F.unfold", x(2, 3, 5, 6), (2, 3), rank=COMMON, **SUMS),
    entry("col2im", "F.fold", x(2, 18, 12), (4, 6), (2, 3), **SUMS),
    entry("pixel_shuffle", "F.pixel_shuffle", x(2, 8, 3, 4), 2, rank=COMMON, dtypes=NUMBERS),
    entry("pixel_unshuffle", "F.pixel_unshuffle", x(2, 2, 6, 4), 2, dtypes=NUMBERS),
    entry("channel_shuffle", "torch.channel_shuffle", x(2, 6, 3, 4), 2),
    entry("grid_sampler_2d", "F.grid_sample", x(2, 3, 5, 4), x(2, 3, 4, 2, fill="unit"), kw={"align_corners": False},
          rank=COMMON, slack=64, because="positions of the samples are rounded first"),
    entry("grid_sampler_3d", "F.grid_sample", x(1, 2, 3, 4, 3), x(1, 2, 3, 4, 3, fill="unit"),
          kw={"align_corners": False}, slack=64, because="positions of the samples are rounded first"),
    entry("affine_grid_generator", "F.affine_grid", x(2, 2, 3), (2, 3, 4, 5), kw={"align_corners": False}, **SCALED),
    entry("max_unpool2d", "calls.pool_and_unpool", DISTINCT[2], without=("expanded",)),
]  # fmt: skip
