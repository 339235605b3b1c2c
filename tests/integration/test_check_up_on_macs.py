"""Whole check-ups on replayed Macs: real doctor, host and worker processes, system programs that replay outputs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from helpers.support import check, mpsdoctor, report

CHEAP = ("--only", "chip,build,environment,memory")

# The machine, the chip its report names, the code that tells why MPS is not there, and the exit code.
MACHINES = {
    "m1": ("Apple M1", "MPS203", 0),
    "m2-pro": ("Apple M2 Pro", "MPS203", 0),
    "m3-max": ("Apple M3 Max", "MPS203", 0),
    "m4": ("Apple M4", "MPS203", 0),
    "m5-pro": ("Apple M5 Pro", "MPS203", 0),
    "m1-pressure": ("Apple M1", "MPS203", 0),
    "intel": ("Intel", "MPS213", 0),
    "rosetta": (None, "MPS204", 1),
    "virtual": ("Apple M1 (Virtual)", "MPS203", 0),
}


@pytest.mark.parametrize("machine", MACHINES)
def test_a_check_up_tells_the_machine_and_why_mps_is_not_there(
    mac: Callable[[str], dict[str, str]], machine: str
) -> None:
    """The report names the replayed chip, and the build check the cause that fits it."""
    chip, code, status = MACHINES[machine]
    document = report(*CHEAP, env=mac(machine))
    assert document["machine"]["os"] == "Darwin"
    if chip:
        assert document["machine"]["chip"].startswith(chip)
    codes = [finding["code"] for finding in check(document, "build")["findings"]]
    assert codes == [code]
    assert document["exit"] == status
    assert not [result for result in document["checks"] if result["status"] == "error"]


def test_a_virtual_mac_is_told_in_words(mac: Callable[[str], dict[str, str]]) -> None:
    """The text report says that this is a virtual machine, with the finding that explains what that means."""
    text = mpsdoctor(*CHEAP, env=mac("virtual")).stdout
    assert "virtual machine" in text
    assert "MPS102" in text
