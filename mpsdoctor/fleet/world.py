"""Which of torchrun's processes this is, by the environment variables that it sets. Pure, but for `forget`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

MOST = 1 << 20  # ranks
# What a check-up must not take for its own: it measures the machine and is no rank.
OF_TORCHRUN = (
    *("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "GROUP_RANK", "GROUP_WORLD_SIZE"),
    *("ROLE_RANK", "ROLE_NAME", "ROLE_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "TORCH_NCCL_ASYNC_ERROR_HANDLING"),
    *("TORCHELASTIC_RUN_ID", "TORCHELASTIC_RESTART_COUNT", "TORCHELASTIC_MAX_RESTARTS", "TORCHELASTIC_ERROR_FILE"),
    *("TORCHELASTIC_USE_AGENT_STORE", "TORCHELASTIC_SIGNALS_TO_HANDLE"),
)


class NoWorldError(ValueError):
    """The variables are missing or make no sense; the text names the first such one."""


@dataclass(frozen=True)
class World:
    """This process among all.

    `machine` and `machines` count machines, `ranks` are the processes of this one; `leads` is whether this process
    makes its check-up, `hosts` whether it opens the store too, as nobody else does; `run` is this run's name.
    """

    rank: int
    size: int
    machine: int
    machines: int
    ranks: tuple[int, ...]
    leads: bool
    hosts: bool
    address: str
    port: int
    run: str

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Self:
        """NoWorldError."""
        rank, size = number(environ, "RANK", 0), number(environ, "WORLD_SIZE", 1)
        local, of_node = number(environ, "LOCAL_RANK", 0, 0), number(environ, "LOCAL_WORLD_SIZE", 1, 1)
        if rank >= size or local >= of_node:
            raise NoWorldError("RANK")
        first = rank - local
        return cls(
            rank=rank,
            size=size,
            machine=number(environ, "GROUP_RANK", 0, first // of_node),
            machines=number(environ, "GROUP_WORLD_SIZE", 1, -(-size // of_node)),
            ranks=tuple(range(first, min(first + of_node, size))),
            leads=local == 0,
            hosts=rank == 0 and environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True",
            address=text(environ, "MASTER_ADDR"),
            port=number(environ, "MASTER_PORT", 1),
            run=f"{environ.get('TORCHELASTIC_RUN_ID', '')}/{environ.get('TORCHELASTIC_RESTART_COUNT', '0')}",
        )

    def usual_rank(self, machine: int) -> int:
        """The first rank of a machine that has not told it, where each has as many processes as this one."""
        return machine * len(self.ranks)


def number(environ: Mapping[str, str], name: str, least: int, default: int | None = None) -> int:
    if default is not None and name not in environ:
        return default
    value = text(environ, name)
    if not value.isascii() or not value.isdigit() or len(value) > 9 or not least <= int(value) < MOST:
        raise NoWorldError(name)
    return int(value)


def text(environ: Mapping[str, str], name: str) -> str:
    if not environ.get(name):
        raise NoWorldError(name)
    return environ[name]


def forget(world: World) -> None:
    """Take torchrun's variables out of the environment, for what is started from here.

    With several processes a node it sets OMP_NUM_THREADS=1, which would make the CPU of the check-up a slow one.
    """
    for name in OF_TORCHRUN:
        os.environ.pop(name, None)
    if len(world.ranks) > 1 and os.environ.get("OMP_NUM_THREADS") == "1":
        del os.environ["OMP_NUM_THREADS"]
