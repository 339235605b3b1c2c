"""What the samples of a training come to: figures, and findings about them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from mpsdoctor.check import finding
from mpsdoctor.report import Finding
from mpsdoctor.texts import Each, Part
from mpsdoctor.watch.history import PRESSURES, STATES, History, most, worse
from mpsdoctor.watch.shapes import DeviceMemory, Sample
from mpsdoctor_checks.training.advice import growth
from mpsdoctor_checks.training.statistics import median

SHORTEST, WINDOWS = 5.0, 40  # a stretch has so many seconds at least, and there are so many at most
FEWEST_STRETCHES = 4  # of fewer, none is usual
SLOWER = 1.2  # times as long a step as usual: less comes and goes on any machine
MOST_POINTS = 120  # of the line through memory: all pairs are looked at
FEWEST_POINTS = 10
GREW = 16 << 20  # bytes that were seen; what a process takes comes in pieces
SETTLING = 3  # the first such part is left out of the line: caches fill, graphs are compiled
SOON = 10_000  # steps
SWAPPED = 256 << 20  # bytes; less is idle programs being tidied away
WIDE_POOL, LARGE_POOL = 2.0, 1 << 30  # times what tensors took, and bytes
TAKEN = 10.0  # percent more of the processors than usual
FLOWING = 1 << 20  # bytes a second


class Growth(NamedTuple):
    """A line through the bytes in use on a device after its steps."""

    device: str
    slope: growth.Slope
    first_bytes: int
    last_bytes: int
    steps: int

    @property
    def leaks(self) -> bool:
        return self.last_bytes - self.first_bytes >= GREW and growth.is_leak(self.slope, self.first_bytes)


class Stretch(NamedTuple):
    """Samples in a row, and the mean of their steps in seconds."""

    samples: Sequence[Sample]
    step_s: float

    @property
    def begin(self) -> float:
        return self.samples[0].at - self.samples[0].seconds


class Slow(NamedTuple):
    """The slowest stretch: how many times as long a step took as usual, and what was worse then than in the others."""

    stretch: Stretch
    times: float
    beside: list[Part]


@dataclass(frozen=True)
class Summary:
    """Seconds, steps and bytes of a training; `pressed_s` were spent at a raised pressure, `hot_s` at serious heat."""

    seconds: float
    steps: int
    step_s: float | None
    aside: dict[str, float]
    devices: dict[str, DeviceMemory]
    resident_bytes: int | None
    growth: Growth | None
    pressure: str | None
    pressed_s: float
    pressed_times: float | None
    swapped_bytes: int | None
    thermal_state: str | None
    hot_s: float
    slow: Slow | None


def summarise(history: History) -> Summary:
    samples = history.samples
    timed = list(stretches(samples))
    usual = median([stretch.step_s for stretch in timed]) if timed else None
    aside: dict[str, float] = {}
    for sample in samples:
        for kind, seconds in sample.aside.items():
            aside[kind] = aside.get(kind, 0.0) + seconds
    return Summary(
        seconds=history.end.at if history.end else samples[-1].at if samples else 0.0,
        steps=samples[-1].done if samples else 0,
        step_s=usual,
        aside=aside,
        devices=peaks(samples),
        resident_bytes=most(*(sample.resident_bytes for sample in samples)),
        growth=find_growth(samples),
        pressure=worse(PRESSURES, *(sample.pressure for sample in samples)),
        pressed_s=time_where(samples, is_pressed),
        pressed_times=slowed_by(samples, is_pressed),
        swapped_bytes=sum(known) if (known := [it for s in samples if (it := s.swapped_bytes) is not None]) else None,
        thermal_state=worse(STATES, *(sample.thermal_state for sample in samples)),
        hot_s=time_where(samples, is_hot),
        slow=find_slow(timed, usual),
    )


def is_pressed(sample: Sample) -> bool:
    return sample.pressure in PRESSURES[1:]


def is_hot(sample: Sample) -> bool:
    return sample.thermal_state in STATES[2:]


def time_where(samples: Sequence[Sample], test: Callable[[Sample], bool]) -> float:
    return sum(sample.seconds for sample in samples if test(sample))


def slowed_by(samples: Sequence[Sample], test: Callable[[Sample], bool]) -> float | None:
    """How many times as long steps took where that was so; None without steps on both sides."""
    with_it = mean_step([sample for sample in samples if test(sample)])
    without = mean_step([sample for sample in samples if not test(sample)])
    return with_it / without if with_it and without else None


def mean_step(samples: Sequence[Sample]) -> float | None:
    steps = sum(sample.steps for sample in samples)
    return sum(sample.step_seconds for sample in samples) / steps if steps else None


def peaks(samples: Sequence[Sample]) -> dict[str, DeviceMemory]:
    """The most of each figure by device."""
    found: dict[str, DeviceMemory] = {}
    for sample in samples:
        for device, now in sample.devices.items():
            before = found.get(device, DeviceMemory())
            found[device] = DeviceMemory(
                most(before.tensors_bytes, now.tensors_bytes),
                most(before.reserved_bytes, now.reserved_bytes),
                most(before.peak_bytes, now.peak_bytes, now.tensors_bytes),
            )
    return found


def find_growth(samples: Sequence[Sample]) -> Growth | None:
    """Of the accelerator, else of what the processes take; None where too little was seen."""
    last = samples[-1].devices if samples else {}
    device = next((name for name in last if name != "cpu"), "cpu")
    points = [(sample.done, used) for sample in samples if sample.steps and (used := used_bytes(sample, device))]
    points = points[len(points) // SETTLING :]
    if len(points) < FEWEST_POINTS or points[0][0] == points[-1][0]:
        return None
    every = -(-len(points) // MOST_POINTS)
    slope = growth.slope(points[::every])
    return Growth(device, slope, points[0][1], points[-1][1], points[-1][0] - points[0][0])


def used_bytes(sample: Sample, device: str) -> int | None:
    memory = sample.devices.get(device)
    if device == "cpu":
        return (memory and memory.tensors_bytes) or sample.resident_bytes
    return memory.tensors_bytes if memory else None


def stretches(samples: Sequence[Sample]) -> Iterator[Stretch]:
    """Parts of the time in which steps were made; the first is left out where there are enough, for it warms up."""
    with_steps = [sample for sample in samples if sample.steps]
    length = max(SHORTEST, sum(sample.seconds for sample in with_steps) / WINDOWS)
    groups: list[list[Sample]] = [[]]
    for sample in with_steps:
        groups[-1].append(sample)
        if sum(each.seconds for each in groups[-1]) >= length:
            groups.append([])
    whole = groups[:-1] if len(groups) > 1 else groups
    for group in whole[1:] if len(whole) > FEWEST_STRETCHES else whole:
        if step_s := mean_step(group):
            yield Stretch(group, step_s)


def find_slow(timed: Sequence[Stretch], usual: float | None) -> Slow | None:
    """The slowest stretch, where it is clearly slower than usual, with those around it that are too."""
    if usual is None or len(timed) < FEWEST_STRETCHES:
        return None
    slow = [stretch.step_s >= SLOWER * usual for stretch in timed]
    if not any(slow):
        return None
    first = last = max(range(len(timed)), key=lambda place: timed[place].step_s)
    while first and slow[first - 1]:
        first -= 1
    while last + 1 < len(timed) and slow[last + 1]:
        last += 1
    samples = [sample for stretch in timed[first : last + 1] for sample in stretch.samples]
    others = [sample for stretch in (*timed[:first], *timed[last + 1 :]) for sample in stretch.samples]
    step_s = mean_step(samples) or usual
    return Slow(Stretch(samples, step_s), step_s / usual, list(beside(samples, others)))


def beside(slow: Sequence[Sample], others: Sequence[Sample]) -> Iterator[Part]:
    """What was worse in a stretch than in most of the rest. It went with the slowness; that is no proof of a cause."""
    for order, name, part in ((PRESSURES, "pressure", "at_pressure"), (STATES, "thermal_state", "at_heat")):
        level = worse(order, *(getattr(sample, name) for sample in slow))
        levels = [getattr(sample, name) for sample in others]
        usual = middle([order.index(value) if value in order else 0 for value in levels])
        if level in order and order.index(level) > usual:
            yield Part(part, {"level": level})
    moved = middle([flow for sample in slow if (flow := flow_of(sample)) is not None])
    if moved > max(FLOWING, 2 * middle([flow for sample in others if (flow := flow_of(sample)) is not None])):
        yield Part("at_swapping", {"bytes": round(moved)})
    taken = most(*(sample.others_percent for sample in slow)) or 0.0
    if taken > TAKEN + middle([sample.others_percent or 0.0 for sample in others]):
        names = list(dict.fromkeys(name for sample in slow for name in sample.programs))
        yield Part("at_load_of" if names else "at_load", {"percent": taken, "names": names})
    for name, part in (("low_power", "at_low_power"), ("on_battery", "at_battery")):
        if any(getattr(sample, name) for sample in slow) and not middle([bool(getattr(s, name)) for s in others]):
            yield Part(part)


def flow_of(sample: Sample) -> float | None:
    return None if sample.swapped_bytes is None else sample.swapped_bytes / max(sample.seconds, 0.1)


def middle(values: Sequence[float]) -> float:
    """The middle one, 0 of none."""
    return sorted(values)[len(values) // 2] if values else 0.0


def judge(summary: Summary) -> list[Finding]:
    """What a person should know, the gravest first."""
    found = [each for rule in RULES for each in rule(summary)]
    return sorted(found, key=lambda each: each.severity != "warning")


def pressure(summary: Summary) -> Iterator[Finding]:
    if summary.pressed_s:
        times = summary.pressed_times
        yield finding(
            "MPS406",
            "warning",
            {"pressed_s": summary.pressed_s, "level": summary.pressure, "times": times},
            level=summary.pressure,
            seconds=summary.pressed_s,
            total=summary.seconds,
            steps=Part("slower", {"times": times}) if times and times >= SLOWER else Part("as_usual" if times else ""),
        )


def swapping(summary: Summary) -> Iterator[Finding]:
    if (summary.swapped_bytes or 0) >= SWAPPED:
        yield finding("MPS407", "warning", {"swapped_bytes": summary.swapped_bytes}, moved=summary.swapped_bytes)


def pool(summary: Summary) -> Iterator[Finding]:
    for device, memory in summary.devices.items():
        held, used = memory.reserved_bytes, memory.peak_bytes
        if held and used and held >= max(LARGE_POOL, WIDE_POOL * used):
            yield finding(
                "MPS408", "info", {"reserved_bytes": held, "peak_bytes": used}, device=device, held=held, used=used
            )


def leak(summary: Summary) -> Iterator[Finding]:
    grown = summary.growth
    if grown and grown.leaks:
        rate, interval = grown.slope
        values = {"bytes_per_step": rate, "ci95": list(interval), "steps": grown.steps}
        yield finding(
            "MPS526",
            "warning",
            {**values, "first_bytes": grown.first_bytes, "last_bytes": grown.last_bytes},
            remedy="watched_remedy",
            device=grown.device,
            rate=rate,
            rows=Part("watched", values),
            steps=SOON,
            soon=rate * SOON,
        )


def slow(summary: Summary) -> Iterator[Finding]:
    if summary.slow:
        stretch, times, parts = summary.slow
        evidence = {"from_s": stretch.begin, "to_s": stretch.samples[-1].at, "step_s": stretch.step_s, "times": times}
        went = [{"what": part} for part in parts]
        yield finding(
            "MPS535",
            "info",
            evidence,
            times=times,
            begin=stretch.begin,
            end=stretch.samples[-1].at,
            step_ms=1e3 * stretch.step_s,
            beside=Part("went", {"rows": Each("each", went, ", ")}) if went else Part("nothing"),
        )


def heat(summary: Summary) -> Iterator[Finding]:
    if summary.hot_s:
        yield finding(
            "MPS536",
            "warning",
            {"hot_s": summary.hot_s, "thermal_state": summary.thermal_state},
            level=summary.thermal_state,
            seconds=summary.hot_s,
            total=summary.seconds,
        )


RULES = (leak, pressure, swapping, heat, slow, pool)
