"""All that is known of a watched training, in bounded memory: what is long ago is kept by the minute. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

from mpsdoctor.watch.shapes import Begin, DeviceMemory, End, Line, Sample

MOST = 4096  # samples; then neighbours are put together, so a day is kept by half a minute
PRESSURES = ("normal", "warning", "critical")
STATES = ("nominal", "fair", "serious", "critical")

Number = TypeVar("Number", int, float)


@dataclass
class History:
    """`samples` cover all the time, in order; `begin` and `end` are None while they have not been read."""

    begin: Begin | None = None
    end: End | None = None
    samples: list[Sample] = field(default_factory=list)
    version: int = 0

    def add(self, line: Line) -> None:
        self.version += 1
        if isinstance(line, Begin):
            self.begin, self.end, self.samples = line, None, []
        elif isinstance(line, End):
            self.end = line
        else:
            self.samples.append(line)
            if len(self.samples) >= MOST:
                pairs = zip(self.samples[::2], self.samples[1::2], strict=True)
                self.samples = [merge(*pair) for pair in pairs]


def merge(first: Sample, second: Sample) -> Sample:
    """One sample of both times: sums, the worst, and the figures of memory as they were at the end."""
    return Sample(
        at=second.at,
        seconds=round(first.seconds + second.seconds, 2),
        done=second.done,
        steps=first.steps + second.steps,
        step_seconds=first.step_seconds + second.step_seconds,
        longest_s=max(first.longest_s, second.longest_s),
        aside={
            kind: first.aside.get(kind, 0.0) + second.aside.get(kind, 0.0) for kind in {**first.aside, **second.aside}
        },
        devices={**first.devices, **{name: _later(first.devices.get(name), it) for name, it in second.devices.items()}},
        resident_bytes=most(first.resident_bytes, second.resident_bytes),
        pressure=worse(PRESSURES, first.pressure, second.pressure),
        available_bytes=least(first.available_bytes, second.available_bytes),
        swap_used_bytes=most(first.swap_used_bytes, second.swap_used_bytes),
        swapped_bytes=_sum(first.swapped_bytes, second.swapped_bytes),
        cpu_percent=_mean(first, second),
        others_percent=most(first.others_percent, second.others_percent),
        programs=second.programs if (second.others_percent or 0) >= (first.others_percent or 0) else first.programs,
        thermal_state=worse(STATES, first.thermal_state, second.thermal_state),
        low_power=_any(first.low_power, second.low_power),
        on_battery=_any(first.on_battery, second.on_battery),
    )


def _later(first: DeviceMemory | None, second: DeviceMemory) -> DeviceMemory:
    if first is None:
        return second
    return DeviceMemory(
        second.tensors_bytes,
        most(first.reserved_bytes, second.reserved_bytes),
        most(first.peak_bytes, second.peak_bytes),
    )


def most(*values: Number | None) -> Number | None:
    """The largest that is known."""
    return max((value for value in values if value is not None), default=None)


def least(*values: int | None) -> int | None:
    return min((value for value in values if value is not None), default=None)


def worse(order: tuple[str, ...], *levels: str | None) -> str | None:
    """The worst that is known, of levels in that order; what is none of them counts as the best."""
    known = [level for level in levels if level is not None]
    return max(known, key=lambda level: order.index(level) if level in order else 0, default=None)


def _sum(first: int | None, second: int | None) -> int | None:
    return None if first is None and second is None else (first or 0) + (second or 0)


def _mean(first: Sample, second: Sample) -> float | None:
    known = [(each.cpu_percent, each.seconds) for each in (first, second) if each.cpu_percent is not None]
    seconds = sum(length for _, length in known)
    return round(sum(percent * length for percent, length in known) / seconds, 1) if seconds else None


def _any(*values: bool | None) -> bool | None:
    known = [value for value in values if value is not None]
    return any(known) if known else None
