"""Prints how well texts are explained, and how fast: `python tests/bench/bench_explain.py`.

Precision and recall by cause, calibration by band of confidence, what is taken for what, and the same with every sign
left out that one window alone has, on the windows of real reports in tests/unit/explain/windows; then the time of a
traceback and of large logs, in processes of their own. `--smoke` takes one window in eight and a log of 1 MB.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]


from helpers.windows import NONE, Window, read_windows, signs_alone  # noqa: E402
from mpsdoctor.explain.engine import diagnose  # noqa: E402
from mpsdoctor.explain.lines import split  # noqa: E402

SMOKE = "--smoke" in sys.argv
BARS = {"right first": 0.95, "right among three": 0.99, "foreign answered": 0.02, "calibration error": 0.05}
BANDS = 10
MEGABYTES = (1,) if SMOKE else (10, 100)
TRACEBACK = (
    'Traceback (most recent call last):\n  File "train.py", line 3, in <module>\n'
    "NotImplementedError: The operator 'aten::isin.Tensor_out' is not currently implemented for the MPS device.\n"
)


@dataclass(frozen=True)
class Judged:
    """A window, what was answered for it, and how sure the first answer was."""

    window: Window
    names: tuple[str, ...]
    confidence: float

    @property
    def right(self) -> bool:
        return self.names[:1] == ((self.window.expected,) if self.window.expected else ())


def judge(windows: Iterable[Window], left_out: Iterable[frozenset[str]]) -> list[Judged]:
    judged = []
    for window, signs in zip(windows, left_out, strict=True):
        causes = diagnose(split(window.text), None, signs).causes
        judged.append(Judged(window, tuple(c.name for c in causes), causes[0].confidence if causes else 0.0))
    return judged


def shares(judged: list[Judged]) -> dict[str, float]:
    true = [one for one in judged if one.window.expected]
    foreign = [one for one in judged if one.window.cause == NONE]
    return {
        "right first": sum(one.right for one in true) / len(true),
        "right among three": sum(one.window.expected in one.names[:3] for one in true) / len(true),
        "foreign answered": sum(bool(one.names) for one in foreign) / max(1, len(foreign)),
    }


def calibration(judged: list[Judged]) -> Iterator[tuple[float, float, int]]:
    """By band: how sure it was, how often it was right, of how many. No answer for a foreign text counts as 0 and 0."""
    bands: dict[int, list[Judged]] = defaultdict(list)
    for one in judged:
        if one.names or one.window.cause == NONE:
            bands[min(BANDS - 1, int(one.confidence * BANDS))].append(one)
    for _, band in sorted(bands.items()):
        right = sum(bool(one.names) and one.right for one in band)
        yield sum(one.confidence for one in band) / len(band), right / len(band), len(band)


def by_cause(judged: list[Judged]) -> Iterator[str]:
    for cause in sorted({one.window.cause for one in judged} - {NONE}):
        given = [one for one in judged if one.names[:1] == (cause,)]
        wanted = [one for one in judged if one.window.expected == cause]
        right = sum(one.right for one in wanted)
        precision = f"{right / len(given):.2f}" if given else "   -"
        yield f"{cause:32} precision {precision}   recall {right / len(wanted):.2f}   of {len(wanted)}"


def confusions(judged: list[Judged]) -> Iterator[str]:
    pairs = Counter((one.window.cause, one.names[0] if one.names else "no answer") for one in judged if not one.right)
    for (cause, answer), count in pairs.most_common():
        yield f"  {cause} taken for {answer}: {count}"


def print_quality() -> None:
    windows = [window for window in read_windows() if not window.confuser]
    alone = signs_alone(windows)
    if SMOKE:
        windows, alone = windows[::8], alone[::8]
    judged = judge(windows, [frozenset()] * len(windows))
    print(*by_cause(judged), sep="\n")
    bands = list(calibration(judged))
    error = sum(abs(sure - right) * count for sure, right, count in bands) / sum(count for _, _, count in bands)
    for sure, right, count in bands:
        print(f"calibration: said {sure:.2f}, right {right:.2f}, {count} texts")
    for name, share in {**shares(judged), "calibration error": error}.items():
        print(f"{name:20} {share:.3f}   bar {BARS[name]}")
    print("taken for another:", *(list(confusions(judged)) or ["  none"]), sep="\n")
    strict = judge(windows, alone)
    share = shares(strict)["right first"]
    print(f"signs of one window left out: right first {share:.3f}", *confusions(strict), sep="\n")


def explain(file: Path) -> tuple[float, float]:
    """Seconds of the whole process, and its largest memory in MB."""
    script = (
        "import resource, runpy, sys; sys.argv[1:] = ['explain', sys.argv[1]]\n"
        "try:\n    runpy.run_module('mpsdoctor', run_name='__main__')\n"
        "finally:\n    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
    )
    begin = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", script, str(file)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return time.perf_counter() - begin, int(done.stderr.split()[-1]) / 1024


def print_speed(folder: Path) -> None:
    file = folder / "traceback.txt"
    file.write_text(TRACEBACK, encoding="utf-8")
    seconds, memory = min(explain(file) for _ in range(2 if SMOKE else 7))
    print(f"a traceback          {seconds:.3f} s   {memory:.0f} MB   bar 0.15 s")
    for size in MEGABYTES:
        file = folder / "ci.log"
        with file.open("w", encoding="utf-8") as log:
            for number in range(size * 10_000):
                stamp = f"2026-01-02T03:04:{number % 60:02}.{number:07}Z"
                log.write(
                    f"{stamp}  Collecting package-{number * 7919 % 1000:03}, lib/python3.11/site-packages/{number}\n"
                )
            log.write(TRACEBACK)
        seconds, memory = min(explain(file) for _ in range(3))
        bars = f"bar {size / 20:g} s, 200 MB"
        print(f"a log of {file.stat().st_size / 1e6:4.0f} MB     {seconds:.3f} s   {memory:.0f} MB   {bars}")


if __name__ == "__main__":
    print_quality()
    with tempfile.TemporaryDirectory() as temporary:
        print_speed(Path(temporary))
