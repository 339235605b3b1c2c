"""How much faster counts as faster, everywhere. The standard library alone, for training scripts import it too."""

from __future__ import annotations

TYPE_CHECKING = False  # typing's own constant costs 3 ms of the 15 that `import mpsdoctor` has
if TYPE_CHECKING:
    from typing import Literal

    Standing = Literal["faster", "slower", "same", "open"]

FASTER, SLOWER = 1.05, 0.95  # for a whole interval: within 5 % nobody gains by moving a training


def standing(low: float, high: float) -> Standing:
    """What the interval of a ratio of speeds says; "open" where it leaves the 5 % band and does not clear it."""
    if low > FASTER:
        return "faster"
    if high < SLOWER:
        return "slower"
    return "same" if low >= SLOWER and high <= FASTER else "open"
