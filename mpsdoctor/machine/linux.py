"""What Linux reports about the machine, from its own files first."""

from __future__ import annotations

import re
from pathlib import Path

import psutil

from mpsdoctor.machine import other
from mpsdoctor.machine.shapes import Conditions, MachineFacts, MemoryFacts

ROOT = Path("/")
CPUINFO_BYTES = 8192  # the first processor's entry; 256 of them take a megabyte
UNLIMITED = 1 << 60  # cgroup v1 writes a number near 2**63 where there is no limit
# Share of the last ten seconds in which some, or all, tasks waited for memory: our own choice.
WAITING, STALLED = 10.0, 10.0
HYPERVISORS = (
    "qemu",
    "kvm",
    "vmware",
    "virtualbox",
    "xen",
    "virtual machine",
    "amazon ec2",
    "google compute",
)


def facts(patient: bool = False, root: Path = ROOT) -> MachineFacts:
    """The keys of `mpsdoctor.machine.facts`; thermal state and low power have no common file on Linux."""
    cpuinfo = read(root / "proc/cpuinfo", CPUINFO_BYTES)
    board = read(root / "sys/class/dmi/id/product_name") or read(root / "proc/device-tree/model")
    performance, efficiency = cores(root)
    return {
        **other.facts(),
        "os_version": version(read(root / "etc/os-release")),
        "chip": chip(cpuinfo) or (other.brand() if patient else None),
        "model": board.strip("\0 \n") or None,
        "performance_cores": performance,
        "efficiency_cores": efficiency,
        "virtual_machine": virtual_machine(cpuinfo, root),
    }


def memory(root: Path = ROOT) -> MemoryFacts:
    """The keys of `mpsdoctor.machine.memory`; `limit_bytes` is that of the tightest control group."""
    basics = other.memory()
    return {
        **basics,
        "limit_bytes": limit(root, basics["total_bytes"]),
        "pressure": pressure(read(root / "proc/pressure/memory")),
    }


def conditions(root: Path = ROOT) -> Conditions:
    """The keys of `mpsdoctor.machine.conditions`."""
    return {**other.conditions(), "pressure": pressure(read(root / "proc/pressure/memory"))}


def read(path: Path, limit: int = 65536) -> str:
    """The beginning of a file; empty if there is none, or none that may be read."""
    try:
        with path.open("rb") as file:
            return file.read(limit).decode("utf-8", "replace")
    except OSError:
        return ""


def version(os_release: str) -> str | None:
    """Like "debian 12", from /etc/os-release."""
    values = dict(re.findall(r"""^(ID|VERSION_ID)=["']?([^"'\n]*)["']?$""", os_release, re.MULTILINE))
    return " ".join(values[key] for key in ("ID", "VERSION_ID") if values.get(key)) or None


def chip(cpuinfo: str) -> str | None:
    """x86 has a "model name"; ARM boards may have "Hardware"; most ARM servers have neither."""
    match = re.search(r"^(?:model name|Hardware|cpu model)[ \t]*:[ \t]*(\S.*)$", cpuinfo, re.MULTILINE)
    return " ".join(match[1].split()) if match else None


def cores(root: Path) -> tuple[int | None, int | None]:
    """Performance and efficiency cores: by capacity on ARM, unknown on hybrid Intel, elsewhere all alike."""
    files = (root / "sys/devices/system/cpu").glob("cpu[0-9]*/cpu_capacity")
    capacities = [int(text) for path in files if (text := read(path).strip()).isdecimal()]
    if capacities:
        fast = capacities.count(max(capacities))
        return fast, len(capacities) - fast
    if (root / "sys/devices/cpu_atom").exists():
        return None, None
    count = other.ask(lambda: psutil.cpu_count(logical=False))
    return (None, None) if count is None else (count, 0)


def virtual_machine(cpuinfo: str, root: Path) -> bool | None:
    """True where a hypervisor shows itself. None otherwise: it may hide."""
    board = read(root / "sys/class/dmi/id/sys_vendor") + read(root / "sys/class/dmi/id/product_name")
    flagged = re.search(r"^flags\s*:.*\bhypervisor\b", cpuinfo, re.MULTILINE)
    named = any(name in board.lower() for name in HYPERVISORS)
    return True if flagged or named or read(root / "sys/hypervisor/type") else None


def limit(root: Path, total: int | None) -> int | None:
    """The least limit, in bytes, of this process's control groups; None if none is below `total`."""
    texts = (read(file).strip() for folder in groups(root) for file in _limit_files(root, folder))
    limits = [int(text) for text in texts if re.fullmatch(r"[0-9]{1,20}", text)]
    least = min(limits, default=UNLIMITED)
    return least if least < min(UNLIMITED, total or UNLIMITED) else None


def groups(root: Path) -> list[str]:
    """This process's memory groups and their parents; a container may see the root group alone."""
    text = read(root / "proc/self/cgroup")
    names = re.findall(r"^[0-9]+:(?:|[^:\n]*\bmemory\b[^:\n]*):/(.*)$", text, re.MULTILINE)
    paths = [name.split("/") for name in names if ".." not in name.split("/")]
    chain = {"/".join(path[:depth]) for path in paths for depth in range(len(path) + 1)}
    return sorted(chain | {""})


def _limit_files(root: Path, group: str) -> tuple[Path, Path]:
    mounts = root / "sys/fs/cgroup"
    return mounts / group / "memory.max", mounts / "memory" / group / "memory.limit_in_bytes"


def pressure(text: str) -> str | None:
    """From /proc/pressure/memory, which tells how long tasks waited for memory."""
    shares = dict(re.findall(r"^(some|full) avg10=([0-9]{1,3}\.[0-9]{2})\b", text, re.MULTILINE))
    if "some" not in shares:
        return None
    if float(shares.get("full", "0")) >= STALLED:
        return "critical"
    return "warning" if float(shares["some"]) >= WAITING else "normal"
