"""What an operator's exception means: a missing kernel, a missing dtype, no memory, or an error of its own."""

from __future__ import annotations

import re

from ..shapes import Judgement

LENGTH = 300  # characters of a message that are kept

_TYPES = (
    r"'?(torch\.)?(half|bfloat16|float16|float32|float64|double|float|long|int64|int32|int|short|bool|byte|char"
    r"|complex\w*|float8\w*)\b'?"
)

# The first that matches names the outcome; the words are torch's, of 2.0 to 2.15.
PATTERNS: tuple[tuple[str, str], ...] = (
    ("oom", r"out of memory|can't allocate memory|failed to allocate|invalid buffer size"),
    ("unimplemented", r"not currently (implemented|supported) (for|on) the \w+ (device|backend)"),
    ("unimplemented", r"derivative for .{1,80}not implemented"),
    ("unimplemented", r"^could not run 'aten::|no kernel found for|\bmissing kernel\b"),
    ("dtype", r"not implemented (on \w+ )?for (the )?(dtype )?" + _TYPES),
    ("dtype", r"doesn't support float64"),
    ("dtype", r"(does not|doesn't) (have support for|support) (that |this )?(data ?type|dtype)"),
    ("dtype", r"unsupported (input )?(data ?type|dtype|type)|undefined type|type .{0,20}\bis not supported"),
    ("dtype", _TYPES + r" (is|are) (not|only|currently not) (yet )?supported"),
    ("dtype", r"(not|n't) (be )?support(ed|s)? .{0,60}" + _TYPES + r"( input| dtype| type|$|\.|,)"),
    ("dtype", r"(not|n't) (be )?support(ed)? .{0,40}(non-float|complex|integral|integer)"),
    ("dtype", r"not implemented for non-floating|only (supports|supported) (for )?(float|floating)"),
    ("unimplemented", r"not (natively )?(implemented|supported) (yet )?(on|for|by) (the )?mps"),
)  # fmt: skip
_COMPILED = tuple((outcome, re.compile(pattern, re.IGNORECASE)) for outcome, pattern in PATTERNS)

# What torch adds to many messages and says nothing of the call: advice of no use here, lists of back ends, stacks.
BOILERPLATE = re.compile(
    r"\s*(\(Triggered internally at|If you want this op to be|This could be because|As a temporary fix"
    r"|WARNING: this will be|This may have performance|Please (comment|report|file)|please report a bug"
    r"|Exception raised from|For (debugging|more details)|CUDA kernel errors might|Compile with|Device-side assert)"
)

FALLING_BACK = re.compile(r"fall(s|ing)? ?back (to run )?(on|to) (the )?cpu", re.IGNORECASE)


def outcome_of(kind: str, message: str) -> str:
    """The outcome that an exception's class name and message stand for."""
    if kind == "OutOfMemoryError":
        return "oom"
    for outcome, pattern in _COMPILED:
        if pattern.search(message):
            return outcome
    return "unimplemented" if kind == "NotImplementedError" else "error"


# torch wants some tensors of numbers on the CPU whatever the others are on: indices to split at, lengths to pack by.
ON_THE_CPU = re.compile(
    r"\bto be on cpu\b|\bmust be on (the )?cpu\b|\b1D CPU\b|\ba CPU (int64 )?tensor\b", re.IGNORECASE
)


def readable(message: str, length: int = LENGTH) -> str:
    """A message of torch for people: without its boilerplate, and not cut inside a word where it is long."""
    text = BOILERPLATE.split(message, maxsplit=1)[0].strip() or message.strip()
    if len(text) <= length:
        return text
    words = text[:length].rpartition(" ")[0] or text[:length]
    return words.rstrip(" ,;:") + " …"


def judge_exception(error: BaseException) -> Judgement:
    """Outcome and detail of a probe that raised; the detail is what the exception says."""
    kind, message = type(error).__name__, str(error)
    return {"outcome": outcome_of(kind, message), "detail": readable(f"{kind}: {message}")}
