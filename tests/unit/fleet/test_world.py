"""Which process of a fleet this is, by torchrun's variables."""

from __future__ import annotations

import os

import pytest

from mpsdoctor.fleet.reach import peers_of
from mpsdoctor.fleet.world import NoWorldError, World, forget

PLAIN = {"RANK": "3", "WORLD_SIZE": "8", "MASTER_ADDR": "mac1", "MASTER_PORT": "29500"}
OF_NODE = {"LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2", "GROUP_RANK": "1", "GROUP_WORLD_SIZE": "4"}


def test_each_rank_is_a_machine_where_nothing_is_said_of_nodes() -> None:
    world = World.of(PLAIN)
    assert (world.machine, world.machines, world.ranks, world.leads, world.hosts) == (3, 8, (3,), True, False)
    assert World.of({**PLAIN, "RANK": "0"}).hosts


def test_one_process_of_a_node_makes_its_check_up() -> None:
    """And all ranks of the node are its machine's."""
    world = World.of({**PLAIN, **OF_NODE})
    assert (world.machine, world.machines, world.ranks, world.leads) == (1, 4, (2, 3), False)
    assert World.of({**PLAIN, **OF_NODE, "RANK": "2", "LOCAL_RANK": "0"}).leads


def test_the_store_of_torchrun_is_used_where_there_is_one() -> None:
    """Nobody opens another on its port."""
    assert not World.of({**PLAIN, "RANK": "0", "TORCHELASTIC_USE_AGENT_STORE": "True"}).hosts


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"RANK": ""}, "RANK"),
        ({"RANK": "8"}, "RANK"),
        ({"WORLD_SIZE": "-1"}, "WORLD_SIZE"),
        ({"WORLD_SIZE": "9" * 4000}, "WORLD_SIZE"),
        ({"MASTER_PORT": "many"}, "MASTER_PORT"),
        ({"MASTER_ADDR": ""}, "MASTER_ADDR"),
        ({"LOCAL_RANK": "5"}, "RANK"),
    ],
)
def test_what_makes_no_sense_is_named(change: dict[str, str], named: str) -> None:
    with pytest.raises(NoWorldError, match=named):
        World.of({**PLAIN, **change})


def test_a_check_up_is_no_rank(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the one thread that torchrun gives each of several processes is not the machine's speed."""
    for name, value in {**PLAIN, **OF_NODE, "OMP_NUM_THREADS": "1"}.items():
        monkeypatch.setenv(name, value)
    forget(World.of(os.environ))
    assert not {*PLAIN, *OF_NODE, "OMP_NUM_THREADS"} & os.environ.keys()


def test_a_person_s_own_number_of_threads_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one process a node torchrun sets none."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    forget(World.of(PLAIN))
    assert os.environ["OMP_NUM_THREADS"] == "1"


def test_few_machines_try_all_others_and_many_a_fixed_number() -> None:
    """So what a machine does grows no further."""
    assert peers_of(1, 4) == [2, 3, 0]
    assert peers_of(0, 1) == []
    assert len(peers_of(7, 5000)) == 32
