"""What readers see while writers write, and after writers die: the old profile or the new, whole."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import mpsdoctor
from helpers.trainer import sample
from mpsdoctor.runtime import profile

ROOT = str(Path(mpsdoctor.__file__).parents[1])
# Large, so that most of a round is inside the write; every hint carries the round's mark, so that a mixture shows.
WRITER = """
import sys; sys.path.insert(0, sys.argv[1])
from mpsdoctor.runtime import profile
path, mark, rounds = sys.argv[2], sys.argv[3], int(sys.argv[4])
base = profile.read(path)
print("ready", flush=True)
for i in range(rounds):
    profile.write({**base, "hints": [f"{mark}.{i} " + "x" * 200] * 1500}, path)
"""


def start(path: Path, mark: int, rounds: int) -> subprocess.Popen[bytes]:
    """A process that writes one large profile after another; without site packages it starts in 50 ms."""
    command = [sys.executable, "-S", "-E", "-c", WRITER, ROOT, str(path), str(mark), str(rounds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def whole(path: Path) -> str:
    """The mark of the profile at `path`, which must be one writer's one round."""
    marks: set[str] = {hint.split()[0] for hint in profile.read(path)["hints"]}
    assert len(marks) == 1
    return marks.pop()


def kill_after(path: Path, mark: int, delay: float) -> None:
    """Start a writer and kill it so many seconds after its first write may have begun."""
    with start(path, mark, 10**6) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(delay)
        writer.kill()
    assert writer.returncode == -signal.SIGKILL


def test_200_kills_leave_the_old_or_the_new_profile(tmp_path: Path) -> None:
    """A writer killed at any moment of a write never leaves a broken profile."""
    path, chance = tmp_path / "profile.json", random.Random(7)
    profile.write(sample(hints=["start"]), path)
    seen = set()
    for mark in range(200):
        kill_after(path, mark, chance.uniform(0.0, 0.03))
        seen.add(whole(path))
    assert len(seen) > 20  # writers did get through, so the kills were among writes
    assert list(tmp_path.glob(".mpsdoctor-*.tmp"))  # and some died inside one


def test_20_writers_and_readers_never_see_a_broken_profile(tmp_path: Path) -> None:
    """Ten processes writing and ten threads reading the same profile: every read is one writer's whole work."""
    path, stop = tmp_path / "profile.json", threading.Event()
    profile.write(sample(hints=["start"]), path)
    seen: list[str] = []
    broken: list[BaseException] = []

    def keep_reading() -> None:
        try:
            while not stop.is_set():
                seen.append(whole(path))
        except (profile.ProfileError, OSError, AssertionError) as error:
            broken.append(error)

    readers = [threading.Thread(target=keep_reading) for _ in range(10)]
    writers = [start(path, mark, 40) for mark in range(10)]
    for reader in readers:
        reader.start()
    for writer in writers:
        writer.communicate()
    stop.set()
    for reader in readers:
        reader.join()
    assert not broken
    assert [writer.returncode for writer in writers] == [0] * 10
    assert len(set(seen)) > 5
    assert list(tmp_path.iterdir()) == [path]
