"""The JSON Schemas of what we print and write: DOCUMENTS.

The profile's fields stand in `runtime/shapes.py` too, for type checkers and in a package that imports no msgspec. The
schema also promises patterns and ranges, and which keys a writer never leaves out.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import msgspec

from mpsdoctor import report
from mpsdoctor.compare.shapes import Comparison
from mpsdoctor.explain import answer
from mpsdoctor.merging.shapes import FleetReport
from mpsdoctor.race.results import RaceReport
from mpsdoctor.runtime import profile

Settings = dict[str, Any]  # later versions may add some
Schema = dict[str, Any]  # free by the standard of JSON Schema
DIALECT = "https://json-schema.org/draft/2020-12/schema"
Device = Annotated[str, msgspec.Meta(pattern=f"^{profile.DEVICE}$")]
Positive = Annotated[float, msgspec.Meta(gt=0)]
Variable = Annotated[str, msgspec.Meta(pattern=f"^{profile.VARIABLE}$")]


class Fingerprint(msgspec.Struct):
    """What a measurement depends on; unknown is null."""

    os: str | None
    os_version: str | None
    arch: str | None
    chip: str | None
    memory_bytes: int | None
    python: str | None
    torch: str | None


class Recommended(msgspec.Struct):
    """The device for everything that was not measured by itself."""

    device: Device
    confidence: report.Confidence
    reason: str


class Measured(msgspec.Struct):
    """The winner of one workload at one size, how many times faster than the CPU, and the 95 % interval.

    A raced script has `alike`: whether all devices train it alike, null where that is not known.
    """

    device: Device | Literal["tie"]
    speedup: float | None
    ci95: tuple[float, float] | None
    alike: bool | None = None


class AtBatch(msgspec.Struct):
    """One batch size: how many times faster than the CPU an accelerator trains, and the 95 % interval."""

    batch: Annotated[int, msgspec.Meta(ge=1, le=10**9)]
    device: Device
    speedup: Positive
    ci95: tuple[Positive, Positive]


class BatchSizes(msgspec.Struct):
    """The largest batch size of a person's own step that fits on a device, whether that is settled; the fastest one."""

    largest: Annotated[int, msgspec.Meta(ge=1, le=10**9)]
    settled: bool
    fastest: Annotated[int, msgspec.Meta(ge=1, le=10**9)]
    samples_per_s: Positive


class Speed(msgspec.Struct):
    """How many times as fast as the CPU an accelerator trains, over all families, and the 95 % interval."""

    speedup: Positive
    ci95: tuple[Positive, Positive]


class KnownWrong(msgspec.Struct):
    """An operator, a training or a known issue that is wrong on a device here, and how."""

    id: str
    device: Device
    what: str | None = None


class Fleet(msgspec.Struct):
    """What the last report of many machines said: on how many ranks which kind of device is recommended."""

    created: str
    devices: dict[Device, Annotated[int, msgspec.Meta(ge=1, lt=1 << 20)]]


class Profile(msgspec.Struct):
    """What a check-up learnt about this machine, for training scripts to read."""

    schema: Literal[1]
    created: str
    tool: str
    fingerprint: Fingerprint
    recommended: Recommended
    workloads: dict[str, dict[str, Measured]]
    force_mps: bool
    environment: dict[Variable, str]
    settings: Settings
    hints: list[str]
    batches: dict[str, list[AtBatch]] = {}
    batch_sizes: dict[str, dict[Device, BatchSizes]] = {}
    speeds: dict[Device, Speed] = {}
    known_wrong: list[KnownWrong] = []
    force_mps_torch: str | None = None
    fleet: Fleet | None = None


DOCUMENTS: dict[str, Any] = {
    "report": report.Report,
    "profile": Profile,
    "explain": answer.ExplanationJSON,
    "compare": Comparison,
    "race": RaceReport,
    "fleet": FleetReport,
}


def schema(what: str) -> Schema:
    """The JSON Schema of one of DOCUMENTS. Readers ignore keys that they do not know."""
    return {"$schema": DIALECT, **msgspec.json.schema(DOCUMENTS[what])}


def as_json(what: str) -> str:
    """The same, as text."""
    return json.dumps(schema(what), indent=2)
