"""When enough blocks are timed: the racing stop, over ratios of paired blocks. No clock in here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from mpsdoctor.texts import Part
from mpsdoctor.thresholds import FASTER, SLOWER
from mpsdoctor_checks.training.statistics import enough, interval, ratios, spread

Standing = Literal["faster", "slower", "tie"]
Blocks = Mapping[str, Sequence[float]]

# What too few pairs for an interval must all exceed: three may agree by chance, or all fall into one disturbance.
LOPSIDED = 2.0
FIRST_LOOK = 3  # pairs
# Looking after each pair would let 95 % err too often; the answer is reported with its 95 % interval all the same.
WHILE_RUNNING, AT_THE_END = 0.99, 0.95
MOST_ROUNDS = 40  # the interval of 40 pairs is a third of the blocks' own spread; more costs more than it tells
STEADY_ENOUGH = 0.03  # a figure with nothing to compare with is finished at ± 3 %
STEADY_ROUNDS = 10


def decide(pairs: Sequence[float], level: float = WHILE_RUNNING) -> Standing | None:
    """Where the speed-up stands, or None while it is open."""
    if len(pairs) < FIRST_LOOK:
        return None
    low, high = interval(pairs, level)
    few = not enough(len(pairs), level)
    if low > (LOPSIDED if few else FASTER):
        return "faster"
    if high < (1 / LOPSIDED if few else SLOWER):
        return "slower"
    return "tie" if not few and low >= SLOWER and high <= FASTER else None


def standing(pairs: Sequence[float]) -> tuple[Standing, Part]:
    """The answer when no more blocks come, and why it is one."""
    running = decide(pairs)
    if running == "tie":
        return "tie", Part("within_band")
    if running:
        return running, Part("clear_of_band")
    last = decide(pairs, AT_THE_END)
    if last:
        return last, Part("interval_decides")
    return "tie", Part("too_close" if enough(len(pairs)) else "too_few_blocks")


def open_devices(blocks: Blocks, baseline: str) -> list[str]:
    """Devices whose race against the baseline is not decided yet."""
    return [
        device
        for device, seconds in blocks.items()
        if device != baseline and decide(ratios(blocks[baseline], seconds)) is None
    ]


def finished(blocks: Blocks, baseline: str) -> bool:
    """Whether another round could change no answer worth its time."""
    rounds = len(blocks[baseline])
    if rounds >= MOST_ROUNDS:
        return True
    if len(blocks) > 1:
        return rounds >= FIRST_LOOK and not open_devices(blocks, baseline)
    return rounds >= STEADY_ROUNDS or (enough(rounds) and spread(blocks[baseline]) <= STEADY_ENOUGH)


def turns(blocks: Blocks, baseline: str) -> list[str]:
    """Who is timed in this round, in which order: A B, then B A, so that a steady drift cancels out."""
    rounds = len(blocks[baseline])
    still = open_devices(blocks, baseline)
    order = [device for device in blocks if device == baseline or device in still]
    return order[::-1] if rounds % 2 else order


def run_race(
    devices: Sequence[str],
    blocks: dict[str, list[float]],
    time_block: Callable[[str], float | None],
    out_of_time: Callable[[], bool],
) -> None:
    """Fill `blocks` with seconds a step, by device, in turn; the first device is the baseline.

    `time_block` answers None where a device failed: it takes no further turn, and its blocks are dropped. Without the
    baseline there is no race.
    """
    baseline = devices[0]
    blocks.update({device: [] for device in devices})
    while not finished(blocks, baseline) and not out_of_time():
        for device in turns(blocks, baseline):
            seconds = time_block(device)
            if seconds is not None:
                blocks[device].append(seconds)
                continue
            del blocks[device]
            if device == baseline:
                return
