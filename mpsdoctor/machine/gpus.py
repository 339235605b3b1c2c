"""Memory of graphics processors as the system reports it, without torch: what all programs together hold there now."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from mpsdoctor.machine.macos import GPU
from mpsdoctor.machine.programs import outputs
from mpsdoctor.machine.shapes import GpuMemory

PROGRAMS = {
    "ioreg": GPU,
    "nvidia-smi": ("nvidia-smi", "--query-gpu=name,memory.used,memory.total", "--format=csv,noheader,nounits"),
}
CARDS = Path("/sys/class/drm")  # where Linux tells of AMD's
IN_USE = re.compile(r'"In use system memory"=(\d+)')  # another key ends in "(driver)"
MIB = 1 << 20


def memory(cards: Path = CARDS) -> list[GpuMemory]:
    """`name`, `used_bytes` and `total_bytes` of each; the total is None where it is the machine's own memory."""
    texts = outputs(PROGRAMS)
    return [*_apple(texts["ioreg"]), *_nvidia(texts["nvidia-smi"]), *_amd(cards)]


def _apple(text: str) -> Iterator[GpuMemory]:
    for used in IN_USE.findall(text):
        yield {"name": "Apple GPU", "used_bytes": int(used), "total_bytes": None}


def _nvidia(text: str) -> Iterator[GpuMemory]:
    for line in text.splitlines():
        name, *figures = (part.strip() for part in line.rsplit(",", 2))
        if len(figures) == 2 and all(figure.isdigit() for figure in figures):
            yield {"name": name, "used_bytes": int(figures[0]) * MIB, "total_bytes": int(figures[1]) * MIB}


def _amd(cards: Path) -> Iterator[GpuMemory]:
    for file in sorted(cards.glob("card*/device/mem_info_vram_used")):
        used, total = _number(file), _number(file.with_name("mem_info_vram_total"))
        if used is not None:
            yield {"name": f"AMD {file.parts[-3]}", "used_bytes": used, "total_bytes": total}


def _number(file: Path) -> int | None:
    try:
        return int(file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
