"""Progress while a workload is timed: the figures so far, and a sentence about them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TypedDict

from mpsdoctor.check import Context
from mpsdoctor.texts import Part, Wording
from mpsdoctor_checks.training.plan import Workload
from mpsdoctor_checks.training.statistics import median, spread

EVERY = 0.5  # seconds between two words about a race
SETTLED = 0.6  # spread beyond which the upper end of the interval is more than four times the lower

Blocks = Mapping[str, Sequence[float]]  # seconds a step, by who races


def timing(devices: Iterable[str]) -> Part:
    return Part("timing", {"devices": list(devices)})


class Narrator:
    """Tells what is done with a workload and the figures so far, at most twice a second.

    `devices` are those whose figures are the workload's own, fit for a chart; ways to train have none. `done` of
    `total` workloads are, which makes `share` of the check.
    """

    def __init__(
        self,
        context: Context,
        workload: Workload,
        doing: Wording,
        devices: Sequence[str] = (),
        done: int | None = None,
        total: int | None = None,
        share: float | None = None,
    ) -> None:
        self._context, self._workload, self._devices = context, workload, devices
        self._done, self._total, self._share = done, total, share
        self._what = {"doing": doing, "workload": workload.family, "size": workload.size}
        self._last = 0.0

    def __call__(self, blocks: Blocks | None = None, left: float | None = None) -> None:
        """`left` is seconds."""
        now = time.monotonic()
        if now - self._last >= EVERY:
            self._last = now
            text = Part("narrated", {**self._what, "figures": sentences(blocks or {}, left) or ""})
            figures = [figure(self._workload, device, (blocks or {}).get(device, ())) for device in self._devices]
            self._context.progress(text, self._done, self._total, figures, self._share)


class Figure(TypedDict):
    """A row as those of the results; the interval is the spread of the blocks. None as long as there are none."""

    workload: str
    size: str
    device: str
    step_ms: float | None
    ci95_ms: list[float] | None


def figure(workload: Workload, device: str, seconds: Sequence[float]) -> Figure:
    row: Figure = {
        "workload": workload.family,
        "size": workload.size,
        "device": device,
        "step_ms": None,
        "ci95_ms": None,
    }
    if not seconds:
        return row
    ms, share = 1e3 * median(seconds), spread(seconds)
    return {**row, "step_ms": ms, "ci95_ms": [ms * max(0.0, 1 - share), ms * (1 + share)]}


def sentences(blocks: Blocks, left: float | None) -> list[Part]:
    """As in `, mps 3.1 ms ± 4 %`, `, at most 6 s more`."""
    parts = [step_figure(name, seconds) for name, seconds in blocks.items() if seconds]
    return parts if left is None or left < 1 else [*parts, Part("seconds_left", {"left": left})]


def step_figure(name: str, seconds: Sequence[float]) -> Part:
    """The time of a step with its spread; of blocks that lie too far apart, that."""
    share = spread(seconds)
    if share > SETTLED:
        return Part("step_not_settled", {"name": name})
    return Part("step_figure", {"name": name, "ms": 1e3 * median(seconds), "percent": 100 * share})
