"""A failure of a check-up with a message that is known says so in its finding."""

from __future__ import annotations

import pytest

from mpsdoctor.explain.messages import known_cause

ABORT = (
    "crash: SIGABRT\n/AppleInternal/MPSNDArray.mm:724: failed assertion `[MPSNDArray initWithDevice:descriptor:] Error:"
    " total bytes of NDArray > 2**32'"
)


LIMIT = " (A tensor has more elements than an MPS array may have: 'mpsdoctor explain ndarray_size_limit')"


@pytest.mark.parametrize(
    ("message", "device", "told"),
    [
        (ABORT, "mps", LIMIT),
        (ABORT, "mps:0", LIMIT),
        (ABORT, "cpu", ""),
        ("RuntimeError: shape mismatch", "mps", ""),
        ("the loss differs from the CPU's on mps", "mps", ""),
    ],
)
def test_a_known_message_is_named_beside_it(message: str, device: str, told: str) -> None:
    """What was printed is named by its cause, on MPS alone; words of ours are no message."""
    assert str(known_cause(message, device)) == told
