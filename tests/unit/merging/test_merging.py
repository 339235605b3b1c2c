"""What many machines tell together."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from helpers.check_ups import recorded, with_check
from helpers.machines_of import machine, report
from mpsdoctor.merging import merge
from mpsdoctor.merging.shapes import Collective, FleetMachine, FleetReport, Reach, spans
from mpsdoctor.report import Finding


def found(fleet: FleetReport, code: str) -> Finding:
    return next(finding for finding in fleet.findings if finding.code == code)


def codes(fleet: FleetReport) -> list[str]:
    return [finding.code for finding in fleet.findings]


def test_alike_machines_have_nothing_to_tell() -> None:
    """Four of the same: no finding, no difference, a quarter of the batch each."""
    fleet = merge([machine(rank) for rank in (3, 1, 2, 0)])
    assert (codes(fleet), fleet.differences) == ([], ())
    assert [row.rank for row in fleet.machines] == [0, 1, 2, 3]
    assert [row.share for row in fleet.shares] == pytest.approx([0.25] * 4)


@pytest.mark.parametrize("outcome", ["killed", "hung", "late", "unreachable", "error"])
def test_a_machine_without_a_report_is_named_with_the_reason(outcome: Any) -> None:
    """As an error, which ends a job in CI."""
    fleet = merge([machine(0), FleetMachine(1, outcome, detail="for this reason")])
    finding = found(fleet, "FLEET101")
    assert (finding.severity, finding.evidence) == ("error", {"ranks": [1], "outcome": outcome})
    assert "rank 1" in finding.title
    assert "for this reason" in finding.detail


def test_versions_that_differ_are_listed_by_risk_and_the_risky_ones_found() -> None:
    """The commonest value first; a patch release is no finding, and a Linux kernel's number neither."""
    machines = [machine(0, torch="2.13.0"), machine(1, torch="2.13.0"), machine(2, torch="2.8.0", os_version="9.9")]
    fleet = merge(machines)
    first = fleet.differences[0]
    assert (first.what, first.step) == ("torch", "minor")
    assert [(held.value, held.ranks) for held in first.values] == [("2.13.0", (0, 1)), ("2.8.0", (2,))]
    assert codes(fleet) == ["FLEET102"]
    assert found(fleet, "FLEET102").detail == "2.13.0 on rank 0-1; 2.8.0 on rank 2."
    patch = merge([machine(0, torch="2.13.0"), machine(1, torch="2.13.1")])
    assert (patch.differences[0].step, codes(patch)) == ("patch", [])


def test_memory_that_differs_by_what_the_system_keeps_is_the_same() -> None:
    """Two percent, as for a comparison of two reports."""
    size = 16 << 30
    assert merge([machine(0, memory_bytes=size), machine(1, memory_bytes=size - (size // 60))]).differences == ()
    assert merge([machine(0, memory_bytes=size), machine(1, memory_bytes=2 * size)]).differences != ()


def test_the_slowest_machine_is_named_by_its_ratio_to_the_median() -> None:
    """Over the trainings that three machines or more have timed on such a device; two have no median of others."""
    fleet = merge([machine(0), machine(1), machine(2, 1.5), machine(3)])
    assert (fleet.paces[0].rank, fleet.paces[0].trainings) == (2, 4)
    assert fleet.paces[0].ratio == pytest.approx(1.5)
    assert found(fleet, "FLEET103").evidence == {"ratios": {"2": pytest.approx(1.5)}}
    assert merge([machine(0), machine(1, 1.5)]).paces == ()
    assert codes(merge([machine(0), machine(1), machine(2, 1.05)])) == []


def test_the_batch_is_shared_out_by_speed() -> None:
    """A rank that is twice as fast takes twice as much; two processes of a machine share what it does."""
    fast = replace(machine(0, 0.5), ranks=(0, 1))
    fleet = merge([fast, replace(machine(2), ranks=(2,))])
    assert [row.rank for row in fleet.shares] == [0, 1, 2]
    assert [row.share for row in fleet.shares] == pytest.approx([1 / 3] * 3)


def test_processes_with_a_gpu_each_share_none() -> None:
    """torchrun gives every process its own CUDA device."""
    gpus = replace(machine(0, device="cuda"), ranks=(0, 1))
    fleet = merge([gpus, machine(2, device="cuda")])
    assert [row.share for row in fleet.shares] == pytest.approx([1 / 3] * 3)


def test_without_a_training_in_common_nothing_is_shared_out() -> None:
    """Unknown is null: the device is there all the same."""
    bare = replace(report(), checks=())
    fleet = merge([machine(0), FleetMachine(1, "ok", bare)])
    assert [(row.device, row.share) for row in fleet.shares] == [("cpu", None), ("cpu", None)]


def test_other_kinds_of_device_are_a_warning() -> None:
    """mps here and cpu there, whatever their indices."""
    fleet = merge([machine(0, device="mps"), machine(1), machine(2)])
    assert found(fleet, "FLEET109").title == "ranks would train on different kinds of device: mps and cpu"
    assert "FLEET109" not in codes(merge([machine(0, device="cuda:0"), machine(1, device="cuda:1")]))


def test_a_device_that_computes_wrong_on_one_machine_is_an_error_of_all() -> None:
    """The ranks and the reason are told, once a device."""
    fleet = merge([machine(0), FleetMachine(1, "ok", recorded("trouble")), FleetMachine(2, "ok", recorded("trouble"))])
    finding = found(fleet, "FLEET104")
    assert (finding.severity, finding.evidence) == ("error", {"ranks": [1, 2], "device": "sim"})
    assert "rank 1: sim is out" in finding.detail


def test_known_issues_are_listed_with_their_ranks() -> None:
    """Of all machines together."""
    row = {"id": "some-issue", "kind": "wrong", "device": "mps", "recorded": "bad", "outcome": "wrong", "detail": ""}
    fleet = merge([machine(0), FleetMachine(1, "ok", with_check(report(), "known-issues", issues=[row]))])
    assert found(fleet, "FLEET105").evidence == {"issues": {"some-issue": [1]}}


def test_machines_that_were_not_at_their_best_are_named() -> None:
    """Pressure, heat, power and disturbances, each with its ranks."""
    moments = {"before": {"pressure": "critical", "on_battery": True}, "after": {}}
    pressed = with_check(report(low_power=True), "training", conditions=moments, doubtful=True)
    hot = replace(machine(1), report=report(thermal_state="serious"))
    fleet = merge([FleetMachine(0, "ok", pressed), hot])
    assert found(fleet, "FLEET106").evidence == {
        "pressure": [0], "low_power": [0], "on_battery": [0], "disturbed": [0], "hot": [1],
    }  # fmt: skip


def test_connections_that_fail_are_found_and_those_to_the_dead_are_not() -> None:
    """A machine that gave no report is told of once."""
    tried = (Reach(1, False, None, "timed out"), Reach(2, False, None, "Connection refused"))
    fleet = merge([replace(machine(0), reach=tried, interface="en0"), machine(1), FleetMachine(2, "killed")])
    assert found(fleet, "FLEET107").evidence == {"failed": [[0, 1]]}
    assert found(fleet, "FLEET107").detail == "rank 0 does not reach rank 1 (en0): timed out."


@pytest.mark.parametrize(("device", "severity"), [("mps", "warning"), ("cpu", "info")])
def test_a_backend_that_refuses_the_device_of_the_training_is_a_warning(device: str, severity: str) -> None:
    """Of another device it is good to know."""
    refused = (Collective("gloo", "mps", "error", "invalid tensor type"), Collective("nccl", "cuda", "unavailable"))
    fleet = merge([replace(machine(rank, device=device), collectives=refused) for rank in (0, 1)])
    finding = found(fleet, "FLEET108")
    assert (finding.severity, finding.evidence, finding.detail) == (severity, {"ranks": [0, 1]}, "invalid tensor type.")


def test_a_machine_that_has_changed_since_the_baseline_is_named() -> None:
    """By the rules of `mpsdoctor compare`; the others are not."""
    before = merge([machine(0), machine(1)])
    worse = replace(report(), checks=recorded("trouble").checks)
    fleet = merge([machine(0), FleetMachine(1, "ok", worse)], None, before)
    assert [row.rank for row in fleet.changes] == [1]
    assert (found(fleet, "FLEET110").severity, found(fleet, "FLEET110").evidence) == ("error", {"rank": 1})


def test_ranks_that_no_report_tells_of_are_machines_that_were_not_heard() -> None:
    """Files say how many ranks there were to be."""
    fleet = merge([replace(machine(0), ranks=(0, 1))], 4)
    assert [(row.rank, row.outcome) for row in fleet.machines] == [(0, "ok"), (2, "unreachable"), (3, "unreachable")]


def test_the_order_of_machines_changes_nothing() -> None:
    """Merging is the same whatever came first."""
    machines = [machine(0), FleetMachine(1, "ok", recorded("trouble")), FleetMachine(2, "hung"), machine(3, 2.0)]
    assert merge(machines) == merge(reversed(machines))
    assert msgspec.json.encode(merge(machines)) == msgspec.json.encode(merge(machines[::-1]))


def test_ranks_are_told_in_spans() -> None:
    assert spans((7, 0, 1, 2, 3, 9, 8)) == "0-3, 7-9"
    assert spans([5]) == "5"
