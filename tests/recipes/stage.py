"""The training libraries on the stand-in for MPS: one script at a time, and where its parameters were in the end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.trainer import program, sample
from mac import stand_in
from machines import replay
from simulator.building import register_with_torch

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
RECIPES = ROOT / "docs" / "recipes"
UNSTEERED = HERE / "scripts"
# What each script takes by itself where MPS is there, and the package without which it is not run.
LIBRARIES = {
    "plain": ("mps", "torch"),
    "with_transformers": ("mps", "transformers"),
    "with_accelerate": ("mps", "accelerate"),
    "with_lightning": ("mps", "lightning"),
    "with_fabric": ("mps", "lightning"),
    "with_keras": ("mps", "keras"),
    "with_fastai": ("mps", "fastai"),
    "with_sentence_transformers": ("mps", "sentence-transformers"),
    "with_ultralytics": ("cpu", "ultralytics"),
    "with_skorch": ("cpu", "skorch"),
    "with_stable_baselines3": ("cpu", "stable-baselines3"),
}
# As `run` finds torch's version, in its files, and as a script does: the stand-in leaves +cpu out of the second.
PRESENT = """
import json, torch
from mpsdoctor.runtime import running
print(json.dumps([running.present(), {**running.present(), "torch": str(torch.__version__)}]))
"""
DEVICES = ("cpu", "mps")
CHIP = "m3-max"
OFFLINE = {"HF_HUB_OFFLINE": "1", "YOLO_OFFLINE": "true", "OMP_NUM_THREADS": "1", "WANDB_MODE": "disabled"}
CHOICES = ("ACCELERATE_", "PL_TRAINER_", "LT_", "KERAS_", "MPSDOCTOR_", "PYTORCH_", "DISABLE_MPS")


@dataclass
class Stage:
    """A folder with a profile, and the environment in which torch has MPS.

    The machine is not a replayed Mac: libraries would load the system's own from it.
    """

    folder: Path

    def __post_init__(self) -> None:
        site = self.folder / "site"
        if not site.exists():
            register_with_torch(site, "like-a-mac", "like_a_mac = like_a_mac:load")
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(CHOICES)}
        paths = [stand_in.build(), site, HERE / "site", ROOT, ROOT / "checks"]
        self.env |= {"PYTHONPATH": os.pathsep.join(map(str, paths)), "SIM_FAULTS": "", **OFFLINE}
        self.env |= {"HOME": str(self.folder), "YOLO_CONFIG_DIR": str(self.folder), "NO_COLOR": "1"}
        self.env |= stand_in.of_the_chip(replay.DATA / CHIP)
        self.present = program(PRESENT, env=self.env)

    def learn(self, device: str) -> None:
        """Write profiles of this machine that recommend the device, one for `run` and one for scripts."""
        recommended = {"device": device, "confidence": "high", "reason": f"{device} was measured as faster"}
        for steered, made in zip((True, False), self.present, strict=True):
            content = sample(fingerprint=made, recommended=recommended)
            self.profile(steered).write_text(json.dumps(content), encoding="utf-8")

    def profile(self, steered: bool) -> Path:
        return self.folder / ("run.json" if steered else "script.json")

    def train(self, script: Path, *, steered: bool = False) -> str:
        """The device on which the script says that its parameters are in the end. AssertionError if it fails."""
        before = [sys.executable, "-m", "mpsdoctor", "run", "--"] if steered else []
        profile = str(self.profile(steered))
        done = self.start([*before, sys.executable, str(script)], MPSDOCTOR_PROFILE=profile)
        last = [line for line in done.stdout.splitlines() if line.startswith("trained on ")]
        assert done.returncode == 0, done.stderr[-3000:]
        assert last, done.stdout[-3000:]
        return last[-1].removeprefix("trained on ")

    def start(self, command: list[str], **more: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, env={**self.env, **more}, cwd=self.folder, capture_output=True, text=True, timeout=600, check=False
        )
