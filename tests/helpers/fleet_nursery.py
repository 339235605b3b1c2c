"""Starts processes of a fleet in milliseconds: forks of one that has imported torch once. `python fleet_nursery.py`.

On stdin a JSON line a process: `env`, `args`, `folder` (its working folder, which gets `stdout` and `stderr`), and
`rogue`, which is Python to be run in place of a fleet. On stdout a line `{"number", "pid"}` when it has begun, and
`{"number", "status", "seconds"}` when it has ended: its exit status and its processor time.
"""

from __future__ import annotations

import json
import os
import select
import sys
from pathlib import Path
from typing import Any

import torch.distributed  # noqa: F401 -- once, for all that are forked

from mpsdoctor.fleet import __main__ as fleet


def be(order: dict[str, Any]) -> None:
    os.setsid()
    os.chdir(order["folder"])
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ.update(order["env"])
    sys.argv = ["fleet", *order["args"]]
    if order.get("rogue"):
        exec(order["rogue"])
        return
    fleet.main()


def tell(**what: object) -> None:
    os.write(1, json.dumps(what).encode() + b"\n")


def fork(order: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 70
    try:
        be(order)
        status = 0
    except SystemExit as end:
        status = int(end.code or 0)
    except BaseException as error:
        Path(order["folder"], "failure").write_text(repr(error))
    finally:
        sys.stdout.flush()
        os._exit(status)


def reap(numbers: dict[int, int]) -> None:
    while numbers:
        pid, status, usage = os.wait4(-1, os.WNOHANG)
        if not pid:
            return
        seconds = usage.ru_utime + usage.ru_stime
        tell(number=numbers.pop(pid), status=os.waitstatus_to_exitcode(status), seconds=seconds)


def main() -> None:
    numbers: dict[int, int] = {}
    rest = b""
    while True:
        ready, _, _ = select.select([0], [], [], 0.02)
        if ready:
            data = os.read(0, 1 << 16)
            if not data:
                break
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                order = json.loads(line)
                pid = fork(order)
                numbers[pid] = order["number"]
                tell(number=order["number"], pid=pid)
        reap(numbers)


if __name__ == "__main__":
    main()
