"""The GitHub action: its steps, run as a runner runs them, on this machine and on Macs with the stand-in for MPS."""

from __future__ import annotations

import json
import re
import sys
import tomllib
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hatchling.builders.wheel import WheelBuilder

from helpers import fresh, workflows
from mac import stand_in
from mpsdoctor import __version__
from mpsdoctor.runtime.running import read_torch_version

ROOT = Path(__file__).parents[2]
ACTION = ROOT / "action.yml"
PAGE = ROOT / "docs" / "ci.md"
CHEAP = "chip,build"


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> workflows.Run:
    """The action as a workflow without any input but a small budget of checks uses it, on this machine."""
    folder = tmp_path_factory.mktemp("first")
    workspace = folder / "workspace"
    workspace.mkdir()
    env = fresh.machine(folder)
    python = {"python-path": str(folder / "programs" / "python")}
    inputs = {"args": "--skip training,operators\n  --quiet", "torch": read_torch_version() or ""}
    return workflows.Run(ACTION, inputs, env, workspace, {"python": python})


def use(
    first: workflows.Run, folder: Path, inputs: Mapping[str, str], env: Mapping[str, str] | None = None
) -> workflows.Run:
    """Another job, in `folder`/workspace, on a machine where the step that installs is done already."""
    workspace, place = folder / "workspace", folder / "installed"
    workspace.mkdir(exist_ok=True)
    place.mkdir()
    (place / "venv").symlink_to(Path(first.names["steps.install.outputs.folder"]) / "venv")
    known: Mapping[str, Mapping[str, str]] = {"python": {}, "install": {"folder": str(place)}}
    return workflows.Run(ACTION, inputs, env or first.env, workspace, known)


def mac(folder: Path, **settings: Any) -> dict[str, str]:
    """The environment of a hosted, virtual Mac; what is installed in the action's own environment is what runs."""
    place = folder / "mac"
    place.mkdir()
    env = stand_in.environment("virtual", place, torch="2.12.0", **settings)
    kept = [path for path in env["PYTHONPATH"].split(":") if Path(path) not in (ROOT, ROOT / "checks")]
    return env | {"PYTHONPATH": ":".join(kept), "TMPDIR": str(place), "OMP_NUM_THREADS": "1"}


def report_of(run: workflows.Run) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(Path(run.outputs["report"]).read_text(encoding="utf-8"))
    return document


def test_the_action_installs_checks_annotates_and_keeps_the_reports(first: workflows.Run) -> None:
    """A job gets annotations, the verdict as an output, a summary, and JSON, JUnit and HTML as an artefact."""
    assert not first.failed, first.log
    report = report_of(first)
    assert first.outputs == {
        "device": report["verdict"]["device"],
        "report": first.outputs["report"],
        "exit-code": "0",
        "worse": "",
    }
    assert "\n::notice title=mpsdoctor::" in f"\n{first.log}"
    assert first.summary.count(report["verdict"]["reasons"][0][:20]) >= 1
    folder = first.artifacts["mpsdoctor-checks-0"]
    assert sorted(path.name for path in folder.iterdir()) == ["report.html", "report.json", "report.xml"]
    suites = ET.parse(folder / "report.xml").getroot().iter("testsuite")
    assert {suite.get("name") for suite in suites} >= {"build", "known-issues"}
    assert not {"training", "operators"} & {check["id"] for check in report["checks"]}  # by `args`


def test_the_code_of_the_action_is_what_runs(first: workflows.Run) -> None:
    """Without a version the action installs its own checkout, with the torch asked for, into a new environment."""
    assert f"torch=={read_torch_version()}" in first.log
    assert "Successfully installed mpsdoctor" in first.log
    assert report_of(first)["python"]["executable"].endswith("/venv/bin/python")


def test_a_virtual_mac_is_told_from_one_that_can_train(first: workflows.Run, tmp_path: Path) -> None:
    """Where MPS gives out no memory, as on hosted Macs, the job fails with annotations and keeps its reports all the
    same; the finding is new against the baseline of a day on which it did."""
    (healthy := tmp_path / "healthy").mkdir()
    (broken := tmp_path / "broken").mkdir()
    before = use(first, healthy, {"only": CHEAP}, mac(healthy))
    assert not before.failed, before.log
    assert {"mps": True}.items() <= {row["device"]: row["usable"] for row in report_of(before)["devices"]}.items()
    asked = {"only": CHEAP, "fail-on": "warning", "baseline": before.outputs["report"], "artifact": "mac"}
    after = use(first, broken, asked, mac(broken, allocations_fail=1))
    assert after.failed
    assert "::warning title=MPS207::" in after.log
    assert (after.outputs["exit-code"], after.outputs["device"], after.outputs["worse"]) == ("1", "cpu", "true")
    assert "## mpsdoctor compare" in after.summary
    assert "MPS207" in after.summary
    assert {path.name for path in after.artifacts["mac"].iterdir()} >= {"report.xml", "comparison.md"}


def test_the_standard_use_on_a_mac_recommends_a_device(first: workflows.Run, tmp_path: Path) -> None:
    """Whole check-up: both devices are measured and one of them is the output."""
    run = use(first, tmp_path, {"fail-on": "never", "device": "cpu,mps"}, mac(tmp_path, step_ms=25, speed=3))
    report = report_of(run)
    assert {row["device"] for row in report["devices"] if row["usable"]} == {"cpu", "mps"}, run.log
    assert run.outputs["device"] == report["verdict"]["device"]
    assert "mps" in run.summary


@pytest.mark.parametrize(("fail_if_worse", "fails"), [("false", False), ("true", True), ("True", True)])
def test_worse_fails_when_that_is_asked_for(
    first: workflows.Run, tmp_path: Path, fail_if_worse: str, fails: bool
) -> None:
    """A comparison is told in the summary, and decides only with fail-if-worse."""
    env = {**first.env, "PYTORCH_MPS_NOTHING": "1"}
    asked = {"only": "environment", "baseline": first.outputs["report"], "fail-if-worse": fail_if_worse}
    run = use(first, tmp_path, asked, env)
    assert (run.outputs["exit-code"], run.outputs["worse"], run.failed) == ("0", "true", fails), run.log
    assert "PYTORCH_MPS_NOTHING" in run.summary


def test_a_baseline_that_is_no_report_fails_the_job(first: workflows.Run, tmp_path: Path) -> None:
    """What was to be compared and cannot be is no success; the reports are kept."""
    run = use(first, tmp_path, {"only": "chip", "baseline": "missing.json"})
    assert run.failed
    assert "missing.json" in run.log
    assert run.outputs["exit-code"] == "0"
    assert (run.artifacts["mpsdoctor-checks-0"] / "report.json").exists()


@pytest.mark.parametrize("name", ["budget", "only", "device", "fail-on", "args", "python", "baseline"])
def test_no_input_is_ever_run(first: workflows.Run, tmp_path: Path, name: str) -> None:
    """Quotes, substitutions and separators in a value are text: an error of usage at most."""
    value = "x'\"; touch planted; $(touch planted) `touch planted` && touch planted\n| touch planted #"
    run = use(first, tmp_path, {"only": "chip", name: value})
    assert run.failed
    assert not list((tmp_path / "workspace").iterdir())
    expected = ("0", True) if name == "baseline" else ("2", False)
    assert (run.outputs["exit-code"], bool(run.artifacts)) == expected, run.log


def test_another_interpreter_is_examined(first: workflows.Run, tmp_path: Path) -> None:
    """The job's own Python, which has its torch, is examined by the mpsdoctor of the action."""
    run = use(first, tmp_path, {"only": "build", "python": sys.executable})
    assert report_of(run)["python"]["executable"] == sys.executable


def test_a_release_can_be_asked_for(
    first: workflows.Run, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """`version` takes mpsdoctor from the package index; what is not there fails the job."""
    wheels = tmp_path_factory.mktemp("wheels")
    next(WheelBuilder(str(ROOT)).build(directory=str(wheels), versions=["standard"]))
    (tmp_path / "index").mkdir()
    env = fresh.machine(tmp_path / "index", wheels)
    known = {"python": {"python-path": first.names["steps.python.outputs.python-path"]}}
    (workspace := tmp_path / "workspace").mkdir()
    run = workflows.Run(ACTION, {"version": __version__, "only": "chip"}, env, workspace, known)
    assert run.outputs["exit-code"] == "0", run.log
    assert f"{wheels}/mpsdoctor-{__version__}" in run.log
    run = workflows.Run(ACTION, {"torch": "1.0"}, first.env, workspace, known)
    assert run.failed
    assert (set(run.outputs.values()), run.artifacts) == ({""}, {})


def test_the_page_on_ci_shows_the_action_as_it_is(first: workflows.Run, tmp_path: Path) -> None:
    """Its tables name each input with its default and each output, and its workflows run as they stand there."""
    action, page = workflows.read(ACTION), PAGE.read_text(encoding="utf-8")
    inputs = dict(re.findall(r"^\| `([\w-]+)` \| (?:`(.*?)`)? +\| [^|]+ \|$", page, re.MULTILINE))
    assert inputs == {name: declared["default"] for name, declared in action["inputs"].items()}
    assert re.findall(r"^\| `([\w-]+)` \| [^|]+ \|$", page, re.MULTILINE) == list(action["outputs"])

    python = tmp_path / "workspace" / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    (tmp_path / "workspace" / "mpsdoctor.json").write_bytes(Path(first.outputs["report"]).read_bytes())
    documents = [document for block in workflows.blocks(PAGE, "yaml") if "jobs" in (document := yaml.safe_load(block))]
    steps = [step for document in documents for step in workflows.steps(document)]
    bare, asked = [workflows.texts(step.get("with", {})) for step in steps if "/mpsdoctor@" in step.get("uses", "")]
    assert bare == {}
    run = use(first, tmp_path, asked)
    assert not run.failed, run.log
    assert "## mpsdoctor compare" in run.summary


def test_workflows_and_action_take_fixed_releases_and_run_no_text_of_others() -> None:
    """An action of others is pinned by its full version, and no expression stands in a script."""
    files = [ACTION, *sorted((ROOT / ".github" / "workflows").iterdir())]
    steps = [step for path in files for step in workflows.steps(workflows.read(path))]
    used = {step["uses"] for step in steps if "uses" in step} - {"./"}
    assert len(used) >= 5
    assert [name for name in used if not re.fullmatch(r"[\w-]+/[\w-]+@v\d+\.\d+\.\d+", name)] == []
    assert [step["run"] for step in steps if "${{" in step.get("run", "")] == []


def test_stages_that_workflows_run_exist() -> None:
    """Markers, extras and files that CI names are there."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / ".github" / "workflows").iterdir()))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    markers = {line.split(":")[0] for line in project["tool"]["pytest"]["ini_options"]["markers"]}
    assert set(re.findall(r"pytest -m (\w+)", text)) <= markers
    extras = {name for found in re.findall(r"'\.\[([\w,]+)\]'", text) for name in found.split(",")}
    assert {"test"} <= extras <= project["project"]["optional-dependencies"].keys()
    assert [name for name in re.findall(r"(?:tests|tools|docs)/[\w./-]*\w", text) if not (ROOT / name).exists()] == []
