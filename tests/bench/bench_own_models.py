"""Prints how well programs as people write them are told: `python tests/bench/bench_own_models.py`.

Each program has a function `make` as `ops --model` takes it, and is predicted in a process of its own. Without an
option the programs are the project's own (tests/helpers/own_cases); `--cases FOLDER` takes all that lie below a folder:
`results.jsonl` there may tell the kinds by `id`, and the first line of a program what is right, as in
tests/helpers/own_cases.py. Of programs of which nothing is expected it counts that they are answered, and how long it
takes. `--torch X.Y` asks about that version, `--record` records each step for a replay as well, `-v` prints each
program; `--python` runs them, so that they find their libraries.

`--smoke` takes two of the project's own programs.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "checks"), str(ROOT / "tests")]

from helpers.own_cases import OwnCase, own_cases, read_case  # noqa: E402
from mpsdoctor import support  # noqa: E402
from mpsdoctor.support import predictions_as_json  # noqa: E402

SLOW = 20.0  # seconds of computing that a program may take
WORKER = (
    "import json, sys; from mpsdoctor.worker.steps import own_model; way, path = sys.argv[1:];"
    "out, sys.stdout = sys.stdout, sys.stderr;"
    "answer = own_model.tree(path, 'make', 120.0) if way == 'tree' else own_model.record(path, 'make', 120.0, ['sim']);"
    "json.dump(answer, out)"
)


@dataclass
class Outcome:
    """What came of one program."""

    case: OwnCase
    seconds: float
    answer: str = ""
    faults: list[str] = field(default_factory=list)


def cases_below(folder: Path) -> Iterator[tuple[OwnCase, Path]]:
    """The programs below a folder, with the kinds that its results.jsonl tells."""
    told = folder / "results.jsonl"
    rows = [json.loads(line) for line in told.read_text().splitlines() if line.strip()] if told.is_file() else []
    kinds = {str(row["id"]).removeprefix("P-").removeprefix("M-"): str(row.get("kind") or "") for row in rows}
    for path in sorted(folder.rglob("*.py")):
        text = path.read_text()
        if "def make(" in text:
            case = read_case(path.stem, text)
            yield replace(case, kind=case.kind or kinds.get(path.stem, "") or "-"), path


def written(cases: Iterable[OwnCase], folder: Path) -> Iterator[tuple[OwnCase, Path]]:
    """The project's programs as files."""
    for number, case in enumerate(cases):
        path = folder / f"program{number}.py"
        path.write_text(case.text)
        yield case, path


def ask(python: str, way: str, path: Path) -> dict[str, Any]:
    """What the worker answers about a program."""
    command = [python, "-W", "ignore", "-c", WORKER, way, str(path)]
    env = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "TORCHDYNAMO_DISABLE": "1", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=300, check=False)
    if done.returncode:
        return {"failed": {"what": done.stderr.strip().rpartition("\n")[2], "line": None}}
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def children_seconds() -> float:
    """Time that processes so far have computed, whatever else the machine does."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def judge(case: OwnCase, path: Path, version: str | None, options: argparse.Namespace) -> Outcome:
    """Predict one program and compare."""
    begin = children_seconds()
    answers = [ask(options.python, way, path) for way in (("tree", "record") if options.record else ("tree",))]
    outcome = Outcome(case, children_seconds() - begin)
    failed = [answer["failed"] for answer in answers if "failed" in answer]
    if failed:
        return replace(outcome, answer="error", faults=[f"line {failed[0]['line']}: {failed[0]['what']}"])
    tree = answers[0]
    there = support.support_in(version or case.torch)
    predictions = support.predict(map(support.call_of, tree["calls"]), there)
    places = {row.op: f"{row.place['file']}:{row.place['line']}" for row in predictions if row.place}
    unseen = support.Unseen([f"{frame['file']}:{frame['line']}" for frame in tree["questions"]], tree["left_out"])
    told: dict[str, Any] = {**predictions_as_json(predictions, there, {}, places, unseen)}
    return replace(outcome, answer=told["answer"], faults=case.faults(told, lines=bool(case.answer)))


def table(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """A line for each kind."""
    yield f"{'kind':30} {'programs':>8} {'answered':>8} {'right':>11} {'slowest':>8}"
    for kind in sorted({outcome.case.kind for outcome in outcomes}):
        of_kind = [outcome for outcome in outcomes if outcome.case.kind == kind]
        expected = [outcome for outcome in of_kind if outcome.case.answer]
        answered = sum(outcome.answer != "error" for outcome in of_kind)
        right = f"{sum(not outcome.faults for outcome in expected)} of {len(expected)}"
        slowest = max(outcome.seconds for outcome in of_kind)
        yield f"{kind:30} {len(of_kind):8} {answered:8} {right:>11} {slowest:7.1f}s"


def main() -> int:
    """Print the table and what is wrong; 1 if anything is, or takes too long."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=Path)
    parser.add_argument("--torch")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("-v", action="store_true", dest="verbose")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        own = list(own_cases())
        if options.smoke:
            own = list({case.kind: case for case in own}.values())[:2]
        programs = cases_below(options.cases) if options.cases else written(own, Path(folder))
        outcomes = [judge(case, path, options.torch, options) for case, path in programs]
    print("\n".join(table(outcomes)))
    for outcome in outcomes:
        late = outcome.seconds > SLOW
        if outcome.faults or late or options.verbose:
            faults = "; ".join([*outcome.faults, *(["late"] if late else [])])
            print(f"{outcome.case.name}: {outcome.answer}, {outcome.seconds:.1f} s{': ' if faults else ''}{faults}")
    return int(any(outcome.faults or outcome.seconds > SLOW for outcome in outcomes))


if __name__ == "__main__":
    raise SystemExit(main())
