"""A fleet of real processes on loopback, with a real store and real signals."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from helpers.fleets import Fleet, Nursery
from mpsdoctor.formats import schemas
from mpsdoctor.merging.reading import as_json, merge_files, read_file

ROOT = Path(__file__).parents[2]
LONG = 120.0  # seconds: a busy machine takes its time, and nothing here is timed


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as made:
        yield made


def fleet(nursery: Nursery, folder: Path, size: int = 3, timeout: float = LONG) -> Fleet:
    made = Fleet(nursery, folder / "fleet", size, timeout)
    made.folder.mkdir()
    return made


def document(made: Fleet) -> Any:
    assert made.members[0].wait(LONG), made.members[0].said()
    return json.loads(made.members[0].printed())


def outcomes(told: Any) -> list[str]:
    return [row["outcome"] for row in told["machines"]]


def detail(told: Any, rank: int) -> str:
    text: str = told["machines"][rank]["detail"]
    return text


def wait_for(text: str, made: Fleet, rank: int) -> None:
    until = time.monotonic() + LONG
    while text not in made.members[rank].said() and time.monotonic() < until:
        time.sleep(0.05)


def test_all_reports_arrive_and_merging_the_kept_files_gives_the_same(nursery: Nursery, tmp_path: Path) -> None:
    """Byte for byte; it follows its schema, all reach each other, and nothing is left."""
    made = fleet(nursery, tmp_path)
    for rank in range(3):
        made.start(rank)
    told = document(made)
    assert outcomes(told) == ["ok", "ok", "ok"]
    jsonschema.validate(told, schemas.schema("fleet"))
    assert {row["reached"] for machine in told["machines"] for row in machine["reach"]} == {True}
    assert {machine["interface"] for machine in told["machines"]} == {"lo"}
    assert all(member.wait(LONG) and member.status == 0 for member in made.members.values())
    files = sorted(made.kept.glob("rank-*-of-3.json"))
    merged = merge_files([read_file(file.read_bytes(), 0) for file in files])
    assert json.loads(as_json(merged)) == told
    assert made.left() == []


def test_a_check_up_that_dies_is_a_result(nursery: Nursery, tmp_path: Path) -> None:
    """With the signal and its last words; the others are there, and rank 0 ends with 1."""
    made = fleet(nursery, tmp_path)
    for rank, fault in enumerate(("", "killed", "silent")):
        made.start(rank, {"fault": fault})
    told = document(made)
    assert outcomes(told) == ["ok", "killed", "error"]
    assert detail(told, 1) == "the check-up ended with SIGKILL; its last words: chip: Chip and operating system"
    assert detail(told, 2).startswith("the check-up ended with exit status 5 and left no report")
    assert made.members[0].status == 1
    assert made.members[1].wait(LONG)


def test_a_process_that_is_killed_is_named_before_the_time_is_over(nursery: Nursery, tmp_path: Path) -> None:
    """Its port is closed, and its check-up ends with it."""
    made = fleet(nursery, tmp_path, timeout=1000.0)
    for rank in range(3):
        made.start(rank, {"seconds": 500.0 if rank == 2 else 0.0})
    wait_until = time.monotonic() + LONG
    while made.begun_check_ups() < 3 and time.monotonic() < wait_until:
        time.sleep(0.05)
    made.members[2].send(signal.SIGKILL)
    told = document(made)
    assert outcomes(told) == ["ok", "ok", "killed"]
    assert "its port is closed" in detail(told, 2)
    until = time.monotonic() + LONG
    while made.left() and time.monotonic() < until:
        time.sleep(0.1)
    assert made.left() == []


def test_those_that_hang_or_are_late_are_told_apart(nursery: Nursery, tmp_path: Path) -> None:
    """By whether they said something; both are ended."""
    made = fleet(nursery, tmp_path, timeout=8.0)
    plans: tuple[dict[str, Any], ...] = ({}, {"fault": "stopped"}, {"seconds": 500.0})
    for rank, plan in enumerate(plans):
        made.start(rank, plan)
    told = document(made)
    assert outcomes(told) == ["ok", "hung", "late"]
    assert all(member.wait(LONG) for member in made.members.values())
    assert made.left() == []


def test_a_machine_without_the_port_of_the_store_keeps_its_report(nursery: Nursery, tmp_path: Path) -> None:
    """It is examined alone and says where the report is; merged into rank 0's, it makes the whole."""
    made = fleet(nursery, tmp_path, 2, timeout=8.0)
    made.start(0)
    made.start(1, MASTER_PORT="1")
    told = document(made)
    assert outcomes(told) == ["ok", "unreachable"]
    assert made.members[1].wait(LONG)
    assert "does not reach the store of 127.0.0.1: port 1: Connection refused" in made.members[1].said()
    assert "mpsdoctor fleet merge" in made.members[1].said()
    files = [made.members[0].printed().encode(), (made.kept / "rank-1-of-2.json").read_bytes()]
    assert [row.outcome for row in merge_files([read_file(raw, 0) for raw in files]).machines] == ["ok", "ok"]


def test_without_rank_0_the_others_end_and_keep_their_reports(nursery: Nursery, tmp_path: Path) -> None:
    """The store is gone with it."""
    made = fleet(nursery, tmp_path, timeout=1000.0)
    for rank in range(3):
        made.start(rank, {"seconds": 500.0 if rank == 0 else 1.0})
    until = time.monotonic() + LONG
    while made.begun_check_ups() < 3 and time.monotonic() < until:
        time.sleep(0.05)
    made.members[0].send(signal.SIGKILL)
    assert all(made.members[rank].wait(LONG) for rank in (1, 2))
    assert all("rank-" in made.members[rank].said() for rank in (1, 2))
    files = sorted(made.kept.glob("*.json"))
    merged = merge_files([read_file(file.read_bytes(), 0) for file in files])
    assert [(row.rank, row.outcome) for row in merged.machines] == [(0, "unreachable"), (1, "ok"), (2, "ok")]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_rank_0_prints_what_is_there_when_it_is_asked_to_end(
    nursery: Nursery, tmp_path: Path, number: signal.Signals
) -> None:
    """torchrun ends all workers of a node with SIGTERM when one fails."""
    made = fleet(nursery, tmp_path, timeout=1000.0)
    for rank in range(3):
        made.start(rank, {"seconds": 500.0 if rank == 2 else 0.0})
    wait_for("2 of 3 machines have answered", made, 0)
    made.members[0].send(number)
    told = document(made)
    assert outcomes(told) == ["ok", "ok", "late"]
    assert made.members[0].status == 130
    made.members[2].send(signal.SIGTERM)
    assert made.members[2].wait(LONG)
    until = time.monotonic() + LONG
    while made.left() and time.monotonic() < until:
        time.sleep(0.1)
    assert made.left() == []


def test_a_full_disk_costs_no_report(nursery: Nursery, tmp_path: Path) -> None:
    """What cannot be written is printed, and the exit code says so."""
    made = fleet(nursery, tmp_path, 2)
    made.start(0, None, "--output", "/dev/full")
    made.start(1)
    assert outcomes(document(made)) == ["ok", "ok"]
    assert made.members[0].status == 2


def test_other_processes_of_a_node_make_no_check_up(nursery: Nursery, tmp_path: Path) -> None:
    """They end at once; the ranks of the node are told."""
    made = fleet(nursery, tmp_path, 2)
    node = {"LOCAL_WORLD_SIZE": "2", "GROUP_RANK": "0", "GROUP_WORLD_SIZE": "1"}
    made.start(1, None, LOCAL_RANK="1", **node)
    assert made.members[1].wait(LONG)
    assert (made.members[1].status, made.members[1].printed()) == (0, "")
    made.start(0, None, LOCAL_RANK="0", **node)
    told = document(made)
    assert [(row["rank"], row["ranks"]) for row in told["machines"]] == [(0, [0, 1])]


def run(*command: str, **env: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name not in ("RANK", "WORLD_SIZE")}
    return subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, timeout=LONG, check=False, env={**clean, **env}
    )


def test_without_torchrun_it_says_how_to_start_it() -> None:
    """Or to merge reports; its help needs no torchrun."""
    done = run("-m", "mpsdoctor.fleet")
    assert (done.returncode, done.stdout) == (2, "")
    assert "RANK is not set as torchrun sets it" in done.stderr
    assert "--timeout" in run("-m", "mpsdoctor.fleet", "--help").stdout


def test_a_torch_without_distributed_leads_to_merging(tmp_path: Path) -> None:
    """The check-up of the machine is made all the same, and kept."""
    stub = tmp_path / "site" / "torch"
    stub.mkdir(parents=True)
    (stub / "__init__.py").write_text("__version__ = '2.13.0'\n")
    (stub / "distributed.py").write_text("def is_available():\n    return False\n")
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
    world = {"RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    path = os.pathsep.join([str(tmp_path / "site"), str(ROOT), str(ROOT / "checks")])
    options = ("--only", "chip", "--budget", "quick", "--json", "--keep", str(tmp_path / "kept"))
    done = run("-m", "mpsdoctor.fleet", *options, PYTHONPATH=path, **world)
    assert "torch without torch.distributed" in done.stderr
    told = json.loads(done.stdout)
    assert outcomes(told) == ["ok", "unreachable"]
    assert "without torch.distributed" in detail(told, 1)
    assert (tmp_path / "kept" / "rank-0-of-2.json").exists()


def test_torchrun_examines_two_machines(tmp_path: Path) -> None:
    """Two agents on loopback, real check-ups, gloo tried on the CPU, one report."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = str(listening.getsockname()[1])
    path = os.pathsep.join([str(ROOT), str(ROOT / "checks")])
    env = {**os.environ, "PYTHONPATH": path, "HOME": str(tmp_path), "OMP_NUM_THREADS": "1"}
    started = [
        subprocess.Popen(
            [
                *(sys.executable, "-m", "torch.distributed.run", "--nnodes", "2", "--node-rank", rank),
                *("--nproc-per-node", "1", "--master-addr", "127.0.0.1", "--master-port", port, "-m"),
                *("mpsdoctor.fleet", "--only", "chip,build,environment", "--budget", "quick", "--json"),
                *("--keep", str(tmp_path / "kept")),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=env,
        )
        for rank in ("0", "1")
    ]
    (first, said), (other, _) = (process.communicate(timeout=3 * LONG) for process in started)
    assert [process.returncode for process in started] == [0, 0], said
    told = json.loads(first)
    assert other == ""
    assert outcomes(told) == ["ok", "ok"]
    assert [
        [check["id"] for check in row["report"]["checks"] if check["status"] != "skip"] for row in told["machines"]
    ] == [["chip", "build", "environment"]] * 2
    assert {
        (row["backend"], row["device"], row["outcome"])
        for machine in told["machines"]
        for row in machine["collectives"]
    } == {("gloo", "cpu", "ok")}
