"""Which of a workload's measurements answers for it: the same one that the verdict goes by."""

from __future__ import annotations

TYPE_CHECKING = False  # typing's own constant costs 3 ms of the 15 that `import mpsdoctor` has
if TYPE_CHECKING:
    from mpsdoctor.runtime.shapes import Measured

SIZES = ("medium", "small", "large")  # in the order in which a family is judged by them


def answering_size(sizes: dict[str, Measured]) -> str:
    """The size whose device answers: one that was compared, else one that the CPU trained, else any."""
    return min(sizes, key=lambda size: _rank(size, sizes[size]))


def _rank(size: str, entry: Measured) -> tuple[bool, bool, int, str]:
    alone = entry.get("speedup") is None
    return alone, alone and entry["device"] != "cpu", SIZES.index(size) if size in SIZES else len(SIZES), size
