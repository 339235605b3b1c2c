"""The PYTORCH_* variables that torch reads: the first torch that knows each, and what a value does to it.

MPS: strings of the macOS wheels of torch 2.0.0 to 2.15.0. Others: strings of the Linux wheels of 2.0.1 and
2.13.0, version not told apart. Values: TORCH_LIBRARY_IMPL_init___MPS in those wheels (the fallback), MPSAllocator.mm
(watermarks), MPSProfiler.mm and .h (logging, signposts).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Literal

from mpsdoctor.support import FALLBACK
from mpsdoctor.texts import Part
from mpsdoctor.versions import release

HIGH = "PYTORCH_MPS_HIGH_WATERMARK_RATIO"
LOW = "PYTORCH_MPS_LOW_WATERMARK_RATIO"
LOG = "PYTORCH_MPS_LOG_PROFILE_INFO"
SIGNPOSTS = "PYTORCH_MPS_TRACE_SIGNPOSTS"
# The allocator's own defaults and bounds, on unified memory.
DEFAULTS = {HIGH: 1.7, LOW: 1.4}
MOST = 2.0
PLAIN = (2, 8)  # the torch that takes the fallback's value as it stands; those before parse a number

MPS_SINCE: dict[str, tuple[int, int]] = {
    "PYTORCH_DEBUG_MPS_ALLOCATOR": (2, 0),
    FALLBACK: (2, 0),
    "PYTORCH_MPS_DISABLE_PREFILL_ATTENTION": (2, 13),
    "PYTORCH_MPS_FAST_MATH": (2, 5),
    "PYTORCH_MPS_HIGH_WATERMARK_RATIO": (2, 0),
    "PYTORCH_MPS_LOG_PROFILE_INFO": (2, 1),
    "PYTORCH_MPS_LOW_WATERMARK_RATIO": (2, 0),
    "PYTORCH_MPS_METAL_VERSION": (2, 15),
    "PYTORCH_MPS_PREFER_METAL": (2, 3),
    "PYTORCH_MPS_TRACE_SIGNPOSTS": (2, 1),
}

OTHERS = frozenset(
    f"PYTORCH_{name}"
    for name in """
    ALLOC_CONF API_USAGE API_USAGE_STDERR CUDA_ALLOC_CONF CUDA_MEMCHECK DDP_USE_SIDE_STREAM
    DEBUG_FLASH_ATTENTION_GCN_ARCH_OVERRIDE DISABLE_RUNNING_SCRIPT_CHK FUSION_DEBUG HIP_ALLOC_CONF
    HYPOTHESIS_PROFILE JIT JIT_DISABLE JIT_ENABLE_LARGE_SOURCE_LOCATION JIT_ENABLE_NVFUSER JIT_LOG_LEVEL
    JIT_OPT_LIMIT JIT_STATS JIT_TIME JIT_TYPE_VERBOSITY JIT_USE_NNC_NOT_NVFUSER KEEP_TMPDIR KERNEL_CACHE_PATH
    MATCHER_LOGLEVEL MIOPEN_SUGGEST_NHWC MIOPEN_SUGGEST_NHWC_BATCHNORM NO_CUDA_MEMORY_CACHING
    NO_HIP_MEMORY_CACHING NVCC NVML_BASED_CUDA_CHECK OPCHECK_ACCEPT OPCHECK_PRINT_BETTER_REPRO
    OPINFO_SAMPLE_INPUT_INDEX PRINT_REPRO_ON_FAILURE REORDER_COLLECTIVES_LIMIT ROCM_ARCH SINK_WAITS_LIMIT
    SKIP_CUDNN_COMPATIBILITY_CHECK TENSOREXPR TENSOREXPR_DONT_FUSE TENSOREXPR_DONT_USE_LLVM TENSOREXPR_FALLBACK
    TENSOREXPR_RANDOM_TRANSFORM_SEED TUNABLEOP_ENABLED TUNABLEOP_FILENAME TUNABLEOP_RECORD_UNTUNED
    TUNABLEOP_TUNING TUNABLEOP_VERBOSE VERSION
    """.split()  # noqa: SIM905 -- sixty quoted words would hide what is a plain list
)

# Read by torch's own tests and by builds, under names too many to list.
PREFIXES = ("PYTORCH_TEST", "PYTORCH_TUNABLEOP_", "PYTORCH_BUILD_")


Release = tuple[int, int]


def stoi(text: str) -> int | None:
    """A value as C++'s std::stoi takes it, by the number at its beginning; None where that throws."""
    match = re.match(r"[ \t\n\v\f\r]*([+-]?[0-9]{1,20})", text)
    number = int(match[1]) if match else None
    return number if number is not None and -(2**31) <= number < 2**31 else None


def strtod(text: str) -> float:
    """A value as C's strtod takes it: by the number at its beginning, 0 where there is none; hexadecimal left out."""
    number = r"[ \t\n\v\f\r]*([+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|inf(?:inity)?|nan))"
    match = re.match(number, text, re.IGNORECASE)
    return float(match[1]) if match else 0.0


def strtol(text: str) -> int:
    """A value as C's strtol takes it with base 0: decimal, 0x… or 0…, 0 where there is no number."""
    match = re.match(r"[ \t\n\v\f\r]*([+-]?)(0x[0-9a-f]+|[0-9]+)", text, re.IGNORECASE)
    if not match:
        return 0
    digits = match[2].lower()
    base = 16 if digits.startswith("0x") else 8 if digits.startswith("0") else 10
    digits = digits if base != 8 else re.match("[0-7]*", digits)[0]  # type: ignore[index]  # matches at least ""
    return int(match[1] + digits, base)


def fallback(value: str | None, version: str | None) -> Literal["on", "off", "dies"]:
    """What a value of PYTORCH_ENABLE_MPS_FALLBACK does in a torch with MPS; without a version, in one from 2.8 on."""
    if value is None:
        return "off"
    present = release(version)
    if present is None or present >= PLAIN:
        return "off" if value == "0" else "on"
    number = stoi(value)
    return "dies" if number is None else "on" if number else "off"


def refused(variables: Mapping[str, str]) -> dict[str, Part]:
    """The variables whose values torch refuses at the first use of MPS, each with the reason, a common phrase."""
    return {**_refused_watermarks(variables), **_refused_options(variables)}


def _refused_watermarks(variables: Mapping[str, str]) -> dict[str, Part]:
    ratios = {name: strtod(variables[name]) if name in variables else DEFAULTS[name] for name in (HIGH, LOW)}
    for name, ratio in ratios.items():
        if name in variables and not (math.isfinite(ratio) and 0 <= ratio <= MOST):
            return {name: Part("no_ratio", {"name": name, "most": MOST})}
    if ratios[LOW] <= (ratios[HIGH] or MOST):
        return {}
    at_fault = LOW if LOW in variables else HIGH
    return {at_fault: Part("low_above_high", {"low_ratio": ratios[LOW], "high_ratio": ratios[HIGH]})}


def _refused_options(variables: Mapping[str, str]) -> dict[str, Part]:
    """Both are bits of 32: ten kinds of logs; six options below, three kinds of signposts in the upper half."""
    log, signposts = (strtol(variables.get(name, "")) & 0xFFFFFFFF for name in (LOG, SIGNPOSTS))
    reasons = {}
    if log > 0x3FF:
        reasons[LOG] = Part("no_log_options", {"name": LOG})
    if signposts & 0xFFFF > 0x3F or signposts & 0xFFFF0000 > 0x7FFFF:
        reasons[SIGNPOSTS] = Part("no_signpost_options", {"name": SIGNPOSTS})
    return reasons
