"""The lines of docs/fleet.md, run as they stand there, with programs that do what srun, ssh and ansible do."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "fleet.md").read_text(encoding="utf-8")
REPORT = ROOT / "tests" / "unit" / "recorded" / "cpu-only.json"
PROGRAMS = {
    # A check-up is a recorded one; the rest of mpsdoctor is real.
    "mpsdoctor": f'[ "$1" = --json ] && exec cat "{REPORT}"\nexec "{sys.executable}" -m mpsdoctor "$@"',
    "srun": 'shift\nfor SLURM_PROCID in 0 1 2; do export SLURM_PROCID; "$@" || exit 1; done',
    "ssh": 'shift\nexec sh -c "$*"',
    # Its modules: a command on each machine, and a file of each into dest/HOST/src.
    "ansible": 'for host in mac1 mac2; do\n[ "$3" = shell ] && { sh -c "$5" || exit 1; continue; }\n'
    'eval "$5"; mkdir -p "$dest$host$(dirname "$src")"; cp "$src" "$dest$host$src"\ndone',
    "scontrol": "echo node0; echo node1",
    "torchrun": 'echo "$@"',
}


def lines(name: str) -> str:
    found = re.search(rf"```sh {name}\n(.*?)```", PAGE, re.DOTALL)
    assert found, name
    return found[1]


def shell(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    programs = folder / "programs"
    programs.mkdir(exist_ok=True)
    for name, body in PROGRAMS.items():
        (programs / name).write_text(f"#!/bin/sh\n{body}\n")
        (programs / name).chmod(0o755)
    env = {
        **os.environ,
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "checks")]),
        "GITHUB_STEP_SUMMARY": str(folder / "summary"),
        **{"SLURM_NNODES": "2", "SLURM_JOB_ID": "7"},
    }
    command = ["bash", "-euc", text]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=folder, env=env)


@pytest.mark.parametrize(("name", "count"), [("slurm", 3), ("ssh", 3), ("ansible", 2)])
def test_the_lines_of_the_page_merge_reports(name: str, count: int, tmp_path: Path) -> None:
    """Each machine is there, in the order of the files."""
    done = shell(lines(name).replace("/tmp/mpsdoctor.json", f"{tmp_path}/mpsdoctor.json"), tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{count} of {count} machines gave a report")
    assert done.stderr.count("mpsdoctor: rank ") == count


def test_torchrun_under_srun_is_told_where_to_meet(tmp_path: Path) -> None:
    """The first node, and the job's own name."""
    done = shell(lines("slurm-torchrun"), tmp_path)
    assert "--nnodes 2 --nproc-per-node 1 --rdzv-id 7 --rdzv-backend c10d --rdzv-endpoint node0:29500" in done.stdout


def test_a_baseline_is_a_report_of_many_machines(tmp_path: Path) -> None:
    """Of the same reports nothing has changed."""
    done = shell(lines("slurm") + lines("baseline"), tmp_path)
    assert done.returncode == 0, done.stderr
    assert "FLEET110" not in done.stdout


def test_the_jobs_of_the_matrix_do_what_they_say(tmp_path: Path) -> None:
    """The lines of its steps, for each system, and then the merging."""
    found = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert found
    runs = re.findall(r"- run: (.*)", found[1])
    systems = re.search(r"os: \[(.*?)\]", found[1])
    assert systems
    examine, merge = (next(line for line in runs if word in line) for word in ("--json", "fleet merge"))
    (tmp_path / "reports").mkdir()
    each = [f"cd reports && {examine.replace('${{ matrix.os }}', name)} && cd .." for name in systems[1].split(", ")]
    done = shell("\n".join([*each, merge]), tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "summary").read_text().startswith("## mpsdoctor fleet: 3 of 3 machines gave a report")
