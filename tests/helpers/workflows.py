"""The steps of a composite action, run as GitHub's runner runs them: conditions, variables, bash, files for outputs."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

BASH = ["bash", "--noprofile", "--norc", "-eo", "pipefail"]  # what `shell: bash` means
EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}")
NAME = re.compile(r"\b[a-z]+(?:\.[\w-]+)+")
STATUS = re.compile(r"\b(?:always|cancelled|failure|success)\(\)")
JOB = {"github.job": "checks", "strategy.job-index": "0"}


def read(path: Path) -> dict[Any, Any]:
    """A YAML file; the key `on` of a workflow is True, as YAML 1.1 has it."""
    document: dict[Any, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return document


def steps(document: dict[Any, Any]) -> list[dict[str, Any]]:
    """All steps of an action or a workflow."""
    jobs = [document["runs"]] if "runs" in document else document["jobs"].values()
    return [step for job in jobs for step in job["steps"]]


def blocks(page: Path, language: str) -> list[str]:
    """The code of one language that a page shows."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def texts(values: Mapping[str, Any]) -> dict[str, str]:
    """Values as the runner hands them over: all text, `true` for true."""
    return {name: json.dumps(value) if isinstance(value, bool) else str(value) for name, value in values.items()}


@dataclass
class Run:
    """One use of an action in a job, with the environment and the working directory that the job has.

    `known` are outputs of steps that need not run, by id. Afterwards `log` holds what the steps printed, `outputs` and
    `summary` what they wrote for the job, `artifacts` the folders that were kept, by name.
    """

    action: Path
    inputs: Mapping[str, str]
    env: Mapping[str, str]
    workspace: Path
    known: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    failed: bool = False
    log: str = ""
    summary: str = ""
    outputs: dict[str, str] = field(default_factory=dict)
    artifacts: dict[str, Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        document = read(self.action)
        unknown = self.inputs.keys() - document["inputs"].keys()
        assert not unknown, f"the action has no input {unknown}"
        values = {name: declared["default"] for name, declared in document["inputs"].items()} | dict(self.inputs)
        self.names = JOB | {f"inputs.{name}": value for name, value in values.items()}
        self.temp = Path(tempfile.mkdtemp(dir=self.workspace.parent))
        for name, outputs in self.known.items():
            self._keep(name, outputs)
        for step in document["runs"]["steps"]:
            if step.get("id") not in self.known and self._wanted(step.get("if", "success()")):
                self._step(step)
        self.outputs = {name: self._fill(declared["value"]) for name, declared in document["outputs"].items()}

    def _keep(self, step: str, outputs: Mapping[str, str]) -> None:
        self.names |= {f"steps.{step}.outputs.{name}": value for name, value in outputs.items()}

    def _wanted(self, condition: str) -> bool:
        found = EXPRESSION.fullmatch(condition)
        condition = found[1] if found else condition
        return bool(self._evaluate(condition)) and (bool(STATUS.search(condition)) or not self.failed)

    def _evaluate(self, expression: str) -> Any:
        """The subset of the runner's language that actions here use; a name that is not set is empty."""
        text = NAME.sub(lambda name: repr(self.names.get(name[0], "")), expression)
        text = re.sub(r"!(?!=)", " not ", text).replace("&&", " and ").replace("||", " or ")
        functions = {"format": str.format, "cancelled": lambda: False, "success": lambda: not self.failed}
        return eval(text.strip(), {"__builtins__": {}}, functions)

    def _fill(self, text: str) -> str:
        return EXPRESSION.sub(lambda found: str(self._evaluate(found[1])), text)

    def _step(self, step: dict[str, Any]) -> None:
        if "run" in step:
            self._shell(step)
        elif step["uses"].startswith("actions/upload-artifact@"):
            self._upload({name: self._fill(value) for name, value in step["with"].items()})
        else:
            raise AssertionError(f"{step['uses']}: name its outputs in `known`")

    def _shell(self, step: dict[str, Any]) -> None:
        assert step["shell"] == "bash"
        script, output, summary = (self.temp / name for name in ("script.sh", "output", "summary"))
        script.write_text(step["run"], encoding="utf-8")
        output.write_text("")
        env = {
            **self.env,
            **{name: self._fill(value) for name, value in step.get("env", {}).items()},
            "GITHUB_ACTION_PATH": str(self.action.parent),
            "GITHUB_ACTIONS": "true",
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(summary),
            "RUNNER_TEMP": str(self.temp),
        }
        done = subprocess.run(
            [*BASH, str(script)], env=env, cwd=self.workspace, text=True, capture_output=True, check=False
        )
        self.log += done.stdout + done.stderr
        self.failed |= done.returncode != 0
        lines = output.read_text(encoding="utf-8").splitlines()
        self._keep(step.get("id", ""), dict(line.split("=", 1) for line in lines))
        self.summary = summary.read_text(encoding="utf-8") if summary.exists() else ""

    def _upload(self, values: dict[str, str]) -> None:
        files, kept = Path(values["path"]), self.temp / "artifacts" / values["name"]
        if files.is_dir() and any(files.iterdir()):
            self.artifacts[values["name"]] = Path(shutil.copytree(files, kept))
