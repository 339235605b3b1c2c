"""Facts of `build`: the interpreter, its torch and the devices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypedDict

from mpsdoctor.texts import Wording, WordingData, from_values

if TYPE_CHECKING:
    from mpsdoctor.machine.shapes import MachineFacts
    from mpsdoctor.worker.torch_shapes import TorchBuild


class PythonFacts(TypedDict, total=False):
    """The interpreter under examination: the worker's `Interpreter`, or empty where it does not answer."""

    version: str
    executable: str
    arch: str
    pip: bool
    externally_managed: bool
    torch_version: str | None


class _Device(TypedDict):
    device: str
    name: str | None
    usable: bool
    reason: str | None


class DeviceFacts(_Device, total=False):
    """An entry of the report's `devices`; `detail` is the whole text of a failure.

    `reason_values` are there where the reason is a sentence of ours.
    """

    detail: str
    reason_values: WordingData


class _Build(TypedDict):
    python: PythonFacts
    torch: TorchBuild | None
    devices: Sequence[DeviceFacts]
    interpreter_error: str | None
    ends_import: dict[str, str]
    machine: MachineFacts


class Build(_Build, total=False):
    """`ends_import` are variables with which torch cannot be imported, by their values.

    `import_error` is there where torch died on import, the rest where torch answers.
    """

    import_error: str | None
    offered: list[str]
    num_threads: int
    cuda_version: str | None
    git_version: str | None
    debug: bool
    refused: dict[str, str]
    asked_for: list[str] | tuple[str, ...] | None


def reason_of(device: DeviceFacts) -> Wording:
    """Why a device cannot be used, with the values where it is a sentence of ours; empty where nothing is known."""
    return from_values(device["reason"] or "", device.get("reason_values"))
