"""What tests of the trainer's side share: a valid profile, and a stand-in torch for devices that are not here."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "Failed to initialize NumPy")  # torch's word where there is no numpy
    import torch as torch

from mpsdoctor.runtime.shapes import Profile

VERSION = "2.13.0"
VARIABLES = ("MPSDOCTOR_PROFILE", "MPSDOCTOR_FORCE_MPS", "MPSDOCTOR_DEVICE", "LOCAL_RANK")
STAND_IN = '''
"""Offers the devices that STAND_IN names, as in "cuda=2 mps=1 xpu=1"; "broken" raises where it is asked."""
import os
from types import SimpleNamespace

__version__ = "2.13.0"
_offered = dict(item.split("=") for item in os.environ.get("STAND_IN", "").split())


class device:
    def __init__(self, name):
        if name.partition(":")[0] not in ("cpu", "cuda", "mps", "xpu", "npu", "meta"):
            raise RuntimeError("Expected one of cpu, cuda, mps device type at start of device string: " + name)
        self.type, self.name = name.partition(":")[0], name

    def __str__(self):
        return self.name


def _backend(kind):
    def count():
        if _offered.get(kind) == "broken":
            raise RuntimeError("driver \\x1b[31mtoo old")
        return int(_offered.get(kind, 0))
    return SimpleNamespace(is_available=lambda: count() > 0, device_count=count)


cuda, xpu, mps = _backend("cuda"), _backend("xpu"), _backend("mps")
backends = SimpleNamespace(mps=mps)
if "npu" in _offered:
    npu = _backend("npu")
    accelerator = SimpleNamespace(current_accelerator=lambda: device("npu"))
'''
ASK = """
import json, sys
from mpsdoctor import get_optimal_device
device, info = get_optimal_device(**json.loads(sys.argv[1]))
print(json.dumps({"device": str(device), "text": str(info), **{n: getattr(info, n) for n in (
    "source", "reason", "basis", "hints", "warnings", "stale", "known_wrong", "profile_path")}}))
"""
FINGERPRINT = """
import json, sys
from mpsdoctor.runtime.profile import fingerprint
print(json.dumps(fingerprint(sys.argv[1])))
"""
PROFILE: dict[str, Any] = {
    "schema": 1,
    "created": "2026-01-01T00:00:00Z",
    "tool": "mpsdoctor 0.1.0",
    "fingerprint": {},
    "recommended": {"device": "cpu", "confidence": "high", "reason": "no accelerator was faster"},
    "workloads": {"cnn": {"small": {"device": "cpu", "speedup": 0.4, "ci95": [0.3, 0.5]}}},
    "batches": {},
    "batch_sizes": {},
    "speeds": {},
    "force_mps": False,
    "force_mps_torch": None,
    "fleet": None,
    "environment": {},
    "settings": {"num_threads": 2},
    "known_wrong": [],
    "hints": ["batches above 96 belong on the GPU"],
}


def sample(**parts: Any) -> Profile:
    """A profile with these parts instead of the valid one's own."""
    changed: Any = {**copy.deepcopy(PROFILE), **parts}
    profile: Profile = changed
    return profile


def program(source: str, *args: str, env: dict[str, str] | None = None) -> Any:
    """The JSON that a Python program prints in this environment."""
    chosen = {**os.environ, **(env or {})}
    command = [sys.executable, "-c", source, *args]
    done = subprocess.run(command, env=chosen, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise AssertionError(done.stderr)
    return json.loads(done.stdout)


class Trainer:
    """A training script on a machine whose torch offers the devices named, with a profile or without."""

    def __init__(self, folder: Path, offers: str, env: dict[str, str] | None = None) -> None:
        package = folder / "stand-in" / "torch"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(STAND_IN)
        given = {**os.environ, **(env or {})}
        paths = [str(package.parent), *filter(None, [given.get("PYTHONPATH")])]
        self.env = {name: value for name, value in given.items() if name not in VARIABLES}
        self.env |= {"PYTHONPATH": os.pathsep.join(paths), "STAND_IN": offers, "HOME": str(folder)}
        self.path = folder / "profile.json"

    def learns(self, **parts: Any) -> Trainer:
        """Write a profile of this very machine, with these parts."""
        made = program(FINGERPRINT, VERSION, env=self.env)
        self.path.write_text(json.dumps(sample(**{"fingerprint": made, **parts})), encoding="utf-8")
        self.env["MPSDOCTOR_PROFILE"] = str(self.path)
        return self

    def asks(self, arguments: dict[str, Any] | None = None, **env: str) -> dict[str, Any]:
        """What get_optimal_device answers with these arguments and environment variables."""
        answer: dict[str, Any] = program(ASK, json.dumps(arguments or {}), env={**self.env, **env})
        return answer
