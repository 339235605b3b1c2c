"""Single operators here against those that others timed on Apple's chips."""

from __future__ import annotations

from typing import Any

import pytest

from mpsdoctor import chips
from mpsdoctor.check import Finding
from mpsdoctor.facts.training import OperatorTime, no_training
from mpsdoctor.worker.training.single_operators import OPERATORS
from mpsdoctor_checks.training import expected

OPERATORS_OF_A_TABLE = ["sum", "ReLU"]
TABLE = {"M1": (1, [(0.1, 0.4), (1.0, 2.0)]), "M2": (2, [(0.2, 0.1), (0.5, 3.0)])}


def compare(chip: str, device: str, *times: float) -> list[OperatorTime]:
    """Rows of the two operators, each called three times around its time."""
    calls = {name: [1.2 * ms, ms, 0.9 * ms] for name, ms in zip(OPERATORS_OF_A_TABLE, times, strict=True)}
    return expected.compare(chip, device, calls, OPERATORS_OF_A_TABLE, TABLE)


def judge(rows: list[OperatorTime], **given: Any) -> list[Finding]:
    facts: Any = {**no_training(), "disturbances": [], "operators": rows, **given}
    return list(expected.judge(facts))


def test_a_row_has_the_middle_call_beside_the_chip_and_all_chips() -> None:
    """The device's own column is read, the range is that over all chips."""
    first, second = compare("M1", "mps", 0.6, 2.0)
    assert first == {
        "operator": "sum",
        "device": "mps",
        "ms": 0.6,
        "range_ms": [0.54, 0.72],
        "chip": "M1",
        "machines": 1,
        "chip_ms": 0.4,
        "times": 1.5,
        "all_chips_ms": [0.1, 0.4],
    }
    assert (second["chip_ms"], second["all_chips_ms"], second["times"]) == (2.0, [2.0, 3.0], 1.0)


@pytest.mark.parametrize(
    ("times", "said"),
    [
        ((0.45, 2.2), "That is within what machines with one chip differ by."),
        ((0.7, 3.4), "That is slower than machines with one chip usually differ by."),
        ((0.2, 1.0), "That is faster than machines with one chip usually differ by."),
    ],
)
def test_where_it_lies_is_told_as_information(times: tuple[float, float], said: str) -> None:
    """Within a factor of 1.5 is nothing special, outside of it is said, with each operator's figures."""
    (finding,) = judge(compare("M1", "mps", *times))
    assert (finding.code, finding.severity) == ("MPS537", "info")
    assert finding.detail.startswith(said)
    assert "against 2.00 ms (2.00 ms to 3.00 ms)" in finding.detail


def test_far_slower_on_a_quiet_machine_is_a_warning() -> None:
    """More than twice as long, each device by itself."""
    rows = compare("M1", "cpu", 0.1, 1.0) + compare("M1", "mps", 1.2, 6.0)
    cpu, mps = judge(rows)
    assert (cpu.code, mps.code, mps.severity) == ("MPS537", "MPS538", "warning")
    assert mps.title == "mps is slow for an M1: single operators take 3 times as long as on another one"
    assert mps.evidence["times"] == pytest.approx(3.0)


@pytest.mark.parametrize("given", [{"disturbances": ["low power mode was on"]}, {"doubtful": True}])
def test_no_warning_from_a_disturbed_machine(given: dict[str, Any]) -> None:
    """What a busy machine shows is told, and accuses nothing."""
    (finding,) = judge(compare("M1", "mps", 1.2, 6.0), **given)
    assert (finding.code, finding.severity) == ("MPS537", "info")
    assert finding.detail.startswith("That is slower, but the machine was disturbed")


def test_one_slow_operator_is_no_warning() -> None:
    """One of four may be slow by the torch that is here."""
    table = {"M1": (1, [(1.0, 1.0)] * 4)}
    calls = {"a": [50.0], "b": [1.0], "c": [1.1], "d": [0.9]}
    (finding,) = judge(expected.compare("M1", "mps", calls, list(calls), table))
    assert finding.code == "MPS537"


def test_a_chip_that_nobody_measured_is_not_judged() -> None:
    """The figures stand in the facts, for others to come; nothing is said."""
    rows = compare("M9 Max", "mps", 50.0, 50.0)
    assert [(row["chip_ms"], row["times"], row["machines"]) for row in rows] == [(None, None, 0)] * 2
    assert judge(rows) == []


def test_without_figures_nothing_is_said() -> None:
    """A machine that is no Mac, or an operator that failed."""
    assert judge([]) == []
    assert expected.compare("M1", "mps", {}, OPERATORS_OF_A_TABLE, TABLE) == []


def test_what_is_timed_is_in_the_shipped_table() -> None:
    """By the same words, or it would be compared with nothing."""
    operators, table = chips.read_table()
    assert set(OPERATORS) <= set(operators)
    assert table["M1"] == (1, [(0.07, 0.43), (0.68, 0.66), (15.6, 5.03), (1.35, 1.11), (253.0, 21.4)])


@pytest.mark.parametrize(
    ("chip", "name"),
    [
        ("Apple M1", "M1"),
        ("Apple M3 Ultra", "M3 Ultra"),
        ("Apple M1 (Virtual)", None),
        ("VirtualApple @ 2.50GHz processor", None),
        ("Intel(R) Core(TM) i9", None),
        (None, None),
    ],
)
def test_only_apples_own_chips_have_a_name(chip: str | None, name: str | None) -> None:
    """A virtual machine's chip is none of them."""
    assert chips.short_name(chip) == name
