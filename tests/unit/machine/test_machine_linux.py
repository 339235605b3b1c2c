"""What Linux's files tell, from a folder that stands for its root."""

from __future__ import annotations

from pathlib import Path

import pytest

from mpsdoctor.machine import linux, other

GIB = 1 << 30
CPUINFO = "processor\t: 0\nmodel name\t: AMD Ryzen 7  5800X\nflags\t\t: fpu vme {}\n\nprocessor\t: 1\n"


def put(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_the_chip_and_the_distribution(tmp_path: Path) -> None:
    """Both are read from the files, spaces made single and quotes removed."""
    files = {"proc/cpuinfo": CPUINFO.format("sse"), "etc/os-release": 'NAME="X"\nVERSION_ID="12"\nID=debian\n'}
    facts = linux.facts(root=put(tmp_path, files))
    assert (facts["chip"], facts["os_version"]) == ("AMD Ryzen 7 5800X", "debian 12")
    assert facts["virtual_machine"] is None


def test_an_empty_root_tells_nothing(tmp_path: Path) -> None:
    """Without /proc and /sys the facts are unknown."""
    facts = linux.facts(root=tmp_path)
    assert [facts[key] for key in ("chip", "os_version", "model", "virtual_machine")] == [None] * 4
    assert linux.memory(tmp_path)["limit_bytes"] is None
    assert linux.memory(tmp_path)["pressure"] is None


@pytest.mark.parametrize(
    "files",
    [
        {"proc/cpuinfo": CPUINFO.format("hypervisor sse")},
        {"sys/class/dmi/id/sys_vendor": "QEMU\n"},
        {"sys/class/dmi/id/product_name": "Virtual Machine\n"},
        {"sys/hypervisor/type": "xen\n"},
    ],
)
def test_a_virtual_machine_shows_itself(files: dict[str, str], tmp_path: Path) -> None:
    """The processor's flag, the board's name or the hypervisor's file is enough."""
    assert linux.facts(root=put(tmp_path, files))["virtual_machine"] is True


def test_cores_of_two_capacities(tmp_path: Path) -> None:
    """An M1 under Linux has four cores of the full capacity and four below."""
    files = {f"sys/devices/system/cpu/cpu{n}/cpu_capacity": "1024\n" if n > 3 else "459\n" for n in range(8)}
    assert linux.cores(put(tmp_path, files)) == (4, 4)


def test_cores_of_a_hybrid_intel_are_not_claimed(tmp_path: Path) -> None:
    """Two kinds of cores that differ in threads cannot be counted from the outside."""
    assert linux.cores(put(tmp_path, {"sys/devices/cpu_atom/cpus": "16-23\n"})) == (None, None)


@pytest.mark.parametrize(
    ("files", "limit"),
    [
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "2147483648\n"}, 2 * GIB),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "max\n"}, None),
        (
            {
                "proc/self/cgroup": "0::/job/step\n",
                "sys/fs/cgroup/job/memory.max": "1073741824\n",
                "sys/fs/cgroup/job/step/memory.max": "max\n",
            },
            GIB,
        ),
        (
            {
                "proc/self/cgroup": "5:cpu,memory:/pod\n1:name=systemd:/\n",
                "sys/fs/cgroup/memory/pod/memory.limit_in_bytes": "536870912\n",
            },
            GIB // 2,
        ),
        (
            {
                "proc/self/cgroup": "4:memory:/\n",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
            },
            None,
        ),
        ({"proc/self/cgroup": "0::/../../etc\n", "sys/fs/cgroup/memory.max": str(64 * GIB)}, None),
    ],
)
def test_the_tightest_limit_of_a_container(files: dict[str, str], limit: int | None, tmp_path: Path) -> None:
    """Both versions of control groups, parents included; what does not bind below the memory is no limit."""
    assert linux.limit(put(tmp_path, files), 16 * GIB) == limit


@pytest.mark.parametrize(
    ("some", "full", "level"),
    [("0.00", "0.00", "normal"), ("12.50", "3.00", "warning"), ("40.00", "22.10", "critical")],
)
def test_pressure_stall_information(some: str, full: str, level: str) -> None:
    """The share of time in which tasks waited for memory sets the level."""
    text = f"some avg10={some} avg60=0.00 avg300=0.00 total=1\nfull avg10={full} avg60=0.00 avg300=0.00 total=1\n"
    assert linux.pressure(text) == level


def test_only_the_first_processor_is_read(tmp_path: Path) -> None:
    """A machine of 256 processors has a megabyte of them."""
    put(tmp_path, {"proc/cpuinfo": CPUINFO.format("sse") * 4096})
    assert len(linux.read(tmp_path / "proc/cpuinfo", linux.CPUINFO_BYTES)) == linux.CPUINFO_BYTES


def test_the_patient_learn_the_chip_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """py-cpuinfo is asked only where the files are silent and seconds are allowed."""
    monkeypatch.setattr(other, "brand", lambda: "Neoverse-N1")
    assert linux.facts(root=tmp_path)["chip"] is None
    assert linux.facts(patient=True, root=tmp_path)["chip"] == "Neoverse-N1"
