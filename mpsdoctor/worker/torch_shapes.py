"""Shapes of what a worker tells of its interpreter, its torch and the devices that this offers."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, TypedDict


class Packages(TypedDict):
    """Packages that are there, by name with their versions; the back end that Keras is told to use."""

    versions: Dict[str, str]
    keras_backend: Optional[str]


class Interpreter(TypedDict):
    """`torch_facts.python`: `pip` is whether it has one, `externally_managed` whether pip refuses to install (PEP 668).

    `torch_version` is what the installed package says, which survives a torch that cannot be imported.
    """

    version: str
    executable: str
    arch: str
    pip: bool
    externally_managed: bool
    torch_version: Optional[str]


class TorchBuild(TypedDict):
    """Torch's facts about itself; where it cannot be imported, the error and at most its version."""

    version: Optional[str]
    mps_built: Optional[bool]
    mps_available: Optional[bool]
    cuda_available: Optional[bool]
    error: Optional[str]


class TorchFacts(TypedDict):
    """`torch_facts.torch`: torch, and the devices it offers by their names."""

    torch: TorchBuild
    offered: List[str]
    num_threads: int
    cuda_version: Optional[str]
    git_version: Optional[str]
    debug: bool


class _DeviceTrial(TypedDict):
    usable: bool
    reason: Optional[str]
    name: Optional[str]


class DeviceTrial(_DeviceTrial, total=False):
    """`torch_facts.try_device`: whether a device does what it says, else why not; its name if it does.

    The reason is a sentence of the doctor's, as `detail_values` of a `Judgement` are.
    """

    reason_values: Dict[str, Any]
