"""The speed-up at a batch size, read off between the batches that were measured.

The standard library alone, because a training script's call uses it. `rows` are those of a
profile's `batches` for one family, checked by `profile_format`.
"""

from __future__ import annotations

from mpsdoctor.thresholds import FASTER

TYPE_CHECKING = False  # typing's own constant costs 3 ms of the 15 that `import mpsdoctor` has
if TYPE_CHECKING:
    from mpsdoctor.runtime.shapes import AtBatch


class Estimate:
    """An accelerator against the CPU at a batch size: `speedup` and its interval `low` to `high`.

    `left` and `right` are the batches it was taken from, the same one where nothing was interpolated; `first` and
    `last` the measured range.
    """

    def __init__(self, batch: int, rows: list[AtBatch]) -> None:
        ordered = sorted(rows, key=lambda row: int(row["batch"]))
        below = [row for row in ordered if row["batch"] <= batch]
        above = [row for row in ordered if row["batch"] >= batch]
        left = below[-1] if below else above[0]
        right = above[0] if above else below[-1]
        part = locate_on_log_axis(batch, left["batch"], right["batch"])
        self.batch, self.device = batch, str(left["device"])
        self.left, self.right = int(left["batch"]), int(right["batch"])
        self.first, self.last = int(ordered[0]["batch"]), int(ordered[-1]["batch"])
        self.speedup = interpolate(left["speedup"], right["speedup"], part)
        self.low, self.high = (interpolate(left["ci95"][end], right["ci95"][end], part) for end in (0, 1))

    def describe(self, family: str) -> str:
        """The figures in words."""
        if self.left != self.right:
            where = f"at batch {self.batch}, between the measured {self.left} and {self.right},"
        elif self.left != self.batch:
            where = f"at batch {self.left}, the nearest measured to {self.batch},"
        else:
            where = f"at batch {self.batch}"
        figures = f"{self.speedup:.3g} times the CPU's speed ({self.low:.3g} to {self.high:.3g})"
        slower = "" if self.low > FASTER else ", not clearly faster"
        return f"{where} {self.device} trains {family} at {figures}{slower}"


def judge_batch(batch: int, family: str, rows: list[AtBatch]) -> tuple[str, str, str | None]:
    """The device for a batch size, the reason with its figures, and a warning where it is beyond what was measured."""
    devices = dict.fromkeys(row["device"] for row in rows)
    estimates = [Estimate(batch, [row for row in rows if row["device"] == device]) for device in devices]
    # By the lower end: a wide interval around a high figure is worth what can be relied on.
    best = max(estimates, key=lambda estimate: estimate.low)
    warning = None
    if not best.first <= batch <= best.last:
        measured = f"{best.first} to {best.last}" if best.first < best.last else f"{best.first} alone"
        warning = (
            f"batch_size={batch} is beyond the batches of '{family}' that were measured on {best.device} "
            f"({measured}), so the answer is that of {best.left}"
        )
    return best.device if best.low > FASTER else "cpu", best.describe(family), warning


def locate_on_log_axis(batch: int, left: int, right: int) -> float:
    """Where `batch` lies between two others on a log axis, from 0 to 1; 0 where there is nothing between."""
    from math import log

    return log(batch / left) / log(right / left) if left < batch < right else 0.0


def interpolate(left: float, right: float, part: float) -> float:
    """The value that far from `left` to `right` on a log axis, never outside of the two."""
    low, high = sorted((float(left), float(right)))
    # Powers and not exp(): their product cannot raise, whatever numbers a file holds.
    value: float = float(left) ** (1 - part) * float(right) ** part
    return min(max(value, low), high)
