"""Memory of graphics processors, told by programs and files of the system."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mpsdoctor.machine import gpus

ASK = "import json; from mpsdoctor.machine import gpus; print(json.dumps(gpus.memory()))"


@pytest.mark.parametrize(("machine", "found"), [("m1", 1), ("m4", 1), ("intel", 0), ("virtual", 0)])
def test_a_mac_tells_what_its_gpu_uses(
    machine: str, found: int, mac: Callable[[str], dict[str, str]], answer: Callable[..., Any]
) -> None:
    """Apple silicon tells the bytes in use of the memory that it shares with the CPU; other Macs tell nothing."""
    told = answer(mac(machine), ASK)
    assert told == [{"name": "Apple GPU", "used_bytes": 340983808, "total_bytes": None}] * found


def test_nvidia_and_amd_tell_used_and_total(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`nvidia-smi` is read line by line, what is not a figure left out; AMD's figures lie in files."""
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'NVIDIA A, B, 10, 81559'\necho 'NVIDIA C, [N/A], [N/A]'\necho broken\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/usr/bin{os.pathsep}/bin")
    card = tmp_path / "card0" / "device"
    card.mkdir(parents=True)
    (card / "mem_info_vram_used").write_text("4096\n")
    (tmp_path / "card1" / "device").mkdir(parents=True)
    told = gpus.memory(tmp_path)
    assert json.loads(json.dumps(told)) == [
        {"name": "NVIDIA A, B", "used_bytes": 10 << 20, "total_bytes": 81559 << 20},
        {"name": "AMD card0", "used_bytes": 4096, "total_bytes": None},
    ]
