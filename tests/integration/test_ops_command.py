"""`mpsdoctor ops` from the command line, and on the simulated accelerator with planted faults."""

from __future__ import annotations

import json
import os
import sys
import textwrap
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.support import mpsdoctor, processes_left
from mac import stand_in
from mpsdoctor.check import Context, Job, UnusableRequestError, Workers
from mpsdoctor.facts.operators import count_probes
from mpsdoctor_checks.operators import exhaustive, model, named, predicted, queue
from simulator import simulator

MODEL = """
import os, time, torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Sequential(nn.Linear(8, 8), nn.GELU())

    def forward(self, x):
        x = x.tril()
        x = x.flip(1)
        return self.head(x)

def build():
    print('{"schema_version": 1}')
    return Net(), torch.randn(8, 8)

def forever():
    while True:
        time.sleep(0.05)

def leaves():
    os._exit(7)

def fails():
    raise ValueError("no data")
"""
MEETING = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.q = nn.Linear(8, 8)

    def forward(self, x):
        table = torch.arange(8, dtype=torch.float64).cos().float()
        moved = self.q(x) * table.to(x.device)
        return moved + table

def build():
    return Net(), torch.randn(2, 8)
"""
FAULTS = {
    "aten::gelu_backward": "wrong",
    "aten::tril": "unimplemented",
    "aten::flip": "abort",
}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("person") / "train.py"
    made.write_text(MODEL)
    return made


@pytest.fixture
def pool() -> Iterator[Workers]:
    made = Workers(sys.executable)
    yield made
    made.close()


@pytest.fixture(scope="module")
def shared() -> Iterator[Workers]:
    """Workers for tests that ask nothing unusual of them."""
    made = Workers(sys.executable)
    yield made
    made.close()


def context(pool: Workers, *devices: str) -> tuple[Context, list[dict[str, Any]]]:
    said: list[dict[str, Any]] = []
    offered = [{"device": device, "name": None, "usable": True, "reason": None} for device in ("cpu", *devices)]
    return Context("quick", 2.0, None, {"build": {"devices": offered}}, pool, said.append), said


def with_faults(monkeypatch: pytest.MonkeyPatch, faults: dict[str, str]) -> None:
    """Let torch of the workers to come find a simulated accelerator."""
    told = ",".join(f"{op}={fault}" for op, fault in faults.items())
    for name, value in simulator.environment(faults=told).items():
        monkeypatch.setenv(name, value)


def test_planted_faults_are_named_with_the_persons_lines(
    file: Path, pool: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong backward operator, a missing one and a deadly one are each named, with line; all others stay right."""
    with_faults(monkeypatch, FAULTS)
    facts, found = model.examine(context(pool, "sim")[0], model.parse_target(f"{file}:build"), 60.0)
    bad = {(row["op"], row["outcome"]): row for row in facts["results"] if row["outcome"] != "ok"}
    assert set(bad) == {
        ("aten::gelu_backward", "wrong"),
        ("aten::tril", "unimplemented"),
        ("aten::flip", "crash"),
    }
    assert bad["aten::tril", "unimplemented"]["code"] == "x = x.tril()"
    assert bad["aten::flip", "crash"]["place"].endswith(f"train.py:{line_of('x.flip')} in forward")
    assert "SIGABRT" in bad["aten::flip", "crash"]["detail"]
    assert bad["aten::gelu_backward", "wrong"]["module"] == "head.1 (GELU)"
    answer = facts["model"]["answers"]["sim"]
    assert answer["answer"] == "does not run"
    assert {one["op"] for one in answer["also"]} == {"aten::gelu_backward"}
    assert [(one.code, one.severity) for one in found] == [("MPS351", "error")]


def test_a_tensor_of_the_cpu_that_meets_one_of_the_device_stops_the_step(
    tmp_path: Path, pool: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the device says of such a call is told with the line that made the tensor; what is moved is fine."""
    with_faults(monkeypatch, {})
    monkeypatch.setenv("SIM_NO_FLOAT64", "1")
    program = tmp_path / "meeting.py"
    program.write_text(MEETING)
    facts, found = model.examine(context(pool, "sim")[0], model.parse_target(f"{program}:build"), 60.0)
    (use,) = facts["model"]["answers"]["sim"]["operators"]
    assert (use["op"], use["outcome"], use["code"]) == ("aten::add", "error", "return moved + table")
    made = next(number for number, line in enumerate(MEETING.splitlines(), 1) if "arange" in line)
    assert "meets a tensor of the CPU made at" in use["at"]
    assert f"meeting.py:{made} in forward" in use["at"]
    assert [one.code for one in found] == ["MPS351"]


def test_a_model_that_is_fine_is_told_so(file: Path, tmp_path: Path) -> None:
    """Text and JSON of a step that runs on every device; what the file prints reaches neither."""
    env = simulator.environment()
    done = mpsdoctor("ops", "--model", f"{file}:build", "--format", "json", "--output", str(tmp_path / "r.json"),
                     "--format", "text", env=env)  # fmt: skip
    assert (done.returncode, done.stderr.count("Traceback")) == (0, 0)
    assert "sim      runs as it is" in done.stdout
    assert "schema_version" not in done.stdout
    document = json.loads((tmp_path / "r.json").read_text())
    facts = document["checks"][-1]["facts"]
    assert facts["model"]["answers"]["sim"]["answer"] == "runs as it is"
    assert {row["device"] for row in facts["results"]} == {"sim"}
    tril = next(one for one in facts["model"]["recorded"] if one["op"] == "aten::tril")
    assert tril["tensors"] == [{"shape": [8, 8], "stride": [8, 1], "offset": 0, "dtype": "float32"}]
    assert processes_left() == []


def test_a_file_that_fails_is_a_usage_error(file: Path) -> None:
    """The line of the person's file is named, in place of a traceback, with exit code 2."""
    done = mpsdoctor("ops", "-q", "--json", "--model", f"{file}:fails")
    assert (done.returncode, done.stdout) == (2, "")
    assert f"train.py:{line_of('raise ValueError')} in fails: ValueError: no data" in done.stderr
    assert "Traceback" not in done.stderr


def line_of(text: str) -> int:
    return next(number for number, line in enumerate(MODEL.splitlines(), 1) if text in line)


@pytest.mark.parametrize(
    ("function", "told"),
    [
        ("forever", f"train.py:{line_of('time.sleep')} in forever: the step did not end within 1 s"),
        ("leaves", "the process ended: exit status 7"),
    ],
)
def test_a_step_that_hangs_or_leaves_is_named(function: str, told: str, file: Path, pool: Workers) -> None:
    """A function that never returns, or ends its process, is told with the place where it stood."""
    with pytest.raises(UnusableRequestError, match=r"train\.py") as error:
        model.examine(context(pool)[0], model.parse_target(f"{file}:{function}"), 1.0)
    assert told in str(error.value)


@pytest.mark.parametrize("text", ["train.py", "nowhere.py:build", ":build", "train.py:", "."])
def test_a_target_that_is_none(text: str, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no file, or names no function, is refused before anything runs."""
    monkeypatch.chdir(file.parent)
    with pytest.raises(UnusableRequestError):
        model.parse_target(text)
    with pytest.raises(UnusableRequestError, match="is a folder"):
        model.parse_target(f"{file.parent}:build")


STAND_IN = """
import os, time, torch
from mpsdoctor_worker.operators import opinfos

class Sample:
    def __init__(self, size, grad):
        self.input, self.args, self.kwargs = torch.randn(size, requires_grad=grad), (), {}
        self.output_process_fn_grad = lambda result: result

class Info:
    variant_test_name, supports_autograd, decorators = "", True, ()
    def __init__(self, name, op):
        self.name, self.op = name, op
    def __call__(self, *args):
        return self.op(*args)
    def supported_dtypes(self, device):
        return {torch.float32}
    supported_backward_dtypes = supported_dtypes
    def sample_inputs_func(self, info, device, dtype, grad):
        return (Sample(size, grad) for size in (2, 3, 4, 5))

def dies(x):
    if len(x) == 3:
        os.abort()
    return x.exp()

def hangs(x):
    if len(x) == 4:
        time.sleep(60)
    return x.exp()

def load():
    infos = [Info("exp", torch.exp), Info("dies", dies), Info("hangs", hangs), Info("gelu", torch.nn.functional.gelu)]
    opinfos.database = lambda: {one.name: one for one in infos}
    torch.ones(1, requires_grad=True).exp().backward()  # the first gradient takes a while on a busy machine
"""


def test_a_crash_and_a_hang_cost_their_samples_alone(
    tmp_path: Path, pool: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The runner of `--all`, over a stand-in for op_db, which needs numpy: every other sample keeps its result."""
    (tmp_path / "stand_in.py").write_text(STAND_IN)
    load = Job(f"{tmp_path / 'stand_in.py'}:load")
    monkeypatch.setattr(exhaustive, "LOAD", load)
    monkeypatch.setattr(exhaustive, "SAMPLE_SECONDS", 4.0)
    plan = [[name, f"aten::{name}", "float32"] for name in ("exp", "dies", "hangs", "gelu")]
    monkeypatch.setattr(exhaustive, "plan_of", lambda context, names: plan)
    given, said = context(pool)
    facts, _ = exhaustive.examine(given)
    rows = {(row["op"], row["variants"][0], row["direction"]): row["outcome"] for row in facts["results"]}
    bad = {key: outcome for key, outcome in rows.items() if outcome != "ok"}
    assert bad == {
        ("aten::dies", "sample 1", "forward"): "crash",
        ("aten::hangs", "sample 2", "forward"): "timeout",
    }
    assert facts["summary"]["cpu"] == {"ok": 8 + 6 + 6 + 8, "crash": 1, "timeout": 1}
    assert said[-1]["total"] == len(plan)


def test_without_its_packages_the_database_is_refused(
    tmp_path: Path, pool: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where numpy or expecttest cannot be imported, the message names them and the command that installs them there."""
    for name in ("numpy", "expecttest"):
        (tmp_path / f"{name}.py").write_text(f"raise ModuleNotFoundError('no {name}', name='{name}')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(UnusableRequestError, match=r"needs numpy and expecttest .* -m pip install numpy expecttest$"):
        exhaustive.examine(context(pool)[0])


def test_one_operator_in_every_form(shared: Workers) -> None:
    """--op runs all variants, dtypes and directions, and each is right on the CPU."""
    facts, found = named.examine(context(shared)[0], ["aten::cumsum"])
    seen = {key: {row[key] for row in facts["results"]} for key in ("op", "direction", "outcome")}
    assert seen == {
        "op": {"aten::cumsum", "aten::cumsum_"},
        "direction": {"forward", "backward"},
        "outcome": {"ok"},
    }
    assert {"float32", "int64", "bfloat16"} <= {row["dtype"] for row in facts["results"]}
    assert {"contiguous", "strided", "inplace-view"} <= {name for row in facts["results"] for name in row["variants"]}
    assert found == []


def test_the_catalogue_alone() -> None:
    """Without an option the operators check runs with what it needs, and nothing else; options before count too."""
    done = mpsdoctor("--budget", "quick", "ops", "--json")
    document = json.loads(done.stdout)
    assert done.returncode == 0
    assert document["budget"] == "quick"
    assert [check["id"] for check in document["checks"]] == ["build", "operators"]
    assert document["profile"]["written"] is False


def test_a_prediction_for_ones_own_step(tmp_path: Path, shared: Workers) -> None:
    """--predict names what an older torch lacks for a step, since when MPS has it, and that the fallback helps."""
    file = tmp_path / "train.py"
    file.write_text(MODEL.replace("x.flip(1)", "x.logcumsumexp(1)"))
    facts, found = predicted.examine(context(shared)[0], model.parse_target(f"{file}:build"), (), "2.0", 60.0)
    rows = {row["op"]: row for row in facts["prediction"]["results"]}
    assert rows["aten::logcumsumexp"]["outcome"] == "unimplemented"
    assert rows["aten::tril"]["outcome"] is None
    lines = {word: number for number, text in enumerate(file.read_text().splitlines(), 1) for word in text.split(".")}
    assert rows["aten::tril"]["place"].endswith(f"train.py:{lines['tril()']} in forward")
    assert rows["aten::logcumsumexp"]["place"].endswith(f"train.py:{lines['logcumsumexp(1)']} in forward")
    assert [one.code for one in found] == ["MPS362"]
    assert "aten::logcumsumexp, made of aten::_logcumsumexp: MPS has it since torch 2.9, you have 2.0" in found[0].title


def test_the_optimizer_is_that_of_the_version_asked_for(file: Path, pool: Workers) -> None:
    """AdamW of torch 2.0 does not call lerp_, so a module that MPS has everything for runs there."""
    target = model.parse_target(f"{file}:build")
    facts, found = predicted.examine(context(pool)[0], target, (), "2.0", 60.0)
    assert (facts["prediction"]["answer"], found) == ("runs", [])
    assert "aten::addcdiv_" in {row["op"] for row in facts["prediction"]["results"]}


def test_a_prediction_by_name(shared: Workers) -> None:
    """Operators that are named are looked up as such; a torch that is not known is refused."""
    facts, found = predicted.examine(context(shared)[0], None, ["cumsum"], "2.3", 60.0)
    assert facts["prediction"]["torch"] == "2.3"
    assert {row["op"] for row in facts["prediction"]["results"]} == {"aten::cumsum", "aten::cumsum_"}
    assert found == []
    with pytest.raises(UnusableRequestError, match=r"not for 9\.9"):
        predicted.examine(context(shared)[0], None, [], "9.9", 60.0)


def test_options_that_do_not_go_together(file: Path) -> None:
    """--model with --op or --all is refused at once."""
    done = mpsdoctor("ops", "--all", "--model", f"{file}:build")
    assert done.returncode == 2
    assert "--model goes with neither" in textwrap.fill(done.stderr, 1000)


def test_an_operator_that_hangs_costs_two_time_outs(pool: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest of its probes is told as not tried, and the command ends."""
    monkeypatch.setattr(queue, "PROBE_SECONDS", 2.0)
    with_faults(monkeypatch, {"aten::_softmax": "hang"})
    facts, found = named.examine(context(pool, "sim")[0], ["softmax"])
    outcomes: Counter[str] = Counter()
    for row in facts["results"]:
        if row["device"] == "sim":
            outcomes[row["outcome"]] += count_probes(row)
    assert outcomes["timeout"] == 2
    assert outcomes["skipped"] > 20
    assert set(outcomes) == {"timeout", "skipped"}
    assert "MPS314" in {finding.code for finding in found}


DECOMPOSITIONS = """
import torch
from torch import linalg

CALLS = (
    linalg.svd, linalg.svdvals, torch.svd, linalg.qr, torch.qr, linalg.pinv, torch.pinverse, linalg.cond, linalg.inv,
    linalg.matrix_rank, torch.nuclear_norm, linalg.det, linalg.slogdet, linalg.matrix_exp,
    lambda a: linalg.eigvals(a.detach()),  # its backward solves complex equations
    lambda a: linalg.solve(a, a + 1), lambda a: linalg.lstsq(a, a + 1)[0], lambda a: linalg.eigh(a @ a.mT),
    lambda a: linalg.eigvalsh(a @ a.mT), lambda a: linalg.cholesky(a @ a.mT + torch.eye(6)),
    lambda a: torch.svd_lowrank(a, q=2)[1],
)

def build():
    layer = torch.nn.Linear(6, 6)

    def step():
        for call in CALLS:
            results = call(layer(torch.randn(6, 6)))
            result = results[-1] if isinstance(results, tuple) else results
            loss = result.abs().float().sum()
            if loss.requires_grad:
                loss.backward()
    return step
"""

SVD = """
import torch
from torch import nn

def build():
    layer, x = nn.Linear(8, 8), torch.randn(8, 8)
    def step():
        torch.linalg.svd(layer(x)).S.sum().backward()
    return step
"""


def test_model_and_prediction_agree_on_what_runs_on_the_cpu_in_any_case(tmp_path: Path) -> None:
    """linalg_svd up to torch 2.13: no variable is advised, for none changes anything."""
    replayed, told = model_and_prediction(SVD, tmp_path)
    assert replayed["facts"]["model"]["answers"]["mps"]["answer"] == "runs as it is"
    codes = {finding["code"]: finding for finding in replayed["findings"]}
    assert set(codes) == {"MPS354"}
    assert codes["MPS354"]["remedy"] is None
    assert [row for row in told["facts"]["prediction"]["results"] if row["op"] == "aten::linalg_svd"]
    assert told["facts"]["prediction"]["answer"] == "runs"


def test_model_and_prediction_agree_on_every_decomposition(tmp_path: Path) -> None:
    """By operator, forward and backward: which need the variable, which the CPU takes in any case, which just run."""
    replayed, told = model_and_prediction(DECOMPOSITIONS, tmp_path)
    answer, prediction = replayed["facts"]["model"]["answers"]["mps"], told["facts"]["prediction"]
    assert (answer["answer"], prediction["answer"]) == ("runs with the fallback", "fallback")
    names = {"fallback": "missing", "always": "fallback"}
    of_model = {(use["op"], names[use["kind"]]) for use in (*answer["operators"], *answer["also"])}
    others = ("kernel", "composite")
    rows = [row for row in prediction["results"] if row["verdict"] not in others]
    assert of_model == {(row["op"].partition(".")[0], row["verdict"]) for row in rows}
    assert ("aten::linalg_eigh", "missing") in of_model
    assert ("aten::linalg_pinv", "fallback") in of_model


def model_and_prediction(source: str, tmp_path: Path) -> tuple[Any, Any]:
    """What `ops --model` and `ops --predict` say of a file on a Mac with torch 2.12."""
    (tmp_path / "step.py").write_text(source)
    env = stand_in.environment("m3-max", tmp_path, torch="2.12.0") | {"OMP_NUM_THREADS": "1"}
    asked = ("ops", "--model", f"{tmp_path / 'step.py'}:build", "--json")
    replayed = json.loads(mpsdoctor(*asked, env=env).stdout)["checks"][-1]
    told = json.loads(mpsdoctor(*asked, "--predict", "mps", "--torch", "2.12", env=env).stdout)["checks"][-1]
    return replayed, told


def test_torchs_statistics_of_fallbacks_are_read(tmp_path: Path) -> None:
    """Hundreds of calls that ran on the CPU with the variable are told by operator, with their counts."""
    env = stand_in.environment("m1", tmp_path, torch="2.2.2") | {"OMP_NUM_THREADS": "1"}
    names = [word for name in ("channel_shuffle", "logaddexp", "trace") for word in ("--op", name)]
    document = json.loads(mpsdoctor("ops", *names, "--device", "mps", "--json", env=env).stdout)
    facts = document["checks"][-1]["facts"]
    fallen = sum(count_probes(row) for row in facts["results"] if row["outcome"] == "fallback")
    counts = facts["fallback_statistics"]["mps"]
    assert fallen > 0
    assert sum(counts.values()) >= fallen
    assert all(name.startswith("aten::") for name in counts)
