"""Facts of `bench --find-batch`: which batch sizes of a person's own step were tried on each device."""

from __future__ import annotations

from typing import TypedDict

from mpsdoctor.texts import WordingData


class BatchTry(TypedDict):
    """A batch size on a device. `outcome` is "ok" where it fits; `bytes` is the most memory it took.

    Beside the outcomes of training there are "over", which ran and took more than there is without swapping, "swapped",
    which made the machine swap, and "predicted", which was not run, as growth says that it takes more.
    """

    batch: int
    outcome: str
    bytes: int | None
    step_ms: float | None
    samples_per_s: float | None
    ci95: list[float] | None
    detail: str
    detail_values: WordingData | None


class DeviceBatches(TypedDict):
    """What was found on a device; None where no size fits. `settled`: whether larger ones are known not to fit.

    `limit_bytes` is the most it may take without swapping, where that is known, `limit_from` tells whose limit it is:
    "recommended", "wired", "available", "container", "device", "given".
    """

    device: str
    largest: int | None
    settled: bool
    fastest: int | None
    samples_per_s: float | None
    ci95: list[float] | None
    limit_bytes: int | None
    limit_from: str | None
    stopped: str
    stopped_values: WordingData | None
    tries: list[BatchTry]


class BatchFacts(TypedDict):
    """`step` is the person's function, `workload` the name under which it is told."""

    step: str
    workload: str
    batch_search: list[DeviceBatches]
